//! DOM-31: what leaves by a client's consent to disclosure is what the consent covers, says so, and is
//! accounted for; by a consent that is not good nothing leaves (42 CFR 2.31 to 2.33).

use std::collections::BTreeMap;

use ward_tests::{Api, Engine, Instance, Json, Kind, Reply, Server, json, people, until};

use crate::export::{entries, fetched, note, parsed};

pub const EXPORT: &str = "mutation($id: ID, $by: ID, $later: Boolean) { exportClientEhi(input: {client_id: $id, \
    disclosure_consent_id: $by, should_run_in_job: $later}) { success_string messages { field message } } }";
pub const REVOKE: &str = "mutation($id: ID) { revokeDisclosureConsent(input: {id: $id}) { disclosure_consent { \
    id revoked_at revoked_by { id } } messages { field message } } }";
pub const CONSENTS: &str = "query($id: ID!) { disclosureConsents(user_id: $id) { total_count nodes { id scope \
    recipient purpose signed_on expires_on revoked_at form_answer_group { id } } } }";
pub const NOTICE: &str = "42 CFR part 2 prohibits unauthorized use or disclosure of these records.";

/// What a client has consented to: which records, until when.
pub fn consent(api: &Api, client: &str, scope: &str, until: Option<&str>) -> String {
    let input = json!({"user_id": client, "recipient": "Dr. Ada Bell", "purpose": "Further treatment",
        "scope": scope, "signed_on": "2025-01-02", "expires_on": until});
    let field = "createDisclosureConsent";
    api.make(field, &format!("{field}Input"), "disclosure_consent", input)
}

/// The links of the archives that somebody has of this name.
pub fn links(api: &Api, name: &str) -> Vec<String> {
    let query =
        "{ documents(filter: \"all\", first: 100) { nodes { display_name expiring_url } } }";
    let reply = api.ask(query, json!({}));
    let nodes = reply.data()["documents"]["nodes"].as_array().cloned().unwrap();
    let own = nodes.into_iter().filter(|node| node["display_name"] == name);
    own.map(|node| node["expiring_url"].as_str().unwrap().to_owned()).collect()
}

pub fn titled(client: &str, consent: &str) -> String {
    format!("Records of client {client} by consent {consent}")
}

/// The archive that is made by a consent.
pub fn disclosed(
    server: &Server,
    api: &Api,
    client: &str,
    consent: &str,
) -> BTreeMap<String, Vec<u8>> {
    let made = api.ask(EXPORT, json!({"id": client, "by": consent}));
    assert!(made.data()["exportClientEhi"]["success_string"].is_string(), "{}", made.text);
    let links = links(api, &titled(client, consent));
    assert_eq!(links.len(), 1, "{links:?}");
    entries(&fetched(server, &links[0]))
}

/// Whether any entry of an archive has these words.
pub fn holds(found: &BTreeMap<String, Vec<u8>>, words: &str) -> bool {
    found.values().any(|bytes| String::from_utf8_lossy(bytes).contains(words))
}

/// The one sentence that an export by a consent is refused with.
fn refusal(reply: &Reply) -> String {
    let payload = &reply.json["data"]["exportClientEhi"];
    assert!(payload["success_string"].is_null(), "{}", reply.text);
    assert_eq!(payload["messages"].as_array().unwrap().len(), 1, "{}", reply.text);
    assert_eq!(payload["messages"][0]["field"], "disclosure_consent_id", "{}", reply.text);
    payload["messages"][0]["message"].as_str().unwrap().to_owned()
}

/// Lets a member export.
pub fn granted(owner: &Api, member: &Api) {
    let own = member.ask("{ organizationMembership { id } }", json!({}));
    let id = &own.data()["organizationMembership"]["id"];
    let grant = "mutation($input: updateOrganizationMembershipInput) { updateOrganizationMembership(input: $input) { messages { field message } } }";
    owner.ask(grant, json!({"input": {"id": id, "can_view_reports": true}})).data();
}

/// A client with a note of each sort, and a PDF of the one that is under 42 CFR part 2.
fn confiding(api: &Api) -> String {
    let client = people::client(api, "confiding");
    note(api, &client, "NORMAL", "Wellness");
    let sober = note(api, &client, "PART_2", "Sobriety");
    note(api, &client, "COUNSELLING_NOTES", "Whispered");
    let paper = json!({"form_answer_group_id": sober, "name": "Sober paper"});
    let field = "shareAnswersAsDocument";
    api.make(field, &format!("{field}Input"), "document", paper);
    client
}

#[test]
fn dom_31_an_export_by_consent_holds_what_it_covers() {
    for engine in Engine::available("DOM-31") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let owner = s.owner_key();
        let server = s.serve();
        let api = server.with(&owner);
        let client = confiding(&api);
        for (scope, words) in [
            ("ALL_RECORDS", ["Wellness", "Sobriety", "Sober paper"].as_slice()),
            ("WITHOUT_PART_2", ["Wellness"].as_slice()),
            ("COUNSELLING_NOTES", ["Whispered"].as_slice()),
        ] {
            let by = consent(&api, &client, scope, None);
            let found = disclosed(&server, &api, &client, &by);
            for word in ["Wellness", "Sobriety", "Sober paper", "Whispered"] {
                assert_eq!(holds(&found, word), words.contains(&word), "{scope}: {word}");
            }
            // Not so much as that there is something else.
            assert!(!holds(&found, "not in this archive"), "{scope}");
            assert_eq!(holds(&found, NOTICE), scope != "WITHOUT_PART_2", "{scope}");
            assert_eq!(holds(&found, "42CFRPart2\""), scope == "ALL_RECORDS", "{scope}");
            let others = found.contains_key("data/disclosure_consents.json");
            assert!(!others, "{scope}: to whom else is nothing to whoever receives this");
            let manifest = parsed(&found, "manifest.json");
            assert!(manifest.get("counselling_notes_left_out").is_none(), "{manifest}");
            let said = &manifest["consent"];
            assert_eq!(said["id"], by.as_str(), "{manifest}");
            assert_eq!(said["scope"], scope, "{manifest}");
            assert_eq!(said["recipient"], "Dr. Ada Bell", "{manifest}");
            for name in ["README.md", "index.html", "manifest.json"] {
                let text = String::from_utf8_lossy(&found[name]).into_owned();
                for word in ["Dr. Ada Bell", "Further treatment", "2025-01-02"] {
                    assert!(text.contains(word), "{scope} {name}: {word}");
                }
            }
            let notes = parsed(&found, "data/form_answer_groups.json");
            let count = notes["rows"].as_array().unwrap().len();
            assert_eq!(count, if scope == "ALL_RECORDS" { 2 } else { 1 }, "{scope}");
            if scope == "COUNSELLING_NOTES" {
                let client = parsed(&found, "data/users.json");
                assert!(client["rows"][0]["first_name"].is_string(), "{client}");
                assert!(client["rows"][0]["email"].is_null(), "{client}");
                assert!(!found.contains_key("data/documents.json"));
            }
        }
        // For the client themselves it is as it was, with what they have consented to.
        api.ask(EXPORT, json!({"id": client})).data();
        let own = links(&api, &format!("Export of client {client}"));
        let found = entries(&fetched(&server, &own[0]));
        assert!(holds(&found, "Sobriety") && holds(&found, "Sober paper"));
        assert!(!holds(&found, "Whispered") && holds(&found, "not in this archive: 1."));
        let rows = parsed(&found, "data/disclosure_consents.json");
        assert_eq!(rows["rows"].as_array().unwrap().len(), 3, "{rows}");
        assert_eq!(rows["rows"][0]["recipient"], "Dr. Ada Bell", "{rows}");
        accounted(&api, &client);
        drop(server);
        assert!(s.verify_audit().0);
    }
}

/// Each archive that was made by a consent is in the log of its client, with the consent.
fn accounted(api: &Api, client: &str) {
    let log = "query($id: ID) { auditLog(resource_name: USER, resource_id: $id, first: 50) { nodes { \
        type resource_changes { field value_after_change } } } }";
    let reply = api.ask(log, json!({"id": client}));
    let entries = reply.data()["auditLog"]["nodes"].as_array().cloned().unwrap();
    let changes = entries.iter().flat_map(|it| it["resource_changes"].as_array().unwrap());
    let named: Vec<&str> = changes
        .filter(|change| change["field"] == "disclosed_by_consent")
        .map(|change| change["value_after_change"].as_str().unwrap())
        .collect();
    let listed = api.ask(CONSENTS, json!({"id": client}));
    let consents = listed.data()["disclosureConsents"]["nodes"].as_array().cloned().unwrap();
    assert_eq!(named.len(), consents.len(), "{}", reply.text);
    for consent in consents {
        assert!(named.contains(&consent["id"].as_str().unwrap()), "{}", reply.text);
    }
}

/// Nothing is made, nor asked for, by a consent that is not good, or not the client's.
#[test]
fn dom_31_by_a_consent_that_is_not_good_nothing_leaves() {
    for engine in Engine::available("DOM-31") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let (owner, colleague) = (s.owner_key(), s.member("administrator"));
        let server = s.serve();
        let (api, colleague) = (server.with(&owner), server.with(&colleague));
        granted(&api, &colleague);
        let client = confiding(&api);
        let other = people::client(&api, "other");
        let others = consent(&api, &other, "ALL_RECORDS", None);
        let revoked = consent(&api, &client, "ALL_RECORDS", None);
        api.ask(REVOKE, json!({"id": revoked})).data();
        let again = api.ask(REVOKE, json!({"id": revoked}));
        let kept = &again.data()["revokeDisclosureConsent"]["disclosure_consent"];
        assert!(kept["revoked_at"].is_string() && kept["revoked_by"]["id"].is_string(), "{kept}");
        // Good for two days yet, wherever the client lives.
        let day = jiff::Timestamp::now().to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
        let last = day.tomorrow().unwrap().tomorrow().unwrap().to_string();
        let over = consent(&api, &client, "ALL_RECORDS", Some(&last));
        disclosed(&server, &api, &client, &over);
        let moved = api.post("/sandbox/v1/clock/advance", &json!({"by": "5d"}));
        assert_eq!(moved.status, 200, "{}", moved.text);
        let apart = consent(&api, &client, "COUNSELLING_NOTES", None);
        for later in [false, true] {
            let asked = |api: &Api, by: &str| {
                refusal(&api.ask(EXPORT, json!({"id": client, "by": by, "later": later})))
            };
            assert!(asked(&api, &revoked).contains("was revoked"));
            assert!(asked(&api, &over).contains("has expired"));
            assert!(asked(&api, &others).contains("another client's"));
            // A blank one is not none: it would hold more than was consented to.
            for nobodys in ["", " ", client.as_str()] {
                assert_eq!(asked(&api, nobodys), "Object not found");
            }
            // Their author alone passes them on.
            assert!(asked(&colleague, &apart).contains("you wrote"));
        }
        let jobs = "SELECT COUNT(*) FROM jobs WHERE kind LIKE 'export_client%'";
        assert_eq!(s.database().number(jobs), 0);
        assert!(links(&api, &titled(&client, &revoked)).is_empty());
        assert!(links(&colleague, &titled(&client, &apart)).is_empty());
    }
}

/// A consent that is revoked between asking and making: the job looks again, makes nothing, and says why.
#[test]
fn dom_31_a_job_looks_again_at_its_consent() {
    for engine in Engine::available("DOM-31") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let owner = s.owner_key();
        let server = s.serve();
        let api = server.with(&owner);
        let client = confiding(&api);
        let by = consent(&api, &client, "WITHOUT_PART_2", None);
        api.ask(EXPORT, json!({"id": client, "by": by, "later": true})).data();
        let title = titled(&client, &by);
        let link = until("the job's archive", || links(&api, &title).into_iter().next());
        let found = entries(&fetched(&server, &link));
        assert!(holds(&found, "Wellness") && !holds(&found, "Sobriety"));
        let done =
            "SELECT COUNT(*) FROM jobs WHERE kind = 'export_client_by_consent' AND state = 'done'";
        until("the end of the job", || (s.database().number(done) == 1).then_some(()));
        api.ask(REVOKE, json!({"id": by})).data();
        server.stop();
        // As if it had not been begun yet.
        s.database().execute(
            "UPDATE jobs SET state = 'ready', attempts = 0, lease_token = NULL, lease_until = NULL \
             WHERE kind = 'export_client_by_consent'",
        );
        let server = s.serve();
        let api = server.with(&owner);
        let dead = "SELECT COUNT(*) FROM jobs WHERE kind = 'export_client_by_consent' AND state = 'dead' \
            AND last_error LIKE '%consent was revoked%'";
        until("the job to be given up", || (s.database().number(dead) == 1).then_some(()));
        assert!(links(&api, &title).is_empty(), "what was made before goes with the consent");
    }
}

/// Clients see what they have consented to, and revoke it; recording it is the practice's to do.
#[test]
fn dom_31_a_client_revokes_their_own_consent() {
    const PASSWORD: &str = "copper-lantern-41-meadow";
    let s = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let owner = s.owner_key();
    let server = s.serve();
    let api = server.with(&owner);
    let [client, other] = ["consenting", "silent"].map(|name| people::client(&api, name));
    let [own, others] = [&client, &other].map(|id| consent(&api, id, "ALL_RECORDS", None));
    let enter = "mutation($id: ID, $password: String) { updateClient(input: {id: $id, password: $password}) { messages { field message } } }";
    api.ask(enter, json!({"id": client, "password": PASSWORD})).data();
    let input = json!({"email": "consenting@client.example", "password": PASSWORD});
    let signed = people::sign_in(&server.api(), input);
    let token = signed.data()["signIn"]["token"].as_str().unwrap().to_owned();
    let theirs = server.with(&token);
    let count = |id: &str| {
        theirs.ask(CONSENTS, json!({"id": id})).data()["disclosureConsents"]["total_count"].clone()
    };
    assert_eq!((count(&client), count(&other)), (json!(1), json!(0)));
    let one = "query($id: ID!) { disclosureConsent(id: $id) { recipient revoked_at } }";
    let seen = theirs.ask(one, json!({"id": own}));
    assert_eq!(seen.data()["disclosureConsent"]["recipient"], "Dr. Ada Bell", "{}", seen.text);
    let hidden = theirs.ask(one, json!({"id": others}));
    assert!(hidden.data()["disclosureConsent"].is_null(), "{}", hidden.text);
    let refused = theirs.ask(REVOKE, json!({"id": others}));
    let said = &refused.json["data"]["revokeDisclosureConsent"]["messages"][0];
    assert_eq!(said["field"], "id", "{}", refused.text);
    disclosed(&server, &api, &client, &own);
    theirs.ask(REVOKE, json!({"id": own})).data();
    assert!(links(&api, &titled(&client, &own)).is_empty(), "the practice's archive goes with it");
    let gone = api.ask(EXPORT, json!({"id": client, "by": own}));
    assert!(refusal(&gone).contains("was revoked"));
    let create: Json = json!({"input": {"user_id": client, "recipient": "Myself", "purpose": "Mine",
        "scope": "ALL_RECORDS", "signed_on": "2025-01-02"}});
    let mutation = "mutation($input: createDisclosureConsentInput) { createDisclosureConsent(input: $input) { disclosure_consent { id } messages { field message } } }";
    assert_eq!(theirs.ask(mutation, create.clone()).code(), "PERMISSION_DENIED");
    // What is not whole is refused, each with its field.
    let empty = api.ask(mutation, json!({"input": {"user_id": client}}));
    let problems = &empty.json["data"]["createDisclosureConsent"]["messages"];
    let fields: Vec<&str> =
        problems.as_array().unwrap().iter().map(|it| it["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["recipient", "purpose", "scope", "signed_on"], "{}", empty.text);
    // The form is one of the client's.
    let mut with_form = create;
    with_form["input"]["form_answer_group_id"] = note(&api, &other, "NORMAL", "Signed").into();
    let foreign = api.ask(mutation, with_form.clone());
    let said = &foreign.json["data"]["createDisclosureConsent"]["messages"][0];
    assert_eq!(said["field"], "form_answer_group_id", "{}", foreign.text);
    let apart = note(&api, &client, "COUNSELLING_NOTES", "Signed");
    with_form["input"]["form_answer_group_id"] = apart.into();
    let refused = api.ask(mutation, with_form.clone());
    let said = &refused.json["data"]["createDisclosureConsent"]["messages"][0];
    assert_eq!(said["field"], "form_answer_group_id", "{}", refused.text);
    let form = note(&api, &client, "NORMAL", "Signed");
    with_form["input"]["form_answer_group_id"] = form.clone().into();
    api.ask(mutation, with_form).data();
    let listed = api.ask(CONSENTS, json!({"id": client}));
    let nodes = listed.data()["disclosureConsents"]["nodes"].as_array().cloned().unwrap();
    assert!(nodes.iter().any(|it| it["form_answer_group"]["id"] == form.as_str()), "{nodes:?}");
}
