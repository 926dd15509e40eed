//! `NoteScheduler`: what waits for its time, and whom a broadcast goes to.

use std::collections::HashMap;

use ward_clients::tables::USER_GROUPS;
use ward_engine::{
    Answer, Args, Bindings, Kind, Link, Listing, Out, Refused, Request, Returns, RowView, op,
};
use ward_identity::tables::{USERS, User};
use ward_identity::visibility;
use ward_store::{Cond, Entity, Join, Level, Query, Select, Value};

use crate::listing::{self, id, ids};
use crate::tables::{
    NOTE_RECIPIENTS, NOTE_SCHEDULERS, NOTES, NoteScheduler, note_recipients, note_schedulers as at,
};
use crate::{names, scheduler};

const TYPE: &str = "NoteScheduler";

const FIRST_FOUR: &str = "(SELECT r.org_id, r.note_scheduler_id, r.user_id FROM (\
     SELECT g.org_id, g.note_scheduler_id, g.user_id, ROW_NUMBER() OVER (\
     PARTITION BY g.org_id, g.note_scheduler_id ORDER BY g.user_id) AS place \
     FROM note_recipients g) r WHERE r.place <= 4)";
const NAMED: &str = "(SELECT g.org_id, g.note_scheduler_id, g.user_id FROM note_recipients g \
     WHERE g.user_group_id IS NULL)";
const GROUPS: &str = "(SELECT DISTINCT g.org_id, g.note_scheduler_id, g.user_group_id \
     FROM note_recipients g WHERE g.user_group_id IS NOT NULL)";

const fn through(table: &'static str, to: &'static str) -> Link {
    Link::Join { parent: at::id, join: Join { table, to, from: "note_scheduler_id" } }
}

/// Binds the type, its queries and mutations.
pub fn bind(b: &mut Bindings) {
    b.object(TYPE, &NOTE_SCHEDULERS);
    b.column(TYPE, "note_content", at::content);
    b.one(TYPE, "user", &USERS, Link::Key(at::user_id));
    b.one(TYPE, "note", &NOTES, Link::Key(at::note_id));
    b.many(TYPE, "invitees", &USERS, through("note_recipients", "user_id"));
    b.many(TYPE, "first_four_invitees", &USERS, through(FIRST_FOUR, "user_id"));
    b.many(TYPE, "selected_users", &USERS, through(NAMED, "user_id"));
    b.many(TYPE, "selected_user_groups", &USER_GROUPS, through(GROUPS, "user_group_id"));
    b.count(TYPE, "invitees_count", &USERS, through("note_recipients", "user_id"));
    b.batch(TYPE, "participant_ids", &[at::id], |request, q, rows, _| {
        Box::pin(participants(request, q, rows))
    });
    b.query_one("note_scheduler", &NOTE_SCHEDULERS, one)
        .args(&[("id", Kind::Id(NoteScheduler::NAME))]);
    b.query_list("scheduledMessageBlasts", &NOTE_SCHEDULERS, blasts)
        .args(BLASTS_ARGS)
        .orders(listing::JOINED, "CREATED_AT_DESC");
    const SCHEDULER: &[(&str, Returns)] = &[("noteScheduler", Returns::One(&NOTE_SCHEDULERS))];
    b.mutation("updateNoteScheduler", SCHEDULER, op!(scheduler::update));
    b.mutation_prepared(
        "createMessageBlast",
        &[("message", Returns::Leaf)],
        |request, input| Box::pin(scheduler::prepare(request, input)),
        op!(scheduler::create),
    );
}

/// Those whom the caller sees of whom it goes to.
async fn participants(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let ids: Vec<i64> = rows.iter().filter_map(|row| row.get(at::id).int()).collect();
    let mut select = Select::new(&NOTE_RECIPIENTS, &request.actor);
    select.columns = vec![note_recipients::note_scheduler_id, note_recipients::user_id];
    select.least = Level::Full;
    select.with_subject = true;
    select.filter = Cond::is_in("note_scheduler_id", &ids)
        .and(visibility::of_user(&request.actor, Level::Limited));
    if select.filter.is_never() {
        return Ok(vec![Out::List(Vec::new()); rows.len()]);
    }
    let found = q.rows(&select.sql()).await?;
    let mut goes: HashMap<i64, Vec<i64>> = HashMap::new();
    let mut clients = Vec::new();
    for row in found.iter() {
        let [Value::Int(scheduler), Value::Int(user), client, watch, ..] = row else { continue };
        goes.entry(*scheduler).or_default().push(*user);
        if let Some(client) = client.int() {
            clients.push((client, names::watch(watch)));
        }
    }
    request.reads.note("NoteScheduler.participant_ids", clients);
    let of = |row: &RowView<'_>| {
        let id = row.get(at::id).int().unwrap_or_default();
        goes.get(&id).cloned().unwrap_or_default()
    };
    Ok(rows.iter().map(|row| of(row).into()).collect())
}

/// Arguments of `scheduledMessageBlasts`.
const BLASTS_ARGS: &[(&str, Kind)] = &[
    ("client_id", Kind::Id(User::NAME)),
    ("org_chat", Kind::Plain),
    ("provider_id", Kind::Id(User::NAME)),
    ("provider_ids", Kind::Ids(User::NAME)),
];

/// `scheduledMessageBlasts`: broadcasts that wait, the caller's or others'.
fn blasts(request: &Request, args: &Args) -> Answer<Listing> {
    let own = Cond::eq("user_id", request.actor.user_id);
    let providers = ids::<User>(args, "provider_ids", request)?;
    let whose = match (id::<User>(args, "provider_id", request)?, providers.as_slice()) {
        (Some(provider), _) => Cond::eq("user_id", provider.0),
        (None, []) if args.flag("org_chat") => own.negated(),
        (None, []) => own,
        (None, providers) => Cond::is_in("user_id", providers),
    };
    let mut cond = whose.and(Cond::is_null("note_id")).and(Cond::is_null("sent_at"));
    let client = match id::<User>(args, "client_id", request) {
        Err(Refused::NotFound(_) | Refused::Problems(_)) => return Ok(Listing::none()),
        other => other?,
    };
    if let Some(client) = client {
        cond = cond.and(Cond::sql(
            "{t}.id IN (SELECT g.note_scheduler_id FROM note_recipients g \
             WHERE g.org_id = ? AND g.user_id = ?)",
            [request.actor.org_id.into(), client.0.into()],
        ));
    }
    Ok(Listing::of(cond))
}

/// `note_scheduler`.
fn one(request: &Request, args: &Args) -> Answer<Listing> {
    let id = id::<NoteScheduler>(args, "id", request)?;
    Ok(id.map_or_else(Listing::none, |id| Listing::of(Cond::eq("id", id.0))))
}
