//! Tags on users as objects of their own: `appliedTag` and `appliedTags`
//! (behaviour 19). They are put on and taken off in [`crate::tag`].

use ward_engine::{Answer, Args, Bindings, Kind, Link, Listing, OrderOption, Request};
use ward_identity::tables::USERS;
use ward_store::{Cond, Level};

use crate::listing::id;
use crate::tables::{APPLIED_TAGS, AppliedTag, TAGS, Tag, applied_tags};

const ORDERS: &[OrderOption] = &[
    OrderOption { name: "CREATED_AT", expression: "{t}.created_at" },
    OrderOption { name: "UPDATED_AT", expression: "{t}.updated_at" },
];
const ARGS: &[(&str, Kind)] = &[
    ("id", Kind::Id("AppliedTag")),
    ("tag_id", Kind::Id("Tag")),
    ("updated_after", Kind::Plain),
    ("updated_before", Kind::Plain),
];

/// Binds the type and its queries.
pub fn bind(b: &mut Bindings) {
    b.object("AppliedTag", &APPLIED_TAGS);
    b.one("AppliedTag", "tag", &TAGS, Link::Key(applied_tags::tag_id));
    b.one("AppliedTag", "user", &USERS, Link::Key(applied_tags::user_id));
    b.query_one("appliedTag", &APPLIED_TAGS, one)
        .args(&[("id", Kind::Id("AppliedTag")), ("include_deleted", Kind::Plain)]);
    b.query_list("appliedTags", &APPLIED_TAGS, many).args(ARGS).orders(ORDERS, "UNSORTED");
}

fn one(request: &Request, args: &Args) -> Answer<Listing> {
    Ok(match id::<AppliedTag>(args, "id", request)? {
        Some(id) => {
            let deleted = args.flag("include_deleted");
            Listing { deleted, least: Level::Full, ..Listing::of(Cond::eq("id", id.0)) }
        }
        None => Listing::none(),
    })
}

fn many(request: &Request, args: &Args) -> Answer<Listing> {
    let mut cond = Cond::Always;
    if let Some(id) = id::<AppliedTag>(args, "id", request)? {
        cond = cond.and(Cond::eq("id", id.0));
    }
    if let Some(tag) = id::<Tag>(args, "tag_id", request)? {
        cond = cond.and(Cond::eq("tag_id", tag.0));
    }
    if let Some(after) = args.moment("updated_after", request)? {
        cond = cond.and(Cond::sql("{t}.updated_at >= ?", [after.0.into()]));
    }
    if let Some(before) = args.moment("updated_before", request)? {
        cond = cond.and(Cond::sql("{t}.updated_at <= ?", [before.0.into()]));
    }
    Ok(Listing::of(cond))
}
