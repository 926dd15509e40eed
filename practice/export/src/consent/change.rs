//! Recording and revoking consents to disclosure. Whoever sees the client in full records one, as
//! whatever else is in the chart; a client revokes their own.

use ward_charting::filled::tables::FormAnswerGroup;
use ward_charting::tables::Confidentiality;
use ward_clients::access;
use ward_engine::{Answer, Call, Given, Payload, Refused, input};
use ward_identity::id_or_blank::{IdOrBlank, named};
use ward_identity::permit::members_only;
use ward_identity::tables::User;
use ward_store::{Id, Level, Query, Sql, Value};

use super::table::DisclosureConsent;
use super::{archives, grant, rules};

/// A client can have so many consents that are not revoked.
const CONSENTS_MAX: i64 = 1_000;

const FORM: &str = "form_answer_group_id";

input! {
    /// `createDisclosureConsentInput`.
    pub struct CreateConsent {
        user_id: IdOrBlank<User>,
        form_answer_group_id: IdOrBlank<FormAnswerGroup>,
        recipient: String,
        purpose: String,
        scope: String,
        signed_on: String,
        expires_on: String,
    }
}

input! {
    /// `revokeDisclosureConsentInput`.
    pub struct RevokeConsent { id: IdOrBlank<DisclosureConsent> }
}

/// Records what a client has consented to.
pub async fn create(call: &mut Call<'_>, input: &CreateConsent) -> Answer<Payload> {
    let client = subject(call, &input.user_id).await?;
    let form_answer_group_id = form(call, &input.form_answer_group_id, &client).await?;
    let now = call.now();
    let terms = rules::terms(input, now)?;
    let consent = DisclosureConsent {
        id: call.next_id().await?,
        org_id: client.org_id,
        unit_id: client.unit_id,
        user_id: client.id,
        recipient: terms.recipient,
        purpose: terms.purpose,
        scope: terms.scope,
        signed_on: terms.signed_on,
        expires_on: terms.expires_on,
        form_answer_group_id,
        revoked_at: None,
        revoked_by_id: None,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    call.create(&consent).await?;
    grant::note(call, &client, "disclosure_consent_recorded", consent.id);
    Ok(Payload::new().one("disclosure_consent", consent.id.0))
}

/// Takes down that a consent was revoked: from now on nothing is disclosed by it (42 CFR 2.31(a)(6)),
/// and the archives that were made by it are deleted.
/// What is revoked stays as it is.
pub async fn revoke(call: &mut Call<'_>, input: &RevokeConsent) -> Answer<Payload> {
    const AT: &str = "id";
    let missing = || Refused::not_found(AT);
    let id = named(&input.id).ok_or_else(missing)?;
    let found: Option<(DisclosureConsent, Level)> = call.visible(id, Level::Full).await?;
    let (seen, _) = found.ok_or_else(missing)?;
    let client = access::client_to_change(call, seen.user_id, AT).await?;
    let found: Option<(DisclosureConsent, Level)> =
        call.visible_for_update(id, Level::Full).await?;
    let (before, _) = found.ok_or_else(missing)?;
    call.scope.subject_id = Some(client.id.0);
    if before.revoked_at.is_none() {
        let mut after = before.clone();
        // The audit entries of it are for those who look after the client now.
        after.unit_id = client.unit_id;
        after.revoked_at = Some(call.now());
        after.revoked_by_id = (call.actor.user_id != 0).then(|| Id::new(call.actor.user_id));
        call.update(&before, &after).await?;
        grant::note(call, &client, "disclosure_consent_revoked", before.id);
        archives::destroy(call, before.id).await?;
    }
    Ok(Payload::new().one("disclosure_consent", before.id.0))
}

/// The client whose consent is recorded, held; there is room for one more.
async fn subject(call: &mut Call<'_>, id: &Given<IdOrBlank<User>>) -> Answer<User> {
    const AT: &str = "user_id";
    members_only(call.actor)?;
    let id = named(id).ok_or_else(|| Refused::not_found(AT))?;
    let client = access::client_to_change(call, id, AT).await?;
    call.scope.subject_id = Some(client.id.0);
    let sql = Sql::fixed(
        "SELECT COUNT(*) FROM disclosure_consents c WHERE c.org_id = $1 AND c.user_id = $2 \
         AND c.revoked_at IS NULL",
        [client.org_id.0.into(), client.id.0.into()],
    );
    let consents = call.tx.rows(&sql).await?.scalar().and_then(Value::int).unwrap_or(0);
    match consents < CONSENTS_MAX {
        true => Ok(client),
        false => Err(Refused::base(format!(
            "A client can have {CONSENTS_MAX} consents that are not revoked; revoke one first"
        ))),
    }
}

/// The form that was signed: the client's own, and finished.
async fn form(
    call: &mut Call<'_>,
    id: &Given<IdOrBlank<FormAnswerGroup>>,
    client: &User,
) -> Answer<Option<Id<FormAnswerGroup>>> {
    let Some(id) = named(id) else { return Ok(None) };
    let found: Option<(FormAnswerGroup, Level)> =
        call.visible_for_reference(id, Level::Full).await?;
    let form = found.map(|(form, _)| form);
    let form = form.filter(|it| it.user_id == client.id && !it.is_group_appt_note);
    let form = form.ok_or_else(|| Refused::not_found(FORM))?;
    // These are kept apart from the record, and the client does not see them.
    if form.confidentiality == Confidentiality::CounsellingNotes {
        return Err(Refused::on(
            FORM,
            "Counselling notes are no consent: name the form that was signed",
        ));
    }
    match form.finished {
        true => Ok(Some(form.id)),
        false => Err(Refused::on(FORM, "This form is a draft: name one that is finished")),
    }
}
