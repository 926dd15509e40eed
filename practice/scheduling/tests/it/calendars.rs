//! Calendars of tests: what is booked, written as it is stored.

use ward_instance::Timestamp;
use ward_scheduling::appointment::table::{Appointment, AppointmentInclusion, CalendarEntry};
use ward_store::{Actor, Id, Scope, StoreError};

use crate::support::World;

/// An appointment of a test.
#[derive(Clone, Debug)]
pub struct Booked {
    pub provider: i64,
    pub start: Timestamp,
    pub minutes: i64,
    /// Of a group type, with so many seats.
    pub group: Option<(i64, i64)>,
    pub clients: Vec<i64>,
}

/// A moment of a text.
pub fn at(text: &str) -> Timestamp {
    Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_microsecond())
}

impl World {
    /// Takes a provider's time; the appointment's id.
    pub async fn busy(&self, provider: i64, start: &str, minutes: i64) -> i64 {
        let start = at(start);
        self.booked(Booked { provider, start, minutes, group: None, clients: Vec::new() }).await
    }

    /// Writes an appointment; its id.
    pub async fn booked(&self, booked: Booked) -> i64 {
        let org = self.organization.id;
        let done = self.db.write(move |tx| {
            let booked = booked.clone();
            Box::pin(async move {
                let system = Actor::system(org.0);
                let mut scope = Scope::new(tx, &system);
                let id: Id<Appointment> = scope.next_id().await?;
                let now = scope.now();
                let end = booked.start.plus_seconds(booked.minutes * 60);
                let row = Appointment {
                    id,
                    org_id: org,
                    unit_id: org,
                    provider_id: Id::new(booked.provider),
                    user_id: None,
                    appointment_type_id: booked.group.map(|(of, _)| Id::new(of)),
                    contact_type_id: Some(1),
                    location: None,
                    appointment_location_id: None,
                    room_id: None,
                    start_at: booked.start,
                    end_at: end,
                    length: booked.minutes,
                    timezone: "America/New_York".to_owned(),
                    is_blocker: booked.group.is_none(),
                    is_group: booked.group.is_some(),
                    max_attendees: booked.group.map(|(_, seats)| seats),
                    pm_status: None,
                    pm_status_changed_at: None,
                    pm_status_last_changed_by_id: None,
                    confirmed: false,
                    client_confirmed: false,
                    notes: None,
                    reason: None,
                    external_videochat_url: None,
                    metadata: None,
                    actual_duration: None,
                    initiator_id: None,
                    last_updated_by_id: None,
                    patient_reschedule_count: 0,
                    cancellation_reason_id: None,
                    other_cancellation_reason: None,
                    cancellation_initiated_by: None,
                    is_zoom_chat: false,
                    room_ordered: false,
                    room_orders: 0,
                    zoom_meeting_id: None,
                    zoom_join_url: None,
                    zoom_start_url: None,
                    zoom_dial_in_info: None,
                    booked_over: false,
                    recurring_appointment_id: None,
                    current_position_in_recurring_series: None,
                    time_recurring_override: false,
                    version: 1,
                    created_at: now,
                    updated_at: now,
                    deleted_at: None,
                };
                scope.create(&row).await?;
                let entry = CalendarEntry {
                    org_id: org,
                    appointment_id: id,
                    user_id: Id::new(booked.provider),
                    start_at: booked.start,
                    end_at: end,
                    is_blocker: booked.group.is_none(),
                };
                scope.create(&entry).await?;
                for client in booked.clients {
                    let row = AppointmentInclusion {
                        id: scope.next_id().await?,
                        org_id: org,
                        unit_id: org,
                        appointment_id: id,
                        user_id: Id::new(client),
                        attends_from: now,
                        attended: None,
                        confirmed: false,
                        from_waitlist: false,
                        cancelled: false,
                        cancelled_at: None,
                        cancelled_by_id: None,
                        cancellation_reason: None,
                        other_cancellation_reason: None,
                        seats_held: 0,
                        version: 1,
                        created_at: now,
                        updated_at: now,
                    };
                    scope.create(&row).await?;
                }
                Ok(id.0)
            })
        });
        done.await.unwrap_or_else(|error: StoreError| panic!("{error}"))
    }
}
