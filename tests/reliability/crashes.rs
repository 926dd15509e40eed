//! REL-02: the process ends at each step of a write. All of it is there afterwards or nothing,
//! asking again with the same key does it once, and no effect happens twice.

use std::path::PathBuf;

use crate::machine::{Control, Machine};
use ward_tests::{Api, Engine, Instance, Json, Kind, Server, V2026, json, people, tell, until};

/// A mutation, and what it leaves behind when it is whole.
struct Deed {
    name: &'static str,
    query: &'static str,
    /// How often the row shows it.
    row: &'static str,
    resource: &'static str,
    audit: &'static str,
    event: Option<&'static str>,
    mails: i64,
}

/// One of each kind: a new row with an effect, a change, a deletion.
const DEEDS: [Deed; 3] = [
    Deed {
        name: "create",
        query: people::CREATE_CLIENT,
        row: "SELECT COUNT(*) FROM users WHERE first_name = 'NAME'",
        resource: "SELECT id FROM users WHERE first_name = 'NAME'",
        audit: "event_type = 'CREATE' AND resource_name = 'USER'",
        event: Some("patient.created"),
        mails: 1,
    },
    Deed {
        name: "update",
        query: "mutation($id: ID, $name: String) { updateClient(input: {id: $id, legal_name: $name}) { user { id } messages { field message } } }",
        row: "SELECT COUNT(*) FROM users WHERE legal_name = 'NAME'",
        resource: "SELECT id FROM users WHERE legal_name = 'NAME'",
        audit: "event_type = 'UPDATE' AND resource_name = 'USER'",
        event: Some("patient.updated"),
        mails: 0,
    },
    Deed {
        name: "delete",
        query: "mutation($id: ID) { deleteTag(input: {id: $id}) { tag { id } messages { field message } } }",
        row: "SELECT COUNT(*) FROM tags WHERE name = 'NAME' AND deleted_at IS NOT NULL",
        resource: "SELECT id FROM tags WHERE name = 'NAME'",
        audit: "event_type = 'DESTROY' AND resource_name = 'TAG'",
        event: None,
        mails: 0,
    },
];

/// The steps, in order, and whether a write that got there is kept.
const STEPS: [(&str, bool); 7] = [
    ("write.row", false),
    ("write.answered", false),
    ("write.audited", false),
    ("write.emitted", false),
    ("commit.before", false),
    ("commit.after", true),
    ("answer.before", true),
];

/// The steps of an effect, after the answer.
const EFFECT_STEPS: [&str; 3] = ["effect.claimed", "effect.sent", "effect.recorded"];

/// An instance whose servers end at the step that a file names.
struct Subject {
    instance: Instance,
    key: String,
    file: PathBuf,
}

impl Subject {
    fn new(engine: Engine) -> Subject {
        let mut instance = Instance::birth(Kind::Sandbox, engine);
        let key = instance.owner_key();
        let file = instance.dir.join("crash");
        instance.variables.push(("TESTED_CRASH".to_owned(), file.to_str().unwrap().to_owned()));
        Subject { instance, key, file }
    }

    fn serve(&self) -> (Server, Api) {
        let _ = std::fs::remove_file(&self.file);
        let server = self.instance.serve();
        let api = server.with(&self.key);
        (server, api)
    }

    fn crash_at(&self, step: &str) {
        std::fs::write(&self.file, step).unwrap();
    }

    fn count(&self, sql: &str) -> i64 {
        self.instance.database().number(sql)
    }

    /// Row, audit entries, events and mails of a deed.
    fn traces(&self, deed: &Deed, name: &str) -> [i64; 4] {
        let of = |text: &str| text.replace("NAME", name);
        let resource = of(deed.resource);
        let row = self.count(&of(deed.row));
        let audit = self.count(&format!(
            "SELECT COUNT(*) FROM audit_events WHERE {} \
             AND resource_id = CAST(({resource}) AS TEXT)",
            of(deed.audit)
        ));
        let event = deed.event.map_or(0, |event| {
            self.count(&format!(
                "SELECT COUNT(*) FROM events WHERE event_type = '{event}' AND resource_id = ({resource})"
            ))
        });
        let mails = match deed.mails {
            0 => 0,
            _ => self.count(&format!(
                "SELECT COUNT(*) FROM effect_intents WHERE subject_id = ({})",
                resource
            )),
        };
        [row, audit, event, mails]
    }
}

/// What a deed needs before it, and its variables.
fn prepared(api: &Api, deed: &Deed, name: &str) -> Json {
    match deed.name {
        "create" => {
            let mut input = people::new_client(name);
            input["client"]["dont_send_welcome"] = false.into();
            input
        }
        "update" => json!({"id": people::client(api, &format!("{name}before")), "name": name}),
        _ => {
            let query = "mutation($name: String) { createTag(input: {name: $name}) { tag { id } messages { message } } }";
            let made = api.ask(query, json!({"name": name}));
            json!({"id": people::id(&made.data()["createTag"]["tag"])})
        }
    }
}

#[test]
fn rel_02_a_crash_at_any_step_leaves_all_or_nothing() {
    for engine in Engine::available("REL-02") {
        let subject = Subject::new(engine);
        let mut crashes = 0;
        for deed in &DEEDS {
            for (number, (step, is_kept)) in STEPS.into_iter().enumerate() {
                let name = format!("{}{number}x", deed.name);
                let (mut server, api) = subject.serve();
                let input = prepared(&api, deed, &name);
                let api = api.header("Idempotency-Key", &name);
                subject.crash_at(step);
                let answer = api.try_gql(V2026, deed.query, input.clone());
                let answer = answer.map(|reply| reply.text);
                assert!(answer.is_err(), "{name}: acknowledged before {step}: {answer:?}");
                server.wait();
                crashes += 1;
                // Another write may have met the step first: then nothing is there as well.
                let whole = [1, 1, i64::from(deed.event.is_some()), deed.mails];
                let traces = subject.traces(deed, &name);
                assert!(
                    traces == [0; 4] || (is_kept && traces == whole),
                    "{engine:?}, {} at {step}: half-written: {traces:?}",
                    deed.name
                );
                // Asked again, it is done once, whether it was done before or not.
                let (server, api) = subject.serve();
                let api = api.header("Idempotency-Key", &name);
                api.ask(deed.query, input).data();
                assert_eq!(subject.traces(deed, &name), whole, "{} after {step}", deed.name);
                server.stop();
            }
        }
        let (intact, said) = subject.instance.verify_audit();
        assert!(intact, "{said}");
        tell(
            "REL-02",
            format_args!(
                "{engine:?}: {crashes} crashes at {} steps of {} mutations",
                STEPS.len(),
                DEEDS.len()
            ),
        );
    }
}

#[test]
fn rel_02_a_crash_around_an_effect_does_it_once() {
    for engine in Engine::available("REL-02") {
        let machine = Machine::new();
        let mut later = 0;
        let mut subject = Subject::new(engine);
        for step in EFFECT_STEPS {
            let name = step.replace('.', "");
            let mut server = machine.serve(&mut subject.instance);
            let api = server.with(&subject.key);
            subject.crash_at(step);
            // Answered or not: the effect begins as soon as it is committed.
            let mut input = people::new_client(&name);
            input["client"]["dont_send_welcome"] = false.into();
            let _ = api.try_gql(V2026, people::CREATE_CLIENT, input);
            server.wait();
            // The dead server's lease ends after two minutes, so the next one runs later.
            let _ = std::fs::remove_file(&subject.file);
            later += 10 * 60;
            machine.set(Control::ClockOffset, later);
            let server = machine.serve(&mut subject.instance);
            let sent = format!(
                "SELECT COUNT(*) FROM simulated_messages m JOIN effect_intents i ON i.id = m.intent_id \
                 JOIN users u ON u.id = i.subject_id WHERE u.first_name = '{name}'"
            );
            let open = "SELECT COUNT(*) FROM effect_intents WHERE state = 'queued'";
            until("the effect was done", || (subject.count(open) == 0).then_some(()));
            assert_eq!(subject.count(&sent), 1, "{engine:?}: not one mail after a crash at {step}");
            server.stop();
        }
        tell(
            "REL-02",
            format_args!(
                "{engine:?}: {} crashes around an effect, each mail once",
                EFFECT_STEPS.len()
            ),
        );
    }
}
