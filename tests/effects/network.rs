//! ISO-26: a Sandbox that is driven through everything but webhooks, which are to call others, sends
//! no packet to anywhere. It is run in a network namespace of its own whose one way out is counted; nothing answers there.

use std::net::UdpSocket;
use std::process::Command;

use ward_tests::instance::OWNER;
use ward_tests::{Api, Engine, Instance, Json, Kind, json, people, tell, until};

/// Set in the process that is in the namespace.
const INSIDE: &str = "WARD_TESTS_INSIDE";

/// Says that the way out was counted, so that a child that ran no test is no success.
const PROOF: &str = "the only way out was watched";

/// A way out: an interface with a route to everywhere, behind which is nobody.
const NAMESPACE: &str = "set -e
ip link set lo up
ip link add way0 type veth peer name way1
ip link set way0 addrgenmode none
ip link set way1 addrgenmode none
ip link set way0 up
ip link set way1 up
ip addr add 10.99.0.1/24 dev way0
ip route add default via 10.99.0.2 dev way0
exec \"$0\" --exact network::iso_26_a_sandbox_reaches_nobody --nocapture";

#[test]
fn iso_26_a_sandbox_reaches_nobody() {
    if std::env::var_os(INSIDE).is_some() {
        return inside();
    }
    let may = Command::new("unshare").args(["-n", "ip", "link", "set", "lo", "up"]).output();
    if !may.is_ok_and(|output| output.status.success()) {
        println!("ISO-26: NOT RUN: no network namespace can be made here");
        return;
    }
    let own = std::env::current_exe().unwrap();
    let output = Command::new("unshare")
        .args(["-n", "sh", "-c", NAMESPACE])
        .arg(own)
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains(PROOF), "nothing ran inside: {said}");
    println!("{said}");
}

fn inside() {
    assert_eq!(packets(), 0, "something is sent before anything happens");
    let (sent, booked) = everything();
    assert_eq!(packets(), 0, "the Sandbox sent packets");
    // Whoever would be reached is counted.
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    socket.send_to(b"x", "203.0.113.1:9").unwrap();
    until("a packet is counted", || (packets() > 0).then_some(()));
    tell(
        "ISO-26",
        format_args!(
            "{sent} messages simulated, {booked} calendar operations, no packet left; {PROOF}"
        ),
    );
}

/// Packets that left by the way out so far.
fn packets() -> u64 {
    let text = std::fs::read_to_string("/proc/self/net/dev").unwrap();
    let line = text.lines().find_map(|line| line.trim().strip_prefix("way0:")).unwrap();
    line.split_whitespace().nth(9).unwrap().parse().unwrap()
}

/// A Sandbox's life: people, mails to every magic address, a reset password, bookings with rooms for
/// calls, a month; how many messages it sent, and how many operations on calendars there were.
fn everything() -> (usize, usize) {
    let s = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let (owner, provider) = (s.owner_key(), s.member("provider"));
    s.sandbox("seed", &["--seed", "7"]).ok();
    let server = s.serve();
    let api = server.with(&owner);
    people::furnish_inside(&api, &server.with(&provider), "namespace");
    for local in ["bounce+hard", "bounce+soft", "complaint", "slow30", "ada"] {
        let mut input = people::new_client("ada");
        input["client"]["dont_send_welcome"] = false.into();
        input["client"]["email"] = format!("{local}@gmail.com").into();
        server.with(&provider).ask(people::CREATE_CLIENT, input).data();
    }
    people::forget_password(&server.api(), OWNER);
    let booked = calls(&api);
    let moved = api.post("/sandbox/v1/clock/advance", &json!({"by": "30d"}));
    assert_eq!(moved.json["stragglers"], json!([]), "{}", moved.text);
    let inbox = api.get("/sandbox/v1/inbox?limit=200").json["items"].as_array().unwrap().clone();
    assert!(inbox.len() > 6, "{inbox:?}");
    assert!(inbox.iter().all(|item| item["state"] != "sent"), "{inbox:?}");
    let rooms = api.get("/sandbox/v1/inbox?class=video&limit=200").json["items"].clone();
    assert!(rooms.as_array().unwrap().len() > 6, "{rooms}");
    server.stop();
    (inbox.len(), booked)
}

/// Calls that are booked, moved, called off, revived, deleted and found; of every length that the
/// simulated service takes another way. How many operations.
fn calls(api: &Api) -> usize {
    let mut count = 0;
    let mut done = |query: &str, variables: Json, what: &str| -> Json {
        count += 1;
        let reply = api.ask(query, variables);
        assert!(reply.data()[what]["messages"].is_null(), "{}", reply.text);
        reply.data()[what].clone()
    };
    let client = people::client(api, "caller");
    let of = "mutation($input: createAppointmentTypeInput) { createAppointmentType(input: $input) { appointmentType { id } messages { message } } }";
    let create = "mutation($input: createAppointmentInput!) { createAppointment(input: $input) { appointment { id } messages { message } } }";
    let update = "mutation($input: updateAppointmentInput!) { updateAppointment(input: $input) { messages { message } } }";
    let delete = "mutation($input: deleteAppointmentInput!) { deleteAppointment(input: $input) { messages { message } } }";
    for (hour, minutes) in (8_u8..).zip([30, 41, 42, 43, 44]) {
        let input = json!({"name": "A call", "length": minutes});
        let of = done(of, json!({"input": input}), "createAppointmentType");
        let mut input = json!({"user_id": client, "contact_type": "Healthie Video Call",
            "appointment_type_id": of["appointmentType"]["id"], "is_zoom_chat": true});
        input["datetime"] = format!("2027-08-02T{hour:02}:00:00Z").into();
        let made = done(create, json!({"input": input}), "createAppointment");
        let id = &made["appointment"]["id"];
        for change in [
            json!({"id": id, "datetime": format!("2027-08-03T{hour:02}:00:00Z")}),
            json!({"id": id, "pm_status": "Cancelled"}),
            json!({"id": id, "pm_status": ""}),
        ] {
            done(update, json!({"input": change}), "updateAppointment");
        }
        if minutes != 30 {
            done(delete, json!({"input": {"id": id}}), "deleteAppointment");
        }
    }
    let owner = people::current_user(api);
    let slots = "query($id: ID!) { availableSlotsForRange(provider_id: $id, start_date: \"2027-08-02\", end_date: \"2027-08-08\", length: \"30\") { date } }";
    let lists = "{ appointments(filter: \"all\") { nodes { id } } }";
    for reply in [api.ask(slots, json!({"id": owner})), api.ask(lists, json!({}))] {
        reply.data();
        count += 1;
    }
    count
}
