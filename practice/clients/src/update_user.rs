//! `updateUser`: people change themselves, and staff change a client (behaviour
//! 18.2). Other members are changed with their membership, never here.

use std::sync::Arc;

use ward_engine::{
    Answer, Call, Given, Payload, Problems, Refused, Request, UploadedFile, input, moment,
};
use ward_identity::account::{is_client_taken, lock_address};
use ward_identity::flags::CAN_SET_CLIENT_PASSWORD;
use ward_identity::picture::{self, NewFile};
use ward_identity::tables::{DefaultBillingType, PasswordSetBy, USERS, User, users};
use ward_identity::{attempt, confirm_email, push_device, session};
use ward_store::{Actor, Cond, Id, Level, Query, Select};

use crate::access::{self, IdOrBlank};
use crate::account;
use crate::client;
use crate::client_rules;
use crate::location::{self, ClientLocation};
use crate::password::{self, NewPassword};
use crate::rules;
use crate::update_client::client_of_email;

input! {
    /// `updateUserInput`.
    pub struct UpdateUser {
        /// The caller when there is none.
        id: IdOrBlank<User>,
        /// May name a client instead of `id`.
        current_email: String,
        name: String,
        first_name: String,
        last_name: String,
        legal_name: String,
        email: String,
        skipped_email: bool,
        phone_number: String,
        dob: String,
        gender: String,
        gender_identity: String,
        gender_identity_code: String,
        sex: String,
        pronouns: String,
        sexual_orientation_code: String,
        sexual_orientation_other: String,
        primary_race_code: String,
        secondary_race_code: String,
        primary_ethnicity_code: String,
        secondary_ethnicity_code: String,
        preferred_language_code: String,
        qualifications: String,
        timezone: String,
        default_billing_type: String,
        locations: Vec<ClientLocation>,
        avatar: UploadedFile,
        avatar_string: String,
        current_password: String,
        password: String,
        password_confirmation: String,
        consented_to_labs: bool,
        submit_labs_immediately: bool,
        /// A device to be notified on; its owner alone says.
        uniq_push_id: String,
        assign_tasks_seen: bool,
        blast_seen: bool,
        seen_welcome: bool,
        seen_onboarding_complete_page: bool,
        dimissed_calendar_prompt: bool,
        dismissed_calendar_prompt: bool,
        dismissed_charting_note_addendum_warning: bool,
        dismissed_insurance_eligibility_warning: bool,
        dismissed_fullscript: bool,
        dismissed_products_tab: bool,
        /// Accepted and without effect, like the two below: none of them ever
        /// makes the caller somebody else.
        pretend_to_be: String,
        human_id: String,
        token: String,
    }
}

/// The input, with its password hashed and its picture on the disk.
pub struct Prepared {
    input: UpdateUser,
    password: Option<NewPassword>,
    avatar: Option<NewFile>,
}

/// Before the transaction: passwords are verified and hashed, files stored.
pub async fn prepare(request: Arc<Request>, input: UpdateUser) -> Answer<Prepared> {
    client_rules::check_proxy(&request.actor, &input)?;
    let password = match input.password.value() {
        Some(text) if !text.is_empty() => Some(new_password(&request, &input, text).await?),
        _ => None,
    };
    if input.avatar.value().is_some() || input.avatar_string.trimmed().is_some() {
        check_target(&request, &input).await?;
    }
    let avatar = match (&input.avatar, input.avatar_string.trimmed()) {
        (Given::Value(file), _) => Some(picture::from_upload(&request, *file, "avatar").await?),
        (_, Some(text)) => Some(picture::from_text(&request, text, "avatar_string").await?),
        _ => None,
    };
    Ok(Prepared { input, password, avatar })
}

/// Refuses a person whom the caller can't change, before a file is stored; the
/// transaction looks again.
async fn check_target(request: &Request, input: &UpdateUser) -> Answer<()> {
    let actor = &*request.actor;
    let mut reader = request.db.read().await?;
    let (filter, at) = if is_self(actor.user_id, input) {
        (Cond::eq("id", actor.user_id), "id")
    } else {
        let (id, at) = named(&mut reader, actor, input).await?;
        (Cond::is_true("is_patient").and(Cond::eq("id", id.0)), at)
    };
    let mut select = Select::new(&USERS, actor);
    select.columns = vec![users::id];
    select.least = Level::Full;
    select.filter = filter;
    match reader.rows(&select.sql()).await?.is_empty() {
        true => Err(Refused::not_found(at)),
        false => Ok(()),
    }
}

/// The person other than the caller whom a member names, and by which field.
async fn named(
    q: &mut impl Query,
    actor: &Actor,
    input: &UpdateUser,
) -> Answer<(Id<User>, &'static str)> {
    let named = match input.id.value().and_then(|id| id.0) {
        Some(id) => (id, "id"),
        None => {
            let email = input.current_email.trimmed().unwrap_or_default();
            (client_of_email(q, actor, email).await?, "current_email")
        }
    };
    match actor.is_member() {
        true => Ok(named),
        false => Err(Refused::not_found(named.1)),
    }
}

async fn new_password(request: &Request, input: &UpdateUser, text: &str) -> Answer<NewPassword> {
    if input.password_confirmation.is_given()
        && input.password_confirmation.value() != input.password.value()
    {
        return Err(Refused::on(
            "password_confirmation",
            "Password confirmation doesn't match Password",
        ));
    }
    let names = [&input.name, &input.first_name, &input.last_name, &input.email];
    let names: Vec<&str> = names.iter().filter_map(|text| text.trimmed()).collect();
    if is_self(request.actor.user_id, input) {
        let current = input.current_password.value().map(String::as_str);
        return password::own(request, current, text, &names).await;
    }
    access::requires(&request.actor, CAN_SET_CLIENT_PASSWORD)?;
    password::new(request, text, &names).await
}

/// Whether the input names nobody but the caller.
pub fn is_self(caller: i64, input: &UpdateUser) -> bool {
    match input.id.value().and_then(|id| id.0) {
        Some(id) => id.0 == caller,
        None => input.current_email.trimmed().is_none(),
    }
}

/// Changes a person (behaviour 18.2). The e-mail of one's own account changes
/// when its owner has confirmed it: until then a mail goes to the new address
/// and the old one stays.
pub async fn update(call: &mut Call<'_>, prepared: &Prepared) -> Answer<Payload> {
    let input = &prepared.input;
    let before = user_of(call, input).await?;
    let is_self = before.id.0 == call.actor.user_id;
    if before.is_patient {
        call.scope.subject_id = Some(before.id.0);
    }
    check(input, &before, call.now()).check()?;
    let mut after = before.clone();
    write_texts(input, &mut after);
    write_switches(input, &mut after);
    write_email(call, input, &before, &mut after, is_self).await?;
    if let Some(password) = &prepared.password {
        if !password.fits(&before) {
            return Err(ward_store::StoreError::Conflict.into());
        }
        after.password_hash = Some(password.hash().to_owned());
        let set_by = if is_self { PasswordSetBy::Person } else { PasswordSetBy::Staff };
        after.password_set_by = Some(set_by);
    }
    match &prepared.avatar {
        Some(avatar) => picture::put_on(call, &mut after, avatar).await?,
        None if removes_avatar(input) => picture::take_off(call, &mut after).await?,
        None => {}
    }
    let moved = [&before.email, &before.first_name, &before.last_name]
        != [&after.email, &after.first_name, &after.last_name];
    if after.is_patient && moved {
        lock_address(&mut call.scope, after.email.as_deref()).await?;
        if is_client_taken(&mut call.scope, &after, Some(after.id)).await? {
            return Err(Refused::on("email", "Email has already been taken"));
        }
    }
    let has_new_email = before.email != after.email;
    let asked = after.unconfirmed_email.clone().filter(|_| is_self && input.email.is_given());
    let user = after.clone();
    client::save(call, &before, after, &[]).await?;
    // A new password voids older links, so the new one comes after.
    if let Some(address) = asked {
        attempt::count_mail(call, &user, &address).await?;
        let cause = call.request.request_id.clone();
        confirm_email::ask(call, &user, &address, &cause).await?;
    }
    push_device::write(call, "uniq_push_id", &input.uniq_push_id, &user).await?;
    // A new password or e-mail ends all sessions, but not the one at work.
    if is_self && (prepared.password.is_some() || has_new_email) {
        account::keep_own_session(call).await?;
    }
    let addresses = input.locations.value().map(Vec::as_slice).unwrap_or_default();
    location::write_all(call, &user, addresses, "locations").await?;
    Ok(Payload::new().one("user", user.id.0))
}

fn removes_avatar(input: &UpdateUser) -> bool {
    input.avatar == Given::Null || input.avatar_string == Given::Null
}

/// The caller, or a client whom the caller sees; another member is not found.
async fn user_of(call: &mut Call<'_>, input: &UpdateUser) -> Answer<User> {
    if is_self(call.actor.user_id, input) {
        let own: Id<User> = Id::new(call.actor.user_id);
        let found = call.visible_for_update(own, Level::Full).await?;
        return found.map(|(user, _)| user).ok_or_else(|| Refused::not_found("id"));
    }
    let (id, at) = named(call.scope.tx, call.scope.actor, input).await?;
    access::client_to_change(call, id, at).await
}

/// What is wrong with a change of a person.
pub fn check(input: &UpdateUser, before: &User, now: ward_instance::Timestamp) -> Problems {
    let mut problems = Problems::new();
    let p = &mut problems;
    rules::not_emptied("name", &input.name, p);
    rules::not_emptied("first_name", &input.first_name, p);
    rules::not_emptied("last_name", &input.last_name, p);
    let skipped = input.skipped_email.value().copied().unwrap_or(before.skipped_email);
    if input.email.is_given() && !(skipped && before.is_patient) {
        rules::required("email", &input.email, p);
    }
    rules::email("email", &input.email, p);
    for (field, value) in [
        ("name", &input.name),
        ("first_name", &input.first_name),
        ("last_name", &input.last_name),
        ("legal_name", &input.legal_name),
        ("phone_number", &input.phone_number),
        ("gender", &input.gender),
        ("gender_identity", &input.gender_identity),
        ("sex", &input.sex),
        ("pronouns", &input.pronouns),
        ("sexual_orientation_code", &input.sexual_orientation_code),
        ("sexual_orientation_other", &input.sexual_orientation_other),
        ("preferred_language_code", &input.preferred_language_code),
        ("qualifications", &input.qualifications),
    ] {
        rules::bounded(field, value, rules::LINE_CHARS_MAX, p);
    }
    rules::birth_date("dob", &input.dob, now, p);
    if input.dob.is_given() {
        rules::lived("dob", rules::day_of(&input.dob, None), before.deceased_on, p);
    }
    rules::time_zone("timezone", &input.timezone, p);
    rules::code("default_billing_type", &input.default_billing_type, rules::BILLING_TYPES, p);
    rules::code(
        "gender_identity_code",
        &input.gender_identity_code,
        rules::GENDER_IDENTITY_CODES,
        p,
    );
    rules::code("primary_race_code", &input.primary_race_code, rules::RACE_CODES, p);
    rules::code("secondary_race_code", &input.secondary_race_code, rules::RACE_CODES, p);
    rules::code("primary_ethnicity_code", &input.primary_ethnicity_code, rules::ETHNICITY_CODES, p);
    rules::code(
        "secondary_ethnicity_code",
        &input.secondary_ethnicity_code,
        rules::ETHNICITY_CODES,
        p,
    );
    push_device::check("uniq_push_id", &input.uniq_push_id, p);
    location::check_all("locations", &input.locations, p);
    problems
}

/// Overwrites the columns that are texts; what was not sent stays. `name` is
/// both names in one, and counts less than either.
fn write_texts(input: &UpdateUser, after: &mut User) {
    if let Some(name) = input.name.trimmed() {
        let (first, last) = rules::split_name(name);
        after.first_name = Some(first);
        after.last_name = (!last.is_empty()).then_some(last);
    }
    input.first_name.set_text(&mut after.first_name);
    input.last_name.set_text(&mut after.last_name);
    input.legal_name.set_text(&mut after.legal_name);
    input.phone_number.set_text(&mut after.phone_number);
    input.gender.set_text(&mut after.gender);
    input.gender_identity.set_text(&mut after.gender_identity);
    input.gender_identity_code.set_text(&mut after.gender_identity_code);
    input.sex.set_text(&mut after.sex);
    input.pronouns.set_text(&mut after.pronouns);
    input.sexual_orientation_code.set_text(&mut after.sexual_orientation_code);
    input.sexual_orientation_other.set_text(&mut after.sexual_orientation_other);
    input.primary_race_code.set_text(&mut after.primary_race_code);
    input.secondary_race_code.set_text(&mut after.secondary_race_code);
    input.primary_ethnicity_code.set_text(&mut after.primary_ethnicity_code);
    input.secondary_ethnicity_code.set_text(&mut after.secondary_ethnicity_code);
    input.preferred_language_code.set_text(&mut after.preferred_language_code);
    input.qualifications.set_text(&mut after.qualifications);
    input.timezone.set_text(&mut after.timezone);
    if input.dob.is_given() {
        after.dob = input.dob.trimmed().and_then(moment::day);
    }
    if input.default_billing_type.is_given() {
        let text = input.default_billing_type.trimmed();
        after.default_billing_type = text.and_then(DefaultBillingType::from_text);
    }
}

/// Overwrites the switches; null leaves them.
fn write_switches(input: &UpdateUser, after: &mut User) {
    let set = |given: &Given<bool>, field: &mut bool| {
        if let Some(value) = given.value() {
            *field = *value;
        }
    };
    set(&input.consented_to_labs, &mut after.consented_to_labs);
    set(&input.submit_labs_immediately, &mut after.submit_labs_immediately);
    set(&input.assign_tasks_seen, &mut after.assign_tasks_seen);
    set(&input.blast_seen, &mut after.blast_seen);
    set(&input.seen_welcome, &mut after.seen_welcome);
    set(&input.seen_onboarding_complete_page, &mut after.seen_onboarding_complete_page);
    set(&input.dimissed_calendar_prompt, &mut after.dismissed_calendar_prompt);
    set(&input.dismissed_calendar_prompt, &mut after.dismissed_calendar_prompt);
    set(
        &input.dismissed_charting_note_addendum_warning,
        &mut after.dismissed_charting_note_addendum_warning,
    );
    set(
        &input.dismissed_insurance_eligibility_warning,
        &mut after.dismissed_insurance_eligibility_warning,
    );
    set(&input.dismissed_fullscript, &mut after.dismissed_fullscript);
    set(&input.dismissed_products_tab, &mut after.dismissed_products_tab);
}

/// A client's address is changed by staff at once; one's own is asked about.
async fn write_email(
    call: &mut Call<'_>,
    input: &UpdateUser,
    before: &User,
    after: &mut User,
    is_self: bool,
) -> Answer<()> {
    if before.is_patient
        && let Some(skipped) = input.skipped_email.value()
    {
        after.skipped_email = *skipped;
    }
    if !input.email.is_given() {
        return Ok(());
    }
    let email = input.email.trimmed().map(rules::kept_email);
    match email {
        Some(email) if is_self && before.email.as_deref() != Some(email.as_str()) => {
            session::require_fresh(call, "change your e-mail address").await?;
            after.unconfirmed_email = Some(email);
        }
        email => {
            if !is_self {
                access::may_redirect(call.actor, before, email.as_deref())?;
            }
            after.email = email;
            after.unconfirmed_email = None;
        }
    }
    Ok(())
}
