//! Events that the domain emits (behaviour 14). Ids in extra fields are texts,
//! as in the catalogue's samples; what there is none of is null.

use ward_identity::tables::User;
use ward_store::events::Event;

use crate::tables::AppliedTag;

pub use ward_identity::events::{location_created, location_deleted, location_updated};

/// A client was made.
pub fn patient_created(client_id: i64, unit_id: i64) -> Event {
    Event::new("patient.created", "User", client_id).of_unit(unit_id).about(client_id)
}

/// These columns of a client changed.
pub fn patient_updated(client_id: i64, unit_id: i64, columns: &[&'static str]) -> Event {
    Event::new("patient.updated", "User", client_id)
        .changed(columns)
        .of_unit(unit_id)
        .about(client_id)
}

/// A client was merged into another.
pub fn patient_merged(source: &User, target: &User) -> Event {
    Event::new("patient.merged", "User", target.id.0)
        .with("source_user_id", source.id.0.to_string())
        .with("destination_user_id", target.id.0.to_string())
        .of_unit(target.unit_id.0)
        .about(target.id.0)
}

/// A tag was put on a user.
pub fn applied_tag_created(applied: &AppliedTag, unit_id: i64) -> Event {
    applied_tag("applied_tag.created", applied, unit_id)
}

/// A tag was taken off a user.
pub fn applied_tag_deleted(applied: &AppliedTag, unit_id: i64) -> Event {
    applied_tag("applied_tag.deleted", applied, unit_id)
}

fn applied_tag(kind: &'static str, applied: &AppliedTag, unit_id: i64) -> Event {
    Event::new(kind, "AppliedTag", applied.id.0)
        .with("tag_id", applied.tag_id.0.to_string())
        .with("user_id", applied.user_id.0.to_string())
        .of_unit(unit_id)
        .about(applied.user_id.0)
}
