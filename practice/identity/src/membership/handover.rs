//! A member's clients go to another provider (behaviour 16.1:
//! `provider_to_receive_clients`).

use ward_engine::{Answer, Call, Refused};
use ward_store::{Cond, Id, Level, Query, Select, Sql};

use crate::flags::CAN_SEE_CLIENTS;
use crate::permit;
use crate::tables::{OrgRole, OrganizationMembership, USERS, User, users};
use crate::{account, care, events};

/// So many clients move in one transaction.
pub const CLIENTS_AT_ONCE_MAX: i64 = 5_000;

/// Moves every client of `from` whom the actor sees to another provider, or none:
/// a restricted one only as far as the actor may entrust them to others. Clients
/// whom the actor does not see stay: nobody gives away, or gets, whom they may
/// not know of.
pub async fn hand_over(call: &mut Call<'_>, from: &User, to: Id<User>, at: &str) -> Answer<()> {
    permit::requires(call.actor, CAN_SEE_CLIENTS)?;
    let receiver = receiver(call, from, to, at).await?;
    let mut select = Select::new(&USERS, call.scope.actor);
    select.columns = vec![users::id];
    select.least = Level::Full;
    select.filter = Cond::is_true("is_patient").and(Cond::eq("dietitian_id", from.id.0));
    select.limit = Some(CLIENTS_AT_ONCE_MAX + 1);
    let rows = call.scope.tx.rows(&select.ordered(Vec::new()).sql()).await?;
    let ids: Vec<i64> = rows.iter().filter_map(|row| row.first()?.int()).collect();
    if i64::try_from(ids.len()).is_ok_and(|count| count > CLIENTS_AT_ONCE_MAX) {
        return Err(Refused::on(
            at,
            format!(
                "The member has more than {CLIENTS_AT_ONCE_MAX} clients; move some of them first"
            ),
        ));
    }
    for id in ids {
        move_one(call, Id::new(id), &receiver).await?;
    }
    Ok(())
}

/// Whether any client still has this member as primary provider.
pub async fn has_clients(call: &mut Call<'_>, of: &User) -> Answer<bool> {
    let sql = Sql::fixed(
        "SELECT id FROM users WHERE org_id = $1 AND dietitian_id = $2 LIMIT 1",
        [of.org_id.0.into(), of.id.0.into()],
    );
    Ok(!call.tx.rows(&sql).await?.is_empty())
}

/// An active provider other than `from` whom the actor sees.
async fn receiver(call: &mut Call<'_>, from: &User, to: Id<User>, at: &str) -> Answer<User> {
    let not_found = || Refused::not_found(at);
    let (user, _) = call.visible(to, Level::Full).await?.ok_or_else(not_found)?;
    let cond = Cond::eq("user_id", user.id.0).and(Cond::is_true("active"));
    let place: Option<OrganizationMembership> = call.find_by(cond).await?;
    let is_provider = place.is_some_and(|it| it.is_provider && it.org_role != OrgRole::Support);
    match is_provider && user.active && !user.is_patient && user.id != from.id {
        true => Ok(user),
        false => Err(not_found()),
    }
}

/// What giving a client another primary provider means is the same as in
/// `updateClient`.
async fn move_one(call: &mut Call<'_>, id: Id<User>, receiver: &User) -> Answer<()> {
    let found = call.visible_for_update(id, Level::Full).await?;
    let Some((before, _)) = found else { return Ok(()) };
    care::may_entrust(call, &before).await?;
    // The audit entries and events of each are of that client.
    call.scope.subject_id = Some(before.id.0);
    let mut after =
        User { dietitian_id: Some(receiver.id), unit_id: receiver.unit_id, ..before.clone() };
    if before.unit_id != after.unit_id {
        care::leave_group_of_other_unit(call, &mut after).await?;
    }
    let mut columns = account::update(&mut call.scope, &before, &after).await?.columns;
    if care::settle_team(call, &before, &after).await? {
        columns.push("other_provider_ids");
    }
    call.emit(events::patient_updated(&after, &columns));
    call.scope.subject_id = None;
    Ok(())
}
