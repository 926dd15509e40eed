//! The record of a Sandbox's requests: how they were answered and why, and what they caused, down
//! to what a receiver wrote because of it.

use ward_tests::program::ward_with;
use ward_tests::{Api, Engine, Json, Kind, Reply, json, people, until};

use crate::practice::Practice;

const NAME: &str = "Zebulon";

/// The record of an answer's request, once what it caused is all there.
fn record(api: &Api, answer: &Reply, is_whole: impl Fn(&Json) -> bool) -> Json {
    let path = format!("/sandbox/v1/requests/{}", answer.header("x-request-id"));
    until("the record is whole", || {
        let found = api.get(&path);
        assert_eq!(found.status, 200, "{}", found.text);
        is_whole(&found.json).then_some(found.json)
    })
}

/// What is of a sort among what something caused.
fn of<'a>(caused: &'a Json, what: &str) -> Vec<&'a Json> {
    let all = caused["caused"].as_array().map(Vec::as_slice).unwrap_or_default();
    all.iter().filter(|it| it["what"] == what).collect()
}

fn event<'a>(record: &'a Json, event_type: &str) -> Option<&'a Json> {
    of(record, "event").into_iter().find(|it| it["event_type"] == event_type)
}

#[test]
fn a_request_is_shown_with_all_that_it_caused() {
    for engine in Engine::available("requests") {
        let practice = Practice::open(engine);
        let api = practice.api();
        let webhook = practice.webhook("/hook", &["patient.created", "patient.updated"]);
        let mut input = people::new_client(NAME);
        input["client"]["dont_send_welcome"] = false.into();
        let made = api.ask(people::CREATE_CLIENT, input);
        let client = made.data()["createClient"]["user"]["id"].clone();
        // The receiver writes because of what it was told.
        let told = practice.receiver.event("/hook", "patient.created");
        let update = format!(
            "mutation {{ updateClient(input: {{id: {client}, legal_name: \"{NAME}\"}}) {{ user {{ id legal_name }} messages {{ message }} }} }}"
        );
        let wrote = practice.api().header("x-causation-id", told.header("webhook-id"));
        let wrote = wrote.ask(&update, json!({}));
        let webhooks = |record: &Json, name: &str| {
            event(record, name).is_some_and(|it| {
                of(it, "webhook").iter().any(|webhook| webhook["state"] == "delivered")
            })
        };
        let whole = record(&api, &made, |record| {
            let sent = |effect: &&Json| effect["message_id"].is_string();
            let later = event(record, "patient.created").map(|it| of(it, "request"));
            webhooks(record, "patient.created")
                && of(record, "effect").iter().any(sent)
                && later.is_some_and(|later| later.iter().any(|it| webhooks(it, "patient.updated")))
        });

        assert_eq!(
            (&whole["operation"], &whole["status"], &whole["code"]),
            (&json!("mutation createClient"), &json!(200), &Json::Null),
        );
        let changed: Vec<_> =
            of(&whole, "change").iter().map(|it| (it["done"].clone(), it["id"].clone())).collect();
        assert!(changed.contains(&(json!("CREATE"), client.clone())), "{whole}");
        let created = event(&whole, "patient.created").unwrap();
        assert_eq!(created["resource_id"], client);
        assert_eq!(created["id"], told.header("webhook-id"));
        let delivered = of(created, "webhook");
        assert_eq!(delivered.len(), 1, "{created}");
        assert_eq!(delivered[0]["webhook_id"], webhook["id"]);
        assert_eq!(delivered[0]["attempts"][0]["status"], "200", "{created}");
        let later = of(created, "request");
        assert_eq!(later.len(), 1, "{created}");
        assert_eq!(later[0]["id"], wrote.header("x-request-id"));
        assert_eq!(later[0]["operation"], "mutation updateClient");

        // Bodies have their shape and ids, and no text that somebody wrote.
        let own = record(&api, &wrote, |_| true);
        assert_eq!(own["caused_by"], told.header("webhook-id"));
        let document = own["document"].as_str().unwrap();
        assert!(document.contains(&format!("{{id: {client}, legal_name: \"…\"}}")), "{document}");
        assert_eq!(own["answer_bytes"], wrote.text.len());
        assert_eq!(whole["permissions_used"], json!(["can_add_clients"]), "{whole}");
        assert_eq!(whole["variables"]["client"]["first_name"], "[text, 7]");
        for shown in [&whole, &own] {
            assert!(!shown.to_string().contains(NAME), "{shown}");
        }

        // The same for people.
        let url = format!("http://127.0.0.1:{}", practice.server.port);
        let variables = [("WARD_URL", url.as_str()), ("WARD_API_KEY", practice.key.as_str())];
        let page = ward_with(["requests", "show", made.header("x-request-id")], &variables).ok();
        let lines: Vec<&str> = page.stdout.lines().map(str::trim).collect();
        assert!(lines[0].starts_with("mutation createClient  200 in "), "{}", page.stdout);
        let webhook = format!("webhook {}: delivered", webhook["id"].as_str().unwrap());
        for branch in
            ["patient.created of", webhook.as_str(), "attempt 1: 200", "account_mail welcome: "]
        {
            assert!(page.stdout.contains(branch), "{branch}: {}", page.stdout);
        }
        let listed =
            ward_with(["requests", "list", "--operation", "updateClient", "--json"], &variables);
        let listed = listed.ok().json();
        assert_eq!(listed["items"].as_array().unwrap().len(), 1, "{listed}");
        assert_eq!(listed["items"][0]["id"], wrote.header("x-request-id"));
    }
}

#[test]
fn a_refusal_says_which_permission_it_wants() {
    let practice = Practice::open(Engine::Sqlite);
    let api = practice.api();
    let asked = api.ask("{ organizationMembers { nodes { id } } }", json!({}));
    let allowed = record(&api, &asked, |_| true);
    assert_eq!(
        (&allowed["operation"], &allowed["errors"]),
        (&json!("query organizationMembers"), &json!([]))
    );

    let limited = practice.instance.member("integration");
    let limited = practice.server.with(&limited);
    let refused = limited.ask(
        "mutation { createWebhook(input: {url: \"https://a.example\"}) { webhook { id } } }",
        json!({}),
    );
    assert_eq!(refused.code(), "PERMISSION_DENIED", "{}", refused.text);
    let shown = record(&api, &refused, |_| true);
    assert_eq!(shown["code"], "PERMISSION_DENIED");
    let permission = &refused.json["errors"][0]["extensions"]["permission"];
    assert!(permission.is_string(), "{}", refused.text);
    assert_eq!(&shown["errors"][0]["permission"], permission);
    assert_eq!(shown["caused"], json!([]));
    let failed = api.get("/sandbox/v1/requests?failed=true").json;
    let failed: Vec<_> =
        failed["items"].as_array().unwrap().iter().map(|it| it["id"].clone()).collect();
    assert_eq!(failed, [refused.header("x-request-id")]);
    // Nobody but those who look after the practice reads them, and of their own only.
    assert_eq!(limited.get("/sandbox/v1/requests").status, 403);
    assert_eq!(practice.server.api().get("/sandbox/v1/requests").status, 401);
    let stranger = practice.server.with(&crate::loops::stranger(&practice.server.api()));
    let path = format!("/sandbox/v1/requests/{}", refused.header("x-request-id"));
    let theirs = stranger.get(&path);
    assert_eq!((theirs.status, theirs.code()), (404, "NOT_FOUND"), "{}", theirs.text);
    assert_eq!(stranger.get("/sandbox/v1/requests?limit=x").status, 400);
}

/// What looks like a real person's is refused, and kept nowhere; nor is what can't be read.
#[test]
fn what_was_refused_for_what_is_in_it_leaves_nothing_of_it() {
    const NUMBER: &str = "536-90-4399";
    let practice = Practice::open(Engine::Sqlite);
    let api = practice.api();
    let mut input = people::new_client("ada");
    input["client"]["legal_name"] = NUMBER.into();
    let real = api.ask(people::CREATE_CLIENT, input);
    assert_eq!(real.code(), "REAL_DATA_IN_SANDBOX", "{}", real.text);
    let broken = api.ask(&format!("{{ user(id: \"a \"{NUMBER}\" b\") {{ id }} }}"), json!({}));
    assert!(broken.json["errors"].is_array(), "{}", broken.text);
    let odd = api.ask("query($id: ID) { user(id: $id) { id } }", json!({"id": {NUMBER: 1}}));
    assert!(odd.json["errors"].is_array(), "{}", odd.text);
    for answer in [&real, &broken, &odd] {
        let shown = record(&api, answer, |_| true);
        assert!(!shown.to_string().contains(NUMBER), "{shown}");
        assert_eq!(shown["caused"], json!([]));
    }
    assert_eq!(record(&api, &real, |_| true)["errors"][0]["code"], "REAL_DATA_IN_SANDBOX");
    assert_eq!(record(&api, &broken, |_| true)["document"], "");
    // What else was wrong is told in Ward's own words, whatever the fields are called.
    let mut input = people::new_client("ada");
    input["client"]["email"] = "no address".into();
    let query = "mutation($client: createClientInput) { messages: createClient(input: $client) { user { messages: first_name } messages { field message } } }";
    let wrong = api.ask(query, input);
    let said = &wrong.json["data"]["messages"]["messages"];
    let shown = record(&api, &wrong, |_| true);
    assert_eq!(shown["problems"][0]["mutation"], "createClient");
    assert_eq!(shown["problems"][0]["message"], said[0]["message"], "{}", wrong.text);
    assert!(!shown.to_string().contains("no address"), "{shown}");
}

/// Two hundred of a key, whatever comes; another key's stay. They survive the server.
#[test]
fn the_last_two_hundred_of_a_key_are_kept() {
    for engine in Engine::available("requests") {
        kept_of_a_key(engine);
    }
}

fn kept_of_a_key(engine: Engine) {
    let mut practice = Practice::open(engine);
    let other = practice.instance.member("provider");
    let first = practice.server.with(&other).ask("{ currentUser { id } }", json!({}));
    let api = practice.api();
    for _ in 0..2 {
        for _ in 0..120 {
            api.ask("{ __typename }", json!({}));
        }
        // What is written and what waits are counted together.
        api.get("/sandbox/v1/requests");
    }
    let kid = practice.key.split('_').nth(3).unwrap()[..8].to_owned();
    let count = |api: &Api, query: &str| {
        let found = api.get(&format!("/sandbox/v1/requests?limit=200{query}")).json;
        found["items"].as_array().unwrap().len()
    };
    assert_eq!(count(&api, &format!("&key={kid}")), 200);
    practice.server.stop();
    practice.server = crate::practice::serve(&practice.instance);
    let api = practice.api();
    assert_eq!(count(&api, &format!("&key={kid}")), 200);
    let path = format!("/sandbox/v1/requests/{}", first.header("x-request-id"));
    assert_eq!(api.get(&path).json["operation"], "query currentUser");
}

/// In Production there is neither a record nor a way to it.
#[test]
fn iso_46_production_records_no_request() {
    let p = ward_tests::Instance::birth(Kind::Production, Engine::Sqlite);
    let owner = p.owner_key();
    let server = p.serve();
    let api = server.with(&owner);
    let asked = api.ask("{ currentUser { id } }", json!({}));
    for path in [
        "/sandbox/v1/requests".to_owned(),
        format!("/sandbox/v1/requests/{}", asked.header("x-request-id")),
    ] {
        let reply = api.get(&path);
        assert_eq!((reply.status, reply.code()), (404, "SANDBOX_ONLY"), "{}", reply.text);
    }
    server.stop();
    assert_eq!(p.database().number("SELECT COUNT(*) FROM request_records"), 0);
}
