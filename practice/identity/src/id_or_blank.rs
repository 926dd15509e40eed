//! An id that clients also send as an empty text.

use ward_engine::{Answer, FromIn, Given, IdCodec, In, Kind, parse_id};
use ward_store::{Entity, Id};

/// An id, or an empty text, which means none.
#[derive(Clone, Debug, PartialEq)]
pub struct IdOrBlank<R>(pub Option<Id<R>>);

impl<R: Entity> FromIn for IdOrBlank<R> {
    const KIND: Kind = Kind::Id(R::NAME);
    fn from_in(value: &In, at: &str, ids: &IdCodec) -> Answer<Self> {
        let text = String::from_in(value, at, ids)?;
        match text.trim() {
            "" => Ok(IdOrBlank(None)),
            text => parse_id(text, at, ids).map(Some).map(IdOrBlank),
        }
    }
}

/// The id that was sent, if any.
pub fn named<R>(given: &Given<IdOrBlank<R>>) -> Option<Id<R>> {
    given.value().and_then(|id| id.0)
}
