//! Which keys exist, how variables mirror them, and which settings are refused by name.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::{CONFIG_FILE, refuse_password};
use crate::error::{InstanceError, IsoError};
use crate::kind::Kind;

const KEYS: [(&str, Shape); 18] = [
    ("kind", Shape::Text),
    ("base_url", Shape::Text),
    ("hosts", Shape::List),
    ("listen", Shape::Text),
    ("private_listen", Shape::Text),
    ("tls_cert", Shape::Text),
    ("tls_key", Shape::Text),
    ("trusted_proxy", Shape::Text),
    ("database_env", Shape::Text),
    ("pooler", Shape::Text),
    ("sign_up", Shape::Text),
    ("rate_limit", Shape::Number),
    ("sockets_of_person", Shape::Number),
    ("allow_loopback_webhooks", Shape::Switch),
    ("allow_private_webhooks", Shape::Switch),
    ("sunset", Shape::Text),
    ("log_level", Shape::Text),
    ("files", Shape::Text),
];

/// Keys that only a Sandbox has.
const SANDBOX_KEYS: [(&str, Shape); 2] =
    [("tripwire_strict", Shape::Switch), ("clock_idle_hours", Shape::Number)];

/// Keys of live connectors, which only a Production has.
const LIVE_KEYS: [(&str, Shape); 27] = [
    ("smtp_host", Shape::Text),
    ("smtp_port", Shape::Number),
    ("smtp_tls", Shape::Text),
    ("smtp_user", Shape::Text),
    ("smtp_password_file", Shape::Text),
    ("smtp_from", Shape::Text),
    ("smtp_ca", Shape::Text),
    ("smtp_callback_token_file", Shape::Text),
    ("sms_url", Shape::Text),
    ("sms_token_file", Shape::Text),
    ("sms_from", Shape::Text),
    ("sms_ca", Shape::Text),
    ("sms_callback_token_file", Shape::Text),
    ("push_url", Shape::Text),
    ("push_token_file", Shape::Text),
    ("push_ca", Shape::Text),
    ("video_url", Shape::Text),
    ("video_token_file", Shape::Text),
    ("video_ca", Shape::Text),
    ("scan_socket", Shape::Text),
    ("s3_endpoint", Shape::Text),
    ("s3_bucket", Shape::Text),
    ("s3_region", Shape::Text),
    ("s3_prefix", Shape::Text),
    ("s3_access_key", Shape::Text),
    ("s3_secret_key_file", Shape::Text),
    ("s3_ca", Shape::Text),
];

/// The keys of a kind of instance.
fn keys_of(kind: Kind) -> impl Iterator<Item = (&'static str, Shape)> {
    let own: &[(&str, Shape)] = match kind {
        Kind::Sandbox => &SANDBOX_KEYS,
        Kind::Production => &LIVE_KEYS,
    };
    KEYS.iter().chain(own).copied()
}

/// Whether a variable of this name mirrors a key of a kind of instance.
pub(super) fn mirrors(kind: Kind, name: &str) -> bool {
    let key = name.strip_prefix(kind.variable_prefix()).unwrap_or_default();
    keys_of(kind).any(|(known, _)| known.to_ascii_uppercase() == key)
}

/// Takes the keys of live connectors out of a table.
pub(super) fn connector_keys(table: &mut Table) -> Table {
    let taken = LIVE_KEYS.iter().filter_map(|(key, _)| table.remove_entry(*key));
    taken.collect()
}

#[derive(Clone, Copy)]
enum Shape {
    Text,
    List,
    Number,
    Switch,
}

pub(super) fn known_keys(table: &Table, kind: Kind) -> Result<(), InstanceError> {
    match table.keys().find(|key| keys_of(kind).all(|(known, _)| known != *key)) {
        Some(key) => Err(unknown(kind, &format!("the key `{key}` in {CONFIG_FILE}"))),
        None => Ok(()),
    }
}

fn unknown(kind: Kind, what: &str) -> InstanceError {
    match kind {
        Kind::Sandbox => IsoError::new(
            "ISO-05",
            format!("a Sandbox takes no {}", what.trim_start_matches("the ")),
            match is_of_connector(what) {
                true => "remove it; live connectors are configured in Production only",
                false => "correct its name, or remove it",
            },
        )
        .into(),
        Kind::Production => InstanceError::config(format!("unknown: {what}; remove it")),
    }
}

pub(super) fn both_kinds(kind: Kind, name: &str) -> InstanceError {
    IsoError::new(
        "ISO-04",
        format!("this process is {} and was given the variable {name}", kind.title()),
        format!("start it with {}* variables only", kind.variable_prefix()),
    )
    .into()
}

/// Words in names of variables that only a live connector would have.
const CONNECTORS: [&str; 16] = [
    "SMTP",
    "SMS",
    "S3_",
    "PUSH_",
    "VIDEO_",
    "SCAN_",
    "CARD",
    "ACH_",
    "CLEARINGHOUSE",
    "FAX",
    "ERX",
    "LAB_",
    "TWILIO",
    "STRIPE",
    "CONNECTOR",
    "PAYER",
];

/// Whether what is unknown is a live connector's by its name.
fn is_of_connector(what: &str) -> bool {
    let what = what.to_ascii_uppercase();
    CONNECTORS.iter().any(|word| what.contains(word))
        || LIVE_KEYS.iter().any(|(key, _)| what.contains(&key.to_ascii_uppercase()))
}

/// The variables of this kind; refuses the other kind's and stray connector settings.
pub(super) fn own_variables(
    kind: Kind,
    env: impl Iterator<Item = (String, String)>,
) -> Result<BTreeMap<String, String>, InstanceError> {
    let mut own = BTreeMap::new();
    for (name, value) in env {
        if name.starts_with(kind.other().variable_prefix()) {
            return Err(both_kinds(kind, &name));
        }
        if name.starts_with(kind.variable_prefix()) {
            own.insert(name, value);
        } else if kind == Kind::Sandbox
            && name.starts_with("WARD_")
            && CONNECTORS.iter().any(|word| name.contains(word))
        {
            return Err(unknown(kind, &format!("the variable {name}")));
        }
    }
    Ok(own)
}

pub(super) fn overlay(
    table: &mut Table,
    kind: Kind,
    own: &BTreeMap<String, String>,
) -> Result<(), InstanceError> {
    let prefix = kind.variable_prefix();
    // An empty variable counts as not set: container files often pass them on that way.
    for (key, shape) in keys_of(kind) {
        let name = format!("{prefix}{}", key.to_ascii_uppercase());
        if let Some(text) = own.get(&name).filter(|text| !text.is_empty()) {
            table.insert(key.to_owned(), shaped(&name, text, shape)?);
        }
    }
    // The variable that holds the database's address may bear the prefix without being a key.
    let database = table.get("database_env").and_then(Value::as_str).unwrap_or_default();
    match own.keys().find(|name| *name != database && !mirrors(kind, name)) {
        Some(name) => Err(unknown(kind, &format!("the variable {name}"))),
        None => Ok(()),
    }
}

fn shaped(name: &str, text: &str, shape: Shape) -> Result<Value, InstanceError> {
    let wrong = |what| InstanceError::config(format!("{name} must be {what}"));
    Ok(match shape {
        Shape::Text => Value::String(text.to_owned()),
        Shape::List => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Value::Array(items.map(|item| Value::String(item.to_owned())).collect())
        }
        Shape::Number => Value::Integer(text.parse().map_err(|_| wrong("a number"))?),
        Shape::Switch => Value::Boolean(text.parse().map_err(|_| wrong("true or false"))?),
    })
}

pub(super) fn no_passwords(table: &Table) -> Result<(), InstanceError> {
    for (key, value) in table {
        let texts = value.as_array().map(Vec::as_slice).unwrap_or(std::slice::from_ref(value));
        for text in texts.iter().filter_map(Value::as_str) {
            refuse_password(&format!("`{key}` in {CONFIG_FILE} or its variable"), text)?;
        }
    }
    Ok(())
}
