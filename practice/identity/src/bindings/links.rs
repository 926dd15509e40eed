//! What the pages behind one-time links ask before their holder has signed in
//! (behaviour 3.3, 3.4). Asking uses no link up.

use ward_engine::{Answer, Args, Bindings, Kind, Out, Request, RowView};
use ward_store::Query;

use crate::link;
use crate::tables::LinkPurpose;

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
        Some(text) => link::is_open(conn, &request.instance, text, purpose, "token").await?,
        None => false,
    };
    Ok(vec![good.into(); rows.len()])
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
        Some(text) => link::greeting(conn, &request.instance, text, "token").await?,
        None => None,
    };
    Ok(vec![holder.map_or(Out::Null, Out::Json); rows.len()])
}
