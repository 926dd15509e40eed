//! `ward requests …`: what was asked of a Sandbox, and what it caused.

use std::fmt::Write as _;

use serde_json::Value as Json;

use crate::cli::{RequestsArgs, RequestsCommand};
use crate::failure::Done;
use crate::http::{Api, escaped};
use crate::output::{BOLD, DIM, Out, PLAIN, RED, table};

/// `ward requests …`.
pub fn run(command: &RequestsCommand, out: Out) -> Done {
    match command {
        RequestsCommand::List(args) => {
            let path = format!("/sandbox/v1/requests?{}", query(args));
            let answer = Api::sandbox(&args.there)?.get(&path)?.sandbox()?;
            out.answer(&answer, || table(&answer["items"]));
        }
        RequestsCommand::Show { id, there } => {
            let path = format!("/sandbox/v1/requests/{}", escaped(id));
            let answer = Api::sandbox(there)?.get(&path)?.sandbox()?;
            out.answer(&answer, || shown(&answer));
        }
    }
    Ok(())
}

fn query(args: &RequestsArgs) -> String {
    let mut query = format!("limit={}&failed={}", args.limit, args.failed);
    for (name, value) in [("key", &args.key), ("operation", &args.operation)] {
        if let Some(value) = value {
            let _ = write!(query, "&{name}={}", escaped(value));
        }
    }
    query
}

/// A request as a page: the answer, why, the bodies, and what followed.
fn shown(request: &Json) -> String {
    let mut page = String::new();
    let _ = writeln!(page, "{BOLD}{}{PLAIN}  {}", text(&request["operation"]), ending(request));
    let _ = writeln!(
        page,
        "{DIM}{}, by user {} with {}{PLAIN}",
        text(&request["asked_at"]),
        text(&request["user_id"]),
        text(&request["key"]),
    );
    for (name, title) in [("caused_by", "caused by event"), ("fault", "fault")] {
        if !request[name].is_null() {
            let _ = writeln!(page, "{title} {}", text(&request[name]));
        }
    }
    if request["replayed"] == true {
        page.push_str("the stored answer of an earlier request with this Idempotency-Key\n");
    }
    if request["document"] != "" {
        let _ = writeln!(page, "\n{}", text(&request["document"]).trim_end());
    }
    if request["variables"].as_object().is_some_and(|variables| !variables.is_empty()) {
        let _ = writeln!(page, "{DIM}variables{PLAIN} {}", request["variables"]);
    }
    for error in array(&request["errors"]) {
        let _ = writeln!(page, "{RED}{}{PLAIN} {}", text(&error["code"]), text(&error["message"]));
        if !error["permission"].is_null() {
            let _ = writeln!(page, "  it needs the permission {}", text(&error["permission"]));
        }
    }
    for problem in array(&request["problems"]) {
        let (at, said) = (text(&problem["field"]), text(&problem["message"]));
        let _ = writeln!(page, "{RED}{}{PLAIN} {at}: {said}", text(&problem["mutation"]));
    }
    let _ = writeln!(page, "{DIM}answer{PLAIN} of {} bytes", text(&request["answer_bytes"]));
    let used: Vec<String> = array(&request["permissions_used"]).iter().map(text).collect();
    if !used.is_empty() {
        let _ = writeln!(page, "{DIM}permissions used{PLAIN} {}", used.join(", "));
    }
    page.push('\n');
    match array(&request["caused"]) {
        [] => page.push_str("It caused nothing.\n"),
        caused => branches(caused, "", &mut page),
    }
    page
}

/// The status and how long it took.
fn ending(request: &Json) -> String {
    let code = match &request["code"] {
        Json::Null => String::new(),
        code => format!(" {RED}{}{PLAIN}", text(code)),
    };
    format!("{}{code} in {} ms", text(&request["status"]), text(&request["duration_ms"]))
}

fn branches(caused: &[Json], indent: &str, page: &mut String) {
    for (n, one) in caused.iter().enumerate() {
        let is_last = n + 1 == caused.len();
        let (branch, below) = if is_last { ("└─", "  ") } else { ("├─", "│ ") };
        let _ = writeln!(page, "{indent}{branch} {}", line(one));
        let below = format!("{indent}{below} ");
        for attempt in array(&one["attempts"]) {
            let how = match &attempt["status"] {
                Json::Null => text(&attempt["error"]),
                status => text(status),
            };
            let took = text(&attempt["duration_ms"]);
            let _ =
                writeln!(page, "{below}attempt {}: {how} in {took} ms", text(&attempt["number"]));
        }
        branches(array(&one["caused"]), &below, page);
    }
}

/// What one branch is.
fn line(one: &Json) -> String {
    let of = |name: &str| text(&one[name]);
    match one["what"].as_str().unwrap_or_default() {
        "change" => {
            // Of a new record all of its columns are new.
            let is_update = one["done"] == "UPDATE";
            let fields = array(&one["fields"]).iter().filter(|_| is_update);
            let fields: Vec<String> = fields.map(text).collect();
            format!("{} {} {} {DIM}{}{PLAIN}", of("done"), of("of"), of("id"), fields.join(", "))
        }
        "event" => {
            format!(
                "{BOLD}{}{PLAIN} of {} {DIM}{}{PLAIN}",
                of("event_type"),
                of("resource_id"),
                of("id")
            )
        }
        "webhook" => format!("webhook {}: {}", of("webhook_id"), of("state")),
        "effect" => {
            let outcome = match &one["outcome"] {
                Json::Null => of("state"),
                outcome => text(outcome),
            };
            format!("{} {}: {outcome} {DIM}{}{PLAIN}", of("class"), of("kind"), of("id"))
        }
        "request" => format!("{} {} {DIM}{}{PLAIN}", of("operation"), ending(one), of("id")),
        "more" => match one["count"].as_u64() {
            Some(count) => format!("… and {count} more"),
            None => "… and more".to_owned(),
        },
        other => other.to_owned(),
    }
}

fn array(json: &Json) -> &[Json] {
    json.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(json: &Json) -> String {
    match json {
        Json::String(text) => text.clone(),
        Json::Null => "-".to_owned(),
        other => other.to_string(),
    }
}
