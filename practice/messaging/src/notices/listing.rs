//! Which rows the lists of notices answer, by their arguments (behaviour 7, 42).

use ward_engine::{Answer, Args, Kind, Listing, OrderOption, Refused, Request};
use ward_identity::tables::User;
use ward_store::{Cond, Entity, Value};

use crate::listing::id;
use crate::notices::tables::SentNotificationRecord;

/// Arguments of `notifications`.
pub const NOTIFICATIONS_ARGS: &[(&str, Kind)] = &[
    ("other_party_id", Kind::Id(User::NAME)),
    ("read_status", Kind::Plain),
    ("seen_status", Kind::Plain),
    ("types", Kind::Plain),
];

/// Arguments of `sentNotificationRecords`.
pub const SENT_ARGS: &[(&str, Kind)] = &[
    ("end_date", Kind::Plain),
    ("org_level", Kind::Plain),
    ("patient_id", Kind::Id(User::NAME)),
    ("provider_id", Kind::Id(User::NAME)),
    ("start_date", Kind::Plain),
    ("status", Kind::Plain),
    ("type", Kind::Plain),
];

/// What both lists can be ordered by.
pub const NEWEST: &[OrderOption] =
    &[OrderOption { name: "CREATED_AT", expression: "{t}.created_at" }];

/// Where a record's effect stands, as the contract calls it.
pub const DELIVERY: &str = "COALESCE((SELECT CASE \
     WHEN e.outcome = 'delivered' THEN 'delivered' \
     WHEN e.outcome IS NULL AND e.state = 'failed' THEN 'bounced' \
     WHEN e.outcome IN ('bounced', 'soft_bounced', 'undeliverable', 'complained', 'opted_out') \
     THEN 'bounced' ELSE 'sent' END FROM effect_intents e \
     WHERE e.org_id = {t}.org_id AND e.idempotency_key = {t}.intent_key), 'sent')";

/// A client who is archived is told of no more (behaviour 18.3).
pub fn not_archived() -> Cond {
    Cond::sql(
        "({t}.patient_id IS NULL OR {t}.patient_id = {t}.user_id OR EXISTS (\
         SELECT 1 FROM users na WHERE na.org_id = {t}.org_id AND na.id = {t}.patient_id \
         AND na.active = TRUE))",
        [],
    )
}

/// `notifications` and `notificationCount`: the caller's own.
pub fn notifications(request: &Request, args: &Args) -> Answer<Listing> {
    let mut cond = Cond::eq("user_id", request.actor.user_id).and(not_archived());
    if let Some(other) = id::<User>(args, "other_party_id", request)? {
        cond = cond.and(Cond::eq("other_party_id", other.0));
    }
    if let Some(read) = args.bool("read_status") {
        cond = cond.and(Cond::eq("is_read", read));
    }
    if let Some(seen) = args.bool("seen_status") {
        cond = cond.and(Cond::eq("seen", seen));
    }
    let types: Option<Vec<String>> = args.get("types", request)?;
    if let Some(types) = types.filter(|types| !types.is_empty()) {
        let any = types.iter().fold(Cond::Never, |any, kind| any.or(Cond::eq("kind", &**kind)));
        cond = cond.and(any);
    }
    Ok(Listing::of(cond))
}

/// Clients of whom a member is the primary provider or in the care team.
fn clients_of(provider: i64) -> Cond {
    let provider: Value = provider.into();
    Cond::sql(
        "EXISTS (SELECT 1 FROM users pc WHERE pc.org_id = {t}.org_id AND pc.id = {t}.user_id \
         AND pc.is_patient = TRUE AND (pc.dietitian_id = ? OR EXISTS (\
         SELECT 1 FROM care_team_members ct WHERE ct.org_id = pc.org_id \
         AND ct.patient_id = pc.id AND ct.user_id = ?)))",
        [provider.clone(), provider],
    )
}

/// `sentNotificationRecords`: of a client, of a provider's clients, or of all whom
/// the caller sees; else of the caller's clients, and a client's own.
pub fn sent_records(request: &Request, args: &Args) -> Answer<Listing> {
    let actor = &request.actor;
    let patient = id::<User>(args, "patient_id", request)?;
    let provider = id::<User>(args, "provider_id", request)?;
    let mut cond = match (patient, provider) {
        (Some(patient), _) => Cond::eq("user_id", patient.0),
        (None, Some(provider)) => clients_of(provider.0),
        (None, None) if args.flag("org_level") => Cond::Always,
        (None, None) if actor.is_client() => Cond::eq("user_id", actor.user_id),
        (None, None) => clients_of(actor.user_id),
    };
    if let Some(from) = args.moment("start_date", request)? {
        cond = cond.and(Cond::sql("{t}.created_at >= ?", [from.0.into()]));
    }
    if let Some(until) = args.moment("end_date", request)? {
        cond = cond.and(Cond::sql("{t}.created_at <= ?", [until.0.into()]));
    }
    if let Some(status) = args.text("status").filter(|status| *status != "all") {
        cond = cond.and(Cond::sql(format!("{DELIVERY} = ?"), [status.into()]));
    }
    if let Some(kind) = args.text("type").filter(|kind| *kind != "all") {
        let kind: Value = kind.into();
        cond = cond.and(Cond::sql(
            "({t}.notification_type = ? OR {t}.category = ?)",
            [kind.clone(), kind],
        ));
    }
    Ok(Listing::of(cond))
}

/// `sentNotificationRecord`.
pub fn sent_record(request: &Request, args: &Args) -> Answer<Listing> {
    let id = id::<SentNotificationRecord>(args, "id", request)?;
    let id = id.ok_or_else(|| Refused::not_found("id"))?;
    Ok(Listing::of(Cond::eq("id", id.0)))
}
