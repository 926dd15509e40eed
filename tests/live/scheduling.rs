//! Appointments as they happen: who sees one hears of what becomes of it, and who gives a
//! group's of clients who come to it.

use ward_tests::socket::{Socket, cable, channel, listen};
use ward_tests::{Engine, Json, json, people};

use crate::practice::Practice;

const PASSWORD: &str = "copper-lantern-41-meadow";

fn made(practice: &Practice, field: &str, object: &str, input: Json) -> String {
    let query = format!(
        "mutation($input: {field}Input!) {{ {field}(input: $input) {{ {object} {{ id }} messages {{ field message }} }} }}"
    );
    let reply = practice.owner().ask(&query, json!({"input": input}));
    let data = reply.data();
    data[field][object]["id"].as_str().unwrap_or_else(|| panic!("{data}")).to_owned()
}

fn told(socket: &mut Socket, field: &str) -> Json {
    socket.message()["message"]["result"]["data"][field].clone()
}

#[test]
fn who_sees_an_appointment_hears_of_it_and_who_gives_a_group_of_those_who_come() {
    for engine in Engine::available("appointments as they happen") {
        let practice = Practice::open(engine, &[]);
        let names = ["listener", "second", "third"];
        let clients = names.map(|name| people::client(&practice.owner(), name));
        let login = json!({"id": clients[0], "password": PASSWORD});
        made(&practice, "updateClient", "user", login);
        let email = "listener@client.example";
        let signed =
            people::sign_in(&practice.server.api(), json!({"email": email, "password": PASSWORD}));
        let session = signed.data()["signIn"]["token"].as_str().unwrap().to_owned();
        let colleague = practice.instance.member("provider");
        let of = json!({"name": "Circle", "length": 60, "is_group": true});
        let of = made(&practice, "createAppointmentType", "appointmentType", of);
        let at = json!({"appointment_type_id": of, "contact_type": "Phone Call",
            "datetime": "2031-03-04T15:00:00Z", "attendee_ids": clients[0]});
        let id = made(&practice, "createAppointment", "appointment", at);
        let changed = "appointmentUserDevicesSubscription";
        let added = "groupAppointmentClientsAddedSubscription";
        let query = format!(
            "subscription {{ {changed}(id: \"{id}\") {{ id date notes attendees {{ id }} }} }}"
        );
        let comes = format!("subscription {{ {added} {{ id attendees {{ id }} }} }}");
        let hears = |token: &str, query: &str| {
            let mut socket = cable(practice.server.port, token);
            listen(&mut socket, &channel("1"), query);
            socket
        };
        let mut own = hears(&session, &query);
        let mut staff = hears(&practice.key, &query);
        let mut giver = hears(&practice.key, &comes);
        let mut silent = [hears(&session, &comes), hears(&colleague, &comes)];
        let update = |more: Json| {
            let mut input = json!({"id": id});
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            made(&practice, "updateAppointment", "appointment", input);
        };
        // Each with their own eyes: the client without notes.
        // (How it began may be told late, before this.)
        update(json!({"notes": "by the window", "datetime": "2031-03-04T16:00:00Z"}));
        while told(&mut staff, changed)["notes"] != "by the window" {}
        let mine = json!({"id": id, "date": "2031-03-04 11:00:00 -0500", "notes": null,
            "attendees": [{"id": clients[0]}]});
        let moved = |it: &Json| it["date"].as_str().is_some_and(|date| date.contains("11:00"));
        let seen = loop {
            let seen = told(&mut own, changed);
            if moved(&seen) {
                break seen;
            }
        };
        assert_eq!(seen, mine);
        // Two who come at once are told of once, with both; and nobody else of either.
        update(json!({"attendee_ids": clients.join(",")}));
        let mut all = told(&mut giver, added);
        if all["attendees"].as_array().unwrap().len() == 1 {
            // How it began may be told late, before those.
            all = told(&mut giver, added);
        }
        assert_eq!(all["id"], id);
        assert_eq!(all["attendees"].as_array().unwrap().len(), 3);
        giver.is_silent();
        // Who attends hears of nobody else who comes, not even that something changed.
        own.is_silent();
        for socket in &mut silent {
            socket.is_silent();
        }
        // Taken out, the client sees it no more and is told nothing of it.
        update(json!({"attendee_ids": clients[1..].join(",")}));
        update(json!({"notes": "upstairs"}));
        while told(&mut staff, changed)["notes"] != "upstairs" {}
        own.is_silent();
    }
}
