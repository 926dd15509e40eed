//! REL-06: the machine's clock jumps forwards and back, and stands still.

use ward_tests::instance::{OWNER, link_in};
use ward_tests::{Api, Engine, Instance, Kind, Server, json, people, tell, until};

use crate::machine::{Control, Machine};

const PASSWORD: &str = "violet-harbour-77-candle";
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// Whether a session token, asked as its holder would, is still somebody.
fn is_somebody(server: &Server, token: &str) -> bool {
    let reply = server.with(token).ask("{ currentUser { id } }", json!({}));
    reply.json["data"]["currentUser"]["id"].is_string()
}

fn session(api: &Api) -> String {
    let reply = people::sign_in(api, json!({"email": OWNER, "password": PASSWORD}));
    reply.data()["signIn"]["token"].as_str().unwrap().to_owned()
}

fn mails(instance: &Instance) -> i64 {
    instance.database().number("SELECT COUNT(*) FROM simulated_messages")
}

#[test]
fn rel_06_what_expired_stays_expired_when_the_clock_is_put_back() {
    let machine = Machine::new();
    let mut instance = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let server = machine.serve(&mut instance);
    let api = server.api();
    people::set_password(&api, &instance.owner_link, PASSWORD);
    let link = instance.ward(&["user", "link"], &["--user", OWNER]).json();
    let link = people::token_in(&link_in(&link).unwrap());
    let token = session(&api);
    assert!(is_somebody(&server, &token));
    let jumps = [HOUR, 20 * DAY, -DAY, -30 * DAY];
    for (number, jump) in jumps.into_iter().enumerate() {
        machine.set(Control::ClockOffset, jump);
        assert!(!is_somebody(&server, &token), "a session came back after jump {number}");
        // A new one works whatever the clock says, and ends with its own hour.
        let next = session(&api);
        assert!(is_somebody(&server, &next), "no session after jump {number}");
    }
    // No one-time link lives longer than 14 days; the second jump was more.
    let reset = people::sign_in(&api, json!({"reset_token": link}));
    assert!(reset.json["data"]["signIn"]["token"].is_null(), "a link came back: {}", reset.text);
    assert!(server.api().get("/readyz").json["clock_behind_seconds"].as_i64() > Some(30 * DAY));
    server.stop();
    assert!(instance.verify_audit().0);
    tell("REL-06", format_args!("{} jumps: 1 session and 1 link stayed expired", jumps.len()));
}

#[test]
fn rel_06_work_goes_on_whatever_the_clock_does() {
    let machine = Machine::new();
    let mut instance = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let key = instance.owner_key();
    let server = machine.serve(&mut instance);
    let api = server.with(&key);
    let mut clients = 0;
    for (offset, frozen) in [(0, 0), (HOUR, 0), (-HOUR, 0), (-DAY, 0), (-DAY, 1), (1, 0), (0, 0)] {
        machine.set(Control::ClockOffset, offset);
        machine.set(Control::IsFrozen, frozen);
        people::welcomed_client(&api, &format!("client{clients}"));
        clients += 1;
        // The timer of effects and the numbering of the log run on.
        until("the welcome mail was sent", || (mails(&instance) == clients).then_some(()));
    }
    machine.set(Control::IsFrozen, 0);
    // None is sent again when time comes back to where it was.
    people::welcomed_client(&api, "last");
    until("the last mail was sent", || (mails(&instance) > clients).then_some(()));
    assert_eq!(mails(&instance), clients + 1, "a mail was sent twice");
    server.stop();
    assert!(instance.verify_audit().0, "the order of the log depends on the clock");
    tell("REL-06", format_args!("6 jumps and a standing clock: {} mails, each once", clients + 1));
}
