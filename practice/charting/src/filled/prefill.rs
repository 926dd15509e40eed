//! What a form begins with: the client's answers before, where the template says so, and
//! what is known of the client (behaviour 25, 26).

use std::collections::HashMap;

use ward_engine::{Answer, Args, Call, Given, Out, Request, RowView};
use ward_identity::tables::{USERS, User, users};
use ward_instance::Timestamp;
use ward_store::{Cond, Id, Level, OrderKey, Query, Select, Table, Value, Watch, read_selected};

use super::input::Said;
use super::tables::{FORM_ANSWER_GROUPS, FORM_ANSWERS, FormAnswerGroup};
use super::tables::{form_answer_groups as group_at, form_answers as answer_at};
use crate::question::QUESTIONS_MAX;
use crate::rules::{kind, options};
use crate::tables::{
    CUSTOM_MODULE_CONDITIONS, CUSTOM_MODULE_FORMS, CUSTOM_MODULES, CustomModuleForm,
    custom_module_conditions as condition_at, custom_module_forms as form_at, custom_modules as at,
};

/// A question with what it begins with.
struct Initial {
    question: i64,
    mod_type: String,
    label: Option<String>,
    /// What there is to show of it.
    module: Vec<(&'static str, Out)>,
    facts: Vec<(&'static str, Out)>,
    answer: Option<String>,
    /// Its row in the draft.
    id: Option<i64>,
    /// Since when the question is as it is: nothing was answered at any moment yet.
    since: Out,
}

/// What a form has for a question.
struct Row {
    id: i64,
    mod_type: String,
    answer: Option<String>,
    hidden: bool,
}

/// As answers of a form that is begun.
pub async fn answers(
    call: &mut Call<'_>,
    form: &CustomModuleForm,
    client: &User,
) -> Answer<Vec<Said>> {
    let request = call.request;
    let found = initial(request, call.scope.tx, (form.id.0, form.prefill), client.id.0, None);
    let said = found.await?.into_iter().filter(|it| it.answer.is_some()).map(|it| Said {
        id: None,
        question: Some(Id::new(it.question)),
        user: None,
        answer: it.answer.map_or(Given::Absent, Given::Value),
        metadata: Given::Absent,
    });
    Ok(said.collect())
}

/// `initialFormAnswers`.
pub async fn listed(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    args: &Args,
) -> Answer<Vec<Out>> {
    let none = || Ok(rows.iter().map(|_| Out::List(Vec::new())).collect());
    let draft = super::listing::id::<FormAnswerGroup>(args, "incomplete_form_id", request)?;
    let client = super::listing::id::<User>(args, "user_id", request)?;
    let form = super::listing::id::<CustomModuleForm>(args, "custom_module_form_id", request)?;
    let draft = match draft {
        Some(id) => match draft_of(request, q, id.0).await? {
            Some(found) => Some((id.0, found)),
            None => return none(),
        },
        None => None,
    };
    let own = request.actor.is_client().then_some(request.actor.user_id);
    let client = client.map(|id| id.0).or(draft.map(|(_, (_, client))| client)).or(own);
    let form = form.map(|id| id.0).or(draft.map(|(_, (form, _))| form));
    let (Some(client), Some(form)) = (client, form) else { return none() };
    // A draft is of one client and one form.
    if draft.is_some_and(|(_, of)| of != (form, client)) {
        return none();
    }
    let prefill = form_at::prefill;
    let Some(of_form) = one(request, q, (&CUSTOM_MODULE_FORMS, form), vec![prefill]).await? else {
        return none();
    };
    let of_form = (form, of_form.first().is_some_and(Value::truth));
    let draft = draft.map(|(id, _)| id);
    let found = initial(request, q, of_form, client, draft).await?;
    let list: Vec<Out> = found.into_iter().map(|it| shown(client, it)).collect();
    Ok(rows.iter().map(|_| Out::List(list.clone())).collect())
}

fn shown(client: i64, it: Initial) -> Out {
    let number = |id: i64| Out::from(id.to_string());
    let mut members = vec![
        // What is no answer yet goes by its question.
        ("id", number(it.id.unwrap_or(it.question))),
        ("custom_module_id", number(it.question)),
        ("label", it.label.clone().into()),
        ("answer", it.answer.clone().into()),
        ("displayed_answer", it.answer.into()),
        ("user_id", number(client)),
        ("created_at", it.since.clone()),
        ("updated_at", it.since),
        ("custom_module", Out::Object(it.module)),
    ];
    members.extend(it.facts);
    Out::Object(members)
}

/// The form and the client of a draft that the caller sees.
async fn draft_of(request: &Request, q: &mut dyn Query, id: i64) -> Answer<Option<(i64, i64)>> {
    let columns =
        vec![group_at::custom_module_form_id, group_at::user_id, group_at::is_group_appt_note];
    let found = one(request, q, (&FORM_ANSWER_GROUPS, id), columns).await?;
    // Nothing of one client begins a note that is read with another's chart.
    let single = found.filter(|row| row.get(2).is_some_and(|is_of_group| !is_of_group.truth()));
    Ok(single.and_then(|row| Some((row.first()?.int()?, row.get(1)?.int()?))))
}

/// Columns of a row that the caller sees.
async fn one(
    request: &Request,
    q: &mut dyn Query,
    (table, id): (&'static Table, i64),
    columns: Vec<usize>,
) -> Answer<Option<Vec<Value>>> {
    let mut select = Select::new(table, &request.actor);
    select.columns = columns;
    select.least = Level::Public;
    select.filter = Cond::eq("id", id);
    select.limit = Some(1);
    let rows = q.rows(&select.sql()).await?;
    Ok(rows.iter().next().map(<[Value]>::to_vec))
}

/// What each question of a template begins with, in order. Nothing of a client whom the
/// caller does not see in full.
async fn initial(
    request: &Request,
    q: &mut dyn Query,
    (form, prefills): (i64, bool),
    client: i64,
    draft: Option<i64>,
) -> Answer<Vec<Initial>> {
    let Some(mut known) = known(request, q, client).await? else { return Ok(Vec::new()) };
    let mut found = questions(request, q, form).await?;
    let conditions = conditions(request, q, form).await?;
    let earlier = match prefills {
        true => last_finished(request, q, form, client).await?,
        false => None,
    };
    let mut earlier = match earlier {
        Some(group) => given_in(request, q, group).await?,
        None => HashMap::new(),
    };
    let mut draft = match draft {
        Some(group) => given_in(request, q, group).await?,
        None => HashMap::new(),
    };
    for it in &mut found {
        it.facts = conditions.get(&it.question).cloned().unwrap_or_default();
        // The first question of its type is about the client, others about somebody else.
        let fact = known.remove(it.mod_type.as_str());
        // What the draft says is said, also that it is left open.
        if let Some(row) = draft.remove(&it.question) {
            (it.id, it.answer) = (Some(row.id), row.answer);
            continue;
        }
        let earlier = earlier.remove(&it.question);
        let earlier = earlier.filter(|row| row.mod_type == it.mod_type && !row.hidden);
        // A consent is given each time.
        let earlier = earlier.and_then(|row| row.answer).filter(|_| kind::is_kept(&it.mod_type));
        // The record may have been corrected since.
        it.answer = fact.or(earlier);
    }
    Ok(found)
}

/// What is known of a client, by the type of the question that asks for it. Whoever reads
/// it is in the access log (SEC-19).
async fn known(
    request: &Request,
    q: &mut dyn Query,
    client: i64,
) -> Answer<Option<HashMap<&'static str, String>>> {
    let mut select = Select::new(&USERS, &request.actor);
    select.columns = vec![users::first_name, users::last_name, users::dob, users::phone_number];
    select.least = Level::Full;
    select.filter = Cond::eq("id", client).and(Cond::is_true("is_patient"));
    select.limit = Some(1);
    select.with_subject = true;
    let rows = q.rows(&select.sql()).await?;
    let Some([first, last, dob, phone, subject, watch, ..]) = rows.iter().next() else {
        return Ok(None);
    };
    // The answers before are the same client's.
    let watch = watch.int().map_or(Watch::BrokenGlass, Watch::from_number);
    request.reads.note("initialFormAnswers", subject.int().map(|client| (client, watch)));
    let mut known = HashMap::new();
    // Of a first name with a comma nobody could tell where it ends.
    if let (Some(first), Some(last)) = (first.text().filter(|it| !it.contains(',')), last.text()) {
        known.insert("name", format!("{first},{last}"));
    }
    for (kind, value) in [("dob", dob), ("phone", phone)] {
        known.extend(value.text().map(|text| (kind, text.to_owned())));
    }
    Ok(Some(known))
}

async fn questions(request: &Request, q: &mut dyn Query, form: i64) -> Answer<Vec<Initial>> {
    let mut select = Select::new(&CUSTOM_MODULES, &request.actor);
    select.columns = vec![
        at::id,
        at::mod_type,
        at::label,
        at::sublabel,
        at::options,
        at::required,
        at::is_custom,
        at::exclude_from_scribe,
        at::parent_custom_module_id,
        at::custom_module_form_id,
        at::updated_at,
    ];
    select.least = Level::Public;
    select.filter = Cond::eq("custom_module_form_id", form);
    select.limit = i64::try_from(QUESTIONS_MAX).ok();
    let select = select.ordered(vec![OrderKey::column("place", false)]);
    let rows = q.rows(&select.sql()).await?;
    let question = |row: &[Value]| {
        Some(Initial {
            question: row.first()?.int()?,
            mod_type: row.get(1)?.text()?.to_owned(),
            label: row.get(2)?.text().map(str::to_owned),
            module: module(row),
            facts: Vec::new(),
            answer: None,
            id: None,
            since: Out::Instant(Timestamp(row.get(10)?.int()?)),
        })
    };
    Ok(rows.iter().filter_map(question).collect())
}

/// A question as whoever draws it needs it.
fn module(row: &[Value]) -> Vec<(&'static str, Out)> {
    let text = |n: usize| row.get(n).and_then(Value::text).map(str::to_owned);
    let number = |n: usize| row.get(n).and_then(Value::int).map(|id| id.to_string());
    let truth = |n: usize| Out::from(row.get(n).is_some_and(Value::truth));
    vec![
        ("id", number(0).into()),
        ("mod_type", text(1).into()),
        ("label", text(2).into()),
        ("sublabel", text(3).into()),
        ("options", text(4).into()),
        ("options_array", text(4).as_deref().map(options).into()),
        ("required", truth(5)),
        ("is_custom", truth(6)),
        ("exclude_from_scribe", truth(7)),
        ("parent_custom_module_id", number(8).into()),
        ("custom_module_form_id", number(9).into()),
    ]
}

/// On what each question depends, as fields of its answer.
async fn conditions(
    request: &Request,
    q: &mut dyn Query,
    form: i64,
) -> Answer<HashMap<i64, Vec<(&'static str, Out)>>> {
    let mut select = Select::new(&CUSTOM_MODULE_CONDITIONS, &request.actor);
    select.columns = vec![
        condition_at::custom_module_id,
        condition_at::conditional_custom_module_id,
        condition_at::filter_type,
        condition_at::value_to_filter,
    ];
    select.least = Level::Public;
    select.filter = Cond::eq("custom_module_form_id", form);
    let rows = q.rows(&select.sql()).await?;
    let pair = |row: &[Value]| {
        let text = |n: usize| Out::from(row.get(n).and_then(Value::text).map(str::to_owned));
        let facts = vec![
            ("conditional_custom_module_id", Out::from(row.get(1)?.int()?.to_string())),
            ("filter_type", text(2)),
            ("value_to_filter", text(3)),
        ];
        Some((row.first()?.int()?, facts))
    };
    Ok(rows.iter().filter_map(pair).collect())
}

/// The client's last form of the template that was finished and that the caller sees.
async fn last_finished(
    request: &Request,
    q: &mut dyn Query,
    form: i64,
    client: i64,
) -> Answer<Option<i64>> {
    let mut select = Select::new(&FORM_ANSWER_GROUPS, &request.actor);
    select.columns = vec![group_at::id];
    select.least = Level::Full;
    select.filter = Cond::eq("user_id", client)
        .and(Cond::eq("custom_module_form_id", form))
        .and(Cond::is_true("finished"))
        .and(Cond::eq("is_group_appt_note", false))
        .and(super::confidentiality::repeatable());
    select.limit = Some(1);
    let select = select.ordered(vec![OrderKey::column("served_at", true)]);
    let rows = q.rows(&select.sql()).await?;
    Ok(rows.iter().next().and_then(|row| row.first()?.int()))
}

/// What a form has for each question.
async fn given_in(request: &Request, q: &mut dyn Query, group: i64) -> Answer<HashMap<i64, Row>> {
    let mut select = Select::new(&FORM_ANSWERS, &request.actor);
    select.columns = vec![
        answer_at::id,
        answer_at::org_id,
        answer_at::custom_module_id,
        answer_at::mod_type,
        answer_at::answer,
        answer_at::hidden,
    ];
    select.least = Level::Full;
    select.filter = Cond::eq("form_answer_group_id", group);
    let rows = read_selected(q, &request.db, &select).await?;
    let pair = |row: &[Value]| {
        let given = Row {
            id: row.first()?.int()?,
            mod_type: row.get(3)?.text()?.to_owned(),
            answer: row.get(4)?.text().map(str::to_owned),
            hidden: row.get(5)?.truth(),
        };
        Some((row.get(2)?.int()?, given))
    };
    Ok(rows.iter().filter_map(pair).collect())
}
