//! What the arguments of scheduling name, and how its objects are made.

use ward_tests::Json;

use crate::meaning::Meaning::{self, May, Needs};
use crate::meaning::Object;

/// Root field, path of the value, what it names.
pub const OBJECTS: &[(&str, &str, Meaning)] = &[
    ("appointmentType", "id", Needs(Object::AppointmentType)),
    ("appointmentTypes", "appointment_type_ids", May(Object::AppointmentType)),
    ("appointmentTypes", "provider_id", May(Object::Provider)),
    ("appointmentTypes", "provider_ids", May(Object::Provider)),
    ("appointmentTypesCount", "appointment_type_ids", May(Object::AppointmentType)),
    ("appointmentTypesCount", "provider_id", May(Object::Provider)),
    ("advanceAppointmentPrices", "appointment_type_id", May(Object::AppointmentType)),
    ("advanceAppointmentPrices", "user_id", May(Object::Client)),
    ("appointmentSetting", "id", May(Object::AppointmentSetting)),
    ("appointmentSetting", "provider_id", May(Object::Provider)),
    ("createAppointmentType", "input.appointment_setting.id", May(Object::AppointmentSetting)),
    ("createAppointmentType", "input.bookable_group_ids", May(Object::Group)),
    (
        "createAppointmentType",
        "input.provider_ids_for_appt_type_connections",
        May(Object::Provider),
    ),
    ("createAppointmentType", "input.user_group_id", May(Object::Group)),
    ("updateAppointmentType", "input.id", Needs(Object::AppointmentType)),
    ("updateAppointmentType", "input.appointment_setting.id", May(Object::AppointmentSetting)),
    ("updateAppointmentType", "input.bookable_group_ids", May(Object::Group)),
    (
        "updateAppointmentType",
        "input.provider_ids_for_appt_type_connections",
        May(Object::Provider),
    ),
    ("updateAppointmentType", "input.user_group_id", May(Object::Group)),
    ("deleteAppointmentType", "input.id", Needs(Object::AppointmentType)),
    ("createAppointmentSetting", "input.user_id", May(Object::Provider)),
    ("updateAppointmentSetting", "input.id", Needs(Object::AppointmentSetting)),
    ("updateAppointmentSetting", "input.user_id", May(Object::Provider)),
    ("updateUserAppointmentPricing", "input.user_id", Needs(Object::Client)),
    (
        "updateUserAppointmentPricing",
        "input.advance_appointment_prices.appointment_type_id",
        Needs(Object::AppointmentType),
    ),
    (
        "updateUserAppointmentPricing",
        "input.advance_appointment_prices.id",
        May(Object::AppointmentPrice),
    ),
    (
        "updateUserAppointmentPricing",
        "input.advance_appointment_prices.user_id",
        May(Object::Client),
    ),
    ("appointmentTypeCreditChanges", "appointment_type_id", May(Object::AppointmentType)),
    ("appointmentTypeCreditChanges", "user_id", May(Object::Client)),
    ("appointmentWorkflowStatuses", "client_id", May(Object::Client)),
    ("appointmentWorkflowStatuses", "provider_ids", May(Object::Provider)),
    (
        "updateClient",
        "input.appointment_type_credits_attributes.appointment_type_id",
        May(Object::AppointmentType),
    ),
    (
        "updateClient",
        "input.appointment_type_credits_attributes.id",
        May(Object::AppointmentCredit),
    ),
    ("appointmentBookingWarnings", "attendee_ids", May(Object::Client)),
    ("availability", "id", Needs(Object::Availability)),
    ("availabilities", "appointment_type_id", May(Object::AppointmentType)),
    ("availabilities", "appointment_type_ids", May(Object::AppointmentType)),
    ("availabilities", "availability_provider_id", May(Object::Provider)),
    ("availabilities", "provider_id", May(Object::Provider)),
    ("availabilities", "provider_ids", May(Object::Provider)),
    ("availabilities", "user_id", May(Object::Provider)),
    ("availabilitiesCount", "appointment_type_id", May(Object::AppointmentType)),
    ("availabilitiesCount", "provider_id", May(Object::Provider)),
    ("createAvailability", "input.user_id", May(Object::Provider)),
    ("createAvailability", "input.appointment_type_id", May(Object::AppointmentType)),
    ("editAvailability", "input.id", Needs(Object::Availability)),
    ("editAvailability", "input.user_id", May(Object::Provider)),
    ("editAvailability", "input.appointment_type_id", May(Object::AppointmentType)),
    ("deleteAvailability", "input.id", Needs(Object::Availability)),
    ("bulkDeleteAvailability", "input.ids", Needs(Object::Availability)),
    ("bulkCreateAvailability", "input.user_id", May(Object::Provider)),
    ("bulkCreateAvailability", "input.appointment_type_id", May(Object::AppointmentType)),
    ("bulkCreateAvailability", "input.availabilities.user_id", May(Object::Provider)),
    (
        "bulkCreateAvailability",
        "input.availabilities.appointment_type_id",
        May(Object::AppointmentType),
    ),
    ("createAvailabilityWithAppointmentTypes", "input.user_id", May(Object::Provider)),
    (
        "createAvailabilityWithAppointmentTypes",
        "input.appointment_type_ids",
        Needs(Object::AppointmentType),
    ),
    ("editAvailabilityWithAppointmentTypes", "input.id", Needs(Object::Availability)),
    (
        "editAvailabilityWithAppointmentTypes",
        "input.appointment_type_ids",
        Needs(Object::AppointmentType),
    ),
    ("appointment", "id", Needs(Object::Appointment)),
    ("appointments", "attendee_ids", May(Object::Attendee)),
    ("appointments", "filter_by_appointment_location_ids", May(Object::Place)),
    ("appointments", "filter_by_appointment_type_id", May(Object::AppointmentType)),
    ("appointments", "filter_by_appointment_type_ids", May(Object::AppointmentType)),
    ("appointments", "filter_by_location_id", May(Object::Place)),
    ("appointments", "organization_id", May(Object::Organization)),
    ("appointments", "provider_id", May(Object::Provider)),
    ("appointments", "provider_ids", May(Object::Provider)),
    ("appointments", "tag_ids", May(Object::Tag)),
    ("appointments", "user_id", May(Object::Attendee)),
    ("availabilities", "organization_id", May(Object::Organization)),
    ("availabilities", "tag_ids", May(Object::Tag)),
    ("appointmentsCount", "filter_by_appointment_location_ids", May(Object::Place)),
    ("appointmentsCount", "filter_by_appointment_type_id", May(Object::AppointmentType)),
    ("appointmentsCount", "filter_by_appointment_type_ids", May(Object::AppointmentType)),
    ("appointmentsCount", "filter_by_location_id", May(Object::Place)),
    ("appointmentsCount", "provider_id", May(Object::Provider)),
    ("appointmentsCount", "provider_ids", May(Object::Provider)),
    ("appointmentsCount", "user_id", May(Object::Attendee)),
    ("appointmentInclusion", "id", Needs(Object::Inclusion)),
    ("recurringAppointment", "id", Needs(Object::Series)),
    ("createAppointment", "input.user_id", Needs(Object::Client)),
    ("createAppointment", "input.appointment_type_id", Needs(Object::AppointmentType)),
    ("createAppointment", "input.appointment_location_id", May(Object::Place)),
    ("createAppointment", "input.attendee_ids", May(Object::Client)),
    ("createAppointment", "input.other_party_id", May(Object::Provider)),
    ("createAppointment", "input.providers", May(Object::Provider)),
    ("updateAppointment", "input.id", Needs(Object::Appointment)),
    ("updateAppointment", "input.appointment_location_id", May(Object::Place)),
    ("updateAppointment", "input.appointment_type_id", May(Object::AppointmentType)),
    ("updateAppointment", "input.attended_clients.id", May(Object::Inclusion)),
    ("updateAppointment", "input.attended_clients.user_id", May(Object::Client)),
    ("updateAppointment", "input.attendee_ids", May(Object::Client)),
    ("updateAppointment", "input.other_party_id", May(Object::Provider)),
    ("updateAppointment", "input.providers", May(Object::Provider)),
    ("updateAppointment", "input.user_id", May(Object::Client)),
    ("deleteAppointment", "input.id", Needs(Object::Appointment)),
    // A number of a code set.
    ("deleteAppointment", "input.cancellation_reason.id", Meaning::Left),
    ("resetCalendarFeed", "input.user_id", May(Object::Provider)),
    ("updateAppointmentInclusion", "input.id", Needs(Object::Inclusion)),
    ("availableSlotsForRange", "provider_id", Needs(Object::Provider)),
    ("availableSlotsForRange", "provider_ids", May(Object::Provider)),
    ("availableSlotsForRange", "appt_type_id", Needs(Object::AppointmentType)),
    ("availableSlotsForRange", "appt_loc_id", May(Object::Place)),
    ("availableSlotsForRange", "appointment_to_reschedule_id", May(Object::Appointment)),
    ("availableSlotsForRange", "tag_ids", May(Object::Tag)),
    ("availableSlotsForRange", "exclude_provider_ids", May(Object::Provider)),
    ("daysAvailableForRange", "provider_id", Needs(Object::Provider)),
    ("daysAvailableForRange", "provider_ids", May(Object::Provider)),
    ("daysAvailableForRange", "appt_type_id", Needs(Object::AppointmentType)),
    ("daysAvailableForRange", "appt_loc_id", May(Object::Place)),
    ("daysAvailableForRange", "appointment_to_reschedule_id", May(Object::Appointment)),
    ("daysAvailableForRange", "tag_ids", May(Object::Tag)),
    ("daysAvailableForRange", "exclude_provider_ids", May(Object::Provider)),
    ("nextAvailableSlot", "provider_id", Needs(Object::Provider)),
    ("nextAvailableSlot", "provider_ids", May(Object::Provider)),
    ("nextAvailableSlot", "appt_type_id", Needs(Object::AppointmentType)),
    ("nextAvailableSlot", "appt_loc_id", May(Object::Place)),
    ("nextAvailableSlot", "appointment_to_reschedule_id", May(Object::Appointment)),
    ("nextAvailableSlot", "tag_ids", May(Object::Tag)),
    ("availableSlotsForRange", "appointment_type_ids", May(Object::AppointmentType)),
    ("appointmentBookingWarnings", "recurring_appt_id", May(Object::Series)),
    ("appointmentBookingWarnings", "provider_id", Needs(Object::Provider)),
    ("appointmentBookingWarnings", "appointment_type_id", May(Object::AppointmentType)),
    ("appointmentBookingWarnings", "current_appt_id", May(Object::Appointment)),
    ("appointmentBookingWarnings", "recurring_appt_id", May(Object::Series)),
    ("appointmentBookingWarnings", "additional_providers", May(Object::SecondProvider)),
    ("appointmentRequest", "id", Needs(Object::Request)),
    ("createAppointmentRequest", "input.appointment_type_id", May(Object::AppointmentType)),
    ("createAppointmentRequest", "input.organization_id", May(Object::Organization)),
    ("createAppointmentRequest", "input.patient_id", May(Object::Client)),
    ("createAppointmentRequest", "input.provider_id", Needs(Object::Provider)),
    ("updateAppointmentRequest", "input.id", Needs(Object::Request)),
    ("updateAppointmentRequest", "input.patient_id", May(Object::Client)),
    ("deleteAppointmentRequest", "input.id", Needs(Object::Request)),
    ("createAppointment", "input.appointment_request_id", May(Object::Request)),
    ("completeCheckout", "input.provider_id", Needs(Object::Provider)),
    ("completeCheckout", "input.appointment_type_id", Needs(Object::AppointmentType)),
    ("completeCheckout", "input.appointment_id", May(Object::Appointment)),
    ("completeCheckout", "input.appointment_ids", May(Object::Appointment)),
    ("completeCheckout", "input.appointment_location_id", May(Object::Place)),
    ("appointmentLocation", "id", Needs(Object::Place)),
    ("appointmentLocations", "appointment_type_id", May(Object::AppointmentType)),
    ("appointmentLocations", "ids", May(Object::Place)),
    ("appointmentLocations", "location_ids", May(Object::Place)),
    ("appointmentLocations", "provider_id", May(Object::Provider)),
    ("appointmentLocations", "provider_ids", May(Object::Provider)),
    ("locationResources", "location_ids", May(Object::Place)),
    ("providerAppointmentLocations", "provider_id", May(Object::Provider)),
    ("createAppointmentSetting", "input.appointment_locations.id", May(Object::Place)),
    ("createAppointmentSetting", "input.appointment_locations.rooms.id", May(Object::Room)),
    ("updateAppointmentSetting", "input.appointment_locations.id", May(Object::Place)),
    ("updateAppointmentSetting", "input.appointment_locations.rooms.id", May(Object::Room)),
    ("availabilities", "appointment_location_id", May(Object::Place)),
    ("availabilitiesCount", "appointment_location_id", May(Object::Place)),
    ("createAvailability", "input.appointment_location_id", May(Object::Place)),
    ("editAvailability", "input.appointment_location_id", May(Object::Place)),
    ("bulkCreateAvailability", "input.appointment_location_id", May(Object::Place)),
    ("bulkCreateAvailability", "input.availabilities.appointment_location_id", May(Object::Place)),
    ("createAvailabilityWithAppointmentTypes", "input.appointment_location_id", May(Object::Place)),
    ("editAvailabilityWithAppointmentTypes", "input.appointment_location_id", May(Object::Place)),
    ("createAppointment", "input.room_id", May(Object::Room)),
    ("updateAppointment", "input.room_id", May(Object::Room)),
];

/// Data that makes a call meaningful, by root field.
pub const DATA: &[(&str, &[&str])] = &[
    ("createAppointmentType", &["name", "length"]),
    ("updateAppointmentType", &["name"]),
    ("createAppointmentSetting", &["start_time", "end_time"]),
    ("updateAppointmentSetting", &["hide_link"]),
    ("updateUserAppointmentPricing", &["advance_appointment_prices.price"]),
    ("availabilities", &["one_time", "startDate"]),
    ("availabilitiesCount", &["startDate"]),
    ("createAvailability", &["start_datetime", "end_datetime"]),
    ("bulkCreateAvailability", &["availabilities.range_start", "availabilities.range_end"]),
    ("createAvailabilityWithAppointmentTypes", &["start_datetime", "end_datetime"]),
    ("editAvailabilityWithAppointmentTypes", &["start_datetime", "end_datetime"]),
    ("createAppointment", &["contact_type", "datetime"]),
    ("updateAppointment", &["client_confirmed"]),
    ("updateAppointmentInclusion", &["confirmed"]),
    ("availableSlotsForRange", &["start_date", "end_date"]),
    ("daysAvailableForRange", &["date_from_month"]),
    ("appointmentBookingWarnings", &["date", "length_in_minutes"]),
    ("createAppointmentRequest", &["first_name", "last_name", "email", "timezone", "reason"]),
    ("updateAppointmentRequest", &["provider_notes"]),
    ("completeCheckout", &["date", "first_name", "last_name", "email"]),
];

/// Names that mean the same wherever they stand, and open nothing.
pub const WORDS: &str = "
    state_license clients_can_join_waitlist date_from_month end_date_boundary licensed_in_state make_unique
    start_date_boundary is_for_web reason locationString repeat_interval repeat_times scheduling_priority
    clients_can_book embed_or_sharing_link org_level show_group with_deleted_appt_types
    bookable_by_groups bookable_without_group specific_groups client_display_description
    client_facing_display_name contact_type_overrides dont_ask_for_reason is_group
    is_waitlist_enabled length pricing pricing_option require_in_state_clients
    require_specific_providers has_specific_appointment_settings row_order show
    allow_clients_to_cancel_appt allow_clients_to_reschedule_appt
    allow_past_appointment_rescheduling ask_clients_to_confirm base_calendar_interval
    booking_interval_restriction buffer client_cancel_reason_required client_should_call_provider
    confirm_by_default enable_checked_in_status enable_late_cancellation_status end_time hide_link
    max_days_in_future minimum_advance_cancel_time minimum_advance_reschedule_time
    minimum_advance_schedule_time patient_reschedule_count_cap prevent_client_booking
    provider_cancel_reason_required same_day_appointments start_time
    times_by_appointment_type times_by_contact_type times_by_location
    require_selected_location_for_all_contact_types has_rooms limit_to_one appointment_date
    with_availability
    contact_type_id day_of_week end_on is_repeating range_end range_start time start_datetime
    end_datetime link_all_non_group_types endDate includeRepeating is_org
    show_availability
    currentWeek filter filter_by_appointment_status filter_by_appointment_statuses
    filter_by_client_confirmed filter_by_contact_types filter_by_provider_confirmed
    include_blockers include_suborganizations include_deleted is_active is_confirmed is_upcoming
    is_with_clients show_appointments specificDay unconfirmed use_provider_inclusions
    with_all_statuses without_status date end_date enforce_availability external_videochat_url
    is_blocker is_zoom_chat location max_attendees notes start_immediately actual_duration
    cancellation_initiated_by cancellation_reason_id client_updating other_cancellation_reason
    pm_status attended cancelled cancellation_reason initiated_by
    suppress_webhook_notifications reason_type startDate confirmed datetime contact_type
    client_confirmed join_all repeat repeat_interval repeat_times updateRecurring deleteRecurring
    send_appointment_cancellation_email send_appointment_update_email send_booking_notice
    send_email_before_appointment send_push_before_appointment
    send_reminder_four_days_before send_reminder_three_days_before
    send_reminder_two_days_before send_reminder_one_day_before send_reminder_two_hours_before
    send_reminder_one_hour_before send_text_reminder_four_days_before
    send_text_reminder_three_days_before send_text_reminder_two_days_before
    send_text_reminder_one_day_before send_text_reminder_two_hours_before
    send_text_reminder_one_hour_before send_text_reminder_five_minutes_before
    skip_notification_email exclude_no_credits prevent_no_credit_booking
    restore_credit_on_cancel use_client_credit_system booking_params current_status current_statuses
    enable_appointment_requests is_joining_waitlist phone selected_contact_type
    seats_held selected_state should_assign_provider slot_end slot_start with_org
";

/// The value of data that is part of every call.
pub fn data(name: &str) -> Option<Json> {
    Some(match name {
        "length" => 30.into(),
        "timezone" => "America/New_York".into(),
        "provider_notes" => "call back".into(),
        "start_datetime" | "range_start" => "2027-06-02T09:00:00Z".into(),
        "end_datetime" | "range_end" => "2027-06-02T10:00:00Z".into(),
        // There are settings already or not, whoever was asked before: they are never made.
        "start_time" => "early".into(),
        "end_time" => "18:00".into(),
        "hide_link" | "one_time" | "client_confirmed" | "confirmed" => true.into(),
        "contact_type" => "Phone Call".into(),
        "datetime" | "date" | "start_date" | "date_from_month" => "2027-06-07T09:00:00Z".into(),
        "end_date" => "2027-06-08T09:00:00Z".into(),
        "length_in_minutes" => 30.into(),
        "startDate" => "2027-06-01T00:00:00Z".into(),
        "price" => "75.00".into(),
        "quantity" => "3".into(),
        _ => return None,
    })
}
