//! Tables of places and their rooms.

use ward_identity::tables::{Organization, User};
use ward_instance::Timestamp;
use ward_store::{Id, Key, Reference, Table, index, record};

use super::visibility;
use crate::appointment::table::Appointment;
use crate::settings::table::AppointmentSetting;

record! {
    /// A place at which clients are met. Removed, it stays for what was booked there.
    pub struct AppointmentLocation in APPOINTMENT_LOCATIONS, appointment_locations {
        id: Id<AppointmentLocation> [public],
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        /// The layer that it was made with.
        appointment_setting_id: Id<AppointmentSetting> [public],
        /// The provider whose alone it is; of nobody, it is the whole unit's.
        user_id: Option<Id<User>>,
        /// What it is called and where it is, as the practice wrote it.
        location: String [public searched],
        clients_can_book: bool [public],
        /// Whether its rooms count.
        has_rooms: bool [public],
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "appointment_setting_id", "id"]),
        index(&["org_id", "unit_id", "id"]),
    ],
    references: [
        Reference {
            columns: &["org_id", "appointment_setting_id"],
            table: "appointment_settings",
            target: &["org_id", "id"],
        },
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("APPOINTMENT_LOCATION"),
    visible: visibility::appointment_locations,
}

record! {
    /// A room of a place. Removed, it stays for what was booked in it.
    pub struct Room in ROOMS, rooms {
        id: Id<Room>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        appointment_location_id: Id<AppointmentLocation>,
        name: String,
        /// Whether no two appointments can be in it at one time.
        limit_to_one: bool,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [index(&["org_id", "appointment_location_id", "id"])],
    references: [
        Reference {
            columns: &["org_id", "appointment_location_id"],
            table: "appointment_locations",
            target: &["org_id", "id"],
        },
    ],
    audit: Some("ROOM"),
    visible: visibility::rooms,
}

record! {
    /// A room that an active appointment takes: derived from the appointments, and
    /// written behind the room's lock only.
    pub struct RoomEntry in ROOM_ENTRIES, room_entries {
        org_id: Id<Organization>,
        appointment_id: Id<Appointment>,
        room_id: Id<Room>,
        start_at: Timestamp,
        end_at: Timestamp,
    }
    key: Key::Columns(&["org_id", "appointment_id"]),
    indexes: [
        index(&["org_id", "room_id", "start_at", "end_at", "appointment_id"]),
        // The few that are longer than a day, as in a member's calendar.
        index(&["org_id", "room_id", "end_at", "start_at", "appointment_id"])
            .only("end_at - start_at > 86400000000"),
    ],
    references: [
        Reference {
            columns: &["org_id", "appointment_id"],
            table: "appointments",
            target: &["org_id", "id"],
        },
        Reference {
            columns: &["org_id", "room_id"],
            table: "rooms",
            target: &["org_id", "id"],
        },
    ],
    audit: None,
    visible: crate::visibility::of_rules,
}

/// What availability and appointments refer to.
pub const TABLES: [&Table; 2] = [&APPOINTMENT_LOCATIONS, &ROOMS];
