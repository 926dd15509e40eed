//! Values for the variables, from the seeded world. An argument that is not known here fails the
//! replay, so that a new one is thought about.

use ward_tests::{Json, json};
use xtask::{Replay, Variable};

use crate::bookings;
use crate::charts;
use crate::forms;
use crate::intake;
use crate::judge::Try;
use crate::notes;
use crate::openings;
use crate::papers;
use crate::talks;
use crate::visits;
use crate::world::{Caller, LAST_NAME, PASSWORD, World};

/// The object that an operation is about.
pub struct Subject {
    /// Its id.
    pub id: String,
    /// The client that it belongs to, or is.
    pub client: String,
    /// That client's e-mail.
    pub email: String,
}

impl Subject {
    /// One of the people of the world.
    pub fn of(world: &World, attempt: Try) -> Subject {
        Subject {
            id: world.person(attempt.about),
            client: world.client.clone(),
            email: world.client_email.clone(),
        }
    }
}

/// All variables of an operation.
pub fn variables(world: &mut World, replay: &Replay, subject: &Subject, attempt: Try) -> Json {
    let mut variables = serde_json::Map::new();
    for variable in &replay.variables {
        let is_object = variable.arg_path == "input";
        let value = if is_object {
            input(world, replay, variable, subject, attempt)
        } else {
            let path = variable.arg_path.trim_start_matches('@').trim_end_matches(')');
            let name = path.rsplit(['.', '(']).next().unwrap_or(path);
            listed(variable, value(world, replay, name, subject, attempt))
        };
        variables.insert(variable.name.clone(), value);
    }
    variables.into()
}

fn listed(variable: &Variable, value: Json) -> Json {
    let wraps = variable.graphql_type.starts_with('[') && !value.is_array();
    // Older versions have numbers as texts.
    let is_text = variable.graphql_type.starts_with("String") && value.is_number();
    match (wraps, is_text) {
        (true, _) => json!([value]),
        (false, true) => value.to_string().into(),
        (false, false) => value,
    }
}

/// The fields that clients put into a bare `input`: those that were seen in their code, else those
/// that they read back, and whom it is about.
fn input(
    world: &mut World,
    replay: &Replay,
    variable: &Variable,
    subject: &Subject,
    attempt: Try,
) -> Json {
    let mut fields = replay.input_fields.clone();
    if fields.is_empty() {
        let takes = world.inputs(&replay.view, variable.graphql_type.trim_end_matches('!'));
        let read = replay.selected.iter().filter_map(|path| path.rsplit('.').next());
        let about = ["id", "user_id", "taggable_user_id"].into_iter();
        fields =
            about.chain(read).filter(|name| takes.contains(*name)).map(str::to_owned).collect();
    }
    let needed = match replay.root_field.as_str() {
        "createReferral" => ["referring_physician_id"].as_slice(),
        "createReferringPhysician" => &["first_name", "last_name"],
        "createNote" => &["conversation_id", "content"],
        "createDocument" => &["display_name", "file_string"],
        "createFormAnswerGroup" => &["custom_module_form_id", "finished", "form_answers"],
        _ => &[],
    };
    fields.extend(needed.iter().map(|name| (*name).to_owned()));
    fields.dedup();
    let values = fields.into_iter().map(|name| {
        let value = value(world, replay, &name, subject, attempt);
        (name, value)
    });
    Json::Object(values.collect())
}

fn value(world: &mut World, replay: &Replay, name: &str, subject: &Subject, attempt: Try) -> Json {
    let root = replay.root_field.as_str();
    let known = openings::value(world, root, name, attempt)
        .or_else(|| charts::value(world, root, name))
        .or_else(|| talks::value(world, root, name, subject, attempt))
        .or_else(|| papers::value(world, root, name, subject, attempt))
        .or_else(|| bookings::value(world, root, name, subject, attempt))
        .or_else(|| visits::value(world, root, name, subject))
        .or_else(|| forms::value(world, root, name))
        .or_else(|| intake::value(world, root, name))
        .or_else(|| notes::value(world, root, name, subject));
    if let Some(value) = known {
        return value;
    }
    match (root, name) {
        ("organization", "id") if attempt.caller == Caller::Branch => world.branch.clone().into(),
        ("organization", "id") => world.organization.clone().into(),
        ("organization", "email") => ward_tests::instance::OWNER.into(),
        ("createApiKey", "user_id") => world.owner.clone().into(),
        ("users", "ids") => json!([world.client, world.archived]),
        ("bulkApply", "ids") => json!([subject.id]),
        ("signIn" | "resetPassword", "email") => world.client_email.clone().into(),
        ("signIn", "password") => PASSWORD.into(),
        // Of the ways to sign in a client uses one.
        ("signIn", "username" | "token" | "reset_token") => Json::Null,
        ("signIn", "generate_api_token") => attempt.switch.into(),
        ("signIn", "timezone") => "America/Denver".into(),
        ("updateClient", "active") => true.into(),
        // A trigger, which would win over the data that is sent with it.
        ("updateClient", "resend_welcome") => false.into(),
        ("updateClient", "token") => Json::Null,
        ("updateClient", "current_email") => subject.email.clone().into(),
        ("updateClient", "location") => {
            json!({"line1": "5 Client Street", "city": "Aspen", "state": "CO", "zip": "81611"})
        }
        ("appliedTag", "id") => world.applied_tag.clone().into(),
        ("appliedTag", "include_deleted") => attempt.switch.into(),
        ("createReferral", "referring_physician_id") => subject.id.clone().into(),
        ("createReferringPhysician", "npi") => world.npi().into(),
        ("createReferringPhysician", "first_name" | "last_name") => world.word().into(),
        ("createGoalHistory", "goal_id") => subject.id.clone().into(),
        ("createTag", "name") => world.word().into(),
        ("webhooks", "order_by") => "CREATED_AT_DESC".into(),
        ("updateLocation" | "createLocation", _) if text_of_address(name).is_some() => {
            text_of_address(name).unwrap_or_default().into()
        }
        (_, "id") => subject.id.clone().into(),
        (_, "user_id" | "taggable_user_id") => subject.client.clone().into(),
        ("users" | "usersCount", _) => list_argument(world, name),
        ("organizationMembers" | "userGroupsCount", "keywords") => "".into(),
        (_, "offset") => 0.into(),
        (_, "page_size") => 100.into(),
        (_, "namespace") => "healthie".into(),
        ("currentUser", "can_be_scheduled_with") => true.into(),
        ("organization", "state_licenses") => json!(["NY"]),
        ("organization", "provider_id") => world.provider.clone().into(),
        ("brand", "locationString") => {
            format!("https://practice.example/book?dietitian_id={}", world.provider).into()
        }
        ("organization", "provider_ids") => json!([world.provider]),
        ("createClient" | "updateClient", _) => client_field(world, name),
        _ => panic!("no value is known for {name} of {root}"),
    }
}

fn text_of_address(name: &str) -> Option<&'static str> {
    Some(match name {
        "name" => "Office",
        "line1" => "3 After Street",
        "line2" => "Floor 4",
        "city" => "Denver",
        "state" => "CO",
        "zip" => "80202",
        "country" => "US",
        _ => return None,
    })
}

fn list_argument(world: &World, name: &str) -> Json {
    match name {
        "keywords" => LAST_NAME.into(),
        "sort_by" => "created_at_desc".into(),
        "active_status" => "active".into(),
        "offset" => 0.into(),
        "page_size" => 100.into(),
        "should_paginate" | "include_suborg_patients" => true.into(),
        "limited_to_provider" => false.into(),
        "provider_id" => world.provider.clone().into(),
        "group_id" => world.group.clone().into(),
        "after" => cursor_of_the_first(world),
        _ => panic!("no value is known for {name} of users"),
    }
}

/// The cursor that a client keeps of a page before.
fn cursor_of_the_first(world: &World) -> Json {
    let query = "{ users(page_size: 1) { cursor } }";
    let reply = world.as_owner().post("/graphql", &json!({"query": query}));
    reply.data()["users"][0]["cursor"].clone()
}

fn client_field(world: &mut World, name: &str) -> Json {
    match name {
        "first_name" => "Robin".into(),
        "last_name" => world.word().into(),
        "legal_name" => "Roberta".into(),
        "email" => format!("{}@client.example", world.word()).into(),
        "phone_number" => "+1 202-555-0180".into(),
        "additional_phone_number" => "+1 202-555-0181".into(),
        "dob" => "1985-11-30".into(),
        "gender" | "sex" => "Male".into(),
        "gender_identity" => "Man".into(),
        "height" => "70".into(),
        "timezone" => "America/Chicago".into(),
        "metadata" => "{\"source\":\"replay\"}".into(),
        "ssn" => "900-12-3456".into(),
        "quick_notes" => "Called twice".into(),
        "password" => PASSWORD.into(),
        "record_identifier" => world.word().into(),
        "additional_record_identifier" => world.word().into(),
        "dietitian_id" => world.provider.clone().into(),
        "other_provider_ids" => json!([world.colleague]),
        "user_group_id" => world.group.clone().into(),
        "restricted" | "skipped_email" => false.into(),
        "dont_send_welcome" | "skip_set_password_state" => true.into(),
        _ => panic!("no value is known for {name} of a client"),
    }
}
