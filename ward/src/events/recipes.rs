//! Which mutation causes which event, with what. In an input, `<word>` is a word of this step,
//! `<id>` what `--id` names, and the name of an event the id of what that event made: it is fired
//! first, unless `--id` names the record to use; `#2` makes a second one.

/// How an event comes about.
pub struct Recipe {
    /// Dotted name.
    pub event: &'static str,
    /// The mutation.
    pub operation: &'static str,
    /// What it is asked to answer.
    pub shown: &'static str,
    /// Where in the answer the id is.
    pub id: &'static str,
    /// Its input.
    pub input: &'static str,
}

macro_rules! recipes {
    ($($event:literal: $operation:literal $shown:literal $id:literal $input:literal;)*) => {
        /// All of them.
        pub const RECIPES: &[Recipe] = &[$(
            Recipe { event: $event, operation: $operation, shown: $shown, id: $id, input: $input }
        ),*];
    };
}

recipes! {
    "patient.created": "createClient" "user { id }" "/user/id"
        r#"{"first_name": "Synthetic", "last_name": "<word>", "email": "<word>@client.example",
            "dont_send_welcome": true}"#;
    "patient.updated": "updateClient" "user { id }" "/user/id"
        r#"{"id": "<patient.created>", "legal_name": "Synthetic <word>"}"#;
    "patient.merged": "mergeClients" "user { id }" "/user/id"
        r#"{"target_user_id": "<patient.created>", "ids": ["<patient.created#2>", "<patient.created>"]}"#;
    "location.created": "createLocation" "location { id }" "/location/id"
        r#"{"user_id": "<patient.created>", "line1": "1 Synthetic Street", "city": "Springfield"}"#;
    "location.updated": "updateLocation" "location { id }" "/location/id"
        r#"{"id": "<location.created>", "city": "Town <word>"}"#;
    "location.deleted": "deleteLocation" "location { id }" "/location/id"
        r#"{"id": "<location.created>"}"#;
    "applied_tag.created": "createTag" "tag { id }" "/tag/id"
        r#"{"name": "tag <word>", "taggable_user_id": "<patient.created>"}"#;
    "applied_tag.deleted": "removeAppliedTag" "tag { id }" "/tag/id"
        r#"{"taggable_user_id": "<patient.created>", "id": "<applied_tag.created>"}"#;
    "feature_toggle.created": "createFeatureToggle" "feature_toggle { id }" "/feature_toggle/id"
        r#"{"user_id": "<patient.created>", "show_food": false}"#;
    "feature_toggle.updated": "updateFeatureToggle" "feature_toggle { id }" "/feature_toggle/id"
        r#"{"id": "<feature_toggle.created>", "show_food": true}"#;
    "referring_physician.created": "createReferringPhysician" "referring_physician { id }"
        "/referring_physician/id" r#"{"first_name": "Synthetic", "last_name": "<word>"}"#;
    "referring_physician.updated": "updateReferringPhysician" "referring_physician { id }"
        "/referring_physician/id"
        r#"{"id": "<referring_physician.created>", "first_name": "Other <word>"}"#;
    "referring_physician.deleted": "deleteReferringPhysician" "referringPhysician { id }"
        "/referringPhysician/id" r#"{"id": "<referring_physician.created>"}"#;
    "referral.created": "createReferral" "referral { id }" "/referral/id"
        r#"{"user_id": "<patient.created>", "referring_physician_id": "<referring_physician.created>"}"#;
    "referral.updated": "updateReferral" "referral { id }" "/referral/id"
        r#"{"id": "<referral.created>", "referral_reason": "Advice <word>"}"#;
    "referral.deleted": "deleteReferral" "referral { id }" "/referral/id"
        r#"{"id": "<referral.created>"}"#;
    "conversation.created": "createConversation" "conversation { id }" "/conversation/id"
        r#"{"simple_added_users": "user-<patient.created>", "name": "Synthetic <word>"}"#;
    "conversation_membership.created": "createConversation" "conversation { id }"
        "/conversation/id"
        r#"{"simple_added_users": "user-<patient.created>", "name": "Synthetic <word>"}"#;
    "conversation.updated": "updateConversation" "conversation { id }" "/conversation/id"
        r#"{"id": "<conversation.created>", "name": "Other <word>"}"#;
    "conversation_membership.deleted": "deleteConversationMembership" "conversationMembership { id }"
        "/conversationMembership/id"
        r#"{"conversation_id": "<conversation.created>", "user_id": "<patient.created>"}"#;
    "message.created": "createNote" "note { id }" "/note/id"
        r#"{"conversation_id": "<conversation.created>", "content": "Synthetic <word>"}"#;
    "message.deleted": "deleteNote" "note { id }" "/note/id" r#"{"id": "<message.created>"}"#;
    "organization_membership.created": "createOrganizationMembership" "organizationMembership { id }"
        "/organizationMembership/id"
        r#"{"first_name": "Synthetic", "last_name": "<word>", "email": "<word>@practice.example",
            "send_invite_email": false}"#;
    "organization_membership.updated": "updateOrganizationMembership" "organizationMembership { id }"
        "/organizationMembership/id"
        r#"{"id": "<organization_membership.created>", "title": "Synthetic <word>"}"#;
    "organization_info.created": "updateOrganization" "organization { id }" "/organization/id"
        r#"{"organization_info": {"primary": false, "name": "Synthetic <word>"}}"#;
    "organization_info.deleted": "deleteOrganizationInfo" "organizationInfo { id }"
        "/organizationInfo/id" r#"{"id": "<id>"}"#;
    "test.created": "sendTestWebhook" "sent" "/id" r#"{"id": "<id>"}"#;
}
