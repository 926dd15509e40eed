//! Calendars for other programs: what links open, read back by a parser.

use std::str::FromStr;

use icalendar::{Calendar, Component, EventStatus};
use serde_json::{Value as Json, json};
use ward_instance::calendar_link::CalendarLink;
use ward_instance::token::LinkRefusal;
use ward_scheduling::calendar_feed::{ics, read};
use ward_store::Actor;

use crate::booking::{Desk, ahead, booked, change, with};
use crate::support::World;

/// The link in an address.
fn link(w: &World, address: &Json) -> Result<CalendarLink, LinkRefusal> {
    let address = address.as_str().unwrap();
    let (_, file) = address.rsplit_once("/calendars/").unwrap();
    w.instance.open_calendar_link(file.strip_suffix(".ics").unwrap())
}

/// The calendar that an address opens, as a program reads it.
async fn opened(w: &World, address: &Json) -> Option<Calendar> {
    let link = link(w, address).unwrap();
    let mut reader = w.db.read().await.unwrap();
    let opened =
        read::open(&mut reader, &link, (w.instance.now(), w.instance.now())).await.unwrap()?;
    let text = ics::calendar(&opened.practice, "ward.example.com", &opened.entries);
    assert!(text.lines().all(|line| line.len() <= 75), "{text}");
    for word in ["Ada", "Client", "First visit", "window", "Olive", "Staffson"] {
        assert!(!text.contains(word), "{word} in {text}");
    }
    Some(Calendar::from_str(&text).unwrap())
}

async fn feed(w: &World, actor: &Actor) -> Json {
    let answer = w.run(actor, "{ currentUser { calendar_feed_link } }", json!({})).await;
    answer["currentUser"]["calendar_feed_link"].clone()
}

#[tokio::test]
async fn an_appointments_link_follows_what_becomes_of_it() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        let at = ahead(&w, 3, "15:00");
        let input = with(&desk.at(&at), json!({ "notes": "by the window" }));
        let id = booked(&w, &w.owner, input).await;
        let query = "query($id: ID) { appointment(id: $id) { unauthenticated_ics_link } }";
        let ada = w.as_client(&desk.client).await;
        let answer = w.run(&ada, query, json!({ "id": id })).await;
        let address = &answer["appointment"]["unauthenticated_ics_link"];
        let calendar = opened(&w, address).await.unwrap();
        let [event] = calendar.events().collect::<Vec<_>>()[..] else { panic!("one event") };
        assert_eq!(event.get_uid(), Some(format!("{id}@ward.example.com").as_str()));
        assert_eq!(event.get_status(), Some(EventStatus::Confirmed));
        let start = event.property_value("DTSTART").unwrap();
        assert_eq!(start, format!("{}T150000Z", at[..10].replace('-', "")));
        assert!(event.property_value("DTEND").unwrap().ends_with("T155000Z"));
        change(&w, &w.owner, json!({ "id": id, "pm_status": "Cancelled" })).await;
        let calendar = opened(&w, address).await.unwrap();
        let off = calendar.events().next().unwrap();
        assert_eq!(off.get_status(), Some(EventStatus::Cancelled));
        let number = |event: &icalendar::Event| {
            event.property_value("SEQUENCE").unwrap().parse::<i64>().unwrap()
        };
        assert!(number(off) > number(event));
        // Who does not see it any more reads it no more, whoever has their link.
        let owners = w.run(&w.owner, query, json!({ "id": id })).await;
        let owners = &owners["appointment"]["unauthenticated_ics_link"];
        assert_ne!(owners, address);
        let other = w.client("Bea", "bea@example.com").await;
        let input = json!({ "id": id, "pm_status": "", "user_id": other });
        assert!(change(&w, &w.owner, input).await["messages"].is_null());
        assert!(opened(&w, address).await.is_none(), "somebody else's appointment now");
        assert!(opened(&w, owners).await.is_some());
    })
    .await;
}

#[tokio::test]
async fn a_members_feed_has_their_appointments_until_they_take_it_back() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        let first = booked(&w, &w.owner, desk.at(&ahead(&w, 3, "15:00"))).await;
        let stans = with(
            &desk.at(&ahead(&w, 4, "15:00")),
            json!({ "other_party_id": w.standard.user_id.to_string() }),
        );
        booked(&w, &w.owner, stans).await;
        let address = feed(&w, &w.owner).await;
        let calendar = opened(&w, &address).await.unwrap();
        let uids: Vec<_> = calendar.events().filter_map(|it| it.get_uid()).collect();
        assert_eq!(uids, [format!("{first}@ward.example.com")], "their own only");
        change(&w, &w.owner, json!({ "id": first, "pm_status": "Cancelled" })).await;
        assert_eq!(opened(&w, &address).await.unwrap().events().count(), 0);

        let selects = "user { id calendar_feed_link }";
        let made = w.mutate(&w.owner, "resetCalendarFeed", selects, json!({})).await;
        assert!(made["messages"].is_null(), "{made}");
        assert!(opened(&w, &address).await.is_none(), "the old one opens nothing");
        let fresh = &made["user"]["calendar_feed_link"];
        assert_ne!(fresh, &address);
        assert!(opened(&w, fresh).await.is_some());
        // Of a colleague's an administrator can take it back, and read it neither before nor after.
        let theirs = json!({ "user_id": w.standard.user_id.to_string() });
        let old = feed(&w, &w.standard).await;
        let made = w.mutate(&w.owner, "resetCalendarFeed", selects, theirs).await;
        assert_eq!(made["user"]["calendar_feed_link"], Json::Null, "{made}");
        assert!(opened(&w, &old).await.is_none());
        let owners = json!({ "user_id": w.owner.user_id.to_string() });
        let query = "mutation($input: resetCalendarFeedInput) { resetCalendarFeed(input: $input) { user { id } messages { field message } } }";
        let refused = w.run_in(ward_engine::ViewId::V2026, &w.standard, query, json!({ "input": owners })).await;
        assert!(refused["data"]["resetCalendarFeed"]["user"].is_null(), "{refused}");
        assert!(opened(&w, fresh).await.is_some(), "nobody else takes it back");
        let ada = w.as_client(&desk.client).await;
        assert_eq!(feed(&w, &ada).await, Json::Null, "clients have none");
    })
    .await;
}

#[tokio::test]
async fn a_link_that_was_altered_opens_nothing() {
    World::each(async |w| {
        let address = feed(&w, &w.owner).await;
        let text = address.as_str().unwrap();
        let (start, end) = text.split_at(text.len() - 10);
        let other = if end.starts_with('A') { "B" } else { "A" };
        let altered = json!(format!("{start}{other}{}", &end[1..]));
        assert!(matches!(link(&w, &altered), Err(LinkRefusal::Forged | LinkRefusal::Malformed)));
    })
    .await;
}
