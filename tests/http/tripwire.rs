//! What looks like a real person's data is refused by a Sandbox, before anything is stored.

use ward_tests::people::{CREATE_CLIENT, new_client};
use ward_tests::{Engine, Instance, Json, Kind, json, people, tell};

const UPDATE_CLIENT: &str = "mutation($input: updateClientInput!) { updateClient(input: $input) \
    { user { id } messages { field message } } }";

fn with(name: &str, more: &Json) -> Json {
    let mut variables = new_client(name);
    for (field, value) in more.as_object().unwrap() {
        variables["client"][field] = value.clone();
    }
    variables
}

#[test]
fn iso_33_real_numbers_are_refused_and_not_kept() {
    for engine in Engine::available("tripwire") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let owner = s.owner_key();
        let server = s.serve();
        let api = server.with(&owner);
        let before = s.settled_dump();
        let cases = [
            (json!({"ssn": "536-90-4399"}), "input.ssn", "536-90-4399"),
            (json!({"ssn": "536904399"}), "input.ssn", "536904399"),
            (json!({"last_name": "card 4539 5787 6362 1486"}), "input.last_name", "4539 5787"),
            (json!({"metadata": "{\"mbi\": \"2AC7-DF4-GH81\"}"}), "input.metadata", "2AC7-DF4"),
        ];
        for (more, place, secret) in &cases {
            let reply = api.ask(CREATE_CLIENT, with("real", more));
            assert_eq!(
                (reply.status, reply.code()),
                (200, "REAL_DATA_IN_SANDBOX"),
                "{}",
                reply.text
            );
            let payload = &reply.json["data"]["createClient"];
            assert!(payload["user"].is_null(), "{}", reply.text);
            let field = place.rsplit('.').next().unwrap();
            assert_eq!(payload["messages"][0]["field"], field, "{}", reply.text);
            let error = &reply.json["errors"][0];
            assert_eq!(&error["extensions"]["argument"], place, "{}", reply.text);
            assert!(error["message"].as_str().unwrap().starts_with(place), "{}", reply.text);
            assert!(!reply.text.contains(secret), "{}", reply.text);
            assert!(!server.logs().contains(secret), "the log repeats it");
        }
        let inline = "mutation { createClient(input: {first_name: \"A\", last_name: \"B\", \
            email: \"a@client.example\", ssn: \"536-90-4399\"}) { user { id } } }";
        assert_eq!(api.ask(inline, json!({})).code(), "REAL_DATA_IN_SANDBOX");
        // Whoever asks, and where no credential is needed, too.
        let stranger = "mutation($m: String) { completeCheckout(input: {first_name: $m}) { messages { message } } }";
        let reply = api.nobody().ask(stranger, json!({"m": "536-90-4399"}));
        assert_eq!(reply.code(), "REAL_DATA_IN_SANDBOX", "{}", reply.text);
        s.settled_dump().assert_unchanged_since(&before, "what was refused");
        // Known made-up ones, and numbers that are never issued, are what a Sandbox is for.
        for (name, ssn) in [("known", "123-45-6789"), ("never", "900-12-3456")] {
            api.ask(CREATE_CLIENT, with(name, &json!({"ssn": ssn}))).data();
        }
        let told =
            json!({"class": "sms", "to": "555-0100", "text": "your card 4539 5787 6362 1486"});
        let reply = api.post("/sandbox/v1/effects", &told);
        assert_eq!(reply.code(), "REAL_DATA_IN_SANDBOX", "{}", reply.text);
        // What is looked for is stored nowhere.
        let search = "{ users(keywords: \"536-90-4399\") { nodes { id } } }";
        assert_eq!(api.ask(search, json!({})).status, 200);
        assert!(s.await_refusal("REAL_DATA_IN_SANDBOX") >= 1);
        assert!(!s.logical_dump().contains("536904399"));
        tell("ISO-33", format_args!("{} of {} refused", cases.len() + 2, cases.len() + 2));
        server.stop();
    }
}

#[test]
fn what_is_probable_is_noted_or_refused_as_the_operator_says() {
    let s = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let owner = s.owner_key();
    let jane = json!({"email": "jane.doe@gmail.com", "dob": "1961-03-14",
        "location": {"line1": "12 Elm Street", "city": "Springfield", "state": "IL", "zip": "62701"}});
    let phone = json!({"phone_number": "415-867-5309"});
    let server = s.serve();
    let id = people::client(&server.with(&owner), "jane");
    let update = |more: &Json| {
        let mut input = more.clone();
        input["id"] = id.clone().into();
        json!({"input": input})
    };
    server.with(&owner).ask(UPDATE_CLIENT, update(&jane)).data();
    server.with(&owner).ask(UPDATE_CLIENT, update(&phone)).data();
    assert!(s.await_refusal("PROBABLY_REAL_DATA") >= 1);
    server.stop();
    let file = s.dir.join("ward.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("tripwire_strict = true\n{text}")).unwrap();
    let server = s.serve();
    let api = server.with(&owner);
    for (more, place) in [(&jane, "input"), (&phone, "input.phone_number")] {
        let reply = api.ask(UPDATE_CLIENT, update(more));
        assert_eq!(reply.code(), "REAL_DATA_IN_SANDBOX", "{}", reply.text);
        assert_eq!(reply.json["errors"][0]["extensions"]["argument"], place, "{}", reply.text);
    }
    // What is only possible is taken even then.
    let possible = json!({"legal_name": "Ada, MRN 00482913"});
    api.ask(CREATE_CLIENT, with("possible", &possible)).data();
    assert!(s.await_refusal("POSSIBLY_REAL_DATA") >= 1);
    assert_eq!(people::client_ids(&api).len(), 2);
}

#[test]
fn production_is_for_real_people() {
    let p = Instance::birth(Kind::Production, Engine::Sqlite);
    let owner = p.owner_key();
    let server = p.serve();
    let reply =
        server.with(&owner).ask(CREATE_CLIENT, with("real", &json!({"ssn": "536-90-4399"})));
    reply.data();
    server.stop();
    let file = p.dir.join("ward.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("tripwire_strict = true\n{text}")).unwrap();
    let refused = p.refused_start(&[]);
    assert!(refused.stderr.contains("tripwire_strict"), "{refused:?}");
}
