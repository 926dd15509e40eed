//! Who may sign, lock, unlock and add to a note: one rule, by which operations decide and
//! which `provider_can_…` answers (behaviour 16.3, 26). Pure, but for looking the member up.

use ward_engine::{Answer, Permission, Request};
use ward_identity::flags::{self, effective};
use ward_identity::tables::{
    ORGANIZATION_MEMBERSHIPS, ORGANIZATIONS, OrgRole, OrganizationMembership, USERS, organizations,
    users,
};
use ward_store::{Actor, Cond, Flags, Level, Query, Record, Role, Select, Value, read_selected};

use super::tables::FormAnswerGroup;

/// A member who would do something to a note.
#[derive(Clone, Debug)]
pub struct Hand {
    /// Who.
    pub user_id: i64,
    /// What they may.
    pub flags: Flags,
    /// Whether they are a person, and no support member: others sign nothing.
    pub is_standard: bool,
    /// Who sees, where it is not whoever asks.
    pub sight: Option<Actor>,
}

/// What would be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Sign it.
    Sign,
    /// Lock it.
    Lock,
    /// Open it again.
    Unlock,
    /// Add to it.
    Add,
}

/// A note, as far as it matters.
#[derive(Clone, Copy, Debug)]
pub struct Note {
    /// Who wrote it.
    pub filler_id: Option<i64>,
    /// Whether it is finished.
    pub finished: bool,
    /// Whether it is locked.
    pub is_locked: bool,
    /// Whether the member has signed it.
    pub is_signed: bool,
}

/// Why something can't be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum No {
    /// The member lacks it.
    Permission(Permission),
    /// For another reason, in a sentence.
    State(&'static str),
}

impl Note {
    /// Of a row.
    pub fn of(group: &FormAnswerGroup, is_signed: bool) -> Self {
        Note {
            filler_id: group.filler_id.map(|id| id.0),
            finished: group.finished,
            is_locked: group.locked_at.is_some(),
            is_signed,
        }
    }
}

/// Whether a member may do it to a note, and by which permission.
pub fn may(act: Act, hand: &Hand, note: Note) -> Result<Option<Permission>, No> {
    let is_own = note.filler_id == Some(hand.user_id);
    let needed = match (act, is_own) {
        (Act::Sign, true) => Some(flags::CAN_SIGN_OWN_CHARTING_NOTES),
        (Act::Sign, false) => Some(flags::CAN_SIGN_OTHERS_CHARTING_NOTES),
        (Act::Lock, true) => Some(flags::CAN_LOCK_OWN_CHARTING_NOTES),
        (Act::Lock, false) => Some(flags::CAN_LOCK_OTHERS_CHARTING_NOTES),
        (Act::Unlock, _) => Some(flags::CAN_UNLOCK_CHARTING_NOTES),
        (Act::Add, true) => None,
        (Act::Add, false) => Some(flags::CAN_WRITE_ORG_ADDENDUMS),
    };
    let has = |it: Permission| hand.flags.has(it.flag);
    // The flag of one's own had another name once.
    let alias = flags::CAN_LOCK_FORM_ANSWER_GROUPS;
    let used = match needed {
        Some(it) if has(it) => Some(it),
        Some(_) if act == Act::Lock && is_own && has(alias) => Some(alias),
        Some(it) => return Err(No::Permission(it)),
        None => None,
    };
    let no = match act {
        Act::Sign if !hand.is_standard => Some("Only Standard members can sign"),
        Act::Sign if note.is_signed => Some("You have signed this form already"),
        Act::Sign | Act::Lock if !note.finished => {
            Some("This form is a draft; finish it first (finished: true)")
        }
        Act::Lock if note.is_locked => Some("This form is locked already"),
        Act::Unlock if !note.is_locked => Some("This form isn't locked"),
        Act::Add if !note.is_locked => {
            Some("An addendum is for a locked form; change this one instead, or lock it first")
        }
        _ => None,
    };
    no.map_or(Ok(used), |sentence| Err(No::State(sentence)))
}

/// A member, by their id or whoever asks: of a colleague what their membership says.
/// Nobody whom the caller does not see.
pub async fn of(
    request: &Request,
    q: &mut dyn Query,
    provider: Option<i64>,
) -> Answer<Option<Hand>> {
    let actor = &request.actor;
    let user_id = provider.unwrap_or(actor.user_id);
    let mut select = Select::new(&ORGANIZATION_MEMBERSHIPS, actor);
    select.columns = (0..ORGANIZATION_MEMBERSHIPS.columns.len()).collect();
    select.least = Level::Full;
    select.filter = Cond::eq("user_id", user_id).and(Cond::is_true("active"));
    select.limit = Some(1);
    let rows = read_selected(q, &request.db, &select).await?;
    let Some(row) = rows.iter().next() else { return Ok(None) };
    let width = ORGANIZATION_MEMBERSHIPS.columns.len();
    let values = row.get(..width).unwrap_or(row);
    let Ok(membership) = OrganizationMembership::from_values(values) else { return Ok(None) };
    let is_own = user_id == actor.user_id;
    let is_owner = if is_own { actor.is_owner } else { owns(request, q, &membership).await? };
    let flags = if is_own { actor.flags } else { effective(membership.flags(), is_owner) };
    let is_person = !is_program(request, q, user_id).await?;
    let is_standard = is_person && membership.org_role != OrgRole::Support;
    let sight = (!is_own).then(|| Actor {
        role: Role::Member,
        user_id,
        org_id: actor.org_id,
        unit_id: membership.unit_id.0,
        flags,
        is_owner,
        glass_at: actor.glass_at,
        ..Actor::anonymous()
    });
    Ok(Some(Hand { user_id, flags, is_standard, sight }))
}

async fn owns(
    request: &Request,
    q: &mut dyn Query,
    membership: &OrganizationMembership,
) -> Answer<bool> {
    let system = ward_store::Actor::system(request.actor.org_id);
    let mut select = Select::new(&ORGANIZATIONS, &system);
    select.columns = vec![organizations::owner_id];
    select.filter = Cond::eq("id", membership.unit_id.0);
    let rows = q.rows(&select.sql()).await?;
    let owner = rows.iter().next().and_then(|row| row.first().and_then(Value::int));
    Ok(owner == Some(membership.user_id.0))
}

/// Whether a member is a program's account: what it does nobody has signed by hand.
async fn is_program(request: &Request, q: &mut dyn Query, user_id: i64) -> Answer<bool> {
    let system = ward_store::Actor::system(request.actor.org_id);
    let mut select = Select::new(&USERS, &system);
    select.columns = vec![users::is_integration];
    select.filter = Cond::eq("id", user_id);
    let rows = q.rows(&select.sql()).await?;
    Ok(rows.iter().next().and_then(|row| row.first()).is_none_or(Value::truth))
}
