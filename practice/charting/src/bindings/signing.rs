//! Signatures, addenda and the history of notes, and who may do what to them.

use std::collections::{HashMap, HashSet};

use ward_engine::{Answer, Args, Bindings, Kind, Link, Out, Request, Returns, RowView, op};
use ward_identity::tables::{USERS, User};
use ward_store::{
    Actor, Cond, Entity, Id, Level, Query, Record, Select, Table, Value, read_selected,
};

use crate::attachment::attached;
use crate::attachment::tables::{FILE_ATTACHMENTS, FileAttachment};
use crate::filled::content::hash;
use crate::filled::hand::{self, Act, Hand, Note};
use crate::filled::listing;
use crate::filled::sign as signing;
use crate::filled::tables::{
    CHARTING_NOTE_ADDENDUMS, ChartingNoteAddendum, FORM_ANSWER_GROUP_AUDIT_EVENTS,
    FORM_ANSWER_GROUP_SIGNINGS, FORM_ANSWER_GROUPS, FORM_ANSWERS, FormAnswer, FormAnswerGroup,
    charting_note_addendums as addendum, form_answer_group_audit_events as event,
    form_answer_group_signings as at, form_answer_groups as group,
};
use crate::group_note::tables::{INDIVIDUAL_CLIENT_NOTES, IndividualClientNote};
use crate::tables::{QUESTION_VERSIONS, QuestionVersion};

const GROUP: &str = "FormAnswerGroup";
const SIGNING: &str = "FormAnswerGroupSigning";
const ADDENDUM: &str = "ChartingNoteAddendumType";
const EVENT: &str = "FormAnswerGroupAuditEvent";

/// Binds the fields.
pub fn bind(b: &mut Bindings) {
    signatures(b);
    addenda(b);
    history(b);
    abilities(b);
    mutations(b);
}

const OF_GROUP: Link = Link::Column { parent: group::id, child: "form_answer_group_id" };

fn signatures(b: &mut Bindings) {
    b.object(SIGNING, &FORM_ANSWER_GROUP_SIGNINGS);
    b.one(SIGNING, "user", &USERS, Link::Key(at::user_id)).listing(listing::left);
    b.batch(
        SIGNING,
        "is_intact",
        &[at::id, at::form_answer_group_id, at::content_hash],
        |r, q, rows, _| Box::pin(intact(r, q, rows)),
    );
    b.many(GROUP, "form_answer_group_signings", &FORM_ANSWER_GROUP_SIGNINGS, OF_GROUP)
        .orders(listing::MADE, "CREATED_AT_ASC");
}

fn addenda(b: &mut Bindings) {
    b.object(ADDENDUM, &CHARTING_NOTE_ADDENDUMS);
    b.one(ADDENDUM, "user", &USERS, Link::Key(addendum::user_id)).listing(listing::left);
    let of = Link::Key(addendum::form_answer_group_id);
    b.one(ADDENDUM, "form_answer_group", &FORM_ANSWER_GROUPS, of);
    b.many(GROUP, "charting_note_addendums", &CHARTING_NOTE_ADDENDUMS, OF_GROUP)
        .orders(listing::MADE, "CREATED_AT_ASC");
    b.query_one("chartingNoteAddendum", &CHARTING_NOTE_ADDENDUMS, listing::addendum)
        .args(&[("id", Kind::Id(ChartingNoteAddendum::NAME))]);
}

fn history(b: &mut Bindings) {
    b.object(EVENT, &FORM_ANSWER_GROUP_AUDIT_EVENTS);
    b.one(EVENT, "committed_by", &USERS, Link::Key(event::committed_by_id)).listing(listing::left);
    b.one(EVENT, "form_answer_group", &FORM_ANSWER_GROUPS, Link::Key(event::form_answer_group_id));
    b.many(GROUP, "form_answer_group_audit_events", &FORM_ANSWER_GROUP_AUDIT_EVENTS, OF_GROUP)
        .orders(listing::MADE, "CREATED_AT_ASC");
}

fn abilities(b: &mut Bindings) {
    const NEEDS: &[usize] = &[group::id, group::filler_id, group::finished, group::locked_at];
    const ARGS: &[(&str, Kind)] = &[("provider_id", Kind::Id(User::NAME))];
    b.batch(GROUP, "provider_can_sign", NEEDS, |request, q, rows, args| {
        Box::pin(able(request, q, rows, (Act::Sign, args)))
    })
    .args(ARGS);
    b.batch(GROUP, "provider_can_lock", NEEDS, |request, q, rows, args| {
        Box::pin(able(request, q, rows, (Act::Lock, args)))
    })
    .args(ARGS);
    b.batch(GROUP, "provider_can_unlock", NEEDS, |request, q, rows, args| {
        Box::pin(able(request, q, rows, (Act::Unlock, args)))
    })
    .args(ARGS);
    b.batch(GROUP, "provider_can_add_addendum", NEEDS, |request, q, rows, args| {
        Box::pin(able(request, q, rows, (Act::Add, args)))
    })
    .args(ARGS);
}

fn mutations(b: &mut Bindings) {
    const NOTE: (&str, Returns) = ("form_answer_group", Returns::One(&FORM_ANSWER_GROUPS));
    const SIGNED: &[(&str, Returns)] =
        &[NOTE, ("form_answer_group_signing", Returns::One(&FORM_ANSWER_GROUP_SIGNINGS))];
    const REMOVED: &[(&str, Returns)] =
        &[("formAnswerGroupSigning", Returns::One(&FORM_ANSWER_GROUP_SIGNINGS))];
    const ADDED: &[(&str, Returns)] = &[("addendum", Returns::One(&CHARTING_NOTE_ADDENDUMS))];
    b.mutation("signFormAnswerGroup", SIGNED, op!(signing::sign));
    b.mutation("deleteFormAnswerGroupSigning", REMOVED, op!(signing::remove));
    b.mutation("lockFormAnswerGroup", &[NOTE], op!(signing::lock));
    b.mutation("unlockFormAnswerGroup", &[NOTE], op!(signing::unlock));
    b.mutation("createAddendum", ADDED, op!(signing::add));
}

/// Whether a member may do it to each note: what the operation itself would say.
async fn able(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    (act, args): (Act, &Args),
) -> Answer<Vec<Out>> {
    let provider = listing::id::<User>(args, "provider_id", request)?.map(|id| id.0);
    let hand = match request.actor.is_member() {
        true => hand::of(request, q, provider).await?,
        false => None,
    };
    let Some(hand) = hand else { return Ok(vec![Out::Bool(false); rows.len()]) };
    let ids: Vec<i64> = rows.iter().filter_map(|row| row.get(group::id).int()).collect();
    let signed = match act {
        Act::Sign => signed_by(request, q, &ids, &hand).await?,
        _ => HashSet::new(),
    };
    let hidden = match &hand.sight {
        Some(colleague) => hidden_from(q, &ids, colleague).await?,
        None => HashSet::new(),
    };
    let may = |row: &RowView<'_>| {
        let has = |ids: &HashSet<i64>| row.get(group::id).int().is_some_and(|id| ids.contains(&id));
        let note = Note {
            filler_id: row.get(group::filler_id).int(),
            finished: row.get(group::finished).truth(),
            is_locked: !row.get(group::locked_at).is_null(),
            is_signed: has(&signed),
        };
        Out::Bool(!has(&hidden) && hand::may(act, &hand, note).is_ok())
    };
    Ok(rows.iter().map(may).collect())
}

/// Those of the notes that the member has signed.
async fn signed_by(
    request: &Request,
    q: &mut dyn Query,
    ids: &[i64],
    hand: &Hand,
) -> Answer<HashSet<i64>> {
    let mut select = Select::new(&FORM_ANSWER_GROUP_SIGNINGS, &request.actor);
    select.columns = vec![at::form_answer_group_id];
    select.filter = Cond::is_in("form_answer_group_id", ids).and(Cond::eq("user_id", hand.user_id));
    first_column(q, &select).await
}

/// Those of the notes that the member does not see.
async fn hidden_from(q: &mut dyn Query, ids: &[i64], colleague: &Actor) -> Answer<HashSet<i64>> {
    let mut select = Select::new(&FORM_ANSWER_GROUPS, colleague);
    select.columns = vec![group::id];
    select.least = Level::Full;
    select.filter = Cond::is_in("id", ids);
    select.by_id = true;
    let seen = first_column(q, &select).await?;
    Ok(ids.iter().copied().filter(|id| !seen.contains(id)).collect())
}

async fn first_column(q: &mut dyn Query, select: &Select<'_>) -> Answer<HashSet<i64>> {
    if select.filter.is_never() {
        return Ok(HashSet::new());
    }
    let rows = q.rows(&select.sql()).await?;
    Ok(rows.iter().filter_map(|row| row.first()?.int()).collect())
}

/// Whether each signature is still of what the note says.
async fn intact(request: &Request, q: &mut dyn Query, rows: Vec<RowView<'_>>) -> Answer<Vec<Out>> {
    let mut ids: Vec<i64> =
        rows.iter().filter_map(|row| row.get(at::form_answer_group_id).int()).collect();
    ids.sort_unstable();
    ids.dedup();
    let groups: Vec<FormAnswerGroup> =
        all(request, q, &FORM_ANSWER_GROUPS, Cond::is_in("id", &ids)).await?;
    let of_groups = Cond::is_in("form_answer_group_id", &ids);
    let answers: Vec<FormAnswer> = all(request, q, &FORM_ANSWERS, of_groups).await?;
    let files =
        Cond::is_in("form_answer_group_id", &ids).and(attached()).and(Cond::is_null("deleted_at"));
    let files: Vec<FileAttachment> = all(request, q, &FILE_ATTACHMENTS, files).await?;
    let mut versions: Vec<i64> = answers.iter().map(|it| it.question_version_id.0).collect();
    versions.sort_unstable();
    versions.dedup();
    let questions: Vec<QuestionVersion> =
        all(request, q, &QUESTION_VERSIONS, Cond::is_in("id", &versions)).await?;
    let questions: HashMap<Id<QuestionVersion>, QuestionVersion> =
        questions.into_iter().map(|it| (it.id, it)).collect();
    let mut by_group: HashMap<i64, Vec<FormAnswer>> = HashMap::new();
    for answer in answers {
        by_group.entry(answer.form_answer_group_id.0).or_default().push(answer);
    }
    let mut files_of: HashMap<i64, Vec<FileAttachment>> = HashMap::new();
    for file in files {
        let Some(of) = file.form_answer_group_id else { continue };
        files_of.entry(of.0).or_default().push(file);
    }
    let of_groups: Vec<i64> =
        groups.iter().filter(|it| it.is_group_appt_note).map(|it| it.id.0).collect();
    let of_groups = Cond::is_in("form_answer_group_id", &of_groups);
    let single: Vec<IndividualClientNote> =
        all(request, q, &INDIVIDUAL_CLIENT_NOTES, of_groups).await?;
    let mut single_of: HashMap<i64, Vec<IndividualClientNote>> = HashMap::new();
    for it in single {
        single_of.entry(it.form_answer_group_id.0).or_default().push(it);
    }
    let hashes: HashMap<i64, String> = groups
        .iter()
        .map(|it| {
            let answers = by_group.get(&it.id.0).map(Vec::as_slice).unwrap_or_default();
            let files = files_of.get(&it.id.0).map(Vec::as_slice).unwrap_or_default();
            let single = single_of.get(&it.id.0).map(Vec::as_slice).unwrap_or_default();
            (it.id.0, hash(it, answers, (files, single), &questions))
        })
        .collect();
    let is_intact = |row: &RowView<'_>| {
        let now = row.get(at::form_answer_group_id).int().and_then(|id| hashes.get(&id));
        now.is_some_and(|now| row.text(at::content_hash) == Some(now))
    };
    Ok(rows.iter().map(|row| is_intact(row).into()).collect())
}

/// Whole rows, whoever asks: for a rule, never for an answer.
async fn all<R: Record>(
    request: &Request,
    q: &mut dyn Query,
    table: &'static Table,
    cond: Cond,
) -> Answer<Vec<R>> {
    if cond.is_never() {
        return Ok(Vec::new());
    }
    let system = Actor::system(request.actor.org_id);
    let mut select = Select::new(table, &system);
    let width = table.columns.len();
    select.columns = (0..width).collect();
    select.filter = cond;
    select.deleted = true;
    let rows = read_selected(q, &request.db, &select).await?;
    let record = |row: &[Value]| R::from_values(row.get(..width)?).ok();
    Ok(rows.iter().filter_map(record).collect())
}
