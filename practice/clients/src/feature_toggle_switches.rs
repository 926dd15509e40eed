//! The switches of a feature toggle (behaviour 19): one line a switch, and
//! everything that follows from the list.

/// Hands the list of switches to a macro: column, and whether a new toggle has
/// it on. What a client may see is on; what is rarely tracked is off.
macro_rules! with_switches {
    ($then:ident) => {
        $then! {
            allow_apple_health_sync true;
            allow_clearstep_sync false;
            allow_community_chat true;
            allow_direct_chat true;
            allow_fitbit_sync true;
            allow_google_fit_sync true;
            allow_google_health_connect_sync true;
            allow_shapa_sync false;
            allow_withings_sync true;
            apply_eating_disorder_default false;
            can_schedule_appointments true;
            can_track_poop false;
            can_track_symptoms true;
            can_track_water_intake true;
            can_view_care_plan true;
            can_view_documents true;
            can_view_forms true;
            can_view_goals true;
            can_view_journal_entries true;
            can_view_packages true;
            can_view_payments true;
            can_view_programs true;
            do_not_auto_submit_cms1500 false;
            send_unpaid_invoice_reminder false;
            separate_provider_metric_from_client false;
            show_a1c_metric false;
            show_bf_percent_metric false;
            show_blood_pressure_metric false;
            show_blood_sugar_metric false;
            show_bmi_graph true;
            show_bmi_growth_chart false;
            show_bmr_metric false;
            show_body_temperature_metric false;
            show_client_a1c_metric false;
            show_client_bf_percent_metric false;
            show_client_blood_pressure_metric false;
            show_client_blood_sugar_metric false;
            show_client_bmi_graph true;
            show_client_bmi_growth_chart false;
            show_client_bmr_metric false;
            show_client_body_temperature_metric false;
            show_client_harris_benedict false;
            show_client_height_graph false;
            show_client_height_growth_chart false;
            show_client_ox_sat_metric false;
            show_client_waist_circumference_metric false;
            show_client_weight_growth_chart false;
            show_client_weight_metric true;
            show_ed_posthunger false;
            show_ed_prehunger false;
            show_food true;
            show_food_category true;
            show_food_emotion true;
            show_food_reflection true;
            show_harris_benedict false;
            show_healthiness true;
            show_height_graph false;
            show_height_growth_chart false;
            show_metric true;
            show_mirror true;
            show_normal_hunger true;
            show_note true;
            show_note_emotion true;
            show_nutrients_tracking false;
            show_ox_sat_metric false;
            show_waist_circumference_metric false;
            show_weight_growth_chart false;
            show_weight_metric true;
            show_workout true;
            use_metric_system false;
            view_medications true;
            view_not_track false;
        }
    };
}
pub(crate) use with_switches;
