//! What documents and folders have in common: whom they are shared with, and what
//! the caller may do with them.

use std::collections::HashMap;

use ward_engine::{Answer, Args, Out, Request, RowView};
use ward_identity::tables::{USERS, User, users};
use ward_store::{Cond, Id, Level, Query, Select, Sql, Value};

use crate::sharing::may_edit;

/// The table and column of sharings.
#[derive(Clone, Copy)]
pub struct Sharings {
    pub table: &'static str,
    pub of: &'static str,
}

/// How often each is shared.
#[derive(Clone, Copy, Default)]
struct Counts {
    people: i64,
    groups: i64,
}

fn ids(rows: &[RowView<'_>], at: usize) -> Vec<i64> {
    let mut ids: Vec<i64> = rows.iter().filter_map(|row| row.get(at).int()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

async fn counts(
    request: &Request,
    q: &mut dyn Query,
    sharings: Sharings,
    ids: &[i64],
) -> Answer<HashMap<i64, Counts>> {
    let Sharings { table, of } = sharings;
    let mut sql = Sql::new();
    sql.push(&format!("SELECT s.{of}, COUNT(s.user_id), COUNT(s.user_group_id) FROM {table} s"));
    sql.push(" WHERE s.org_id = ").bind(request.actor.org_id).push(&format!(" AND s.{of}"));
    sql.bind_in(ids).push(&format!(" GROUP BY s.{of}"));
    let found = q.rows(&sql).await?;
    let one = |row: &[Value]| {
        let counts = Counts { people: row.get(1)?.int()?, groups: row.get(2)?.int()? };
        Some((row.first()?.int()?, counts))
    };
    Ok(found.iter().filter_map(one).collect())
}

/// Which number is asked for.
#[derive(Clone, Copy)]
pub enum Asked {
    /// Whether with anybody.
    Any,
    /// People by name.
    People,
    /// Groups.
    Groups,
}

/// How often rows are shared. Clients are told of themselves only: that it is.
pub async fn answered(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    (sharings, id, welcome, all): (Sharings, usize, usize, usize),
    asked: Asked,
) -> Answer<Vec<Out>> {
    if request.actor.is_client() {
        let own = matches!(asked, Asked::Any);
        return Ok(vec![if own { true.into() } else { Out::Null }; rows.len()]);
    }
    let counts = counts(request, q, sharings, &ids(&rows, id)).await?;
    let of = |row: &RowView<'_>| {
        let counts = row.get(id).int().and_then(|id| counts.get(&id)).copied().unwrap_or_default();
        let wide = [welcome, all].iter().any(|at| row.get(*at).truth());
        match asked {
            Asked::Any => Out::from(wide || counts.people + counts.groups > 0),
            Asked::People => Out::from(counts.people),
            Asked::Groups => Out::from(counts.groups),
        }
    };
    Ok(rows.iter().map(of).collect())
}

/// Whether the caller may change a row of this owner.
pub fn editable(request: &Request, row: &RowView<'_>, owner: usize) -> bool {
    let owner = row.get(owner).int().unwrap_or(0);
    request.actor.is_member() && may_edit(&request.actor, owner)
}

/// Since when a client can see each row: since it was shared with them, their group or
/// a folder that it is in, if later than it was made.
pub async fn visible_since(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    (sharings, id, created_at, folder): (Sharings, usize, usize, usize),
    args: &Args,
) -> Answer<Vec<Out>> {
    let made = |row: &RowView<'_>| row.get(created_at).int();
    let viewer: Option<Id<User>> = match args.text("viewable_user_id") {
        Some(_) => args.get("viewable_user_id", request)?,
        None => None,
    };
    let mut since: HashMap<i64, i64> = HashMap::new();
    let mut through: HashMap<i64, i64> = HashMap::new();
    if let Some(viewer) = viewer
        && may_ask_of(request, q, viewer).await?
    {
        since = first_shares(request, q, sharings, &ids(&rows, id), viewer).await?;
        through = folder_shares(request, q, &ids(&rows, folder), viewer).await?;
    }
    let of = |row: &RowView<'_>| {
        let own = row.get(id).int().and_then(|id| since.get(&id));
        let folder = row.get(folder).int().and_then(|id| through.get(&id));
        let shared = own.into_iter().chain(folder).min();
        let at = made(row)?.max(shared.copied().unwrap_or(i64::MIN));
        Some(Out::Instant(ward_instance::Timestamp(at)))
    };
    Ok(rows.iter().map(|row| of(row).unwrap_or(Out::Null)).collect())
}

/// Whether the caller may know what is shared with whom: with themselves, or with a client whom a
/// member sees in full.
async fn may_ask_of(request: &Request, q: &mut dyn Query, viewer: Id<User>) -> Answer<bool> {
    if viewer.0 == request.actor.user_id {
        return Ok(true);
    }
    if !request.actor.is_member() {
        return Ok(false);
    }
    let mut select = Select::new(&USERS, &request.actor);
    select.columns = vec![users::id];
    select.least = Level::Full;
    select.filter = Cond::eq("id", viewer.0);
    Ok(!q.rows(&select.sql()).await?.is_empty())
}

/// When each was first shared with a client or the group they are in.
async fn first_shares(
    request: &Request,
    q: &mut dyn Query,
    sharings: Sharings,
    ids: &[i64],
    viewer: Id<User>,
) -> Answer<HashMap<i64, i64>> {
    let Sharings { table, of } = sharings;
    let org_id = request.actor.org_id;
    let mut sql = Sql::new();
    sql.push(&format!("SELECT s.{of}, MIN(s.created_at) FROM {table} s WHERE s.org_id = "));
    sql.bind(org_id).push(&format!(" AND s.{of}")).bind_in(ids);
    sql.push(" AND (s.user_id = ").bind(viewer.0);
    sql.push(" OR s.user_group_id = (SELECT g.user_group_id FROM users g WHERE g.org_id = ");
    sql.bind(org_id).push(" AND g.id = ").bind(viewer.0);
    sql.push(&format!(")) GROUP BY s.{of}"));
    let found = q.rows(&sql).await?;
    Ok(found.iter().filter_map(|row| Some((row.first()?.int()?, row.get(1)?.int()?))).collect())
}

/// The same of folders, through those that they are in.
async fn folder_shares(
    request: &Request,
    q: &mut dyn Query,
    ids: &[i64],
    viewer: Id<User>,
) -> Answer<HashMap<i64, i64>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let org_id = request.actor.org_id;
    let mut sql = Sql::new();
    sql.push(
        "WITH RECURSIVE above(start, id, up) AS (SELECT f.id, f.id, f.folder_id FROM folders f",
    );
    sql.push(" WHERE f.org_id = ").bind(org_id).push(" AND f.id").bind_in(ids);
    sql.push(" UNION SELECT a.start, f.id, f.folder_id FROM folders f JOIN above a ON f.id = a.up");
    sql.push(" WHERE f.org_id = ").bind(org_id);
    sql.push(") SELECT a.start, MIN(s.created_at) FROM above a JOIN folder_sharings s");
    sql.push(" ON s.folder_id = a.id WHERE s.org_id = ").bind(org_id);
    sql.push(" AND (s.user_id = ").bind(viewer.0);
    sql.push(" OR s.user_group_id = (SELECT g.user_group_id FROM users g WHERE g.org_id = ");
    sql.bind(org_id).push(" AND g.id = ").bind(viewer.0).push(")) GROUP BY a.start");
    let found = q.rows(&sql).await?;
    Ok(found.iter().filter_map(|row| Some((row.first()?.int()?, row.get(1)?.int()?))).collect())
}
