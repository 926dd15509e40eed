//! Metrics follow from forms: an answer to a question whose type is the name of a metric makes an
//! entry as soon as the form is finished, in the same transaction (behaviour 25). Charting knows
//! nothing of it. Whoever saves a form holds it, so that no two calls make one at a time.

use ward_charting::filled::tables::{FormAnswer, FormAnswerGroup};
use ward_charting::tables::Confidentiality;
use ward_engine::{Answer, Bindings, Call};
use ward_identity::tables::User;
use ward_store::{Cond, Event, Id, OrderKey, Query, Sql, Value};

use super::table::{Entry, Kind};
use super::{access, metric};
use crate::events::of_entry;

/// Registers the reactions.
pub fn bind(b: &mut Bindings) {
    b.reaction("form_answer_group.created", |call, event| Box::pin(saved(call, event)));
    b.reaction("form_answer_group.updated", |call, event| Box::pin(saved(call, event)));
}

/// Has the entries of a finished form say what its answers say.
async fn saved(call: &mut Call<'_>, event: &Event) -> Answer<()> {
    let found: Option<FormAnswerGroup> = call.find(Id::new(event.resource_id)).await?;
    // What is answered in a note of a group is of no single client.
    let found = found.filter(|it| it.finished && !it.is_group_appt_note);
    let Some(group) = found else { return Ok(()) };
    let keys = [OrderKey::column("place", false), OrderKey::column("id", false)];
    let of_group = Cond::eq("form_answer_group_id", group.id.0);
    let mut answers: Vec<FormAnswer> = call.list(of_group, &keys).await?;
    answers.retain(|it| metric::is_metric(&it.mod_type));
    if answers.is_empty() {
        return Ok(());
    }
    let found: Option<User> = call.find(group.user_id).await?;
    let Some(client) = found else { return Ok(()) };
    call.scope.subject_id = Some(client.id.0);
    let entries = held(call, &group, &answers).await?;
    // Nobody but its author reads a counselling note, or what was made of it (DOM-31).
    let is_told = group.confidentiality != Confidentiality::CounsellingNotes;
    let moved = event.changed_fields.contains(&"served_at");
    for answer in &answers {
        let days = (group.served_at, call.now());
        let said = metric::said(answer.answer.as_deref(), answer.hidden, days);
        let said = said.filter(|_| is_told);
        let known = entries.iter().find(|it| it.form_answer_id == Some(answer.id)).cloned();
        // The events and the audit entries of it are for those who look after the client now.
        let known = known.map(|it| Entry { unit_id: client.unit_id, ..it });
        match (known, said) {
            (Some(entry), Some(number)) => {
                let day = moved.then_some(group.served_at);
                change(call, &entry, answer, (number, day)).await?;
            }
            (Some(entry), None) => take_back(call, &entry).await?,
            (None, Some(number)) => make(call, (&group, &client), answer, number).await?,
            (None, None) => {}
        }
    }
    Ok(())
}

/// The entries that there are of these answers, held: who changes one at this moment is before this
/// or after it.
async fn held(
    call: &mut Call<'_>,
    group: &FormAnswerGroup,
    answers: &[FormAnswer],
) -> Answer<Vec<Entry>> {
    let sql = Sql::fixed(
        "SELECT e.id FROM entries e WHERE e.org_id = $1 AND e.deleted_at IS NULL \
         AND e.form_answer_id IN (SELECT a.id FROM form_answers a WHERE a.org_id = $1 \
         AND a.form_answer_group_id = $2) ORDER BY e.id FOR_NO_KEY_UPDATE",
        [group.org_id.0.into(), group.id.0.into()],
    );
    call.scope.tx.rows(&sql).await?;
    let ids: Vec<i64> = answers.iter().map(|it| it.id.0).collect();
    Ok(call.list(Cond::is_in("form_answer_id", &ids), &[]).await?)
}

/// Makes the entry of an answer, unless somebody deleted it since the answer was given. Where there
/// is no room for one more, the answer is in its form alone.
async fn make(
    call: &mut Call<'_>,
    (group, client): (&FormAnswerGroup, &User),
    answer: &FormAnswer,
    number: String,
) -> Answer<()> {
    if was_deleted(call, answer).await? || access::is_full(call, client).await? {
        return Ok(());
    }
    let author = (group.filler_id.unwrap_or(client.id), Kind::Metric);
    let mut row = Entry::new(call.next_id().await?, client, author, call.now());
    row.category = Some(answer.mod_type.clone());
    row.metric_stat = Some(number);
    row.form_answer_id = Some(answer.id);
    row.noted_at = group.served_at;
    // What the staff writes down, the staff has seen.
    row.viewed = call.request.actor.is_member();
    call.create(&row).await?;
    call.emit(of_entry("created", &row, &[]));
    Ok(())
}

/// Whether somebody deleted the entry after the answer was given as it is. What was taken back is
/// no longer the answer's.
async fn was_deleted(call: &mut Call<'_>, answer: &FormAnswer) -> Answer<bool> {
    let Some(given) = answer.answered_at else { return Ok(false) };
    let sql = Sql::fixed(
        "SELECT COUNT(*) FROM entries e WHERE e.org_id = $1 AND e.form_answer_id = $2 \
         AND e.deleted_at > $3",
        [answer.org_id.0.into(), answer.id.0.into(), given.0.into()],
    );
    let deleted = call.scope.tx.rows(&sql).await?.scalar().and_then(Value::int).unwrap_or(0);
    Ok(deleted > 0)
}

/// Has an entry say what is answered now. What somebody changed in the entry since stays, until the
/// answer changes again; so does its time, until the form's date of service does.
async fn change(
    call: &mut Call<'_>,
    before: &Entry,
    answer: &FormAnswer,
    (number, day): (String, Option<ward_instance::Timestamp>),
) -> Answer<()> {
    let mut after = before.clone();
    if answer.answered_at.is_some_and(|given| given >= before.updated_at) {
        after.metric_stat = Some(number);
    }
    after.noted_at = day.unwrap_or(after.noted_at);
    if call.request.actor.is_client() && after != *before {
        // What it says now nobody of the practice has looked at.
        after.viewed = false;
    }
    let changes = call.update(before, &after).await?;
    // What only moves in time is no change that receivers are told of (behaviour 13.2).
    let told: Vec<_> = changes.columns.into_iter().filter(|it| *it != "noted_at").collect();
    if !told.is_empty() {
        call.emit(of_entry("updated", &after, &told));
    }
    Ok(())
}

/// Deletes the entry of an answer that says no number any more. It is the answer's no longer, so
/// that another can follow when the answer says one again.
async fn take_back(call: &mut Call<'_>, before: &Entry) -> Answer<()> {
    let after = Entry { form_answer_id: None, ..before.clone() };
    call.update(before, &after).await?;
    let found: Option<Entry> = call.find(before.id).await?;
    let Some(mut row) = found else { return Ok(()) };
    row.unit_id = before.unit_id;
    call.destroy(&row).await?;
    call.emit(of_entry("deleted", &row, &[]));
    Ok(())
}
