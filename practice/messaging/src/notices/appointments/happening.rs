//! What happens to an appointment, and what is left to say of several such things
//! that nobody was told of yet (behaviour 42). Pure.

use ward_scheduling::settings::layers::Settings;

/// What happened to an appointment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    /// Somebody comes to it from now on.
    Booked,
    /// Somebody who waited for a seat has one from now on.
    SeatFreed,
    /// It is at another time or place, by another way or with somebody else.
    Changed,
    /// It does not take place, or not for them.
    Cancelled,
    /// One of several clients called off their own part, of which who gives it is told.
    Left,
}

impl Happening {
    /// All of them.
    pub const ALL: [Happening; 5] = [
        Happening::Booked,
        Happening::SeatFreed,
        Happening::Changed,
        Happening::Cancelled,
        Happening::Left,
    ];

    /// The mail's template.
    pub const fn template(self) -> &'static str {
        match self {
            Happening::Booked => "appointment_booked",
            Happening::SeatFreed => "appointment_seat_freed",
            Happening::Changed => "appointment_changed",
            Happening::Cancelled => "appointment_cancelled",
            Happening::Left => "appointment_part_cancelled",
        }
    }

    /// The one with this template.
    pub fn of_template(template: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.template() == template)
    }

    /// The choice that somebody makes for themselves.
    pub const fn choice(self) -> &'static str {
        match self {
            Happening::Booked | Happening::SeatFreed => "send_email_on_appointment_book",
            Happening::Changed => "send_email_on_appointment_reschedule",
            Happening::Cancelled | Happening::Left => "send_email_on_appointment_cancel",
        }
    }

    /// Whether the practice tells its clients of it.
    pub const fn is_told(self, settings: &Settings) -> bool {
        match self {
            Happening::Booked => settings.send_booking_notice,
            // They did nothing themselves by which they would know.
            Happening::SeatFreed => true,
            Happening::Changed => settings.send_appointment_update_email,
            Happening::Cancelled | Happening::Left => settings.send_appointment_cancellation_email,
        }
    }

    /// What is to be said when this follows something that waits to be said: of a
    /// booking that was called off meanwhile, nothing.
    pub const fn after(self, waiting: Option<Happening>) -> Option<Happening> {
        match (waiting, self) {
            (Some(Happening::Booked | Happening::SeatFreed), Happening::Cancelled) => None,
            (Some(Happening::Booked), _) => Some(Happening::Booked),
            (Some(Happening::SeatFreed), _) => Some(Happening::SeatFreed),
            // They know of it as it was before it was called off.
            (Some(Happening::Cancelled), Happening::Booked | Happening::Changed) => {
                Some(Happening::Changed)
            }
            // Who looks at what changed sees who comes.
            (Some(Happening::Changed), Happening::Left) => Some(Happening::Changed),
            (_, now) => Some(now),
        }
    }
}
