//! What every argument and input field of the served schema means. One that is not here fails the
//! test, so that a new one cannot escape the table.

use ward_tests::Json;
use ward_tests::document::Place;
use ward_tests::schema::Field;

use crate::clinical::List;
use crate::world::World;
use crate::{charting, clients, clinical, documents, identity, messaging, scheduling, webhooks};

/// What an id (or an e-mail or code) names: something of organization A.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    Client,
    ClientEmail,
    OwnerEmail,
    Provider,
    Member,
    Organization,
    Membership,
    Group,
    /// Another group than the one above.
    SecondGroup,
    InviteCode,
    Tag,
    Location,
    /// The client above and another, with a comma between.
    ClientPair,
    /// A client who has an appointment.
    Attendee,
    AppliedTag,
    Physician,
    Referral,
    ApiKey,
    /// A restricted client.
    RestrictedClient,
    Authorization,
    BreakGlass,
    Toggle,
    Brand,
    OrganizationInfo,
    OtherIdNumber,
    StateLicense,
    Biography,
    BrandPath,
    /// Another provider than the one above.
    SecondProvider,
    Template,
    Webhook,
    /// An event of the webhook above.
    WebhookEvent,
    /// A conversation of the owner's with the client, with a note in it; the client's part.
    Conversation,
    Part,
    Note,
    /// A document about the client, and a folder of theirs.
    Document,
    Folder,
    /// A broadcast to the client that waits for its time.
    Scheduler,
    /// What a provider is told, and what was mailed, of a client who is theirs now.
    Notification,
    SentNotice,
    ChatSetting,
    Contact,
    /// An entry of one of the client's clinical lists; the client, who has some of each.
    Entry(List),
    Noted,
    /// What the client has consented to; a consent that no call revokes.
    Consent,
    Granted,
    /// A template of care plans; a group's plan, active for its client; a category of
    /// recommendations.
    PlanTemplate,
    GroupPlan,
    AdviceCategory,
    AppointmentType,
    /// The settings of the provider above.
    AppointmentSetting,
    /// What a type costs the client.
    AppointmentPrice,
    /// How many of a type the client can have.
    AppointmentCredit,
    /// A place of the provider above, which clients may not book; a room of it.
    Place,
    Room,
    /// A day of the provider above.
    Availability,
    /// An appointment of the client's; the client's part in it; a series of them.
    Appointment,
    Inclusion,
    Series,
    /// What the client asks for.
    Request,
    /// A template for notes with two questions; its second, which depends on the first; its file; how.
    Form,
    Question,
    QuestionFile,
    Condition,
    /// A note about the client that is finished, one of its answers, the owner's signature
    /// of one; one that is locked, and what was added to it; one that becomes a document.
    Filled,
    Answer,
    AnswerFile,
    Signing,
    Locked,
    Addendum,
    Printed,
    /// A form for clients; the intake flow of the client's group, and one of nobody's; its
    /// step, and what the client has done of it; the client, who has done a step of another one.
    IntakeForm,
    Flow,
    SecondFlow,
    Step,
    Done,
    Former,
    /// A form that the client is asked for; the client; what they are asked again and again.
    Asked,
    AskedClient,
    Recurring,
}

impl Object {
    /// Whether it is a client or something of one, so that it matters who cares for them.
    pub const fn is_of_client(self) -> bool {
        !matches!(
            self,
            Object::OwnerEmail
                | Object::Provider
                | Object::Member
                | Object::Organization
                | Object::Membership
                | Object::ApiKey
                | Object::SecondProvider
                | Object::Template
                | Object::PlanTemplate
                | Object::GroupPlan
                | Object::AdviceCategory
                | Object::Brand
                | Object::OrganizationInfo
                | Object::OtherIdNumber
                | Object::StateLicense
                | Object::Biography
                | Object::BrandPath
                | Object::Webhook
                | Object::WebhookEvent
                | Object::Notification
                | Object::SentNotice
                | Object::ChatSetting
                | Object::AppointmentType
                | Object::AppointmentSetting
                | Object::Place
                | Object::Room
                | Object::Availability
                | Object::Form
                | Object::Question
                | Object::QuestionFile
                | Object::Condition
                | Object::IntakeForm
                | Object::Flow
                | Object::SecondFlow
                | Object::Step
        )
    }
}

/// What an argument is to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The object that the field is about: part of every call.
    Needs(Object),
    /// An object that may be named: a line of its own.
    May(Object),
    /// Data that takes a right of its own: a line of its own.
    Tries,
    /// Data without which the call means nothing: part of every call.
    Data,
    /// Filters, pages, words and other data that open nothing: left out.
    Left,
}

use Meaning::{Data, Left, Tries};

/// Root field, path of the value, what it names: of each domain.
const OBJECTS: [&[(&str, &str, Meaning)]; 8] = [
    identity::OBJECTS,
    clients::OBJECTS,
    charting::OBJECTS,
    clinical::OBJECTS,
    webhooks::OBJECTS,
    documents::OBJECTS,
    messaging::OBJECTS,
    scheduling::OBJECTS,
];

/// Root field, path of data that takes a right of its own.
const TRIED: &[(&str, &str)] = &[
    ("createPermissionTemplate", "input.is_admin"),
    ("createClient", "input.restricted"),
    ("updateClient", "input.active"),
    ("updateClient", "input.email"),
    ("updateClient", "input.password"),
    ("updateClient", "input.restricted"),
    ("updateClient", "input.appointment_type_credits_attributes.quantity"),
];

/// Data that makes a call meaningful, by root field.
const DATA: &[(&str, &[&str])] = &[
    ("auditLog", &["resource_name"]),
    ("enrollMfa", &["mfa_type"]),
    ("confirmMfa", &["mfa_type", "verification_code"]),
    ("unenrollMfa", &["mfa_type"]),
    ("validateVerificationToken", &["verification_code"]),
    ("createBrand", &["brand_name"]),
    ("updateBrand", &["slogan"]),
    ("createClient", &["first_name", "last_name", "email", "dont_send_welcome"]),
    ("updateClient", &["pronouns"]),
    ("updateUser", &["pronouns"]),
    ("createGroup", &["name"]),
    ("updateUserGroup", &["name"]),
    ("createTag", &["name"]),
    ("updateTag", &["name"]),
    ("createLocation", &["line1", "city"]),
    ("updateLocation", &["city"]),
    ("createOrganizationMembership", &["first_name", "last_name", "email", "send_invite_email"]),
    ("updateOrganization", &["organization_info.phone_number"]),
    (
        "createOrganization",
        &[
            "create_as_suborganization",
            "first_name",
            "last_name",
            "email",
            "send_invite_email",
            "organization_info.name",
        ],
    ),
    ("updateOrganizationMembership", &["title", "permission_template_applied"]),
    ("updateOrganizationMember", &["qualifications", "provider_bio.bio"]),
    ("setIntegrationUser", &["is_integration"]),
    ("createPermissionTemplate", &["name"]),
    ("updatePermissionTemplate", &["name"]),
    ("createReferringPhysician", &["first_name"]),
    ("updateReferringPhysician", &["first_name"]),
    ("bulkUpdateClients", &["active_status"]),
    ("createContact", &["first_name", "email"]),
    ("resetPassword", &["email"]),
    ("createClientRestrictionAuthorization", &["reason"]),
    ("createBreakGlassAccess", &["reason"]),
    ("createWebhook", &["url", "webhook_events.event_type"]),
    ("updateWebhook", &["should_retry", "webhook_events.event_type"]),
    ("replayWebhookEvents", &["undelivered"]),
    ("signIn", &["email", "password"]),
    ("signUp", &["role", "email", "password", "first_name", "last_name", "legal_name"]),
];

/// Names that mean the same wherever they stand, and open nothing.
const PAGES: [&str; 2] = ["first", "page_size"];
const WORDS: &str = "
    after before last offset order_by sort_by keywords should_paginate
    active_status applied_to_providers check_group_level_actions has_name include_suborg_patients
    limited_to_provider or_current_user show_all_by_default with_feature_toggles from_superadmin
    for_client event_type occurred_after occurred_before resource_name
    clientMutationId _destroy name line1 line2 city state zip country npi other_id other_id_qual
    place_of_service_id first_name last_name legal_name email phone_number additional_phone_number
    dob deceased_on gender gender_identity gender_identity_code sex pronouns sexual_orientation_code
    sexual_orientation_other primary_race_code secondary_race_code primary_ethnicity_code
    secondary_ethnicity_code preferred_language_code timezone height qualifications quick_notes
    metadata ssn record_identifier additional_record_identifier default_billing_type active
    restricted skipped_email dont_send_welcome skip_set_password_state resend_welcome
    for_changing_groups remove_async_if_needed password password_confirmation current_password
    avatar avatar_string assign_tasks_seen blast_seen consented_to_labs seen_welcome
    seen_onboarding_complete_page submit_labs_immediately dimissed_calendar_prompt
    dismissed_calendar_prompt dismissed_charting_note_addendum_warning dismissed_fullscript
    dismissed_insurance_eligibility_warning dismissed_products_tab
    expires_at allowed_addresses overlap_minutes
    allow_multiple_api_keys generate_api_token namespace username token reset_token role
    human_id uniq_push_id pretend_to_be title position org_role bypass_api_key_warning
    selected_licensed_in_filter selected_locations_filter selected_statuses_filter
    selected_tags_filter organization_email primary tax_id tax_id_type external_id id_number_type
    break_glass minutes default_water_intake date_range_preference last_journal_from_date
    last_journal_to_date email_notification_frequency push_notification_frequency
    profession profession_category specialty specialty_category bio
    licensed_in_state state_licenses locationString custom_sign_in_path logo
    about_description bg_color brand_email brand_name brand_phone contact_description
    display_embed_title display_name display_package_image email_background_color
    embed_primary_color facebook font_color instagram selected_color slogan tab_accent_color titles
    twitter website theme_background_primary theme_background_secondary theme_background_hover
    theme_background_input theme_accent_primary theme_accent_primary_hover theme_border_primary
    theme_border_input theme_text_sidebar theme_background_sidebar theme_text_sidebar_active
    theme_text_sidebar_tab_bar
    sent_after sent_before resource_id resource_type failed url should_retry is_enabled
    id_encoding is_ordered overlap_hours event_ids event_types dry_run
    include_deleted updated_after updated_before has_fax_number business_name speciality fax_number
    select_all_status suppress_patient_updated_webhooks target_email
    requires_webhook_validation upload_scan chart_note_autolock_hours website notes accepts_insurance other_id_qualifier referral_reason about_me first_url
";

/// Mutations that set flags or switches by their names.
const OF_FLAGS: [&str; 6] = [
    "updateNotificationSetting",
    "updateOrganizationMembership",
    "createPermissionTemplate",
    "updatePermissionTemplate",
    "createFeatureToggle",
    "updateFeatureToggle",
];

/// What an argument means; nothing if nobody has said so yet.
pub fn meaning(field: &Field, place: &Place) -> Option<Meaning> {
    let path = place.dotted();
    let known = |(of, at, meaning): &(&str, &str, Meaning)| {
        (*of == field.name && *at == path).then_some(*meaning)
    };
    if let Some(meaning) = OBJECTS.into_iter().flatten().find_map(known) {
        return Some(meaning);
    }
    if TRIED.iter().chain(documents::TRIED).any(|(of, at)| *of == field.name && *at == path) {
        return Some(Tries);
    }
    let name = place.last().name.as_str();
    let is_data = |(of, names): &(&str, &[&str])| {
        let at = path.strip_prefix("input.").unwrap_or(&path);
        *of == field.name && names.contains(&at)
    };
    let domains =
        [charting::DATA, clinical::DATA, documents::DATA, messaging::DATA, scheduling::DATA];
    let mut all = DATA.iter().chain(domains.into_iter().flatten());
    if PAGES.contains(&name) || all.any(is_data) {
        return Some(Data);
    }
    if OF_FLAGS.contains(&field.name.as_str()) && place.last().of.name() == "Boolean" {
        return Some(Left);
    }
    let words = [
        WORDS,
        charting::WORDS,
        clinical::WORDS,
        documents::WORDS,
        messaging::WORDS,
        scheduling::WORDS,
    ]
    .map(str::split_whitespace);
    words.into_iter().flatten().any(|word| word == name).then_some(Left)
}

/// The value of data that is part of every call.
pub fn data(world: &mut World, field: &str, name: &str, named: Option<&str>) -> Json {
    if let Some(value) = clinical::data(world, field, name) {
        return value;
    }
    if let Some(value) = charting::data(name).or_else(|| scheduling::data(name)) {
        return value;
    }
    match (field, name) {
        (_, "first" | "page_size") => 5.into(),
        (_, "file_string") => documents::FILE.into(),
        (_, "display_name") => world.word().into(),
        (_, "org_level" | "shared_on_welcome" | "shared_with_dietitians") => true.into(),
        (_, "share_with_all_clients" | "share_with_all_org_members") => true.into(),
        (_, "shareable_type") => "DOCUMENT".into(),
        (_, "scope") => "ALL_RECORDS".into(),
        (_, "signed_on") => "2025-01-02".into(),
        ("signIn" | "resetPassword", "email") => world.client_email.clone().into(),
        ("signIn" | "signUp" | "updateClient", "password") => crate::world::PASSWORD.into(),
        // Who names a provider or a code signs up as their client.
        ("signUp", "role") if named.is_some() => "patient".into(),
        ("signUp", "role") => "dietitian".into(),
        (_, "email") => format!("{}@client.example", world.word()).into(),
        (_, "send_invite_email") => false.into(),
        (_, "create_as_suborganization") => true.into(),
        (_, "phone_number") => "+1 202-555-0100".into(),
        (_, "permission_template_applied") => (named == Some("permission_template_id")).into(),
        (_, "dont_send_welcome" | "active_status" | "restricted" | "is_admin") => true.into(),
        (_, "url") => format!("https://{}.invalid/", world.word()).into(),
        (_, "should_retry") => false.into(),
        (_, "event_type") => "TEST_CREATED".into(),
        // Resources of several kinds may have one number; of all of them when none is named.
        (_, "resource_name") if named == Some("resource_id") => "USER".into(),
        (_, "resource_name") => Json::Null,
        (_, "mfa_type") => "TOTP".into(),
        (_, "verification_code") => "123456".into(),
        (_, "active") => false.into(),
        (_, "pronouns") => "they/them".into(),
        (_, "viewed" | "seen" | "viewed_bounced_records" | "undelivered") => true.into(),
        (_, "content") => world.word().into(),
        (_, "bio") => world.word().into(),
        (_, "reason") => world.word().into(),
        (_, "brand_name" | "slogan" | "recipient" | "purpose") => world.word().into(),
        // A person stays one: who is marked loses what the next calls need.
        (_, "is_integration") => false.into(),
        (_, "first_name" | "last_name" | "legal_name" | "name" | "line1" | "city" | "title") => {
            world.word().into()
        }
        (_, "qualifications") => world.word().into(),
        _ => panic!("no value is known for {field}({name})"),
    }
}
