//! Of whom something is asked: clients whom the caller sees, and groups, with
//! `allow_group_level_actions` (behaviour 16.3, 28).

use ward_clients::{access, group};
use ward_engine::{Answer, Call, Refused};
use ward_identity::flags::ALLOW_GROUP_LEVEL_ACTIONS;
use ward_identity::permit::requires;
use ward_identity::tables::{Organization, User};
use ward_store::{Cond, Id, Level, OrderKey};

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
    if !client.is_patient {
        return Err(Refused::not_found(at));
    }
    if !client.active {
        let sentence = format!("Client {} is archived; put them back first", client.id);
        return Err(Refused::on(at, sentence));
    }
    is_near(form, client.unit_id, at)?;
    Ok(client)
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

/// Refuses whom the caller may not ask.
pub async fn may_ask(
    call: &mut Call<'_>,
    whom: &[Named],
    form: &CustomModuleForm,
    at: &str,
) -> Answer<()> {
    for named in whom {
        match named {
            Named::Client(id) => {
                client(call, *id, form, at).await?;
            }
            Named::Group(id) => {
                requires(call.actor, ALLOW_GROUP_LEVEL_ACTIONS)?;
                let group = group::seen(call, *id, at).await?;
                if form.unit_id != group.unit_id && group.unit_id != group.org_id {
                    is_near(form, group.unit_id, at)?;
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

/// Asks these from then on, and of those whom the caller sees nobody else.
pub async fn only(call: &mut Call<'_>, row: &RecurringForm, whom: &[Named]) -> Answer<()> {
    let before = of(call, row).await?;
    let mut kept = 0;
    for it in &before {
        let is_wanted = whom.iter().any(|named| is_named(it, *named));
        let is_seen = match it.user_id {
            Some(id) => call.visible::<User>(id, Level::Full).await?.is_some(),
            None => true,
        };
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
    add(call, row, &fresh).await
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
    for it in of(call, row).await? {
        let is_seen = match it.user_id {
            Some(id) => call.visible::<User>(id, Level::Full).await?.is_some(),
            None => false,
        };
        if !is_seen {
            return Err(Refused::Denied(ALLOW_GROUP_LEVEL_ACTIONS));
        }
    }
    Ok(())
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
