//! The clients of a group, held in the order of their ids, so that two calls never wait for each
//! other.

use ward_clients::tables::UserGroup;
use ward_engine::{Answer, Call, Refused};
use ward_identity::tables::User;
use ward_store::{Cond, Id, Query, Sql, Value};

use super::CLIENTS_MAX;
use super::table::{CarePlan, GroupCarePlanUserConnection as Connection};

/// The active clients of a group, as many as one call can reach and one more. The group is not
/// held: who joins meanwhile is not among them.
pub async fn members(call: &mut Call<'_>, group: Id<UserGroup>) -> Answer<Vec<Id<User>>> {
    let mut sql = Sql::new();
    sql.push("SELECT u.id FROM users u WHERE u.org_id = ").bind(call.actor.org_id);
    sql.push(" AND u.user_group_id = ").bind(group.0);
    sql.push(" AND u.is_patient = TRUE AND u.active = TRUE AND u.deleted_at IS NULL");
    let most = i64::try_from(CLIENTS_MAX).unwrap_or(i64::MAX).saturating_add(1);
    sql.push(" ORDER BY u.id").limit(most).push(" FOR_UPDATE");
    ids(call, &sql).await
}

/// The clients for whom a plan is active.
pub async fn followers(call: &mut Call<'_>, plan: Id<CarePlan>) -> Answer<Vec<Id<User>>> {
    let mut sql = Sql::new();
    sql.push("SELECT u.id FROM users u WHERE u.org_id = ").bind(call.actor.org_id);
    sql.push(" AND u.id IN (SELECT l.user_id FROM group_care_plan_user_connections l");
    sql.push(" WHERE l.org_id = ").bind(call.actor.org_id);
    sql.push(" AND l.care_plan_id = ").bind(plan.0);
    sql.push(" AND l.active = TRUE AND l.deleted_at IS NULL) ORDER BY u.id FOR_UPDATE");
    ids(call, &sql).await
}

async fn ids(call: &mut Call<'_>, sql: &Sql) -> Answer<Vec<Id<User>>> {
    let found = call.tx.rows(sql).await?;
    let id = |row: &[Value]| row.first().and_then(Value::int).map(Id::new);
    Ok(found.iter().filter_map(id).collect())
}

/// That one call reaches no more than it can.
pub fn is_bounded(clients: &[Id<User>], at: &str) -> Answer<()> {
    match clients.len() <= CLIENTS_MAX {
        true => Ok(()),
        false => Err(Refused::on(
            at,
            format!(
                "This reaches more clients than the {CLIENTS_MAX} that one call can reach: name \
                 smaller groups, or fewer"
            ),
        )),
    }
}

/// What a plan is to a client: whether it is active for them, or was.
pub async fn connection(
    call: &mut Call<'_>,
    plan: Id<CarePlan>,
    client: Id<User>,
) -> Answer<Option<Connection>> {
    let own = Cond::eq("care_plan_id", plan.0).and(Cond::eq("user_id", client.0));
    // Two merged clients may have had one each: the active one tells.
    let active: Option<Connection> = call.find_by(own.clone().and(Cond::is_true("active"))).await?;
    match active {
        Some(active) => Ok(Some(active)),
        None => Ok(call.find_by(own).await?),
    }
}
