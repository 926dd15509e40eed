//! What an instance answers to who only reads: ids and cursors.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};

use crate::failure::Failure;
use crate::ids::{CODES, kind_of};
use crate::kind::Kind;
use crate::schema::{Field, Input, Ref, Root, Schema};
use crate::side::Side;

/// What an instance answers to who only reads.
#[derive(Debug, Default)]
pub struct Holdings {
    /// Ids by the type of their object.
    pub ids: BTreeMap<String, BTreeSet<String>>,
    /// A cursor of each list that has one.
    pub cursors: Vec<Cursor>,
    /// Types that were read: what the key's user may not see is not among them.
    pub read: BTreeSet<String>,
}

impl Holdings {
    /// The first id of a type, empty when there is none.
    pub fn one(&self, of: &str) -> &str {
        self.ids.get(of).and_then(BTreeSet::first).map_or("", String::as_str)
    }

    /// Whether a cursor holds no more than ids that were read: cursors are text with a seal, and by
    /// their order also hold names.
    pub fn tells_only_ids(&self, cursor: &str) -> bool {
        let text = STANDARD.decode(cursor).unwrap_or_default();
        let Ok(Json::Object(cursor)) = serde_json::from_slice(&text) else { return false };
        let seal = cursor.get("m").and_then(Json::as_str);
        let is_known = |key: &Json| match key {
            Json::Null => true,
            Json::String(key) => self.ids.values().any(|ids| ids.contains(key)),
            _ => false,
        };
        let keys = cursor.get("k").and_then(Json::as_array);
        cursor.len() == 2
            && seal.is_some_and(|it| it.len() <= SEAL_MAX)
            && keys.is_some_and(|keys| keys.iter().all(is_known))
    }

    /// An id that names something, of the type that the field answers where one is known; only of
    /// the kind's own range: others are the concern of the check of ranges.
    pub fn id_for(&self, field: &Field, kind: Kind) -> Option<String> {
        let own = |ids: &BTreeSet<String>| {
            ids.iter().find(|id| kind_of(id) == Some(kind)).map(String::to_owned)
        };
        let same_type = self.ids.get(field.of.name()).and_then(own);
        same_type
            .or_else(|| self.ids.get("User").and_then(own))
            .or_else(|| self.ids.values().find_map(own))
    }
}

/// Where a page of a list ended.
#[derive(Debug)]
pub struct Cursor {
    /// The list.
    pub list: String,
    /// Its further arguments: a cursor is of one order.
    pub sort: &'static str,
    /// The cursor.
    pub text: String,
}

/// Characters of a cursor's seal, at most.
const SEAL_MAX: usize = 64;

/// Reads them with the own key.
pub fn read_holdings(side: &Side, schema: &Schema) -> Result<Holdings, Failure> {
    let mut held = Holdings::default();
    for (root, field) in schema.roots() {
        let needs = field.arguments.iter().any(|it| it.of.is_required() && !it.has_default);
        if root != Root::Query || needs {
            continue;
        }
        let Some(reading) = Reading::of(schema, field) else { continue };
        if CODES.iter().any(|(of, _)| *of == reading.of) {
            continue;
        }
        let Some(data) = side.read(&reading.query, &json!({}))? else { continue };
        let answer = &data[&field.name];
        if answer.is_null() && (reading.is_page || field.of.is_list()) {
            continue;
        }
        held.read.insert(reading.of.clone());
        let single = [answer.clone()];
        let objects = match answer {
            Json::Array(items) => items.as_slice(),
            page if reading.is_page => {
                page["nodes"].as_array().map(Vec::as_slice).unwrap_or_default()
            }
            _ => &single,
        };
        for object in objects {
            let id = match &object["id"] {
                Json::String(id) => id.clone(),
                Json::Number(id) => id.to_string(),
                _ => continue,
            };
            held.ids.entry(reading.of.clone()).or_default().insert(id);
        }
        if let Some(cursor) = answer["page_info"]["end_cursor"].as_str() {
            let (list, text) = (field.name.clone(), cursor.to_owned());
            held.cursors.push(Cursor { list, sort: reading.sort, text });
        }
    }
    Ok(held)
}

/// How a root field is read for the ids in it.
struct Reading {
    query: String,
    of: String,
    sort: &'static str,
    is_page: bool,
}

impl Reading {
    fn of(schema: &Schema, field: &Field) -> Option<Reading> {
        let fields_of = |of: &Ref| schema.named(of).fields.iter();
        let has = |of: &Ref, name: &str| fields_of(of).any(|field| field.name == name);
        let name = &field.name;
        if let Some(nodes) = fields_of(&field.of).find(|field| field.name == "nodes") {
            let takes_first = field.arguments.iter().any(|it| it.name == "first");
            let page = has(&field.of, "page_info").then_some("page_info { end_cursor }");
            let is_readable = takes_first && has(&nodes.of, "id");
            // By their ids, where a list can be had so: then its cursor holds no more than one.
            let is_sort = |it: &Input| it.name == "sort_by" && it.of.name() == "String";
            let is_sorted = field.arguments.iter().any(is_sort);
            let sort = if is_sorted { ", sort_by: \"UNSORTED\"" } else { "" };
            return is_readable.then(|| Reading {
                query: format!(
                    "{{ {name}(first: 50{sort}) {{ {} nodes {{ id }} }} }}",
                    page.unwrap_or_default()
                ),
                of: nodes.of.name().to_owned(),
                sort,
                is_page: true,
            });
        }
        has(&field.of, "id").then(|| Reading {
            query: format!("{{ {name} {{ id }} }}"),
            of: field.of.name().to_owned(),
            sort: "",
            is_page: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_with_more_than_ids_is_told() {
        let ids = BTreeMap::from([("User".to_owned(), BTreeSet::from(["1000007".to_owned()]))]);
        let held = Holdings { ids, ..Holdings::default() };
        let is = |cursor: Json| held.tells_only_ids(&STANDARD.encode(cursor.to_string()));
        assert!(is(json!({"k": ["1000007"], "m": "seal"})));
        assert!(is(json!({"k": [null, "1000007"], "m": "seal"})));
        for more in [
            json!({"k": ["meier", "1000007"], "m": "seal"}),
            json!({"k": ["#1764201600", "1000007"], "m": "seal"}),
            json!({"k": ["1000008"], "m": "seal"}),
            json!({"k": ["1000007"], "m": "x".repeat(100)}),
            json!({"k": ["1000007"], "m": "seal", "n": "meier"}),
            json!({"k": [["meier"]], "m": "seal"}),
            json!([]),
        ] {
            assert!(!is(more.clone()), "{more}");
        }
        assert!(!held.tells_only_ids("meier") && !held.tells_only_ids(""));
    }
}
