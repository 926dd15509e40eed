//! Whose entries somebody may write: members those of the clients whom they see, clients their
//! own (behaviour 30).

use ward_clients::access;
use ward_clients::feature_toggle::{self, Switch};
use ward_engine::{Answer, Call, Given, Refused};
use ward_identity::id_or_blank::{IdOrBlank, named};
use ward_identity::permit::members_only;
use ward_identity::tables::User;
use ward_store::{Id, Level, Query, Sql, Value};

use super::table::Entry;

/// A client has so many entries at most, with those deleted since: so no client uses up the
/// storage of the practice.
pub const ENTRIES_MAX: i64 = 100_000;

const NOT_THEIRS: &str = "This entry was written by your practice, which alone can change it";

/// How a client is held while something is written of them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// They can't be merged into another before it is written.
    Shared,
    /// And nobody else writes of them.
    Alone,
}

/// The client whom an entry is of: whoever asks, where that is a client.
pub async fn subject(call: &mut Call<'_>, id: &Given<IdOrBlank<User>>, lock: Lock) -> Answer<User> {
    const AT: &str = "user_id";
    let asked = named(id);
    let id = match call.actor.is_client() {
        true => own(call, asked).await?,
        false => {
            members_only(call.actor)?;
            asked.ok_or_else(|| Refused::not_found(AT))?
        }
    };
    let user = match lock {
        Lock::Shared => access::seen_user(call, id, AT).await?,
        Lock::Alone => access::client_to_change(call, id, AT).await?,
    };
    let client = Some(user).filter(|it| it.is_patient).ok_or_else(|| Refused::not_found(AT))?;
    call.scope.subject_id = Some(client.id.0);
    has_room(call, &client).await?;
    Ok(client)
}

async fn own(call: &mut Call<'_>, asked: Option<Id<User>>) -> Answer<Id<User>> {
    let (org_id, own) = (call.actor.org_id, Id::new(call.actor.user_id));
    if asked.is_some_and(|id| id != own) {
        return Err(Refused::not_found("user_id"));
    }
    match feature_toggle::is_on(call.scope.tx, org_id, own.0, Switch::JournalEntries).await? {
        true => Ok(own),
        false => Err(Refused::base("Your practice has switched the journal off")),
    }
}

/// Whether as many entries were written of a client as there can be.
pub async fn is_full(call: &mut Call<'_>, client: &User) -> Answer<bool> {
    let sql = Sql::fixed(
        "SELECT COUNT(*) FROM entries e WHERE e.org_id = $1 AND e.user_id = $2",
        [client.org_id.0.into(), client.id.0.into()],
    );
    let entries = call.tx.rows(&sql).await?.scalar().and_then(Value::int).unwrap_or(0);
    Ok(entries >= ENTRIES_MAX)
}

async fn has_room(call: &mut Call<'_>, client: &User) -> Answer<()> {
    match is_full(call, client).await? {
        false => Ok(()),
        true => Err(Refused::base(format!(
            "{ENTRIES_MAX} entries were written of this client, which is the most"
        ))),
    }
}

/// An entry that the caller is to change, locked. Clients change what they wrote themselves:
/// what the staff measured stays as it was measured.
pub async fn to_change(call: &mut Call<'_>, id: &Given<IdOrBlank<Entry>>) -> Answer<Entry> {
    let missing = || Refused::not_found("id");
    let id = named(id).ok_or_else(missing)?;
    let found: Option<(Entry, Level)> = call.visible(id, Level::Full).await?;
    let (seen, _) = found.ok_or_else(missing)?;
    let client = access::seen_user(call, seen.user_id, "id").await?;
    let found: Option<(Entry, Level)> = call.visible_for_update(id, Level::Full).await?;
    let (mut entry, _) = found.ok_or_else(missing)?;
    call.scope.subject_id = Some(client.id.0);
    if call.actor.is_client() && entry.added_by_user_id.0 != call.actor.user_id {
        return Err(Refused::base(NOT_THEIRS));
    }
    // The events and the audit entries of it are for those who look after the client now.
    entry.unit_id = client.unit_id;
    Ok(entry)
}
