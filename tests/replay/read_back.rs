//! What a mutation did, read back by the API.

use ward_tests::{Json, json, people};
use xtask::Replay;

use crate::values::Subject;
use crate::world::{PASSWORD, World};
use crate::{bookings, charts, notes, openings, papers, talks, visits};

/// Inputs that are not a field of the object: what they do is not to be read from it.
const NOT_READ: [&str; 11] = [
    "dont_send_welcome",
    "skip_set_password_state",
    "resend_welcome",
    "current_email",
    "token",
    "location",
    "password",
    "taggable_user_id",
    "care_plan_id",
    "program_goal",
    "reminder",
];

/// Whether the mutation did what it was asked for, or what is missing.
pub fn read_back(
    world: &World,
    replay: &Replay,
    variables: &Json,
    subject: &Subject,
    answer: &Json,
) -> Result<(), String> {
    let sent = sent(replay, variables);
    if let Some(read) = talks::read_back(world, &replay.root_field, &sent, subject, answer) {
        return read;
    }
    if let Some(read) = papers::read_back(world, &replay.root_field, &sent, subject, answer) {
        return read;
    }
    if let Some(read) = charts::read_back(world, &replay.root_field, subject, answer) {
        return read;
    }
    if let Some(read) = notes::read_back(world, &replay.root_field, subject, answer) {
        return read;
    }
    if let Some(read) = openings::read_back(world, &replay.root_field, variables, answer) {
        return read;
    }
    if let Some(read) = bookings::read_back(world, &replay.root_field, subject) {
        return read;
    }
    if let Some(read) = visits::read_back(world, &replay.root_field, subject, answer) {
        return read;
    }
    match replay.root_field.as_str() {
        "createClient" => same_fields(world, "user", &people::id(&answer["user"]), &sent),
        "updateClient" => {
            same_fields(world, "user", &subject.id, &sent)?;
            signs_in(world, subject, &sent)?;
            lives_at(world, subject, &sent)
        }
        "createLocation" => same_fields(world, "location", &people::id(&answer["location"]), &sent),
        "updateLocation" => same_fields(world, "location", &subject.id, &sent),
        "deleteLocation" => {
            let read = world.ask(
                "query($id: ID) { location(id: $id) { id } }",
                json!({"id": subject.id}),
                "location",
            );
            expect(read.is_null(), || "the address is still there".to_owned())
        }
        "createReferral" => {
            let query = "query($id: ID) { referral(id: $id) { user_id } }";
            let read = world.ask(query, json!({"id": people::id(&answer["referral"])}), "referral");
            expect(read["user_id"] == subject.client, || format!("not the client's: {read}"))
        }
        "createReferringPhysician" => {
            let id = people::id(&answer["referring_physician"]);
            same_fields(world, "referringPhysician", &id, &sent)
        }
        "createCustomModuleForm" => {
            let id = people::id(&answer["customModuleForm"]);
            same_fields(world, "customModuleForm", &id, &sent)
        }
        "createGoal" => same_fields(world, "goal", &people::id(&answer["goal"]), &sent),
        "createOnboardingFlow" => {
            let id = people::id(&answer["onboardingFlow"]);
            same_fields(world, "onboardingFlow", &id, &sent)
        }
        "createOnboardingItem" => {
            let query =
                "query($id: ID!) { onboardingItem(id: $id) { onboarding_flow_id item_id } }";
            let step = json!({"id": people::id(&answer["onboardingItem"])});
            let read = world.ask(query, step, "onboardingItem");
            let is_there = read["onboarding_flow_id"] == world.flow && !read["item_id"].is_null();
            expect(is_there, || format!("not a step of the flow: {read}"))
        }
        "deleteRequestedFormCompletion" => {
            let query = "query($id: ID) { requestedFormCompletion(id: $id) { id } }";
            let request = json!({"id": people::id(&answer["requestedFormCompletion"])});
            let read = world.ask(query, request, "requestedFormCompletion");
            expect(read.is_null(), || "the client is still asked".to_owned())
        }
        "createTag" => wears(world, &subject.client, &people::id(&answer["tag"]), true),
        "bulkApply" => wears(world, &subject.client, &subject.id, true),
        "removeAppliedTag" => wears(world, &subject.client, &subject.id, false),
        "deleteTag" => {
            let read = world.ask(
                "query($ids: [ID]) { tags(ids: $ids) { id } }",
                json!({"ids": [subject.id]}),
                "tags",
            );
            expect(read == json!([]), || format!("the tag is still there: {read}"))
        }
        "createApiKey" => is_credential(world, &answer["api_key"], &world.owner),
        "signIn" => {
            let credential =
                if answer["api_key"].is_null() { &answer["token"] } else { &answer["api_key"] };
            is_credential(world, credential, &world.client)
        }
        "resetPassword" => has_mail(world),
        other => Err(format!("it is not known how to read back what {other} does")),
    }
}

/// The input's fields and what was sent in them.
fn sent(replay: &Replay, variables: &Json) -> Vec<(String, Json)> {
    let mut all = Vec::new();
    for variable in &replay.variables {
        let value = &variables[&variable.name];
        match variable.arg_path.split_once('.') {
            None => all.extend(
                value
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(name, value)| (name.clone(), value.clone())),
            ),
            Some((_, name)) => all.push((name.to_owned(), value.clone())),
        }
    }
    all
}

/// Reads the fields of the same names and compares.
fn same_fields(
    world: &World,
    field: &str,
    id: &str,
    sent: &[(String, Json)],
) -> Result<(), String> {
    let fields: Vec<_> =
        sent.iter().filter(|(name, _)| !NOT_READ.contains(&name.as_str())).collect();
    let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    let query = format!("query($id: ID) {{ {field}(id: $id) {{ id {} }} }}", names.join(" "));
    let read = world.ask(&query, json!({"id": id}), field);
    let wrong =
        fields.iter().filter(|(name, value)| plain(name, &read[name]) != plain(name, value));
    let wrong: Vec<String> =
        wrong.map(|(name, value)| format!("{name}: sent {value}, read {}", read[name])).collect();
    expect(wrong.is_empty(), || format!("not as sent: {}", wrong.join("; ")))
}

/// A value as a text. Of a social security number only the last digits are shown.
fn plain(name: &str, value: &Json) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match name {
        "ssn" => text.chars().rev().take(4).collect(),
        "height" => text.trim_end_matches(".0").to_owned(),
        _ => text,
    }
}

/// A client whose password was set signs in with it.
fn signs_in(world: &World, subject: &Subject, sent: &[(String, Json)]) -> Result<(), String> {
    let of = |name: &str| sent.iter().find(|(known, _)| known == name).map(|(_, value)| value);
    if of("password").is_none() {
        return Ok(());
    }
    let email = of("email").and_then(Json::as_str).unwrap_or(&subject.email);
    let input = json!({"email": email, "password": PASSWORD});
    let reply = people::sign_in(&world.server.api(), input);
    let read = &reply.json["data"]["signIn"]["user"]["id"];
    expect(*read == subject.id, || format!("no sign-in with the new password: {}", reply.text))
}

/// A client whose address was sent has it.
fn lives_at(world: &World, subject: &Subject, sent: &[(String, Json)]) -> Result<(), String> {
    let Some((_, address)) = sent.iter().find(|(name, _)| name == "location") else {
        return Ok(());
    };
    let query = "query($id: ID) { user(id: $id) { locations { line1 } } }";
    let read = world.ask(query, json!({"id": subject.id}), "user");
    let lines = read["locations"].as_array().cloned().unwrap_or_default();
    expect(lines.iter().any(|it| it["line1"] == address["line1"]), || format!("no address: {read}"))
}

fn wears(world: &World, user: &str, tag: &str, wanted: bool) -> Result<(), String> {
    let query = "query($id: ID) { user(id: $id) { active_tags { id } } }";
    let read = world.ask(query, json!({"id": user}), "user");
    let tags = read["active_tags"].as_array().cloned().unwrap_or_default();
    expect(tags.iter().any(|it| people::id(it) == tag) == wanted, || format!("tags are {read}"))
}

fn is_credential(world: &World, credential: &Json, of: &str) -> Result<(), String> {
    let Some(text) = credential.as_str() else { return Err("no credential".to_owned()) };
    let who = people::current_user(&world.server.with(text));
    expect(who == of, || format!("the credential is {who}'s"))
}

/// The client's mail is in the Sandbox's inbox.
fn has_mail(world: &World) -> Result<(), String> {
    let path = format!("/sandbox/v1/inbox?to={}", world.client_email);
    ward_tests::until("the mail is in the inbox", || {
        let reply = world.as_owner().get(&path);
        let items = reply.json["items"].as_array().cloned().unwrap_or_default();
        items
            .iter()
            .any(|item| item["kind"].as_str().is_some_and(|it| it.contains("reset")))
            .then_some(())
    });
    Ok(())
}

fn expect(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}
