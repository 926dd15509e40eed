//! Doing and skipping steps: by hand, and by finishing the form that a step asks for
//! (behaviour 27).
//!
//! A step is held before the client, as a form's appointment is, and a client's steps are
//! written down one after another: the client is held to be changed. Who finishes a form holds
//! it before the client; a merge of clients goes the other way, and one of the two begins anew.

use ward_clients::access;
use ward_clients::feature_toggle::{self, Switch};
use ward_engine::{Answer, Call, Payload, Refused};
use ward_identity::id_or_blank::named;
use ward_identity::permit::members_only;
use ward_identity::tables::User;
use ward_store::{Cond, Id, Level, Query, Sql};

use super::due;
use super::input::CreateCompleted;
use super::rules::{Deed, Outcome, outcome};
use super::tables::{CompletedOnboardingItem, OnboardingItem};
use crate::events;
use crate::filled::tables::FormAnswerGroup;
use crate::form::caller;
use crate::request::history::{self, Of};
use crate::request::tables::Action;
use crate::tables::{Confidentiality, CustomModuleForm};

const AT: &str = "onboarding_item_id";

/// Says that a client has done a step, or skips it.
pub async fn create(call: &mut Call<'_>, input: &CreateCompleted) -> Answer<Payload> {
    let client = whose(call, named(&input.user_id)).await?;
    call.scope.subject_id = Some(client.0);
    let item = step(call, named(&input.onboarding_item_id), client).await?;
    let client = access::client_to_change(call, client, "user_id").await?;
    let before = done(call, client.id, item.id).await?;
    let filled = match item.custom_module_form_id {
        Some(form) => newest(call, client.id, form).await?,
        None => None,
    };
    let skips = input.skipped.is_true();
    let deed = Deed {
        skips,
        is_clients: call.actor.is_client(),
        is_filled: filled.is_some() || item.custom_module_form_id.is_none(),
    };
    let becomes = outcome(item.is_skippable, before.as_ref().map(|it| it.skipped), deed);
    match becomes {
        Outcome::MayNotSkip => {
            return Err(Refused::on("skipped", "This step can't be skipped"));
        }
        Outcome::FormFirst => {
            return Err(Refused::on(AT, "Fill in and finish the form of this step first"));
        }
        _ => {}
    }
    let row = write(call, (&item, &client), (before, becomes), (skips, filled)).await?;
    Ok(Payload::new().one("completed_onboarding_item", row.0))
}

/// The client who does it: one whom the member sees, or the client who asks; not held yet.
async fn whose(call: &mut Call<'_>, id: Option<Id<User>>) -> Answer<Id<User>> {
    const WHO: &str = "user_id";
    if call.actor.is_client() {
        let own = Id::new(call.actor.user_id);
        if id.is_some_and(|id| id != own) {
            return Err(Refused::not_found(WHO));
        }
        let org_id = call.actor.org_id;
        if !feature_toggle::is_on(call.scope.tx, org_id, own.0, Switch::Forms).await? {
            return Err(Refused::base("Your practice has switched forms off"));
        }
        return Ok(own);
    }
    members_only(call.actor)?;
    let id = id.ok_or_else(|| Refused::not_found(WHO))?;
    let found: Option<(User, _)> = call.visible(id, Level::Full).await?;
    let client = found.map(|(user, _)| user).filter(|it| it.is_patient);
    client.map(|it| it.id).ok_or_else(|| Refused::not_found(WHO))
}

/// A step of the client's flow, held as something that is referred to.
async fn step(
    call: &mut Call<'_>,
    id: Option<Id<OnboardingItem>>,
    client: Id<User>,
) -> Answer<OnboardingItem> {
    let id = id.ok_or_else(|| Refused::not_found(AT))?;
    let found = call.visible_for_reference::<OnboardingItem>(id, Level::Public).await?;
    let (item, _) = found.ok_or_else(|| Refused::not_found(AT))?;
    let org_id = call.actor.org_id;
    match due::flow_of(call.scope.tx, org_id, client.0).await? == Some(item.onboarding_flow_id) {
        true => Ok(item),
        false => {
            Err(Refused::on(AT, "This step is of an intake flow that the client doesn't have"))
        }
    }
}

/// The step that a form is filled in for: one that asks for this form.
pub async fn for_form(
    call: &mut Call<'_>,
    id: Option<Id<OnboardingItem>>,
    client: Id<User>,
    form: &CustomModuleForm,
) -> Answer<Option<Id<OnboardingItem>>> {
    let Some(id) = id else { return Ok(None) };
    let item = step(call, Some(id), client).await?;
    match item.custom_module_form_id == Some(form.id) {
        true => Ok(Some(item.id)),
        false => Err(Refused::on(AT, "This step of the intake flow asks for another form")),
    }
}

/// The steps that a form completes once it is finished: the one that it was begun for, and
/// those of the client's flow that ask for it.
pub async fn completes(
    call: &mut Call<'_>,
    group: &FormAnswerGroup,
) -> Answer<Vec<Id<OnboardingItem>>> {
    if group.use_for_charting {
        return Ok(Vec::new());
    }
    let who = (group.org_id.0, group.user_id.0);
    let form = group.custom_module_form_id.0;
    let mut steps = due::asking_for(call.scope.tx, who, form).await?;
    steps.extend(group.onboarding_item_id);
    steps.sort_unstable();
    steps.dedup();
    Ok(steps)
}

/// Writes down that the client, who is held, has done these steps by finishing a form.
pub async fn finished(
    call: &mut Call<'_>,
    group: &FormAnswerGroup,
    steps: &[Id<OnboardingItem>],
) -> Answer<()> {
    for id in steps {
        // A step that was taken out since is asked of nobody any more.
        let Some(item) = call.find::<OnboardingItem>(*id).await? else { continue };
        // It may ask for another form by now.
        if item.custom_module_form_id != Some(group.custom_module_form_id) {
            continue;
        }
        let Some(client) = call.find::<User>(group.user_id).await? else { continue };
        let before = done(call, client.id, item.id).await?;
        let deed = Deed { skips: false, is_clients: call.actor.is_client(), is_filled: true };
        let becomes = outcome(item.is_skippable, before.as_ref().map(|it| it.skipped), deed);
        write(call, (&item, &client), (before, becomes), (false, Some(group.id))).await?;
    }
    Ok(())
}

/// Writes a step down where it is not, and that it is done now where it was skipped.
async fn write(
    call: &mut Call<'_>,
    (item, client): (&OnboardingItem, &User),
    (before, becomes): (Option<CompletedOnboardingItem>, Outcome),
    (skipped, filled): (bool, Option<Id<FormAnswerGroup>>),
) -> Answer<Id<CompletedOnboardingItem>> {
    let now = call.now();
    let Some(before) = before else {
        let row = CompletedOnboardingItem {
            id: call.next_id().await?,
            org_id: client.org_id,
            unit_id: client.unit_id,
            onboarding_item_id: item.id,
            user_id: client.id,
            skipped,
            form_answer_group_id: filled.filter(|_| !skipped),
            completed_by_id: caller(call),
            completed_at: now,
            version: 1,
            created_at: now,
            updated_at: now,
            deleted_at: None,
        };
        call.create(&row).await?;
        call.emit(events::item_completed(&row));
        let action = if skipped { Action::Skipped } else { Action::Completed };
        history::note(call, Of::Step(item, client.id, client.unit_id), action).await?;
        return Ok(row.id);
    };
    if becomes != Outcome::Completes {
        return Ok(before.id);
    }
    let after = CompletedOnboardingItem {
        skipped: false,
        form_answer_group_id: filled,
        completed_by_id: caller(call),
        completed_at: now,
        unit_id: client.unit_id,
        ..before.clone()
    };
    call.update(&before, &after).await?;
    call.emit(events::item_changed(&after, &["skipped"]));
    history::note(call, Of::Step(item, client.id, client.unit_id), Action::Completed).await?;
    Ok(before.id)
}

/// What a client has done of a step.
async fn done(
    call: &mut Call<'_>,
    client: Id<User>,
    item: Id<OnboardingItem>,
) -> Answer<Option<CompletedOnboardingItem>> {
    let of = Cond::eq("user_id", client.0).and(Cond::eq("onboarding_item_id", item.0));
    Ok(call.find_by(of).await?)
}

/// What the client has filled in of a form, last, and finished; for who acts for them, nothing
/// that is confidential.
async fn newest(
    call: &mut Call<'_>,
    client: Id<User>,
    form: Id<CustomModuleForm>,
) -> Answer<Option<Id<FormAnswerGroup>>> {
    let mut sql = Sql::new();
    sql.push("SELECT g.id FROM form_answer_groups g WHERE g.org_id = ").bind(call.actor.org_id);
    sql.push(" AND g.user_id = ").bind(client.0);
    sql.push(" AND g.custom_module_form_id = ").bind(form.0);
    sql.push(" AND g.finished = TRUE AND g.use_for_charting = FALSE AND g.deleted_at IS NULL");
    if call.actor.proxy_id.is_some() {
        sql.push(" AND g.confidentiality = ").bind(Confidentiality::Normal.as_str());
    }
    sql.push(" ORDER BY g.completed_at DESC, g.id DESC LIMIT 1");
    let found = call.tx.rows(&sql).await?;
    Ok(found.scalar().and_then(ward_store::Value::int).map(Id::new))
}
