//! Which rows the domain's lists answer, by their arguments, and in which
//! orders (behaviour 7, 8). Visibility comes on top and is not here.

use ward_engine::{Answer, Args, FromIn, Kind, Listing, OrderOption, Request};
use ward_identity::flags::ALLOW_GROUP_LEVEL_ACTIONS;
use ward_identity::tables::{USERS, User};
use ward_store::search::keyword_cond;
use ward_store::{Cond, Entity, Id, Level, Value};

use crate::tables::{APPLIED_TAGS, LOCATIONS, Location, Tag, USER_GROUPS, UserGroup};

/// Arguments of `users`; those that do nothing are taken and ignored.
pub const USERS_ARGS: &[(&str, Kind)] = &[
    ("active_status", Kind::Plain),
    ("email", Kind::Plain),
    ("from_superadmin", Kind::Plain),
    ("group_id", Kind::Id("UserGroup")),
    ("id", Kind::Id("User")),
    ("ids", Kind::Ids("User")),
    ("include_suborg_patients", Kind::Plain),
    ("keywords", Kind::Plain),
    ("limited_to_provider", Kind::Plain),
    ("provider_id", Kind::Id("User")),
    ("show_all_by_default", Kind::Plain),
    ("tag_ids", Kind::Ids("Tag")),
    ("with_feature_toggles", Kind::Plain),
];

/// What users can be ordered by (behaviour 7).
pub const USER_ORDERS: &[OrderOption] = &[
    OrderOption { name: "LAST_NAME", expression: "{t}.last_name_fold" },
    OrderOption { name: "FIRST_NAME", expression: "{t}.first_name_fold" },
    OrderOption { name: "EMAIL", expression: "{t}.email_fold" },
    OrderOption { name: "CREATED_AT", expression: "{t}.created_at" },
    OrderOption { name: "UPDATED_AT", expression: "{t}.updated_at" },
    OrderOption {
        name: "GROUP_NAME",
        expression: "COALESCE((SELECT o.name_fold FROM user_groups o \
                     WHERE o.org_id = {t}.org_id AND o.id = {t}.user_group_id), '\u{10ffff}')",
    },
    OrderOption {
        name: "PROVIDER_NAME",
        expression: "COALESCE((SELECT o.last_name_fold || ' ' || o.first_name_fold FROM users o \
                     WHERE o.org_id = {t}.org_id AND o.id = {t}.dietitian_id), '\u{10ffff}')",
    },
];

/// What groups can be ordered by: never a count of clients, whom the caller may
/// not see and a cursor would tell of.
pub const GROUP_ORDERS: &[OrderOption] = &[
    OrderOption { name: "NAME", expression: "{t}.name_fold" },
    OrderOption { name: "INVITE_CODE", expression: "{t}.invite_code" },
    OrderOption { name: "CREATED_AT", expression: "{t}.created_at" },
];

/// What tags can be ordered by; no count either.
pub const TAG_ORDERS: &[OrderOption] = &[
    OrderOption { name: "NAME", expression: "{t}.name_fold" },
    OrderOption {
        name: "ADDED_BY",
        expression: "COALESCE((SELECT o.first_name_fold || ' ' || o.last_name_fold FROM users o \
                     WHERE o.org_id = {t}.org_id AND o.id = {t}.user_id), '\u{10ffff}')",
    },
];

/// What addresses can be ordered by.
pub const LOCATION_ORDERS: &[OrderOption] =
    &[OrderOption { name: "CREATED_AT", expression: "{t}.created_at" }];

/// An argument that is a list of ids; an empty one says nothing.
pub(crate) fn ids<R>(args: &Args, name: &str, request: &Request) -> Answer<Option<Vec<i64>>>
where
    R: Entity,
    Vec<Id<R>>: FromIn,
{
    let ids: Option<Vec<Id<R>>> = args.get(name, request)?;
    let ids: Vec<i64> = ids.unwrap_or_default().iter().map(|id| id.0).collect();
    Ok((!ids.is_empty()).then_some(ids))
}

/// An argument that is an id; a blank one says nothing.
pub(crate) fn id<R: Entity>(args: &Args, name: &str, request: &Request) -> Answer<Option<Id<R>>> {
    match args.text(name) {
        Some(_) => args.get(name, request),
        None => Ok(None),
    }
}

/// Whether people are archived, as the word says; any other word says nothing.
fn active_status(args: &Args) -> Cond {
    match args.text("active_status").map(str::to_ascii_lowercase).as_deref() {
        Some("active") => Cond::is_true("active"),
        Some("archived" | "inactive") => Cond::eq("active", false),
        _ => Cond::Always,
    }
}

/// People with any of the tags.
fn tagged(org: i64, ids: Vec<i64>) -> Cond {
    Cond::sql(
        "{t}.id IN (SELECT a.user_id FROM applied_tags a \
         WHERE a.org_id = ? AND a.tag_id IN_LIST(?) AND a.deleted_at IS NULL)",
        [org.into(), Value::Ints(ids.into())],
    )
}

/// Clients of a provider: those whose primary provider they are, and those
/// whose care team they are in, too, unless only the first are meant.
fn clients_of(org: i64, provider: i64, only_primary: bool) -> Cond {
    let primary = Cond::eq("dietitian_id", provider);
    if only_primary {
        return primary;
    }
    primary.or(Cond::sql(
        "{t}.id IN (SELECT c.patient_id FROM care_team_members c \
         WHERE c.org_id = ? AND c.user_id = ?)",
        [org.into(), provider.into()],
    ))
}

/// `users` and `usersCount`: clients only (behaviour 8).
pub fn users(request: &Request, args: &Args) -> Answer<Listing> {
    let keywords = args.text("keywords");
    if args.bool("show_all_by_default") == Some(false) && keywords.is_none() {
        return Ok(Listing::none());
    }
    let mut cond = Cond::is_true("is_patient").and(active_status(args));
    if let Some(id) = id::<User>(args, "id", request)? {
        cond = cond.and(Cond::eq("id", id.0));
    }
    if let Some(ids) = ids::<User>(args, "ids", request)? {
        cond = cond.and(Cond::is_in("id", &ids));
    }
    if let Some(group) = id::<UserGroup>(args, "group_id", request)? {
        cond = cond.and(Cond::eq("user_group_id", group.0));
    }
    if let Some(tags) = ids::<Tag>(args, "tag_ids", request)? {
        cond = cond.and(tagged(request.actor.org_id, tags));
    }
    let provider = id::<User>(args, "provider_id", request)?;
    let only_primary = args.flag("limited_to_provider");
    let org = request.actor.org_id;
    match provider {
        Some(provider) => cond = cond.and(clients_of(org, provider.0, only_primary)),
        None if only_primary => cond = cond.and(clients_of(org, request.actor.user_id, true)),
        None => {}
    }
    if args.bool("include_suborg_patients") == Some(false) {
        cond = cond.and(Cond::eq("unit_id", request.actor.unit_id));
    }
    Ok(Listing::of(cond).searching(&USERS, request, keywords))
}

/// `userGroup`.
pub fn user_group(request: &Request, args: &Args) -> Answer<Listing> {
    Ok(match id::<UserGroup>(args, "id", request)? {
        Some(id) => Listing::of(Cond::eq("id", id.0)).public(),
        None => Listing::none(),
    })
}

/// `userGroups`, and the groups of a user's or an organization's unit. Asked
/// for group-level actions, nobody without the right to them has any.
pub fn user_groups(request: &Request, args: &Args) -> Answer<Listing> {
    let may = request.actor.has(ALLOW_GROUP_LEVEL_ACTIONS.flag);
    if args.flag("check_group_level_actions") && !may {
        return Ok(Listing::none());
    }
    let keywords = args.text("keywords").unwrap_or_default();
    Ok(Listing::of(keyword_cond(&USER_GROUPS, request.actor.org_id, keywords)))
}

/// Members of a group.
pub fn group_users(_: &Request, args: &Args) -> Answer<Listing> {
    Ok(Listing::of(Cond::is_true("is_patient").and(active_status(args))))
}

/// `tags`, `tagsPaginated` and `tagsCount`.
pub fn tags(request: &Request, args: &Args) -> Answer<Listing> {
    let mut cond = Cond::Always;
    if let Some(ids) = ids::<Tag>(args, "ids", request)? {
        cond = cond.and(Cond::is_in("id", &ids));
    }
    if let Some(user) = id::<User>(args, "user_id", request)? {
        cond = cond.and(worn_by(user.0, request));
    }
    if args.flag("applied_to_providers") {
        cond = cond.and(Cond::sql(
            "{t}.id IN (SELECT a.tag_id FROM applied_tags a \
             JOIN users o ON o.org_id = a.org_id AND o.id = a.user_id \
             WHERE a.org_id = ? AND a.deleted_at IS NULL AND o.is_patient = FALSE)",
            [request.actor.org_id.into()],
        ));
    }
    Ok(Listing::of(cond))
}

/// Tags of a person, if the caller sees the person.
fn worn_by(user: i64, request: &Request) -> Cond {
    const START: &str = "{t}.id IN (SELECT a.tag_id FROM applied_tags a \
                         WHERE a.org_id = ? AND a.deleted_at IS NULL AND a.user_id = ?";
    let whose: [Value; 2] = [request.actor.org_id.into(), user.into()];
    match (APPLIED_TAGS.visible)(&request.actor).at_least(Level::Full) {
        Cond::Never => Cond::Never,
        Cond::Always => Cond::sql(format!("{START})"), whose),
        Cond::Sql(text, params) => {
            let text = text.replace("{t}", "a");
            let params = whose.into_iter().chain(params);
            Cond::Sql(format!("{START} AND ({text}))"), params.collect())
        }
    }
}

/// People with a tag, whose level the caller may see.
pub fn clients_only(_: &Request, _: &Args) -> Answer<Listing> {
    Ok(Listing::of(Cond::is_true("is_patient")))
}

/// Active clients.
pub fn active_clients(_: &Request, _: &Args) -> Answer<Listing> {
    Ok(Listing::of(Cond::is_true("is_patient").and(Cond::is_true("active"))))
}

/// Archived clients.
pub fn archived_clients(_: &Request, _: &Args) -> Answer<Listing> {
    Ok(Listing::of(Cond::is_true("is_patient").and(Cond::eq("active", false))))
}

/// Members of the organization.
pub fn members(_: &Request, _: &Args) -> Answer<Listing> {
    Ok(Listing::of(Cond::eq("is_patient", false)))
}

/// `location`.
pub fn location(request: &Request, args: &Args) -> Answer<Listing> {
    Ok(match id::<Location>(args, "id", request)? {
        Some(id) => Listing::of(Cond::eq("id", id.0)).public(),
        None => Listing::none(),
    })
}

/// `locations` and `locationsCount`: a user's, else the practice's own, which
/// are the organization's and its members' but not its clients'.
pub fn locations(request: &Request, args: &Args) -> Answer<Listing> {
    let mut cond = match id::<User>(args, "user_id", request)? {
        Some(user) => Cond::eq("user_id", user.0),
        None => Cond::not_null("organization_id").or(Cond::sql(
            "EXISTS (SELECT 1 FROM users o WHERE o.org_id = {t}.org_id \
             AND o.id = {t}.user_id AND o.is_patient = FALSE)",
            [],
        )),
    };
    if args.flag("has_name") {
        cond = cond.and(Cond::not_null("name"));
    }
    if let Some(keywords) = args.text("keywords") {
        cond = cond.and(keyword_cond(&LOCATIONS, request.actor.org_id, keywords));
    }
    Ok(Listing::of(cond).public())
}

/// A user's or an organization's addresses, where the public part is enough.
pub fn addresses(_: &Request, _: &Args) -> Answer<Listing> {
    Ok(Listing::all().public())
}
