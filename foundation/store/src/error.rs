//! What can go wrong in the store. No text here holds a value of a row.

use std::panic::Location;

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another writer changed the row first (optimistic lock, serialization
    /// failure after all retries): the caller may try again.
    #[error("the record was changed by another request at the same time; read it again and retry")]
    Conflict,
    /// Whoever writes was looked up in a world that is not there any more: the Sandbox was emptied
    /// or went back since (see [`crate::Db::in_world`]). Nothing was begun.
    #[error("the Sandbox was emptied or went back meanwhile; nothing was written")]
    OtherWorld,
    /// A uniqueness rule refused the row; the rule's table and columns.
    #[error("a uniqueness rule of {0} refused the record")]
    Unique(String),
    /// Another rule of the schema refused the row (CHECK, foreign key, NOT NULL).
    #[error("a rule of the database refused the record: {0}")]
    Constraint(String),
    /// The disk is full or the database is read-only: reads go on, writes wait.
    #[error("the database can't write: {0}")]
    Full(String),
    /// The database can't be reached or answered too late.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// The database is not this instance's (ISO-02, ISO-07).
    #[error("{0}")]
    Foreign(ward_instance::IsoError),
    /// A stored row does not decode, a sealed column does not open, a MAC does
    /// not verify.
    #[error("{table}: a stored row fails its check: {what}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// Which check.
        what: String,
    },
    /// A defect of ours.
    #[error("internal: {what} ({place})")]
    Internal {
        /// What happened, without values.
        what: String,
        /// Where it was noticed.
        place: &'static Location<'static>,
    },
}

impl StoreError {
    /// A defect of ours, with the place that noticed it.
    #[track_caller]
    pub fn internal(what: impl Into<String>) -> Self {
        StoreError::Internal { what: what.into(), place: Location::caller() }
    }

    /// A row that fails its check.
    pub fn corrupt(table: &'static str, what: impl Into<String>) -> Self {
        StoreError::Corrupt { table, what: what.into() }
    }
}
