//! Notifications: what people are told inside the practice's own pages, how many
//! of them they have not seen, and marking them (behaviour 42).

use std::collections::{BTreeSet, HashMap};

use ward_engine::{
    Answer, Bindings, Call, Link, Out, Payload, Refused, Request, Returns, RowView, input, op,
};
use ward_identity::account::joined;
use ward_identity::tables::{USERS, User, users};
use ward_store::{Cond, Id, Level, OrderKey, Query, Scope, Select, Value};

use crate::notices::listing;
use crate::notices::tables::{NOTIFICATIONS, Notification, NotificationKind, notifications as at};
use crate::tables::{Conversation, Note};

const TYPE: &str = "Notification";
/// So many are marked at once.
const MARKED_MAX: usize = 1_000;

input! {
    /// `updateNotificationInput`.
    pub struct UpdateNotification { id: Id<Notification>, seen: bool, read: bool }
}

input! {
    /// `bulkUpdateNotificationsInput`, by the contract's names.
    #[allow(non_snake_case)]
    pub struct UpdateNotifications {
        notification_ids: Vec<Id<Notification>>,
        seen: bool,
        read: bool,
        updateAllNotifications: bool,
        fromAllNotifications: bool,
    }
}

/// Binds the type, its queries and mutations, and the counts of users.
pub fn bind(b: &mut Bindings) {
    b.object(TYPE, &NOTIFICATIONS);
    b.cursor(TYPE);
    b.column(TYPE, "type", at::kind);
    b.one(TYPE, "user", &USERS, Link::Key(at::user_id));
    b.one(TYPE, "other_party", &USERS, Link::Key(at::other_party_id))
        .listing(|_, _| Ok(ward_engine::Listing::all().public()));
    b.computed(TYPE, "read", &[at::is_read], |_, row, _| {
        row.get(at::is_read).truth().to_string().into()
    });
    b.computed(TYPE, "message", &[at::kind], |_, row, _| {
        let kind = row.text(at::kind).and_then(NotificationKind::from_text);
        kind.map_or(Out::Null, |kind| kind.words().into())
    });
    b.batch(TYPE, "creator_user_name", &[at::creator_id], |request, q, rows, _| {
        Box::pin(creators(request, q, rows))
    });
    b.query_list("notifications", &NOTIFICATIONS, listing::notifications)
        .args(listing::NOTIFICATIONS_ARGS)
        .orders(listing::NEWEST, "CREATED_AT_DESC");
    b.query_count("notificationCount", &NOTIFICATIONS, listing::notifications)
        .args(listing::NOTIFICATIONS_ARGS);
    for (field, only) in COUNTS {
        b.batch("User", field, &[users::id], *only);
    }
    const ONE: &[(&str, Returns)] =
        &[("notification", Returns::One(&NOTIFICATIONS)), ("currentUser", Returns::One(&USERS))];
    b.mutation("updateNotification", ONE, op!(update));
    const MANY: &[(&str, Returns)] =
        &[("notifications", Returns::Many(&NOTIFICATIONS)), ("current_user", Returns::One(&USERS))];
    b.mutation("updateNotifications", MANY, op!(update_many));
}

impl NotificationKind {
    /// What it says; names stand beside it for who may know them.
    const fn words(self) -> &'static str {
        match self {
            NotificationKind::Message => "You have a new message",
            NotificationKind::ClientCreated => "A new client is yours",
            NotificationKind::ClientAssigned => "A client was assigned to you",
        }
    }
}

const COUNTS: &[(&str, ward_engine::BatchFn)] = &[
    ("unseen_notifications_count", |request, q, rows, _| {
        Box::pin(counts(request, q, rows, Cond::eq("seen", false)))
    }),
    ("unread_notifications_count", |request, q, rows, _| {
        Box::pin(counts(request, q, rows, Cond::eq("is_read", false)))
    }),
    ("unseen_note_notification_count", |request, q, rows, _| {
        let of_messages = Cond::eq("kind", NotificationKind::Message.as_str());
        Box::pin(counts(request, q, rows, Cond::eq("seen", false).and(of_messages)))
    }),
];

async fn counts(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    which: Cond,
) -> Answer<Vec<Out>> {
    let ids: Vec<i64> = rows.iter().filter_map(|row| row.get(users::id).int()).collect();
    let mut select = Select::new(&NOTIFICATIONS, &request.actor);
    select.least = Level::Full;
    select.filter = Cond::is_in("user_id", &ids).and(which).and(listing::not_archived());
    if select.filter.is_never() {
        return Ok(vec![Out::Int(0); rows.len()]);
    }
    let found = q.rows(&select.count_by_sql("t.user_id")).await?;
    let pair = |row: &[Value]| Some((row.first()?.int()?, row.get(1)?.int()?));
    let counts: HashMap<i64, i64> = found.iter().filter_map(pair).collect();
    let count = |row: &RowView<'_>| {
        let id = row.get(users::id).int().unwrap_or_default();
        Out::Int(counts.get(&id).copied().unwrap_or(0))
    };
    Ok(rows.iter().map(count).collect())
}

/// Names of those who did it, of whom the caller may know the name.
async fn creators(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let ids: BTreeSet<i64> = rows.iter().filter_map(|row| row.get(at::creator_id).int()).collect();
    let ids: Vec<i64> = ids.into_iter().collect();
    let mut select = Select::new(&USERS, &request.actor);
    select.columns = vec![users::id, users::first_name, users::last_name];
    select.least = Level::Public;
    select.with_subject = true;
    select.filter = Cond::is_in("id", &ids);
    if select.filter.is_never() {
        return Ok(vec![Out::Null; rows.len()]);
    }
    let found = q.rows(&select.sql()).await?;
    let mut names: HashMap<i64, String> = HashMap::new();
    let mut read = Vec::new();
    for row in found.iter() {
        let [Value::Int(id), first, last, client, watch, ..] = row else { continue };
        names.insert(*id, joined([first.text(), last.text()]));
        if let Some(client) = client.int() {
            read.push((client, crate::names::watch(watch)));
        }
    }
    request.reads.note("Notification.creator_user_name", read);
    let name = |row: &RowView<'_>| names.get(&row.get(at::creator_id).int()?).cloned();
    Ok(rows.iter().map(|row| name(row).into()).collect())
}

/// Tells somebody of a message, unless they have not seen the last they were told
/// of in the same conversation.
pub async fn message(
    scope: &mut Scope<'_>,
    conversation: &Conversation,
    note: &Note,
    reader: Id<User>,
    is_patient: bool,
) -> Answer<()> {
    if unseen(scope, conversation.id, reader).await?.is_some() {
        return Ok(());
    }
    let new = Notification {
        creator_id: Some(note.user_id),
        other_party_id: if is_patient { Some(note.user_id) } else { conversation.patient_id },
        patient_id: if is_patient { Some(reader) } else { conversation.patient_id },
        conversation_id: Some(conversation.id),
        unit_id: conversation.unit_id,
        ..blank(scope, reader, NotificationKind::Message).await?
    };
    Ok(scope.create(&new).await?)
}

async fn unseen(
    scope: &mut Scope<'_>,
    conversation: Id<Conversation>,
    reader: Id<User>,
) -> Answer<Option<Notification>> {
    let of_reader = Cond::eq("user_id", reader.0).and(Cond::eq("seen", false));
    Ok(scope.find_by(Cond::eq("conversation_id", conversation.0).and(of_reader)).await?)
}

/// Who has read a conversation has seen what told them of it.
pub async fn viewed(
    scope: &mut Scope<'_>,
    conversation: &Conversation,
    reader: Id<User>,
) -> Answer<()> {
    if let Some(before) = unseen(scope, conversation.id, reader).await? {
        let after = Notification { seen: true, is_read: true, ..before.clone() };
        scope.update(&before, &after).await?;
    }
    Ok(())
}

/// Tells a member of a client.
pub async fn client(
    scope: &mut Scope<'_>,
    client: &User,
    member: Id<User>,
    by: Option<Id<User>>,
    kind: NotificationKind,
) -> Answer<()> {
    let new = Notification {
        creator_id: by,
        other_party_id: Some(client.id),
        patient_id: Some(client.id),
        unit_id: client.unit_id,
        ..blank(scope, member, kind).await?
    };
    Ok(scope.create(&new).await?)
}

async fn blank(
    scope: &mut Scope<'_>,
    user_id: Id<User>,
    kind: NotificationKind,
) -> Answer<Notification> {
    let now = scope.now();
    Ok(Notification {
        id: scope.next_id().await?,
        org_id: Id::new(scope.actor.org_id),
        unit_id: Id::new(scope.actor.unit_id),
        user_id,
        kind,
        creator_id: None,
        other_party_id: None,
        patient_id: None,
        conversation_id: None,
        seen: false,
        is_read: false,
        version: 1,
        created_at: now,
        updated_at: now,
    })
}

/// Marks one of one's own.
pub async fn update(call: &mut Call<'_>, input: &UpdateNotification) -> Answer<Payload> {
    let id = input.id.value().copied().ok_or_else(|| Refused::not_found("id"))?;
    let seen: Option<(Notification, Level)> = call.visible_for_update(id, Level::Full).await?;
    let (before, _) = seen.ok_or_else(|| Refused::not_found("id"))?;
    mark(call, &before, input.seen.value().copied(), input.read.value().copied()).await?;
    Ok(Payload::new().one("notification", before.id.0).one("currentUser", call.actor.user_id))
}

/// Marks some of one's own, or all: of many, the newest thousand that it changes.
pub async fn update_many(call: &mut Call<'_>, input: &UpdateNotifications) -> Answer<Payload> {
    let all = input.updateAllNotifications.is_true() || input.fromAllNotifications.is_true();
    let (seen, read) = (input.seen.value().copied(), input.read.value().copied());
    let rows = match all {
        true => unmarked(call, seen, read).await?,
        false => named(call, input).await?,
    };
    let mut ids = Vec::with_capacity(rows.len());
    for row in &rows {
        mark(call, row, seen, read).await?;
        ids.push(row.id.0);
    }
    Ok(Payload::new().many("notifications", ids).one("current_user", call.actor.user_id))
}

async fn named(call: &mut Call<'_>, input: &UpdateNotifications) -> Answer<Vec<Notification>> {
    let named = input.notification_ids.value().map(Vec::as_slice).unwrap_or_default();
    if named.len() > MARKED_MAX {
        let most = format!("Notification ids can be at most {MARKED_MAX}");
        return Err(Refused::on("notification_ids", most));
    }
    let mut rows = Vec::with_capacity(named.len());
    for id in named {
        let seen: Option<(Notification, Level)> = call.visible_for_update(*id, Level::Full).await?;
        rows.push(seen.ok_or_else(|| Refused::not_found("notification_ids"))?.0);
    }
    Ok(rows)
}

/// One's own that the marks would change.
async fn unmarked(
    call: &mut Call<'_>,
    seen: Option<bool>,
    read: Option<bool>,
) -> Answer<Vec<Notification>> {
    let differs = |column: &str, wanted: Option<bool>| {
        wanted.map_or(Cond::Never, |wanted| Cond::eq(column, !wanted))
    };
    let mut select = Select::new(&NOTIFICATIONS, call.actor);
    select.columns = vec![at::id];
    select.least = Level::Full;
    select.filter = Cond::eq("user_id", call.actor.user_id)
        .and(differs("seen", seen).or(differs("is_read", read)));
    if select.filter.is_never() {
        return Ok(Vec::new());
    }
    select.limit = i64::try_from(MARKED_MAX).ok();
    let sql = select.ordered(vec![OrderKey::column("id", true)]).sql();
    let found = call.tx.rows(&sql).await?;
    let ids: Vec<i64> = found.iter().filter_map(|row| row.first()?.int()).collect();
    Ok(call.list(Cond::is_in("id", &ids), &[]).await?)
}

/// Who acts for a client marks nothing: the client has not seen it.
async fn mark(
    call: &mut Call<'_>,
    before: &Notification,
    seen: Option<bool>,
    read: Option<bool>,
) -> Answer<()> {
    if call.actor.proxy_id.is_some() {
        return Ok(());
    }
    let after = Notification {
        seen: seen.unwrap_or(before.seen),
        is_read: read.unwrap_or(before.is_read),
        ..before.clone()
    };
    call.scope.subject_id = before.patient_id.map(|id| id.0);
    call.update(before, &after).await?;
    Ok(())
}
