//! Fields of `User` about the people and the organization around them:
//! colleagues, other accounts of the same human, the organization's contact.

use std::collections::HashMap;

use ward_engine::{Answer, Bindings, Kind, Link, Listing, Out, Request, RowView};
use ward_store::{Cond, Join, Level, Query, Select, Sql, Value, read_selected};

use crate::account::joined;
use crate::bindings::user::{USER_ORDERS, keys_of};
use crate::bindings::user_flags::any_held;
use crate::flags;
use crate::tables::{USERS, users as at};

/// Members of the same organization or sub-organization, but for oneself.
const COLLEAGUES: &str = "(SELECT a.org_id, a.id AS from_id, b.id AS to_id FROM users a \
     JOIN users b ON b.org_id = a.org_id AND b.unit_id = a.unit_id AND b.id <> a.id \
     WHERE a.is_patient = FALSE AND b.is_patient = FALSE)";
/// Other accounts of the same human; members and clients are never one
/// (behaviour 15).
const OTHER_ACCOUNTS: &str = "(SELECT a.org_id, a.id AS from_id, b.id AS to_id FROM users a \
     JOIN users b ON b.org_id = a.org_id AND b.human_id = a.human_id AND b.id <> a.id \
     WHERE a.is_patient = b.is_patient)";
const COLLEAGUES_LINK: Link =
    Link::Join { parent: at::id, join: Join { table: COLLEAGUES, to: "to_id", from: "from_id" } };
const ACCOUNTS_JOIN: Join = Join { table: OTHER_ACCOUNTS, to: "to_id", from: "from_id" };
const ACCOUNTS_LINK: Link = Link::Join { parent: at::id, join: ACCOUNTS_JOIN };
const NEEDS: &[usize] = &[at::id, at::org_id, at::unit_id];

/// Registers the fields.
pub fn bind(b: &mut Bindings) {
    b.many("User", "other_org_members", &USERS, COLLEAGUES_LINK)
        .args(&[("only_active", Kind::Plain)])
        .listing(|_, args| Ok(Listing::of(active_if(args.flag("only_active")))))
        .orders(USER_ORDERS, "LAST_NAME_ASC");
    b.many("User", "other_org_members_for_sharing", &USERS, COLLEAGUES_LINK)
        .listing(|_, _| Ok(Listing::of(active_if(true))))
        .orders(USER_ORDERS, "LAST_NAME_ASC");
    b.many("User", "switchable_users", &USERS, ACCOUNTS_LINK)
        .listing(|_, _| Ok(Listing::of(active_if(true))))
        .orders(USER_ORDERS, "LAST_NAME_ASC");
    b.count("User", "switchable_users_count", &USERS, ACCOUNTS_LINK)
        .listing(|_, _| Ok(Listing::of(active_if(true))));
    b.batch("User", "has_user_switch_options", NEEDS, |request, conn, rows, _| {
        Box::pin(have_other_accounts(request, conn, rows))
    });
    bind_organization(b);
    bind_rights(b);
    b.computed(
        "User",
        "full_legal_name_with_preferred",
        &[at::first_name, at::last_name, at::legal_name],
        |_, row, _| legal_with_preferred(row),
    );
    // Nothing has a trial here.
    b.computed("User", "requires_shortened_trial", &[], |_, _, _| false.into());
    // Nobody ever acts as somebody else, and other companies' products are not
    // connected.
    for field in
        ["pretend_to_be", "zus_proxy_token", "living_plate_magic_link", "heads_up_health_sso_link"]
    {
        b.computed("User", field, &[], |_, _, _| Out::Null);
    }
}

fn active_if(only: bool) -> Cond {
    if only { Cond::is_true("active") } else { Cond::Always }
}

/// The legal name and, where it differs, what the person goes by: "Roberta
/// (Robin) Pilcrow".
fn legal_with_preferred(row: &RowView<'_>) -> Out {
    let first = row.text(at::first_name).map(str::trim).filter(|name| !name.is_empty());
    let legal = row.text(at::legal_name).map(str::trim).filter(|name| !name.is_empty());
    let preferred = first.filter(|first| legal.is_some_and(|legal| legal != *first));
    let preferred = preferred.map(|name| format!("({name})"));
    let name = joined([legal.or(first), preferred.as_deref(), row.text(at::last_name)]);
    if name.is_empty() { Out::Null } else { name.into() }
}

/// Whether there is another account that the reader sees.
async fn have_other_accounts(
    request: &Request,
    conn: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let (_, ids) = keys_of(&rows);
    let mut select = Select::new(&USERS, &request.actor);
    select.columns = vec![at::id];
    select.least = Level::Limited;
    select.join = Some(ACCOUNTS_JOIN);
    select.filter =
        active_if(true).and(Cond::sql("j.from_id IN_LIST(?)", [Value::Ints(ids.into())]));
    let found = read_selected(conn, &request.db, &select).await?;
    let of: Vec<i64> = found.iter().filter_map(|row| row.get(1)?.int()).collect();
    let has = |row: &RowView<'_>| row.get(at::id).int().is_some_and(|id| of.contains(&id));
    Ok(rows.iter().map(|row| has(row).into()).collect())
}

fn bind_organization(b: &mut Bindings) {
    b.batch("User", "organization_email", NEEDS, |_, conn, rows, _| {
        Box::pin(async move {
            let units = units(conn, &rows).await?;
            Ok(per_unit(&rows, |unit| units.get(&unit).map(|it| it.email.clone()).into()))
        })
    });
    b.batch("User", "in_multiple_providers_org", NEEDS, |_, conn, rows, _| {
        Box::pin(async move {
            let units = units(conn, &rows).await?;
            Ok(per_unit(&rows, |unit| units.get(&unit).is_some_and(|it| it.providers > 1).into()))
        })
    });
    b.batch("User", "in_org", &[at::id, at::org_id], |_, conn, rows, _| {
        Box::pin(async move {
            let roles = roles(conn, &rows).await?;
            let is =
                |row: &RowView<'_>| row.get(at::id).int().is_some_and(|id| roles.contains_key(&id));
            Ok(rows.iter().map(|row| is(row).into()).collect())
        })
    });
    b.batch("User", "erx_dosespot_role", &[at::id, at::org_id], |_, conn, rows, _| {
        Box::pin(async move {
            let mut roles = roles(conn, &rows).await?;
            let mut role = |row: &RowView<'_>| {
                row.get(at::id).int().and_then(|id| roles.remove(&id)).and_then(|(role, _)| role)
            };
            Ok(rows.iter().map(|row| role(row).into()).collect())
        })
    });
    b.batch("User", "scheduling_priority", &[at::id, at::org_id], |_, conn, rows, _| {
        Box::pin(async move {
            let roles = roles(conn, &rows).await?;
            let priority = |row: &RowView<'_>| {
                row.get(at::id).int().and_then(|id| roles.get(&id)).and_then(|(_, it)| *it)
            };
            Ok(rows.iter().map(|row| priority(row).into()).collect())
        })
    });
}

fn bind_rights(b: &mut Bindings) {
    b.batch("User", "can_see_audit_log_ui", NEEDS, |_, conn, rows, _| {
        Box::pin(any_held(conn, rows, &[flags::CAN_VIEW_AUDIT_LOG]))
    });
    b.batch("User", "cannot_access_org_member_settings", NEEDS, |_, conn, rows, _| {
        Box::pin(async move {
            let may = any_held(conn, rows, &[flags::CAN_EDIT_MEMBERS]).await?;
            Ok(may.into_iter().map(|may| (may != Out::Bool(true)).into()).collect())
        })
    });
    b.batch("User", "can_insert_suborgs", NEEDS, |_, conn, rows, _| {
        Box::pin(async move {
            let units = units(conn, &rows).await?;
            let may = any_held(conn, rows.clone(), &[flags::IS_ADMIN]).await?;
            let can = |row: &RowView<'_>| {
                let unit = row.get(at::unit_id).int();
                unit.and_then(|unit| units.get(&unit)).is_some_and(|it| it.can_have_suborgs)
            };
            let both = rows.iter().zip(may).map(|(row, may)| can(row) && may == Out::Bool(true));
            Ok(both.map(Out::from).collect())
        })
    });
}

struct Unit {
    email: String,
    can_have_suborgs: bool,
    /// Active providers.
    providers: i64,
}

async fn units(conn: &mut dyn Query, rows: &[RowView<'_>]) -> Answer<HashMap<i64, Unit>> {
    let mut ids: Vec<i64> = rows.iter().filter_map(|row| row.get(at::unit_id).int()).collect();
    ids.sort_unstable();
    ids.dedup();
    let sql = Sql::fixed(
        "SELECT o.id, o.organization_email, o.can_have_suborgs, (SELECT COUNT(*) \
         FROM organization_memberships m WHERE m.org_id = o.org_id AND m.unit_id = o.id \
         AND m.active = TRUE AND m.is_provider = TRUE) FROM organizations o WHERE o.id IN_LIST($1)",
        [Value::Ints(ids.into())],
    );
    let of = |row: &[Value]| {
        let [id, email, can_have_suborgs, providers] = row else { return None };
        let unit = Unit {
            email: email.text()?.to_owned(),
            can_have_suborgs: can_have_suborgs.truth(),
            providers: providers.int()?,
        };
        Some((id.int()?, unit))
    };
    Ok(conn.rows(&sql).await?.iter().filter_map(of).collect())
}

fn per_unit(rows: &[RowView<'_>], out: impl Fn(i64) -> Out) -> Vec<Out> {
    rows.iter().map(|row| row.get(at::unit_id).int().map_or(Out::Null, &out)).collect()
}

/// A prescribing role and a place in the order of who is booked first.
type Roles = (Option<String>, Option<i64>);

/// The roles of the rows' users who have a place in an organization.
async fn roles(conn: &mut dyn Query, rows: &[RowView<'_>]) -> Answer<HashMap<i64, Roles>> {
    let (orgs, ids) = keys_of(rows);
    let sql = Sql::fixed(
        "SELECT m.user_id, m.erx_dosespot_role, m.scheduling_priority FROM organization_memberships m \
         WHERE m.org_id IN_LIST($1) AND m.user_id IN_LIST($2) AND m.active = TRUE",
        [Value::Ints(orgs.into()), Value::Ints(ids.into())],
    );
    let of = |row: &[Value]| {
        let [user, role, priority] = row else { return None };
        Some((user.int()?, (role.text().map(str::to_owned), priority.int())))
    };
    Ok(conn.rows(&sql).await?.iter().filter_map(of).collect())
}
