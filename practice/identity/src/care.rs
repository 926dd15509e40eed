//! Who cares for a client: who may give the care to others, and what a new
//! primary provider means to the care team and the group (behaviour 15, 16.2).

use ward_engine::{Answer, Call};
use ward_store::{Cond, Id};

use crate::flags::CAN_RESTRICT_CLIENTS;
use crate::permit;
use crate::tables::{CareTeamMember, User, UserGroup};

/// Whether the actor may let others, or themselves, care for the client from now
/// on: for a restricted one those who do so already, and who may restrict
/// clients. Who sees the client by an authorization can't make it last longer
/// than that, or pass it on.
pub async fn may_entrust(call: &mut Call<'_>, client: &User) -> Answer<()> {
    let me = Id::new(call.actor.user_id);
    if !client.restricted || client.dietitian_id == Some(me) {
        return Ok(());
    }
    let own = Cond::eq("patient_id", client.id.0).and(Cond::eq("user_id", me.0));
    match call.find_by::<CareTeamMember>(own).await? {
        Some(_) => Ok(()),
        None => permit::requires(call.actor, CAN_RESTRICT_CLIENTS),
    }
}

/// A client who moves keeps a group of the new unit or of the root only.
pub async fn leave_group_of_other_unit(call: &mut Call<'_>, after: &mut User) -> Answer<()> {
    let Some(id) = after.user_group_id else { return Ok(()) };
    let group: Option<UserGroup> = call.find(id).await?;
    let units = [after.unit_id, after.org_id];
    if group.is_none_or(|group| !units.contains(&group.unit_id)) {
        after.user_group_id = None;
    }
    Ok(())
}

/// A new primary provider leaves the care team, which holds the others, and so do
/// the people of the unit that the client leaves. Whether any was in it.
pub async fn settle_team(call: &mut Call<'_>, before: &User, after: &User) -> Answer<bool> {
    let left = leave_team(call, after).await?;
    let moves = before.unit_id != after.unit_id;
    Ok((moves && part_from_other_units(call, after).await?) || left)
}

/// Takes a client's primary provider out of the care team; whether they were in it.
pub async fn leave_team(call: &mut Call<'_>, client: &User) -> Answer<bool> {
    match client.dietitian_id {
        Some(primary) => remove_from_team(call, client, &[primary]).await,
        None => Ok(false),
    }
}

/// Takes out of a client's care team whoever is neither of the client's unit nor
/// of the root: they do not see the unit (behaviour 15). Whether any was in it.
async fn part_from_other_units(call: &mut Call<'_>, client: &User) -> Answer<bool> {
    let strangers = Cond::sql(
        "{t}.user_id IN (SELECT m.id FROM users m WHERE m.org_id = ? \
         AND m.unit_id <> ? AND m.unit_id <> ?)",
        [client.org_id.0.into(), client.unit_id.0.into(), client.org_id.0.into()],
    );
    let cond = Cond::eq("patient_id", client.id.0).and(strangers);
    remove_rows(call, cond).await
}

/// Takes providers out of a client's care team; whether any was in it.
pub async fn remove_from_team(
    call: &mut Call<'_>,
    client: &User,
    ids: &[Id<User>],
) -> Answer<bool> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    remove_rows(call, Cond::eq("patient_id", client.id.0).and(Cond::is_in("user_id", &ids))).await
}

async fn remove_rows(call: &mut Call<'_>, cond: Cond) -> Answer<bool> {
    let rows: Vec<CareTeamMember> = call.list(cond, &[]).await?;
    for row in &rows {
        call.destroy(row).await?;
    }
    Ok(!rows.is_empty())
}
