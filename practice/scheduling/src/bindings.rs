//! What answers each contract field of the domain, one line a field.

mod appointment;
mod appointment_location;
mod appointment_type;
mod availability;
mod credit;
mod exists;
mod live;
mod of_user;
mod request;
mod setting;
mod slots;

use ward_engine::{Bindings, Kind, Link, Listing, Returns, op};
use ward_identity::tables::{User, users};
use ward_store::Entity;

use crate::appointment_type::change;
use crate::tables::{
    ADVANCE_APPOINTMENT_PRICES, APPOINTMENT_TYPES, AppointmentType,
    advance_appointment_prices as prices,
};
use crate::{calendar_feed, listing, money, price, settings};

/// Binds the domain's fields.
pub fn bind(b: &mut Bindings) {
    b.unserved(include_str!("../unserved.txt"));
    queries(b);
    mutations(b);
    price_fields(b);
    appointment_type::bind(b);
    setting::bind(b);
    appointment_location::bind(b);
    availability::bind(b);
    exists::bind(b);
    slots::bind(b);
    calendar_feed::bind(b);
    appointment::bind(b);
    live::bind(b);
    of_user::bind(b);
    credit::bind(b);
    crate::waitlist::bind(b);
    request::bind(b);
}

const TYPE: Kind = Kind::Id(AppointmentType::NAME);
const USER: Kind = Kind::Id(User::NAME);

fn queries(b: &mut Bindings) {
    b.query_one("appointmentType", &APPOINTMENT_TYPES, listing::one_type)
        .args(&[("id", TYPE)])
        .public();
    b.query_list("appointmentTypes", &APPOINTMENT_TYPES, listing::types)
        .args(listing::TYPES_ARGS)
        .orders(listing::TYPE_ORDERS, "POSITION_ASC")
        .public();
    b.query_count("appointmentTypesCount", &APPOINTMENT_TYPES, listing::types)
        .args(listing::TYPES_COUNT_ARGS);
    b.query_list("advanceAppointmentPrices", &ADVANCE_APPOINTMENT_PRICES, listing::prices)
        .args(listing::PRICES_ARGS)
        .orders(listing::MADE, "CREATED_AT_ASC");
    b.batch("Query", "appointmentSetting", &[], |request, q, rows, args| {
        Box::pin(settings::read::one(request, q, rows, args))
    })
    .args(&[("id", Kind::Id("AppointmentSetting")), ("provider_id", USER)])
    .public();
    b.batch("Query", "contactTypes", &[], |request, q, rows, _| {
        Box::pin(settings::read::contact_types(request, q, rows))
    });
}

fn mutations(b: &mut Bindings) {
    const MADE: &[(&str, Returns)] = &[("appointmentType", Returns::One(&APPOINTMENT_TYPES))];
    const SET: &[(&str, Returns)] = &[("appointmentSetting", Returns::Leaf)];
    const PRICED: &[(&str, Returns)] =
        &[("advance_appointment_prices", Returns::Many(&ADVANCE_APPOINTMENT_PRICES))];
    b.mutation("createAppointmentType", MADE, op!(change::create));
    b.mutation("updateAppointmentType", MADE, op!(change::update));
    b.mutation("deleteAppointmentType", MADE, op!(change::delete));
    b.mutation("createAppointmentSetting", SET, op!(settings::change::create));
    b.mutation("updateAppointmentSetting", SET, op!(settings::change::update));
    b.mutation("updateUserAppointmentPricing", PRICED, op!(price::update));
}

fn price_fields(b: &mut Bindings) {
    const OF: &str = "AdvanceAppointmentPrice";
    b.object(OF, &ADVANCE_APPOINTMENT_PRICES);
    b.computed(OF, "price", &[prices::price_cents], |_, row, _| {
        row.get(prices::price_cents).int().map(money::text).into()
    });
    let own = Link::Column { parent: users::id, child: "user_id" };
    b.many("User", "advance_appointment_prices", &ADVANCE_APPOINTMENT_PRICES, own)
        .listing(|_, _| Ok(Listing::all()))
        .orders(listing::MADE, "CREATED_AT_ASC");
}
