//! The mail that there is a care plan to see: it names nothing of the plan, and never goes to a
//! client who can't see it or whose account is closed (behaviour 29).

use ward_clients::feature_toggle::{self, Switch};
use ward_engine::{Answer, Call, Payload, Refused};
use ward_identity::deceased::may_be_told;
use ward_identity::id_or_blank::named;
use ward_identity::tables::{Organization, User};
use ward_store::intents::EffectIntent;
use ward_store::system::EffectClass;

use super::input::SendEmail;
use super::table::CarePlan;
use super::{access, activate, rules};

/// What the mail is called.
pub const KIND: &str = "care_plan";
/// Where people sign in; the instance's address is added when it is sent.
const SIGN_IN_PAGE: &str = "/sign-in";

/// Writes to the client of a plan, or to one of its group.
pub async fn send(call: &mut Call<'_>, input: &SendEmail) -> Answer<Payload> {
    let plan = access::seen(call, named(&input.id), "id").await?;
    rules::can_be_active(&plan)?;
    let client = activate::follower(call, &plan, named(&input.patient_id)).await?;
    if !activate::reaches(call, &plan, &client).await? {
        let sentence = "This care plan is not active for the client, who can't see it: \
             toggleCarePlanStatusForSpecificUser makes it so";
        return Err(Refused::base(sentence));
    }
    tell_or_refuse(call, &plan, &client).await?;
    Ok(Payload::new().one("carePlan", plan.id.0))
}

/// Why a client is not written to.
fn unfit(plan: &CarePlan, client: &User) -> Option<&'static str> {
    if !may_be_told(client) {
        return Some("This client has died, and gets no mail");
    }
    match (plan.is_hidden, client.active, client.email.is_some()) {
        (true, _, _) => {
            Some("This care plan is hidden from the client: send is_hidden: false first")
        }
        (false, false, _) => Some("This client is not active, and gets no mail"),
        (false, true, false) => Some("This client has no e-mail address"),
        (false, true, true) => None,
    }
}

/// Whether their feature toggle shows a client care plans.
async fn is_shown(call: &mut Call<'_>, client: &User) -> Answer<bool> {
    let (org_id, id) = (client.org_id.0, client.id.0);
    Ok(feature_toggle::is_on(call.scope.tx, org_id, id, Switch::CarePlans).await?)
}

/// Writes to a client, who is held, or says why not.
pub async fn tell_or_refuse(call: &mut Call<'_>, plan: &CarePlan, client: &User) -> Answer<()> {
    if let Some(sentence) = unfit(plan, client) {
        return Err(Refused::base(sentence));
    }
    if !is_shown(call, client).await? {
        let sentence = "The feature toggle of this client shows no care plans: set \
             can_view_care_plan first";
        return Err(Refused::base(sentence));
    }
    tell(call, plan, client).await
}

/// Writes to a client of several, if they can be written to.
pub async fn tell(call: &mut Call<'_>, plan: &CarePlan, client: &User) -> Answer<()> {
    let Some(to) = client.email.clone().filter(|_| unfit(plan, client).is_none()) else {
        return Ok(());
    };
    if !is_shown(call, client).await? {
        return Ok(());
    }
    let unit: Option<Organization> = call.find(client.unit_id).await?;
    let intent = EffectIntent {
        class: EffectClass::Email,
        kind: KIND,
        to,
        payload: serde_json::json!({
            "recipient_name": client.first_name,
            "practice_name": unit.map(|unit| unit.name),
            "link": SIGN_IN_PAGE,
            "about": { "type": "CarePlan", "id": plan.id.0 },
        }),
        subject_client: Some(client.id.0),
        recipient: Some(client.id.0),
        cause: call.request.request_id.clone(),
        idempotency_key: format!("{KIND}:{}:{}:{}", plan.id, client.id, call.uuid()),
        not_before: None,
        expires_at: None,
    };
    call.intend(intent).await?;
    Ok(())
}
