//! Who opened a document: fetching its link adds a viewing (behaviour 10).

use ward_identity::tables::{Organization, User};
use ward_store::{Cond, Id, Scope, StoreError};

use crate::tables::{Document, DocumentViewing};

/// The purpose of documents' files, by which their links find the document.
pub const PURPOSE: &str = "document";
/// Seconds for which a link is good.
pub const LINK_SECONDS: i64 = 10;

/// The document whose file this is.
pub fn holds(blob: &str) -> Cond {
    Cond::eq("file_id", blob)
}

/// Notes that the caller opened the document: who acts for a client, and not the client (DOM-35).
pub async fn record(scope: &mut Scope<'_>, id: i64, unit_id: i64) -> Result<(), StoreError> {
    let reader = scope.actor.proxy_id.unwrap_or(scope.actor.user_id);
    let row = DocumentViewing {
        id: scope.next_id().await?,
        org_id: Id::<Organization>::new(scope.actor.org_id),
        unit_id: Id::<Organization>::new(unit_id),
        document_id: Id::<Document>::new(id),
        user_id: Id::<User>::new(reader),
        viewed_at: scope.now(),
    };
    scope.create(&row).await
}
