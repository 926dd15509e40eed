//! `User.permission_uses`, an addition: what a member holds, and when it last
//! decided a request.

use std::collections::HashMap;

use ward_engine::{Answer, Args, Bindings, Kind, Out, Request, RowView};
use ward_store::{Flags, Query, Sql, Value};

use crate::bindings::user::keys_of;
use crate::flags::{self, CAN_EDIT_MEMBERS, Governs};
use crate::tables::users as at;

const DAY_MICROS: i64 = 86_400_000_000;

/// Registers the type, the field and the mutation that marks programs.
pub fn bind(b: &mut Bindings) {
    b.value_object("PermissionUse", &["permission", "held_by", "last_exercised_on"]);
    b.batch("User", "permission_uses", &[at::id, at::org_id], |request, conn, rows, args| {
        Box::pin(uses(request, conn, rows, args))
    })
    .args(&[("unused_for_days", Kind::Plain)]);
}

/// What a member holds by flag, and whether they own their organization.
#[derive(Clone, Copy, Debug, Default)]
struct Held {
    stored: Flags,
    is_owner: bool,
}

/// Of whoever asks, and of members for those who may edit members.
async fn uses(
    request: &Request,
    conn: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    args: &Args,
) -> Answer<Vec<Out>> {
    let actor = &request.actor;
    let may_all = actor.is_member() && actor.has(CAN_EDIT_MEMBERS.flag);
    let held = held(conn, &rows).await?;
    let last = last_days(conn, &rows).await?;
    let until = args.int("unused_for_days").map(|days| day_before(request, days));
    let of = |row: &RowView<'_>| {
        let Some(id) = row.get(at::id).int() else { return Out::Null };
        let Some(held) = held.get(&id).filter(|_| may_all || id == actor.user_id) else {
            return Out::Null;
        };
        Out::List(listed(*held, last.get(&id), until.as_deref()))
    };
    Ok(rows.iter().map(of).collect())
}

fn listed(held: Held, last: Option<&HashMap<String, String>>, until: Option<&str>) -> Vec<Out> {
    let effective = flags::effective(held.stored, held.is_owner);
    let lines = flags::ALL.iter().filter(|line| line.governs != Governs::Display);
    let held_lines = lines.filter(|line| effective.has(line.permission.flag));
    let uses = held_lines.filter_map(|line| {
        let name = line.permission.name;
        let day = last.and_then(|days| days.get(name)).map(String::as_str);
        // Days are texts that sort as days do.
        if until.is_some_and(|until| day.is_some_and(|day| day > until)) {
            return None;
        }
        let held_by = match () {
            () if held.stored.has(line.permission.flag) => "flag",
            () if held.is_owner => "owner",
            () => "administrator",
        };
        Some(Out::Json(serde_json::json!({
            "permission": name, "held_by": held_by, "last_exercised_on": day
        })))
    });
    uses.collect()
}

fn day_before(request: &Request, days: i64) -> String {
    let wall = request.instance.clock().wall();
    let at = wall.minus_micros(days.clamp(0, 36_500) * DAY_MICROS);
    at.to_string().chars().take(10).collect()
}

async fn held(conn: &mut dyn Query, rows: &[RowView<'_>]) -> Answer<HashMap<i64, Held>> {
    let (orgs, ids) = keys_of(rows);
    let mut sql = Sql::new();
    sql.push("SELECT m.user_id, o.owner_id");
    for line in flags::ALL {
        sql.push(", m.").push(line.permission.name);
    }
    sql.push(
        " FROM organization_memberships m \
         LEFT JOIN organizations o ON o.org_id = m.org_id AND o.id = m.unit_id WHERE m.org_id",
    );
    sql.bind_in(orgs).push(" AND m.user_id").bind_in(ids);
    let of = |row: &[Value]| {
        let [user, owner, held @ ..] = row else { return None };
        let lines = flags::ALL.iter().zip(held).filter(|(_, value)| value.truth());
        let stored = lines.fold(Flags::default(), |set, (line, _)| set.with(line.permission.flag));
        let is_owner = owner.int().is_some() && owner.int() == user.int();
        Some((user.int()?, Held { stored, is_owner }))
    };
    Ok(conn.rows(&sql).await?.iter().filter_map(of).collect())
}

async fn last_days(
    conn: &mut dyn Query,
    rows: &[RowView<'_>],
) -> Answer<HashMap<i64, HashMap<String, String>>> {
    let (orgs, ids) = keys_of(rows);
    let sql = Sql::fixed(
        "SELECT p.user_id, p.permission, p.last_on FROM permission_uses p \
         WHERE p.org_id IN_LIST($1) AND p.user_id IN_LIST($2)",
        [Value::Ints(orgs.into()), Value::Ints(ids.into())],
    );
    let mut last: HashMap<i64, HashMap<String, String>> = HashMap::new();
    for row in conn.rows(&sql).await?.iter() {
        if let [user, permission, day] = row
            && let (Some(user), Some(permission), Some(day)) =
                (user.int(), permission.text(), day.text())
        {
            last.entry(user).or_default().insert(permission.to_owned(), day.to_owned());
        }
    }
    Ok(last)
}
