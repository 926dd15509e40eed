//! Runs one recorded operation, as often as it takes to fill every path that it selects.

use std::collections::BTreeSet;

use ward_tests::{Api, BASELINE, Json, Reply, V2026, json};
use xtask::Replay;

use crate::read_back::read_back;
use crate::reasons::OPERATION;
use crate::values::{self, Subject};
use crate::world::{Caller, Person, World};

/// One way to run an operation: who asks, about whom, and which of the values.
#[derive(Clone, Copy)]
pub struct Try {
    pub caller: Caller,
    pub about: Person,
    /// Switches that a client sets one way or the other are set this way.
    pub switch: bool,
}

/// The first is how most clients run it; the others are for objects that hold what is missing.
const TRIES: [Try; 5] = [
    Try { caller: Caller::Owner, about: Person::Client, switch: true },
    Try { caller: Caller::Owner, about: Person::Archived, switch: false },
    Try { caller: Caller::Owner, about: Person::Provider, switch: true },
    Try { caller: Caller::Client, about: Person::Client, switch: true },
    Try { caller: Caller::Branch, about: Person::Provider, switch: true },
];

/// What is wrong with the operation's answers: path (or the operation) and what happened.
pub fn replay(world: &mut World, replay: &Replay) -> Vec<(String, String)> {
    let mut open: BTreeSet<&str> = replay
        .selected
        .iter()
        .map(String::as_str)
        .filter(|it| !it.starts_with("messages."))
        .collect();
    let mut first = String::new();
    for (number, attempt) in TRIES.iter().enumerate() {
        let is_mutation = replay.kind == "mutation";
        // What others may do is another test's question.
        if is_mutation && attempt.caller != Caller::Owner {
            break;
        }
        let subject = if is_mutation {
            world.subject(&replay.root_field)
        } else {
            Subject::of(world, *attempt)
        };
        let variables = values::variables(world, replay, &subject, *attempt);
        // Who books by themselves has no account yet.
        let api = match replay.root_field.as_str() {
            "completeCheckout" => world.server.api(),
            _ => world.caller(attempt.caller),
        };
        let reply = send(&api, replay, &variables);
        let answer = &reply.json["data"][&replay.root_field];
        let fails = failure(replay, &reply, answer).or_else(|| {
            is_mutation.then(|| read_back(world, replay, &variables, &subject, answer))?.err()
        });
        match fails {
            // Others may be shown nothing, but never an error.
            Some(what) if number == 0 || is_mutation || !reply.json["errors"].is_null() => {
                return vec![(OPERATION.to_owned(), what)];
            }
            _ => {}
        }
        open.retain(|path| !is_filled(answer, path));
        if open.is_empty() {
            return Vec::new();
        }
        if number == 0 {
            first = reply.text.chars().take(400).collect();
        }
    }
    open.into_iter()
        .map(|path| (path.to_owned(), format!("null in every answer, as in {first}")))
        .collect()
}

/// Sends it as clients do: without a version header in the baseline view.
fn send(api: &Api, replay: &Replay, variables: &Json) -> Reply {
    if replay.view == BASELINE {
        api.post("/graphql", &json!({"query": replay.document, "variables": variables}))
    } else {
        api.gql(V2026, &replay.document, variables.clone())
    }
}

fn failure(replay: &Replay, reply: &Reply, answer: &Json) -> Option<String> {
    let shown = || reply.text.chars().take(600).collect();
    if reply.status != 200 || !reply.json["errors"].is_null() || answer.is_null() {
        return Some(shown());
    }
    let refused = replay.kind == "mutation" && !answer["messages"].is_null();
    refused.then(shown)
}

/// Whether some object has a value at the path; an empty list is none.
fn is_filled(answer: &Json, path: &str) -> bool {
    if let Json::Array(items) = answer {
        return items.iter().any(|item| is_filled(item, path));
    }
    match path.split_once('.') {
        Some((first, rest)) => is_filled(&answer[first], rest),
        None => match &answer[path] {
            Json::Null => false,
            Json::Array(items) => !items.is_empty(),
            _ => true,
        },
    }
}
