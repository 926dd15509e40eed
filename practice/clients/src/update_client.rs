//! `updateClient`: staff change a client (behaviour 18.2).

use ward_engine::{Answer, Call, Given, Payload, Problems, Refused, Request, input, moment};
use ward_identity::account::{is_client_taken, lock_address};
use ward_identity::care;
use ward_identity::deceased::may_be_told;
use ward_identity::flags::{CAN_REMOVE_CLIENT, CAN_RESTRICT_CLIENTS, CAN_SET_CLIENT_PASSWORD};
use ward_identity::tables::{DefaultBillingType, PasswordSetBy, User};
use ward_store::{Actor, Cond, Id, Json, Level, OrderKey, Query, Select, search};

use crate::access::members_only;
use crate::access::{self, IdOrBlank};
use crate::account::{self, RESENDS_A_DAY_MAX, Welcome};
use crate::client;
use crate::client_rules;
use crate::group;
use crate::location::{self, ClientLocation};
use crate::password::{self, NewPassword};
use crate::referral::of_client::{self, ClientReferral};
use crate::rules;
use crate::ssn::Ssn;
use crate::tables::UserGroup;

input! {
    /// `updateClientInput`.
    pub struct UpdateClient {
        id: IdOrBlank<User>,
        /// May name the client instead of `id`.
        current_email: String,
        first_name: String,
        last_name: String,
        legal_name: String,
        email: String,
        skipped_email: bool,
        phone_number: String,
        additional_phone_number: String,
        dob: String,
        /// The day on which the client died; blank takes it back (an addition).
        deceased_on: String,
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
        timezone: String,
        height: String,
        record_identifier: String,
        additional_record_identifier: String,
        metadata: String,
        ssn: String,
        quick_notes: String,
        default_billing_type: String,
        restricted: bool,
        active: bool,
        password: String,
        dietitian_id: IdOrBlank<User>,
        other_provider_ids: Vec<Id<User>>,
        user_group_id: IdOrBlank<UserGroup>,
        for_changing_groups: bool,
        location: ClientLocation,
        locations: Vec<ClientLocation>,
        referrals: Vec<ClientReferral>,
        resend_welcome: bool,
        /// Accepted and without effect: it never was a way to sign in.
        token: String,
    }
}

impl UpdateClient {
    /// The single-line texts, which share one bound.
    pub fn lines(&self) -> Vec<(&'static str, &Given<String>)> {
        vec![
            ("first_name", &self.first_name),
            ("last_name", &self.last_name),
            ("legal_name", &self.legal_name),
            ("phone_number", &self.phone_number),
            ("additional_phone_number", &self.additional_phone_number),
            ("gender", &self.gender),
            ("gender_identity", &self.gender_identity),
            ("sex", &self.sex),
            ("pronouns", &self.pronouns),
            ("sexual_orientation_code", &self.sexual_orientation_code),
            ("sexual_orientation_other", &self.sexual_orientation_other),
            ("preferred_language_code", &self.preferred_language_code),
            ("height", &self.height),
            ("record_identifier", &self.record_identifier),
            ("additional_record_identifier", &self.additional_record_identifier),
        ]
    }

    /// Whether the call is a trigger, which wins over data.
    pub fn is_trigger(&self) -> bool {
        self.resend_welcome.is_true()
    }
}

/// The input, with its password hashed.
pub struct Prepared {
    input: UpdateClient,
    password: Option<NewPassword>,
}

/// Before the transaction: a password is judged and hashed.
pub async fn prepare(request: std::sync::Arc<Request>, input: UpdateClient) -> Answer<Prepared> {
    let password = match input.password.trimmed() {
        Some(_) if input.is_trigger() => None,
        Some(_) => {
            access::requires(&request.actor, CAN_SET_CLIENT_PASSWORD)?;
            let names = [&input.first_name, &input.last_name, &input.email];
            let names: Vec<&str> = names.iter().filter_map(|text| text.trimmed()).collect();
            let text = input.password.value().map(String::as_str).unwrap_or_default();
            Some(password::new(&request, text, &names).await?)
        }
        None => None,
    };
    Ok(Prepared { input, password })
}

/// Changes a client, or sends the welcome mail again (behaviour 18.2).
pub async fn update(call: &mut Call<'_>, prepared: &Prepared) -> Answer<Payload> {
    members_only(call.actor)?;
    let input = &prepared.input;
    let before = client_of(call, input).await?;
    call.scope.subject_id = Some(before.id.0);
    if input.is_trigger() {
        resend_welcome(call, &before, "resend_welcome").await?;
        return Ok(Payload::new().one("user", before.id.0));
    }
    check(call, input, &before)?;
    let mut after = before.clone();
    write_texts(input, &mut after);
    write_choices(call, input, &before, &mut after).await?;
    if let Some(password) = &prepared.password {
        after.password_hash = Some(password.hash().to_owned());
        after.password_set_by = Some(PasswordSetBy::Staff);
    }
    let identity =
        |user: &User| (user.email.clone(), user.first_name.clone(), user.last_name.clone());
    if identity(&before) != identity(&after) {
        lock_address(&mut call.scope, after.email.as_deref()).await?;
        if is_client_taken(&mut call.scope, &after, Some(after.id)).await? {
            return Err(Refused::on("email", "Email has already been taken"));
        }
    }
    let team_changed = change_team(call, input, &before, &after).await?;
    let also: &[&str] = if team_changed { &["other_provider_ids"] } else { &[] };
    let user = after.clone();
    client::save(call, &before, after, also).await?;
    if let Some(address) = input.location.value() {
        location::write_all(call, &user, std::slice::from_ref(address), "location").await?;
    }
    let addresses = input.locations.value().map(Vec::as_slice).unwrap_or_default();
    location::write_all(call, &user, addresses, "locations").await?;
    let referrals = input.referrals.value().map(Vec::as_slice).unwrap_or_default();
    of_client::write_all(call, &user, referrals).await?;
    Ok(Payload::new().one("user", user.id.0))
}

/// The client that `id` or, without it, `current_email` names.
async fn client_of(call: &mut Call<'_>, input: &UpdateClient) -> Answer<User> {
    if let Some(id) = input.id.value().and_then(|id| id.0) {
        return access::client_to_change(call, id, "id").await;
    }
    let email = input.current_email.trimmed().ok_or_else(|| Refused::not_found("id"))?;
    let id = client_of_email(call.scope.tx, call.scope.actor, email).await?;
    access::client_to_change(call, id, "current_email").await
}

/// The one visible client of an e-mail; of a family's nobody, since it could be
/// any of them.
pub async fn client_of_email(q: &mut impl Query, actor: &Actor, email: &str) -> Answer<Id<User>> {
    let table = &ward_identity::tables::USERS;
    let mut select = Select::new(table, actor);
    select.columns = vec![ward_identity::tables::users::id];
    select.least = Level::Full;
    select.filter =
        Cond::is_true("is_patient").and(Cond::eq("email_fold", search::fold(email.trim())));
    select.order = vec![OrderKey::column("id", false)];
    select.limit = Some(2);
    let rows = q.rows(&select.sql()).await?;
    match (rows.len(), rows.scalar().and_then(ward_store::Value::int)) {
        (1, Some(id)) => Ok(Id::new(id)),
        (2, _) => {
            Err(Refused::on("current_email", "Several clients have this e-mail; send the id"))
        }
        _ => Err(Refused::not_found("current_email")),
    }
}

/// Sends a client their invitation again, so often a day (behaviour 18.1); `at` is
/// the field that asks for it.
pub async fn resend_welcome(call: &mut Call<'_>, user: &User, at: &str) -> Answer<()> {
    if !may_be_told(user) {
        return Err(Refused::on(at, "The client has died, and gets no mail"));
    }
    if user.email.is_none() {
        return Err(Refused::on(at, "The client has no e-mail address"));
    }
    if account::resent_in_a_day(call, user).await? >= RESENDS_A_DAY_MAX {
        let message = format!(
            "The welcome mail can be sent again {RESENDS_A_DAY_MAX} times in 24 hours; try again later"
        );
        return Err(Refused::on(at, message));
    }
    let has_password = user.password_hash.is_some();
    let welcome = if has_password { Welcome::SignIn } else { Welcome::SetPassword };
    account::invite(call, user, welcome).await
}

/// Rules and permissions, before anything is written.
fn check(call: &Call<'_>, input: &UpdateClient, before: &User) -> Answer<()> {
    if input.restricted.value().is_some_and(|value| *value != before.restricted) {
        access::requires(call.actor, CAN_RESTRICT_CLIENTS)?;
    }
    if input.active.value().is_some_and(|value| *value != before.active) {
        access::requires(call.actor, CAN_REMOVE_CLIENT)?;
    }
    if input.email.is_given() {
        let email = input.email.trimmed().map(rules::kept_email);
        access::may_redirect(call.actor, before, email.as_deref())?;
    }
    let mut problems = client_rules::check_change(input, call.now());
    let skipped = input.skipped_email.value().copied().unwrap_or(before.skipped_email);
    if input.email.is_given() && !skipped {
        rules::required("email", &input.email, &mut problems);
    }
    if input.dietitian_id.is_given() && input.dietitian_id.value().and_then(|id| id.0).is_none() {
        problems.add("dietitian_id", "Dietitian can't be blank");
    }
    check_life(input, before, &mut problems);
    location::check_all("locations", &input.locations, &mut problems);
    of_client::check_all(&input.referrals, &mut problems);
    problems.check()
}

/// The two days of a life as they will be, whichever of them is sent.
fn check_life(input: &UpdateClient, before: &User, problems: &mut Problems) {
    let field = match (input.deceased_on.is_given(), input.dob.is_given()) {
        (true, _) => "deceased_on",
        (false, true) => "dob",
        (false, false) => return,
    };
    let born = rules::day_of(&input.dob, before.dob);
    let died = rules::day_of(&input.deceased_on, before.deceased_on);
    rules::lived(field, born, died, problems);
}

/// Overwrites the columns that are texts; what was not sent stays.
fn write_texts(input: &UpdateClient, after: &mut User) {
    input.first_name.set_text(&mut after.first_name);
    input.last_name.set_text(&mut after.last_name);
    input.legal_name.set_text(&mut after.legal_name);
    input.phone_number.set_text(&mut after.phone_number);
    input.additional_phone_number.set_text(&mut after.additional_phone_number);
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
    input.timezone.set_text(&mut after.timezone);
    input.height.set_text(&mut after.height);
    input.record_identifier.set_text(&mut after.record_identifier);
    input.additional_record_identifier.set_text(&mut after.additional_record_identifier);
    input.quick_notes.set_text(&mut after.quick_notes);
    if input.dob.is_given() {
        after.dob = input.dob.trimmed().and_then(moment::day);
    }
    if input.deceased_on.is_given() {
        after.deceased_on = input.deceased_on.trimmed().and_then(moment::day);
    }
    if input.ssn.is_given() {
        after.ssn = input.ssn.trimmed().and_then(Ssn::parse).map(|ssn| ssn.digits().to_owned());
    }
    if input.metadata.is_given() {
        let text = input.metadata.value().filter(|text| !text.trim().is_empty());
        after.metadata = text.cloned().map(Json);
    }
    if input.default_billing_type.is_given() {
        let text = input.default_billing_type.trimmed();
        after.default_billing_type = text.and_then(DefaultBillingType::from_text);
    }
    if let Some(skipped) = input.skipped_email.value() {
        after.skipped_email = *skipped;
    }
    if input.email.is_given() {
        after.email = input.email.trimmed().map(rules::kept_email);
        after.unconfirmed_email = None;
    }
}

/// Overwrites what refers to others or needs a permission.
async fn write_choices(
    call: &mut Call<'_>,
    input: &UpdateClient,
    before: &User,
    after: &mut User,
) -> Answer<()> {
    if let Some(restricted) = input.restricted.value() {
        after.restricted = *restricted;
    }
    if let Some(active) = input.active.value() {
        client::set_active(after, *active, call.now());
    }
    if let Some(id) = input.dietitian_id.value().and_then(|id| id.0)
        && after.dietitian_id != Some(id)
    {
        let provider = access::primary_provider(call, id, "dietitian_id").await?;
        // Only the parent sees both units, so only it moves a client between them.
        if provider.unit_id != after.unit_id && !call.actor.is_at_root() {
            return Err(Refused::not_found("dietitian_id"));
        }
        access::may_entrust(call, before).await?;
        after.dietitian_id = Some(provider.id);
        after.unit_id = provider.unit_id;
    }
    match &input.user_group_id {
        Given::Value(IdOrBlank(Some(id))) => {
            let group = group::seen(call, *id, "user_group_id").await?;
            group::check_unit(&group, after.unit_id, "user_group_id")?;
            after.user_group_id = Some(group.id);
        }
        // An empty text removes the group; null only when it is said to be meant.
        Given::Value(IdOrBlank(None)) => after.user_group_id = None,
        Given::Null if input.for_changing_groups.is_true() => after.user_group_id = None,
        Given::Null | Given::Absent if before.unit_id != after.unit_id => {
            care::leave_group_of_other_unit(call, after).await?;
        }
        Given::Null | Given::Absent => {}
    }
    Ok(())
}

/// Replaces the care team when one was sent; a new primary provider leaves it, and
/// so do the people of the unit that the client leaves.
async fn change_team(
    call: &mut Call<'_>,
    input: &UpdateClient,
    before: &User,
    after: &User,
) -> Answer<bool> {
    let ids = match &input.other_provider_ids {
        Given::Value(ids) => ids.clone(),
        Given::Null => Vec::new(),
        Given::Absent if before.dietitian_id == after.dietitian_id => return Ok(false),
        Given::Absent => return care::settle_team(call, before, after).await,
    };
    let team = access::care_team(call, &ids, "other_provider_ids").await?;
    client::may_join(call, before, &team).await?;
    client::replace_team(call, after, &team).await
}
