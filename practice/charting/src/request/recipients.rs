//! Of whom something is asked: clients whom the caller sees, and groups, with
//! `allow_group_level_actions` (behaviour 16.3, 28).

use std::collections::{HashMap, HashSet};

use ward_clients::access;
use ward_engine::{Answer, Call, Refused};
use ward_identity::deceased::may_be_told;
use ward_identity::flags::ALLOW_GROUP_LEVEL_ACTIONS;
use ward_identity::permit::requires;
use ward_identity::tables::{Organization, USER_GROUPS, USERS, User, user_groups, users};
use ward_store::{Cond, Id, Level, OrderKey, Query, Select, Value};

use super::RECIPIENTS_MAX;
use super::input::Named;
use super::tables::{RecurringForm, RecurringFormRecipient};
use crate::tables::CustomModuleForm;

/// A client who can be asked: one whom the caller sees in full, who is there, and for whom the form
/// is; held so that nobody merges them meanwhile.
pub async fn client(
    call: &mut Call<'_>,
    id: Id<User>,
    form: &CustomModuleForm,
    at: &str,
) -> Answer<User> {
    let client = access::seen_user(call, id, at).await?;
    let known = Known {
        is_patient: client.is_patient,
        active: client.active,
        has_died: !may_be_told(&client),
        unit: client.unit_id,
    };
    can_be_asked(client.id, known, form, at)?;
    Ok(client)
}

/// What decides whether somebody can be asked.
#[derive(Clone, Copy)]
struct Known {
    is_patient: bool,
    active: bool,
    has_died: bool,
    unit: Id<Organization>,
}

fn can_be_asked(id: Id<User>, known: Known, form: &CustomModuleForm, at: &str) -> Answer<()> {
    if !known.is_patient {
        return Err(Refused::not_found(at));
    }
    if !known.active {
        let sentence = format!("Client {id} is archived; put them back first");
        return Err(Refused::on(at, sentence));
    }
    if known.has_died {
        return Err(Refused::on(at, format!("Client {id} has died, and is asked nothing")));
    }
    is_near(form, known.unit, at)
}

/// A form is for its own unit, one of the whole for everybody: siblings don't meet in one
/// (behaviour 15).
fn is_near(form: &CustomModuleForm, unit: Id<Organization>, at: &str) -> Answer<()> {
    match form.unit_id == unit || form.unit_id == form.org_id {
        true => Ok(()),
        false => {
            Err(Refused::on(at, "The form belongs to another organization than the recipient"))
        }
    }
}

/// Those of these people whom the caller sees in full, held in the order of ids so that nobody
/// merges them meanwhile.
async fn known(call: &mut Call<'_>, ids: &[i64]) -> Answer<HashMap<i64, Known>> {
    let mut select = Select::new(&USERS, call.actor);
    select.columns =
        vec![users::id, users::is_patient, users::active, users::unit_id, users::deceased_on];
    select.least = Level::Full;
    select.filter = Cond::is_in("id", ids);
    if select.filter.is_never() {
        return Ok(HashMap::new());
    }
    let mut sql = select.ordered(Vec::new()).sql();
    sql.push(" FOR_KEY_SHARE");
    let found = call.tx.rows(&sql).await?;
    let known = |row: &[Value]| {
        let is_patient = row.get(1)?.truth();
        let active = row.get(2)?.truth();
        let unit = Id::new(row.get(3)?.int()?);
        let has_died = !row.get(4)?.is_null();
        Some((row.first()?.int()?, Known { is_patient, active, has_died, unit }))
    };
    Ok(found.iter().filter_map(known).collect())
}

/// The units of those of these groups that the caller sees.
async fn units(call: &mut Call<'_>, ids: &[i64]) -> Answer<HashMap<i64, Id<Organization>>> {
    let mut select = Select::new(&USER_GROUPS, call.actor);
    select.columns = vec![user_groups::id, user_groups::unit_id];
    select.least = Level::Full;
    select.filter = Cond::is_in("id", ids);
    if select.filter.is_never() {
        return Ok(HashMap::new());
    }
    let found = call.tx.rows(&select.sql()).await?;
    let unit = |row: &[Value]| Some((row.first()?.int()?, Id::new(row.get(1)?.int()?)));
    Ok(found.iter().filter_map(unit).collect())
}

/// Refuses whom the caller may not ask.
pub async fn may_ask(
    call: &mut Call<'_>,
    whom: &[Named],
    form: &CustomModuleForm,
    at: &str,
) -> Answer<()> {
    let clients: Vec<i64> = whom.iter().filter_map(|it| it.client()).map(|id| id.0).collect();
    let groups: Vec<i64> = whom.iter().filter_map(|it| it.group()).map(|id| id.0).collect();
    let clients = known(call, &clients).await?;
    let groups = units(call, &groups).await?;
    for named in whom {
        match named {
            Named::Client(id) => {
                let known = clients.get(&id.0).ok_or_else(|| Refused::not_found(at))?;
                can_be_asked(*id, *known, form, at)?;
            }
            Named::Group(id) => {
                requires(call.actor, ALLOW_GROUP_LEVEL_ACTIONS)?;
                let unit = *groups.get(&id.0).ok_or_else(|| Refused::not_found(at))?;
                if unit.0 != call.actor.org_id {
                    is_near(form, unit, at)?;
                }
            }
        }
    }
    Ok(())
}

/// Who is asked, in the order in which they were named.
pub async fn of(call: &mut Call<'_>, row: &RecurringForm) -> Answer<Vec<RecurringFormRecipient>> {
    let keys = [OrderKey::column("id", false)];
    Ok(call.list(Cond::eq("recurring_form_id", row.id.0), &keys).await?)
}

/// Those of its clients whom the caller sees in full.
async fn seen(call: &mut Call<'_>, row: &RecurringForm) -> Answer<HashSet<i64>> {
    let mut select = Select::new(&USERS, call.actor);
    select.columns = vec![users::id];
    select.least = Level::Full;
    select.filter = Cond::sql(
        "{t}.id IN (SELECT r.user_id FROM recurring_form_recipients r \
         WHERE r.org_id = ? AND r.recurring_form_id = ? AND r.user_id IS NOT NULL)",
        [row.org_id.0.into(), row.id.0.into()],
    );
    let found = call.tx.rows(&select.sql()).await?;
    Ok(found.iter().filter_map(|row| row.first().and_then(Value::int)).collect())
}

/// Adds these, who are not among them yet.
pub async fn add(call: &mut Call<'_>, row: &RecurringForm, whom: &[Named]) -> Answer<()> {
    let now = call.now();
    let mut rows = Vec::with_capacity(whom.len());
    for named in whom {
        let (user_id, user_group_id) = match named {
            Named::Client(id) => (Some(*id), None),
            Named::Group(id) => (None, Some(*id)),
        };
        rows.push(RecurringFormRecipient {
            id: call.next_id().await?,
            org_id: row.org_id,
            recurring_form_id: row.id,
            user_id,
            user_group_id,
            version: 1,
            created_at: now,
            updated_at: now,
        });
    }
    let client = |it: &RecurringFormRecipient| it.user_id.map(|id| id.0);
    Ok(call.create_all_about(&rows, client).await?)
}

/// Whether a recipient is the one that is named.
pub fn is_named(row: &RecurringFormRecipient, named: Named) -> bool {
    match named {
        Named::Client(id) => row.user_id == Some(id),
        Named::Group(id) => row.user_group_id == Some(id),
    }
}

/// Asks these from then on, and of those whom the caller sees nobody else. Whether some are new.
pub async fn only(call: &mut Call<'_>, row: &RecurringForm, whom: &[Named]) -> Answer<bool> {
    let before = of(call, row).await?;
    let seen = seen(call, row).await?;
    let mut kept = 0;
    for it in &before {
        let is_wanted = whom.iter().any(|named| is_named(it, *named));
        let is_seen = it.user_id.is_none_or(|id| seen.contains(&id.0));
        match is_wanted || !is_seen {
            true => kept += 1,
            false => remove(call, it).await?,
        }
    }
    let is_new = |named: &&Named| !before.iter().any(|it| is_named(it, **named));
    let fresh: Vec<Named> = whom.iter().filter(is_new).copied().collect();
    if kept + fresh.len() > RECIPIENTS_MAX {
        let sentence = format!("At most {RECIPIENTS_MAX} recipients can be named; name a group");
        return Err(Refused::on("recipient_ids", sentence));
    }
    add(call, row, &fresh).await?;
    Ok(!fresh.is_empty())
}

/// Takes one off.
pub async fn remove(call: &mut Call<'_>, it: &RecurringFormRecipient) -> Answer<()> {
    let subject = call.scope.subject_id;
    call.scope.subject_id = it.user_id.map(|id| id.0);
    call.destroy(it).await?;
    call.scope.subject_id = subject;
    Ok(())
}

/// Refuses who does not see all whom it concerns, unless they may act on whole groups.
pub async fn may_change(call: &mut Call<'_>, row: &RecurringForm) -> Answer<()> {
    if call.actor.has(ALLOW_GROUP_LEVEL_ACTIONS.flag) {
        return Ok(());
    }
    let all = of(call, row).await?;
    let seen = seen(call, row).await?;
    match all.iter().all(|it| it.user_id.is_some_and(|id| seen.contains(&id.0))) {
        true => Ok(()),
        false => Err(Refused::Denied(ALLOW_GROUP_LEVEL_ACTIONS)),
    }
}

/// Refuses to take off whom the caller does not see.
pub async fn may_ask_off(call: &mut Call<'_>, named: Named, at: &str) -> Answer<()> {
    match named {
        Named::Client(id) => {
            let seen = call.visible::<User>(id, Level::Full).await?;
            seen.map(drop).ok_or_else(|| Refused::not_found(at))
        }
        Named::Group(_) => requires(call.actor, ALLOW_GROUP_LEVEL_ACTIONS),
    }
}
