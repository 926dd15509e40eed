//! Which rows the domain's lists answer, by their arguments, and in which orders
//! (behaviour 7, 8, 21). Visibility comes on top and is not here.

use std::iter;

use ward_engine::{Answer, Args, FromIn, Kind, Listing, OrderOption, Request, RowView};
use ward_identity::tables::{USERS, User};
use ward_store::{Actor, Cond, Entity, Id, Level, Role, Select, Table, Value};

use crate::id_list::IdList;
use crate::tables::{APPOINTMENT_TYPES, AppointmentType};
use crate::visibility::{self, SHARED};

const TYPE: Kind = Kind::Id(AppointmentType::NAME);
const USER: Kind = Kind::Id(User::NAME);

/// Arguments of `appointmentTypes`.
pub const TYPES_ARGS: &[(&str, Kind)] = &[
    ("appointment_type_ids", Kind::Ids(AppointmentType::NAME)),
    ("clients_can_book", Kind::Plain),
    ("embed_or_sharing_link", Kind::Plain),
    ("keywords", Kind::Plain),
    ("org_level", Kind::Plain),
    ("provider_id", USER),
    ("provider_ids", Kind::Ids(User::NAME)),
    ("show_group", Kind::Plain),
    ("with_deleted_appt_types", Kind::Plain),
];

/// Arguments of `appointmentTypesCount`.
pub const TYPES_COUNT_ARGS: &[(&str, Kind)] = &[
    ("appointment_type_ids", Kind::Ids(AppointmentType::NAME)),
    ("clients_can_book", Kind::Plain),
    ("embed_or_sharing_link", Kind::Plain),
    ("keywords", Kind::Plain),
    ("org_level", Kind::Plain),
    ("provider_id", USER),
    ("show_group", Kind::Plain),
    ("with_deleted_appt_types", Kind::Plain),
];

/// Arguments of `User.appointment_types`.
pub const OF_USER_ARGS: &[(&str, Kind)] = &[
    ("appointment_type_ids", Kind::Ids(AppointmentType::NAME)),
    ("require_client_bookable", Kind::Plain),
];

/// Arguments of `advanceAppointmentPrices`.
pub const PRICES_ARGS: &[(&str, Kind)] = &[("appointment_type_id", TYPE), ("user_id", USER)];

/// What types can be ordered by.
pub const TYPE_ORDERS: &[OrderOption] = &[
    OrderOption { name: "POSITION", expression: "{t}.position" },
    OrderOption { name: "CREATED_AT", expression: "{t}.created_at" },
    OrderOption { name: "UPDATED_AT", expression: "{t}.updated_at" },
];

/// What prices and connections are ordered by: as they were made.
pub const MADE: &[OrderOption] =
    &[OrderOption { name: "CREATED_AT", expression: "{t}.created_at" }];

/// Rows as the caller sees them. A stranger has no tenant: what they see is bound
/// by the public part of the table's predicate.
pub(crate) fn seen<'a>(request: &'a Request, table: &'static Table, least: Level) -> Select<'a> {
    let mut select = Select::new(table, &request.actor);
    if request.actor.role == Role::Anonymous {
        select.org_id = None;
    }
    select.least = least;
    select
}

/// An argument that is an id; a blank one says nothing.
pub(crate) fn id<R: Entity>(args: &Args, name: &str, request: &Request) -> Answer<Option<Id<R>>> {
    match args.text(name) {
        Some(_) => args.get(name, request),
        None => Ok(None),
    }
}

/// An argument that is a list of ids in any form; an empty one says nothing.
pub(crate) fn ids<R: Entity>(args: &Args, name: &str, request: &Request) -> Answer<Option<Vec<i64>>>
where
    IdList<R>: FromIn,
{
    let list: Option<IdList<R>> = args.get(name, request)?;
    let ids: Vec<i64> = list.map(|list| list.0).unwrap_or_default().iter().map(|id| id.0).collect();
    Ok((!ids.is_empty()).then_some(ids))
}

/// Types that any of these members offers. To a stranger only those members offer
/// anything whom they may know of: of no other do they learn whose practice it is.
pub(crate) fn offered_by(actor: &Actor, members: &[i64]) -> Cond {
    let (known, params) = match actor.role {
        Role::Anonymous => {
            let seen = ward_identity::visibility::seen(&USERS, actor, Level::Public, "gives");
            (format!("gives.deleted_at IS NULL AND ({})", seen.0), seen.1)
        }
        _ => ("TRUE".to_owned(), Vec::new()),
    };
    let offers = visibility::offered_by!("{t}");
    let list = Value::Ints(members.into());
    Cond::sql(
        format!(
            "EXISTS (SELECT 1 FROM users gives WHERE gives.org_id = {{t}}.org_id \
             AND gives.id IN_LIST(?) AND {known} AND {offers})"
        ),
        iter::once(list).chain(params),
    )
}

/// `appointmentType`.
pub fn one_type(request: &Request, args: &Args) -> Answer<Listing> {
    let id = id::<AppointmentType>(args, "id", request)?;
    Ok(id.map_or_else(Listing::none, |id| Listing::of(Cond::eq("id", id.0)).public()))
}

/// `appointmentTypes` and `appointmentTypesCount`. A stranger names a provider or
/// types: there is no list of all practices' types.
pub fn types(request: &Request, args: &Args) -> Answer<Listing> {
    let mut cond = narrowed(request, args)?;
    let mut providers = ids::<User>(args, "provider_ids", request)?.unwrap_or_default();
    providers.extend(id::<User>(args, "provider_id", request)?.map(|id| id.0));
    let actor = &request.actor;
    let is_named = !providers.is_empty()
        || ids::<AppointmentType>(args, "appointment_type_ids", request)?.is_some();
    if !actor.is_member() && !actor.is_client() && !is_named {
        return Ok(Listing::none());
    }
    if !providers.is_empty() {
        cond = cond.and(offered_by(actor, &providers));
    } else if actor.is_member() && !args.flag("org_level") {
        cond = cond.and(Cond::eq("user_id", actor.user_id).or(Cond::sql(SHARED, [])));
    }
    if let Some(wanted) = args.bool("clients_can_book") {
        cond = cond.and(Cond::eq("clients_can_book", wanted));
    }
    if args.flag("embed_or_sharing_link") {
        cond = cond.and(Cond::is_true("clients_can_book"));
    }
    if let Some(wanted) = args.bool("show_group") {
        cond = cond.and(Cond::eq("is_group", wanted));
    }
    let mut listing =
        Listing::of(cond).public().searching(&APPOINTMENT_TYPES, request, args.text("keywords"));
    listing.deleted = actor.is_member() && args.flag("with_deleted_appt_types");
    Ok(listing)
}

fn narrowed(request: &Request, args: &Args) -> Answer<Cond> {
    let ids = ids::<AppointmentType>(args, "appointment_type_ids", request)?;
    Ok(ids.map_or(Cond::Always, |ids| Cond::is_in("id", &ids)))
}

/// `User.appointment_types`.
pub fn types_of_user(request: &Request, args: &Args) -> Answer<Listing> {
    let mut cond = narrowed(request, args)?;
    if args.flag("require_client_bookable") {
        cond = cond.and(Cond::is_true("clients_can_book"));
    }
    Ok(Listing::of(cond).public())
}

/// `advanceAppointmentPrices`; of deleted types there are none to choose.
pub fn prices(request: &Request, args: &Args) -> Answer<Listing> {
    let mut cond = Cond::sql(
        "EXISTS (SELECT 1 FROM appointment_types priced WHERE priced.org_id = {t}.org_id \
         AND priced.id = {t}.appointment_type_id AND priced.deleted_at IS NULL)",
        [],
    );
    if let Some(of) = id::<AppointmentType>(args, "appointment_type_id", request)? {
        cond = cond.and(Cond::eq("appointment_type_id", of.0));
    }
    if let Some(user) = id::<User>(args, "user_id", request)? {
        cond = cond.and(Cond::eq("user_id", user.0));
    }
    Ok(Listing::of(cond))
}

/// The numbers that rows of a level have in a column, each once and in order.
pub(crate) fn numbers(rows: &[RowView<'_>], column: usize) -> Vec<i64> {
    let mut numbers: Vec<i64> = rows.iter().filter_map(|row| row.get(column).int()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}
