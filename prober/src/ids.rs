//! Ids as arguments: which inputs take one, what a foreign one must be answered, and which
//! environment a number is of.

use serde_json::{Value as Json, json};

use crate::document::{Place, places};
use crate::kind::Kind;
use crate::schema::{Field, Input, Root, Schema};

/// Inputs that are named like ids and are none of Ward's: what stands in them is somebody else's
/// number, or a text. An entry that no served input needs any more is a failure.
pub const NOT_OURS: &[(&str, &str)] = &[
    ("record_identifier", "the practice's own number"),
    ("additional_record_identifier", "the practice's own number"),
    ("other_id", "a payer's number"),
    ("other_id_qual", "a qualifier code"),
    ("other_id_qualifier", "a qualifier code"),
    ("place_of_service_id", "a code of a public list, not an object of an instance"),
    ("gender_identity", "a word of the client's own, although typed ID"),
    ("human_id", "inert: an account's human follows from its e-mail"),
    ("uniq_push_id", "a push service's name of a device"),
    ("tax_id", "a tax office's number"),
    ("external_id", "another system's number"),
    ("external_id_type", "a word: what the other system's number is of"),
    ("photo_id_disclaimer", "a text, although typed ID: what is said where a picture is asked for"),
    ("concept_id", "a code of SNOMED CT"),
    ("event_ids", "UUIDs of events, which no other instance has"),
    ("contact_type_id", "a number of a code set: how people meet"),
    ("cancellation_reason_id", "a number of a code set: why something is called off"),
    ("cancellation_reason.id", "the same"),
];

fn is_id(input: &Input) -> bool {
    let name = input.name.as_str();
    name == "id" || name == "ids" || name.ends_with("_id") || name.ends_with("_ids")
}

/// The exception that a place is, by its name or by the end of its path.
fn not_ours(place: &Place) -> Option<&'static str> {
    let path = place.dotted();
    let is_it =
        |known: &str| path.strip_suffix(known).is_some_and(|it| it.is_empty() || it.ends_with('.'));
    NOT_OURS.iter().map(|(known, _)| *known).find(|known| is_it(known))
}

/// Every input of a served root field that takes an id of an object, however deep; and the
/// exceptions among them.
pub fn id_places(schema: &Schema, field: &Field) -> (Vec<Place>, Vec<&'static str>) {
    let all = places(schema, field).into_iter().filter(|place| {
        let input = place.last();
        is_id(input) || input.of.name() == "ID"
    });
    let (others, ours): (Vec<Place>, Vec<Place>) = all.partition(|it| not_ours(it).is_some());
    (ours, others.iter().filter_map(not_ours).collect())
}

/// The value as the input's type takes it; of a list, its one item.
pub fn value(input: &Input, id: &str) -> Json {
    match input.of.name() {
        "Int" => json!(id.parse::<i64>().unwrap_or_default()),
        _ => json!(id),
    }
}

/// Whether the answer names the argument by its path.
fn names(answer: &Json, path: &str) -> bool {
    let errors = answer["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    errors.iter().any(|error| {
        let extensions = &error["extensions"];
        extensions["code"] == "WRONG_ENVIRONMENT_ID" && extensions["argument"] == path
    })
}

/// What is wrong with the refusal of a foreign id; nothing if it is as designed.
pub fn refusal_fault(
    root: Root,
    field: &Field,
    place: &Place,
    status: u16,
    answer: &Json,
) -> Option<String> {
    let data = &answer["data"][&field.name];
    let path = place.dotted();
    let code = answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_default();
    // Never the answer: where the two are not apart it is of somebody.
    let wrong = |what: &str| {
        Some(format!("{} {}({path}): {what}: {status} {code:?}", root.word(), field.name))
    };
    if status != 200 {
        return wrong("not 200");
    }
    if !names(answer, &path) {
        return wrong("no WRONG_ENVIRONMENT_ID with the argument's path");
    }
    match root {
        Root::Query if !data.is_null() => wrong("the field is not null"),
        Root::Query => None,
        Root::Mutation => {
            let objects = data.as_object().into_iter().flatten();
            let answers = objects
                .filter(|(name, _)| !["__typename", "messages"].contains(&name.as_str()))
                .any(|(_, value)| !value.is_null());
            let messages = data["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
            match messages {
                _ if answers => wrong("an object comes back"),
                [one] if one["field"] == place.last().name.as_str() => None,
                // What answers an object itself has no messages.
                [] if data.is_null() && !field.of.name().ends_with("Payload") => None,
                _ => wrong("not one message on the input field"),
            }
        }
    }
}

/// Whether an object came back, or the answer is another than an id has that names nothing: null,
/// or a message. That is never an error, so what failed has refused nothing.
pub fn is_answered(root: Root, field: &Field, status: u16, answer: &Json) -> bool {
    let data = &answer["data"][&field.name];
    // The messages of a mutation that answers an object itself.
    if status == 200 && answer["errors"][0]["extensions"]["code"] == "REFUSED" {
        return !data.is_null();
    }
    if status != 200 || !answer["errors"].is_null() || !answer["data"].is_object() {
        return true;
    }
    match (root, data) {
        (Root::Mutation, _) => {
            let objects = data.as_object().into_iter().flatten();
            objects
                .filter(|(name, _)| !["__typename", "messages"].contains(&name.as_str()))
                .any(|(_, value)| !value.is_null())
        }
        (Root::Query, Json::Array(items)) => !items.is_empty(),
        (Root::Query, Json::Object(object)) => match object.get("nodes") {
            Some(nodes) => nodes.as_array().is_some_and(|nodes| !nodes.is_empty()),
            None => true,
        },
        // A count.
        (Root::Query, Json::Number(number)) => number.as_i64() != Some(0),
        (Root::Query, _) => false,
    }
}

/// Types whose ids are codes of a list that is the same everywhere, and not objects of anybody.
pub const CODES: [(&str, &str); 4] = [
    ("DosageType", "strengths of a medication of a public list"),
    ("MedicationOptionType", "numbers of a public list"),
    ("PlaceOfService", "codes of a public list"),
    ("EmbedWidgetStepType", "names of the steps of a widget"),
];

/// The lowest id that is ever given out.
const FIRST: i64 = 1_000_000;
/// The range of Sandboxes.
const SANDBOX: std::ops::RangeInclusive<i64> = 2_000_000_000..=2_147_483_647;
/// Production's second range.
const PRODUCTION_WIDE: std::ops::RangeInclusive<i64> = 3_000_000_000..=8_999_999_999_999_999;

/// Whose an id is, by its value alone; none for what is never given out, or no number.
pub fn kind_of(id: &str) -> Option<Kind> {
    let number: i64 = id.parse().ok().filter(|number: &i64| number.to_string() == id)?;
    match number {
        _ if SANDBOX.contains(&number) => Some(Kind::Sandbox),
        FIRST..=1_999_999_999 => Some(Kind::Production),
        _ if PRODUCTION_WIDE.contains(&number) => Some(Kind::Production),
        _ => None,
    }
}

/// Ids of an epoch of a Sandbox.
const EPOCH: i64 = 1_000_000;

/// An id of a kind's range that hardly names anything: of a Sandbox, the last one of the epoch that
/// its newest known id is of, as ids of epochs that are over are answered otherwise.
pub fn absent_beside<'a>(kind: Kind, known: impl Iterator<Item = &'a String>) -> String {
    let own = known.filter(|id| kind == Kind::Sandbox && kind_of(id) == Some(kind));
    let newest = own.filter_map(|id| id.parse::<i64>().ok()).max();
    newest.map_or_else(
        || absent(kind).to_owned(),
        |id| (id / EPOCH * EPOCH + EPOCH - 1).min(*SANDBOX.end()).to_string(),
    )
}

/// An id of a kind's range that hardly names anything, for who does not know it.
pub const fn absent(kind: Kind) -> &'static str {
    match kind {
        Kind::Sandbox => "2000000123",
        Kind::Production => "1900000123",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_its_environment() {
        for (id, kind) in [
            ("999999", None),
            ("1000000", Some(Kind::Production)),
            ("1999999999", Some(Kind::Production)),
            ("2000000000", Some(Kind::Sandbox)),
            ("2147483647", Some(Kind::Sandbox)),
            ("2147483648", None),
            ("2999999999", None),
            ("3000000000", Some(Kind::Production)),
            ("9000000000000000", None),
            ("02000000000", None),
            ("-1000000", None),
            ("x", None),
        ] {
            assert_eq!(kind_of(id), kind, "{id}");
        }
    }

    #[test]
    fn an_absent_id_is_of_the_newest_epoch() {
        let beside = |kind, known: &[&str]| {
            let known: Vec<String> = known.iter().map(|id| (*id).to_owned()).collect();
            absent_beside(kind, known.iter())
        };
        let known = ["1000001", "2003000007", "2017500000", "x"];
        assert_eq!(beside(Kind::Sandbox, &known), "2017999999");
        assert_eq!(beside(Kind::Sandbox, &["2147000000"]), "2147483647");
        assert_eq!(beside(Kind::Sandbox, &["1000001"]), "2000000123");
        assert_eq!(beside(Kind::Production, &known), "1900000123");
    }

    #[test]
    fn what_failed_has_refused_nothing() {
        let of = crate::schema::Ref::Named("User".to_owned());
        let field = Field { name: "user".to_owned(), arguments: Vec::new(), of };
        let error = |code: &str| json!({"data": null, "errors": [{"extensions": {"code": code}}]});
        let is = |root, status, answer: Json| is_answered(root, &field, status, &answer);
        for failed in [json!(null), json!({}), error("INTERNAL"), error("WRONG_ENVIRONMENT_ID")] {
            assert!(is(Root::Query, 200, failed.clone()) && is(Root::Mutation, 200, failed));
        }
        let nothing = json!({"data": {"user": null}});
        assert!(!is(Root::Query, 200, nothing.clone()) && is(Root::Query, 503, nothing));
        assert!(is(Root::Query, 200, json!({"data": {"user": {"__typename": "User"}}})));
        let refused = json!({"data": {"user": {"user": null, "messages": [{"field": "id"}]}}});
        assert!(!is(Root::Mutation, 200, refused));
    }
}
