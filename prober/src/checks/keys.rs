//! Credentials of the one at the other.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::failure::Failure;
use crate::pair::Pair;
use crate::report::Row;
use crate::side::{Side, VIEW, VIEWS};
use crate::wire::{Answer, Ask};

const WHO: &str = "{ currentUser { id } }";

/// ISO-11.
pub fn sandbox_key_in_production(pair: &Pair, row: &mut Row) -> Result<(), Failure> {
    refused(&pair.p, &pair.s, row)
}

/// ISO-12.
pub fn production_key_in_sandbox(pair: &Pair, row: &mut Row) -> Result<(), Failure> {
    refused(&pair.s, &pair.p, row)
}

/// Every way that the contract's clients send a key.
fn ways(key: &str) -> [(&'static str, String); 5] {
    [
        ("Basic", format!("Basic {key}")),
        ("basic", format!("basic {key}")),
        ("Bearer", format!("Bearer {key}")),
        ("bare", key.to_owned()),
        ("Basic, encoded", format!("Basic {}", STANDARD.encode(format!("{key}:")))),
    ]
}

fn refused(to: &Side, from: &Side, row: &mut Row) -> Result<(), Failure> {
    const CODE: &str = "WRONG_ENVIRONMENT_KEY";
    for (way, header) in ways(&from.key) {
        for view in VIEWS {
            let ask = Side::question(view, WHO, &json!({})).with("authorization", header.clone());
            let answer = to.ask(&ask)?;
            row.judged(fault(&answer, 200, CODE, from, to, &format!("sent as {way}")));
        }
        let elsewhere = Ask::get("/effects").with("authorization", header);
        let answer = to.ask(&elsewhere)?;
        row.judged(fault(&answer, 401, CODE, from, to, &format!("sent as {way} to /effects")));
    }
    Ok(())
}

/// What is wrong with the refusal of a credential.
fn fault(
    answer: &Answer,
    status: u16,
    code: &str,
    from: &Side,
    to: &Side,
    way: &str,
) -> Option<String> {
    let credential = match code {
        "WRONG_ENVIRONMENT_KEY" => "key",
        _ => "session",
    };
    let presented =
        format!("a {} {credential} at the {}, {way}", from.kind.title(), to.kind.title());
    let message = answer.json["errors"][0]["message"].as_str().unwrap_or_default();
    if !answer.json["data"].is_null() || (answer.status == 200 && answer.code().is_empty()) {
        return Some(format!("{presented}, is accepted"));
    }
    let told = (answer.status, answer.code());
    if told != (status, code) {
        return Some(format!(
            "{presented}, is answered {} {:?} instead of {status} {code}",
            told.0, told.1
        ));
    }
    if code == "WRONG_ENVIRONMENT_KEY" && !message.starts_with("API Key is Invalid") {
        return Some(format!("{presented}: the message does not begin with `API Key is Invalid`"));
    }
    let secrets = [Some(&from.key), from.session.as_ref()];
    let repeats = secrets.into_iter().flatten().any(|secret| answer.text.contains(secret.as_str()));
    repeats.then(|| format!("{presented}: the answer repeats it"))
}

/// ISO-15, of sessions that were given.
pub fn sessions(pair: &Pair, row: &mut Row) -> Result<(), Failure> {
    row.without("no session was given; --sandbox-session-file and --production-session-file do");
    for (to, from) in pair.ways() {
        let Some(session) = &from.session else { continue };
        // That it opens something at home is known since the start.
        for scheme in ["Bearer", "Basic"] {
            let ask = Side::question(VIEW, WHO, &json!({}));
            let answer = to.ask(&ask.with("authorization", format!("{scheme} {session}")))?;
            let way = format!("sent as {scheme}");
            row.judged(fault(&answer, 200, "WRONG_ENVIRONMENT_TOKEN", from, to, &way));
        }
    }
    Ok(())
}
