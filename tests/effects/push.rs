//! Notifications to apps from outside: a client registers an app, is notified there, and no more
//! once the app is gone.

use ward_tests::{Api, Engine, Instance, Json, Kind, json, people, tell};

const PASSWORD: &str = "violet-harbour-93-lantern";

fn to(api: &Api, at: &str) {
    let reply = api.post("/sandbox/v1/clock/set", &json!({"to": at, "settle": true}));
    assert_eq!(reply.status, 200, "{}", reply.text);
}

/// Notifications so far, oldest first: device, kind, state.
fn pushed(api: &Api) -> Vec<(String, String, String)> {
    let inbox = api.get("/sandbox/v1/inbox?class=push&limit=200").json;
    let text = |item: &Json, name: &str| item[name].as_str().unwrap().to_owned();
    let items = inbox["items"].as_array().unwrap().iter().rev();
    items.map(|item| (text(item, "to"), text(item, "kind"), text(item, "state"))).collect()
}

fn change(api: &Api, field: &str, input: &Json) {
    let query = format!(
        "mutation($input: {field}Input!) {{ {field}(input: $input) {{ messages {{ field message }} }} }}"
    );
    let reply = api.ask(&query, json!({"input": input}));
    assert!(reply.data()[field]["messages"].is_null(), "{}", reply.text);
}

#[test]
fn apps_are_notified_of_messages_and_before_video_calls_until_they_are_gone() {
    for engine in Engine::available("push") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let owner = s.owner_key();
        let server = s.serve();
        let api = server.with(&owner);
        let client = people::client(&api, "ada");
        let input = json!({"id": client, "password": PASSWORD, "timezone": "Etc/UTC"});
        change(&api, "updateClient", &input);
        let input = json!({"email": "ada@client.example", "password": PASSWORD});
        let signed = people::sign_in(&server.api(), input);
        let session = signed.data()["signIn"]["token"].as_str().unwrap().to_owned();
        let ada = server.with(&session);
        for device in ["device-1", "old-phone-555-0101"] {
            change(&ada, "updateUser", &json!({"uniq_push_id": device}));
        }
        api.post("/sandbox/v1/clock/freeze", &json!({}));
        to(&api, "2031-03-03T12:00:00Z");
        let begin = "mutation($input: createConversationInput) { createConversation(input: $input) { conversation { id } messages { message } } }";
        let input = json!({"input": {"simple_added_users": format!("user-{client}")}});
        let talk = api.ask(begin, input).data()["createConversation"]["conversation"]["id"].clone();
        let write = |text: &str| {
            change(&api, "createNote", &json!({"conversation_id": talk, "content": text}));
        };
        write("Your biopsy is back");
        to(&api, "2031-03-03T13:00:00Z");
        let mut told = pushed(&api);
        told.sort();
        let one = |device: &str, kind: &str, state: &str| {
            (device.to_owned(), kind.to_owned(), state.to_owned())
        };
        let first = one("device-1", "new_message", "delivered");
        let gone = one("old-phone-555-0101", "new_message", "undeliverable");
        assert_eq!(told, [first, gone]);
        let inbox = api.get("/sandbox/v1/inbox?class=push").text;
        assert!(!inbox.contains("biopsy") && !inbox.contains("ada@"), "{inbox}");
        // What the practice is told of it, and that the app which is gone is notified no more.
        let sent = "query($id: ID) { sentNotificationRecords(patient_id: $id, type: \"push\") { nodes { category delivery_status } } }";
        let records = api.ask(sent, json!({"id": client}));
        let records = records.data()["sentNotificationRecords"]["nodes"].clone();
        let mut states: Vec<_> = records
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["delivery_status"].as_str().unwrap())
            .collect();
        states.sort_unstable();
        assert_eq!(states, ["bounced", "delivered"], "{records}");
        write("One more thing");
        to(&api, "2031-03-03T14:00:00Z");
        let told = pushed(&api);
        assert_eq!(told.len(), 3, "{told:?}");
        assert_eq!(told[2], one("device-1", "new_message", "delivered"));
        assert_eq!(s.database().number("SELECT COUNT(*) FROM push_devices"), 1);
        // Five minutes before a video call, if the practice says so; never of another visit.
        let setting = json!({"start_time": "08:00", "end_time": "18:00",
            "send_push_before_appointment": true, "send_reminder_one_day_before": false});
        change(&api, "createAppointmentSetting", &setting);
        let of = "mutation($input: createAppointmentTypeInput!) { createAppointmentType(input: $input) { appointmentType { id } messages { message } } }";
        let input = json!({"input": {"name": "First visit", "length": 50}});
        let of =
            api.ask(of, input).data()["createAppointmentType"]["appointmentType"]["id"].clone();
        let book = |at: &str, way: &str| {
            let input = json!({"user_id": client, "appointment_type_id": of,
                "contact_type": way, "datetime": at});
            change(&api, "createAppointment", &input);
        };
        book("2031-03-04T15:00:00Z", "Healthie Video Call");
        book("2031-03-04T17:00:00Z", "Phone Call");
        to(&api, "2031-03-04T14:54:00Z");
        assert_eq!(pushed(&api).len(), 3);
        to(&api, "2031-03-04T18:00:00Z");
        let told = pushed(&api);
        assert_eq!(told.len(), 4, "{told:?}");
        assert_eq!(told[3], one("device-1", "appointment_reminder", "delivered"));
        // Who wants none gets none.
        let none = json!({"id": client, "send_push_before_appointment": false,
            "send_message_push": false});
        change(&api, "updateNotificationSetting", &none);
        book("2031-03-05T15:00:00Z", "Healthie Video Call");
        write("The last");
        to(&api, "2031-03-05T18:00:00Z");
        assert_eq!(pushed(&api).len(), 4);
        tell("push", format_args!("{engine:?}: 4 notifications, 1 app gone and forgotten"));
    }
}
