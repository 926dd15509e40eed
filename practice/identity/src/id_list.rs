//! Lists of ids as clients send them: a list, a text with commas, or a JSON
//! list in a text (behaviour 21, 45).

use std::collections::HashSet;

use ward_engine::{Answer, FromIn, IdCodec, In, Kind, Refused, last_step, parse_id};
use ward_store::{Entity, Id};

/// So many ids one list can name; one that is sent twice counts twice.
pub const IDS_MAX: usize = 10_000;

/// Ids, each once, in the order in which they came.
#[derive(Clone, Debug, PartialEq)]
pub struct IdList<R>(pub Vec<Id<R>>);

impl<R: Entity> FromIn for IdList<R> {
    const KIND: Kind = Kind::Ids(R::NAME);
    fn from_in(value: &In, at: &str, ids: &IdCodec) -> Answer<Self> {
        let texts = texts(value, at, ids)?;
        if texts.len() > IDS_MAX {
            return Err(Refused::on(last_step(at), format!("At most {IDS_MAX} ids can be named")));
        }
        let mut list: Vec<Id<R>> = Vec::with_capacity(texts.len());
        let mut known = HashSet::with_capacity(texts.len());
        for text in texts {
            let id = parse_id(&text, at, ids)?;
            if known.insert(id) {
                list.push(id);
            }
        }
        Ok(IdList(list))
    }
}

/// Ids, or the word that means all there are.
#[derive(Clone, Debug, PartialEq)]
pub enum AllOr<R> {
    /// `all`.
    All,
    /// These.
    Listed(Vec<Id<R>>),
}

impl<R: Entity> FromIn for AllOr<R> {
    const KIND: Kind = Kind::Ids(R::NAME);
    fn from_in(value: &In, at: &str, ids: &IdCodec) -> Answer<Self> {
        match texts(value, at, ids)?.as_slice() {
            [word] if word.eq_ignore_ascii_case("all") => Ok(AllOr::All),
            _ => IdList::from_in(value, at, ids).map(|list| AllOr::Listed(list.0)),
        }
    }
}

/// The parts of a list in any of its forms, without blank ones.
pub fn texts(value: &In, at: &str, ids: &IdCodec) -> Answer<Vec<String>> {
    let whole = match value {
        In::List(items) => {
            let given = items.iter().filter(|item| !matches!(item, In::Null));
            let texts: Answer<Vec<String>> =
                given.map(|item| String::from_in(item, at, ids)).collect();
            texts?
        }
        single => vec![String::from_in(single, at, ids)?],
    };
    let around = |c: char| c.is_whitespace() || matches!(c, '[' | ']' | '"');
    let parts = whole.iter().flat_map(|text| text.split(','));
    let parts = parts.map(|part| part.trim_matches(around).to_owned());
    Ok(parts.filter(|part| !part.is_empty()).collect())
}
