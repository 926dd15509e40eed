//! Uploading, changing and deleting documents (behaviour 31).

use std::sync::Arc;

use ward_clients::access::seen_user;
use ward_clients::feature_toggle::{self, Switch};
use ward_engine::{Answer, Call, Given, Payload, Refused, Request, Returns};
use ward_identity::flags::{ALLOW_GROUP_LEVEL_ACTIONS, CAN_EDIT_DOCS};
use ward_identity::id_or_blank::named;
use ward_identity::permit::{members_only, requires};
use ward_identity::picture;
use ward_identity::tables::User;
use ward_store::{Id, Json, Level, blobs};

use crate::document_input::{
    CreateDocument, DeleteDocument, PreparedCreate, TEXT_CHARS_MAX, UpdateDocument, check,
};
use crate::sharing::{self, Item};
use crate::tables::{DOCUMENTS, Document, Folder};
use crate::{document_input, events, folder, viewing};

/// What the mutations answer.
pub const RETURNS: &[(&str, Returns)] = &[("document", Returns::One(&DOCUMENTS))];

/// The files of one client's uploads together, with those deleted within a day: so no
/// client uses up the storage of the practice.
pub const CLIENT_BYTES_MAX: i64 = 500 << 20;

/// What happens before the transaction: a client whom the practice shows no documents
/// uploads none.
pub async fn prepare(request: Arc<Request>, input: CreateDocument) -> Answer<PreparedCreate> {
    if request.actor.is_client() {
        let (org_id, client) = (request.actor.org_id, request.actor.user_id);
        let mut reader = request.db.read().await?;
        if !feature_toggle::is_on(&mut reader, org_id, client, Switch::Documents).await? {
            return Err(Refused::base("Your practice has switched documents off"));
        }
    }
    document_input::prepare_create(request, input).await
}

/// Uploads a document: a member theirs, perhaps about a client; a client one about
/// themselves, which is in their chart.
pub async fn create(call: &mut Call<'_>, prepared: &PreparedCreate) -> Answer<Payload> {
    let input = &prepared.input;
    check(&input.display_name, &input.description, &input.metadata).check()?;
    let place = Place::of(call, input).await?;
    let owner = Id::new(call.actor.user_id);
    let file = &prepared.file;
    let file_id = picture::register(call, file, place.unit_id.0, owner.0, viewing::PURPOSE).await?;
    check_client_quota(call).await?;
    let now = call.now();
    let title = input.display_name.trimmed().unwrap_or(&file.file_name);
    let document = Document {
        id: call.next_id().await?,
        org_id: Id::new(call.actor.org_id),
        unit_id: place.unit_id,
        owner_id: owner,
        rel_user_id: place.client,
        folder_id: place.folder,
        file_id,
        display_name: title.to_owned(),
        file_name: file.file_name.clone(),
        file_content_type: file.content_type().to_owned(),
        byte_size: file.byte_size(),
        printed_of: None,
        printed_confidential: None,
        disclosure_consent_id: None,
        description: input.description.trimmed().map(str::to_owned),
        internal_notes: None,
        metadata: input.metadata.trimmed().map(|text| Json(text.to_owned())),
        include_in_charting: input.include_in_charting.is_true() || call.actor.is_client(),
        shared_on_welcome: false,
        shared_with_dietitians: input.org_level.is_true(),
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    call.create(&document).await?;
    share(call, input, &document).await?;
    call.emit(events::document_created(&document));
    Ok(Payload::new().one("document", document.id.0))
}

/// Where a new document belongs.
struct Place {
    unit_id: Id<ward_identity::tables::Organization>,
    client: Option<Id<User>>,
    folder: Option<Id<Folder>>,
}

impl Place {
    async fn of(call: &mut Call<'_>, input: &CreateDocument) -> Answer<Self> {
        let own = call.actor.is_client().then(|| Id::new(call.actor.user_id));
        let mut client = named(&input.rel_user_id).or(own);
        if own.is_some() && client != own {
            return Err(Refused::not_found("rel_user_id"));
        }
        if own.is_none() {
            members_only(call.actor)?;
        }
        if input.org_level.is_true() {
            requires(call.actor, CAN_EDIT_DOCS)?;
        }
        let mut folder = None;
        if let Some(id) = named(&input.folder_id) {
            let found = folder::to_put_in(call, id, "folder_id").await?;
            client = client.or(found.rel_user_id);
            folder::check_same_client(&found, client, "folder_id")?;
            folder = Some(found.id);
        }
        let unit_id = match client {
            Some(id) => {
                call.scope.subject_id = Some(id.0);
                client_seen(call, id, "rel_user_id").await?.unit_id
            }
            None => Id::new(call.actor.unit_id),
        };
        Ok(Place { unit_id, client, folder })
    }
}

/// A client whom the caller sees.
pub async fn client_seen(call: &mut Call<'_>, id: Id<User>, at: &str) -> Answer<User> {
    let user = seen_user(call, id, at).await?;
    match user.is_patient {
        true => Ok(user),
        false => Err(Refused::on(at, "A document can only be about a client")),
    }
}

async fn check_client_quota(call: &mut Call<'_>) -> Answer<()> {
    if !call.actor.is_client() {
        return Ok(());
    }
    let (org_id, owner) = (call.actor.org_id, call.actor.user_id);
    let bytes = picture::bytes_of(call.scope.tx, org_id, owner, viewing::PURPOSE).await?;
    match bytes > CLIENT_BYTES_MAX {
        true => Err(Refused::base(format!(
            "Your documents can be at most {} MiB together; those deleted count for a day",
            CLIENT_BYTES_MAX >> 20
        ))),
        false => Ok(()),
    }
}

/// Shares a new document with whom its input names. A client shares with nobody.
async fn share(call: &mut Call<'_>, input: &CreateDocument, document: &Document) -> Answer<()> {
    let item = Item::Document(document);
    if let Some(list) = input.share_users.value().filter(|list| !list.0.is_empty()) {
        members_only(call.actor)?;
        sharing::share_with_all(call, item, &list.0, "share_users").await?;
    }
    let lists = [(&input.clients_ids, "clients_ids"), (&input.provider_ids, "provider_ids")];
    for (list, at) in lists {
        let Some(list) = list.value().filter(|list| !list.0.is_empty()) else { continue };
        members_only(call.actor)?;
        sharing::check_count(list.0.len(), at)?;
        for id in &list.0 {
            sharing::share_with(call, item, *id, at).await?;
        }
    }
    let with_rel = input.share_with_rel.is_true() && !call.actor.is_client();
    if with_rel {
        sharing::set_rel(call, item, true).await?;
    }
    Ok(())
}

/// A document that the caller sees and may change, locked.
pub async fn to_change(call: &mut Call<'_>, id: Option<Id<Document>>) -> Answer<Document> {
    members_only(call.actor)?;
    let document = seen(call, id).await?;
    sharing::check_may_edit(call.actor, document.owner_id)?;
    Ok(document)
}

/// A document that the caller sees, locked.
pub async fn seen(call: &mut Call<'_>, id: Option<Id<Document>>) -> Answer<Document> {
    let id = id.ok_or_else(|| Refused::not_found("id"))?;
    let found = call.visible_for_update(id, Level::Full).await?;
    let (document, _) = found.ok_or_else(|| Refused::not_found("id"))?;
    call.scope.subject_id = document.rel_user_id.map(|id| id.0);
    Ok(document)
}

/// Changes what is said of a document, where it is and whom it is shared with; never
/// its content.
pub async fn update(call: &mut Call<'_>, input: &UpdateDocument) -> Answer<Payload> {
    let before = to_change(call, input.id.value().copied()).await?;
    let mut problems = check(&input.display_name, &input.description, &input.metadata);
    ward_clients::rules::not_emptied("display_name", &input.display_name, &mut problems);
    let notes = &input.internal_notes;
    ward_clients::rules::bounded("internal_notes", notes, TEXT_CHARS_MAX, &mut problems);
    problems.check()?;
    let mut after = before.clone();
    write(input, &mut after);
    move_to(call, input, &before, &mut after).await?;
    if after.shared_on_welcome && after.rel_user_id.is_some() {
        let message = "A document about a client can't be shared with everybody";
        return Err(Refused::on("shared_on_welcome", message));
    }
    if after.shared_with_dietitians && !before.shared_with_dietitians {
        requires(call.actor, CAN_EDIT_DOCS)?;
    }
    if after.shared_on_welcome && !before.shared_on_welcome {
        requires(call.actor, ALLOW_GROUP_LEVEL_ACTIONS)?;
    }
    let left = leave(call, &before, &mut after).await?;
    let changes = call.update(left.as_ref().unwrap_or(&before), &after).await?;
    if after.unit_id != before.unit_id {
        // The content is of the unit that the document is of.
        let org_id = after.org_id.0;
        blobs::move_to_unit(call.scope.tx, org_id, &after.file_id, after.unit_id.0).await?;
    }
    let mut told = changes.columns;
    if reshare(call, input, &before, &after).await? {
        told.push("users");
    }
    if !told.is_empty() {
        call.emit(events::document_updated(&after, &told));
    }
    Ok(Payload::new().one("document", after.id.0))
}

fn write(input: &UpdateDocument, after: &mut Document) {
    if let Some(title) = input.display_name.trimmed() {
        after.display_name = title.to_owned();
    }
    input.description.set_text(&mut after.description);
    input.internal_notes.set_text(&mut after.internal_notes);
    if input.metadata.is_given() {
        after.metadata = input.metadata.trimmed().map(|text| Json(text.to_owned()));
    }
    let switches = [
        (&input.include_in_charting, &mut after.include_in_charting),
        (&input.shared_on_welcome, &mut after.shared_on_welcome),
        (&input.shared_with_dietitians, &mut after.shared_with_dietitians),
    ];
    for (sent, switch) in switches {
        if let Given::Value(on) = sent {
            *switch = *on;
        }
    }
}

/// Whom it is about from now on, and in which folder it is.
async fn move_to(
    call: &mut Call<'_>,
    input: &UpdateDocument,
    before: &Document,
    after: &mut Document,
) -> Answer<()> {
    if input.rel_user_id.is_given() {
        after.rel_user_id = named(&input.rel_user_id);
    }
    if let Some(client) = after.rel_user_id.filter(|id| Some(*id) != before.rel_user_id) {
        let client = client_seen(call, client, "rel_user_id").await?;
        after.unit_id = client.unit_id;
        call.scope.subject_id = Some(client.id.0);
    }
    if input.folder_id.is_given() {
        after.folder_id = named(&input.folder_id);
    }
    let moves = (after.folder_id, after.rel_user_id) != (before.folder_id, before.rel_user_id);
    if let Some(id) = after.folder_id.filter(|_| moves) {
        let folder = match Some(id) == before.folder_id {
            true => call.find(id).await?.ok_or_else(|| Refused::not_found("folder_id"))?,
            false => folder::to_put_in(call, id, "folder_id").await?,
        };
        folder::check_same_client(&folder, after.rel_user_id, "folder_id")?;
    }
    Ok(())
}

/// From one client to another it goes by way of nobody: each entry of the audit log is about one
/// client, and is read by whoever sees that one.
async fn leave(
    call: &mut Call<'_>,
    before: &Document,
    after: &mut Document,
) -> Answer<Option<Document>> {
    let (Some(gone), Some(next)) = (before.rel_user_id, after.rel_user_id) else {
        return Ok(None);
    };
    if gone == next {
        return Ok(None);
    }
    let mut nobodys = before.clone();
    nobodys.rel_user_id = None;
    call.scope.subject_id = Some(gone.0);
    let changes = call.update(before, &nobodys).await?;
    nobodys.version = changes.version.unwrap_or(nobodys.version);
    after.version = nobodys.version;
    call.scope.subject_id = Some(next.0);
    Ok(Some(nobodys))
}

/// Whom it is shared with from now on; whether that changed. Whom it was about has no share in it
/// any more, and of what is about a client from now on no other client has one who is not named anew.
async fn reshare(
    call: &mut Call<'_>,
    input: &UpdateDocument,
    before: &Document,
    after: &Document,
) -> Answer<bool> {
    let mut changed = false;
    let item = Item::Document(after);
    if after.rel_user_id != before.rel_user_id {
        changed |= sharing::close(call, item, before.rel_user_id).await?;
    }
    if let Some(people) = input.share_users.value() {
        changed |= sharing::set_shared(call, item, &people.0, "share_users").await?;
    }
    if let Some(shared) = input.share_with_rel.value() {
        changed |= sharing::set_rel(call, item, *shared).await?;
    }
    Ok(changed)
}

/// Deletes a document and its file, which nothing else refers to.
pub async fn delete(call: &mut Call<'_>, input: &DeleteDocument) -> Answer<Payload> {
    let document = to_change(call, input.id.value().copied()).await?;
    call.destroy(&document).await?;
    let org_id = call.actor.org_id;
    blobs::delete(call.scope.tx, org_id, &document.file_id).await?;
    call.emit(events::document_deleted(&document));
    Ok(Payload::new().one("document", document.id.0))
}
