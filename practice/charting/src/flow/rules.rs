//! The rules of intake flows, without a database: what a step asks for as clients write it,
//! and what becomes of a step when somebody does it or skips it.

use serde_json::Value as Json;

use super::ITEMS_MAX;
use super::tables::ItemType;

/// What a new step asks for: its type, and the text of the id that came with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The type.
    pub item_type: ItemType,
    /// The form's id, as it was sent.
    pub id: Option<String>,
}

impl ItemType {
    /// The types that are no form of the practice's, in the order in which they are offered.
    pub const FIXED: &'static [ItemType] =
        &[ItemType::WelcomePage, ItemType::InsuranceForm, ItemType::BillingInfo, ItemType::PhotoId];

    /// The type that somebody means: case, underscores and a few other names of the same
    /// are all right.
    pub fn meant(text: &str) -> Option<ItemType> {
        let words: Vec<&str> =
            text.split(|c: char| c.is_whitespace() || c == '_' || c == '-').collect();
        let name: String = words.concat().to_lowercase();
        match name.as_str() {
            "moduleform" | "custommoduleform" | "cmf" => Some(ItemType::ModuleForm),
            "welcomepage" | "welcome" | "welcomemessage" => Some(ItemType::WelcomePage),
            "insuranceform" | "insurance" | "policy" => Some(ItemType::InsuranceForm),
            "billinginfo" | "card" | "creditcard" => Some(ItemType::BillingInfo),
            "photoid" => Some(ItemType::PhotoId),
            _ => None,
        }
    }
}

/// What `createOnboardingItem(item_type:)` asks for: a plain type with the id of its own
/// argument, or a JSON object or list of `{"type": …, "id": …}` in a text (behaviour 27).
/// A sentence where it is none of them.
pub fn asked(item_type: &str, item_id: Option<&str>) -> Result<Vec<Asked>, String> {
    let text = item_type.trim();
    if !text.starts_with(['{', '[']) {
        return Ok(vec![one(text, item_id.map(str::to_owned))?]);
    }
    let json: Json = serde_json::from_str(text).map_err(|_| {
        r#"item_type must be JSON such as {"type":"Module Form","id":"31"}"#.to_owned()
    })?;
    let list = match json {
        Json::Array(list) => list,
        single => vec![single],
    };
    if list.is_empty() || list.len() > ITEMS_MAX {
        return Err(format!("item_type must name 1 to {ITEMS_MAX} steps"));
    }
    list.iter().map(of_json).collect()
}

fn of_json(json: &Json) -> Result<Asked, String> {
    let item_type = json.get("type").and_then(Json::as_str);
    let id = match json.get("id") {
        Some(Json::String(text)) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Some(Json::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    match item_type {
        Some(text) => one(text, id),
        None => Err("Each step in item_type needs a type, such as \"Module Form\"".to_owned()),
    }
}

fn one(text: &str, id: Option<String>) -> Result<Asked, String> {
    let Some(item_type) = ItemType::meant(text) else {
        return Err(format!("item_type must be one of {}", ItemType::TEXTS.join(", ")));
    };
    // `availableItemTypes` offers some types by their own names.
    let fixed = id.as_deref().and_then(ItemType::meant).filter(|it| ItemType::FIXED.contains(it));
    match fixed.unwrap_or(item_type) {
        ItemType::ModuleForm if id.is_none() => {
            Err("A step that asks for a form needs its id".to_owned())
        }
        ItemType::ModuleForm => Ok(Asked { item_type, id }),
        // What is no form of the practice's has no id.
        item_type => Ok(Asked { item_type, id: None }),
    }
}

/// What somebody would have become of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deed {
    /// Skipped, rather than done.
    pub skips: bool,
    /// By the client, rather than the staff.
    pub is_clients: bool,
    /// Whether the client has finished the form that the step asks for; true where it asks
    /// for none.
    pub is_filled: bool,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is written down, for the first time.
    Begins,
    /// It was skipped, and is done now.
    Completes,
    /// It stays as it was.
    Stays,
    /// It can't be skipped.
    MayNotSkip,
    /// The form comes first.
    FormFirst,
}

/// What becomes of a step that is `skippable` and of which `before` is written down: whether
/// it was skipped. Done is done; what was skipped can be done still. Staff may say that a
/// step is done whose form they have on paper; clients fill it in.
pub fn outcome(skippable: bool, before: Option<bool>, deed: Deed) -> Outcome {
    match (before, deed.skips) {
        (Some(false), _) | (Some(true), true) => Outcome::Stays,
        (None, true) if !skippable => Outcome::MayNotSkip,
        (None, true) => Outcome::Begins,
        (_, false) if deed.is_clients && !deed.is_filled => Outcome::FormFirst,
        (Some(true), false) => Outcome::Completes,
        (None, false) => Outcome::Begins,
    }
}

/// How far a client came with a step, by the contract's words.
pub fn status(is_completed: bool, is_begun: bool) -> &'static str {
    match (is_completed, is_begun) {
        (true, _) => "completed",
        (false, true) => "incomplete",
        (false, false) => "not_started",
    }
}

/// Whether there is something to fill in behind the greeting.
pub fn has_forms_after_welcome(types: &[ItemType]) -> bool {
    let rest = match types.iter().position(|it| *it == ItemType::WelcomePage) {
        Some(at) => types.get(at + 1..).unwrap_or_default(),
        None => types,
    };
    rest.iter().any(|it| *it != ItemType::WelcomePage)
}

/// The last of the steps, or of those that ask for a form of the practice's.
pub fn last(steps: &[(i64, ItemType)], forms_only: bool) -> Option<i64> {
    let counts = |it: &&(i64, ItemType)| !forms_only || it.1 == ItemType::ModuleForm;
    steps.iter().rfind(counts).map(|(id, _)| *id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(item_type: ItemType, id: Option<&str>) -> Asked {
        Asked { item_type, id: id.map(str::to_owned) }
    }

    #[test]
    fn what_a_step_asks_for_is_read_as_clients_write_it() {
        let form = named(ItemType::ModuleForm, Some("31"));
        for (text, id) in [
            ("custom_module_form", Some("31")),
            ("Module Form", Some("31")),
            (r#"{"type":"Module Form","id":"31"}"#, None),
            (r#" [{"type":"Module Form","id":31}] "#, None),
        ] {
            assert_eq!(asked(text, id), Ok(vec![form.clone()]), "{text}");
        }
        let two = r#"[{"type":"Welcome Page"},{"type":"Insurance Form","id":""}]"#;
        let wanted = vec![named(ItemType::WelcomePage, None), named(ItemType::InsuranceForm, None)];
        assert_eq!(asked(two, None), Ok(wanted));
        // As `availableItemTypes` names what is no form.
        let offered = r#"{"type":"Module Form","id":"Photo ID"}"#;
        assert_eq!(asked(offered, None), Ok(vec![named(ItemType::PhotoId, None)]));
    }

    #[test]
    fn what_is_no_step_is_told() {
        for (text, id) in [
            ("Module Form", None),
            ("Horoscope", None),
            ("{", None),
            ("[]", None),
            (r#"[{"id":"31"}]"#, None),
            (r#"{"type":"Module Form","id":{}}"#, None),
        ] {
            assert!(asked(text, id).is_err(), "{text}");
        }
        let many = vec![r#"{"type":"Welcome Page"}"#; ITEMS_MAX + 1].join(",");
        assert!(asked(&format!("[{many}]"), None).is_err());
    }

    #[test]
    fn every_type_is_read_by_its_own_name() {
        for text in ItemType::TEXTS {
            assert_eq!(ItemType::meant(text).map(ItemType::as_str), Some(*text));
        }
        let fixed = ItemType::FIXED.len() + 1;
        assert_eq!(fixed, ItemType::TEXTS.len(), "a type is a form, or fixed");
    }

    #[test]
    fn what_cant_be_skipped_isnt_and_what_is_done_stays_done() {
        let deed = |skips| Deed { skips, is_clients: true, is_filled: true };
        for (skippable, before, skips, wanted) in [
            (false, None, true, Outcome::MayNotSkip),
            (true, None, true, Outcome::Begins),
            (false, None, false, Outcome::Begins),
            (true, Some(true), false, Outcome::Completes),
            (true, Some(true), true, Outcome::Stays),
            (true, Some(false), true, Outcome::Stays),
            (false, Some(false), true, Outcome::Stays),
            (false, Some(false), false, Outcome::Stays),
            // It could be skipped when it was.
            (false, Some(true), true, Outcome::Stays),
        ] {
            let got = outcome(skippable, before, deed(skips));
            assert_eq!(got, wanted, "{skippable} {before:?} {skips}");
        }
    }

    #[test]
    fn a_client_fills_in_what_staff_may_have_on_paper() {
        let deed = |is_clients| Deed { skips: false, is_clients, is_filled: false };
        assert_eq!(outcome(false, None, deed(true)), Outcome::FormFirst);
        assert_eq!(outcome(true, Some(true), deed(true)), Outcome::FormFirst);
        assert_eq!(outcome(false, None, deed(false)), Outcome::Begins);
        assert_eq!(outcome(true, Some(true), deed(false)), Outcome::Completes);
    }

    #[test]
    fn the_last_step_and_what_comes_after_the_greeting() {
        use ItemType::{InsuranceForm, ModuleForm, WelcomePage};
        let steps = [(1, WelcomePage), (2, ModuleForm), (3, InsuranceForm)];
        assert_eq!(last(&steps, false), Some(3));
        assert_eq!(last(&steps, true), Some(2));
        assert_eq!(last(&[], true), None);
        assert!(has_forms_after_welcome(&[WelcomePage, ModuleForm]));
        assert!(has_forms_after_welcome(&[InsuranceForm]));
        assert!(!has_forms_after_welcome(&[WelcomePage]));
        assert!(!has_forms_after_welcome(&[ModuleForm, WelcomePage]));
    }
}
