//! `chatSetting` and its changes: a member's own, and colleagues' by who may edit
//! the practice's settings (behaviour 16.3, 32).

use serde_json::json;
use ward_clients::access;
use ward_engine::{
    Answer, Args, Bindings, Call, Given, Kind, Listing, Out, Payload, Problems, Refused, Request,
    Returns, RowView, input, moment, op,
};
use ward_identity::flags::CAN_EDIT_SETTINGS;
use ward_identity::id_or_blank::{IdOrBlank, named};
use ward_identity::permit::{members_only, requires};
use ward_identity::tables::User;
use ward_instance::Timestamp;
use ward_store::{Cond, Entity, Id, Json, Level, Scope};

use crate::away::reply;
use crate::away::tables::{CHAT_SETTINGS, ChatSetting, chat_settings as at};
use crate::away::window::DayRange;
use crate::{html, listing};

const TYPE: &str = "ChatSetting";
/// Weekly windows of one member.
const RANGES_MAX: usize = 28;

input! {
    /// `DayRangeInputObjectType`.
    pub struct DayRangeInput { days: Vec<String>, time_range: String }
}

input! {
    /// `RecurringDaysInputObjectType`; the id is the setting's, sent back.
    pub struct RecurringDays { id: IdOrBlank<ChatSetting>, day_ranges: Vec<DayRangeInput> }
}

macro_rules! inputs {
    ($($field:ident: $type:ty),* $(,)?) => {
        input! {
            /// `createChatSettingInput`.
            pub struct CreateSetting { user_id: IdOrBlank<User>, $($field: $type),* }
        }

        input! {
            /// `updateChatSettingInput`.
            pub struct UpdateSetting {
                id: Id<ChatSetting>,
                user_id: IdOrBlank<User>,
                $($field: $type),*
            }
        }

        /// What both inputs say.
        #[derive(Clone, Copy)]
        struct Said<'a> { $($field: &'a Given<$type>),* }

        impl CreateSetting {
            fn said(&self) -> Said<'_> { Said { $($field: &self.$field),* } }
        }

        impl UpdateSetting {
            fn said(&self) -> Said<'_> { Said { $($field: &self.$field),* } }
        }
    };
}
inputs! {
    auto_welcome_text: String,
    send_auto_welcome: bool,
    content: String,
    start_date: String,
    end_date: String,
    no_end_date: bool,
    is_active: bool,
    scheduled_turned_on: bool,
    receive_notifications: bool,
    recurring_content: String,
    recurring_days_data: RecurringDays,
    is_recurring_active: bool,
    recurring_turned_on: bool,
    receive_notifications_recurring: bool,
}

/// Binds the type, its query, its mutations, and what follows from it.
pub fn bind(b: &mut Bindings) {
    b.object(TYPE, &CHAT_SETTINGS);
    b.value_object("RecurringDaysData", &["id", "day_ranges"]);
    b.value_object("DayRangeType", &["days", "time_range"]);
    b.computed(TYPE, "recurring_days_data", &[at::id, at::recurring_days_data], |_, row, _| {
        shown_days(row)
    });
    b.query_one("chatSetting", &CHAT_SETTINGS, one)
        .args(&[("id", Kind::Id(ChatSetting::NAME)), ("user_id", Kind::Id(User::NAME))]);
    const SETTING: &[(&str, Returns)] = &[("chatSetting", Returns::One(&CHAT_SETTINGS))];
    b.mutation("createChatSetting", SETTING, op!(create));
    b.mutation("updateChatSetting", SETTING, op!(update));
    reply::bind(b);
}

fn shown_days(row: &RowView<'_>) -> Out {
    let kept = row.text(at::recurring_days_data);
    let ranges = kept.and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
    let id = row.get(at::id).int().unwrap_or_default().to_string();
    ranges.map_or(Out::Null, |ranges| Out::Json(json!({ "id": id, "day_ranges": ranges })))
}

/// `chatSetting`: by its id, somebody's, else the caller's.
fn one(request: &Request, args: &Args) -> Answer<Listing> {
    if let Some(id) = listing::id::<ChatSetting>(args, "id", request)? {
        return Ok(Listing::of(Cond::eq("id", id.0)));
    }
    let user = listing::id::<User>(args, "user_id", request)?;
    let user = user.map_or(request.actor.user_id, |user| user.0);
    Ok(Listing::of(Cond::eq("user_id", user)))
}

/// The member whose setting it is: the caller, or a colleague.
async fn member(call: &mut Call<'_>, given: &Given<IdOrBlank<User>>) -> Answer<User> {
    members_only(call.actor)?;
    let id = named(given).unwrap_or_else(|| Id::new(call.actor.user_id));
    let seen: Option<(User, Level)> = call.visible_for_reference(id, Level::Full).await?;
    let user = seen.map(|(user, _)| user).filter(|user| !user.is_patient);
    let user = user.ok_or_else(|| Refused::not_found("user_id"))?;
    if id.0 != call.actor.user_id {
        if access::membership(call, &user).await?.is_none() {
            return Err(Refused::not_found("user_id"));
        }
        requires(call.actor, CAN_EDIT_SETTINGS)?;
    }
    Ok(user)
}

/// A member's setting, if they have one.
pub async fn of(scope: &mut Scope<'_>, user: Id<User>) -> Answer<Option<ChatSetting>> {
    Ok(scope.find_by(Cond::eq("user_id", user.0)).await?)
}

async fn blank(scope: &mut Scope<'_>, user: &User) -> Answer<ChatSetting> {
    let now = scope.now();
    Ok(ChatSetting {
        id: scope.next_id().await?,
        org_id: user.org_id,
        unit_id: user.unit_id,
        user_id: user.id,
        auto_welcome_text: None,
        send_auto_welcome: false,
        content: None,
        start_date: None,
        end_date: None,
        no_end_date: false,
        is_active: false,
        scheduled_turned_on: false,
        receive_notifications: true,
        recurring_content: None,
        recurring_days_data: None,
        is_recurring_active: false,
        recurring_turned_on: false,
        receive_notifications_recurring: true,
        hide_close_confirmation: false,
        hide_org_chat_confirmation: false,
        version: 1,
        created_at: now,
        updated_at: now,
    })
}

/// Makes a member's setting; there is one of each, so what is sent again changes it.
pub async fn create(call: &mut Call<'_>, input: &CreateSetting) -> Answer<Payload> {
    let user = member(call, &input.user_id).await?;
    if let Some(before) = of(call, user.id).await? {
        let mut after = before.clone();
        input.said().put_on(call, &mut after)?;
        call.update(&before, &after).await?;
        return Ok(Payload::new().one("chatSetting", after.id.0));
    }
    let mut setting = blank(call, &user).await?;
    input.said().put_on(call, &mut setting)?;
    call.create(&setting).await?;
    Ok(Payload::new().one("chatSetting", setting.id.0))
}

/// Changes a setting.
pub async fn update(call: &mut Call<'_>, input: &UpdateSetting) -> Answer<Payload> {
    members_only(call.actor)?;
    let id = input.id.value().copied().ok_or_else(|| Refused::not_found("id"))?;
    let seen: Option<(ChatSetting, Level)> = call.visible_for_update(id, Level::Full).await?;
    let (before, _) = seen.ok_or_else(|| Refused::not_found("id"))?;
    if named(&input.user_id).is_some_and(|id| id != before.user_id) {
        return Err(Refused::not_found("user_id"));
    }
    if before.user_id.0 != call.actor.user_id {
        requires(call.actor, CAN_EDIT_SETTINGS)?;
    }
    let mut after = before.clone();
    input.said().put_on(call, &mut after)?;
    call.update(&before, &after).await?;
    Ok(Payload::new().one("chatSetting", after.id.0))
}

/// The caller wants to be asked a question no more, or again.
pub async fn hide(
    call: &mut Call<'_>,
    given: &Given<bool>,
    set: fn(&mut ChatSetting, bool),
) -> Answer<()> {
    let Some(hidden) = given.value().copied().filter(|_| call.actor.is_member()) else {
        return Ok(());
    };
    let own = Id::new(call.actor.user_id);
    match of(call, own).await? {
        Some(before) => {
            let mut after = before.clone();
            set(&mut after, hidden);
            call.update(&before, &after).await?;
        }
        None if hidden => {
            let Some(user): Option<User> = call.find(own).await? else { return Ok(()) };
            let mut setting = blank(call, &user).await?;
            set(&mut setting, hidden);
            call.create(&setting).await?;
        }
        None => {}
    }
    Ok(())
}

impl Said<'_> {
    fn put_on(&self, call: &Call<'_>, setting: &mut ChatSetting) -> Answer<()> {
        let mut problems = Problems::new();
        let p = &mut problems;
        text("auto_welcome_text", self.auto_welcome_text, &mut setting.auto_welcome_text, p);
        text("content", self.content, &mut setting.content, p);
        text("recurring_content", self.recurring_content, &mut setting.recurring_content, p);
        for (given, place) in [
            (self.send_auto_welcome, &mut setting.send_auto_welcome),
            (self.no_end_date, &mut setting.no_end_date),
            (self.is_active, &mut setting.is_active),
            (self.scheduled_turned_on, &mut setting.scheduled_turned_on),
            (self.receive_notifications, &mut setting.receive_notifications),
            (self.is_recurring_active, &mut setting.is_recurring_active),
            (self.recurring_turned_on, &mut setting.recurring_turned_on),
            (self.receive_notifications_recurring, &mut setting.receive_notifications_recurring),
        ] {
            *place = given.value().copied().unwrap_or(*place);
        }
        date(call, "start_date", self.start_date, &mut setting.start_date, p);
        date(call, "end_date", self.end_date, &mut setting.end_date, p);
        if let (Some(start), Some(end)) = (setting.start_date, setting.end_date)
            && end <= start
            && !setting.no_end_date
        {
            p.add("end_date", "End date must be after the start date");
        }
        match self.recurring_days_data {
            Given::Absent => {}
            Given::Null => setting.recurring_days_data = None,
            Given::Value(sent) if named(&sent.id).is_some_and(|id| id != setting.id) => {
                p.add("recurring_days_data", "Object not found");
            }
            Given::Value(sent) => match kept_days(sent) {
                Some(kept) => setting.recurring_days_data = Some(kept),
                None => p.add(
                    "recurring_days_data",
                    "Recurring days data must have days such as monday and a time range such as 09:00-17:00",
                ),
            },
        }
        problems.check()
    }
}

fn text(field: &str, given: &Given<String>, place: &mut Option<String>, problems: &mut Problems) {
    if !given.is_given() {
        return;
    }
    let label = ward_clients::rules::label(field);
    let cleaned = match given.trimmed().map(html::cleaned).transpose() {
        Ok(cleaned) => cleaned,
        Err(unfit) => return problems.add(field, format!("{label} {}", unfit.sentence())),
    };
    *place = cleaned.filter(|text| !html::is_blank(text));
}

fn date(
    call: &Call<'_>,
    field: &str,
    given: &Given<String>,
    place: &mut Option<Timestamp>,
    problems: &mut Problems,
) {
    match (given, given.trimmed()) {
        (Given::Absent, _) => {}
        (_, None) => *place = None,
        (_, Some(text)) => match moment::instant(text, &call.request.zone) {
            Some(at) => *place = Some(at),
            None => {
                let label = ward_clients::rules::label(field);
                problems
                    .add(field, format!("{label} must be a moment such as 2026-03-04T09:30:00Z"));
            }
        },
    }
}

/// The weekly windows as they are kept; nothing when one can't be read.
fn kept_days(sent: &RecurringDays) -> Option<Json> {
    let ranges = sent.day_ranges.value().map(Vec::as_slice).unwrap_or_default();
    if ranges.len() > RANGES_MAX {
        return None;
    }
    let kept = ranges.iter().map(|range| {
        let days = range.days.value().cloned().unwrap_or_default();
        let hours = range.time_range.trimmed();
        DayRange::read(&days, hours).map(|_| json!({ "days": days, "time_range": hours }))
    });
    let kept = kept.collect::<Option<Vec<_>>>()?;
    Some(Json(serde_json::Value::Array(kept).to_string()))
}

impl ChatSetting {
    /// The weekly windows.
    pub fn weekly(&self) -> Vec<DayRange> {
        let kept = self.recurring_days_data.as_ref();
        let kept = kept.and_then(|json| serde_json::from_str::<serde_json::Value>(&json.0).ok());
        let ranges = kept.as_ref().and_then(serde_json::Value::as_array);
        let range = |it: &serde_json::Value| {
            let days = it["days"].as_array()?.iter().filter_map(|day| day.as_str());
            let days: Vec<String> = days.map(str::to_owned).collect();
            DayRange::read(&days, it["time_range"].as_str())
        };
        ranges.map(|ranges| ranges.iter().filter_map(range).collect()).unwrap_or_default()
    }
}
