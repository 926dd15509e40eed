//! `createSharings` and `deleteSharings`: a document or a folder is shared with people and groups
//! in one call, or no more (behaviour 31). Whom is added or taken away is named; who is not named
//! keeps what they have.

use ward_clients::tables::UserGroup;
use ward_engine::{
    Answer, Call, FromIn, Given, IdCodec, In, Kind, Payload, Refused, Returns, input, parse_id,
};
use ward_identity::flags::{ALLOW_GROUP_LEVEL_ACTIONS, CAN_EDIT_DOCS};
use ward_identity::id_list::IdList;
use ward_identity::permit::requires;
use ward_identity::tables::User;
use ward_store::{Entity, Id, Level};

use crate::sharing::{self, Item, Whom};
use crate::tables::{DOCUMENTS, Document, FOLDERS, Folder};
use crate::{document, events, folder};

/// What the mutations answer: the document or the folder itself.
pub const RETURNS: &[(&str, Returns)] =
    &[("Document", Returns::One(&DOCUMENTS)), ("Folder", Returns::One(&FOLDERS))];

/// `ShareableType` of documents.
pub const DOCUMENT: &str = "DOCUMENT";
/// `ShareableType` of folders.
pub const FOLDER: &str = "FOLDER";

/// A document's or a folder's id, as it was sent: which of them it is read as, the type beside it
/// says, since numbers that a restored snapshot has undone are other ones of documents than of folders.
#[derive(Clone, Debug, PartialEq)]
pub struct ShareableId(pub String);

impl FromIn for ShareableId {
    const KIND: Kind = Kind::Id(Document::NAME);
    fn from_in(value: &In, at: &str, ids: &IdCodec) -> Answer<Self> {
        String::from_in(value, at, ids).map(ShareableId)
    }
}

input! {
    /// `CreateSharingsInput`; the id is a document's or a folder's, as the type says.
    pub struct CreateSharings {
        id: ShareableId,
        shareable_type: String,
        org_member_ids: IdList<User>,
        patient_ids: IdList<User>,
        user_group_ids: IdList<UserGroup>,
        share_with_all_org_members: bool,
        share_with_all_clients: bool,
    }
}

input! {
    /// `DestroySharingsInput`.
    pub struct DestroySharings {
        id: ShareableId,
        shareable_type: String,
        org_member_ids: IdList<User>,
        patient_ids: IdList<User>,
        user_group_ids: IdList<UserGroup>,
    }
}

/// Where the id stands, of which a refusal tells.
const ID: &str = "input.id";

/// What can be shared, held until the transaction ends.
enum Shareable {
    Document(Document),
    Folder(Folder),
}

impl Shareable {
    /// What the caller sees and may change.
    async fn to_change(
        call: &mut Call<'_>,
        id: &Given<ShareableId>,
        of: &Given<String>,
    ) -> Answer<Self> {
        let ids = call.request.instance.ids();
        let text = id.value().map(|id| id.0.as_str());
        match of.trimmed() {
            Some(DOCUMENT) => {
                let id = text.map(|text| parse_id(text, ID, ids)).transpose()?;
                document::to_change(call, id).await.map(Shareable::Document)
            }
            Some(FOLDER) => {
                let id = text.map(|text| parse_id(text, ID, ids)).transpose()?;
                folder::to_change(call, id).await.map(Shareable::Folder)
            }
            _ => {
                let sentence = "Documents and folders can be shared: send DOCUMENT or FOLDER";
                Err(Refused::on("shareable_type", sentence))
            }
        }
    }

    fn item(&self) -> Item<'_> {
        match self {
            Shareable::Document(it) => Item::Document(it),
            Shareable::Folder(it) => Item::Folder(it),
        }
    }

    /// Whether it is shared with all members, and with all clients.
    fn wide(&self) -> (bool, bool) {
        match self {
            Shareable::Document(it) => (it.shared_with_dietitians, it.shared_on_welcome),
            Shareable::Folder(it) => (it.shared_with_dietitians, it.shared_on_welcome),
        }
    }

    /// Shares it with all members or all clients, too; the changed columns.
    async fn widen(
        &mut self,
        call: &mut Call<'_>,
        (members, clients): (bool, bool),
    ) -> Answer<Vec<&'static str>> {
        Ok(match self {
            Shareable::Document(it) => {
                let mut after = it.clone();
                after.shared_with_dietitians |= members;
                after.shared_on_welcome |= clients;
                let changes = call.update(&*it, &after).await?;
                *it = after;
                changes.columns
            }
            Shareable::Folder(it) => {
                let mut after = it.clone();
                after.shared_with_dietitians |= members;
                after.shared_on_welcome |= clients;
                let changes = call.update(&*it, &after).await?;
                *it = after;
                changes.columns
            }
        })
    }

    /// Tells of what changed of a document; sharings of folders tell of themselves.
    fn told(self, call: &mut Call<'_>, columns: &[&'static str]) -> Payload {
        match self {
            Shareable::Document(it) => {
                if !columns.is_empty() {
                    call.emit(events::document_updated(&it, columns));
                }
                Payload::new().one("Document", it.id.0)
            }
            Shareable::Folder(it) => Payload::new().one("Folder", it.id.0),
        }
    }
}

/// Shares with those who are named, and perhaps with all.
pub async fn create(call: &mut Call<'_>, input: &CreateSharings) -> Answer<Payload> {
    let mut shared = Shareable::to_change(call, &input.id, &input.shareable_type).await?;
    let members = people(&input.org_member_ids, "org_member_ids")?;
    let clients = people(&input.patient_ids, "patient_ids")?;
    let groups = groups(&input.user_group_ids)?;
    let all = (input.share_with_all_org_members.is_true(), input.share_with_all_clients.is_true());
    may_widen(call, &shared, all)?;
    let mut told = match all {
        (false, false) => Vec::new(),
        _ => shared.widen(call, all).await?,
    };
    let item = shared.item();
    let mut changed = false;
    for (ids, at, is_patient) in
        [(members, "org_member_ids", false), (clients, "patient_ids", true)]
    {
        for id in ids {
            is_such(call, *id, at, is_patient).await?;
            changed |= sharing::share_with(call, item, *id, at).await?;
        }
    }
    for id in groups {
        changed |= sharing::share_with_group(call, item, *id, "user_group_ids").await?;
    }
    if changed {
        told.push("users");
    }
    Ok(shared.told(call, &told))
}

/// Shares with those who are named no more. What is shared with everybody stays so.
pub async fn delete(call: &mut Call<'_>, input: &DestroySharings) -> Answer<Payload> {
    let shared = Shareable::to_change(call, &input.id, &input.shareable_type).await?;
    let members = people(&input.org_member_ids, "org_member_ids")?;
    let clients = people(&input.patient_ids, "patient_ids")?;
    let groups = groups(&input.user_group_ids)?;
    let item = shared.item();
    let mut changed = false;
    for (ids, at, is_patient) in
        [(members, "org_member_ids", false), (clients, "patient_ids", true)]
    {
        for id in ids {
            is_such(call, *id, at, is_patient).await?;
            changed |= item.unshare(call, Whom::Person(*id)).await?;
        }
    }
    for id in groups {
        let found = call.visible::<UserGroup>(*id, Level::Limited).await?;
        found.ok_or_else(|| Refused::not_found("user_group_ids"))?;
        changed |= item.unshare(call, Whom::Group(*id)).await?;
    }
    let told: &[&'static str] = if changed { &["users"] } else { &[] };
    Ok(shared.told(call, told))
}

fn people<'a>(given: &'a Given<IdList<User>>, at: &str) -> Answer<&'a [Id<User>]> {
    let ids = given.value().map(|list| list.0.as_slice()).unwrap_or_default();
    sharing::check_count(ids.len(), at)?;
    Ok(ids)
}

fn groups(given: &Given<IdList<UserGroup>>) -> Answer<&[Id<UserGroup>]> {
    let ids = given.value().map(|list| list.0.as_slice()).unwrap_or_default();
    sharing::check_count(ids.len(), "user_group_ids")?;
    Ok(ids)
}

/// Whoever shares with all members or all clients needs the right to, and shares nothing that is
/// about a client.
fn may_widen(call: &Call<'_>, shared: &Shareable, (members, clients): (bool, bool)) -> Answer<()> {
    let (with_members, with_clients) = shared.wide();
    if members && !with_members {
        requires(call.actor, CAN_EDIT_DOCS)?;
    }
    if clients && !with_clients {
        if shared.item().rel_user_id().is_some() {
            let sentence = "What is about a client can't be shared with everybody";
            return Err(Refused::on("share_with_all_clients", sentence));
        }
        requires(call.actor, ALLOW_GROUP_LEVEL_ACTIONS)?;
    }
    Ok(())
}

/// Whether somebody whom the caller sees is a client, or is a member, as the list says.
async fn is_such(call: &mut Call<'_>, id: Id<User>, at: &str, is_patient: bool) -> Answer<()> {
    let found = call.visible::<User>(id, Level::Limited).await?;
    match found.is_some_and(|(user, _)| user.is_patient == is_patient) {
        true => Ok(()),
        false => Err(Refused::not_found(at)),
    }
}
