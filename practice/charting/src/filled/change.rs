//! Beginning, saving, finishing and deleting forms and notes (behaviour 26).

use ward_clients::feature_toggle::{self, Switch};
use ward_clients::{access, fact};
use ward_engine::{Answer, Call, Given, Payload, Problems, Refused};
use ward_identity::flags::CAN_DELETE_CHARTING_NOTES;
use ward_identity::id_or_blank::named;
use ward_identity::permit::{members_only, requires};
use ward_identity::tables::User;
use ward_scheduling::appointment::table::Appointment;
use ward_store::{Id, Level, Query, Sql, Value};

use super::input::{self, CLIENT_FORMS_MAX, CreateGroup, DeleteGroup, Said, UpdateGroup};
use super::sheet::Sheet;
use super::tables::FormAnswerGroup;
use super::{autolock, confidentiality, prefill, session};
use crate::events;
use crate::flow::complete;
use crate::form::caller;
use crate::group_note::write::Notes;
use crate::group_note::{input as individual, session as group_session};
use crate::request::fill;
use crate::tables::CustomModuleForm;

/// What is said to whoever would change what is locked.
pub const LOCKED: &str =
    "This form is locked and can't be changed; add an addendum, or unlock it first";

/// Begins a form: a draft, or one that is finished at once.
pub async fn create(call: &mut Call<'_>, input: &CreateGroup) -> Answer<Payload> {
    let session = group_session::of_group(call, named(&input.appointment_id)).await?;
    let (client, form) = begun(call, input, session.as_ref()).await?;
    call.scope.subject_id = Some(client.id.0);
    // Whether it is one is decided now: what is written about one client is never opened to those
    // who see another.
    let is_group_appt_note = session.is_some() && form.use_for_charting;
    let mut said: Vec<Said> =
        input.form_answers.value().into_iter().flatten().map(Said::from).collect();
    let mut problems = input::check(&input.name, &input.external_id, &input.metadata, &said);
    let whole = [("formatted_date", &input.formatted_date), ("created_at", &input.created_at)];
    let day = (&input.date, &input.time);
    let served_at = input::served_at(&whole, day, &call.request.zone, &mut problems);
    let confidentiality = confidentiality::of_new(call, input, &form, &mut problems);
    let zone = &call.request.zone;
    let of_single = individual::said(&input.individual_client_notes, zone, &mut problems);
    problems.check()?;
    let appointment = session::attended(call, named(&input.appointment_id), client.id).await?;
    let step = complete::for_form(call, named(&input.onboarding_item_id), client.id, &form).await?;
    let asked = named(&input.requested_form_completion_id);
    let asked = fill::for_form(call, asked, client.id, &form).await?;
    let mut sheet = Sheet::blank(call, form.id).await?;
    let finished = input.finished.is_true();
    // What is finished may complete a step, and what is said of the client changes them.
    let asks_facts = !is_group_appt_note && sheet.asks_facts();
    let completes = finished && (asks_facts || !form.use_for_charting);
    let changes = completes || asked.is_some();
    let client = hold(call, client.id, changes).await?;
    let now = call.now();
    let mut group = FormAnswerGroup {
        id: call.next_id().await?,
        org_id: client.org_id,
        unit_id: client.unit_id,
        custom_module_form_id: form.id,
        user_id: client.id,
        filler_id: caller(call),
        appointment_id: appointment,
        onboarding_item_id: step,
        name: input.name.trimmed().unwrap_or(&form.name).to_owned(),
        use_for_charting: form.use_for_charting,
        is_group_appt_note,
        confidentiality,
        finished,
        completed_at: (finished || input.marked_complete.is_true()).then_some(now),
        scores: None,
        saves_count: 0,
        signings_count: 0,
        locked_at: None,
        locked_by_id: None,
        autolock_from: None,
        autolock_skipped_until: None,
        autolock_failures: None,
        external_id: None,
        metadata: None,
        served_at: served_at.unwrap_or(now),
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    mark(call, (&input.external_id, &input.metadata), &mut group);
    autolock::set_time(&mut group, now);
    // Nothing of one client begins a note that is read with another's chart.
    if said.is_empty() && input.set_initial_answers.is_true() && !is_group_appt_note {
        said = prefill::answers(call, &form, &client).await?;
    }
    sheet.write(call, &group, &said).await?;
    if finished {
        sheet.complete(call, &group).await?;
    }
    group.scores = sheet.settle(finished)?;
    let mut notes = Notes::of(call, &group).await?;
    notes.complete(call, &group).await?;
    notes.write(call, &of_single).await?;
    call.create(&group).await?;
    autolock::written(call, None, &group).await?;
    session::tell(call, None, &group);
    sheet.save(call).await?;
    notes.save(call).await?;
    if finished {
        call.emit(events::group_created(&group));
        let facts = if asks_facts { sheet.facts(now) } else { Vec::new() };
        fact::write(call, group.user_id, &facts).await?;
        let steps = complete::completes(call, &group).await?;
        complete::finished(call, &group, &steps).await?;
    }
    fill::saved(call, &group, (asked, finished)).await?;
    Ok(Payload::new().one("form_answer_group", group.id.0))
}

/// The client whose it is and the form. A note of a group's appointment needs to name nobody: it is
/// filed under the first client who attends.
async fn begun(
    call: &mut Call<'_>,
    input: &CreateGroup,
    session: Option<&Appointment>,
) -> Answer<(User, CustomModuleForm)> {
    let form = named(&input.custom_module_form_id);
    let Some(session) = session.filter(|_| named(&input.user_id).is_none()) else {
        let client = client(call, named(&input.user_id)).await?;
        return Ok((client, template(call, form).await?));
    };
    let form = template(call, form).await?;
    let of = match form.use_for_charting {
        true => group_session::first(call, session).await?,
        false => None,
    };
    Ok((client(call, of).await?, form))
}

/// The client whose it is: one whom the member sees, or the client who asks; not held yet.
async fn client(call: &mut Call<'_>, id: Option<Id<User>>) -> Answer<User> {
    let own = Id::new(call.actor.user_id);
    if call.actor.is_client() {
        if id.is_some_and(|id| id != own) {
            return Err(Refused::not_found("user_id"));
        }
        let org_id = call.actor.org_id;
        if !feature_toggle::is_on(call.scope.tx, org_id, own.0, Switch::Forms).await? {
            return Err(Refused::base("Your practice has switched forms off"));
        }
        let client = seen(call, own).await?;
        let sql = Sql::fixed(
            "SELECT COUNT(*) FROM form_answer_groups g \
             WHERE g.org_id = $1 AND g.user_id = $2 AND g.filler_id = $2",
            [org_id.into(), own.0.into()],
        );
        let filled = call.tx.rows(&sql).await?.scalar().and_then(Value::int).unwrap_or(0);
        return match filled < CLIENT_FORMS_MAX {
            true => Ok(client),
            false => Err(Refused::base(format!(
                "You have filled in {CLIENT_FORMS_MAX} forms, which is the most; ask your practice"
            ))),
        };
    }
    members_only(call.actor)?;
    let id = id.ok_or_else(|| Refused::not_found("user_id"))?;
    seen(call, id).await
}

async fn seen(call: &mut Call<'_>, id: Id<User>) -> Answer<User> {
    let found: Option<(User, _)> = call.visible(id, Level::Full).await?;
    let client = found.map(|(user, _)| user).filter(|it| it.is_patient);
    client.ok_or_else(|| Refused::not_found("user_id"))
}

/// Holds the client until the form is written, behind the appointment, as all do; at once in the
/// way that is needed in the end: two who finish forms would each wait for the other.
async fn hold(call: &mut Call<'_>, id: Id<User>, changes: bool) -> Answer<User> {
    match changes {
        true => access::client_to_change(call, id, "user_id").await,
        false => access::seen_user(call, id, "user_id").await,
    }
}

/// The template that is filled in: of a client one that clients fill in.
async fn template(
    call: &mut Call<'_>,
    id: Option<Id<CustomModuleForm>>,
) -> Answer<CustomModuleForm> {
    const AT: &str = "custom_module_form_id";
    let id = id.ok_or_else(|| Refused::not_found(AT))?;
    let least = if call.actor.is_member() { Level::Full } else { Level::Public };
    let found = call.visible_for_reference::<CustomModuleForm>(id, least).await?;
    let (form, _) = found.ok_or_else(|| Refused::not_found(AT))?;
    match form.is_archived {
        true => Err(Refused::on(AT, "This form is archived; put it to use again first")),
        false => Ok(form),
    }
}

/// A form that is there, held until the transaction ends.
pub async fn held(call: &mut Call<'_>, id: Option<Id<FormAnswerGroup>>) -> Answer<FormAnswerGroup> {
    let id = id.ok_or_else(|| Refused::not_found("id"))?;
    let found = call.visible_for_update::<FormAnswerGroup>(id, Level::Full).await?;
    let (mut group, _) = found.ok_or_else(|| Refused::not_found("id"))?;
    call.scope.subject_id = Some(group.user_id.0);
    // The events and the audit entries of it are for those who look after the client now.
    if let Some(client) = call.find(group.user_id).await? {
        group.unit_id = client.unit_id;
    }
    Ok(group)
}

/// Whether the caller may write in it: members, and clients what they began. Nobody in
/// what is locked.
pub fn may_write(call: &Call<'_>, group: &FormAnswerGroup) -> Answer<()> {
    if !call.actor.is_client() {
        members_only(call.actor)?;
    } else if group.filler_id != caller(call) {
        let sentence = "Your practice filled this form in; ask them to change it";
        return Err(Refused::base(sentence));
    }
    match group.locked_at {
        Some(_) => Err(Refused::base(LOCKED)),
        None => Ok(()),
    }
}

/// Saves answers; those that are not sent stay. Who read an older version than there is
/// by now, and says so, is refused: nobody's answers are lost to somebody else's.
pub async fn update(call: &mut Call<'_>, input: &UpdateGroup) -> Answer<Payload> {
    let before = held(call, input.id.value().copied()).await?;
    may_write(call, &before)?;
    if input.version.value().is_some_and(|version| *version != before.version) {
        let sentence = format!(
            "Somebody else changed this form meanwhile; read version {} and send your change again",
            before.version
        );
        return Err(Refused::on("version", sentence));
    }
    let said: Vec<Said> =
        input.form_answers.value().into_iter().flatten().map(Said::from).collect();
    let mut problems = input::check(&input.name, &input.external_id, &input.metadata, &said);
    let whole = [("formatted_date", &input.formatted_date)];
    let day = (&input.date, &input.time);
    let served_at = input::served_at(&whole, day, &call.request.zone, &mut problems);
    check_finished(input, &before, &mut problems);
    let confidentiality = confidentiality::of_changed(call, input, &before, &mut problems)?;
    let zone = &call.request.zone;
    let of_single = individual::said(&input.individual_client_notes, zone, &mut problems);
    problems.check()?;
    let mut after = FormAnswerGroup { confidentiality, ..before.clone() };
    write_facts(call, input, &mut after).await?;
    after.served_at = served_at.unwrap_or(after.served_at);
    let mut sheet = Sheet::of(call, &before).await?;
    sheet.write(call, &before, &said).await?;
    if after.finished {
        sheet.complete(call, &before).await?;
    }
    after.scores = sheet.settle(after.finished)?;
    let mut notes = Notes::of(call, &before).await?;
    // What was signed stays as it is, unless somebody writes of single clients.
    if !before.finished || !of_single.is_empty() {
        notes.complete(call, &before).await?;
    }
    notes.write(call, &of_single).await?;
    let finishes = after.finished && !before.finished;
    let asks_facts = after.finished && !after.is_group_appt_note && sheet.asks_facts();
    if asks_facts || (finishes && !after.use_for_charting) {
        hold(call, after.user_id, true).await?;
    }
    let changed = sheet.save(call).await? | notes.save(call).await?;
    let facts = if asks_facts { sheet.facts(call.now()) } else { Vec::new() };
    let payload = save(call, &before, &mut after, changed).await?;
    fact::write(call, after.user_id, &facts).await?;
    if finishes {
        let steps = complete::completes(call, &after).await?;
        complete::finished(call, &after, &steps).await?;
    }
    if finishes || changed {
        fill::saved(call, &after, (None, finishes)).await?;
    }
    Ok(payload)
}

/// A program's own data, which no client writes over: they don't read it either
/// (behaviour 9).
fn mark(
    call: &Call<'_>,
    (external_id, metadata): (&Given<String>, &Given<String>),
    group: &mut FormAnswerGroup,
) {
    if !call.actor.is_client() {
        external_id.set_text(&mut group.external_id);
        metadata.set_text(&mut group.metadata);
    }
}

fn check_finished(input: &UpdateGroup, before: &FormAnswerGroup, problems: &mut Problems) {
    if before.finished && input.finished.value() == Some(&false) {
        problems.add("finished", "What was finished can't become a draft again");
    }
}

async fn write_facts(
    call: &mut Call<'_>,
    input: &UpdateGroup,
    group: &mut FormAnswerGroup,
) -> Answer<()> {
    if let Some(name) = input.name.trimmed() {
        name.clone_into(&mut group.name);
    }
    mark(call, (&input.external_id, &input.metadata), group);
    if input.appointment_id.is_given() {
        session::lead(call, group, named(&input.appointment_id)).await?;
    }
    let finishes = !group.finished && input.finished.is_true();
    group.finished |= finishes;
    if finishes || (group.completed_at.is_none() && input.marked_complete.is_true()) {
        group.completed_at = Some(call.now());
    }
    autolock::set_time(group, call.now());
    Ok(())
}

/// Writes the form, which is another version when its answers are others.
async fn save(
    call: &mut Call<'_>,
    before: &FormAnswerGroup,
    after: &mut FormAnswerGroup,
    answers_changed: bool,
) -> Answer<Payload> {
    after.saves_count += i64::from(answers_changed);
    let changes = call.update(before, after).await?;
    autolock::written(call, Some(before), after).await?;
    if !changes.is_empty() {
        call.emit(events::group_updated(after, &changes.columns));
    }
    session::tell(call, Some(before), after);
    if after.finished && !before.finished {
        call.emit(events::group_created(after));
    }
    Ok(Payload::new().one("form_answer_group", after.id.0))
}

/// Deletes a form: a draft is its author's to delete, all else takes
/// `can_delete_charting_notes`. What is locked stays.
pub async fn delete(call: &mut Call<'_>, input: &DeleteGroup) -> Answer<Payload> {
    let group = held(call, named(&input.id)).await?;
    if named(&input.user_id).is_some_and(|id| id != group.user_id || group.is_group_appt_note) {
        return Err(Refused::not_found("user_id"));
    }
    let is_own_draft = !group.finished && group.filler_id == caller(call);
    if !is_own_draft {
        requires(call.actor, CAN_DELETE_CHARTING_NOTES)?;
    }
    if group.locked_at.is_some() {
        return Err(Refused::base("This form is locked and can't be deleted; unlock it first"));
    }
    call.destroy(&group).await?;
    match group.finished {
        true => drop(call.emit(events::group_deleted(&group))),
        false => fill::dropped(call, &group).await?,
    }
    Ok(Payload::new().one("form_answer_group", group.id.0))
}
