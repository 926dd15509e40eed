//! Both instances, and what each of them holds, read once.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use crate::document::document;
use crate::failure::Failure;
use crate::ids::{CODES, absent, id_places, kind_of, refusal_fault, value};
use crate::kind::Kind;
use crate::schema::{Field, Ref, Root, Schema};
use crate::side::{Side, VIEW};
use crate::text::{Secrets, hex};
use crate::wire::Answer;

/// Both.
pub struct Pair {
    /// The Sandbox.
    pub s: Side,
    /// The Production.
    pub p: Side,
    /// Whether both were made for this run: nobody's data is in them, and no link is live.
    pub is_own: bool,
    schemas: [OnceCell<Schema>; 2],
    holdings: [OnceCell<Holdings>; 2],
    crossings: OnceCell<Vec<Crossing>>,
}

/// What an instance answers to who only reads.
#[derive(Debug, Default)]
pub struct Holdings {
    /// Ids by the type of their object.
    pub ids: BTreeMap<String, BTreeSet<String>>,
    /// A cursor of each list that has one.
    pub cursors: Vec<(String, String)>,
}

/// An id of the one, given to the other.
pub struct Crossing {
    /// Who was asked.
    pub to: Kind,
    /// The operation, and where the id stood.
    pub at: String,
    /// What an id that names something is answered; none where none was known.
    pub existing: Option<Refusal>,
    /// What one that names nothing is answered.
    pub absent: Refusal,
}

/// How a foreign id was answered, without the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong with it, if anything.
    pub fault: Option<String>,
    /// A digest of all that it tells, but for the id that was sent and what is each answer's own.
    pub outline: String,
}

/// Digests an answer.
fn outline(answer: &Answer, id: &str) -> String {
    const OWN: [&str; 3] = ["date", "x-request-id", "content-length"];
    let counted = answer.headers.iter().filter(|(name, _)| !OWN.contains(&name.as_str()));
    let headers: BTreeSet<String> =
        counted.map(|(name, value)| format!("{name}: {value:?}")).collect();
    let told = format!("{} {headers:?} {}", answer.status, answer.text.replace(id, "ID"));
    hex(ring::digest::digest(&ring::digest::SHA256, told.as_bytes()).as_ref())
}

impl Pair {
    /// Both, as somebody runs them.
    pub fn new(s: Side, p: Side) -> Pair {
        Pair {
            s,
            p,
            is_own: false,
            schemas: Default::default(),
            holdings: Default::default(),
            crossings: OnceCell::new(),
        }
    }

    /// Both, made for this run and gone after it.
    pub fn own(s: Side, p: Side) -> Pair {
        Pair { is_own: true, ..Pair::new(s, p) }
    }

    /// The one of a kind.
    pub fn of(&self, kind: Kind) -> &Side {
        match kind {
            Kind::Sandbox => &self.s,
            Kind::Production => &self.p,
        }
    }

    /// What must not stand in a report: their keys and sessions.
    pub fn secrets(&self) -> Secrets {
        let of = |side: &Side| [Some(side.key.clone()), side.session.clone()];
        Secrets::of([&self.s, &self.p].into_iter().flat_map(of).flatten())
    }

    /// Each as the one that is asked, with the other.
    pub fn ways(&self) -> [(&Side, &Side); 2] {
        [(&self.s, &self.p), (&self.p, &self.s)]
    }

    /// The schema that one of them serves in the newer view.
    pub fn schema(&self, kind: Kind) -> Result<&Schema, Failure> {
        let cell = &self.schemas[kind as usize];
        if cell.get().is_none() {
            let _ = cell.set(self.of(kind).schema(VIEW)?);
        }
        cell.get().ok_or_else(|| Failure::internal("what was read is gone"))
    }

    /// What one of them holds.
    pub fn holdings(&self, kind: Kind) -> Result<&Holdings, Failure> {
        let cell = &self.holdings[kind as usize];
        if cell.get().is_none() {
            let read = read_holdings(self.of(kind), self.schema(kind)?)?;
            let _ = cell.set(read);
        }
        cell.get().ok_or_else(|| Failure::internal("what was read is gone"))
    }

    /// Every id argument of every query, tried with ids of the other.
    pub fn crossings(&self) -> Result<&[Crossing], Failure> {
        if self.crossings.get().is_none() {
            let mut all = Vec::new();
            for (to, from) in self.ways() {
                self.cross(to, from, &mut all)?;
            }
            let _ = self.crossings.set(all);
        }
        Ok(self.crossings.get().map(Vec::as_slice).unwrap_or_default())
    }

    fn cross(&self, to: &Side, from: &Side, all: &mut Vec<Crossing>) -> Result<(), Failure> {
        let schema = self.schema(to.kind)?;
        let held = self.holdings(from.kind)?;
        for (root, field) in schema.roots() {
            if root != Root::Query {
                continue;
            }
            for place in id_places(schema, field).0 {
                let try_id = |id: &str| -> Result<Refusal, Failure> {
                    let meant = value(place.last(), id);
                    let own = absent(to.kind);
                    let call = document(schema, root, field, own, Some((&place, meant)));
                    let answer = to.graphql(VIEW, &call.query, &call.variables)?;
                    let fault = refusal_fault(root, field, &place, answer.status, &answer.json);
                    Ok(Refusal { fault, outline: outline(&answer, id) })
                };
                let known = held.id_for(field, from.kind);
                let existing = known.map(|id| try_id(&id)).transpose()?;
                let absent = try_id(absent(from.kind))?;
                let at = format!("{}({})", field.name, place.dotted());
                all.push(Crossing { to: to.kind, at, existing, absent });
            }
        }
        Ok(())
    }

    /// Both, as the report names them.
    pub fn json(&self) -> Json {
        let side = |side: &Side| {
            let addresses: Vec<String> =
                side.door.addresses.iter().map(ToString::to_string).collect();
            let key = side.door.tls_key.borrow();
            let digest = key
                .as_ref()
                .map(|key| hex(ring::digest::digest(&ring::digest::SHA256, key).as_ref()));
            json!({
                "url": side.door.url.as_str().trim_end_matches('/'),
                "instance": side.tag,
                "addresses": addresses,
                "tls_key_sha256": digest,
            })
        };
        json!({"sandbox": side(&self.s), "production": side(&self.p)})
    }
}

impl Holdings {
    /// The first id of a type, empty when there is none.
    pub fn one(&self, of: &str) -> &str {
        self.ids.get(of).and_then(BTreeSet::first).map_or("", String::as_str)
    }

    /// An id that names something, of the type that the field answers where one is known; only of
    /// the kind's own range: others are the concern of the check of ranges.
    fn id_for(&self, field: &Field, kind: Kind) -> Option<String> {
        let own = |ids: &BTreeSet<String>| {
            ids.iter().find(|id| kind_of(id) == Some(kind)).map(String::to_owned)
        };
        let same_type = self.ids.get(field.of.name()).and_then(own);
        same_type
            .or_else(|| self.ids.get("User").and_then(own))
            .or_else(|| self.ids.values().find_map(own))
    }
}

fn read_holdings(side: &Side, schema: &Schema) -> Result<Holdings, Failure> {
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
        let data = side.read(&reading.query, &json!({}))?;
        let answer = &data[&field.name];
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
            held.cursors.push((field.name.clone(), cursor.to_owned()));
        }
    }
    Ok(held)
}

/// How a root field is read for the ids in it.
struct Reading {
    query: String,
    of: String,
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
            return is_readable.then(|| Reading {
                query: format!(
                    "{{ {name}(first: 50) {{ {} nodes {{ id }} }} }}",
                    page.unwrap_or_default()
                ),
                of: nodes.of.name().to_owned(),
                is_page: true,
            });
        }
        has(&field.of, "id").then(|| Reading {
            query: format!("{{ {name} {{ id }} }}"),
            of: field.of.name().to_owned(),
            is_page: false,
        })
    }
}
