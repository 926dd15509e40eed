//! What is sent of requests, and what is wrong with it. Pure.

use jiff::tz::TimeZone;
use ward_engine::{
    Answer, FromIn, Given, IdCodec, In, Kind, Problems, Refused, input, last_step, moment, parse_id,
};
use ward_identity::id_list::texts;
use ward_identity::id_or_blank::IdOrBlank;
use ward_identity::tables::{User, UserGroup};
use ward_instance::Timestamp;
use ward_store::{Entity, Id};

use super::RECIPIENTS_MAX;
use super::rules::{self, Said};
use super::tables::{RecurringForm, RequestedFormCompletion};
use crate::flow::input::FormOrType;

/// Somebody who is asked, as lists name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// `4`, or `user-4`.
    Client(Id<User>),
    /// `group-2`.
    Group(Id<UserGroup>),
}

impl Named {
    /// The client, if it is one.
    pub fn client(self) -> Option<Id<User>> {
        match self {
            Named::Client(id) => Some(id),
            Named::Group(_) => None,
        }
    }

    /// The group, if it is one.
    pub fn group(self) -> Option<Id<UserGroup>> {
        match self {
            Named::Group(id) => Some(id),
            Named::Client(_) => None,
        }
    }
}

/// Who is asked, each once: a list, or a text with commas (behaviour 28).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recipients(pub Vec<Named>);

impl FromIn for Recipients {
    const KIND: Kind = Kind::Ids(User::NAME);
    fn from_in(value: &In, at: &str, ids: &IdCodec) -> Answer<Self> {
        let texts = texts(value, at, ids)?;
        if texts.len() > RECIPIENTS_MAX {
            let sentence =
                format!("At most {RECIPIENTS_MAX} recipients can be named; name a group");
            return Err(Refused::on(last_step(at), sentence));
        }
        let mut list = Vec::with_capacity(texts.len());
        for text in texts {
            let named = match text.strip_prefix("group-") {
                Some(id) => Named::Group(parse_id(id, at, ids)?),
                None => {
                    Named::Client(parse_id(text.strip_prefix("user-").unwrap_or(&text), at, ids)?)
                }
            };
            if !list.contains(&named) {
                list.push(named);
            }
        }
        Ok(Recipients(list))
    }
}

/// The id of a client or a group: which of them, `connectable_type` says.
#[derive(Clone, Debug, PartialEq)]
pub struct Connectable(pub String);

impl FromIn for Connectable {
    const KIND: Kind = Kind::Id(UserGroup::NAME);
    fn from_in(value: &In, at: &str, ids: &IdCodec) -> Answer<Self> {
        let text = String::from_in(value, at, ids)?;
        let number = text.trim();
        let number = number.strip_prefix("group-").unwrap_or(number);
        // Another environment's is told apart at once; whether there is one, is asked later.
        match parse_id::<UserGroup>(number, at, ids) {
            Err(foreign @ Refused::Foreign { .. }) => Err(foreign),
            _ => Ok(Connectable(text)),
        }
    }
}

/// The client or group that both arguments name together; nothing where no id was sent. Without a
/// type it is a group, as the contract has it.
pub fn connected(
    id: Option<&str>,
    of_type: Option<&str>,
    at: &str,
    ids: &IdCodec,
) -> Answer<Option<Named>> {
    let Some(id) = id.map(str::trim).filter(|id| !id.is_empty()) else { return Ok(None) };
    let words: String = of_type.unwrap_or("UserGroup").replace('_', "").to_lowercase();
    match words.as_str() {
        "usergroup" | "group" => {
            let id = id.strip_prefix("group-").unwrap_or(id);
            parse_id(id, at, ids).map(Named::Group).map(Some)
        }
        "user" | "client" => parse_id(id, at, ids).map(Named::Client).map(Some),
        _ => Err(Refused::on("connectable_type", "connectable_type must be User or UserGroup")),
    }
}

input! {
    /// `createRequestedFormInput`; `custom_module_form_id`, `item_type` and `recipient_id` are what
    /// the others were before.
    pub struct CreateRequest {
        custom_module_form_id: FormOrType,
        ends_on: String,
        form: FormOrType,
        frequency: String,
        hour: String,
        is_recurring: bool,
        item_type: String,
        metadata: String,
        minute: String,
        monthday: String,
        period: String,
        recipient_id: IdOrBlank<User>,
        recipient_ids: Recipients,
        recurrence_ends: bool,
        skip_notification_email: bool,
        weekday: String,
    }
}

input! {
    /// `deleteRequestedFormInput`, by the contract's names.
    #[allow(non_snake_case)]
    pub struct DeleteRequest {
        id: IdOrBlank<RequestedFormCompletion>,
        recurringFormId: IdOrBlank<RecurringForm>,
    }
}

input! {
    /// `updateRecurringFormInput`; the recipients are all that it has from then on.
    pub struct UpdateRecurring {
        ends_on: String,
        frequency: String,
        hour: String,
        id: IdOrBlank<RecurringForm>,
        is_active: bool,
        is_recurring: bool,
        minute: String,
        monthday: String,
        period: String,
        recipient_ids: Recipients,
        recurrence_ends: bool,
        weekday: String,
    }
}

input! {
    /// `destroyRecurringFormInput`: all of it, or for one of its recipients.
    pub struct DestroyRecurring {
        connectable_id: Connectable,
        connectable_type: String,
        id: IdOrBlank<RecurringForm>,
    }
}

impl CreateRequest {
    /// What it says of when.
    pub fn said(&self) -> Said<'_> {
        Said {
            frequency: self.frequency.trimmed(),
            hour: self.hour.trimmed(),
            minute: self.minute.trimmed(),
            period: self.period.trimmed(),
            weekday: self.weekday.trimmed(),
            monthday: self.monthday.trimmed(),
        }
    }
}

impl UpdateRecurring {
    /// What it says of when.
    pub fn said(&self) -> Said<'_> {
        Said {
            frequency: self.frequency.trimmed(),
            hour: self.hour.trimmed(),
            minute: self.minute.trimmed(),
            period: self.period.trimmed(),
            weekday: self.weekday.trimmed(),
            monthday: self.monthday.trimmed(),
        }
    }
}

/// When it ends, if anything is said of that: nothing for never. That it ends at all says nothing
/// new where it does so `before`.
pub fn ends(
    (ends, ends_on): (&Given<bool>, &Given<String>),
    before: Option<Timestamp>,
    zone: &TimeZone,
    problems: &mut Problems,
) -> Option<Option<Timestamp>> {
    if ends.value() == Some(&false) {
        return Some(None);
    }
    let Some(text) = ends_on.trimmed() else {
        if ends.is_true() && before.is_none() {
            problems.add("ends_on", "Ends on can't be blank where the recurrence ends");
        }
        return None;
    };
    let end = moment::day(text).and_then(|day| rules::end_of(day.0, zone));
    if end.is_none() {
        problems.add("ends_on", "Ends on must be a date such as 2026-03-04");
    }
    end.map(Some)
}
