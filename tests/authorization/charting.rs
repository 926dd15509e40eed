//! What the arguments of charting name, and how its objects are made.

use ward_tests::people::id;
use ward_tests::templates::attach_file;
use ward_tests::{Json, json};

use crate::meaning::Meaning::{self, May, Needs};
use crate::meaning::Object;
use crate::principal::Site;
use crate::world::World;

/// Root field, path of the value, what it names.
pub const OBJECTS: &[(&str, &str, Meaning)] = &[
    ("customModuleForm", "id", Needs(Object::Form)),
    ("updateCustomModuleForm", "input.id", Needs(Object::Form)),
    ("deleteCustomModuleForm", "input.id", Needs(Object::Form)),
    ("copyCustomModuleForm", "input.id", Needs(Object::Form)),
    ("copyCustomModuleForm", "input.id_list", May(Object::Form)),
    ("copyCustomModuleForm", "input.user_id", May(Object::Provider)),
    ("shareCustomModuleForm", "input.id", Needs(Object::Form)),
    ("shareCustomModuleForm", "input.form_share_recipient", Needs(Object::OwnerEmail)),
    ("createCustomModule", "input.custom_module_form_id", Needs(Object::Form)),
    ("createCustomModule", "input.parent_custom_module_id", May(Object::Question)),
    ("updateCustomModule", "input.id", Needs(Object::Question)),
    ("updateCustomModule", "input.parent_custom_module_id", May(Object::Question)),
    ("updateCustomModule", "input.custom_module_condition.id", May(Object::Condition)),
    (
        "updateCustomModule",
        "input.custom_module_condition.conditional_custom_module_id",
        May(Object::Question),
    ),
    ("deleteCustomModule", "input.id", Needs(Object::Question)),
    ("copyCustomModule", "input.id", Needs(Object::Question)),
    ("formAnswerGroup", "id", Needs(Object::Filled)),
    // The same note by another name, which counts beside no id.
    ("formAnswerGroup", "appointment_form_answer_group_connection_id", Meaning::Left),
    (
        "createAppointmentFormAnswerGroupConnection",
        "input.appointment_id",
        Needs(Object::Appointment),
    ),
    (
        "createAppointmentFormAnswerGroupConnection",
        "input.form_answer_group_id",
        Needs(Object::Filled),
    ),
    (
        "deleteAppointmentFormAnswerGroupConnection",
        "input.form_answer_group_id",
        Needs(Object::Filled),
    ),
    ("formAnswerGroups", "custom_module_form_id", May(Object::Form)),
    ("formAnswerGroups", "filler_id", May(Object::Provider)),
    ("formAnswerGroups", "form_answer_group_id", May(Object::Filled)),
    ("formAnswerGroups", "ids", May(Object::Filled)),
    ("formAnswerGroups", "user_id", May(Object::Client)),
    ("formAnswerGroupsCount", "filler_id", May(Object::Provider)),
    ("formAnswerGroupsCount", "form_answer_group_id", May(Object::Filled)),
    ("formAnswerGroupsCount", "ids", May(Object::Filled)),
    ("formAnswerGroupsCount", "user_id", May(Object::Client)),
    ("chartNotes", "custom_module_form_ids", May(Object::Form)),
    ("chartNotes", "provider_ids", May(Object::Provider)),
    ("chartNotes", "tag_ids", May(Object::Tag)),
    ("chartNotes", "user_id", May(Object::Client)),
    ("chartingItems", "custom_module_form_id", May(Object::Form)),
    ("chartingItems", "filler_id", May(Object::Provider)),
    ("chartingItems", "form_answer_group_id", May(Object::Filled)),
    ("chartingItems", "user_id", May(Object::Client)),
    ("chartingItemsCount", "custom_module_form_id", May(Object::Form)),
    ("chartingItemsCount", "filler_id", May(Object::Provider)),
    ("chartingItemsCount", "form_answer_group_id", May(Object::Filled)),
    ("chartingItemsCount", "user_id", May(Object::Client)),
    ("chartingNoteAddendum", "id", Needs(Object::Addendum)),
    ("initialFormAnswers", "custom_module_form_id", Needs(Object::Form)),
    ("initialFormAnswers", "user_id", Needs(Object::Client)),
    ("initialFormAnswers", "incomplete_form_id", May(Object::Filled)),
    ("createFormAnswerGroup", "input.user_id", Needs(Object::Client)),
    ("createFormAnswerGroup", "input.custom_module_form_id", Needs(Object::Form)),
    ("createFormAnswerGroup", "input.appointment_id", May(Object::Appointment)),
    ("createFormAnswerGroup", "input.form_answers.custom_module_id", May(Object::Question)),
    ("createFormAnswerGroup", "input.form_answers.user_id", May(Object::Client)),
    ("updateFormAnswerGroup", "input.id", Needs(Object::Filled)),
    ("updateFormAnswerGroup", "input.appointment_id", May(Object::Appointment)),
    ("updateFormAnswerGroup", "input.form_answers.custom_module_id", May(Object::Question)),
    ("updateFormAnswerGroup", "input.form_answers.id", May(Object::Answer)),
    ("updateFormAnswerGroup", "input.form_answers.user_id", May(Object::Client)),
    ("deleteFormAnswerGroup", "input.id", Needs(Object::Filled)),
    ("deleteFormAnswerGroup", "input.user_id", May(Object::Client)),
    ("signFormAnswerGroup", "input.id", Needs(Object::Filled)),
    ("deleteFormAnswerGroupSigning", "input.id", Needs(Object::Signing)),
    ("lockFormAnswerGroup", "input.id", Needs(Object::Filled)),
    ("unlockFormAnswerGroup", "input.id", Needs(Object::Locked)),
    ("createAddendum", "input.form_answer_group_id", Needs(Object::Locked)),
    ("createFormAnswerFileAttachmentUploadUrl", "input.form_answer_id", Needs(Object::Answer)),
    ("createFormAnswerFileAttachment", "input.form_answer_id", Needs(Object::Answer)),
    ("createFormAnswerFileAttachment", "input.upload_id", Needs(Object::AnswerFile)),
    ("deleteFormAnswerFileAttachment", "input.file_attachment_id", Needs(Object::AnswerFile)),
    (
        "createCustomModuleFileAttachmentUploadUrl",
        "input.custom_module_id",
        Needs(Object::Question),
    ),
    ("createCustomModuleFileAttachment", "input.custom_module_id", Needs(Object::Question)),
    ("createCustomModuleFileAttachment", "input.upload_id", Needs(Object::QuestionFile)),
    ("deleteCustomModuleFileAttachment", "input.file_attachment_id", Needs(Object::QuestionFile)),
    ("createFormAnswerGroup", "input.onboarding_item_id", May(Object::Step)),
    ("onboardingFlow", "id", Needs(Object::Flow)),
    // What is due for a client depends on the calls before: the domain's tests ask it.
    ("onboardingFlow", "user_id", Meaning::Left),
    ("onboardingItem", "id", Needs(Object::Step)),
    ("onboardingItem", "user_id", Meaning::Left),
    ("completedOnboardingItem", "id", Needs(Object::Done)),
    ("unassociatedCompletedOnboardingItems", "user_id", Needs(Object::Former)),
    ("hasFormsToComplete", "user_id", Needs(Object::Client)),
    ("intakeFlow", "user_id", Needs(Object::Client)),
    ("availableItemTypes", "onboarding_flow_id", May(Object::SecondFlow)),
    ("createOnboardingFlow", "input.groups_to_use_onboarding_flow", May(Object::Group)),
    ("updateOnboardingFlow", "input.id", Needs(Object::Flow)),
    ("updateOnboardingFlow", "input.groups_to_use_onboarding_flow", May(Object::Group)),
    ("deleteOnboardingFlow", "input.id", Needs(Object::Flow)),
    ("deleteOnboardingFlow", "input.flow_to_receive_groups", May(Object::SecondFlow)),
    ("createOnboardingItem", "input.onboarding_flow_id", Needs(Object::Flow)),
    ("createOnboardingItem", "input.item_id", Needs(Object::IntakeForm)),
    ("updateOnboardingItem", "input.id", Needs(Object::Step)),
    ("updateOnboardingItem", "input.item_id", May(Object::IntakeForm)),
    ("updateOnboardingItem", "input.onboarding_flow_id", May(Object::SecondFlow)),
    ("deleteOnboardingItem", "input.id", Needs(Object::Step)),
    ("createCompletedOnboardingItem", "input.onboarding_item_id", Needs(Object::Step)),
    ("createCompletedOnboardingItem", "input.user_id", Needs(Object::Client)),
    ("updateUserGroup", "input.onboarding_flow_id", May(Object::Flow)),
    ("updateUser", "input.default_onboarding_flow_id", May(Object::Flow)),
    ("createFormAnswerGroup", "input.requested_form_completion_id", May(Object::Asked)),
    ("requestedFormCompletion", "id", Needs(Object::Asked)),
    ("requestedFormCompletions", "user_id", Needs(Object::AskedClient)),
    ("formHistories", "patient_id", Needs(Object::AskedClient)),
    ("formHistories", "sourceable_id", May(Object::Asked)),
    ("formHistoriesCount", "patient_id", Needs(Object::AskedClient)),
    ("formHistoriesCount", "sourceable_id", May(Object::Asked)),
    ("createRequestedFormCompletion", "input.form", Needs(Object::IntakeForm)),
    ("createRequestedFormCompletion", "input.custom_module_form_id", May(Object::IntakeForm)),
    ("createRequestedFormCompletion", "input.recipient_id", Needs(Object::Client)),
    ("createRequestedFormCompletion", "input.recipient_ids", May(Object::Client)),
    ("deleteRequestedFormCompletion", "input.id", Needs(Object::Asked)),
    ("deleteRequestedFormCompletion", "input.recurringFormId", May(Object::Recurring)),
    ("updateRecurringForm", "input.id", Needs(Object::Recurring)),
    ("deleteRecurringForm", "input.id", Needs(Object::Recurring)),
    // Whoever names them asks from then on, whom other lines would find so: the domain's tests ask it.
    ("updateRecurringForm", "input.recipient_ids", Meaning::Left),
    // A client's or a group's, by another argument: the domain's tests ask it.
    ("recurringForms", "connectable_id", Meaning::Left),
    ("deleteRecurringForm", "input.connectable_id", Meaning::Left),
    // Of notes of a group's appointment, which the others are not: the domain's tests ask it.
    ("createFormAnswerGroup", "input.individual_client_notes.id", Meaning::Left),
    ("createFormAnswerGroup", "input.individual_client_notes.user_id", Meaning::Left),
    ("updateFormAnswerGroup", "input.individual_client_notes.id", Meaning::Left),
    ("updateFormAnswerGroup", "input.individual_client_notes.user_id", Meaning::Left),
    // What the caller was shown of a question, which is no reference.
    ("createFormAnswerGroup", "input.form_answers.id", Meaning::Left),
    ("createFormAnswerGroup", "input.form_answers.conditional_custom_module_id", Meaning::Left),
    ("updateFormAnswerGroup", "input.form_answers.conditional_custom_module_id", Meaning::Left),
];

/// Data that makes a call meaningful, by root field.
pub const DATA: &[(&str, &[&str])] = &[
    ("createCustomModuleForm", &["name"]),
    ("updateCustomModuleForm", &["name"]),
    ("createCustomModule", &["mod_type"]),
    ("updateCustomModule", &["required"]),
    ("createFormAnswerGroup", &["finished"]),
    ("updateFormAnswerGroup", &["name"]),
    ("unlockFormAnswerGroup", &["description"]),
    ("createAddendum", &["content"]),
    (
        "createFormAnswerFileAttachmentUploadUrl",
        &["filename", "byte_size", "checksum", "content_type"],
    ),
    (
        "createCustomModuleFileAttachmentUploadUrl",
        &["filename", "byte_size", "checksum", "content_type"],
    ),
    ("createOnboardingFlow", &["name"]),
    ("updateOnboardingFlow", &["name"]),
    ("createOnboardingItem", &["item_type"]),
    ("updateOnboardingItem", &["is_skippable"]),
    ("createCompletedOnboardingItem", &["skipped"]),
    ("createRequestedFormCompletion", &["skip_notification_email"]),
    ("updateRecurringForm", &["hour"]),
];

/// Names that open nothing.
pub const WORDS: &str = "
    category include_default_templates charting default is_video prefill use_for_charting
    use_for_program external_id_type is_archived exclude_from_scribe index is_custom label mod_type
    options options_array required sublabel filter_type value_to_filter validate_permissions
    answer date dismissed_lock_charting_note_warning finished formatted_date marked_complete
    set_initial_answers time version locked_status signed_status updated_after updated_before
    chart_note_status exclude_requested_and_intake_flow_forms start_date end_date description
    content custom_module_forms_only is_skippable skipped row_order welcome_text
    billing_disclaimer photo_id_disclaimer policy_disclaimer item_type track_opened_event status
    ends_on frequency hour is_recurring metadata minute monthday period recurrence_ends
    skip_notification_email weekday is_active sourceable_type connectable_type confidentiality
    include_group_notes join_time leave_time
";

/// The value of data that is part of every call.
pub fn data(name: &str) -> Option<Json> {
    match name {
        "mod_type" => Some("text".into()),
        "filename" => Some("scan.txt".into()),
        "byte_size" => Some(3.into()),
        "checksum" => Some("Mevfzot3rEnX9VBt0UlYMA==".into()),
        "content_type" => Some("text/plain".into()),
        "item_type" => Some("Module Form".into()),
        "required" | "finished" | "is_skippable" | "skipped" => Some(true.into()),
        "skip_notification_email" => Some(true.into()),
        "hour" => Some("9".into()),
        "description" => Some("A reason".into()),
        _ => None,
    }
}

impl World {
    /// One of the three.
    pub fn of_form(&mut self, own: bool, kind: Object) -> String {
        let (form, question, condition) = self.form(own);
        match kind {
            Object::Form => form,
            Object::Question => question,
            _ => condition,
        }
    }

    /// The file of the question, or of the answer, that the same call names.
    pub fn form_file(&mut self, kind: Object) -> String {
        let (of, object) = match kind {
            Object::QuestionFile => ("CustomModule", Object::Question),
            _ => ("FormAnswer", Object::Answer),
        };
        let id = self.object_of(self.here, self.whose, object);
        attach_file(&self.as_owner(), of, &id)
    }

    /// A template for notes; its second question, which depends on the first; on how.
    pub fn form(&mut self, own: bool) -> (String, String, String) {
        let mut word = || if own { self.word() } else { self.unseen() };
        let (name, label) = (word(), word());
        let input = json!({"name": name, "use_for_charting": true});
        let form = self.make(
            "createCustomModuleForm",
            "createCustomModuleFormInput",
            "customModuleForm",
            input,
        );
        let question = |label: &str| {
            let input = json!({"custom_module_form_id": form, "mod_type": "text", "label": label});
            self.make("createCustomModule", "createCustomModuleInput", "customModule", input)
        };
        let (first, second) = (question(&label), question(&label));
        let query =
            "mutation($input: updateCustomModuleInput) { updateCustomModule(input: $input) {
            customModule { custom_module_condition { id } } messages { field message } } }";
        let input = json!({"id": second, "custom_module_condition":
            {"conditional_custom_module_id": first, "filter_type": "is_answered"}});
        let reply = self.as_owner().ask(query, json!({"input": input}));
        let changed = &reply.data()["updateCustomModule"]["customModule"];
        let condition = id(&changed["custom_module_condition"]);
        (form, second, condition)
    }

    /// A form that clients fill in, which all of them read.
    pub fn intake_form(&mut self) -> String {
        let name = self.word();
        let form = self.make(
            "createCustomModuleForm",
            "createCustomModuleFormInput",
            "customModuleForm",
            json!({"name": name}),
        );
        let input = json!({"custom_module_form_id": form, "mod_type": "text", "label": "Why?"});
        self.make("createCustomModule", "createCustomModuleInput", "customModule", input);
        form
    }

    /// The flow of the client's group; its step; what the client has done of it. A second flow
    /// is nobody's.
    pub fn of_flow(&mut self, own: bool, kind: Object) -> String {
        let (client, group) = match own {
            true => (self.client.clone(), self.client_group.clone()),
            false => {
                let name = self.unseen();
                let group = self.group(name);
                (self.about().0, group)
            }
        };
        // Units below read their parent's.
        let name = if own || self.here == Site::A { self.word() } else { self.unseen() };
        let groups = if kind == Object::SecondFlow { String::new() } else { group };
        let input = json!({"name": name, "groups_to_use_onboarding_flow": groups});
        let flow =
            self.make("createOnboardingFlow", "createOnboardingFlowInput", "onboardingFlow", input);
        if matches!(kind, Object::Flow | Object::SecondFlow) {
            return flow;
        }
        let input = json!({"onboarding_flow_id": flow, "item_type": "Welcome Page",
            "is_skippable": true});
        let step =
            self.make("createOnboardingItem", "createOnboardingItemInput", "onboardingItem", input);
        if kind == Object::Step {
            return step;
        }
        let input = json!({"onboarding_item_id": step, "user_id": client, "skipped": false});
        self.make(
            "createCompletedOnboardingItem",
            "createCompletedOnboardingItemInput",
            "completed_onboarding_item",
            input,
        )
    }

    /// A client who has done a step of a flow that is not theirs any more, whatever was asked
    /// before.
    pub fn former(&mut self, own: bool) -> String {
        self.of_flow(own, Object::Done);
        self.of_flow(own, Object::Flow);
        self.new_object(own, Object::Client)
    }

    /// What a client is asked, once and again and again; the client.
    pub fn asked(&mut self, own: bool, kind: Object) -> String {
        let client = self.reader(own);
        let form = self.intake_form();
        let mut input =
            json!({"form": form, "recipient_id": client, "skip_notification_email": true});
        let (field, of) = ("createRequestedFormCompletion", "createRequestedFormInput");
        if kind != Object::Recurring {
            let request = self.make(field, of, "requestedFormCompletion", input);
            return if kind == Object::Asked {
                request
            } else {
                self.new_object(own, Object::Client)
            };
        }
        input["is_recurring"] = true.into();
        // Seldom due while a test runs.
        input["frequency"] = "Monthly".into();
        input["monthday"] = "31st".into();
        let query = "mutation($input: createRequestedFormInput) {
            createRequestedFormCompletion(input: $input) { requestedFormCompletionStatus { status }
            messages { field message } } }";
        self.as_owner().ask(query, json!({"input": input})).data();
        let query = "query($id: String) { recurringForms(connectable_id: $id,
            connectable_type: \"User\") { nodes { id } } }";
        let reply = self.as_owner().ask(query, json!({"id": client}));
        id(&reply.data()["recurringForms"]["nodes"][0])
    }

    /// Something of a form that was filled in for a client.
    pub fn of_filled(&mut self, own: bool, kind: Object) -> String {
        let client = match kind {
            Object::Printed => self.reader(own),
            _ if own => self.client.clone(),
            _ => self.about().0,
        };
        let (form, question, _) = self.form(own);
        let answer = if own { self.word() } else { self.unseen() };
        let query = "mutation($input: createFormAnswerGroupInput) {
            createFormAnswerGroup(input: $input) { form_answer_group { id form_answers(
            is_for_editing: true) { id answer } } messages { field message } } }";
        let input = json!({"custom_module_form_id": form, "user_id": client, "finished": true,
            "form_answers": [{"custom_module_id": question, "answer": answer}]});
        let reply = self.as_owner().ask(query, json!({"input": input}));
        let group = reply.data()["createFormAnswerGroup"]["form_answer_group"].clone();
        let filled = id(&group);
        match kind {
            Object::Answer => id(&group["form_answers"][0]),
            Object::Signing => {
                let query = "mutation($id: ID!) { signFormAnswerGroup(input: {id: $id}) {
                    form_answer_group_signing { id } messages { field message } } }";
                let reply = self.as_owner().ask(query, json!({"id": filled}));
                id(&reply.data()["signFormAnswerGroup"]["form_answer_group_signing"])
            }
            Object::Locked | Object::Addendum => {
                let query = "mutation($id: ID!) { lockFormAnswerGroup(input: {id: $id}) {
                    form_answer_group { id } messages { field message } } }";
                self.as_owner().ask(query, json!({"id": filled})).data();
                if kind == Object::Locked {
                    return filled;
                }
                let content = if own { self.word() } else { self.unseen() };
                let input = json!({"form_answer_group_id": filled, "content": content});
                self.make("createAddendum", "createAddendumInput", "addendum", input)
            }
            _ => filled,
        }
    }
}
