//! Tables of the domain: appointment types, who may have and give them, what they
//! cost, and when providers can be booked (behaviour 20, 21). Settings stand in
//! `settings::table`.

use ward_clients::tables::UserGroup;
use ward_identity::restricted;
use ward_identity::tables::{Organization, User};
use ward_instance::Timestamp;
use ward_store::{Day, Id, Key, Reference, Table, index, record, unique};

use crate::appointment::table as appointment;
use crate::appointment_location::table::{AppointmentLocation, ROOM_ENTRIES, TABLES as PLACES};
use crate::calendar_feed::table::CALENDAR_FEEDS;
use crate::credit::table as credit;
use crate::request::table::{APPOINTMENT_REQUEST_SLOTS, APPOINTMENT_REQUESTS};
use crate::settings::table::APPOINTMENT_SETTINGS;
use crate::visibility;

record! {
    /// A kind of appointment. Deleted, it stays for what was booked with it.
    pub struct AppointmentType in APPOINTMENT_TYPES, appointment_types {
        id: Id<AppointmentType> [public],
        org_id: Id<Organization>,
        unit_id: Id<Organization> [public],
        /// The member who made it, and who alone offers it unless they share.
        user_id: Option<Id<User>> [public],
        name: String [public folded searched],
        /// What clients read instead of the name.
        client_facing_display_name: Option<String> [public],
        client_display_description: Option<String> [public],
        /// Minutes.
        length: i64 [public],
        /// Whether several clients come to one appointment.
        is_group: bool [public],
        is_waitlist_enabled: bool [public],
        clients_can_book: bool [public],
        /// Whether clients of groups may book it.
        bookable_by_groups: bool [public],
        /// Whether clients without a group may.
        bookable_without_group: bool [public],
        /// Of the groups, only those that are listed.
        specific_groups: bool,
        /// The group that a client joins by booking it.
        user_group_id: Option<Id<UserGroup>> [public],
        /// Only the providers who are listed offer it.
        require_specific_providers: bool [public],
        /// Only clients of a state in which the provider is licensed.
        require_in_state_clients: bool [public],
        dont_ask_for_reason: bool [public],
        offers_video: Option<bool>,
        offers_in_person: Option<bool>,
        offers_phone: Option<bool>,
        /// The price, unless a client or provider has one of their own.
        pricing_cents: Option<i64> [public],
        pricing_option: String [public],
        /// Whether its own settings count.
        has_specific_appointment_settings: bool [public],
        metadata: Option<String>,
        /// Its place in the list, smallest first.
        position: i64 [public],
        version: i64,
        created_at: Timestamp [public],
        updated_at: Timestamp [public],
        deleted_at: Option<Timestamp> [public],
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "unit_id", "position", "id"]),
        index(&["org_id", "user_id"]),
    ],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
        Reference {
            columns: &["org_id", "user_group_id"],
            table: "user_groups",
            target: &["org_id", "id"],
        },
    ],
    audit: Some("APPOINTMENT_TYPE"),
    visible: visibility::appointment_types,
}

record! {
    /// A provider who offers a type that only some do.
    pub struct ProviderApptTypeConnection in PROVIDER_APPT_TYPE_CONNECTIONS, provider_appt_type_connections {
        id: Id<ProviderApptTypeConnection> [public],
        org_id: Id<Organization>,
        appointment_type_id: Id<AppointmentType> [public],
        user_id: Id<User> [public],
        created_at: Timestamp,
    }
    key: Key::Id,
    indexes: [
        unique(&["org_id", "appointment_type_id", "user_id"]),
        index(&["org_id", "user_id"]),
    ],
    references: [
        Reference {
            columns: &["org_id", "appointment_type_id"],
            table: "appointment_types",
            target: &["org_id", "id"],
        },
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("PROVIDER_APPT_TYPE_CONNECTION"),
    visible: visibility::connections,
}

record! {
    /// A group whose clients may book a type that only some groups may.
    pub struct AppointmentTypeGroup in APPOINTMENT_TYPE_GROUPS, appointment_type_groups {
        org_id: Id<Organization>,
        appointment_type_id: Id<AppointmentType>,
        user_group_id: Id<UserGroup>,
        created_at: Timestamp,
    }
    key: Key::Columns(&["org_id", "appointment_type_id", "user_group_id"]),
    indexes: [index(&["org_id", "user_group_id", "appointment_type_id"])],
    references: [
        Reference {
            columns: &["org_id", "appointment_type_id"],
            table: "appointment_types",
            target: &["org_id", "id"],
        },
        Reference {
            columns: &["org_id", "user_group_id"],
            table: "user_groups",
            target: &["org_id", "id"],
        },
    ],
    audit: Some("APPOINTMENT_TYPE_GROUP"),
    visible: visibility::of_rules,
}

record! {
    /// What a type costs one client, or with one provider.
    pub struct AdvanceAppointmentPrice in ADVANCE_APPOINTMENT_PRICES, advance_appointment_prices {
        id: Id<AdvanceAppointmentPrice>,
        org_id: Id<Organization>,
        appointment_type_id: Id<AppointmentType>,
        user_id: Id<User>,
        price_cents: i64,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
    }
    key: Key::Id,
    indexes: [
        unique(&["org_id", "user_id", "appointment_type_id"]),
        index(&["org_id", "appointment_type_id"]),
    ],
    references: [
        Reference {
            columns: &["org_id", "appointment_type_id"],
            table: "appointment_types",
            target: &["org_id", "id"],
        },
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("ADVANCE_APPOINTMENT_PRICE"),
    subject: restricted::by_user_id,
    visible: visibility::prices,
}

record! {
    /// When a provider can be booked: once, or every week at a time on the wall.
    pub struct Availability in AVAILABILITIES, availabilities {
        id: Id<Availability>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        user_id: Id<User>,
        /// The only type that it is for.
        appointment_type_id: Option<Id<AppointmentType>>,
        /// The only way to meet that it is for: a number of the code set.
        contact_type_id: Option<i64>,
        /// The only place that it is at.
        appointment_location_id: Option<Id<AppointmentLocation>>,
        is_repeating: bool,
        /// Of a weekly one: 0 for Sunday to 6 for Saturday.
        day_of_week: Option<i64>,
        /// The first day on the wall.
        first_day: Day,
        /// The last day of a weekly one.
        end_on: Option<Day>,
        /// Minutes of the day on the wall.
        start_minute: i64,
        /// Minutes of the day on the wall.
        end_minute: i64,
        /// Of a one-time one.
        start_at: Option<Timestamp>,
        /// Of a one-time one.
        end_at: Option<Timestamp>,
        /// The zone of the wall, an IANA name.
        timezone: String,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "user_id", "id"]),
        index(&["org_id", "unit_id", "id"]),
        index(&["org_id", "appointment_location_id", "id"])
            .only("appointment_location_id IS NOT NULL"),
    ],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
        Reference {
            columns: &["org_id", "appointment_type_id"],
            table: "appointment_types",
            target: &["org_id", "id"],
        },
        Reference {
            columns: &["org_id", "appointment_location_id"],
            table: "appointment_locations",
            target: &["org_id", "id"],
        },
    ],
    audit: Some("AVAILABILITY"),
    visible: visibility::availabilities,
}

record! {
    /// One of several types that an availability is for.
    pub struct AvailabilityAppointmentType in AVAILABILITY_APPOINTMENT_TYPES, availability_appointment_types {
        org_id: Id<Organization>,
        availability_id: Id<Availability>,
        appointment_type_id: Id<AppointmentType>,
        created_at: Timestamp,
    }
    key: Key::Columns(&["org_id", "availability_id", "appointment_type_id"]),
    indexes: [index(&["org_id", "appointment_type_id", "availability_id"])],
    references: [
        Reference {
            columns: &["org_id", "availability_id"],
            table: "availabilities",
            target: &["org_id", "id"],
        },
        Reference {
            columns: &["org_id", "appointment_type_id"],
            table: "appointment_types",
            target: &["org_id", "id"],
        },
    ],
    audit: Some("AVAILABILITY_APPOINTMENT_TYPE"),
    visible: visibility::of_rules,
}

/// The tables of the domain.
pub fn tables() -> Vec<&'static Table> {
    let mut tables: Vec<&'static Table> = vec![
        &APPOINTMENT_TYPES,
        &APPOINTMENT_SETTINGS,
        &PROVIDER_APPT_TYPE_CONNECTIONS,
        &APPOINTMENT_TYPE_GROUPS,
        &ADVANCE_APPOINTMENT_PRICES,
    ];
    tables.extend(PLACES);
    tables.extend([&AVAILABILITIES, &AVAILABILITY_APPOINTMENT_TYPES]);
    tables.extend(appointment::TABLES);
    tables.extend(credit::TABLES);
    tables.push(&ROOM_ENTRIES);
    tables.push(&CALENDAR_FEEDS);
    tables.extend([&APPOINTMENT_REQUESTS, &APPOINTMENT_REQUEST_SLOTS]);
    tables
}
