//! Slots through the front door: whose, of what, and what nobody learns by them.

use serde_json::{Value as Json, json};
use ward_engine::ViewId;
use ward_store::{Actor, Sql};

use crate::calendars::{Booked, at};
use crate::support::World;

/// A Monday on which New York is at -05:00.
pub const DAY: &str = "start_date: \"2027-03-01\", end_date: \"2027-03-01\"";
/// Some time before.
pub const NOW: &str = "2027-02-20T12:00:00Z";

/// What a query answers at a time before the day.
pub async fn asked(w: &World, actor: &Actor, query: &str) -> Json {
    w.run_at(at(NOW), ViewId::V2026, actor, query, json!({})).await
}

/// Slots as `HH:MM provider`, the hour as the answer shows it.
async fn slots(w: &World, actor: &Actor, args: &str) -> Vec<String> {
    let query = format!("{{ availableSlotsForRange({args}, {DAY}) {{ date user_id }} }}");
    let answer = asked(w, actor, &query).await;
    let list = answer["data"]["availableSlotsForRange"].as_array();
    let list = list.unwrap_or_else(|| panic!("{answer}"));
    let shown = |slot: &Json| {
        let (date, user) = (slot["date"].as_str().unwrap(), slot["user_id"].as_str().unwrap());
        format!("{} {user}", &date[11..16])
    };
    list.iter().map(shown).collect()
}

/// Hours of a member on the day, from nine o'clock in New York.
pub async fn hours(w: &World, member: &Actor, more: Json) {
    let mut input = json!({ "range_start": "March 1, 2027", "time": "09 00", "end_time": "10 00",
        "timezone": "America/New_York", "user_id": member.user_id.to_string() });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = w.mutate(&w.owner, "createAvailability", "availability { id }", input).await;
    assert!(made["messages"].is_null(), "{made}");
}

pub async fn open_type(w: &World, more: Json) -> String {
    let mut input = json!({ "name": "Visit", "length": 30, "clients_can_book": true });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    w.type_of(&w.owner, input).await
}

async fn set(w: &World, input: Json) {
    let mut input = input;
    input["start_time"] = json!("08:00");
    input["end_time"] = json!("18:00");
    let field = "createAppointmentSetting";
    let made = w.mutate(&w.owner, field, "appointmentSetting { id }", input).await;
    assert!(made["messages"].is_null(), "{made}");
}

pub fn of(provider: &Actor, of: &str) -> String {
    format!("provider_id: \"{}\", appt_type_id: \"{of}\"", provider.user_id)
}

#[tokio::test]
async fn whoever_may_book_is_told_what_is_free() {
    World::each(async |w| {
        hours(&w, &w.standard, json!({})).await;
        w.busy(w.standard.user_id, "2027-03-01T14:30:00Z", 15).await;
        let open = open_type(&w, json!({})).await;
        let shut = open_type(&w, json!({ "clients_can_book": false })).await;
        let gone = open_type(&w, json!({})).await;
        let input = json!({ "id": gone });
        w.mutate(&w.owner, "deleteAppointmentType", "appointmentType { id }", input).await;
        let client = w.client("Ada", "ada@example.com").await;
        let team = json!({ "id": client, "other_provider_ids": [w.standard.user_id.to_string()] });
        w.mutate(&w.owner, "updateClient", "user { id }", team).await;
        let (ada, nobody) = (w.as_client(&client).await, Actor::anonymous());
        let free = [format!("09:00 {}", w.standard.user_id)];
        for actor in [&nobody, &ada, &w.owner, &w.standard, &w.support] {
            assert_eq!(slots(&w, actor, &of(&w.standard, &open)).await, free);
            assert!(slots(&w, actor, &of(&w.standard, &gone)).await.is_empty());
            assert!(slots(&w, actor, &of(&w.owner, &open)).await.is_empty(), "has no hours");
            assert!(slots(&w, actor, &of(&w.support, &open)).await.is_empty(), "is no provider");
        }
        for (actor, sees) in [(&nobody, 0), (&ada, 0), (&w.owner, 1)] {
            assert_eq!(slots(&w, actor, &of(&w.standard, &shut)).await.len(), sees);
        }
        // Another practice's people book neither here nor with a type of ours.
        assert!(slots(&w, &w.stranger, &of(&w.standard, &open)).await.is_empty());
        assert!(slots(&w, &nobody, &of(&w.stranger, &open)).await.is_empty());
        // Without a type or a length, a start is good for the longest type.
        open_type(&w, json!({ "length": 60 })).await;
        let bare = format!("provider_id: \"{}\"", w.standard.user_id);
        assert!(slots(&w, &nobody, &bare).await.is_empty());
        let short = format!("{bare}, length: \"15\"");
        assert_eq!(slots(&w, &nobody, &short).await.len(), 3);
        let mut sql = Sql::new();
        sql.push("UPDATE users SET active = FALSE WHERE id = ").bind(w.standard.user_id);
        w.execute(sql).await;
        for actor in [&nobody, &ada, &w.owner] {
            assert!(slots(&w, actor, &of(&w.standard, &open)).await.is_empty());
        }
    })
    .await;
}

#[tokio::test]
async fn clients_book_where_they_may() {
    World::each(async |w| {
        hours(&w, &w.standard, json!({})).await;
        let licensed = open_type(&w, json!({ "require_in_state_clients": true })).await;
        let named = open_type(
            &w,
            json!({ "require_specific_providers": true,
            "provider_ids_for_appt_type_connections": [w.owner.user_id.to_string()] }),
        )
        .await;
        let nobody = Actor::anonymous();
        assert!(slots(&w, &nobody, &of(&w.standard, &named)).await.is_empty());
        let licence =
            json!({ "id": w.standard.user_id.to_string(), "state_licenses": [{ "state": "NY" }] });
        w.mutate(&w.owner, "updateOrganizationMember", "user { id }", licence).await;
        let args = of(&w.standard, &licensed);
        let from = |state: &str| format!("{args}, licensed_in_state: \"{state}\"");
        assert!(slots(&w, &nobody, &args).await.is_empty(), "it is not known where they live");
        assert_eq!(slots(&w, &nobody, &from("New York")).await.len(), 3);
        assert!(slots(&w, &nobody, &from("NJ")).await.is_empty());
        assert_eq!(slots(&w, &w.owner, &args).await.len(), 3, "members book whom they like");
        assert!(slots(&w, &w.owner, &from("NJ")).await.is_empty());
        // A client lives where their address is, whatever they say.
        let client = w.client("Ada", "ada@example.com").await;
        let team = json!({ "id": client, "other_provider_ids": [w.standard.user_id.to_string()],
            "location": { "line1": "1 Main Street", "state": "NJ" } });
        let changed = w.mutate(&w.owner, "updateClient", "user { id }", team).await;
        assert!(changed["messages"].is_null(), "{changed}");
        let ada = w.as_client(&client).await;
        assert!(slots(&w, &ada, &from("NY")).await.is_empty());
        let open = open_type(&w, json!({})).await;
        assert_eq!(slots(&w, &ada, &of(&w.standard, &open)).await.len(), 3);
        set(
            &w,
            json!({ "user_id": w.standard.user_id.to_string(), "prevent_client_booking": true }),
        )
        .await;
        for (actor, sees) in [(&nobody, 0), (&ada, 0), (&w.owner, 3)] {
            assert_eq!(slots(&w, actor, &of(&w.standard, &open)).await.len(), sees);
        }
    })
    .await;
}

#[tokio::test]
async fn an_organization_answers_with_who_is_booked_first() {
    World::each(async |w| {
        for member in [&w.owner, &w.standard] {
            hours(&w, member, json!({})).await;
        }
        let open = open_type(&w, json!({ "length": 60 })).await;
        let (owner, stan) = (w.owner.user_id, w.standard.user_id);
        let nobody = Actor::anonymous();
        let all = format!("provider_id: \"{stan}\", org_level: true, appt_type_id: \"{open}\"");
        assert_eq!(slots(&w, &nobody, &all).await, [format!("09:00 {owner}")], "the lowest id");
        let each = format!("{all}, make_unique: false");
        let both = [format!("09:00 {owner}"), format!("09:00 {stan}")];
        assert_eq!(slots(&w, &nobody, &each).await, both);
        w.busy(owner, "2027-03-01T17:00:00Z", 15).await;
        assert_eq!(slots(&w, &nobody, &all).await, [format!("09:00 {owner}")], "a blocker is none");
        let group =
            w.type_of(&w.owner, json!({ "name": "G", "length": 15, "is_group": true })).await;
        let booked = |start: &str| Booked {
            provider: owner,
            start: at(start),
            minutes: 15,
            group: Some((group.parse().unwrap(), 3)),
            clients: Vec::new(),
        };
        w.booked(booked("2027-03-02T17:00:00Z")).await;
        assert_eq!(slots(&w, &nobody, &all).await, [format!("09:00 {owner}")], "on another day");
        // At one in the morning, which is before a day that begins farther east.
        w.booked(booked("2027-03-01T06:00:00Z")).await;
        assert_eq!(slots(&w, &nobody, &all).await, [format!("09:00 {stan}")], "the least loaded");
        let east = format!(
            "{{ availableSlotsForRange({all}, timezone: \"Pacific/Kiritimati\", \
             start_date: \"2027-03-02\", end_date: \"2027-03-02\") {{ user_id }} }}"
        );
        let answer = asked(&w, &nobody, &east).await;
        let east = json!([{ "user_id": stan.to_string() }]);
        assert_eq!(answer["data"]["availableSlotsForRange"], east, "wherever one asks from");
        let mut sql = Sql::new();
        sql.push("SELECT id FROM organization_memberships WHERE user_id = ").bind(owner);
        let place = w.db.read().await.unwrap();
        let mut place = place;
        let id = ward_store::Query::rows(&mut place, &sql)
            .await
            .unwrap()
            .scalar()
            .and_then(ward_store::Value::int)
            .unwrap();
        drop(place);
        let change = async |actor: &Actor, priority: &str| {
            let input = json!({ "id": id.to_string(), "scheduling_priority": priority });
            w.mutate(
                actor,
                "updateOrganizationMembership",
                "organizationMembership { user { scheduling_priority } }",
                input,
            )
            .await
        };
        let changed = change(&w.owner, "5").await;
        assert_eq!(
            changed["organizationMembership"]["user"]["scheduling_priority"], 5,
            "{changed}"
        );
        assert_eq!(change(&w.owner, "-1").await["messages"][0]["field"], "scheduling_priority");
        let denied = change(&w.with(&w.owner, &[]), "9").await;
        assert!(denied["organizationMembership"].is_null(), "not even one's own: {denied}");
        assert_eq!(
            slots(&w, &nobody, &all).await,
            [format!("09:00 {owner}")],
            "the higher priority"
        );
        let without = format!("{all}, exclude_provider_ids: [\"{owner}\"]");
        assert_eq!(slots(&w, &nobody, &without).await, [format!("09:00 {stan}")]);
        let some = format!("{all}, provider_ids: [\"{stan}\", \"{}\"]", w.stranger.user_id);
        assert_eq!(
            slots(&w, &nobody, &some).await,
            [format!("09:00 {stan}")],
            "of one practice only"
        );
        let alone = format!(
            "provider_id: \"{stan}\", appt_type_id: \"{open}\", exclude_provider_ids: [\"{stan}\"]"
        );
        assert_eq!(slots(&w, &nobody, &alone).await.len(), 1, "only of all is anybody left out");
        let tag =
            w.mutate(&w.owner, "createTag", "tag { id }", json!({ "name": "Evenings" })).await;
        let tag = tag["tag"]["id"].as_str().unwrap().to_owned();
        let tagged = format!("{all}, tag_ids: [\"{tag}\"]");
        assert!(slots(&w, &nobody, &tagged).await.is_empty());
        let input = json!({ "ids": [tag], "taggable_user_id": stan.to_string() });
        let applied = w.mutate(&w.owner, "bulkApply", "tags { id }", input).await;
        assert!(applied["messages"].is_null(), "{applied}");
        assert_eq!(slots(&w, &nobody, &tagged).await, [format!("09:00 {stan}")]);
    })
    .await;
}

#[tokio::test]
async fn units_do_not_lend_each_other_their_people() {
    World::each(async |w| {
        let branch = w.branch().await;
        hours(&w, &w.standard, json!({})).await;
        hours(&w, &branch, json!({})).await;
        let ours = open_type(&w, json!({ "length": 60 })).await;
        let theirs = w
            .type_of(&branch, json!({ "name": "B", "length": 60, "clients_can_book": true }))
            .await;
        let nobody = Actor::anonymous();
        let all = |of: &str| {
            format!("provider_id: \"{}\", org_level: true, appt_type_id: \"{of}\"", branch.user_id)
        };
        for actor in [&nobody, &branch, &w.owner] {
            let found = slots(&w, actor, &all(&theirs)).await;
            assert_eq!(found, [format!("09:00 {}", branch.user_id)]);
            assert!(slots(&w, actor, &all(&ours)).await.is_empty());
        }
        assert!(slots(&w, &branch, &of(&w.standard, &ours)).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn groups_have_seats() {
    World::each(async |w| {
        let open = open_type(&w, json!({ "is_group": true, "is_waitlist_enabled": true })).await;
        let plain = open_type(&w, json!({ "is_group": true })).await;
        let stan = w.standard.user_id;
        let mut ids = Vec::new();
        for name in ["Ada", "Bob"] {
            let id = w.client(name, &format!("{name}@example.com")).await;
            let team = json!({ "id": id, "other_provider_ids": [stan.to_string()] });
            w.mutate(&w.owner, "updateClient", "user { id }", team).await;
            ids.push(id);
        }
        let (ada, bob) = (ids[0].parse::<i64>().unwrap(), ids[1].parse::<i64>().unwrap());
        let group = |of: &str, hour: &str, seats: i64, clients: Vec<i64>| Booked {
            provider: stan,
            start: at(&format!("2027-03-01T{hour}:00:00Z")),
            minutes: 50,
            group: Some((of.parse().unwrap(), seats)),
            clients,
        };
        let early = w.booked(group(&open, "15", 3, vec![ada, bob])).await;
        let full = w.booked(group(&open, "16", 1, vec![ada])).await;
        w.booked(group(&plain, "17", 1, vec![bob])).await;
        let selected = "appointment_id is_fully_booked has_waitlist_enabled length user_id";
        let seats = async |actor: &Actor, more: &str| {
            let args = format!("provider_id: \"{stan}\", appointment_type_ids: [\"{open}\", \"{plain}\"]{more}");
            let query = format!("{{ availableSlotsForRange({args}, {DAY}) {{ {selected} }} }}");
            asked(&w, actor, &query).await["data"]["availableSlotsForRange"].clone()
        };
        let free = json!({ "appointment_id": early.to_string(), "is_fully_booked": false,
            "has_waitlist_enabled": true, "length": 50, "user_id": stan.to_string() });
        let waits = json!({ "appointment_id": full.to_string(), "is_fully_booked": true,
            "has_waitlist_enabled": true, "length": 50, "user_id": stan.to_string() });
        let nobody = Actor::anonymous();
        assert_eq!(seats(&nobody, "").await, json!([free]));
        let late = ", clients_can_join_waitlist: true";
        assert_eq!(seats(&nobody, late).await, json!([free, waits]), "who has no waitlist is not shown");
        // Nobody joins what they attend already.
        assert_eq!(seats(&w.as_client(&ids[0]).await, late).await, json!([]));
        assert_eq!(seats(&w.as_client(&ids[1]).await, late).await, json!([waits]));
        let days = format!("{{ daysAvailableForRange(provider_id: \"{stan}\", appt_type_id: \"{open}\", date_from_month: \"2027-03-20\") \
            nextAvailableSlot(provider_id: \"{stan}\", appt_type_id: \"{open}\") }}");
        let answer = asked(&w, &nobody, &days).await;
        assert_eq!(answer["data"], json!({ "daysAvailableForRange": ["2027-03-01"],
            "nextAvailableSlot": "2027-03-01T10:00:00-05:00" }));
    })
    .await;
}

#[tokio::test]
async fn times_of_one_thing_are_not_another_s() {
    World::each(async |w| {
        let (one, other) = (open_type(&w, json!({})).await, open_type(&w, json!({})).await);
        set(&w, json!({ "times_by_appointment_type": true })).await;
        hours(&w, &w.standard, json!({ "appointment_type_id": one })).await;
        hours(&w, &w.standard, json!({ "time": "10 00", "end_time": "11 00" })).await;
        let nobody = Actor::anonymous();
        assert_eq!(slots(&w, &nobody, &of(&w.standard, &one)).await.len(), 3);
        assert!(slots(&w, &nobody, &of(&w.standard, &other)).await.is_empty());
        // What is one after the other is not one time, where it is for different things.
        let bare = format!("provider_id: \"{}\", length: \"90\"", w.standard.user_id);
        assert!(slots(&w, &nobody, &bare).await.is_empty());
        let field = "createAvailabilityWithAppointmentTypes";
        let query = format!("mutation($input: CreateAvailabilityWithAppointmentTypesInput!) {{ {field}(input: $input) {{ messages {{ message }} }} }}");
        let input = json!({ "appointment_type_ids": [other], "user_id": w.standard.user_id.to_string(),
            "start_datetime": "2027-03-01T12:00:00-05:00", "end_datetime": "2027-03-01T12:30:00-05:00" });
        let made = w.run(&w.owner, &query, json!({ "input": input })).await;
        assert!(made[field]["messages"].is_null(), "{made}");
        let stan = w.standard.user_id;
        assert_eq!(slots(&w, &nobody, &of(&w.standard, &other)).await, [format!("12:00 {stan}")]);
    })
    .await;
    World::each(async |w| {
        let open =
            open_type(&w, json!({ "contact_type_overrides": ["video_chat", "phone_call"] })).await;
        set(&w, json!({ "times_by_contact_type": true })).await;
        hours(&w, &w.standard, json!({ "contact_type_id": "1" })).await;
        hours(
            &w,
            &w.standard,
            json!({ "contact_type_id": "3", "time": "10 00", "end_time": "11 00" }),
        )
        .await;
        let nobody = Actor::anonymous();
        let by = |way: &str| format!("{}, contact_type: \"{way}\"", of(&w.standard, &open));
        assert_eq!(slots(&w, &nobody, &by("Healthie Video Call")).await.len(), 3);
        assert_eq!(slots(&w, &nobody, &by("Phone Call")).await[0][..5], *"10:00");
        assert!(slots(&w, &nobody, &by("In Person")).await.is_empty(), "is not offered");
        assert_eq!(slots(&w, &nobody, &of(&w.standard, &open)).await.len(), 6, "by either");
    })
    .await;
}

#[tokio::test]
async fn nobody_learns_when_an_appointment_is_that_they_do_not_see() {
    World::each(async |w| {
        hours(&w, &w.standard, json!({})).await;
        let open = open_type(&w, json!({ "length": 60 })).await;
        let taken = w.busy(w.standard.user_id, "2027-03-01T14:00:00Z", 60).await;
        let moving =
            format!("{}, appointment_to_reschedule_id: \"{taken}\"", of(&w.standard, &open));
        let client = w.client("Ada", "ada@example.com").await;
        let team = json!({ "id": client, "other_provider_ids": [w.standard.user_id.to_string()] });
        w.mutate(&w.owner, "updateClient", "user { id }", team).await;
        let ada = w.as_client(&client).await;
        for (actor, sees) in [
            (&Actor::anonymous(), 0),
            (&ada, 0),
            (&w.with(&w.support, &[]), 0),
            (&w.standard, 1),
            (&w.owner, 1),
        ] {
            assert_eq!(slots(&w, actor, &moving).await.len(), sees);
        }
    })
    .await;
}
