//! `clientAccessLog` (an addition to the contract; 45 CFR 164.528): who read a
//! client, when and by which way. The store writes the log; here it is read.

use ward_engine::{Answer, Args, Bindings, Kind, Link, Listing, OrderOption, Request};
use ward_identity::flags::CAN_VIEW_AUDIT_LOG;

use ward_identity::tables::{USERS, User};
use ward_identity::visibility;
use ward_store::access::{ACCESS_LOG, access_log as at};
use ward_store::{Actor, Cond, Entity, Id, Role, Rule, Table};

/// The store's access log, for those who may view the audit log. Which entries
/// depends on the client that is asked for.
pub static CLIENT_ACCESSES: Table = Table {
    name: ACCESS_LOG.name,
    entity: "ClientAccess",
    columns: ACCESS_LOG.columns,
    key: ACCESS_LOG.key,
    indexes: &[],
    references: &[],
    audit: None,
    subject: None,
    visible,
};

/// Clients who were merged into one.
const MERGED: &str = "SELECT m.id FROM users m WHERE m.org_id = ? AND m.merged_into_id = ?";

const ORDERS: &[OrderOption] =
    &[OrderOption { name: "OCCURRED_AT", expression: "{t}.occurred_at" }];

fn visible(actor: &Actor) -> Rule {
    match actor.role {
        Role::Member if actor.has(CAN_VIEW_AUDIT_LOG.flag) => Rule::full(Cond::Always),
        _ => Rule::none(),
    }
}

/// Binds the type and its query.
pub fn bind(b: &mut Bindings) {
    const TYPE: &str = "ClientAccess";
    b.object(TYPE, &CLIENT_ACCESSES);
    b.column(TYPE, "user_id", at::actor_id);
    b.one(TYPE, "user", &USERS, Link::Key(at::actor_id));
    b.query_list("clientAccessLog", &CLIENT_ACCESSES, listing)
        .args(&[
            ("break_glass", Kind::Plain),
            ("client_id", Kind::Id(User::NAME)),
            ("occurred_after", Kind::Plain),
            ("occurred_before", Kind::Plain),
            ("user_id", Kind::Id(User::NAME)),
        ])
        .orders(ORDERS, "OCCURRED_AT_DESC")
        .requires(CAN_VIEW_AUDIT_LOG);
}

/// Entries of one client, whom the actor must see, and of those who were merged
/// into them; both ends of the time are
/// inclusive, as in the audit log.
fn listing(request: &Request, args: &Args) -> Answer<Listing> {
    let Some(client) = args.get::<Id<User>>("client_id", request)? else {
        return Ok(Listing::none());
    };
    let org_id = request.actor.org_id;
    let of_client = Cond::eq("client_id", client.0)
        .or(Cond::sql(format!("{{t}}.client_id IN ({MERGED})"), [org_id.into(), client.0.into()]))
        .or(Cond::sql(
            format!(
                "{{t}}.set_key IN (SELECT s.set_key FROM access_sets s \
                 WHERE s.org_id = ? AND (s.client_id = ? OR s.client_id IN ({MERGED})))"
            ),
            [org_id.into(), client.0.into(), org_id.into(), client.0.into()],
        ));
    let mut cond = of_client.and(visibility::sees_user(&request.actor, client));
    if let Some(user) = args.get::<Id<User>>("user_id", request)? {
        cond = cond.and(Cond::eq("actor_id", user.0));
    }
    if let Some(break_glass) = args.bool("break_glass") {
        cond = cond.and(Cond::eq("break_glass", break_glass));
    }
    if let Some(after) = args.moment("occurred_after", request)? {
        cond = cond.and(Cond::sql("{t}.occurred_at >= ?", [after.0.into()]));
    }
    if let Some(before) = args.moment("occurred_before", request)? {
        cond = cond.and(Cond::sql("{t}.occurred_at <= ?", [before.0.into()]));
    }
    Ok(Listing::of(cond))
}
