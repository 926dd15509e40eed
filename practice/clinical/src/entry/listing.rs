//! Which entries the lists answer, by their arguments, and in which orders (behaviour 7, 30).
//! Visibility comes on top and is not here.

use ward_clients::tables::UserGroup;
use ward_engine::{Answer, Args, Kind as Means, Listing, OrderOption, Request};
use ward_identity::id_or_blank::IdOrBlank;
use ward_identity::tables::{USERS, User};
use ward_instance::Timestamp;
use ward_store::{Actor, Cond, Entity, Id};

use super::table::{ENTRIES, Entry, Kind};

/// Arguments of `entry`.
pub const ONE_ARGS: &[(&str, Means)] =
    &[("client_id", Means::Id(User::NAME)), ("id", Means::Id(Entry::NAME)), ("type", Means::Plain)];

/// Arguments of `entries`.
pub const LIST_ARGS: &[(&str, Means)] = &[
    ("category", Means::Plain),
    ("client_id", Means::Id(User::NAME)),
    ("end_datetime_range", Means::Plain),
    ("end_range", Means::Plain),
    ("entry_id", Means::Id(Entry::NAME)),
    ("group_id", Means::Id(UserGroup::NAME)),
    ("is_org", Means::Plain),
    ("start_datetime_range", Means::Plain),
    ("start_range", Means::Plain),
    ("type", Means::Plain),
];

/// Arguments of `entriesCount`.
pub const COUNT_ARGS: &[(&str, Means)] = &[
    ("category", Means::Plain),
    ("client_id", Means::Id(User::NAME)),
    ("end_datetime_range", Means::Plain),
    ("end_range", Means::Plain),
    ("group_id", Means::Id(UserGroup::NAME)),
    ("is_org", Means::Plain),
    ("start_datetime_range", Means::Plain),
    ("start_range", Means::Plain),
    ("type", Means::Plain),
];

/// What they can be ordered by: `CREATED_AT` is when it was so.
pub const ORDERS: &[OrderOption] = &[
    OrderOption { name: "CREATED_AT", expression: "{t}.noted_at" },
    OrderOption { name: "UPDATED_AT", expression: "{t}.updated_at" },
];

/// An argument that is an id; a blank one says nothing.
fn id<R: Entity>(args: &Args, name: &str, request: &Request) -> Answer<Option<Id<R>>> {
    Ok(args.get::<IdOrBlank<R>>(name, request)?.and_then(|id| id.0))
}

/// The client whom the question is about: a client who asks, whatever else is named.
fn client(request: &Request, args: &Args) -> Answer<Option<i64>> {
    let asked = id::<User>(args, "client_id", request)?.map(|id| id.0);
    let own = request.actor.is_client().then_some(request.actor.user_id);
    Ok(own.or(asked))
}

/// `entry`: one by its id, else the latest of a client, of one type where that is named.
pub fn one(request: &Request, args: &Args) -> Answer<Listing> {
    if let Some(id) = id::<Entry>(args, "id", request)? {
        return Ok(Listing::of(Cond::eq("id", id.0).and(of_kind(args))));
    }
    let Some(client) = client(request, args)? else { return Ok(Listing::none()) };
    let cond = Cond::eq("user_id", client).and(of_kind(args));
    Ok(Listing::of(cond).naming(&USERS, vec![client]))
}

/// `entries` and `entriesCount`.
pub fn many(request: &Request, args: &Args) -> Answer<Listing> {
    let client = client(request, args)?;
    let group = id::<UserGroup>(args, "group_id", request)?;
    let cond = match (client, group) {
        (Some(client), _) => Cond::eq("user_id", client),
        (None, _) if args.flag("is_org") => Cond::Always,
        (None, Some(group)) => in_group(&request.actor, group),
        (None, None) => of_own_clients(&request.actor),
    };
    let mut cond = cond.and(of_kind(args)).and(between(request, args)?);
    if let Some(category) = args.text("category") {
        cond = cond.and(Cond::eq("category", category));
    }
    if let Some(id) = id::<Entry>(args, "entry_id", request)? {
        cond = cond.and(Cond::eq("id", id.0));
    }
    let listing = Listing::of(cond);
    Ok(match (client, id::<Entry>(args, "entry_id", request)?) {
        // Of whom it is, the answer tells, whether there are rows in it or a number.
        (None, Some(entry)) => listing.naming(&ENTRIES, vec![entry.0]),
        (client, _) => listing.naming(&USERS, client.into_iter().collect()),
    })
}

fn of_kind(args: &Args) -> Cond {
    let Some(text) = args.text("type") else { return Cond::Always };
    let known = Kind::TEXTS.iter().find(|it| it.eq_ignore_ascii_case(text));
    known.map_or(Cond::Never, |kind| Cond::eq("kind", *kind))
}

fn in_group(actor: &Actor, group: Id<UserGroup>) -> Cond {
    Cond::sql(
        "{t}.user_id IN (SELECT member.id FROM users member \
         WHERE member.org_id = ? AND member.user_group_id = ?)",
        [actor.org_id.into(), group.0.into()],
    )
}

/// Of clients whose primary provider the member is, or whose care team they are in.
fn of_own_clients(actor: &Actor) -> Cond {
    Cond::sql(
        "{t}.user_id IN (SELECT own.id FROM users own WHERE own.org_id = ? \
         AND (own.dietitian_id = ? OR own.id IN (SELECT c.patient_id FROM care_team_members c \
         WHERE c.org_id = ? AND c.user_id = ?)))",
        [actor.org_id.into(), actor.user_id.into(), actor.org_id.into(), actor.user_id.into()],
    )
}

/// From one moment to before another; a day is its midnight in the caller's zone.
fn between(request: &Request, args: &Args) -> Answer<Cond> {
    let mut cond = Cond::Always;
    for name in ["start_range", "start_datetime_range"] {
        cond = cond.and(bound("{t}.noted_at >= ?", args.moment(name, request)?));
    }
    for name in ["end_range", "end_datetime_range"] {
        cond = cond.and(bound("{t}.noted_at < ?", args.moment(name, request)?));
    }
    Ok(cond)
}

fn bound(text: &str, at: Option<Timestamp>) -> Cond {
    at.map_or(Cond::Always, |at| Cond::sql(text, [at.0.into()]))
}
