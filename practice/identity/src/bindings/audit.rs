//! `auditLog` (behaviour 43): the store's log, as far as the contract has
//! names for it, for the last four months.

use jiff::ToSpan;
use ward_engine::{
    Answer, Args, Bindings, Kind, Link, Listing, OrderOption, Out, Request, parse_id,
};
use ward_instance::Timestamp;
use ward_store::audit::AuditChange;
use ward_store::system::{AUDIT_EVENTS, audit_events as at};
use ward_store::{Cond, Entity, Id, Table, Value};

use crate::flags::CAN_VIEW_AUDIT_LOG;
use crate::tables::{USERS, User};
use crate::{restricted, visibility};

/// The store's audit table, for those who may view it.
pub static AUDIT_LOG: Table = Table {
    name: AUDIT_EVENTS.name,
    entity: "AuditEvent",
    columns: AUDIT_EVENTS.columns,
    key: AUDIT_EVENTS.key,
    indexes: &[],
    references: &[],
    audit: None,
    subject: Some(restricted::of_audit_entries),
    visible: visibility::audit_log,
};

/// How far back the query reaches (behaviour 43); the log itself is kept longer.
const REACH_MONTHS: i64 = 4;

/// Resources that the contract has a name for.
pub const RESOURCES: [&str; 23] = [
    "API_KEY",
    "APPOINTMENT",
    "APPOINTMENT_INCLUSION",
    "APPOINTMENT_LOCATION",
    "APPOINTMENT_SETTING",
    "AVAILABILITY",
    "BILLING_ITEM",
    "CARE_PLAN",
    "CMS1500",
    "CMS1500_POLICY",
    "CPT_CODES_CMS1500",
    "DIAGNOSIS",
    "FEATURE_TOGGLE",
    "FORM_ANSWER_GROUP",
    "FORM_ANSWER",
    "GOAL",
    "LOCATION",
    "ORGANIZATION",
    "ORGANIZATION_INFO",
    "ORGANIZATION_MEMBERSHIP",
    "POLICY",
    "TASK",
    "USER",
];
const TYPES: [&str; 3] = ["CREATE", "UPDATE", "DESTROY"];

const ORDERS: &[OrderOption] =
    &[OrderOption { name: "OCCURRED_AT", expression: "{t}.occurred_at" }];

/// Registers the type and its query.
pub fn bind(b: &mut Bindings) {
    b.object("AuditEvent", &AUDIT_LOG);
    b.column("AuditEvent", "type", at::event_type);
    b.one("AuditEvent", "acting_user", &USERS, Link::Key(at::actor_id));
    b.value_object(
        "AuditEventResourceChange",
        &["field", "value_before_change", "value_after_change"],
    );
    b.computed("AuditEvent", "resource_changes", &[at::changes], |_, row, _| {
        changes(row.text(at::changes).unwrap_or("[]"))
    });
    b.query_list("auditLog", &AUDIT_LOG, listing)
        .args(&[
            ("acting_user_id", Kind::Id(User::NAME)),
            ("resource_name", Kind::Plain),
            ("resource_id", Kind::Plain),
            ("event_type", Kind::Plain),
            ("occurred_after", Kind::Plain),
            ("occurred_before", Kind::Plain),
        ])
        .orders(ORDERS, "OCCURRED_AT_DESC")
        .requires(CAN_VIEW_AUDIT_LOG);
}

/// The stored changes as the contract's objects.
fn changes(text: &str) -> Out {
    let changes: Vec<AuditChange> = serde_json::from_str(text).unwrap_or_default();
    let change = |change: AuditChange| {
        Out::Json(serde_json::json!({
            "field": change.field,
            "value_before_change": change.before,
            "value_after_change": change.after,
        }))
    };
    Out::List(changes.into_iter().map(change).collect())
}

fn listing(request: &Request, args: &Args) -> Answer<Listing> {
    let mut cond = one_of("event_type", &TYPES, args.text("event_type"))
        .and(one_of("resource_name", &RESOURCES, args.text("resource_name")))
        .and(since("occurred_at", reach(request.now)));
    match args.text("acting_user_id") {
        Some("no_author") => cond = cond.and(Cond::eq("actor_id", 0)),
        Some(_) => {
            let id = args.get::<Id<User>>("acting_user_id", request)?;
            cond = cond.and(Cond::eq("actor_id", id.map_or(-1, |id| id.0)));
        }
        None => {}
    }
    if let Some(id) = args.text("resource_id") {
        // The resource may have a UUID; a number is an id like any other.
        if id.parse::<i64>().is_ok() {
            parse_id::<User>(id, "resource_id", request.instance.ids())?;
        }
        cond = cond.and(Cond::eq("resource_id", id));
    }
    if let Some(after) = args.moment("occurred_after", request)? {
        cond = cond.and(since("occurred_at", after));
    }
    if let Some(before) = args.moment("occurred_before", request)? {
        cond = cond.and(Cond::sql("{t}.occurred_at <= ?", [before.0.into()]));
    }
    Ok(Listing::of(cond))
}

/// One of the texts: the asked one, if it is among them, else any.
fn one_of(column: &str, texts: &[&str], asked: Option<&str>) -> Cond {
    match asked {
        Some(asked) if texts.contains(&asked) => Cond::eq(column, asked),
        Some(_) => Cond::Never,
        None => {
            let texts: Vec<Box<str>> = texts.iter().map(|text| (*text).into()).collect();
            Cond::sql(format!("{{t}}.{column} IN_LIST(?)"), [Value::Texts(texts.into())])
        }
    }
}

fn since(column: &str, at: Timestamp) -> Cond {
    Cond::sql(format!("{{t}}.{column} >= ?"), [at.0.into()])
}

/// Where the last four months begin.
fn reach(now: Timestamp) -> Timestamp {
    let start = jiff::Timestamp::from_microsecond(now.0)
        .ok()
        .map(|moment| moment.to_zoned_datetime(jiff::tz::TimeZone::UTC))
        .and_then(|moment| moment.checked_sub(REACH_MONTHS.months()).ok());
    start.map_or(Timestamp(0), |start| Timestamp(start.timestamp().as_microsecond()))
}
