//! `appointmentWorkflowStatuses`: appointments with how far the work on each is. Of
//! claims, invoices and chart notes there is nothing yet (`unserved.txt`).

use jiff::civil::Date;
use ward_engine::{Answer, Args, Kind, Listing, Refused, Request, moment};
use ward_identity::permit::members_only;
use ward_identity::tables::User;
use ward_instance::Timestamp;
use ward_store::{Cond, Entity};

use super::listing::{attended_by, given_by};
use crate::availability::wall;
use crate::listing::{id, ids};

/// Arguments of `appointmentWorkflowStatuses`.
pub const ARGS: &[(&str, Kind)] = &[
    ("client_id", Kind::Id(User::NAME)),
    ("provider_ids", Kind::Ids(User::NAME)),
    ("range_end", Kind::Plain),
    ("range_start", Kind::Plain),
];

/// Those of the days, the client and the providers that are named, as far as the
/// member who asks sees them; blockers have no work.
pub fn list(request: &Request, args: &Args) -> Answer<Listing> {
    members_only(&request.actor)?;
    let (mut cond, mut either) = (Cond::eq("is_blocker", false), Vec::new());
    if let Some(client) = id::<User>(args, "client_id", request)? {
        cond = cond.and(attended_by(&request.actor, &[client.0]));
    }
    if let Some(providers) = ids::<User>(args, "provider_ids", request)? {
        either = given_by(&request.actor, &providers, true);
    }
    if let Some(day) = day(args, "range_start")? {
        let from = start_of(request, day).ok_or_else(|| no_day("range_start"))?;
        cond = cond.and(Cond::sql("{t}.start_at >= ?", [from.0.into()]));
    }
    if let Some(day) = day(args, "range_end")? {
        let behind = day.tomorrow().ok().and_then(|day| start_of(request, day));
        let behind = behind.ok_or_else(|| no_day("range_end"))?;
        cond = cond.and(Cond::sql("{t}.start_at < ?", [behind.0.into()]));
    }
    Ok(Listing { either, ..Listing::of(cond) })
}

fn day(args: &Args, name: &str) -> Answer<Option<Date>> {
    let Some(text) = args.text(name) else { return Ok(None) };
    let day = moment::day(text).filter(|day| (1..=9_999).contains(&day.0.year()));
    day.map(|day| Some(day.0)).ok_or_else(|| no_day(name))
}

fn no_day(name: &str) -> Refused {
    Refused::on(name, format!("{name} must be a day such as 2026-03-04"))
}

fn start_of(request: &Request, day: Date) -> Option<Timestamp> {
    wall::instant(&request.zone, day, 0)
}
