//! A client's date of death from outside (DOM-36): what was planned and what was held is not sent,
//! the account opens nothing, and taken back all of it works again.

use ward_tests::{Api, Engine, Instance, Json, Kind, json, people, tell};

const PASSWORD: &str = "violet-harbour-93-lantern";

fn to(api: &Api, at: &str) {
    let reply = api.post("/sandbox/v1/clock/set", &json!({"to": at, "settle": true}));
    assert_eq!(reply.status, 200, "{}", reply.text);
}

/// How many mails of a kind were sent so far.
fn mails(api: &Api, kind: &str) -> usize {
    let inbox = api.get("/sandbox/v1/inbox?limit=1000").json;
    inbox["items"].as_array().unwrap().iter().filter(|item| item["kind"] == kind).count()
}

/// A mutation's payload, refused or not.
fn run(api: &Api, field: &str, selects: &str, input: Json) -> Json {
    let query = format!(
        "mutation($input: {field}Input!) {{ {field}(input: $input) {{ {selects} messages {{ field message }} }} }}"
    );
    api.ask(&query, json!({"input": input})).json["data"][field].clone()
}

#[track_caller]
fn done(payload: &Json) {
    assert!(payload.is_object() && payload["messages"].is_null(), "{payload}");
}

/// The token of a sign-in, if it succeeds.
fn sign_in(api: &Api) -> Option<String> {
    let input = json!({"email": "ada@client.example", "password": PASSWORD});
    let reply = people::sign_in(api, input);
    reply.json["data"]["signIn"]["token"].as_str().map(str::to_owned)
}

/// Sends mails of notices, or holds them.
fn switch(api: &Api, mode: &str) {
    let reply = api.post("/effects/email", &json!({"mode": mode, "reason": "a test"}));
    assert_eq!(reply.status, 200, "{}", reply.text);
}

/// What is tried of a client who lives: a day of death that is to come.
fn refuse_the_future(api: &Api, client: &str) {
    let input = json!({"id": client, "deceased_on": "2031-03-09"});
    let refused = run(api, "updateClient", "user { id }", input);
    assert_eq!(refused["messages"][0]["field"], "deceased_on", "{refused}");
    let sentence = "Deceased on can't be in the future";
    assert_eq!(refused["messages"][0]["message"], sentence, "{refused}");
}

#[test]
fn who_has_died_is_told_nothing_and_signs_in_nowhere_until_that_is_taken_back() {
    for engine in Engine::available("DOM-36") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let owner = s.owner_key();
        let server = s.serve();
        let (api, nobody) = (server.with(&owner), server.api());
        api.post("/sandbox/v1/clock/freeze", &json!({}));
        to(&api, "2031-03-03T12:00:00Z");
        let client = people::client(&api, "ada");
        let input = json!({"id": client, "password": PASSWORD, "timezone": "Etc/UTC"});
        done(&run(&api, "updateClient", "user { id }", input));
        let session = sign_in(&nobody).expect("a client signs in");
        let ada = server.with(&session);
        assert_eq!(people::current_user(&ada), client);
        let input = json!({"name": "First visit", "length": 50});
        let of = run(&api, "createAppointmentType", "appointmentType { id }", input);
        let of = of["appointmentType"]["id"].clone();
        let book = |at: &str| {
            let input = json!({"user_id": client, "appointment_type_id": of,
                "contact_type": "Phone Call", "datetime": at});
            let made = run(&api, "createAppointment", "appointment { id }", input);
            done(&made);
            made["appointment"]["id"].clone()
        };
        let kept = book("2031-03-05T15:00:00Z");
        to(&api, "2031-03-03T13:00:00Z");
        assert_eq!(mails(&api, "appointment_booked"), 1);
        // A mail that is on its way when she dies: its class is off.
        switch(&api, "off");
        let moved = json!({"id": kept, "datetime": "2031-03-05T16:00:00Z"});
        done(&run(&api, "updateAppointment", "appointment { id }", moved));
        to(&api, "2031-03-03T14:00:00Z");
        refuse_the_future(&api, &client);
        assert_eq!(people::current_user(&ada), client, "what is refused ends nothing");
        let died = |on: &str| {
            let input = json!({"id": client, "deceased_on": on});
            let payload = run(&api, "updateClient", "user { deceased_on }", input);
            done(&payload);
            payload["user"]["deceased_on"].clone()
        };
        assert_eq!(died("2031-03-03"), "2031-03-03");
        switch(&api, "live");
        to(&api, "2031-03-03T15:00:00Z");
        let over = ada.ask("{ currentUser { id } }", json!({}));
        assert_eq!(over.code(), "UNAUTHENTICATED", "{}", over.text);
        assert_eq!(sign_in(&nobody), None);
        people::forget_password(&nobody, "ada@client.example");
        book("2031-03-05T18:00:00Z");
        to(&api, "2031-03-05T20:00:00Z");
        for kind in ["appointment_changed", "appointment_reminder", "reset_password"] {
            assert_eq!(mails(&api, kind), 0, "{kind}");
        }
        assert_eq!(mails(&api, "appointment_booked"), 1);
        let failed = api.get("/effects/failed").text;
        assert!(failed.contains("whom it reaches is told nothing any more"), "{failed}");
        // It was a mistake.
        assert!(died("").is_null());
        assert!(sign_in(&nobody).is_some(), "the password is as it was");
        people::forget_password(&nobody, "ada@client.example");
        book("2031-03-08T15:00:00Z");
        to(&api, "2031-03-08T16:00:00Z");
        for (kind, count) in
            [("appointment_booked", 2), ("appointment_reminder", 1), ("reset_password", 1)]
        {
            assert_eq!(mails(&api, kind), count, "{kind}");
        }
        server.stop();
        tell(
            "DOM-36",
            format_args!("{engine:?}: nothing was said after the death, all before and after"),
        );
    }
}
