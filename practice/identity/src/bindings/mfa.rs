//! Second factors: the step at sign-in, and switching them on and off.

use std::collections::HashMap;

use ward_engine::{Answer, Args, Bindings, Out, Request, Returns, RowView, op};
use ward_store::{Query, Sql, Value};

use super::user::keys_of;
use crate::flags::CAN_EDIT_MEMBERS;
use crate::tables::{USERS, users as at};
use crate::{mfa, second_step};

static USER: &[(&str, Returns)] = &[("user", Returns::One(&USERS))];
static ENROLL: &[(&str, Returns)] =
    &[("mfa_type", Returns::Leaf), ("totp_secret", Returns::Leaf), ("totp_url", Returns::Leaf)];

/// Registers everything.
pub fn bind(b: &mut Bindings) {
    b.mutation_prepared(
        "validateVerificationToken",
        USER,
        |request, input: second_step::ValidateVerificationToken| {
            Box::pin(second_step::prepare(request, input))
        },
        op!(second_step::validate),
    )
    .before_code();
    b.mutation("resendVerificationCode", &[], op!(second_step::resend)).before_code();
    b.mutation("resetMfa", &[], op!(mfa::reset));
    b.mutation("enrollMfa", ENROLL, op!(mfa::enroll));
    b.mutation_prepared(
        "confirmMfa",
        USER,
        |request, input: mfa::ConfirmMfa| Box::pin(mfa::prepare_confirm(request, input)),
        op!(mfa::confirm),
    );
    b.mutation("unenrollMfa", USER, op!(mfa::unenroll));
    b.batch("User", "mfa_types", &[at::id, at::org_id], |request, conn, rows, args| {
        Box::pin(types(request, conn, rows, args))
    });
}

/// The confirmed factors of each member: for themselves and those who may edit
/// members, null for others.
async fn types(
    request: &Request,
    conn: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    _: &Args,
) -> Answer<Vec<Out>> {
    let (orgs, ids) = keys_of(&rows);
    let sql = Sql::fixed(
        "SELECT f.user_id, f.kind FROM second_factors f WHERE f.org_id IN_LIST($1) \
         AND f.user_id IN_LIST($2) AND f.confirmed_at IS NOT NULL ORDER BY f.kind",
        [Value::Ints(orgs.into()), Value::Ints(ids.into())],
    );
    let mut kinds: HashMap<i64, Vec<Out>> = HashMap::new();
    for row in conn.rows(&sql).await?.iter() {
        if let [user, kind] = row
            && let (Some(user), Some(kind)) = (user.int(), kind.text())
        {
            kinds.entry(user).or_default().push(kind.into());
        }
    }
    let actor = &request.actor;
    let may_edit = actor.is_member() && actor.has(CAN_EDIT_MEMBERS.flag);
    let of = |row: &RowView<'_>| {
        let id = row.get(at::id).int()?;
        let is_shown = may_edit || id == actor.user_id;
        is_shown.then(|| Out::List(kinds.get(&id).cloned().unwrap_or_default()))
    };
    Ok(rows.iter().map(|row| of(row).unwrap_or(Out::Null)).collect())
}
