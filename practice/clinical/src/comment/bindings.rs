//! What answers each contract field of comments.

use ward_engine::{Answer, Args, Bindings, Kind, Link, Listing, OrderOption, Request, Returns, op};
use ward_identity::id_or_blank::IdOrBlank;
use ward_identity::tables::USERS;
use ward_store::{Cond, Entity, Id};

use super::change;
use super::table::{COMMENTS, Comment, comments};
use crate::entry::table::{ENTRIES, Entry, entries};

const OF: &str = "Comment";

/// In the order in which they were said.
const SAID: &[OrderOption] = &[OrderOption { name: "CREATED_AT", expression: "{t}.created_at" }];

/// Binds the fields of comments.
pub fn bind(b: &mut Bindings) {
    b.object(OF, &COMMENTS);
    b.cursor(OF);
    for field in ["author", "creator"] {
        // Whoever says it, in public to the client.
        b.one(OF, field, &USERS, Link::Key(comments::user_id))
            .listing(|_, _| Ok(Listing::all().public()));
    }
    let of_entry = Link::Column { parent: entries::id, child: "entry_id" };
    b.many("Entry", "comments", &COMMENTS, of_entry).orders(SAID, "CREATED_AT_ASC");
    b.query_one("comment", &COMMENTS, one).args(&[("id", Kind::Id(Comment::NAME))]);
    b.query_list("comments", &COMMENTS, many)
        .args(&[("entry_id", Kind::Id(Entry::NAME)), ("entry_ids", Kind::Ids(Entry::NAME))])
        .orders(SAID, "CREATED_AT_ASC");
    const COMMENT: &[(&str, Returns)] = &[("comment", Returns::One(&COMMENTS))];
    b.mutation("createComment", COMMENT, op!(change::create));
    b.mutation("deleteComment", COMMENT, op!(change::delete));
}

/// `comment`.
fn one(request: &Request, args: &Args) -> Answer<Listing> {
    let id = args.get::<IdOrBlank<Comment>>("id", request)?.and_then(|id| id.0);
    Ok(id.map_or_else(Listing::none, |id| Listing::of(Cond::eq("id", id.0))))
}

/// `comments`: of the entries that are named.
fn many(request: &Request, args: &Args) -> Answer<Listing> {
    let named: Option<Vec<Id<Entry>>> = args.get("entry_ids", request)?;
    let mut ids: Vec<i64> = named.into_iter().flatten().map(|id| id.0).collect();
    ids.extend(
        args.get::<IdOrBlank<Entry>>("entry_id", request)?.and_then(|id| id.0).map(|id| id.0),
    );
    Ok(Listing::of(Cond::is_in("entry_id", &ids)).naming(&ENTRIES, ids))
}
