//! Both instances, and what each of them holds, read once.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::document::document;
use crate::failure::Failure;
use crate::holdings::{Holdings, read_holdings};
use crate::ids::{absent_beside, id_places, refusal_fault, value};
use crate::kind::Kind;
use crate::outline::{Noise, Outline, differ};
use crate::schema::{Field, Root, Schema};
use crate::side::{DENIED, Side, VIEW};
use crate::text::{Secrets, hex};

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
    denied: RefCell<BTreeMap<(Kind, String), bool>>,
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
    /// Whether the two answers differ, each time that they are asked for.
    pub tells: bool,
    /// Whether nothing was tried, as the key's user may not ask the field at all.
    pub is_denied: bool,
}

/// How a foreign id was answered, without the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong with it, if anything.
    pub fault: Option<String>,
    /// All that it tells.
    outline: Outline,
    /// Whether the caller may not, whatever the id.
    is_denied: bool,
}

impl Pair {
    /// Both, as somebody runs them.
    pub fn new(s: Side, p: Side) -> Pair {
        s.look_out_for(&p);
        p.look_out_for(&s);
        Pair {
            s,
            p,
            is_own: false,
            schemas: Default::default(),
            holdings: Default::default(),
            crossings: OnceCell::new(),
            denied: RefCell::default(),
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

    /// An id of one's range that names nothing there, of an epoch that is not over.
    pub fn absent(&self, kind: Kind) -> Result<String, Failure> {
        Ok(absent_beside(kind, self.holdings(kind)?.ids.values().flatten()))
    }

    /// Whether the key's user may not ask a field, whatever stands in it: then nothing that is
    /// tried of it is looked at. A field that is denied only for what was sent is none of these.
    pub fn is_denied(&self, to: &Side, root: Root, field: &Field) -> Result<bool, Failure> {
        let name = (to.kind, field.name.clone());
        if let Some(known) = self.denied.borrow().get(&name) {
            return Ok(*known);
        }
        let call = document(self.schema(to.kind)?, root, field, &self.absent(to.kind)?, None);
        let answer = to.graphql(VIEW, &call.query, &call.variables)?;
        let is_denied = answer.code() == DENIED && answer.json["data"][&field.name].is_null();
        self.denied.borrow_mut().insert(name, is_denied);
        Ok(is_denied)
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
        let own = self.absent(to.kind)?;
        let none = self.absent(from.kind)?;
        let mut noise = Noise::default();
        for (root, field) in schema.roots() {
            if root != Root::Query {
                continue;
            }
            for place in id_places(schema, field).0 {
                let try_id = |id: &str| -> Result<Refusal, Failure> {
                    let meant = value(place.last(), id);
                    let call = document(schema, root, field, &own, Some((&place, meant)));
                    let answer = to.graphql(VIEW, &call.query, &call.variables)?;
                    let fault = refusal_fault(root, field, &place, answer.status, &answer.json);
                    let is_denied = answer.code() == DENIED;
                    Ok(Refusal { fault, outline: Outline::of(&answer, id), is_denied })
                };
                let known = held.id_for(field, from.kind);
                let existing = known.as_deref().map(try_id).transpose()?;
                let absent = try_id(&none)?;
                let both = existing.iter().chain([&absent]).all(|it| it.is_denied);
                let is_denied = both && self.is_denied(to, root, field)?;
                let tells = match (&known, &existing) {
                    // What is no refusal at all is no question of how it is worded.
                    (Some(id), Some(existing)) if existing.fault.is_none() => {
                        let again = || Ok([try_id(id)?.outline, try_id(&none)?.outline]);
                        differ([&existing.outline, &absent.outline], again, &mut noise)?
                    }
                    _ => false,
                };
                let at = format!("{}({})", field.name, place.dotted());
                all.push(Crossing { to: to.kind, at, existing, absent, tells, is_denied });
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
