//! Fields of appointment types.

use std::collections::HashMap;

use ward_clients::tables::USER_GROUPS;
use ward_engine::{Answer, Bindings, Link, Listing, Out, Request, RowView};
use ward_identity::tables::{USERS, users};
use ward_store::{Cond, Join, Level, Query, Select, Value};

use crate::appointment_location::read::of_layers;
use crate::contact_type::{ContactType, offered};
use crate::listing::{self, numbers};
use crate::money;
use crate::settings::layers::resolve;
use crate::settings::read;
use crate::settings::table::AppointmentSetting;
use crate::tables::{
    ADVANCE_APPOINTMENT_PRICES, APPOINTMENT_TYPES, PROVIDER_APPT_TYPE_CONNECTIONS,
    appointment_types as at, provider_appt_type_connections as gives,
};

const OF: &str = "AppointmentType";

/// Groups that may book a type: the listed ones, or all of the unit.
const BOOKS: &str = "(SELECT m.org_id, m.appointment_type_id, m.user_group_id \
     FROM appointment_type_groups m JOIN appointment_types o ON o.org_id = m.org_id \
     AND o.id = m.appointment_type_id WHERE o.bookable_by_groups = TRUE \
     AND o.specific_groups = TRUE UNION ALL \
     SELECT o.org_id, o.id AS appointment_type_id, g.id AS user_group_id \
     FROM appointment_types o JOIN user_groups g ON g.org_id = o.org_id \
     AND (g.unit_id = o.unit_id OR g.unit_id = o.org_id) WHERE o.bookable_by_groups = TRUE AND o.specific_groups = FALSE)";

/// Types that a member offers.
const GIVES: &str = concat!(
    "(SELECT o.org_id, o.id AS appointment_type_id, gives.id AS user_id \
     FROM appointment_types o JOIN users gives ON gives.org_id = o.org_id WHERE ",
    crate::visibility::offered_by!("o"),
    ")"
);

/// Binds the fields.
pub fn bind(b: &mut Bindings) {
    b.object(OF, &APPOINTMENT_TYPES);
    b.cursor(OF);
    b.column(OF, "organization_id", at::unit_id);
    b.column(OF, "row_order", at::position);
    b.computed(OF, "pricing", &[at::pricing_cents], |_, row, _| {
        row.get(at::pricing_cents).int().map(money::text).into()
    })
    .public();
    const NAMES: &[usize] = &[at::name, at::client_facing_display_name];
    b.computed(OF, "client_display_name", NAMES, |_, row, _| {
        row.text(at::client_facing_display_name).or(row.text(at::name)).into()
    })
    .public();
    b.one(OF, "user_group", &USER_GROUPS, Link::Key(at::user_group_id));
    let books = Join { table: BOOKS, to: "user_group_id", from: "appointment_type_id" };
    b.many(OF, "bookable_groups", &USER_GROUPS, Link::Join { parent: at::id, join: books })
        .orders(ward_clients::listing::GROUP_ORDERS, "NAME_ASC");
    let given = Link::Column { parent: at::id, child: "appointment_type_id" };
    b.many(OF, "provider_appt_type_connections", &PROVIDER_APPT_TYPE_CONNECTIONS, given)
        .listing(|_, _| Ok(Listing::all().public()))
        .orders(listing::MADE, "CREATED_AT_ASC")
        .public();
    settings(b);
    counts(b);
    connections(b);
    let gives = Join { table: GIVES, to: "appointment_type_id", from: "user_id" };
    b.many(
        "User",
        "appointment_types",
        &APPOINTMENT_TYPES,
        Link::Join { parent: users::id, join: gives },
    )
    .args(listing::OF_USER_ARGS)
    .listing(listing::types_of_user)
    .orders(listing::TYPE_ORDERS, "POSITION_ASC")
    .public();
}

fn settings(b: &mut Bindings) {
    const NEEDS: &[usize] = &[at::id, at::unit_id, at::has_specific_appointment_settings];
    b.batch(OF, "appointment_setting", NEEDS, |request, q, rows, _| {
        Box::pin(own_settings(request, q, rows))
    })
    .public();
    const WAYS: &[usize] = &[at::unit_id, at::offers_video, at::offers_in_person, at::offers_phone];
    b.batch(OF, "available_contact_types", WAYS, |request, q, rows, _| {
        Box::pin(contact_types(request, q, rows))
    })
    .public();
    b.batch(OF, "client_call_provider", &[at::unit_id], |request, q, rows, _| {
        Box::pin(clients_call(request, q, rows))
    })
    .public();
}

/// A type's own settings, where they count.
async fn own_settings(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let (ids, units) = (numbers(&rows, at::id), numbers(&rows, at::unit_id));
    let found = read::of_types(request, q, &ids, &units).await?;
    let places = of_layers(request, q, found.iter()).await?;
    let value = |row: &RowView<'_>| {
        let (id, unit) = (row.get(at::id).int(), row.get(at::unit_id).int());
        match (row.get(at::has_specific_appointment_settings).truth(), id, unit) {
            (true, Some(id), Some(unit)) => read::of_type(request, (&found, &places), id, unit),
            _ => Out::Null,
        }
    };
    Ok(rows.iter().map(value).collect())
}

/// The ways to meet of a type: what it says itself, else its unit.
async fn contact_types(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let units = numbers(&rows, at::unit_id);
    let found = read::of_types(request, q, &[], &units).await?;
    let value = |row: &RowView<'_>| {
        let says = |column: usize| row.get(column).int().map(|n| n != 0);
        let own = [says(at::offers_video), says(at::offers_in_person), says(at::offers_phone)];
        let unit = row.get(at::unit_id).int().and_then(|unit| read::unit_of(&found, unit));
        let ways =
            |it: &AppointmentSetting| [it.offers_video, it.offers_in_person, it.offers_phone];
        let layers: Vec<[Option<bool>; 3]> = std::iter::once(own).chain(unit.map(ways)).collect();
        Out::List(offered(&layers).into_iter().map(|it| ContactType::name(it).into()).collect())
    };
    Ok(rows.iter().map(value).collect())
}

/// Whether clients are the ones who call, by the unit's settings.
async fn clients_call(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let units = numbers(&rows, at::unit_id);
    let found = read::of_types(request, q, &[], &units).await?;
    let value = |row: &RowView<'_>| {
        let unit = row.get(at::unit_id).int().and_then(|unit| read::unit_of(&found, unit));
        let layers: Vec<&AppointmentSetting> = unit.into_iter().collect();
        Out::from(resolve(&layers).client_should_call_provider)
    };
    Ok(rows.iter().map(value).collect())
}

fn counts(b: &mut Bindings) {
    b.batch(OF, "advance_pricing_for_clients_count", &[at::id], |request, q, rows, _| {
        Box::pin(priced(request, q, rows, true))
    });
    b.batch(OF, "advance_pricing_for_providers_count", &[at::id], |request, q, rows, _| {
        Box::pin(priced(request, q, rows, false))
    });
}

/// How many clients, or providers, of those whom the caller sees have a price of
/// their own.
async fn priced(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    clients: bool,
) -> Answer<Vec<Out>> {
    let mut select = Select::new(&ADVANCE_APPOINTMENT_PRICES, &request.actor);
    select.least = Level::Full;
    select.filter = Cond::is_in("appointment_type_id", &numbers(&rows, at::id)).and(Cond::sql(
        "EXISTS (SELECT 1 FROM users whose WHERE whose.org_id = {t}.org_id \
         AND whose.id = {t}.user_id AND whose.is_patient = ?)",
        [clients.into()],
    ));
    let found = match select.filter.is_never() {
        true => HashMap::new(),
        false => {
            let found = q.rows(&select.count_by_sql("t.appointment_type_id")).await?;
            let pair = |row: &[Value]| Some((row.first()?.int()?, row.get(1)?.int()?));
            found.iter().filter_map(pair).collect::<HashMap<i64, i64>>()
        }
    };
    let value = |row: &RowView<'_>| {
        let id = row.get(at::id).int().unwrap_or_default();
        Out::Int(found.get(&id).copied().unwrap_or(0))
    };
    Ok(rows.iter().map(value).collect())
}

fn connections(b: &mut Bindings) {
    const CONNECTION: &str = "ProviderApptTypeConnection";
    b.object(CONNECTION, &PROVIDER_APPT_TYPE_CONNECTIONS);
    b.batch(CONNECTION, "provider_name", &[gives::user_id], |request, q, rows, _| {
        Box::pin(names(request, q, rows))
    })
    .public();
}

async fn names(request: &Request, q: &mut dyn Query, rows: Vec<RowView<'_>>) -> Answer<Vec<Out>> {
    let ids = numbers(&rows, gives::user_id);
    let mut select = listing::seen(request, &USERS, Level::Public);
    select.columns = vec![users::id, users::first_name, users::last_name];
    select.filter = Cond::is_in("id", &ids);
    let found = match select.filter.is_never() {
        true => Vec::new(),
        false => {
            let rows = q.rows(&select.sql()).await?;
            rows.iter().map(<[Value]>::to_vec).collect()
        }
    };
    let full_name = |row: &Vec<Value>| {
        let text = |at: usize| row.get(at).and_then(Value::text).unwrap_or_default();
        Some((row.first()?.int()?, format!("{} {}", text(1), text(2)).trim().to_owned()))
    };
    let names: HashMap<i64, String> = found.iter().filter_map(full_name).collect();
    let name =
        |row: &RowView<'_>| row.get(gives::user_id).int().and_then(|id| names.get(&id).cloned());
    Ok(rows.iter().map(|row| name(row).into()).collect())
}
