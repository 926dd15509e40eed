//! The settings of scheduling (behaviour 21): one line a setting, and everything
//! that follows from the list.

/// Hands the list to a macro: first the settings that always have a value, with
/// the one that applies where no layer says otherwise; then those that need not
/// have one. What the contract shows under another form stands last.
macro_rules! with_settings {
    ($then:ident) => {
        $then! {
            always {
                allow_clients_to_cancel_appt: bool = true;
                allow_clients_to_reschedule_appt: bool = true;
                allow_past_appointment_rescheduling: bool = false;
                ask_clients_to_confirm: bool = false;
                base_calendar_interval: BaseCalendarInterval = BaseCalendarInterval::FifteenMinutes;
                booking_interval_restriction: i64 = 0;
                buffer: i64 = 0;
                client_cancel_reason_required: bool = false;
                client_should_call_provider: bool = false;
                confirm_by_default: bool = false;
                enable_appointment_requests: bool = false;
                enable_checked_in_status: bool = false;
                enable_late_cancellation_status: bool = false;
                hide_link: bool = false;
                minimum_advance_cancel_time: i64 = 0;
                minimum_advance_reschedule_time: i64 = 0;
                minimum_advance_schedule_time: i64 = 0;
                prevent_client_booking: bool = false;
                prevent_no_credit_booking: bool = false;
                provider_cancel_reason_required: bool = false;
                require_selected_location_for_all_contact_types: bool = false;
                restore_credit_on_cancel: bool = false;
                same_day_appointments: bool = false;
                send_appointment_cancellation_email: bool = true;
                send_appointment_update_email: bool = true;
                send_booking_notice: bool = true;
                send_email_before_appointment: bool = false;
                send_push_before_appointment: bool = false;
                send_reminder_four_days_before: bool = false;
                send_reminder_one_day_before: bool = true;
                send_reminder_one_hour_before: bool = false;
                send_reminder_three_days_before: bool = false;
                send_reminder_two_days_before: bool = false;
                send_reminder_two_hours_before: bool = false;
                send_text_reminder_five_minutes_before: bool = false;
                send_text_reminder_four_days_before: bool = false;
                send_text_reminder_one_day_before: bool = false;
                send_text_reminder_one_hour_before: bool = false;
                send_text_reminder_three_days_before: bool = false;
                send_text_reminder_two_days_before: bool = false;
                send_text_reminder_two_hours_before: bool = false;
                times_by_appointment_type: bool = false;
                times_by_contact_type: bool = false;
                times_by_location: bool = false;
                use_client_credit_system: bool = false;
            }
            maybe {
                end_time: String;
                max_days_in_future: i64;
                patient_reschedule_count_cap: i64;
                start_time: String;
            }
            ways {
                offers_video;
                offers_in_person;
                offers_phone;
            }
        }
    };
}
pub(crate) use with_settings;
