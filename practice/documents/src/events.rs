//! Events that the domain emits (behaviour 14). Ids in extra fields are texts.

use ward_store::Event;

use crate::tables::{Document, Folder, FolderSharing};

/// A document was uploaded.
pub fn document_created(document: &Document) -> Event {
    about(document, Event::new("document.created", "Document", document.id.0))
}

/// These facts of a document changed.
pub fn document_updated(document: &Document, columns: &[&'static str]) -> Event {
    let event = Event::new("document.updated", "Document", document.id.0);
    about(document, event.changed(columns))
}

/// A document was deleted, and its file with it.
pub fn document_deleted(document: &Document) -> Event {
    about(document, Event::new("document.deleted", "Document", document.id.0))
}

fn about(document: &Document, event: Event) -> Event {
    let event = event.of_unit(document.unit_id.0);
    match document.rel_user_id {
        Some(client) => event.about(client.0),
        None => event,
    }
}

/// A folder was shared with somebody, or with a group.
pub fn folder_sharing_created(folder: &Folder, sharing: &FolderSharing) -> Event {
    sharing_event("folder_sharing.created", folder, sharing)
}

/// A folder is shared with somebody, or a group, no more.
pub fn folder_sharing_deleted(folder: &Folder, sharing: &FolderSharing) -> Event {
    sharing_event("folder_sharing.deleted", folder, sharing)
}

fn sharing_event(kind: &'static str, folder: &Folder, sharing: &FolderSharing) -> Event {
    let user = sharing.user_id.map(|id| id.0.to_string());
    let event = Event::new(kind, "FolderSharing", sharing.id.0)
        .with("folder_id", folder.id.0.to_string())
        .with("user_id", user)
        .of_unit(folder.unit_id.0);
    match folder.rel_user_id {
        Some(client) => event.about(client.0),
        None => event,
    }
}
