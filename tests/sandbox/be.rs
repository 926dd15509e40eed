//! "Be this person": a session as somebody else, for who looks after the Sandbox, marked in the
//! audit log.

use ward_tests::people::{client, current_user};
use ward_tests::{Api, Engine, Instance, Json, Kind, code, json, ward};

use crate::running::Running;

const PEOPLE: &str = "{ organizationMembers(first: 20) { nodes { id email } } users(first: 5) { nodes { id email } } }";
const WHO: &str = "{ currentUser { id is_patient } }";

fn be(api: &Api, user: &Json) -> (u16, Json) {
    let reply = api.post("/sandbox/v1/be", &json!({"user": user}));
    (reply.status, reply.json)
}

/// The `id` of whom a session's token opens the API as.
fn opens(running: &Running, token: &Json) -> Json {
    let reply = Api::at(running.port(), token.as_str()).ask(WHO, json!({}));
    reply.data()["currentUser"].clone()
}

#[test]
fn the_owner_is_any_client_or_member_and_the_audit_log_says_so() {
    let running = Running::start(&[], ":");
    let owner = running.owner();
    let people = owner.ask(PEOPLE, json!({})).data().clone();
    let client = &people["users"]["nodes"][0];
    let me = owner.ask(WHO, json!({})).data()["currentUser"]["id"].clone();
    let provider = people["organizationMembers"]["nodes"].as_array().unwrap();
    let provider = provider.iter().find(|it| it["id"] != me && it["email"].is_string()).unwrap();
    for (person, is_patient) in [(client, true), (provider, false)] {
        for named in [&person["id"], &person["email"]] {
            let (status, answer) = be(&owner, named);
            assert_eq!(status, 200, "{answer}");
            assert_eq!(answer["user"]["id"], person["id"]);
            let own = opens(&running, &answer["token"]);
            assert_eq!(own, json!({"id": person["id"], "is_patient": is_patient}));
        }
        let audit = "query($id: ID) { auditLog(resource_id: $id, resource_name: USER) { nodes { acting_user { id } resource_changes { field value_after_change } } } }";
        let log = owner.ask(audit, json!({"id": person["id"]}));
        let entries = log.data()["auditLog"]["nodes"].as_array().unwrap();
        let marked = entries.iter().filter(|entry| {
            let change = json!({"field": "impersonated_by", "value_after_change": me});
            entry["acting_user"]["id"] == me
                && entry["resource_changes"].as_array().unwrap().contains(&change)
        });
        assert_eq!(marked.count(), 2, "{log:?}");
    }
    // On the command line.
    let there = ["--url", &running.variables["WARD_URL"], "--json"];
    let key = ("WARD_API_KEY", running.variables["WARD_API_KEY"].as_str());
    let words = ["sandbox", "be", client["email"].as_str().unwrap()];
    let said = ward_tests::program::ward_with(words.iter().chain(&there), &[key]).json();
    assert_eq!(opens(&running, &said["token"])["id"], client["id"]);
    let described = owner.get("/sandbox/v1/openapi.json").json;
    assert!(described["paths"]["/sandbox/v1/be"]["post"]["summary"].is_string(), "{described}");
    running.go_on("exit 0").ok();
    assert_eq!(ward(["sandbox", "be"]).code, Some(2));
}

#[test]
fn nobody_else_is_anybody_and_nobody_is_somebody_elsewhere() {
    let running = Running::start(&[], ":");
    let (owner, visitor) = (running.owner(), running.owner().nobody());
    let people = owner.ask(PEOPLE, json!({})).data().clone();
    let client = &people["users"]["nodes"][0];
    assert_eq!(be(&visitor, &client["id"]).0, 401);
    assert_eq!(be(&running.integration(), &client["id"]).0, 403);
    let (_, answer) = be(&owner, &client["id"]);
    let as_client = Api::at(running.port(), answer["token"].as_str());
    let (status, refused) = be(&as_client, &people["organizationMembers"]["nodes"][0]["id"]);
    assert!(status == 401 && code(&refused) == "UNAUTHENTICATED", "{refused}");

    // Another organization's owner, of their own people only.
    let sign_up = "mutation { signUp(input: {role: \"dietitian\", email: \"new@practice.example\", password: \"correct horse battery 9\", first_name: \"Nell\", last_name: \"New\", legal_name: \"New Practice\"}) { user { id } messages { message } } }";
    let new = visitor.ask(sign_up, json!({})).data()["signUp"]["user"]["id"].clone();
    let sign_in = "mutation { signIn(input: {email: \"new@practice.example\", password: \"correct horse battery 9\", generate_api_token: true}) { api_key messages { message } } }";
    let token = visitor.ask(sign_in, json!({})).data()["signIn"]["api_key"].clone();
    let stranger = Api::at(running.port(), token.as_str());
    // Oneself is nobody else: it would renew one's own session.
    assert_eq!(be(&stranger, &new).0, 409);
    let unknown = be(&stranger, &json!("2000999999"));
    for theirs in
        [&client["id"], &client["email"], &people["organizationMembers"]["nodes"][0]["id"]]
    {
        assert_eq!(be(&stranger, theirs), unknown, "as if there were none");
    }
    assert_eq!((unknown.0, code(&unknown.1)), (409, "BE_REFUSED"));
    assert_eq!(be(&owner, &new), unknown);
    assert_eq!(be(&owner, &json!("nobody@example.com")), unknown);

    // Programs have no session.
    let who = running.integration().ask(WHO, json!({})).data()["currentUser"]["id"].clone();
    assert_eq!(be(&owner, &who).0, 409);
    for wrong in [json!(null), json!(5), json!({"a": "b"})] {
        assert_eq!(be(&owner, &wrong).0, 400, "{wrong}");
    }
    running.go_on("exit 0").ok();
}

#[test]
fn nobody_gets_stronger_by_it() {
    let s = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let (owner, admin, provider) = (s.owner_key(), s.member("admin"), s.member("provider"));
    let server = s.serve();
    let [owner, admin, provider] = [owner, admin, provider].map(|key| server.with(&key));
    let theirs = client(&provider, "theirs");
    let ids = [&owner, &admin, &provider].map(|api| json!(current_user(api)));
    assert_eq!(be(&admin, &ids[0]).0, 409, "the owner");
    assert_eq!(be(&provider, &ids[1]).0, 403, "who may not at all");
    let (status, answer) = be(&owner, &ids[2]);
    assert_eq!(status, 200, "{answer}");
    // The session sees and does, and is never fresh: no key, no password comes of it.
    let token = answer["token"].as_str().unwrap();
    let as_provider = Api::at(server.port, Some(token));
    let seen = as_provider.ask("{ users(first: 5) { nodes { id } } }", json!({}));
    assert_eq!(seen.data()["users"]["nodes"], json!([{"id": theirs}]));
    let key = "mutation($id: ID) { createApiKey(input: {user_id: $id, name: \"kept\"}) \
        { api_key messages { message } } }";
    let reply = as_provider.ask(key, json!({"id": ids[2]}));
    assert!(reply.json["data"]["createApiKey"]["api_key"].is_null(), "{}", reply.text);
    let sign_in = "mutation($t: String) { signIn(input: {token: $t, generate_api_token: true}) \
        { api_key messages { message } } }";
    let reply = server.api().ask(sign_in, json!({"t": token}));
    assert!(reply.json["data"]["signIn"]["api_key"].is_null(), "{}", reply.text);
    let keys = s.database().number("SELECT COUNT(*) FROM api_keys WHERE name = 'kept'");
    assert_eq!(keys, 0);
    // A key with an end opens no session without one.
    let bound = "mutation($id: ID) { createApiKey(input: {user_id: $id, name: \"bound\", expires_at: \"2036-01-01T00:00:00Z\"}) \
        { api_key messages { message } } }";
    let made = owner.ask(bound, json!({"id": ids[0]})).data()["createApiKey"]["api_key"].clone();
    let bound = server.with(made.as_str().unwrap());
    let (status, refused) = be(&bound, &ids[2]);
    assert!(status == 409 && code(&refused) == "BE_REFUSED", "{refused}");
}
