//! What is said of care plans beside what is kept of them.

use std::collections::{HashMap, HashSet};

use ward_engine::{Answer, Args, Out, Request, RowView};
use ward_identity::id_or_blank::IdOrBlank;
use ward_identity::tables::User;
use ward_identity::visibility::sees_user;
use ward_store::{Query, Sql, Value};

use super::table::care_plans as at;

/// The columns that the fields read.
pub const NEEDS: &[usize] = &[at::id, at::patient_id, at::user_group_id, at::is_on];

fn numbers(rows: &[RowView<'_>], column: usize) -> Vec<i64> {
    let mut found: Vec<i64> = rows.iter().filter_map(|row| row.get(column).int()).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// `is_active`: for its client, or switched on for its group.
pub async fn are_active(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let mut sql = Sql::new();
    sql.push("SELECT l.care_plan_id, l.user_id FROM group_care_plan_user_connections l");
    sql.push(" WHERE l.org_id = ").bind(request.actor.org_id);
    sql.push(" AND l.care_plan_id").bind_in(numbers(&rows, at::id).as_slice());
    sql.push(" AND l.active = TRUE AND l.deleted_at IS NULL AND l.user_group_id IS NULL");
    let found = q.rows(&sql).await?;
    let pair = |row: &[Value]| Some((row.first()?.int()?, row.get(1)?.int()?));
    let active: HashSet<(i64, i64)> = found.iter().filter_map(pair).collect();
    let is_active = |row: &RowView<'_>| {
        let own = row.get(at::id).int().zip(row.get(at::patient_id).int());
        row.get(at::is_on).truth() || own.is_some_and(|own| active.contains(&own))
    };
    Ok(rows.iter().map(|row| is_active(row).into()).collect())
}

/// `group_plan_is_active_for_given_user`: null for who does not see the client.
pub async fn are_active_for(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    args: &Args,
) -> Answer<Vec<Out>> {
    let asked = args.get::<IdOrBlank<User>>("patient_id", request)?.and_then(|id| id.0);
    let Some(client) = asked else { return Ok(vec![Out::Null; rows.len()]) };
    let mut sql = Sql::new();
    sql.push("SELECT t.id FROM users t WHERE t.org_id = ").bind(request.actor.org_id);
    sql.push(" AND t.id = ").bind(client.0).push(" AND ");
    sees_user(&request.actor, client).write("t", &mut sql);
    if q.rows(&sql).await?.is_empty() {
        return Ok(vec![Out::Null; rows.len()]);
    }
    let mut sql = Sql::new();
    sql.push("SELECT l.care_plan_id FROM group_care_plan_user_connections l JOIN users u");
    sql.push(" ON u.org_id = l.org_id AND u.id = l.user_id AND u.user_group_id = l.user_group_id");
    sql.push(" WHERE l.org_id = ").bind(request.actor.org_id);
    sql.push(" AND l.user_id = ").bind(client.0);
    sql.push(" AND l.active = TRUE AND l.deleted_at IS NULL");
    let found = q.rows(&sql).await?;
    let plan = |row: &[Value]| row.first().and_then(Value::int);
    let active: HashSet<i64> = found.iter().filter_map(plan).collect();
    let is_active =
        |row: &RowView<'_>| row.get(at::id).int().is_some_and(|id| active.contains(&id));
    Ok(rows.iter().map(|row| is_active(row).into()).collect())
}

/// `assigned_to`: the name of its client or its group.
pub async fn assigned_to(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let org_id = request.actor.org_id;
    let mut sql = Sql::new();
    sql.push("SELECT u.id, u.first_name, u.last_name FROM users u WHERE u.org_id = ").bind(org_id);
    sql.push(" AND u.id").bind_in(numbers(&rows, at::patient_id).as_slice());
    let found = q.rows(&sql).await?;
    let named = |row: &[Value]| {
        let parts = [row.get(1)?.text(), row.get(2)?.text()];
        let parts: Vec<&str> = parts.into_iter().flatten().collect();
        Some((row.first()?.int()?, parts.join(" ")))
    };
    let clients: HashMap<i64, String> = found.iter().filter_map(named).collect();
    let mut sql = Sql::new();
    sql.push("SELECT g.id, g.name FROM user_groups g WHERE g.org_id = ").bind(org_id);
    sql.push(" AND g.deleted_at IS NULL");
    sql.push(" AND g.id").bind_in(numbers(&rows, at::user_group_id).as_slice());
    let found = q.rows(&sql).await?;
    let named = |row: &[Value]| Some((row.first()?.int()?, row.get(1)?.text()?.to_owned()));
    let groups: HashMap<i64, String> = found.iter().filter_map(named).collect();
    let name = |row: &RowView<'_>| {
        let client = row.get(at::patient_id).int().and_then(|id| clients.get(&id));
        client.or_else(|| row.get(at::user_group_id).int().and_then(|id| groups.get(&id))).cloned()
    };
    Ok(rows.iter().map(|row| name(row).into()).collect())
}

/// `has_users_with_real_emails`: whether anybody of those whose it is can be written to.
pub async fn can_be_told(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let mut sql = Sql::new();
    sql.push("SELECT u.id, u.user_group_id FROM users u WHERE u.org_id = ");
    sql.bind(request.actor.org_id);
    sql.push(" AND u.is_patient = TRUE AND u.active = TRUE AND u.deleted_at IS NULL");
    sql.push(" AND u.email IS NOT NULL AND (u.id");
    sql.bind_in(numbers(&rows, at::patient_id).as_slice()).push(" OR u.user_group_id");
    sql.bind_in(numbers(&rows, at::user_group_id).as_slice()).push(")");
    let found = q.rows(&sql).await?;
    let number = |at: usize| move |row: &[Value]| row.get(at).and_then(Value::int);
    let clients: HashSet<i64> = found.iter().filter_map(number(0)).collect();
    let groups: HashSet<i64> = found.iter().filter_map(number(1)).collect();
    let has = |row: &RowView<'_>| {
        row.get(at::patient_id).int().is_some_and(|id| clients.contains(&id))
            || row.get(at::user_group_id).int().is_some_and(|id| groups.contains(&id))
    };
    Ok(rows.iter().map(|row| has(row).into()).collect())
}
