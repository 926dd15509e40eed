//! What is answered of somebody's appointments: those that they attend, as
//! `appointments(user_id:)` answers them, and the next one of who asks (behaviour
//! 23.6). What members give is asked of `appointments(provider_id:)`.

use std::collections::HashMap;

use ward_clients::feature_toggle::{self, Switch};
use ward_engine::{Answer, Args, Listing, OrderOption, Out, Request, RowView};
use ward_identity::tables::users;
use ward_instance::Timestamp;
use ward_store::{Cond, Join, Level, OrderKey, Query, Select, Value};

use super::listing::is_active;
use super::table::{APPOINTMENTS, appointments as at};

/// Everybody who attends, with what they attend.
pub const ATTENDS: Join = Join {
    table: "(SELECT c.org_id, c.appointment_id, c.user_id FROM appointment_inclusions c \
     WHERE c.cancelled = FALSE)",
    to: "appointment_id",
    from: "user_id",
};

/// By when they begin.
pub const BY_START: &[OrderOption] = &[OrderOption { name: "DATE", expression: "{t}.start_at" }];

fn begins(sign: &str, now: Timestamp) -> Cond {
    Cond::sql(format!("{{t}}.start_at {sign} ?"), [now.0.into()])
}

/// Those that take place and are to come.
pub fn coming(request: &Request, _: &Args) -> Answer<Listing> {
    Ok(Listing::of(begins(">", request.now).and(is_active())))
}

/// Those that have begun, and were not called off.
pub fn past(request: &Request, _: &Args) -> Answer<Listing> {
    Ok(Listing::of(begins("<=", request.now).and(is_active())))
}

/// `nextAppointment`: a client's that they attend, a member's that takes their time.
pub fn next(request: &Request, args: &Args) -> Answer<Listing> {
    let mut listing = coming(request, args)?;
    let actor = &request.actor;
    let own = [actor.org_id.into(), actor.user_id.into()];
    let mine = match actor.is_member() {
        true => {
            "{t}.is_blocker = FALSE AND {t}.id IN (SELECT mine.appointment_id \
             FROM calendar_entries mine WHERE mine.org_id = ? AND mine.user_id = ?)"
        }
        false => {
            "{t}.id IN (SELECT mine.appointment_id FROM appointment_inclusions mine \
             WHERE mine.org_id = ? AND mine.user_id = ? AND mine.cancelled = FALSE)"
        }
    };
    listing.filter = listing.filter.and(Cond::sql(mine, own));
    Ok(listing)
}

/// `User.next_appt_date`.
pub async fn next_dates(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let ids: Vec<i64> = rows.iter().filter_map(|row| row.get(users::id).int()).collect();
    let mut select = Select::new(&APPOINTMENTS, &request.actor);
    select.least = Level::Full;
    select.join = Some(ATTENDS);
    select.columns = vec![at::start_at];
    let theirs = Cond::sql("j.user_id IN_LIST(?)", [Value::Ints(ids.into())]);
    select.filter = begins(">", request.now).and(is_active()).and(theirs);
    let select = select.ordered(vec![OrderKey::column("start_at", false)]);
    let found = q.rows(&select.sql()).await?;
    let mut next: HashMap<i64, Timestamp> = HashMap::new();
    for row in found.iter() {
        if let (Some(start), Some(user)) = (row[0].int(), row[1].int()) {
            next.entry(user).or_insert(Timestamp(start));
        }
    }
    let value = |row: &RowView<'_>| {
        let id = row.get(users::id).int();
        id.and_then(|id| next.get(&id)).map_or(Out::Null, |at| Out::Instant(*at))
    };
    Ok(rows.iter().map(value).collect())
}

/// `showScheduledTab`: whether there is anything to schedule for who asks, or
/// anything scheduled (behaviour 19).
pub async fn shows_scheduled(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let actor = &request.actor;
    let shows = match actor.is_client() {
        true if feature_toggle::is_on(q, actor.org_id, actor.user_id, Switch::Scheduling)
            .await? =>
        {
            true.into()
        }
        true => {
            let mut select = Select::new(&APPOINTMENTS, actor);
            select.least = Level::Full;
            select.filter = next(request, &Args::default())?.filter;
            (q.count(&select.count_sql()).await? > 0).into()
        }
        false if actor.is_member() => true.into(),
        false => Out::Null,
    };
    Ok(vec![shows; rows.len()])
}
