//! `createClient`: a new client of the caller's organization (behaviour 18.1).

use ward_engine::{Answer, Call, Given, Payload, Refused, input, moment};
use ward_identity::account::{human_of, is_client_taken, lock_address};
use ward_identity::deceased::may_be_told;
use ward_identity::flags::{CAN_ADD_CLIENTS, CAN_RESTRICT_CLIENTS};
use ward_identity::link;
use ward_identity::tables::{CareTeamMember, DefaultBillingType, LinkPurpose, User};
use ward_store::{Id, Json};

use crate::access::{self, IdOrBlank};
use crate::account::{self, Welcome};
use crate::client::blank_client;
use crate::client_rules;
use crate::events;
use crate::group;
use crate::rules;
use crate::ssn::Ssn;
use crate::tables::UserGroup;

input! {
    /// `createClientInput`.
    pub struct CreateClient {
        first_name: String,
        last_name: String,
        legal_name: String,
        email: String,
        skipped_email: bool,
        phone_number: String,
        dob: String,
        /// Of a record that is taken over: the day on which the client died (an addition).
        deceased_on: String,
        gender: String,
        timezone: String,
        record_identifier: String,
        additional_record_identifier: String,
        metadata: String,
        ssn: String,
        default_billing_type: String,
        restricted: bool,
        dietitian_id: IdOrBlank<User>,
        other_provider_ids: Vec<Id<User>>,
        user_group_id: IdOrBlank<UserGroup>,
        dont_send_welcome: bool,
        /// The welcome mail leads to the sign-in page, not to a new password.
        skip_set_password_state: bool,
    }
}

/// Makes a client: its row, its care team, its account and its welcome mail,
/// or nothing of it (behaviour 18.1).
pub async fn create(call: &mut Call<'_>, input: &CreateClient) -> Answer<Payload> {
    access::requires(call.actor, CAN_ADD_CLIENTS)?;
    if input.restricted.is_true() {
        access::requires(call.actor, CAN_RESTRICT_CLIENTS)?;
    }
    client_rules::check_new(input, call.now()).check()?;
    let provider = provider_of(call, input).await?;
    let team_ids = input.other_provider_ids.value().cloned().unwrap_or_default();
    let team = access::care_team(call, &team_ids, "other_provider_ids").await?;
    let group = match input.user_group_id.value().and_then(|id| id.0) {
        Some(id) => Some(group::seen(call, id, "user_group_id").await?),
        None => None,
    };
    if let Some(group) = &group {
        group::check_unit(group, provider.unit_id, "user_group_id")?;
    }
    if !access::is_open(call, provider.unit_id).await? {
        return Err(Refused::base("The organization is not active, so no clients can be added"));
    }
    lock_address(&mut call.scope, input.email.trimmed()).await?;
    let client = new_client(call, input, &provider, group.as_ref()).await?;
    if is_client_taken(&mut call.scope, &client, None).await? {
        return Err(Refused::on("email", "Email has already been taken"));
    }
    call.scope.subject_id = Some(client.id.0);
    ward_identity::account::create(&mut call.scope, &client).await?;
    for member in team.iter().filter(|member| member.id != provider.id) {
        let row = team_member(call, &client, member);
        call.create(&row).await?;
    }
    if may_be_told(&client) {
        open_account(call, input, &client).await?;
    }
    call.emit(events::patient_created(client.id.0, client.unit_id.0));
    Ok(Payload::new().one("user", client.id.0))
}

/// Sends the welcome mail, or makes the link that staff hand out themselves
/// (`set_password_link`, behaviour 18.1).
async fn open_account(call: &mut Call<'_>, input: &CreateClient, client: &User) -> Answer<()> {
    if !input.dont_send_welcome.is_true() && !client.skipped_email {
        let skips = input.skip_set_password_state.is_true();
        let welcome = if skips { Welcome::SignIn } else { Welcome::SetPassword };
        return account::invite(call, client, welcome).await;
    }
    if client.email.is_some() {
        link::issue(&mut call.scope, client, LinkPurpose::Handed).await?;
    }
    Ok(())
}

/// The primary provider: who is named, else the caller, who then must be one.
async fn provider_of(call: &mut Call<'_>, input: &CreateClient) -> Answer<User> {
    if let Some(id) = input.dietitian_id.value().and_then(|id| id.0) {
        return access::primary_provider(call, id, "dietitian_id").await;
    }
    let caller = Id::new(call.actor.user_id);
    match access::primary_provider(call, caller, "dietitian_id").await {
        Err(Refused::NotFound(_)) => Err(Refused::on(
            "dietitian_id",
            "Dietitian can't be blank: you can't have clients of your own",
        )),
        other => other,
    }
}

/// A care team member's row.
pub fn team_member(call: &Call<'_>, client: &User, member: &User) -> CareTeamMember {
    CareTeamMember {
        org_id: client.org_id,
        patient_id: client.id,
        user_id: member.id,
        created_at: call.now(),
    }
}

async fn new_client(
    call: &mut Call<'_>,
    input: &CreateClient,
    provider: &User,
    group: Option<&UserGroup>,
) -> Answer<User> {
    let text = |value: &Given<String>| value.trimmed().map(str::to_owned);
    let email = input.email.trimmed().map(rules::kept_email);
    let human_id = human_of(&mut call.scope, &provider.namespace, email.as_deref(), true).await?;
    let id = call.next_id().await?;
    let mut client = blank_client(id, provider, human_id, call.now());
    client.skipped_email = input.skipped_email.is_true();
    client.email = email;
    client.first_name = text(&input.first_name);
    client.last_name = text(&input.last_name);
    client.legal_name = text(&input.legal_name);
    client.phone_number = text(&input.phone_number);
    client.gender = text(&input.gender);
    client.dob = input.dob.trimmed().and_then(moment::day);
    client.deceased_on = input.deceased_on.trimmed().and_then(moment::day);
    client.timezone = text(&input.timezone);
    client.record_identifier = text(&input.record_identifier);
    client.additional_record_identifier = text(&input.additional_record_identifier);
    client.default_billing_type =
        input.default_billing_type.trimmed().and_then(DefaultBillingType::from_text);
    client.restricted = input.restricted.is_true();
    // As sent: not even white space is touched (behaviour 9).
    client.metadata =
        input.metadata.value().filter(|text| !text.trim().is_empty()).cloned().map(Json);
    client.ssn = input.ssn.trimmed().and_then(Ssn::parse).map(|ssn| ssn.digits().to_owned());
    client.user_group_id = group.map(|group| group.id);
    client.created_by_id = (call.actor.user_id != 0).then(|| Id::new(call.actor.user_id));
    Ok(client)
}
