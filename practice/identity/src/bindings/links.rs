//! What the pages behind one-time links ask before their holder has signed in
//! (behaviour 3.3, 3.4). Asking uses no link up.

use ward_engine::{Answer, Args, Bindings, Kind, Out, Request, RowView};
use ward_store::Query;

use super::user::keys_of;
use crate::flags::CAN_SET_CLIENT_PASSWORD;
use crate::link_facts;
use crate::tables::{LinkPurpose, users as at};

/// Registers the queries.
pub fn bind(b: &mut Bindings) {
    const TOKEN: &[(&str, Kind)] = &[("token", Kind::Plain)];
    b.batch("Query", "validateResetPasswordToken", &[], |request, conn, rows, args| {
        Box::pin(is_good(request, conn, rows, args, LinkPurpose::Reset))
    })
    .args(TOKEN);
    b.batch("Query", "validateSignupToken", &[], |request, conn, rows, args| {
        Box::pin(is_good(request, conn, rows, args, LinkPurpose::Invite))
    })
    .args(TOKEN);
    b.batch("User", "set_password_link", &[at::id, at::org_id], |request, conn, rows, args| {
        Box::pin(invitations(request, conn, rows, args))
    });
    b.batch("Query", "basicUserInfoFromToken", &[], |request, conn, rows, args| {
        Box::pin(holder(request, conn, rows, args))
    })
    .args(TOKEN);
}

async fn is_good(
    request: &Request,
    conn: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    args: &Args,
    purpose: LinkPurpose,
) -> Answer<Vec<Out>> {
    let good = match args.text("token") {
        Some(text) => link_facts::is_open(conn, &request.instance, text, purpose, "token").await?,
        None => false,
    };
    Ok(vec![good.into(); rows.len()])
}

/// Where each client sets their first password: for staff who send their own
/// welcome mail, and may set a client's password anyway (behaviour 18.1).
async fn invitations(
    request: &Request,
    conn: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    _: &Args,
) -> Answer<Vec<Out>> {
    let actor = &request.actor;
    if !actor.is_member() || !actor.has(CAN_SET_CLIENT_PASSWORD.flag) {
        return Ok(vec![Out::Null; rows.len()]);
    }
    let users = keys_of(&rows);
    let links =
        link_facts::open_invitations(conn, &request.instance, users, &request.base_url).await?;
    let of = |row: &RowView<'_>| row.get(at::id).int().and_then(|id| links.get(&id).cloned());
    Ok(rows.iter().map(|row| of(row).into()).collect())
}

/// Who holds a link that sets a password: the names and the address that its
/// page greets, and nothing else of the account.
async fn holder(
    request: &Request,
    conn: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    args: &Args,
) -> Answer<Vec<Out>> {
    let holder = match args.text("token") {
        Some(text) => link_facts::greeting(conn, &request.instance, text, "token").await?,
        None => None,
    };
    Ok(vec![holder.map_or(Out::Null, Out::Json); rows.len()])
}
