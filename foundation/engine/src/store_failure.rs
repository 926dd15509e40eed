//! What is told of a failure of the store.

use ward_store::{Role, StoreError};

use crate::call::Request;
use crate::outcome::RequestError;

/// What a failure of the store left undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Undone {
    /// All that was asked.
    Request,
    /// One field, behind others that are committed.
    Field,
}

impl Undone {
    /// The first, or the second of a field.
    const fn said(self, request: &'static str, field: &'static str) -> &'static str {
        match self {
            Undone::Request => request,
            Undone::Field => field,
        }
    }
}

/// What is shown of a failure of the store, and the status it makes.
pub(crate) fn store_error(
    error: &StoreError,
    request: &Request,
    undone: Undone,
) -> (u16, RequestError) {
    let unchanged = undone.said("Nothing was changed", "This field changed nothing");
    match error {
        StoreError::Full(_) | StoreError::Unavailable(_) => (
            503,
            RequestError::coded(
                "UNAVAILABLE",
                format!(
                    "The database or the file store can't take this request now. {unchanged}; retry in a moment."
                ),
            ),
        ),
        StoreError::Conflict => (
            409,
            RequestError::coded(
                "CONFLICT",
                format!(
                    "Another request with the same key or record is still at work. {unchanged}; retry in a moment."
                ),
            ),
        ),
        StoreError::OtherWorld => {
            (200, RequestError::coded("UNAUTHENTICATED", other_world(request, undone)))
        }
        StoreError::Foreign(_) => (
            503,
            RequestError::coded(
                "UNAVAILABLE",
                "The database is not this instance's. Nothing was read or changed.",
            ),
        ),
        other => {
            tracing::error!(request = %request.request_id, error = %other, "a request failed");
            (500, RequestError::coded("INTERNAL", "Internal server error"))
        }
    }
}

/// As for a credential of which nothing is known (behaviour 3.5): where the caller is still somebody,
/// the next request is served. Who sent none has none that is invalid.
fn other_world(request: &Request, undone: Undone) -> String {
    let not_done = undone.said("nothing was executed", "this field was not executed");
    let happened = "Sandbox was emptied or went back to a snapshot meanwhile";
    match request.actor.role {
        Role::Anonymous => format!("The {happened}; {not_done}"),
        _ => format!("API Key is Invalid: the {happened}; {not_done}"),
    }
}
