//! What a person can choose to be told, by the contract's names.

use ward_store::Json;

use crate::notices::quiet::{QuietHours, time_of_day};
use crate::notices::tables::NotificationSetting;

/// Applies a macro to every choice that can be changed.
macro_rules! with_choices {
    ($apply:ident) => {
        $apply! {
            notification_on_module_completion send_comment_emails send_comment_push
            send_course_complete_email send_email_before_appointment
            send_email_on_appointment_book send_email_on_appointment_cancel
            send_email_on_appointment_reschedule send_email_on_appt_request_for_anyone
            send_email_on_appt_request_for_you send_email_on_client_has_been_assigned_to_you
            send_email_on_fax_delivery_failure send_email_on_fax_received
            send_email_on_form_request
            send_email_on_intake_flow_complete send_email_on_intake_flow_item_complete
            send_email_on_intake_flow_start send_email_on_new_document send_email_on_new_folder
            send_email_on_package_purchase send_email_on_scheduled_payment_failed
            send_email_receipt_for_subscription_payment send_emoji_email send_emoji_push
            send_entry_emails send_goal_reminder_email send_goal_reminder_push
            send_group_message_emails send_group_message_push send_insurance_expiry_notifications
            send_message_emails send_message_push send_message_sms send_new_clients_emails
            send_new_insurance_added_notifications send_new_module_email send_new_module_push
            send_push_before_appointment
        }
    };
}
pub(crate) use with_choices;

/// Choices that are off until somebody switches them on: an SMS is sent to who
/// asked for it only (47 CFR 64.1200(a)), and of requests the contract says so.
const OFF: &[&str] = &[
    "send_email_on_appt_request_for_anyone",
    "send_email_on_appt_request_for_you",
    "send_message_sms",
];

macro_rules! names {
    ($($name:ident)*) => {
        /// The names of all choices.
        pub const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}
with_choices!(names);

/// Choices of notices about messages.
pub const OF_MESSAGES: &[&str] = &[
    "send_message_emails",
    "send_group_message_emails",
    "send_message_sms",
    "send_message_push",
    "send_group_message_push",
];

/// What somebody chose; what they did not is as usual.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choices(serde_json::Map<String, serde_json::Value>);

impl Choices {
    /// As a row keeps them.
    pub fn read(kept: &str) -> Self {
        match serde_json::from_str(kept) {
            Ok(serde_json::Value::Object(chosen)) => Choices(chosen),
            _ => Choices::default(),
        }
    }

    /// To be kept.
    pub fn kept(&self) -> Json {
        Json(serde_json::Value::Object(self.0.clone()).to_string())
    }

    /// Whether a choice is on.
    pub fn is_on(&self, name: &str) -> bool {
        let usual = !OFF.contains(&name);
        self.0.get(name).and_then(serde_json::Value::as_bool).unwrap_or(usual)
    }

    /// Switches one.
    pub fn set(&mut self, name: &str, on: bool) {
        self.0.insert(name.to_owned(), on.into());
    }
}

impl Default for Wishes {
    fn default() -> Self {
        Wishes { choices: Choices::default(), quiet: QuietHours::USUAL }
    }
}

/// What somebody wants to be told and when.
#[derive(Clone, Debug, PartialEq)]
pub struct Wishes {
    /// What.
    pub choices: Choices,
    /// When not.
    pub quiet: QuietHours,
}

impl Wishes {
    /// Of somebody with this row, or without one.
    pub fn of(row: Option<&NotificationSetting>) -> Self {
        row.map_or_else(Wishes::default, |row| {
            let times = (row.quiet_hours_start.as_deref(), row.quiet_hours_end.as_deref());
            Wishes::kept(&row.choices.0, times)
        })
    }

    /// Out of the columns of a row: the choices, and when quiet hours begin and end.
    pub fn kept(choices: &str, (start, end): (Option<&str>, Option<&str>)) -> Self {
        let usual = QuietHours::USUAL;
        Wishes {
            choices: Choices::read(choices),
            quiet: QuietHours {
                start: start.and_then(time_of_day).unwrap_or(usual.start),
                end: end.and_then(time_of_day).unwrap_or(usual.end),
            },
        }
    }

    /// As the API shows them; their id is the person's.
    pub fn shown(&self, user_id: i64) -> serde_json::Value {
        let mut shown = serde_json::Map::new();
        shown.insert("id".to_owned(), user_id.to_string().into());
        for name in NAMES {
            shown.insert((*name).to_owned(), self.choices.is_on(name).into());
        }
        let time = |time: jiff::civil::Time| format!("{:02}:{:02}", time.hour(), time.minute());
        shown.insert("quiet_hours_start".to_owned(), time(self.quiet.start).into());
        shown.insert("quiet_hours_end".to_owned(), time(self.quiet.end).into());
        shown.into()
    }
}
