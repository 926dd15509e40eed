//! The thin payload (behaviour 13.2): which record, what happened, and no more of it.

use serde_json::{Map, Value as Json};

use crate::tables::IdEncoding;

/// What a payload tells.
#[derive(Clone, Debug)]
pub struct Told<'a> {
    /// Dotted name.
    pub event_type: &'a str,
    /// Model name of the record.
    pub resource_type: &'a str,
    /// The record.
    pub resource_id: i64,
    /// JSON list of column names, as the event keeps it.
    pub changed_fields: &'a str,
    /// JSON object of further members, as the event keeps it.
    pub extra: &'a str,
}

/// The compact body in the contract's order of members. Receivers sign what they serialise anew,
/// so there is no white space and nothing is escaped that need not be.
pub fn body(told: &Told<'_>, encoding: IdEncoding) -> String {
    let mut members = Map::new();
    members.insert("resource_id".into(), id(told.resource_id, encoding));
    members.insert("resource_id_type".into(), told.resource_type.into());
    members.insert("event_type".into(), told.event_type.into());
    let changed = serde_json::from_str(told.changed_fields).unwrap_or(Json::Array(Vec::new()));
    members.insert("changed_fields".into(), changed);
    let extra: Map<String, Json> = serde_json::from_str(told.extra).unwrap_or_default();
    for (name, value) in extra {
        let value = match value.as_i64() {
            Some(number) if name.ends_with("_id") => id(number, encoding),
            _ => value,
        };
        members.entry(name).or_insert(value);
    }
    Json::Object(members).to_string()
}

fn id(number: i64, encoding: IdEncoding) -> Json {
    match encoding {
        IdEncoding::Number => number.into(),
        IdEncoding::String => number.to_string().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UPDATED: Told<'_> = Told {
        event_type: "appointment.updated",
        resource_type: "Appointment",
        resource_id: 2_000_000_501,
        changed_fields: r#"["pm_status"]"#,
        extra: r#"{"resource_organization_id":2000000007}"#,
    };

    #[test]
    fn the_contracts_example() {
        assert_eq!(
            body(&UPDATED, IdEncoding::Number),
            r#"{"resource_id":2000000501,"resource_id_type":"Appointment","event_type":"appointment.updated","changed_fields":["pm_status"],"resource_organization_id":2000000007}"#
        );
    }

    #[test]
    fn ids_as_strings() {
        let text = body(&UPDATED, IdEncoding::String);
        assert!(text.starts_with(r#"{"resource_id":"2000000501","#), "{text}");
        assert!(text.ends_with(r#""resource_organization_id":"2000000007"}"#), "{text}");
    }

    #[test]
    fn what_changed_is_empty_and_nothing_is_left_out() {
        let created = Told { changed_fields: "[]", extra: r#"{"user_id":null}"#, ..UPDATED };
        let text = body(&created, IdEncoding::Number);
        assert!(text.ends_with(r#""changed_fields":[],"user_id":null}"#), "{text}");
    }
}
