//! Whether an archive may be made by a consent: judged before it is made, and again in the transaction
//! that keeps it, which holds the consent so that nobody revokes it meanwhile.

use ward_charting::tables::Confidentiality;
use ward_clients::access;
use ward_engine::{Answer, Call, Given, Refused, Request};
use ward_identity::id_or_blank::IdOrBlank;
use ward_identity::tables::User;
use ward_instance::Timestamp;
use ward_store::audit::{AuditChange, AuditEntry};
use ward_store::system::AuditType;
use ward_store::{
    Actor, Cond, Id, Level, Query, Reader, Record, Select, Sql, StoreError, Value, read_selected,
};

use super::table::{DISCLOSURE_CONSENTS, DisclosureConsent, DisclosureScope};
use super::{archives, rules};

/// The input field that refusals are told of.
pub const AT: &str = "disclosure_consent_id";

const OF_ANOTHER: &str = "This consent is another client's: name one of the client who is exported";
const NONE_OF_YOURS: &str = "This consent is for counselling notes, which their author alone passes \
     on: there are none about the client that you wrote";

/// Disclosures are told of where the log of the client is asked for, by the contract's name of them
/// (45 CFR 164.528).
const CLIENT: &str = "USER";

/// The consent that an input names. A blank one is none, and is refused: without a consent there is
/// more in an archive than most of them allow.
pub fn named(given: &Given<IdOrBlank<DisclosureConsent>>) -> Answer<Option<Id<DisclosureConsent>>> {
    match given {
        Given::Absent | Given::Null => Ok(None),
        Given::Value(id) => id.0.map(Some).ok_or_else(|| Refused::not_found(AT)),
    }
}

/// The consent, as the request's actor sees it, if an archive of the client may be made by it today.
pub async fn granted(
    request: &Request,
    actor: &Actor,
    client: Id<User>,
    id: Id<DisclosureConsent>,
) -> Answer<DisclosureConsent> {
    let mut reader = request.db.read().await?;
    let mut select = Select::new(&DISCLOSURE_CONSENTS, actor);
    let width = DISCLOSURE_CONSENTS.columns.len();
    select.columns = (0..width).collect();
    select.least = Level::Full;
    select.filter = Cond::eq("id", id.0);
    select.limit = Some(1);
    let rows = read_selected(&mut reader, &request.db, &select).await?;
    let row = rows.iter().next().ok_or_else(|| Refused::not_found(AT))?;
    let consent = DisclosureConsent::from_values(row.get(..width).unwrap_or_default())
        .map_err(|column| StoreError::corrupt("disclosure_consents", column))?;
    let sql = Sql::fixed(
        "SELECT u.timezone FROM users u WHERE u.org_id = $1 AND u.id = $2",
        [actor.org_id.into(), client.0.into()],
    );
    let found = reader.rows(&sql).await?;
    let zone = found.scalar().and_then(Value::text);
    check(request.now, actor, &consent, (client, zone))?;
    if consent.scope == DisclosureScope::CounsellingNotes
        && !has_own_notes(&mut reader, actor, client).await?
    {
        return Err(Refused::on(AT, NONE_OF_YOURS));
    }
    Ok(consent)
}

/// The same in the transaction that keeps the archive, or the job that will make it. The consent is
/// held: who revokes it waits, or came first and is heard.
pub async fn still_granted(
    call: &mut Call<'_>,
    client: Id<User>,
    id: Id<DisclosureConsent>,
) -> Answer<()> {
    // The client first, as whoever revokes does.
    let client = access::seen_user(call, client, "client_id").await?;
    let found: Option<(DisclosureConsent, Level)> =
        call.visible_for_update(id, Level::Full).await?;
    let (consent, _) = found.ok_or_else(|| Refused::not_found(AT))?;
    let who = (client.id, client.timezone.as_deref());
    // By the time of this transaction: the archive may have taken long.
    check(call.now(), call.actor, &consent, who)?;
    archives::has_room(call, &consent).await
}

/// Takes down that an archive was made by the consent: whose, which, by whom and when.
pub fn account(call: &mut Call<'_>, client: &User, consent: &DisclosureConsent, document: i64) {
    let changes = vec![
        AuditChange::new("disclosed_by_consent", None, Some(&consent.id.to_string())),
        AuditChange::new("disclosed_in_document", None, Some(&document.to_string())),
        AuditChange::new("disclosed_scope", None, Some(consent.scope.as_str())),
    ];
    told(call, client, changes);
}

/// Takes down that a consent was recorded or revoked: the log has an entry of the consent itself, too,
/// of which the contract has no name to ask for.
pub fn note(call: &mut Call<'_>, client: &User, what: &str, consent: Id<DisclosureConsent>) {
    told(call, client, vec![AuditChange::new(what, None, Some(&consent.to_string()))]);
}

/// An entry of the client, for those who look after them now.
fn told(call: &mut Call<'_>, client: &User, changes: Vec<AuditChange>) {
    let mut entry = AuditEntry::by(call.actor, AuditType::Update, CLIENT, client.id.to_string());
    entry.subject_id = Some(client.id.0);
    entry.unit_id = client.unit_id.0;
    entry.changes = changes;
    call.scope.record(entry);
}

/// Whether the consent is the client's and good today: in their time zone, else in that of whoever
/// asks.
fn check(
    now: Timestamp,
    actor: &Actor,
    consent: &DisclosureConsent,
    (client, zone): (Id<User>, Option<&str>),
) -> Answer<()> {
    if consent.user_id != client {
        return Err(Refused::on(AT, OF_ANOTHER));
    }
    let today = rules::today(now, [zone, Some(&*actor.time_zone)]);
    match rules::stands(consent, today).refusal() {
        Some(sentence) => Err(Refused::on(AT, sentence)),
        None => Ok(()),
    }
}

async fn has_own_notes(reader: &mut Reader, actor: &Actor, client: Id<User>) -> Answer<bool> {
    let sql = Sql::fixed(
        "SELECT g.id FROM form_answer_groups g WHERE g.org_id = $1 AND (g.user_id = $2 \
         OR g.id IN (SELECT own.form_answer_group_id FROM individual_client_notes own \
         WHERE own.org_id = $1 AND own.user_id = $2)) AND g.filler_id = $3 AND g.confidentiality = $4 AND g.deleted_at IS NULL LIMIT 1",
        [
            actor.org_id.into(),
            client.0.into(),
            actor.user_id.into(),
            Confidentiality::CounsellingNotes.as_str().into(),
        ],
    );
    Ok(!reader.rows(&sql).await?.is_empty())
}
