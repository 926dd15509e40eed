//! Every event that a webhook can subscribe to (behaviour 14), in the contract's order.
//!
//! The enum member of an event is its dotted name in capitals with underscores, which can't be
//! turned back without this list.

/// Dotted name and model name of the record concerned.
pub const EVENTS: [(&str, &str); 179] = [
    ("accepted_insurance_plan.created", "AcceptedInsurancePlan"),
    ("accepted_insurance_plan.deleted", "AcceptedInsurancePlan"),
    ("allergy_sensitivity.created", "AllergySensitivity"),
    ("allergy_sensitivity.deleted", "AllergySensitivity"),
    ("allergy_sensitivity.updated", "AllergySensitivity"),
    ("applied_tag.created", "AppliedTag"),
    ("applied_tag.deleted", "AppliedTag"),
    ("appointment.created", "Appointment"),
    ("appointment.deleted", "Appointment"),
    ("appointment.participant_joined", "Appointment"),
    ("appointment.participant_left", "Appointment"),
    ("appointment.patient_added", "Appointment"),
    ("appointment.patient_removed", "Appointment"),
    ("appointment.recording_completed", "Appointment"),
    ("appointment.recording_started", "Appointment"),
    ("appointment.recording_stopped", "Appointment"),
    ("appointment.transcript_available", "Appointment"),
    ("appointment.transcript_failed", "Appointment"),
    ("appointment.transcript_started", "Appointment"),
    ("appointment.updated", "Appointment"),
    ("appointment_form_answer_group_connection.created", "AppointmentFormAnswerGroupConnection"),
    ("appointment_form_answer_group_connection.deleted", "AppointmentFormAnswerGroupConnection"),
    ("appointment_form_answer_group_connection.updated", "AppointmentFormAnswerGroupConnection"),
    ("availability.created", "Availability"),
    ("availability.deleted", "Availability"),
    ("availability.updated", "Availability"),
    ("billing_item.created", "BillingItem"),
    ("billing_item.deleted", "BillingItem"),
    ("billing_item.updated", "BillingItem"),
    ("care_plan.activated", "CarePlan"),
    ("care_plan.created", "CarePlan"),
    ("care_plan.deactivated", "CarePlan"),
    ("care_plan.deleted", "CarePlan"),
    ("care_plan.updated", "CarePlan"),
    ("charge_back.created", "ChargeBack"),
    ("charge_back.deleted", "ChargeBack"),
    ("charge_back.updated", "ChargeBack"),
    ("charting_note_addendum.created", "ChartingNoteAddendum"),
    ("charting_note_addendum.deleted", "ChartingNoteAddendum"),
    ("charting_note_addendum.updated", "ChartingNoteAddendum"),
    ("claim_submission.created", "ClaimSubmission"),
    ("claim_submission.deleted", "ClaimSubmission"),
    ("claim_submission.updated", "ClaimSubmission"),
    ("cms1500.created", "Cms1500"),
    ("cms1500.deleted", "Cms1500"),
    ("cms1500.updated", "Cms1500"),
    ("comment.created", "Comment"),
    ("comment.deleted", "Comment"),
    ("comment.updated", "Comment"),
    ("completed_onboarding_item.created", "CompletedOnboardingItem"),
    ("completed_onboarding_item.deleted", "CompletedOnboardingItem"),
    ("completed_onboarding_item.updated", "CompletedOnboardingItem"),
    ("conversation.created", "Conversation"),
    ("conversation.updated", "Conversation"),
    ("conversation_membership.created", "ConversationMembership"),
    ("conversation_membership.deleted", "ConversationMembership"),
    ("conversation_membership.viewed", "ConversationMembership"),
    ("course_membership.created", "CourseMembership"),
    ("course_membership.deleted", "CourseMembership"),
    ("course_membership.updated", "CourseMembership"),
    ("custom_module.created", "CustomModule"),
    ("custom_module.deleted", "CustomModule"),
    ("custom_module.updated", "CustomModule"),
    ("custom_module_form.created", "CustomModuleForm"),
    ("custom_module_form.deleted", "CustomModuleForm"),
    ("custom_module_form.updated", "CustomModuleForm"),
    ("diagnosis.created", "Diagnosis"),
    ("diagnosis.deleted", "Diagnosis"),
    ("diagnosis.updated", "Diagnosis"),
    ("document.created", "Document"),
    ("document.deleted", "Document"),
    ("document.updated", "Document"),
    ("dosespot_notification.created", "DosespotNotification"),
    ("entry.created", "Entry"),
    ("entry.deleted", "Entry"),
    ("entry.updated", "Entry"),
    ("external_calendar.authorization_error", "ExternalCalendar"),
    ("family_history_condition.created", "FamilyHistoryCondition"),
    ("family_history_condition.deleted", "FamilyHistoryCondition"),
    ("family_history_condition.updated", "FamilyHistoryCondition"),
    ("feature_toggle.created", "FeatureToggle"),
    ("feature_toggle.deleted", "FeatureToggle"),
    ("feature_toggle.updated", "FeatureToggle"),
    ("folder_sharing.created", "FolderSharing"),
    ("folder_sharing.deleted", "FolderSharing"),
    ("form_answer_group.created", "FormAnswerGroup"),
    ("form_answer_group.deleted", "FormAnswerGroup"),
    ("form_answer_group.locked", "FormAnswerGroup"),
    ("form_answer_group.signed", "FormAnswerGroup"),
    ("form_answer_group.unlocked", "FormAnswerGroup"),
    ("generated_form_answer_group.converted", "GeneratedFormAnswerGroup"),
    ("generated_form_answer_group.created", "GeneratedFormAnswerGroup"),
    ("generated_form_answer_group.deleted", "GeneratedFormAnswerGroup"),
    ("generated_form_answer_group.rejected", "GeneratedFormAnswerGroup"),
    ("generated_form_answer_group.updated", "GeneratedFormAnswerGroup"),
    ("goal.created", "Goal"),
    ("goal.deleted", "Goal"),
    ("goal.updated", "Goal"),
    ("goal_history.created", "GoalHistory"),
    ("goal_history.deleted", "GoalHistory"),
    ("goal_template.created", "GoalTemplate"),
    ("goal_template.deleted", "GoalTemplate"),
    ("goal_template.updated", "GoalTemplate"),
    ("insurance_authorization.created", "InsuranceAuthorization"),
    ("insurance_authorization.deleted", "InsuranceAuthorization"),
    ("insurance_authorization.updated", "InsuranceAuthorization"),
    ("lab_order.created", "LabOrder"),
    ("lab_order.updated", "LabOrder"),
    ("lab_result.created", "LabResult"),
    ("lab_result.updated", "LabResult"),
    ("location.created", "Location"),
    ("location.deleted", "Location"),
    ("location.updated", "Location"),
    ("medication.created", "Medication"),
    ("medication.deleted", "Medication"),
    ("medication.updated", "Medication"),
    ("message.created", "Note"),
    ("message.deleted", "Note"),
    ("metric_entry.created", "Entry"),
    ("metric_entry.deleted", "Entry"),
    ("metric_entry.updated", "Entry"),
    ("notification_contact.created", "NotificationContact"),
    ("notification_contact.deleted", "NotificationContact"),
    ("notification_contact.updated", "NotificationContact"),
    ("notification_setting.created", "NotificationSetting"),
    ("notification_setting.deleted", "NotificationSetting"),
    ("notification_setting.updated", "NotificationSetting"),
    ("organization_info.created", "OrganizationInfo"),
    ("organization_info.deleted", "OrganizationInfo"),
    ("organization_info.updated", "OrganizationInfo"),
    ("organization_member.updated", "OrganizationMember"),
    ("organization_membership.created", "OrganizationMembership"),
    ("organization_membership.updated", "OrganizationMembership"),
    ("other_id_number.created", "OtherIdNumber"),
    ("other_id_number.deleted", "OtherIdNumber"),
    ("other_id_number.updated", "OtherIdNumber"),
    ("patient.created", "User"),
    ("patient.merged", "User"),
    ("patient.updated", "User"),
    ("patient_educational_resource.created", "PatientEducationalResource"),
    ("patient_educational_resource.deleted", "PatientEducationalResource"),
    ("patient_educational_resource.updated", "PatientEducationalResource"),
    ("policy.created", "Policy"),
    ("policy.deleted", "Policy"),
    ("policy.updated", "Policy"),
    ("prescription.medication_status_updated", "Prescription"),
    ("prescription.updated", "Prescription"),
    ("received_direct_message.created", "ReceivedDirectMessage"),
    ("received_fax.created", "ReceivedFax"),
    ("recurring_payment.created", "RecurringPayment"),
    ("recurring_payment.updated", "RecurringPayment"),
    ("referral.created", "Referral"),
    ("referral.deleted", "Referral"),
    ("referral.updated", "Referral"),
    ("referring_physician.created", "ReferringPhysician"),
    ("referring_physician.deleted", "ReferringPhysician"),
    ("referring_physician.updated", "ReferringPhysician"),
    ("requested_form_completion.created", "RequestedFormCompletion"),
    ("requested_form_completion.deleted", "RequestedFormCompletion"),
    ("requested_form_completion.updated", "RequestedFormCompletion"),
    ("requested_payment.created", "RequestedPayment"),
    ("requested_payment.deleted", "RequestedPayment"),
    ("requested_payment.updated", "RequestedPayment"),
    ("scheduled_message.sent", "NoteScheduler"),
    ("sent_fax.created", "SentFax"),
    ("sent_fax.status_changed", "SentFax"),
    ("sent_fax.updated", "SentFax"),
    ("sent_notification_record.created", "SentNotificationRecord"),
    ("sent_notification_record.updated", "SentNotificationRecord"),
    ("stripe_customer_detail.created", "StripeCustomerDetail"),
    ("stripe_customer_detail.deleted", "StripeCustomerDetail"),
    ("stripe_customer_detail.updated", "StripeCustomerDetail"),
    ("super_bill.created", "SuperBill"),
    ("super_bill.deleted", "SuperBill"),
    ("super_bill.updated", "SuperBill"),
    ("task.created", "Task"),
    ("task.deleted", "Task"),
    ("task.updated", "Task"),
    ("test.created", "Test"),
];

/// The event that `sendTestWebhook` sends.
pub const TEST: &str = "test.created";

/// The dotted name that a text means: itself, or a member of the contract's enum.
pub fn find(text: &str) -> Option<&'static str> {
    let text = text.trim();
    let event = EVENTS.iter().find(|(name, _)| *name == text || member(name) == text);
    event.map(|(name, _)| *name)
}

/// The enum member of a dotted name.
pub fn member(name: &str) -> String {
    name.replace('.', "_").to_uppercase()
}

/// The model name that a member of `SentWebhookResourceType` means.
pub fn resource_type(wanted: &str) -> Option<&'static str> {
    EVENTS.iter().map(|(_, model)| *model).find(|model| resource_member(model) == wanted)
}

/// `FormAnswerGroup` as `FORM_ANSWER_GROUP`.
fn resource_member(model: &str) -> String {
    let mut member = String::with_capacity(model.len() + 4);
    for (at, letter) in model.char_indices() {
        if at > 0 && letter.is_uppercase() {
            member.push('_');
        }
        member.push(letter.to_ascii_uppercase());
    }
    member
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(name: &str) -> Vec<String> {
        let sdl = include_str!("../schema/2026-01-01.graphql");
        let from = sdl.split_once(&format!("enum {name} {{")).unwrap().1;
        from.split_once('}').unwrap().0.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn the_catalogue_is_the_contracts_enum() {
        let own: Vec<String> = EVENTS.iter().map(|(name, _)| member(name)).collect();
        assert_eq!(own, members("WebhookEventType"));
        for member in own {
            let found = find(&member).unwrap();
            assert_eq!(find(found), Some(found));
        }
    }

    #[test]
    fn every_resource_type_is_a_model_of_the_catalogue() {
        // The contract's enum has one model that no event of it has.
        let eventless = ["GROUP_CARE_PLAN_USER_CONNECTION"];
        for member in members("SentWebhookResourceType") {
            assert_ne!(
                resource_type(&member).is_some(),
                eventless.contains(&member.as_str()),
                "{member}"
            );
        }
        assert_eq!(resource_type("CMS1500"), Some("Cms1500"));
        assert_eq!(resource_type("NOTE"), Some("Note"));
    }
}
