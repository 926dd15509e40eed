//! Fields of `User` that tell what a member may do: the same answer as the
//! check itself gives, owner and administrator rules included (behaviour 16).

use std::collections::{HashMap, HashSet};

use ward_engine::{Answer, Bindings, Out, Permission, RowView};
use ward_store::{Flags, Query, Sql, Value};

use crate::bindings::user::keys_of;
use crate::flags;
use crate::tables::users as at;

const NEEDS: &[usize] = &[at::id, at::org_id];
const NEEDS_UNIT: &[usize] = &[at::id, at::org_id, at::unit_id];

macro_rules! mirrors {
    ($b:ident: $( $field:literal = $flag:ident, )*) => { $(
        $b.batch("User", $field, NEEDS, |_, conn, rows, _| Box::pin(held(conn, rows, flags::$flag)));
    )* };
}

/// Registers the fields.
pub fn bind(b: &mut Bindings) {
    mirrors! { b:
        "can_access_zus" = CAN_ACCESS_ZUS,
        "can_add_clients" = CAN_ADD_CLIENTS,
        "can_add_members" = CAN_ADD_MEMBERS,
        "can_archive_clients" = CAN_REMOVE_CLIENT,
        "can_charge_clients" = CAN_CHARGE_CLIENTS,
        "can_check_eligibility" = REQUEST_ELIGIBILITY_CHECKS,
        "can_delete_charting_notes" = CAN_DELETE_CHARTING_NOTES,
        "can_delete_faxes" = CAN_DELETE_FAXES,
        "can_edit_appointment_types" = CAN_EDIT_APPOINTMENT_TYPES,
        "can_edit_credit" = CAN_EDIT_CREDIT,
        "can_edit_docs" = CAN_EDIT_DOCS,
        "can_edit_forms" = CAN_EDIT_FORMS,
        "can_edit_members" = CAN_EDIT_MEMBERS,
        "can_edit_org_calendar" = CAN_EDIT_CALENDAR,
        "can_edit_packages" = CAN_EDIT_PACKAGES,
        "can_edit_products" = CAN_EDIT_PRODUCTS,
        "can_edit_program_clients" = CAN_ENROLL_CLIENTS_TO_PROGRAMS,
        "can_edit_programs" = CAN_EDIT_EDUCATION,
        "can_edit_settings" = CAN_EDIT_SETTINGS,
        "can_lock_others_charting_notes" = CAN_LOCK_OTHERS_CHARTING_NOTES,
        "can_lock_own_charting_notes" = CAN_LOCK_OWN_CHARTING_NOTES,
        "can_mark_assigned_tasks_to_other_org_members_as_completed" =
            CAN_MARK_ASSIGNED_TASKS_TO_OTHER_ORG_MEMBERS_AS_COMPLETED,
        "can_merge_clients" = CAN_MERGE_CLIENTS,
        "can_order_labs" = CAN_ORDER_LABS,
        "can_see_fullscript_tab" = CAN_SEE_FULLSCRIPT_TAB,
        "can_see_option_to_use_erx_dosespot" = CAN_SEE_OPTION_TO_USE_ERX_DOSESPOT,
        "can_see_transfers" = CAN_SEE_TRANSFERS,
        "can_sign_others_charting_notes" = CAN_SIGN_OTHERS_CHARTING_NOTES,
        "can_sign_own_charting_notes" = CAN_SIGN_OWN_CHARTING_NOTES,
        "can_unlock_charting_notes" = CAN_UNLOCK_CHARTING_NOTES,
        "can_view_labs" = CAN_VIEW_LABS,
        "can_write_org_addendums" = CAN_WRITE_ORG_ADDENDUMS,
        "has_developer_access" = IS_DEVELOPER,
        "show_org_tab" = SHOW_ORG_TAB,
    }
    b.batch("User", "is_org_admin", NEEDS, |_, conn, rows, _| {
        Box::pin(held(conn, rows, flags::IS_ADMIN))
    });
    b.batch("User", "cannot_lock_form_answer_groups", NEEDS, |_, conn, rows, _| {
        Box::pin(async move {
            let held = held(conn, rows, flags::CAN_LOCK_OWN_CHARTING_NOTES).await?;
            Ok(held.into_iter().map(|may| Out::Bool(may != Out::Bool(true))).collect())
        })
    });
    b.batch("User", "is_owner", NEEDS, |_, conn, rows, _| {
        Box::pin(async move {
            let places = places(conn, &rows, flags::IS_PROVIDER).await?;
            Ok(per_row(&rows, |id| places.get(&id).is_some_and(|place| place.is_owner)))
        })
    })
    .public();
    b.batch("User", "is_active_provider", NEEDS, |_, conn, rows, _| {
        Box::pin(async move {
            let places = places(conn, &rows, flags::IS_PROVIDER).await?;
            Ok(per_row(&rows, |id| {
                places.get(&id).is_some_and(|place| place.is_active && place.is_stored)
            }))
        })
    })
    .public();
    b.batch("User", "has_api_access", NEEDS, |_, conn, rows, _| Box::pin(have_keys(conn, rows)));
    for field in ["is_org_with_multiple_users", "has_other_org_members"] {
        b.batch("User", field, NEEDS_UNIT, |_, conn, rows, _| {
            Box::pin(have_colleagues(conn, rows))
        });
    }
    b.batch("User", "can_have_suborgs", NEEDS_UNIT, |_, conn, rows, _| {
        Box::pin(async move {
            let units = units(conn, &rows).await?;
            Ok(per_unit(&rows, |unit| units.get(&unit).is_some_and(|(_, may)| *may).into()))
        })
    });
    b.batch("User", "org_name_or_self_name", NEEDS_UNIT, |_, conn, rows, _| {
        Box::pin(async move {
            let units = units(conn, &rows).await?;
            Ok(per_unit(&rows, |unit| units.get(&unit).map(|(name, _)| name.clone()).into()))
        })
    });
}

/// A member's place, as far as one flag is concerned.
struct Place {
    is_active: bool,
    is_owner: bool,
    is_stored: bool,
    is_effective: bool,
}

/// The places of the rows' users; clients have none.
async fn places(
    conn: &mut dyn Query,
    rows: &[RowView<'_>],
    permission: Permission,
) -> Answer<HashMap<i64, Place>> {
    let (orgs, ids) = keys_of(rows);
    let mut sql = Sql::new();
    sql.push("SELECT m.user_id, m.active, o.owner_id, m.is_admin, m.").push(permission.name);
    sql.push(
        " FROM organization_memberships m \
         LEFT JOIN organizations o ON o.org_id = m.org_id AND o.id = m.unit_id WHERE m.org_id",
    );
    sql.bind_in(orgs).push(" AND m.user_id").bind_in(ids);
    let found = conn.rows(&sql).await?;
    let place = |row: &[Value]| {
        let [user, active, owner, is_admin, flag] = row else { return None };
        let is_owner = owner.int().is_some() && owner.int() == user.int();
        let mut stored = Flags::default();
        for (held, permission) in [(is_admin, flags::IS_ADMIN), (flag, permission)] {
            stored = if held.truth() { stored.with(permission.flag) } else { stored };
        }
        let place = Place {
            is_active: active.truth(),
            is_owner,
            is_stored: flag.truth(),
            is_effective: flags::effective(stored, is_owner).has(permission.flag),
        };
        Some((user.int()?, place))
    };
    Ok(found.iter().filter_map(place).collect())
}

async fn held(
    conn: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    permission: Permission,
) -> Answer<Vec<Out>> {
    let places = places(conn, &rows, permission).await?;
    Ok(per_row(&rows, |id| {
        places.get(&id).is_some_and(|place| place.is_active && place.is_effective)
    }))
}

/// Whether the rows' users hold any of some permissions.
pub(crate) async fn any_held(
    conn: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    permissions: &[Permission],
) -> Answer<Vec<Out>> {
    let mut any = vec![Out::Bool(false); rows.len()];
    for permission in permissions {
        let held = held(conn, rows.clone(), *permission).await?;
        for (any, held) in any.iter_mut().zip(held) {
            if held == Out::Bool(true) {
                *any = held;
            }
        }
    }
    Ok(any)
}

fn per_row(rows: &[RowView<'_>], is: impl Fn(i64) -> bool) -> Vec<Out> {
    rows.iter().map(|row| row.get(at::id).int().is_some_and(&is).into()).collect()
}

fn per_unit(rows: &[RowView<'_>], out: impl Fn(i64) -> Out) -> Vec<Out> {
    rows.iter().map(|row| row.get(at::unit_id).int().map_or(Out::Null, &out)).collect()
}

/// Whether the users have a live API key.
async fn have_keys(conn: &mut dyn Query, rows: Vec<RowView<'_>>) -> Answer<Vec<Out>> {
    let (orgs, ids) = keys_of(&rows);
    let sql = Sql::fixed(
        "SELECT DISTINCT k.user_id FROM api_keys k WHERE k.org_id IN_LIST($1) \
         AND k.user_id IN_LIST($2) AND k.deleted_at IS NULL",
        [Value::Ints(orgs.into()), Value::Ints(ids.into())],
    );
    let found = conn.rows(&sql).await?;
    let holders: HashSet<i64> = found.iter().filter_map(|row| row.first()?.int()).collect();
    Ok(per_row(&rows, |id| holders.contains(&id)))
}

/// Whether the users' organizations have more than one active member.
async fn have_colleagues(conn: &mut dyn Query, rows: Vec<RowView<'_>>) -> Answer<Vec<Out>> {
    let (orgs, _) = keys_of(&rows);
    let sql = Sql::fixed(
        "SELECT m.unit_id, COUNT(*) FROM organization_memberships m \
         WHERE m.org_id IN_LIST($1) AND m.active = TRUE GROUP BY m.unit_id",
        [Value::Ints(orgs.into())],
    );
    let found = conn.rows(&sql).await?;
    let counts: HashMap<i64, i64> =
        found.iter().filter_map(|row| Some((row.first()?.int()?, row.get(1)?.int()?))).collect();
    Ok(per_unit(&rows, |unit| (counts.get(&unit).copied().unwrap_or(0) > 1).into()))
}

/// Name and permission for sub-organizations of the rows' units.
async fn units(conn: &mut dyn Query, rows: &[RowView<'_>]) -> Answer<HashMap<i64, (String, bool)>> {
    let (orgs, _) = keys_of(rows);
    let sql = Sql::fixed(
        "SELECT o.id, o.name, o.can_have_suborgs FROM organizations o WHERE o.org_id IN_LIST($1)",
        [Value::Ints(orgs.into())],
    );
    let found = conn.rows(&sql).await?;
    let unit = |row: &[Value]| {
        let [id, name, may] = row else { return None };
        Some((id.int()?, (name.text()?.to_owned(), may.truth())))
    };
    Ok(found.iter().filter_map(unit).collect())
}
