//! The seeded clients: the same for the same seed, plainly synthetic, writable.

use jiff::civil::date;
use ward_clients::seed::{clients, lay};
use ward_clients::seed_people::{PEOPLE, one_of_crowd, people};
use ward_clients::ssn::{Ssn, may_be_real_ssn};
use ward_identity::tables::{Login, User};
use ward_instance::Random;
use ward_store::system::AuditRow;
use ward_store::{Actor, Cond, Id, Scope, StoreError};

use crate::support::World;

#[test]
fn the_same_seed_gives_the_same_people() {
    let today = date(2026, 3, 4);
    let made = people(&Random::seeded(42), today);
    assert_eq!(made, people(&Random::seeded(42), today));
    assert_ne!(made, people(&Random::seeded(43), today));
    assert_eq!(made.len(), PEOPLE);
}

#[test]
fn nobody_could_be_real() {
    let today = date(2026, 3, 4);
    for seed in 0..20 {
        let people = people(&Random::seeded(seed), today);
        let crowd: Vec<_> = (PEOPLE..500).map(|at| one_of_crowd(at, seed, today)).collect();
        for person in people.iter().chain(&crowd) {
            assert!(person.phone_number.contains("-555-01"), "{person:?}");
            assert!(person.email.as_ref().is_none_or(|email| email.ends_with("@example.com")));
            let ssn = person.ssn.as_deref().map(|text| Ssn::parse(text).unwrap());
            assert!(ssn.is_none_or(|ssn| !may_be_real_ssn(&ssn)));
            let age = today.year() - person.dob.year();
            assert!((1..=96).contains(&age), "{person:?}");
        }
        assert!(people.iter().any(|person| person.dob == date(1996, 2, 29)));
        assert!(people.iter().any(|person| person.last_name.is_none()));
    }
}

/// More clients than the first forty, in several transactions, beside a client
/// with an address of theirs: every rule of single clients holds for them.
#[tokio::test]
async fn a_practice_is_seeded_at_the_same_offsets() {
    World::each(async |w| {
        const COUNT: usize = 230;
        let org = w.organization.id.0;
        let input = "first_name: \"Ann\", last_name: \"Early\", email: \"client51@example.com\", dont_send_welcome: true";
        let query = format!("mutation {{ createClient(input: {{ {input} }}) {{ user {{ id }} messages {{ message }} }} }}");
        let early = w.run(&w.owner, &query, serde_json::json!({})).await;
        assert!(early["createClient"]["messages"].is_null(), "{early}");
        let providers = [w.owner.user_id, w.standard.user_id];
        let ground = w.db.write(move |tx| {
            Box::pin(async move {
                let actor = Actor::system(org);
                let mut scope = Scope::new(tx, &actor);
                let mut staff: Vec<User> = Vec::new();
                for id in providers {
                    staff.extend(scope.find(Id::<User>::new(id)).await?);
                }
                lay(&mut scope, &staff, &Random::seeded(7), COUNT).await
            })
        });
        let ground = ground.await.unwrap_or_else(|error: StoreError| panic!("{error}"));
        let mut made = Vec::new();
        for places in [0..PEOPLE, PEOPLE..200, 200..COUNT] {
            let ground = ground.clone();
            let some = w.db.write(move |tx| {
                let (ground, places) = (ground.clone(), places.clone());
                Box::pin(async move {
                    let actor = Actor::system(org);
                    clients(&mut Scope::new(tx, &actor), &ground, places).await
                })
            });
            made.extend(some.await.unwrap_or_else(|error: StoreError| panic!("{error}")));
        }
        assert_eq!(made.len(), COUNT);
        let first = made[0].id.0;
        assert_eq!(first % 1_000, 0);
        assert!(made.iter().zip(first..).all(|(client, id)| client.id.0 == id));
        let rows = w.rows::<User>(Cond::is_true("is_patient")).await;
        assert_eq!(rows.len(), COUNT + 1);
        // One human for each address, whoever made the account.
        let mut humans = std::collections::HashMap::new();
        for row in rows.iter().filter(|row| row.email.is_some()) {
            let human = humans.entry(row.email.clone()).or_insert(row.human_id);
            assert_eq!(*human, row.human_id, "{row:?}");
        }
        let distinct: std::collections::HashSet<_> = rows.iter().map(|row| row.human_id.0).collect();
        let without = rows.iter().filter(|row| row.email.is_none()).count();
        assert_eq!(distinct.len(), humans.len() + without);
        let logins = w.rows::<Login>(Cond::is_true("is_patient").and(Cond::eq("root_id", org))).await;
        assert_eq!(logins.len(), COUNT + 1 - without);
        let cond = Cond::eq("resource_name", "USER").and(Cond::eq("event_type", "CREATE"));
        let cond = cond.and(Cond::eq("actor_kind", "system"));
        let entries = w.rows::<AuditRow>(cond).await;
        let audited = |client: &User| {
            let id = client.id.0.to_string();
            entries.iter().any(|it| it.resource_id == id && it.changes.contains("MRN-"))
        };
        assert!(made.iter().all(audited));
        let last = &made[COUNT - 1];
        let keywords = format!("{} {}", last.phone_number.as_deref().unwrap(), last.record_identifier.as_deref().unwrap());
        let query = "query($k: String) { users(keywords: $k) { nodes { id } } }";
        let answer = w.run(&w.owner, query, serde_json::json!({"k": keywords})).await;
        assert_eq!(answer["users"]["nodes"], serde_json::json!([{"id": last.id.0.to_string()}]));
        let query = "{ users(keywords: \"さくら\") { nodes { first_name location { city } } } organization { location { name } } }";
        let answer = w.run(&w.owner, query, serde_json::json!({})).await;
        assert_eq!(answer["users"]["nodes"][0]["first_name"], "さくら", "{answer}");
        assert_eq!(answer["organization"]["location"]["name"], "Main office");
    })
    .await;
}
