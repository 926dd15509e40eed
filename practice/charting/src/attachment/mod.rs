//! Files of answers and of questions: told of first, sent by a signed link, then attached
//! (behaviour 10.3, 25, 26).

pub mod change;
pub mod copy;
pub mod input;
pub mod receive;
pub mod rules;
pub mod tables;
pub mod visibility;

use ward_store::Cond;

/// The purpose of these files, by which their links find what they are attached to.
pub const PURPOSE: &str = "form_file";

/// Those that are attached; others are on their way.
pub fn attached() -> Cond {
    Cond::not_null("attached_at")
}

/// What has this file.
pub fn holds(blob: &str) -> Cond {
    Cond::eq("blob_id", blob)
}
