//! Notices of messages, from outside: said after a while, by mail, without a word of the message,
//! not at night, and not to who wants none.

use ward_tests::{Api, Engine, Instance, Json, Kind, json, people, tell};

fn to(api: &Api, at: &str) {
    let reply = api.post("/sandbox/v1/clock/set", &json!({"to": at, "settle": true}));
    assert_eq!(reply.status, 200, "{}", reply.text);
}

/// Mails of messages so far, oldest first: their text, and when.
fn notices(api: &Api) -> Vec<(String, String)> {
    of_kind(api, "new_message")
}

/// Mails of a kind so far, oldest first: their text, and when.
fn of_kind(api: &Api, kind: &str) -> Vec<(String, String)> {
    let inbox = api.get("/sandbox/v1/inbox?limit=1000").json;
    let all = inbox["items"].as_array().unwrap().iter().rev();
    let of_kind = all.filter(|item| item["kind"] == kind);
    of_kind
        .map(|item| (item.to_string(), item["created_at"].as_str().unwrap().to_owned()))
        .collect()
}

/// The link out of notices, in a mail's text: path and query.
fn way_out(mail: &str) -> String {
    let at = mail.find("/unsubscribe?").expect("a link out");
    let rest = &mail[at..];
    let end = rest.find(|c: char| c.is_whitespace() || "\\\"<)".contains(c));
    rest[..end.unwrap_or(rest.len())].replace("&amp;", "&")
}

#[test]
fn messages_are_told_by_mail_until_one_wants_no_more() {
    for engine in Engine::available("notices") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let owner = s.owner_key();
        let server = s.serve();
        let api = server.with(&owner);
        api.post("/sandbox/v1/clock/freeze", &json!({}));
        to(&api, "2031-03-03T12:00:00Z");
        let client = people::client(&api, "ada");
        let zone = "mutation($input: updateClientInput!) { updateClient(input: $input) { user { id } messages { message } } }";
        api.ask(zone, json!({"input": {"id": client, "timezone": "Etc/UTC"}})).data();
        let begin = "mutation($input: createConversationInput) { createConversation(input: $input) { conversation { id } messages { message } } }";
        let input = json!({"input": {"simple_added_users": format!("user-{client}")}});
        let begun =
            api.ask(begin, input).data()["createConversation"]["conversation"]["id"].clone();
        let write = |text: &str| {
            let note = "mutation($input: createNoteInput!) { createNote(input: $input) { note { id } messages { message } } }";
            let input: Json = json!({"input": {"conversation_id": begun, "content": text}});
            api.ask(note, input).data();
        };
        write("Your biopsy is back");
        assert_eq!(notices(&api).len(), 0, "who reads it now needs no mail");
        to(&api, "2031-03-03T13:00:00Z");
        let told = notices(&api);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(!told[0].0.contains("biopsy"), "{}", told[0].0);
        // At night it waits for the morning; two messages are one notice.
        to(&api, "2031-03-03T22:00:00Z");
        write("One more thing");
        write("And another");
        to(&api, "2031-03-04T07:59:00Z");
        assert_eq!(notices(&api).len(), 1, "a mail at night");
        to(&api, "2031-03-04T09:00:00Z");
        let told = notices(&api);
        assert_eq!(told.len(), 2, "{told:?}");
        assert_eq!(told[1].1, "2031-03-04T08:00:00Z");
        // Scanners of mail open links: that does nothing.
        let link = way_out(&told[1].0);
        let page = server.api().get(&link);
        assert!(page.status == 200 && page.text.contains("<form"), "{}", page.text);
        write("Once more");
        to(&api, "2031-03-04T10:00:00Z");
        assert_eq!(notices(&api).len(), 3);
        let form = link.split_once('?').unwrap().1.to_owned();
        let kind = "application/x-www-form-urlencoded";
        let wrong = server.api().post_as("/unsubscribe", kind, "setting=none&type=messages".into());
        assert_eq!(wrong.status, 422, "{}", wrong.text);
        let done = server.api().post_as("/unsubscribe", kind, form);
        assert_eq!(done.status, 200, "{}", done.text);
        write("The last");
        to(&api, "2031-03-05T10:00:00Z");
        assert_eq!(notices(&api).len(), 3, "a mail to who wants none");
        server.stop();
        tell(
            "notices",
            format_args!("{engine:?}: 5 messages, 3 mails, none at night, none after the way out"),
        );
    }
}

#[test]
fn appointments_are_reminded_of_in_time_and_never_when_they_are_off() {
    for engine in Engine::available("reminders") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let owner = s.owner_key();
        let server = s.serve();
        let api = server.with(&owner);
        api.post("/sandbox/v1/clock/freeze", &json!({}));
        to(&api, "2031-03-03T12:00:00Z");
        let client = people::client(&api, "ada");
        let zone = "mutation($input: updateClientInput!) { updateClient(input: $input) { user { id } messages { message } } }";
        api.ask(zone, json!({"input": {"id": client, "timezone": "America/New_York"}})).data();
        let of = "mutation($input: createAppointmentTypeInput!) { createAppointmentType(input: $input) { appointmentType { id } messages { message } } }";
        let input = json!({"input": {"name": "First visit", "length": 50}});
        let of =
            api.ask(of, input).data()["createAppointmentType"]["appointmentType"]["id"].clone();
        let book = |at: &str| {
            let create = "mutation($input: createAppointmentInput!) { createAppointment(input: $input) { appointment { id } messages { field message } } }";
            let input = json!({"input": {"user_id": client, "appointment_type_id": of,
                "contact_type": "Phone Call", "datetime": at}});
            let made = api.ask(create, input);
            made.data()["createAppointment"]["appointment"]["id"].clone()
        };
        let change = |id: &Json, more: Json| {
            let update = "mutation($input: updateAppointmentInput!) { updateAppointment(input: $input) { appointment { id } messages { field message } } }";
            let mut input = json!({"id": id});
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let made = api.ask(update, json!({"input": input}));
            assert!(made.data()["updateAppointment"]["messages"].is_null(), "{}", made.text);
        };
        // The clocks go forward on the 9th in New York: a day before is 23 hours before.
        let kept = book("2031-03-09T10:00:00-04:00");
        let off = book("2031-03-09T12:00:00-04:00");
        change(&off, json!({"pm_status": "Cancelled"}));
        let moved = book("2031-03-10T12:00:00-04:00");
        change(&moved, json!({"datetime": "2031-03-12T12:00:00-04:00"}));
        to(&api, "2031-03-08T14:59:00Z");
        assert_eq!(of_kind(&api, "appointment_reminder").len(), 0);
        to(&api, "2031-03-10T20:00:00Z");
        let told = of_kind(&api, "appointment_reminder");
        assert_eq!(told.len(), 1, "{kept}: {told:?}");
        assert_eq!(told[0].1, "2031-03-08T15:00:00Z");
        assert!(told[0].0.contains("Sunday, March 9, 2031 at 10:00 AM EDT"), "{}", told[0].0);
        assert!(!told[0].0.contains("First visit"), "{}", told[0].0);
        to(&api, "2031-03-13T12:00:00Z");
        let told = of_kind(&api, "appointment_reminder");
        assert_eq!(told.len(), 2, "{told:?}");
        assert_eq!(told[1].1, "2031-03-11T16:00:00Z");
        // Booked at seven in the morning there: told at eight, but for the one that was off by then.
        let booked = of_kind(&api, "appointment_booked");
        assert_eq!(booked.len(), 2, "{booked:?}");
        assert!(booked.iter().all(|(_, when)| when == "2031-03-03T13:00:00Z"), "{booked:?}");
        server.stop();
        tell("reminders", format_args!("{engine:?}: 3 booked, 1 off, 1 moved: 2 reminders"));
    }
}
