//! What is printed, as the caller sees it.

use std::collections::HashMap;
use std::sync::Arc;

use ward_engine::{Answer, Refused, Request};
use ward_identity::tables::User;
use ward_store::{
    Actor, Cond, Id, Level, OrderKey, Query, Record, Select, StoreError, Table, Value, Watch,
    read_selected,
};

use super::{NOTES_MAX, individual, people};
use crate::attachment::attached;
use crate::attachment::tables::{FILE_ATTACHMENTS, FileAttachment};
use crate::filled::confidentiality::in_record;
use crate::filled::content::hash;
use crate::filled::tables::{
    CHARTING_NOTE_ADDENDUMS, ChartingNoteAddendum, FORM_ANSWER_GROUP_SIGNINGS, FORM_ANSWER_GROUPS,
    FORM_ANSWERS, FormAnswer, FormAnswerGroup, FormAnswerGroupSigning,
};
use crate::group_note::tables::IndividualClientNote;
use crate::group_note::visibility::in_chart;
use crate::tables::{QUESTION_VERSIONS, QuestionVersion};

/// So many bytes answers can have that are printed at once, those of any one form; so many
/// addenda; and so many what was asked. No 500 pages hold more.
const BYTES_MAX: i64 = 20 << 20;

/// What is to be printed.
pub enum What {
    /// These, in this order, and of this client if one is named.
    These(Vec<Id<FormAnswerGroup>>, Option<Id<User>>),
    /// The whole chart of a client: all that is finished, the newest first; no counselling notes,
    /// which are kept apart from it.
    Chart(Id<User>),
}

/// A form or note with all that is printed of it.
pub struct KeptNote {
    /// Itself.
    pub group: FormAnswerGroup,
    /// All of its answers in order, those that are not asked too: a signature is of all.
    pub answers: Vec<FormAnswer>,
    /// The files of its answers, by the answer.
    pub files: Vec<FileAttachment>,
    /// The questions as they were answered, of all that is printed.
    pub questions: Arc<HashMap<Id<QuestionVersion>, QuestionVersion>>,
    /// Who stands for it.
    pub signings: Vec<FormAnswerGroupSigning>,
    /// What was added after it was locked.
    pub addenda: Vec<ChartingNoteAddendum>,
    /// Of a group note: what it says of the client whose paper it is, and of nobody else.
    pub individual: Vec<IndividualClientNote>,
    /// The practice that it is of.
    pub practice: String,
    /// The hash of what it says now.
    hash: String,
}

impl KeptNote {
    /// Whether it still says what was signed.
    pub fn is_intact(&self, signing: &FormAnswerGroupSigning) -> bool {
        signing.content_hash == self.hash
    }
}

/// All that is printed.
pub struct Kept {
    /// Forms and notes of one client.
    pub notes: Vec<KeptNote>,
    /// Names of the people in them.
    pub people: HashMap<i64, String>,
    /// Whose paper it is.
    pub client_id: Id<User>,
    /// The client, as each page names them.
    pub client: String,
    /// Whose data it is, and how closely the reading is watched.
    pub reads: Vec<(i64, Watch)>,
}

/// Reads what is to be printed. One that is not there, or not for the caller, is none at all.
pub async fn kept(
    request: &Request,
    q: &mut dyn Query,
    what: What,
    at: &'static str,
) -> Answer<Kept> {
    let ((groups, mut reads), client) = match what {
        What::These(ids, client) => (these(request, q, ids.as_slice(), at).await?, client),
        What::Chart(client) => (chart(request, q, client, at).await?, Some(client)),
    };
    let Some(client) = client.or(groups.first().map(|it| it.user_id)) else {
        return Err(Refused::not_found(at));
    };
    let single = individual::read(request, q, &groups, at).await?;
    // Nothing of one client is ever on another's paper.
    if groups.is_empty() || !groups.iter().all(|it| single.is_of(it, client)) {
        return Err(Refused::not_found(at));
    }
    for read in &single.reads {
        if !reads.contains(read) {
            reads.push(*read);
        }
    }
    let ids: Vec<i64> = groups.iter().map(|it| it.id.0).collect();
    for (table, length) in [
        (&FORM_ANSWERS, "COALESCE(LENGTH(t.answer), 0)"),
        (&CHARTING_NOTE_ADDENDUMS, "LENGTH(t.content)"),
    ] {
        let mut select = Select::new(table, &request.actor);
        select.least = Level::Full;
        select.filter = Cond::is_in("form_answer_group_id", &ids);
        check_size(q, &select, length, at).await?;
    }
    let of_groups = || Cond::is_in("form_answer_group_id", &ids);
    let by_place = [OrderKey::column("place", false), OrderKey::column("id", false)];
    let made = [OrderKey::column("created_at", false), OrderKey::column("id", false)];
    let answers: Vec<FormAnswer> = rows(request, q, &FORM_ANSWERS, of_groups(), &by_place).await?;
    let files: Vec<FileAttachment> =
        rows(request, q, &FILE_ATTACHMENTS, of_groups().and(attached()), &made).await?;
    let signings: Vec<FormAnswerGroupSigning> =
        rows(request, q, &FORM_ANSWER_GROUP_SIGNINGS, of_groups(), &made).await?;
    let addenda: Vec<ChartingNoteAddendum> =
        rows(request, q, &CHARTING_NOTE_ADDENDUMS, of_groups(), &made).await?;
    let versions = Arc::new(questions(request, q, &answers, at).await?);
    check_asked(&answers, &versions, at)?;
    let practices = people::practices(request, q, &groups).await?;
    let named = people::client(request, q, client).await?;
    let people = people::staff(request, q, &groups, &addenda).await?;
    let mut answers = by_group(answers, |it| it.form_answer_group_id.0);
    let mut files = by_group(files, |it| it.form_answer_group_id.map_or(0, |id| id.0));
    let mut signings = by_group(signings, |it| it.form_answer_group_id.0);
    let mut addenda = by_group(addenda, |it| it.form_answer_group_id.0);
    let note = |group: FormAnswerGroup| {
        let id = group.id.0;
        let answers = answers.remove(&id).unwrap_or_default();
        let files = files.remove(&id).unwrap_or_default();
        KeptNote {
            hash: hash(&group, &answers, (&files, &single.all_of(&group)), &versions),
            individual: single.shown_of(&group, client),
            signings: signings.remove(&id).unwrap_or_default(),
            addenda: addenda.remove(&id).unwrap_or_default(),
            practice: practices.get(&group.unit_id.0).cloned().unwrap_or_default(),
            group,
            answers,
            files,
            questions: versions.clone(),
        }
    };
    let notes = groups.into_iter().map(note).collect();
    Ok(Kept { notes, people, client_id: client, client: named, reads })
}

type Groups = (Vec<FormAnswerGroup>, Vec<(i64, Watch)>);

async fn these(
    request: &Request,
    q: &mut dyn Query,
    ids: &[Id<FormAnswerGroup>],
    at: &'static str,
) -> Answer<Groups> {
    if ids.is_empty() {
        return Err(Refused::on(at, "Name at least one form or note"));
    }
    if ids.len() > NOTES_MAX {
        return Err(too_many(at));
    }
    let numbers: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let (found, reads) = groups(request, q, Cond::is_in("id", &numbers), None).await?;
    let mut found: HashMap<i64, FormAnswerGroup> =
        found.into_iter().map(|it| (it.id.0, it)).collect();
    let mut ordered = Vec::with_capacity(ids.len());
    for id in &numbers {
        // One that is named twice is printed once.
        let is_there = ordered.iter().any(|it: &FormAnswerGroup| it.id.0 == *id);
        match found.remove(id) {
            Some(group) => ordered.push(group),
            None if is_there => {}
            None => return Err(Refused::not_found(at)),
        }
    }
    Ok((ordered, reads))
}

async fn chart(
    request: &Request,
    q: &mut dyn Query,
    client: Id<User>,
    at: &'static str,
) -> Answer<Groups> {
    let own = in_chart(&request.actor, client.0);
    let finished = own.and(Cond::is_true("finished")).and(in_record());
    let limit = i64::try_from(NOTES_MAX + 1).ok();
    let (found, reads) = groups(request, q, finished, limit).await?;
    match found.len() > NOTES_MAX {
        true => Err(too_many(at)),
        false => Ok((found, reads)),
    }
}

fn too_many(at: &str) -> Refused {
    Refused::on(at, format!("At most {NOTES_MAX} forms and notes can be printed at once"))
}

/// Refuses what would fill the memory before it would fill the pages.
pub(super) async fn check_size(
    q: &mut dyn Query,
    select: &Select<'_>,
    length: &str,
    at: &'static str,
) -> Answer<()> {
    let found = q.rows(&select.sum_by_sql(length, "t.org_id")).await?;
    match found.row(0).get(1).and_then(Value::int).unwrap_or(0) > BYTES_MAX {
        true => Err(too_long(at)),
        false => Ok(()),
    }
}

/// The same of what was asked, which is printed again with each note.
fn check_asked(
    answers: &[FormAnswer],
    versions: &HashMap<Id<QuestionVersion>, QuestionVersion>,
    at: &'static str,
) -> Answer<()> {
    let asked = answers.iter().filter(|it| !it.hidden);
    let labels = asked.filter_map(|it| versions.get(&it.question_version_id)?.label.as_ref());
    let bytes: usize = labels.map(String::len).sum();
    match i64::try_from(bytes).is_ok_and(|bytes| bytes <= BYTES_MAX) {
        true => Ok(()),
        false => Err(too_long(at)),
    }
}

fn too_long(at: &'static str) -> Refused {
    Refused::on(at, "These are too long to be printed at once; choose fewer")
}

/// Forms and notes that the caller sees, the newest first, with whose data they are.
async fn groups(
    request: &Request,
    q: &mut dyn Query,
    cond: Cond,
    limit: Option<i64>,
) -> Answer<Groups> {
    let table = &FORM_ANSWER_GROUPS;
    let width = table.columns.len();
    let mut select = Select::new(table, &request.actor);
    select.columns = (0..width).collect();
    select.least = Level::Full;
    select.filter = cond;
    select.order = vec![OrderKey::column("served_at", true), OrderKey::column("id", true)];
    select.with_subject = true;
    select.limit = limit;
    if select.filter.is_never() {
        return Ok((Vec::new(), Vec::new()));
    }
    let found = read_selected(q, &request.db, &select).await?;
    let mut reads: Vec<(i64, Watch)> = Vec::new();
    for row in found.iter() {
        let watch = row.get(width + 1).and_then(Value::int);
        let watch = watch.map_or(Watch::BrokenGlass, Watch::from_number);
        // A group note is of several, who are looked up with what it says of each.
        if let Some(client) = row.get(width).and_then(Value::int).filter(|client| *client > 0)
            && !reads.contains(&(client, watch))
        {
            reads.push((client, watch));
        }
    }
    Ok((whole(table, found.iter())?, reads))
}

/// Whole rows as the caller sees them.
pub(super) async fn rows<R: Record>(
    request: &Request,
    q: &mut dyn Query,
    table: &'static Table,
    cond: Cond,
    order: &[OrderKey],
) -> Answer<Vec<R>> {
    let width = table.columns.len();
    let mut select = Select::new(table, &request.actor);
    select.columns = (0..width).collect();
    select.least = Level::Full;
    select.filter = cond;
    select.order = order.to_vec();
    if select.filter.is_never() {
        return Ok(Vec::new());
    }
    let found = read_selected(q, &request.db, &select).await?;
    whole(table, found.iter())
}

/// The records of rows. One that can't be read is an error: paper never leaves something out.
pub(super) fn whole<'a, R: Record>(
    table: &'static Table,
    rows: impl Iterator<Item = &'a [Value]>,
) -> Answer<Vec<R>> {
    let width = table.columns.len();
    let mut all = Vec::new();
    for row in rows {
        let record = R::from_values(row.get(..width).unwrap_or_default());
        all.push(record.map_err(|what| StoreError::corrupt(table.name, what))?);
    }
    Ok(all)
}

/// The questions as they were answered. Nobody sees versions but by the answers that they see.
async fn questions(
    request: &Request,
    q: &mut dyn Query,
    answers: &[FormAnswer],
    at: &'static str,
) -> Answer<HashMap<Id<QuestionVersion>, QuestionVersion>> {
    let mut ids: Vec<i64> = answers.iter().map(|it| it.question_version_id.0).collect();
    ids.sort_unstable();
    ids.dedup();
    let system = Actor::system(request.actor.org_id);
    let width = QUESTION_VERSIONS.columns.len();
    let mut select = Select::new(&QUESTION_VERSIONS, &system);
    select.columns = (0..width).collect();
    select.filter = Cond::is_in("id", &ids);
    select.by_id = true;
    if select.filter.is_never() {
        return Ok(HashMap::new());
    }
    let length = "COALESCE(LENGTH(t.label), 0) + COALESCE(LENGTH(t.sublabel), 0) \
        + COALESCE(LENGTH(t.options), 0)";
    check_size(q, &select, length, at).await?;
    let found = read_selected(q, &request.db, &select).await?;
    let found: Vec<QuestionVersion> = whole(&QUESTION_VERSIONS, found.iter())?;
    Ok(found.into_iter().map(|it| (it.id, it)).collect())
}

fn by_group<R>(rows: Vec<R>, group: impl Fn(&R) -> i64) -> HashMap<i64, Vec<R>> {
    let mut all: HashMap<i64, Vec<R>> = HashMap::new();
    for row in rows {
        all.entry(group(&row)).or_default().push(row);
    }
    all
}
