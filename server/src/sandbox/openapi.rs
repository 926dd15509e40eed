//! `GET /sandbox/v1/openapi.json`: what the control plane has.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use serde_json::{Value as Json, json};
use ward_instance::FaultKind;

use crate::app::App;
use crate::packs::Pack;
use crate::respond;

/// The description, in OpenAPI 3.1.
pub async fn description(State(app): State<Arc<App>>) -> Response<Body> {
    let description = json!({
        "openapi": "3.1.0",
        "info": {"title": "Ward Sandbox control plane", "version": env!("CARGO_PKG_VERSION")},
        "servers": [{"url": app.instance.base_url().to_string()}],
        "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "Authorization", "description": "Basic <API key>, as for /graphql"}}},
        "security": [{"key": []}],
        "paths": with_refusals(paths()),
    });
    respond::json(StatusCode::OK, &description)
}

fn paths() -> Json {
    json!({
        "/sandbox/v1/inbox": {"get": {
            "summary": "Simulated messages, newest first",
            "parameters": query_of(&["to", "class", "since", "limit"]),
            "responses": {"200": {"description": "{\"items\": […]}"}}
        }},
        "/sandbox/v1/seed": {"post": {
            "summary": "Fill the Sandbox, once: the standard pack with seed 1 unless said",
            "requestBody": world(),
            "responses": {
                "200": {"description": "{\"pack\", \"seed\", \"clients\", \"staff\", …}"},
                "409": {"description": "SEED_REFUSED: it is filled already"},
            }
        }},
        "/sandbox/v1/reset": {"post": {
            "summary": "Empty the Sandbox, and fill it where a pack or a seed is said; its ids move to a fresh slot, old ones answer STALE_EPOCH_ID, keys of before UNAUTHENTICATED",
            "requestBody": world(),
            "responses": {
                "200": {"description": "To the owner's fresh session a link; to a key of theirs without bounds the link and a new key as \"api_key\", in ward sandbox run also \"integration_key\", null where none could be made; \"credentials\" is the file that was written anew"},
                "409": {"description": "RESET_REFUSED: it is a fork, or another process has the same database"},
            }
        }},
        "/sandbox/v1/snapshots": snapshots(),
        "/sandbox/v1/snapshots/{name}": {"delete": {
            "summary": "Delete a snapshot",
            "parameters": [name()],
            "responses": {"200": {"description": "{\"deleted\"}"}, "409": {"description": NO_SNAPSHOT}}
        }},
        "/sandbox/v1/snapshots/{name}/restore": {"post": {
            "summary": "Go back to a snapshot: ids given out since answer STALE_EPOCH_ID, the audit log stays, sockets end",
            "parameters": [name()],
            "responses": {
                "200": {"description": "{\"restored\", \"taken_at\", \"slot\", \"clock\", \"deliveries_given_up\", \"deliveries_under_way\"}: webhooks that may have been sent since are not sent again"},
                "409": {"description": NO_SNAPSHOT},
            }
        }},
        "/sandbox/v1/packs": {"get": {
            "summary": "The worlds that a Sandbox can be filled with",
            "responses": {"200": {"description": "{\"packs\": [{\"name\", \"about\"}]}"}}
        }},
        "/sandbox/v1/forks": forks(),
        "/sandbox/v1/forks/{id}": {"delete": {
            "summary": "End a fork",
            "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}],
            "responses": {"200": {"description": "{\"ended\"}"}, "409": {"description": "FORK_REFUSED: there is none of that id"}}
        }},
        "/sandbox/v1/effects": {"post": {
            "summary": "Send a text as a practice would, to see what its receiver's side answers: {\"class\": \"sms|push\", \"to\", \"text\", \"not_before\"}",
            "responses": {"200": {"description": "{\"cause\"}: the same as in the inbox"}}
        }},
        "/sandbox/v1/faults": faults(),
        "/sandbox/v1/faults/{id}": {"delete": {
            "summary": "End a fault",
            "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}}],
            "responses": {"200": {"description": FAULTS}, "409": {"description": "FAULT_REFUSED: there is none of that number"}}
        }},
        "/sandbox/v1/be": {"post": {
            "summary": "A session as somebody of your organization, to see what they see; marked in the audit log: a member who may and sees no more than you, or a client whom you see",
            "requestBody": {"required": true, "content": {"application/json": {"schema": {
                "type": "object",
                "required": ["user"],
                "properties": {"user": {"type": "string", "description": "The id or e-mail address of a member or client"}},
            }}}},
            "responses": {
                "200": {"description": "{\"token\", \"user\": {\"id\", \"name\", \"email\", \"role\"}}: send the token as Authorization: Basic, as a key"},
                "409": {"description": "BE_REFUSED: there is no such person, several have the address, or you can't be this one"},
            }
        }},
        "/sandbox/v1/rooms/{meeting}": {"get": {
            "summary": "The page that stands for the room of a video call: zoom_join_url leads here, zoom_start_url to …/host",
            "security": [],
            "responses": {"200": {"description": "Nobody is there"}}
        }},
        "/sandbox/v1/requests": {"get": {
            "summary": "The last requests of your organization to /graphql, newest first; 200 are kept of each key and session",
            "parameters": query_of(&["key", "operation", "failed", "limit"]),
            "responses": {"200": {"description": "{\"items\": [{\"id\", \"asked_at\", \"operation\", \"status\", \"code\", \"duration_ms\", \"key\", \"user_id\"}]}"}}
        }},
        "/sandbox/v1/requests/{id}": {"get": {
            "summary": "One of them, by the X-Request-Id of its answer: redacted bodies, errors, permissions used, and as a tree what it caused",
            "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}],
            "responses": {"200": {"description": "The request with \"caused\": changes, events with their webhooks, effects, requests of receivers"}, "404": {"description": "NOT_FOUND: there is no record of it"}}
        }},
        "/sandbox/v1/clock": {"get": {
            "summary": "The clock",
            "responses": {"200": {"description": CLOCK}}
        }},
        "/sandbox/v1/clock/freeze": moves("It stands still", None),
        "/sandbox/v1/clock/resume": moves("It goes on from where it is, as fast as real time", None),
        "/sandbox/v1/clock/rate": rate(),
        "/sandbox/v1/clock/set": moves("It goes on to a moment, never back", Some(("to", "date-time"))),
        "/sandbox/v1/clock/advance": moves("It goes on by a time: PT1H, 90s, 20m, 3d", Some(("by", "duration"))),
    })
}

/// Adds what any call may be answered: who is unknown or may not, and what was sent is wrong.
fn with_refusals(mut paths: Json) -> Json {
    let all = paths.as_object_mut().into_iter().flatten();
    for operation in all.filter_map(|(_, path)| path.as_object_mut()).flatten().map(|(_, it)| it) {
        if operation["security"].is_array() {
            continue;
        }
        let takes = !operation["parameters"].is_null() || !operation["requestBody"].is_null();
        let refusals = [
            ("400", "BAD_REQUEST: what was sent is none, and why", takes),
            ("401", "UNAUTHENTICATED: no key, or one that is not good here", true),
            ("403", "PERMISSION_DENIED: the key's user may not do this", true),
        ];
        for (status, sentence, _) in refusals.into_iter().filter(|(_, _, is_there)| *is_there) {
            operation["responses"][status] = json!({"description": sentence});
        }
    }
    paths
}

/// What a Sandbox is filled with.
fn world() -> Json {
    let packs = Pack::ALL.map(Pack::as_str);
    json!({"required": false, "content": {"application/json": {"schema": {
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "pack": {"type": "string", "enum": packs},
            "seed": {"type": "integer", "minimum": 0},
        }
    }}}})
}

/// Optional parameters of a query.
fn query_of(names: &[&str]) -> Vec<Json> {
    let parameter =
        |name: &&str| json!({"name": name, "in": "query", "schema": {"type": "string"}});
    names.iter().map(parameter).collect()
}

const NO_SNAPSHOT: &str =
    "SNAPSHOT_REFUSED: there is none of that name, or it can't be read any more";

fn name() -> Json {
    json!({"name": "name", "in": "path", "required": true, "schema": snapshot_name()})
}

fn snapshot_name() -> Json {
    json!({"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,39}$"})
}

/// The snapshots: list, take.
fn snapshots() -> Json {
    let schema = json!({
        "type": "object",
        "required": ["name"],
        "properties": {"name": snapshot_name()}
    });
    json!({
        "get": {
            "summary": "The snapshots there are",
            "responses": {"200": {"description": "{\"snapshots\": [{\"name\", \"taken_at\", \"now\", \"bytes\", \"restorable\"}]}"}}
        },
        "post": {
            "summary": "Keep what the Sandbox holds at this moment",
            "requestBody": {"required": true, "content": {"application/json": {"schema": schema}}},
            "responses": {
                "200": {"description": "The snapshot, as in the list"},
                "409": {"description": "SNAPSHOT_REFUSED: the name is taken, or there are too many"},
            }
        },
    })
}

/// The forks: list, make, end all.
fn forks() -> Json {
    let schema = json!({
        "type": "object",
        "properties": {"ttl": {"type": "string", "description": "90s, 20m or PT1H, of at most 24 hours; 20m unless said"}}
    });
    json!({
        "get": {
            "summary": "The forks there are",
            "responses": {"200": {"description": "{\"forks\": [{\"id\", \"url\", \"graphql_url\", \"created_at\", \"expires_at\"}]}"}}
        },
        "post": {
            "summary": "A private copy of the Sandbox on a free port of its machine, with the same keys; its webhooks are off",
            "requestBody": {"content": {"application/json": {"schema": schema}}},
            "responses": {
                "200": {"description": "The fork, as in the list"},
                "409": {"description": "FORK_REFUSED: there are too many, it is a fork itself, or on PostgreSQL"},
            }
        },
        "delete": {"summary": "End all forks", "responses": {"200": {"description": "{\"ended\"}"}}},
    })
}

const FAULTS: &str =
    "{\"faults\": […]}, each with its hits; answers that a fault hit have X-Sandbox-Fault";

/// The faults: list, add, end all.
fn faults() -> Json {
    let number = |most: i64| json!({"type": "integer", "minimum": 1, "maximum": most});
    let text = json!({"type": "string", "maxLength": 100});
    let kinds = FaultKind::ALL.map(FaultKind::as_str);
    let schema = json!({
        "type": "object",
        "required": ["kind"],
        "properties": {
            "kind": {"type": "string", "enum": kinds},
            "operation": text,
            "key": text,
            "webhook": {"type": ["string", "integer"], "description": "The id of one"},
            "event": text,
            "percent": number(100),
            "times": number(i64::from(u32::MAX)),
            "milliseconds": {"type": "integer", "minimum": 0, "maximum": 86_400_000},
            "seed": {"type": "integer", "minimum": 0},
            "seconds": number(3_600),
        }
    });
    let answers = json!({"200": {"description": FAULTS}});
    let added = json!({
        "200": {"description": "The same; \"note\" says where no field has the name of \"operation\""},
        "409": {"description": "FAULT_REFUSED: there are too many"},
    });
    json!({
        "get": {"summary": "Faults that have not ended", "responses": answers},
        "post": {
            "summary": "Make something go wrong, for an hour at most",
            "requestBody": {"required": true, "content": {"application/json": {"schema": schema}}},
            "responses": added,
        },
        "delete": {"summary": "End all faults", "responses": answers},
    })
}

const CLOCK: &str = "{\"now\", \"offset_seconds\", \"frozen\", \"rate\", \"returns_at\"}: when it goes as real time does if nobody moves it, or null";

const SETTLED: &str = "The clock; after a settled move also {\"ran\": {\"jobs\", \"effects\", \"deliveries\"}, \"stragglers\": […]}";

/// How fast the clock goes.
fn rate() -> Json {
    json!({"post": {
        "summary": "It goes on from where it is, 0.001 to 3600 times as fast as real time; what is due happens within a second of real time",
        "requestBody": {"required": true, "content": {"application/json": {"schema": {
            "type": "object",
            "required": ["rate"],
            "properties": {"rate": {"type": "number", "minimum": 0.001, "maximum": 3600}},
        }}}},
        "responses": {
            "200": {"description": CLOCK},
            "409": {"description": "CLOCK_REFUSED: it would be too slow or too fast"},
        }
    }})
}

/// A move of the clock, with its one argument.
fn moves(summary: &str, argument: Option<(&str, &str)>) -> Json {
    let mut operation = json!({
        "summary": summary,
        "responses": {
            "200": {"description": if argument.is_some() { SETTLED } else { CLOCK }},
            "409": {"description": "CLOCK_REFUSED: it would go back, or too far"},
        }
    });
    if let Some((name, format)) = argument {
        let schema = json!({
            "type": "object",
            "required": [name],
            "properties": {
                name: {"type": "string", "format": format},
                "settle": {"type": "boolean", "default": true, "description": "Whether to wait until all that is due by then has happened"},
            }
        });
        operation["requestBody"] =
            json!({"required": true, "content": {"application/json": {"schema": schema}}});
    }
    json!({"post": operation})
}
