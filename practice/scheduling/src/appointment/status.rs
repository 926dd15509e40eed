//! What became of an appointment (behaviour 23.1). Pure.

use ward_store::text_enum;

text_enum! {
    /// The status of an appointment; one without has yet to be, or nobody said.
    pub enum PmStatus {
        Occurred = "Occurred",
        NoShow = "No-Show",
        ReScheduled = "Re-Scheduled",
        Cancelled = "Cancelled",
        LateCancellation = "Late Cancellation",
        CheckedIn = "Checked-In",
    }
}

impl PmStatus {
    /// Whether an appointment of this status still takes anybody's time (behaviour
    /// 23.1).
    pub const fn is_active(self) -> bool {
        matches!(self, PmStatus::Occurred | PmStatus::CheckedIn)
    }
}

text_enum! {
    /// Who called an appointment off.
    pub enum CancelledBy {
        Client = "client",
        Provider = "provider",
        Organization = "organization",
    }
}
