//! DOM-31: what hangs on a note that a consent does not cover, or tells of it, stays where the note stays;
//! a consent that is revoked takes its archives with it; and consents are for those who see the client.

use std::collections::BTreeMap;

use ward_tests::{Api, Engine, Instance, Json, Kind, json, people};

use crate::consents::{
    CONSENTS, EXPORT, NOTICE, REVOKE, consent, disclosed, granted, holds, links, titled,
};
use crate::export::{entries, fetched, note, parsed};
use crate::population::branch;

const ONE: &str = "query($id: ID!) { disclosureConsent(id: $id) { id revoked_at } }";
const CREATE: &str = "mutation($input: createDisclosureConsentInput) { createDisclosureConsent(input: $input) { \
    disclosure_consent { id } messages { field message } } }";
const LOG: &str = "query($id: ID) { auditLog(resource_name: USER, resource_id: $id, first: 50) { nodes { \
    resource_changes { field value_after_change } } } }";

/// How often the client's log tells of a change by this name.
fn told(api: &Api, client: &str, name: &str) -> usize {
    let reply = api.ask(LOG, json!({"id": client}));
    let nodes = reply.data()["auditLog"]["nodes"].as_array().cloned().unwrap();
    let changes = nodes.iter().flat_map(|it| it["resource_changes"].as_array().unwrap());
    changes.filter(|change| change["field"] == name).count()
}

/// A note in which a weight is answered, and what somebody says of the metric that was made of it.
fn weighed(s: &Instance, api: &Api, client: &str, note: [&str; 3]) {
    let [confidentiality, weight, said] = note;
    let form =
        json!({"name": "Weighing", "use_for_charting": true, "confidentiality": confidentiality});
    let made = "customModuleForm";
    let form = api.make("createCustomModuleForm", "createCustomModuleFormInput", made, form);
    let question = json!({"custom_module_form_id": form, "mod_type": "Weight", "label": "Weight"});
    let of = "createCustomModuleInput";
    let question = api.make("createCustomModule", of, "customModule", question);
    let input = json!({"custom_module_form_id": form, "user_id": client, "finished": true,
        "form_answers": [{"custom_module_id": question, "answer": weight}]});
    let of = "createFormAnswerGroupInput";
    let note = api.make("createFormAnswerGroup", of, "form_answer_group", input);
    let made = format!(
        "FROM entries e JOIN form_answers a ON a.id = e.form_answer_id \
         WHERE a.form_answer_group_id = {note}"
    );
    if confidentiality == "COUNSELLING_NOTES" {
        // It is its author's alone, and so is what is answered in it.
        assert_eq!(s.database().number(&format!("SELECT COUNT(*) {made}")), 0);
        return;
    }
    let entry = s.database().one(&format!("SELECT e.id {made}"));
    let comment = json!({"entry_id": entry, "content": said});
    api.make("createComment", "createCommentInput!", "comment", comment);
}

/// A metric that was made of an answer is as confidential as its note, and so is what is said of it.
#[test]
fn dom_31_metrics_stay_where_their_answers_stay() {
    const NOTES: [[&str; 3]; 3] = [
        ["NORMAL", "171.125", "Said in the open"],
        ["PART_2", "172.125", "Said of sobriety"],
        ["COUNSELLING_NOTES", "173.125", "Said in a whisper"],
    ];
    for engine in Engine::available("DOM-31") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let owner = s.owner_key();
        let server = s.serve();
        let api = server.with(&owner);
        let client = people::client(&api, "weighed");
        for note in NOTES {
            weighed(&s, &api, &client, note);
        }
        api.ask(EXPORT, json!({"id": client})).data();
        let own = links(&api, &format!("Export of client {client}"));
        let mut archives = vec![("", entries(&fetched(&server, &own[0])))];
        for scope in ["ALL_RECORDS", "WITHOUT_PART_2", "COUNSELLING_NOTES"] {
            let by = consent(&api, &client, scope, None);
            archives.push((scope, disclosed(&server, &api, &client, &by)));
        }
        for (scope, found) in archives {
            for [confidentiality, weight, said] in NOTES {
                let (is_weight_in, is_said_in) = match (scope, confidentiality) {
                    // The note itself, of which the answer is.
                    ("COUNSELLING_NOTES", it) => (it == "COUNSELLING_NOTES", false),
                    (_, "COUNSELLING_NOTES") | ("WITHOUT_PART_2", "PART_2") => (false, false),
                    _ => (true, true),
                };
                assert_eq!(holds(&found, weight), is_weight_in, "{scope:?}: {confidentiality}");
                assert_eq!(holds(&found, said), is_said_in, "{scope:?}: {confidentiality}");
            }
        }
    }
}

/// A form of this name for clients, with a question that may stay open; its id.
fn intake(api: &Api, name: &str, confidentiality: &str) -> String {
    let input = json!({"name": name, "confidentiality": confidentiality});
    let form = api.make(
        "createCustomModuleForm",
        "createCustomModuleFormInput",
        "customModuleForm",
        input,
    );
    let question = json!({"custom_module_form_id": form, "mod_type": "text", "label": "Anything?"});
    api.make("createCustomModule", "createCustomModuleInput", "customModule", question);
    form
}

/// A client who was asked for both forms, and skipped a step that asked for the first one then and asks
/// for the second one now.
fn asked(api: &Api, forms: [&str; 2]) -> String {
    let client = people::client(api, "asked");
    let group = api.make("createGroup", "createGroupInput", "user_group", json!({"name": "Asked"}));
    let joined = json!({"id": client, "user_group_id": group});
    api.make("updateClient", "updateClientInput!", "user", joined);
    for form in forms {
        let field = "createRequestedFormCompletion";
        let input = json!({"form": form, "recipient_id": client, "skip_notification_email": true});
        api.make(field, "createRequestedFormInput", "requestedFormCompletion", input);
    }
    let flow = json!({"name": "Arrival", "groups_to_use_onboarding_flow": group});
    let flow =
        api.make("createOnboardingFlow", "createOnboardingFlowInput", "onboardingFlow", flow);
    let step = json!({"onboarding_flow_id": flow, "item_type": "custom_module_form",
        "item_id": forms[0], "is_skippable": true});
    let step =
        api.make("createOnboardingItem", "createOnboardingItemInput", "onboardingItem", step);
    let field = "createCompletedOnboardingItem";
    let skipped = json!({"onboarding_item_id": step, "user_id": client, "skipped": true});
    api.make(field, &format!("{field}Input"), "completed_onboarding_item", skipped);
    let now = json!({"id": step, "item_type": "custom_module_form", "item_id": forms[1]});
    api.make("updateOnboardingItem", "updateOnboardingItemInput", "onboardingItem", now);
    client
}

/// Titles of the histories that an archive has.
fn titles(found: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    let rows = parsed(found, "data/form_histories.json")["rows"].as_array().cloned().unwrap();
    rows.iter().map(|row| row["title"].as_str().unwrap().to_owned()).collect()
}

/// The history of requests and steps has titles of forms as they were: none of one that is left out.
#[test]
fn dom_31_no_history_tells_of_a_form_that_is_left_out() {
    for engine in Engine::available("DOM-31") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let owner = s.owner_key();
        let server = s.serve();
        let api = server.with(&owner);
        let sober = intake(&api, "Sobriety intake", "PART_2");
        let calm = intake(&api, "Calm intake", "NORMAL");
        let client = asked(&api, [&sober, &calm]);
        let all = consent(&api, &client, "ALL_RECORDS", None);
        let found = titles(&disclosed(&server, &api, &client, &all));
        let of_sober = found.iter().filter(|it| *it == "Sobriety intake").count();
        assert_eq!(of_sober, 2, "a request and a step: {found:?}");
        let without = consent(&api, &client, "WITHOUT_PART_2", None);
        let archive = disclosed(&server, &api, &client, &without);
        assert!(!holds(&archive, "Sobriety intake"));
        assert_eq!(titles(&archive), ["Calm intake"]);
        // Of a plain note of a form that is marked since, the mark is not told.
        let plain = json!({"custom_module_form_id": calm, "user_id": client, "finished": true});
        let of = "createFormAnswerGroupInput";
        api.make("createFormAnswerGroup", of, "form_answer_group", plain);
        let marked = json!({"id": calm, "confidentiality": "PART_2"});
        let of = "updateCustomModuleFormInput";
        api.make("updateCustomModuleForm", of, "customModuleForm", marked);
        let without = consent(&api, &client, "WITHOUT_PART_2", None);
        let archive = disclosed(&server, &api, &client, &without);
        let forms = parsed(&archive, "data/custom_module_forms.json");
        assert_eq!(forms["rows"][0]["id"], calm.as_str(), "{forms}");
        assert!(forms["rows"][0]["confidentiality"].is_null(), "{forms}");
    }
}

/// Records under part 2 that are in on paper alone, since their note was deleted, are as confidential.
#[test]
fn dom_31_a_pdf_alone_has_the_notice_of_part_2() {
    let s = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let owner = s.owner_key();
    let server = s.serve();
    let api = server.with(&owner);
    let client = people::client(&api, "onpaper");
    let sober = note(&api, &client, "PART_2", "Sobriety");
    let field = "shareAnswersAsDocument";
    let paper = json!({"form_answer_group_id": sober, "name": "Sober paper"});
    api.make(field, &format!("{field}Input"), "document", paper);
    let delete = "mutation($id: ID) { deleteFormAnswerGroup(input: {id: $id}) { messages { field message } } }";
    api.ask(delete, json!({"id": sober})).data();
    for (scope, is_in) in [("ALL_RECORDS", true), ("WITHOUT_PART_2", false)] {
        let by = consent(&api, &client, scope, None);
        let found = disclosed(&server, &api, &client, &by);
        assert_eq!(holds(&found, "Sober paper"), is_in, "{scope}");
        let readme = String::from_utf8_lossy(&found["README.md"]).into_owned();
        assert_eq!(readme.contains(NOTICE), is_in, "{scope}");
        let bundle = parsed(&found, "bundle.json");
        let labels = bundle["meta"]["security"].to_string();
        assert_eq!(labels.contains("42CFRPart2"), is_in, "{scope}: {labels}");
    }
}

/// Once a consent is revoked, nobody has an archive that was made by it; what was made by others stays.
#[test]
fn dom_31_a_revoked_consent_takes_its_archives_with_it() {
    for engine in Engine::available("DOM-31") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let (owner, administrator) = (s.owner_key(), s.member("administrator"));
        let server = s.serve();
        let (api, colleague) = (server.with(&owner), server.with(&administrator));
        granted(&api, &colleague);
        let client = people::client(&api, "revoking");
        note(&api, &client, "NORMAL", "Wellness");
        let [by, other] = [(); 2].map(|()| consent(&api, &client, "ALL_RECORDS", None));
        for it in [&by, &other] {
            disclosed(&server, &api, &client, it);
        }
        disclosed(&server, &colleague, &client, &by);
        let link = links(&colleague, &titled(&client, &by)).remove(0);
        let path = &link[link.find("/files/").unwrap()..];
        assert_eq!(server.api().get(path).status, 200);
        api.ask(REVOKE, json!({"id": by})).data();
        for whose in [&api, &colleague] {
            assert!(links(whose, &titled(&client, &by)).is_empty());
        }
        assert_ne!(server.api().get(path).status, 200, "the link of before opens nothing");
        assert_eq!(links(&api, &titled(&client, &other)).len(), 1);
        let left = "SELECT COUNT(*) FROM documents WHERE disclosure_consent_id IS NOT NULL \
            AND deleted_at IS NULL";
        assert_eq!(s.database().number(left), 1);
        assert_eq!(told(&api, &client, "disclosure_consent_recorded"), 2);
        assert_eq!(told(&api, &client, "disclosure_consent_revoked"), 1);
        assert_eq!(told(&api, &client, "disclosed_by_consent"), 3);
        drop(server);
        assert!(s.verify_audit().0);
    }
}

/// Records, reads, revokes and exports nothing: the client is not there for them.
fn blind(api: &Api, client: &str, consent: &str) {
    let hidden = api.ask(ONE, json!({"id": consent}));
    assert!(hidden.data()["disclosureConsent"].is_null(), "{}", hidden.text);
    let listed = api.ask(CONSENTS, json!({"id": client}));
    assert_eq!(listed.data()["disclosureConsents"]["total_count"], 0, "{}", listed.text);
    let input: Json = json!({"user_id": client, "recipient": "Myself", "purpose": "Mine",
        "scope": "ALL_RECORDS", "signed_on": "2025-01-02"});
    let at = |field: &str, query: &str, variables: Json| {
        let reply = api.ask(query, variables);
        reply.json["data"][field]["messages"][0]["field"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(at("createDisclosureConsent", CREATE, json!({"input": input})), "user_id");
    assert_eq!(at("revokeDisclosureConsent", REVOKE, json!({"id": consent})), "id");
    assert_eq!(at("exportClientEhi", EXPORT, json!({"id": client, "by": consent})), "client_id");
}

/// Whoever does not see the client has nothing to do with their consents: a colleague of a restricted
/// one, a sibling organization of any. And what is disclosed is told where the client is now.
#[test]
fn dom_31_consents_are_for_those_who_see_the_client() {
    for engine in Engine::available("DOM-31") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let (owner, administrator) = (s.owner_key(), s.member("administrator"));
        let server = s.serve();
        let (api, colleague) = (server.with(&owner), server.with(&administrator));
        granted(&api, &colleague);
        let [one, sibling] = ["one", "two"].map(|name| branch(&s, &server, &api, name));
        let closed = people::client(&api, "closed");
        let close = "mutation($id: ID) { updateClient(input: {id: $id, restricted: true}) { messages { message } } }";
        api.ask(close, json!({"id": closed})).data();
        let inside = people::client(&one, "inone");
        for (sees, does_not, client) in [(&api, &colleague, &closed), (&one, &sibling, &inside)] {
            let own = consent(sees, client, "ALL_RECORDS", None);
            blind(does_not, client, &own);
            let kept = sees.ask(ONE, json!({"id": own}));
            assert_eq!(kept.data()["disclosureConsent"]["id"], own.as_str(), "{}", kept.text);
            assert!(kept.data()["disclosureConsent"]["revoked_at"].is_null(), "{}", kept.text);
        }
        let mover = people::client(&api, "moving");
        let by = consent(&api, &mover, "ALL_RECORDS", None);
        let to = json!({"id": mover, "dietitian_id": people::current_user(&one)});
        api.make("updateClient", "updateClientInput!", "user", to);
        disclosed(&server, &api, &mover, &by);
        assert_eq!(told(&one, &mover, "disclosed_by_consent"), 1);
        assert_eq!(told(&one, &mover, "disclosure_consent_recorded"), 0, "it was elsewhere then");
    }
}
