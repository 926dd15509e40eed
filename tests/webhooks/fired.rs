//! Which operations fire which event: each row is performed and its event received. The rest of
//! the catalogue belongs to domains that are not built.

use ward_tests::{Json, json};

use crate::practice::Practice;

/// What happened so far that later rows need.
#[derive(Default)]
pub struct Done {
    ids: Vec<(&'static str, String)>,
}

impl Done {
    /// The id that an event named.
    pub fn id(&self, event: &str) -> &str {
        &self.ids.iter().find(|(it, _)| *it == event).unwrap().1
    }

    /// Remembers it.
    pub fn keep(&mut self, event: &'static str, id: String) {
        self.ids.push((event, id));
    }
}

/// An event, the operation that fires it here, what it answers, and its input.
pub struct Row {
    /// Dotted name.
    pub event: &'static str,
    /// The root field.
    pub operation: &'static str,
    /// A field of its payload.
    pub shown: &'static str,
    /// Its input.
    pub input: fn(&Practice, &Done) -> Json,
}

macro_rules! rows {
    ($($event:literal $operation:literal $shown:literal $input:expr;)*) => {
        /// In an order in which each finds what it needs.
        pub const ROWS: &[Row] = &[$(Row { event: $event, operation: $operation, shown: $shown, input: $input }),*];
    };
}

rows! {
    "patient.created" "createClient" "user { id }" |_, _| json!({"first_name": "Ada", "last_name": "King",
        "email": "ada@client.example", "dont_send_welcome": true});
    "patient.updated" "updateClient" "user { id }"
        |_, done| json!({"id": done.id("patient.created"), "legal_name": "Augusta"});
    "location.created" "createLocation" "location { id }"
        |_, done| json!({"user_id": done.id("patient.created"), "line1": "Street 1"});
    "location.updated" "updateLocation" "location { id }"
        |_, done| json!({"id": done.id("location.created"), "city": "Town"});
    "location.deleted" "deleteLocation" "location { id }"
        |_, done| json!({"id": done.id("location.created")});
    "applied_tag.created" "createTag" "tag { id }"
        |_, done| json!({"name": "seen", "taggable_user_id": done.id("patient.created")});
    "applied_tag.deleted" "removeAppliedTag" "tag { id }" |practice, done| {
        let tags = practice.api().ask("{ tags { id } }", json!({}));
        json!({"id": tags.data()["tags"][0]["id"], "taggable_user_id": done.id("patient.created")})
    };
    "notification_setting.created" "updateNotificationSetting" "notificationSetting { id }"
        |_, done| json!({"id": done.id("patient.created"), "quiet_hours_start": "00:00", "quiet_hours_end": "00:00"});
    "notification_setting.updated" "updateNotificationSetting" "notificationSetting { id }"
        |_, done| json!({"id": done.id("patient.created"), "send_goal_reminder_email": false});
    "notification_contact.created" "createNotificationContact" "notificationContact { id }"
        |_, done| json!({"user_id": done.id("patient.created"), "first_name": "Grace"});
    "notification_contact.updated" "updateNotificationContact" "notificationContact { id }"
        |_, done| json!({"id": done.id("notification_contact.created"), "relationship": "aunt"});
    "notification_contact.deleted" "deleteNotificationContact" "notificationContact { id }"
        |_, done| json!({"id": done.id("notification_contact.created")});
    "medication.created" "createMedication" "medication { id }"
        |_, done| json!({"user_id": done.id("patient.created"), "name": "Metformin"});
    "medication.updated" "updateMedication" "medication { id }"
        |_, done| json!({"id": done.id("medication.created"), "active": true});
    "medication.deleted" "deleteMedication" "medication { id }"
        |_, done| json!({"id": done.id("medication.created")});
    "allergy_sensitivity.created" "createAllergySensitivity" "allergy_sensitivity { id }"
        |_, done| json!({"user_id": done.id("patient.created"), "category": "ALLERGY", "name": "Egg"});
    "allergy_sensitivity.updated" "updateAllergySensitivity" "allergy_sensitivity { id }"
        |_, done| json!({"id": done.id("allergy_sensitivity.created"), "severity": "MILD"});
    "allergy_sensitivity.deleted" "deleteAllergySensitivity" "allergy_sensitivity { id }"
        |_, done| json!({"id": done.id("allergy_sensitivity.created")});
    "entry.created" "createEntry" "entry { id }"
        |_, done| json!({"user_id": done.id("patient.created"), "type": "FoodEntry", "description": "Soup"});
    "entry.updated" "updateEntry" "entry { id }"
        |_, done| json!({"id": done.id("entry.created"), "description": "Salad"});
    "comment.created" "createComment" "comment { id }"
        |_, done| json!({"entry_id": done.id("entry.created"), "content": "Well done"});
    "comment.deleted" "deleteComment" "comment { id }"
        |_, done| json!({"id": done.id("comment.created")});
    "entry.deleted" "deleteEntry" "entry { id }"
        |_, done| json!({"id": done.id("entry.created")});
    "goal.created" "createGoal" "goal { id }"
        |_, done| json!({"user_id": done.id("patient.created"), "name": "Walk", "repeat": "Daily"});
    "goal.updated" "updateGoal" "goal { id }"
        |_, done| json!({"id": done.id("goal.created"), "name": "Walk more"});
    "goal_history.created" "createGoalHistory" "goalHistory { id }"
        |_, done| json!({"goal_id": done.id("goal.created")});
    "goal_history.deleted" "deleteGoalHistory" "goal_history { id }"
        |_, done| json!({"id": done.id("goal_history.created")});
    "goal.deleted" "deleteGoal" "goal { id }"
        |_, done| json!({"id": done.id("goal.created")});
    "care_plan.created" "createCarePlan" "carePlan { id }"
        |_, done| json!({"patient_id": done.id("patient.created"), "name": "Low salt"});
    "care_plan.updated" "updateCarePlan" "carePlan { id }"
        |_, done| json!({"id": done.id("care_plan.created"), "name": "Less salt"});
    "care_plan.activated" "toggleCarePlanStatusForSpecificUser" "carePlan { id }"
        |_, done| json!({"id": done.id("care_plan.created"), "activate": true});
    "care_plan.deactivated" "toggleCarePlanStatusForSpecificUser" "carePlan { id }"
        |_, done| json!({"id": done.id("care_plan.created"), "activate": false});
    "care_plan.deleted" "deleteCarePlan" "carePlan { id }"
        |_, done| json!({"id": done.id("care_plan.created")});
    "metric_entry.created" "createEntry" "entry { id }"
        |_, done| json!({"user_id": done.id("patient.created"), "type": "MetricEntry",
            "category": "Weight", "metric_stat": "80"});
    "metric_entry.updated" "updateEntry" "entry { id }"
        |_, done| json!({"id": done.id("metric_entry.created"), "metric_stat": "79.5"});
    "metric_entry.deleted" "deleteEntry" "entry { id }"
        |_, done| json!({"id": done.id("metric_entry.created")});
    "feature_toggle.created" "createFeatureToggle" "feature_toggle { id }"
        |_, done| json!({"user_id": done.id("patient.created"), "show_food": false});
    "feature_toggle.updated" "updateFeatureToggle" "feature_toggle { id }"
        |_, done| json!({"id": done.id("feature_toggle.created"), "show_food": true});
    "referring_physician.created" "createReferringPhysician" "referring_physician { id }"
        |_, _| json!({"first_name": "Grace"});
    "referring_physician.updated" "updateReferringPhysician" "referring_physician { id }"
        |_, done| json!({"id": done.id("referring_physician.created"), "first_name": "Gracia"});
    "referral.created" "createReferral" "referral { id }"
        |_, done| json!({"user_id": done.id("patient.created"),
            "referring_physician_id": done.id("referring_physician.created")});
    "referral.updated" "updateReferral" "referral { id }"
        |_, done| json!({"id": done.id("referral.created"), "referral_reason": "Advice"});
    "referral.deleted" "deleteReferral" "referral { id }"
        |_, done| json!({"id": done.id("referral.created")});
    "referring_physician.deleted" "deleteReferringPhysician" "referringPhysician { id }"
        |_, done| json!({"id": done.id("referring_physician.created")});
    "availability.created" "createAvailability" "availability { id }"
        |_, _| json!({"start_datetime": "2027-06-01T09:00:00Z", "end_datetime": "2027-06-01T10:00:00Z"});
    "availability.updated" "editAvailability" "availability { id }"
        |_, done| json!({"id": done.id("availability.created"), "contact_type_id": "2"});
    "custom_module_form.created" "createCustomModuleForm" "customModuleForm { id }"
        |_, _| json!({"name": "Intake"});
    "custom_module_form.updated" "updateCustomModuleForm" "customModuleForm { id }"
        |_, done| json!({"id": done.id("custom_module_form.created"), "name": "New intake"});
    "custom_module.created" "createCustomModule" "customModule { id }"
        |_, done| json!({"custom_module_form_id": done.id("custom_module_form.created"), "mod_type": "text", "label": "Why?"});
    "custom_module.updated" "updateCustomModule" "customModule { id }"
        |_, done| json!({"id": done.id("custom_module.created"), "required": true});
    "form_answer_group.created" "createFormAnswerGroup" "form_answer_group { id }"
        |_, done| json!({"custom_module_form_id": done.id("custom_module_form.created"),
            "user_id": done.id("patient.created"), "finished": true,
            "form_answers": [{"custom_module_id": done.id("custom_module.created"), "answer": "So"}]});
    "form_answer_group.signed" "signFormAnswerGroup" "form_answer_group { id }"
        |_, done| json!({"id": done.id("form_answer_group.created")});
    "form_answer_group.locked" "lockFormAnswerGroup" "form_answer_group { id }"
        |_, done| json!({"id": done.id("form_answer_group.created")});
    "charting_note_addendum.created" "createAddendum" "addendum { id }"
        |_, done| json!({"form_answer_group_id": done.id("form_answer_group.created"), "content": "P.S."});
    "form_answer_group.unlocked" "unlockFormAnswerGroup" "form_answer_group { id }"
        |_, done| json!({"id": done.id("form_answer_group.created"), "description": "A mistake"});
    "form_answer_group.deleted" "deleteFormAnswerGroup" "form_answer_group { id }"
        |_, done| json!({"id": done.id("form_answer_group.created")});
    "completed_onboarding_item.created" "createCompletedOnboardingItem" "completed_onboarding_item { id }" |practice, done| {
        let group = practice.run("createGroup", "user_group { id }", &json!({"name": "New ones"}));
        let group = &group["user_group"]["id"];
        let client = json!({"id": done.id("patient.created"), "user_group_id": group});
        practice.run("updateClient", "user { id }", &client);
        let flow = json!({"name": "Intake", "groups_to_use_onboarding_flow": group});
        let flow = practice.run("createOnboardingFlow", "onboardingFlow { id }", &flow);
        let step = json!({"onboarding_flow_id": flow["onboardingFlow"]["id"], "item_type": "Welcome Page"});
        let step = practice.run("createOnboardingItem", "onboardingItem { id }", &step);
        json!({"onboarding_item_id": step["onboardingItem"]["id"], "user_id": done.id("patient.created")})
    };
    "requested_form_completion.created" "createRequestedFormCompletion" "requestedFormCompletion { id }"
        |_, done| json!({"form": done.id("custom_module_form.created"), "recipient_id": done.id("patient.created"),
            "skip_notification_email": true});
    "requested_form_completion.updated" "createFormAnswerGroup" "form_answer_group { id }"
        |_, done| json!({"custom_module_form_id": done.id("custom_module_form.created"),
            "user_id": done.id("patient.created"),
            "requested_form_completion_id": done.id("requested_form_completion.created")});
    "requested_form_completion.deleted" "deleteRequestedFormCompletion" "requestedFormCompletion { id }"
        |_, done| json!({"id": done.id("requested_form_completion.created")});
    "custom_module.deleted" "deleteCustomModule" "customModule { id }"
        |_, done| json!({"id": done.id("custom_module.created")});
    "custom_module_form.deleted" "deleteCustomModuleForm" "customModuleForm { id }"
        |_, done| json!({"id": done.id("custom_module_form.created")});
    "availability.deleted" "deleteAvailability" "availability { id }"
        |_, done| json!({"id": done.id("availability.created")});
    "appointment.created" "createAppointment" "appointment { id }" |practice, done| {
        let of = json!({"name": "Visit", "length": 30});
        let of = practice.run("createAppointmentType", "appointmentType { id }", &of);
        json!({"user_id": done.id("patient.created"), "appointment_type_id": of["appointmentType"]["id"],
            "contact_type": "Phone Call", "datetime": "2027-06-07T09:00:00Z"})
    };
    "appointment_form_answer_group_connection.created" "createAppointmentFormAnswerGroupConnection" "form_answer_group { id }" |practice, done| {
        let form = practice.run("createCustomModuleForm", "customModuleForm { id }", &json!({"name": "Note"}));
        let note = json!({"custom_module_form_id": form["customModuleForm"]["id"], "user_id": done.id("patient.created"), "finished": true});
        let note = practice.run("createFormAnswerGroup", "form_answer_group { id }", &note);
        json!({"appointment_id": done.id("appointment.created"), "form_answer_group_id": note["form_answer_group"]["id"]})
    };
    "appointment_form_answer_group_connection.updated" "updateFormAnswerGroup" "form_answer_group { id }" |practice, done| {
        let second = json!({"name": "Second visit", "length": 30});
        let second = practice.run("createAppointmentType", "appointmentType { id }", &second);
        let second = json!({"user_id": done.id("patient.created"), "appointment_type_id": second["appointmentType"]["id"],
            "contact_type": "Phone Call", "datetime": "2027-06-08T09:00:00Z"});
        let second = practice.run("createAppointment", "appointment { id }", &second);
        json!({"id": done.id("appointment_form_answer_group_connection.created"), "appointment_id": second["appointment"]["id"]})
    };
    "appointment_form_answer_group_connection.deleted" "deleteAppointmentFormAnswerGroupConnection" "form_answer_group { id }"
        |_, done| json!({"form_answer_group_id": done.id("appointment_form_answer_group_connection.created")});
    "appointment.patient_added" "updateAppointment" "appointment { id }" |practice, done| {
        let other = practice.client("attends");
        json!({"id": done.id("appointment.created"), "user_id": other})
    };
    "appointment.patient_removed" "updateAppointment" "appointment { id }" |_, done| {
        json!({"id": done.id("appointment.created"), "user_id": done.id("patient.created")})
    };
    "appointment.updated" "updateAppointment" "appointment { id }"
        |_, done| json!({"id": done.id("appointment.created"), "pm_status": "Occurred"});
    "appointment.deleted" "deleteAppointment" "appointment { id }"
        |_, done| json!({"id": done.id("appointment.created")});
    "document.created" "createDocument" "document { id }" |_, done| {
        json!({"display_name": "Plan", "rel_user_id": done.id("patient.created"), "file_string": "data:text/plain;base64,SGkK"})
    };
    "document.updated" "updateDocument" "document { id }"
        |_, done| json!({"id": done.id("document.created"), "description": "Of meals"});
    "document.deleted" "deleteDocument" "document { id }"
        |_, done| json!({"id": done.id("document.created")});
    "folder_sharing.created" "createFolder" "folder { id }"
        |_, done| json!({"name": "Guides", "share_users": done.id("patient.created")});
    "folder_sharing.deleted" "updateFolder" "folder { id }" |practice, done| {
        let shared = json!({"name": "Leaflets", "share_users": done.id("patient.created")});
        let folder = practice.run("createFolder", "folder { id }", &shared);
        json!({"id": folder["folder"]["id"], "share_users": ""})
    };
    "conversation.created" "createConversation" "conversation { id }"
        |_, done| json!({"simple_added_users": format!("user-{}", done.id("patient.created")), "name": "Plan"});
    "conversation_membership.created" "createConversation" "conversation { id }"
        |_, done| json!({"simple_added_users": format!("user-{}", done.id("patient.created")), "name": "Second"});
    "conversation.updated" "updateConversation" "conversation { id }"
        |_, done| json!({"id": done.id("conversation.created"), "name": "Other plan"});
    "message.created" "createNote" "note { id }"
        |_, done| json!({"conversation_id": done.id("conversation.created"), "content": "Hello"});
    "scheduled_message.sent" "createNote" "note { id }" |practice, done| {
        let clock = practice.api().get("/sandbox/v1/clock").json;
        let later = format!("{}T23:59:59Z", &clock["now"].as_str().unwrap()[..10]);
        json!({"conversation_id": done.id("conversation.created"), "content": "Later", "scheduled_at": later})
    };
    "sent_notification_record.created" "createNote" "note { id }"
        |_, done| json!({"conversation_id": done.id("conversation.created"), "content": "Unread"});
    "message.deleted" "deleteNote" "note { id }" |_, done| json!({"id": done.id("message.created")});
    "conversation_membership.viewed" "updateConversationMembership" "conversation_membership { id }" |practice, _| {
        let own = practice.api().ask("{ conversationMemberships { nodes { id } } }", json!({}));
        let id = own.data()["conversationMemberships"]["nodes"][0]["id"].clone();
        let unread = json!({"id": id, "viewed": false});
        practice.run("updateConversationMembership", "conversation_membership { id }", &unread);
        json!({"id": id, "viewed": true})
    };
    "conversation_membership.deleted" "deleteConversationMembership" "conversationMembership { id }"
        |_, done| json!({"conversation_id": done.id("conversation.created"), "user_id": done.id("patient.created")});
    "patient.merged" "mergeClients" "user { id }" |practice, done| {
        let other = practice.client("other");
        json!({"ids": [other, done.id("patient.created")], "target_user_id": done.id("patient.created")})
    };
    "organization_membership.created" "createOrganizationMembership" "organizationMembership { id }"
        |_, _| json!({"first_name": "Mem", "last_name": "Ber", "email": "mem@practice.example", "send_invite_email": false});
    "organization_membership.updated" "updateOrganizationMembership" "organizationMembership { id }"
        |_, done| json!({"id": done.id("organization_membership.created"), "title": "Dietitian"});
    "organization_member.updated" "updateOrganizationMember" "user { id }"
        |_, _| json!({"qualifications": "RD"});
    "other_id_number.created" "updateOrganizationMember" "user { id }"
        |_, _| json!({"other_id_numbers": [{"other_id": "12", "other_id_qualifier": "G2"}]});
    "other_id_number.updated" "updateOrganizationMember" "user { id }"
        |_, done| json!({"other_id_numbers": [{"id": done.id("other_id_number.created"), "other_id": "13", "other_id_qualifier": "G2"}]});
    "other_id_number.deleted" "updateOrganizationMember" "user { id }"
        |_, done| json!({"other_id_numbers": [{"id": done.id("other_id_number.created"), "other_id": "", "other_id_qualifier": ""}]});
    "organization_info.created" "updateOrganization" "organization { id }"
        |_, _| json!({"organization_info": {"primary": false, "name": "Further Practice"}});
    "organization_info.updated" "updateOrganization" "organization { id }"
        |_, done| json!({"organization_info": {"id": done.id("organization_info.created"), "phone_number": "+1 202-555-0100"}});
    "organization_info.deleted" "deleteOrganizationInfo" "organizationInfo { id }"
        |_, done| json!({"id": done.id("organization_info.created")});
    "test.created" "sendTestWebhook" "sent" |practice, _| {
        let hooks = practice.api().ask("{ webhooks { nodes { id } } }", json!({}));
        json!({"id": hooks.data()["webhooks"]["nodes"][0]["id"]})
    };
}
