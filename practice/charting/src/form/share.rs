//! Sharing a template: a colleague gets a copy of their own, and a mail that says so.

use ward_engine::{Answer, Call, Payload, Refused};
use ward_identity::flags::CAN_EDIT_FORMS;
use ward_identity::permit::requires;
use ward_identity::person::{self, Person};
use ward_identity::tables::{Organization, USERS, User, users};
use ward_store::intents::EffectIntent;
use ward_store::system::EffectClass;
use ward_store::{Cond, Level, OrderKey, Query, Select, Value};

use super::copy::make;
use super::held;
use super::input::ShareForm;
use crate::tables::CustomModuleForm;

const AT: &str = "form_share_recipient";
/// Where people sign in; the instance's address is added when it is sent.
const SIGN_IN_PAGE: &str = "/sign-in";

/// Gives a member of the caller's organization, named by e-mail, an independent copy.
pub async fn share(call: &mut Call<'_>, input: &ShareForm) -> Answer<Payload> {
    requires(call.actor, CAN_EDIT_FORMS)?;
    let of = held(call, input.id.value().copied(), "id").await?;
    let member = recipient(call, input.form_share_recipient.trimmed()).await?;
    if input.validate_permissions.is_true() && !member.actor(None).has(CAN_EDIT_FORMS.flag) {
        let sentence = "This member may not edit forms; give them can_edit_forms first";
        return Err(Refused::on(AT, sentence));
    }
    let whose = (member.user.unit_id, Some(member.user.id));
    let copy = make(call, &of, whose, of.name.clone()).await?;
    tell(call, &copy, &member.user).await?;
    Ok(Payload::new().one("customModuleForm", copy.id.0))
}

/// The member whom an e-mail names: one whom the caller sees, and who can sign in.
async fn recipient(call: &mut Call<'_>, email: Option<&str>) -> Answer<Person> {
    let Some(email) = email else {
        return Err(Refused::on(AT, "Form share recipient can't be blank"));
    };
    let unknown = || Refused::on(AT, "No active member of your organization has this e-mail");
    let mut select = Select::new(&USERS, call.scope.actor);
    select.columns = vec![users::id];
    select.least = Level::Full;
    select.filter = Cond::eq("email", ward_clients::rules::kept_email(email))
        .and(Cond::eq("is_patient", false))
        .and(Cond::is_true("active"));
    select.order = vec![OrderKey::column("id", false)];
    select.limit = Some(1);
    let sql = select.sql();
    let found = call.scope.tx.rows(&sql).await?.row(0).first().and_then(Value::int);
    let org_id = call.actor.org_id;
    let person = match found {
        Some(id) => person::load(call.scope.tx, org_id, id).await?,
        None => None,
    };
    person.filter(Person::may_sign_in).ok_or_else(unknown)
}

async fn tell(call: &mut Call<'_>, copy: &CustomModuleForm, to: &User) -> Answer<()> {
    let Some(address) = to.email.clone() else { return Ok(()) };
    let unit: Option<Organization> = call.find(to.unit_id).await?;
    let sender: Option<User> = match super::caller(call) {
        Some(id) => call.find(id).await?,
        None => None,
    };
    let intent = EffectIntent {
        class: EffectClass::Email,
        kind: "form_shared",
        to: address,
        payload: serde_json::json!({
            "recipient_name": to.first_name,
            "practice_name": unit.map(|unit| unit.name),
            "member_name": sender.map(|sender| sender.full_name()),
            "link": SIGN_IN_PAGE,
            "about": { "type": "CustomModuleForm", "id": copy.id.0 },
        }),
        subject_client: None,
        recipient: Some(to.id.0),
        cause: call.request.request_id.clone(),
        idempotency_key: format!("form_shared:{}", copy.id),
        not_before: None,
        expires_at: None,
    };
    call.intend(intent).await?;
    Ok(())
}
