//! Links that programs which show calendars follow (behaviour 2): one appointment's,
//! and all of a member's.
//!
//! Who has a link needs nothing else, so it is signed, opens nothing of another
//! instance, and a member can take theirs back.

pub mod ics;
pub mod read;
mod reset;
pub mod table;

use std::collections::HashMap;

use ward_engine::{Answer, Bindings, Out, Request, Returns, RowView, op};
use ward_identity::tables::{USERS, users};
use ward_instance::calendar_link::{Calendar, CalendarLink};
use ward_store::{Cond, Query, Select, Value};

use crate::appointment::table::appointments;
use table::{CALENDAR_FEEDS, calendar_feeds};

/// Binds the links.
pub fn bind(b: &mut Bindings) {
    const OF: &[usize] = &[appointments::id, appointments::org_id, appointments::user_id];
    b.computed("Appointment", "unauthenticated_ics_link", OF, |request, row, _| {
        // It would open the appointment after the access of who acts for the client is over.
        if request.actor.proxy_id.is_some() {
            return Out::Null;
        }
        let numbers = (row.get(appointments::org_id).int(), row.get(appointments::id).int());
        let (Some(org_id), Some(id)) = numbers else { return Out::Null };
        // A visitor reads what they booked, as the client whom they said to be.
        let client = row.get(appointments::user_id).int();
        let asks = Some(request.actor.user_id).filter(|user| *user != 0).or(client);
        let Some(user_id) = asks else { return Out::Null };
        address(request, org_id, Calendar::Appointment { id, user_id }).into()
    });
    const WHO: &[usize] = &[users::id, users::org_id];
    b.batch("User", "calendar_feed_link", WHO, |request, q, rows, _| {
        Box::pin(feeds(request, q, rows))
    });
    const MADE: &[(&str, Returns)] = &[("user", Returns::One(&USERS))];
    b.mutation("resetCalendarFeed", MADE, op!(reset::reset));
}

fn address(request: &Request, org_id: i64, calendar: Calendar) -> String {
    let link = request.instance.calendar_link(&CalendarLink { org_id, calendar });
    format!("{}/calendars/{link}.ics", request.base_url)
}

/// The caller's own link; nobody sees another's.
async fn feeds(request: &Request, q: &mut dyn Query, rows: Vec<RowView<'_>>) -> Answer<Vec<Out>> {
    let own = |row: &RowView<'_>| {
        let is_own = request.actor.is_member()
            && row.get(users::id).int() == Some(request.actor.user_id)
            && row.get(users::org_id).int() == Some(request.actor.org_id);
        is_own.then_some(request.actor.user_id)
    };
    let mut generations: HashMap<i64, i64> = HashMap::new();
    if rows.iter().any(|row| own(row).is_some()) {
        let mut select = Select::new(&CALENDAR_FEEDS, &request.actor);
        select.columns = vec![calendar_feeds::user_id, calendar_feeds::generation];
        select.filter = Cond::eq("user_id", request.actor.user_id);
        for row in q.rows(&select.sql()).await?.iter() {
            if let [Value::Int(user), Value::Int(generation), ..] = row {
                generations.insert(*user, *generation);
            }
        }
    }
    let shown = |row: &RowView<'_>| match own(row) {
        Some(user_id) => {
            let generation = generations.get(&user_id).copied().unwrap_or(0);
            let calendar = Calendar::Member { user_id, generation };
            address(request, request.actor.org_id, calendar).into()
        }
        None => Out::Null,
    };
    Ok(rows.iter().map(shown).collect())
}
