//! `notificationSetting` and its changes (behaviour 42): everybody's own, and a
//! client's by a member who sees the client.

use std::collections::HashMap;

use ward_engine::{
    Answer, Args, Bindings, Call, Given, Kind, Out, Payload, Problems, Refused, Request, Returns,
    RowView, input, op,
};
use ward_identity::id_or_blank::{IdOrBlank, named};
use ward_identity::permit::not_by_proxy;
use ward_identity::tables::{USERS, User, users};
use ward_store::{
    Actor, Cond, Db, Entity, Event, Id, Level, Query, Scope, Select, Sql, StoreError, Tx, Value,
};

use crate::notices::choices::{Choices, NAMES, OF_MESSAGES, Wishes, with_choices};
use crate::notices::quiet::time_of_day;
use crate::notices::tables::{
    NOTIFICATION_SETTINGS, NotificationSetting, notification_settings as at,
};
use crate::{listing, names};

const TYPE: &str = "NotificationSetting";
/// In an unsubscription: all notices of messages.
pub const MESSAGES: &str = "messages";

macro_rules! input_of {
    ($($name:ident)*) => {
        input! {
            /// `updateNotificationSettingInput`.
            pub struct UpdateSetting {
                id: IdOrBlank<User>,
                quiet_hours_start: String,
                quiet_hours_end: String,
                $( $name: bool, )*
            }
        }

        impl UpdateSetting {
            /// What was sent of the choices.
            fn sent(&self) -> Vec<(&'static str, bool)> {
                let all = [$( (stringify!($name), &self.$name) ),*];
                all.iter().filter_map(|(name, given)| Some((*name, *given.value()?))).collect()
            }
        }

        /// The members of the type.
        const MEMBERS: &[&str] =
            &["id", "quiet_hours_start", "quiet_hours_end", $( stringify!($name) ),*];
    };
}
with_choices!(input_of);

input! {
    /// `unsubscribeFromNotificationInput`.
    pub struct Unsubscribe {
        notification_setting_uuid: String,
        type_of_notification: String,
        user_id: IdOrBlank<User>,
    }
}

/// Binds the type, its query and its mutations.
pub fn bind(b: &mut Bindings) {
    b.value_object(TYPE, MEMBERS);
    b.batch("Query", "notificationSetting", &[], |request, q, rows, args| {
        Box::pin(one(request, q, rows, args))
    })
    .args(&[("id", Kind::Id(User::NAME))]);
    b.batch("User", "notification_setting", &[users::id], |request, q, rows, _| {
        Box::pin(of_users(request, q, rows))
    });
    const SETTING: &[(&str, Returns)] = &[("notificationSetting", Returns::Leaf)];
    b.mutation("updateNotificationSetting", SETTING, op!(update));
    const DONE: &[(&str, Returns)] = &[("notificationSettingUpdated", Returns::Leaf)];
    b.mutation("unsubscribeFromNotification", DONE, op!(unsubscribe)).public();
}

/// The wishes of those of the people whose setting the caller may see.
async fn shown(
    request: &Request,
    q: &mut dyn Query,
    ids: &[i64],
    path: &'static str,
) -> Answer<HashMap<i64, serde_json::Value>> {
    let actor = &request.actor;
    let mut select = Select::new(&USERS, actor);
    select.columns = vec![users::id, users::is_patient];
    select.least = Level::Full;
    select.with_subject = true;
    select.filter =
        Cond::is_in("id", ids).and(Cond::is_true("is_patient").or(Cond::eq("id", actor.user_id)));
    if select.filter.is_never() {
        return Ok(HashMap::new());
    }
    let found = q.rows(&select.sql()).await?;
    let mut people = Vec::new();
    let mut read = Vec::new();
    for row in found.iter() {
        let [Value::Int(id), _, client, watch, ..] = row else { continue };
        people.push(*id);
        if let Some(client) = client.int() {
            read.push((client, names::watch(watch)));
        }
    }
    request.reads.note(path, read);
    let mut select = Select::new(&NOTIFICATION_SETTINGS, actor);
    select.columns = vec![at::user_id, at::choices, at::quiet_hours_start, at::quiet_hours_end];
    select.least = Level::Full;
    select.filter = Cond::is_in("user_id", &people);
    if select.filter.is_never() {
        return Ok(HashMap::new());
    }
    let rows = q.rows(&select.sql()).await?;
    let of = |row: &[Value]| {
        let times = (row.get(2)?.text(), row.get(3)?.text());
        Some((row.first()?.int()?, Wishes::kept(row.get(1)?.text()?, times)))
    };
    let kept: HashMap<i64, Wishes> = rows.iter().filter_map(of).collect();
    let one = |id: &i64| (*id, kept.get(id).cloned().unwrap_or_default().shown(*id));
    Ok(people.iter().map(one).collect())
}

async fn one(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    args: &Args,
) -> Answer<Vec<Out>> {
    let id = listing::id::<User>(args, "id", request)?;
    let id = id.map_or(request.actor.user_id, |id| id.0);
    let mut found = shown(request, q, &[id], "notificationSetting").await?;
    let setting = found.remove(&id).map_or(Out::Null, Out::Json);
    Ok(vec![setting; rows.len()])
}

async fn of_users(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let ids: Vec<i64> = rows.iter().filter_map(|row| row.get(users::id).int()).collect();
    let found = shown(request, q, &ids, "User.notification_setting").await?;
    let of = |row: &RowView<'_>| found.get(&row.get(users::id).int()?).cloned();
    Ok(rows.iter().map(|row| of(row).map_or(Out::Null, Out::Json)).collect())
}

/// Somebody's setting, if they have changed anything yet.
pub async fn of(scope: &mut Scope<'_>, user: Id<User>) -> Answer<Option<NotificationSetting>> {
    Ok(scope.find_by(Cond::eq("user_id", user.0)).await?)
}

/// Somebody's setting, made when there is none.
pub async fn made(scope: &mut Scope<'_>, user: &User) -> Answer<NotificationSetting> {
    if let Some(row) = of(scope, user.id).await? {
        return Ok(row);
    }
    let now = scope.now();
    let row = NotificationSetting {
        org_id: user.org_id,
        user_id: user.id,
        unit_id: user.unit_id,
        choices: Choices::default().kept(),
        quiet_hours_start: None,
        quiet_hours_end: None,
        unsubscribe_uuid: scope.uuid(),
        renewed_at: None,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    scope.create(&row).await?;
    scope.emit(event("notification_setting.created", user));
    Ok(row)
}

fn event(kind: &'static str, user: &User) -> Event {
    let event = Event::new(kind, TYPE, user.id.0).of_unit(user.unit_id.0);
    match user.is_patient {
        true => event.about(user.id.0),
        false => event,
    }
}

/// Changes what somebody is told: the caller, or a client whom a member sees; not by who acts for
/// a client, who could keep from them what is done in their name.
pub async fn update(call: &mut Call<'_>, input: &UpdateSetting) -> Answer<Payload> {
    not_by_proxy(call.actor, "changing what the client is told")?;
    let id = named(&input.id).unwrap_or_else(|| Id::new(call.actor.user_id));
    let seen: Option<(User, Level)> = call.visible_for_reference(id, Level::Full).await?;
    let own = id.0 == call.actor.user_id;
    let user = seen.map(|(user, _)| user).filter(|user| own || user.is_patient);
    let user = user.ok_or_else(|| Refused::not_found("id"))?;
    call.scope.subject_id = user.is_patient.then_some(user.id.0);
    let mut problems = Problems::new();
    let start = wall_clock("quiet_hours_start", &input.quiet_hours_start, &mut problems);
    let end = wall_clock("quiet_hours_end", &input.quiet_hours_end, &mut problems);
    problems.check()?;
    let before = made(call, &user).await?;
    let mut after = before.clone();
    let mut choices = Choices::read(&before.choices.0);
    for (name, on) in input.sent() {
        choices.set(name, on);
        if on && OF_MESSAGES.contains(&name) {
            after.renewed_at = Some(call.now());
        }
    }
    if choices != Choices::read(&before.choices.0) {
        after.choices = choices.kept();
    }
    start.set(&mut after.quiet_hours_start);
    end.set(&mut after.quiet_hours_end);
    let changes = call.update(&before, &after).await?;
    if !changes.is_empty() {
        call.emit(event("notification_setting.updated", &user));
    }
    let shown = Wishes::of(Some(&after)).shown(user.id.0);
    Ok(Payload::new().leaf("notificationSetting", Out::Json(shown)))
}

/// A time of the day as it is kept; blank is the usual one.
fn wall_clock(field: &str, given: &Given<String>, problems: &mut Problems) -> Given<String> {
    match (given, given.trimmed()) {
        (Given::Absent, _) => Given::Absent,
        (_, None) => Given::Null,
        (_, Some(text)) => match time_of_day(text) {
            Some(time) => Given::Value(format!("{:02}:{:02}", time.hour(), time.minute())),
            None => {
                let label = ward_clients::rules::label(field);
                problems.add(field, format!("{label} must be a time such as 21:00"));
                Given::Absent
            }
        },
    }
}

/// Switches a notice off by the link of a mail, which needs no sign-in: its
/// holder can do this and nothing else.
pub async fn unsubscribe(call: &mut Call<'_>, input: &Unsubscribe) -> Answer<Payload> {
    let uuid = input.notification_setting_uuid.trimmed().unwrap_or_default();
    let what = input.type_of_notification.trimmed().unwrap_or(MESSAGES);
    let user = named(&input.user_id);
    switch_off(call.scope.tx, uuid, what, user).await?;
    Ok(Payload::new().leaf("notificationSettingUpdated", true))
}

/// The same, for the page behind the link. `user` is whose setting it must be.
pub async fn switch_off(tx: &mut Tx, uuid: &str, what: &str, user: Option<Id<User>>) -> Answer<()> {
    let off: &[&str] = match NAMES.iter().position(|name| *name == what) {
        Some(at) => NAMES.get(at..=at).unwrap_or_default(),
        None if what == MESSAGES => OF_MESSAGES,
        None => {
            let wrong = "Type of notification must be messages or the name of a setting";
            return Err(Refused::on("type_of_notification", wrong));
        }
    };
    let not_found = || Refused::not_found("notification_setting_uuid");
    let sql = Sql::fixed(
        "SELECT org_id, user_id FROM notification_settings WHERE unsubscribe_uuid = $1",
        [uuid.into()],
    );
    let found = tx.rows(&sql).await?;
    let [Value::Int(org_id), Value::Int(user_id), ..] = found.row(0) else {
        return Err(not_found());
    };
    let (org_id, user_id) = (*org_id, Id::<User>::new(*user_id));
    if user.is_some_and(|user| user != user_id) {
        return Err(not_found());
    }
    let system = Actor::system(org_id);
    let mut scope = Scope::new(tx, &system);
    let holder: Option<User> = scope.find(user_id).await?;
    let holder = holder.ok_or_else(not_found)?;
    scope.subject_id = holder.is_patient.then_some(holder.id.0);
    let before = of(&mut scope, user_id).await?.ok_or_else(not_found)?;
    let mut choices = Choices::read(&before.choices.0);
    for name in off {
        choices.set(name, false);
    }
    if choices == Choices::read(&before.choices.0) {
        return Ok(());
    }
    let after = NotificationSetting { choices: choices.kept(), ..before.clone() };
    scope.update(&before, &after).await?;
    scope.emit(event("notification_setting.updated", &holder));
    Ok(())
}

/// The same as a whole transaction; the problems as sentences.
pub async fn switch_off_by_link(
    db: &Db,
    uuid: &str,
    what: &str,
) -> Result<Result<(), Vec<String>>, StoreError> {
    let (uuid, what) = (uuid.to_owned(), what.to_owned());
    let done = db.write(move |tx| {
        let (uuid, what) = (uuid.clone(), what.clone());
        Box::pin(async move { switch_off(tx, &uuid, &what, None).await })
    });
    match done.await {
        Ok(()) => Ok(Ok(())),
        Err(Refused::Store(error)) => Err(error),
        Err(_) => Ok(Err(vec!["This link is not valid.".to_owned()])),
    }
}
