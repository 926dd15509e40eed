//! REL-01: SIGKILL at any moment. What was acknowledged is there with its audit entry and its
//! event, and nothing is there by half.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ward_tests::database::Place;
use ward_tests::seeded::Seeded;
use ward_tests::wait::pause;
use ward_tests::{Api, Engine, Instance, Kind, V2026, people, tell};

const WRITERS: usize = 16;

/// Kills of an engine; `WARD_KILLS` overrides it.
const KILLS: usize = 25;

/// Rounds between two looks at all rows, of which there are more every time.
const LOOK_EVERY: usize = 25;

fn kills() -> usize {
    std::env::var("WARD_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS)
}

#[test]
fn rel_01_kills_on_sqlite() {
    kill_loop(Engine::Sqlite);
}

#[test]
fn rel_01_kills_on_postgres() {
    if Engine::available("REL-01").contains(&Engine::Postgres) {
        kill_loop(Engine::Postgres);
    }
}

fn kill_loop(engine: Engine) {
    let mut chance = Seeded::announced("REL-01");
    let instance = Instance::birth(Kind::Production, engine);
    let key = instance.owner_key();
    let mut ledger: Vec<String> = Vec::new();
    let mut slowest = Duration::ZERO;
    let mut rounds_with_writes = 0;
    let mut server = instance.serve();
    for round in 0..kills() {
        let moment = Duration::from_millis(chance.between(5, 500));
        // From the first request on in one round, from the first answer on in the next: the first
        // writes are one group, and a kill in it leaves a round without any.
        let answered = round % 2 == 0;
        let acknowledged = write_until_killed(server.with(&key), round, answered, || {
            pause(moment);
            server.kill();
        });
        rounds_with_writes += usize::from(!acknowledged.is_empty());
        ledger.extend(acknowledged);
        let start = Instant::now();
        server = instance.serve();
        people::current_user(&server.with(&key));
        slowest = slowest.max(start.elapsed());
        // What is lost or half-written stays so: a look now and then finds it too.
        if round % LOOK_EVERY == LOOK_EVERY - 1 || round + 1 == kills() {
            let lost = lost(instance.database(), &ledger);
            assert!(lost.is_empty(), "by round {round}: acknowledged and lost: {lost:?}");
            let halves = halves(instance.database());
            assert!(halves.is_empty(), "by round {round}: {halves:?}");
        }
    }
    // The API has them too, not only the tables.
    let served: BTreeSet<String> = all_clients(&server.with(&key)).into_iter().collect();
    let unserved: Vec<_> = ledger.iter().filter(|id| !served.contains(*id)).collect();
    assert!(unserved.is_empty(), "acknowledged and not served: {unserved:?}");
    let extra = served.len() - ledger.len();
    server.stop();
    let (intact, said) = instance.verify_audit();
    assert!(intact, "the audit log is not intact: {said}");
    assert!(rounds_with_writes * 2 >= kills(), "hardly any round wrote: {rounds_with_writes}");
    assert!(ids_are_distinct(&ledger), "an id was given twice");
    tell(
        "REL-01",
        format_args!(
            "{engine:?}: {} kills, {} acknowledged, 0 lost, 0 half-written, {extra} written and not acknowledged, \
             slowest restart {slowest:?}; audit: {}",
            kills(),
            ledger.len(),
            said.trim()
        ),
    );
}

/// Sixteen writers until the server is gone; the ids of what they were told is done. The kill waits
/// until all have begun and, where `answered` says so, one has been told.
fn write_until_killed(api: Api, round: usize, answered: bool, kill: impl FnOnce()) -> Vec<String> {
    let stopped = AtomicBool::new(false);
    let begun = AtomicUsize::new(0);
    let told = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let write = |writer: usize| {
            let mut done = Vec::new();
            for number in 0.. {
                if stopped.load(Ordering::Relaxed) {
                    break;
                }
                let name = format!("r{round}w{writer}n{number}");
                begun.fetch_add(1, Ordering::Relaxed);
                let Ok(reply) =
                    api.try_gql(V2026, people::CREATE_CLIENT, people::new_client(&name))
                else {
                    break;
                };
                let user = &reply.json["data"]["createClient"]["user"];
                assert!(user["first_name"] == name.as_str(), "not made: {}", reply.text);
                done.push(people::id(user));
                told.fetch_add(1, Ordering::Relaxed);
            }
            done
        };
        let writers: Vec<_> =
            (0..WRITERS).map(|writer| scope.spawn(move || write(writer))).collect();
        ward_tests::until("the writers have begun", || {
            let is_time = !answered || told.load(Ordering::Relaxed) > 0;
            (begun.load(Ordering::Relaxed) >= WRITERS && is_time).then_some(())
        });
        kill();
        stopped.store(true, Ordering::Relaxed);
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    })
}

const CLIENTS: &str = "SELECT id FROM users WHERE is_patient = ";

fn truth(place: &Place) -> &'static str {
    match place {
        Place::File(_) => "1",
        Place::Server(_) => "TRUE",
    }
}

fn column(place: &Place, sql: &str) -> Vec<String> {
    place.rows(sql).into_iter().filter_map(|row| row.into_iter().next()?).collect()
}

/// What the ledger has and the database does not.
fn lost(place: &Place, ledger: &[String]) -> Vec<String> {
    let stored: BTreeSet<String> =
        column(place, &format!("{CLIENTS}{}", truth(place))).into_iter().collect();
    ledger.iter().filter(|id| !stored.contains(*id)).cloned().collect()
}

/// Clients without their audit entry, event or log-in, and these without their client.
fn halves(place: &Place) -> Vec<String> {
    let clients = format!("{CLIENTS}{}", truth(place));
    let sets = [
        ("audit entry", "SELECT resource_id FROM audit_events WHERE event_type = 'CREATE' AND resource_name = 'USER' AND subject_id IS NOT NULL".to_owned()),
        ("event", "SELECT resource_id FROM events WHERE event_type = 'patient.created'".to_owned()),
        ("log-in", format!("SELECT user_id FROM logins WHERE is_patient = {}", truth(place))),
    ];
    let stored: BTreeSet<String> = column(place, &clients).into_iter().collect();
    let mut found = Vec::new();
    for (what, sql) in sets {
        let rows = column(place, &sql);
        let count = rows.len();
        let told: BTreeSet<String> = rows.into_iter().collect();
        if told.len() != count {
            found.push(format!("{what}: {count} rows for {} clients", told.len()));
        }
        found.extend(stored.difference(&told).map(|id| format!("client {id} without {what}")));
        found.extend(told.difference(&stored).map(|id| format!("{what} of no client: {id}")));
    }
    found
}

/// All clients by the API, page after page.
fn all_clients(api: &Api) -> Vec<String> {
    let query = "query($after: String) {
      users(first: 500, after: $after, show_all_by_default: true) {
        nodes { id } page_info { has_next_page end_cursor }
      }
    }";
    let mut all = Vec::new();
    let mut after = ward_tests::Json::Null;
    loop {
        let reply = api.ask(query, ward_tests::json!({"after": after}));
        let page = &reply.data()["users"];
        all.extend(page["nodes"].as_array().into_iter().flatten().map(people::id));
        if page["page_info"]["has_next_page"] != true {
            return all;
        }
        after = page["page_info"]["end_cursor"].clone();
    }
}

fn ids_are_distinct(ledger: &[String]) -> bool {
    ledger.iter().collect::<BTreeSet<_>>().len() == ledger.len()
}
