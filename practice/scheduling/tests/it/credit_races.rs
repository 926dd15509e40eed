//! Who books by themselves with credits: the last one is good once.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use ward_scheduling::credit::rule::{Says, Step, change as rule};
use ward_store::Actor;

use crate::booking::{booked, change};
use crate::checkout::{Door, ahead, refusal};
use crate::credits::{has, set, settings};
use crate::support::World;

const NONE_LEFT: &str = "You have no credit left for this appointment type";

#[tokio::test(flavor = "multi_thread")]
async fn of_many_bookings_with_one_credit_one_is_made() {
    World::each(async |w| {
        let door = Arc::new(Door::new(w, json!({})).await);
        let on = json!({ "use_client_credit_system": true, "prevent_no_credit_booking": true,
            "restore_credit_on_cancel": true });
        settings(&door.w, on).await;
        let client = door.w.client("Ada", "ada@example.com").await;
        let ada = door.w.as_client(&client).await;
        set(&door.w, &door.w.owner, &client, &door.of, "1").await;
        let team = json!({ "id": client, "other_provider_ids": [door.w.standard.user_id.to_string()] });
        door.w.mutate(&door.w.owner, "updateClient", "user { id }", team).await;
        // With two providers, whose calendars have nothing to do with each other.
        for day in 0..7 {
            let input = json!({ "is_repeating": true, "day_of_week": day, "range_start": "2020-01-05",
                "time": "09 00", "end_time": "17 00", "timezone": "America/New_York" });
            door.w.mutate(&door.w.owner, "createAvailability", "availability { id }", input).await;
        }
        let mut tasks = Vec::new();
        for n in 0..16_i64 {
            let (door, ada) = (Arc::clone(&door), ada.clone());
            tasks.push(tokio::spawn(async move {
                let mut input = door.visit("Ada", &ahead(&door.w, 3 + n / 2, "10:00"));
                if n % 2 == 0 {
                    input["provider_id"] = json!(door.w.owner.user_id.to_string());
                }
                door.book(&ada, input).await
            }));
        }
        let mut won = Vec::new();
        for task in tasks {
            let payload = task.await.unwrap();
            match payload["messages"].is_null() {
                true => won.push(payload["appointment"]["id"].as_str().unwrap().to_owned()),
                false => assert_eq!(refusal(&payload), ("base".to_owned(), NONE_LEFT.to_owned())),
            }
        }
        assert_eq!(won.len(), 1);
        assert_eq!(door.made().await[0], 1, "nothing half-written");
        assert_eq!(has(&door.w, &ada, &client, &door.of).await, Some(0));
        // Moving takes none; calling off gives it back, and then it is good again.
        let input = json!({ "id": won[0], "client_updating": true, "datetime": ahead(&door.w, 12, "11:00") });
        let moved = change(&door.w, &ada, input).await;
        assert!(moved["messages"].is_null(), "{moved}");
        let off = json!({ "id": won[0] });
        door.w.mutate(&ada, "deleteAppointment", "appointment { id }", off).await;
        assert_eq!(has(&door.w, &ada, &client, &door.of).await, Some(1));
        let again = door.book(&ada, door.visit("Ada", &ahead(&door.w, 4, "10:00"))).await;
        assert!(again["messages"].is_null(), "{again}");
        assert_eq!(has(&door.w, &ada, &client, &door.of).await, Some(0));
    })
    .await;
}

#[tokio::test]
async fn of_a_visitor_nothing_is_known_and_seats_count_too() {
    World::each(async |w| {
        let door = Door::new(w, json!({})).await;
        let on = json!({ "use_client_credit_system": true, "prevent_no_credit_booking": true });
        settings(&door.w, on).await;
        let anonymous = Actor::anonymous();
        for day in [3, 4] {
            let made = door.book(&anonymous, door.visit("Vera", &ahead(&door.w, day, "10:00"))).await;
            assert!(made["messages"].is_null(), "{made}");
        }
        let id = door.number("SELECT MAX(id) FROM users WHERE is_patient = TRUE").await.to_string();
        assert_eq!(has(&door.w, &door.w.owner, &id, &door.of).await, Some(-2));
        // As themselves they are known, and have none left.
        let vera = door.w.as_client(&id).await;
        let refused = door.book(&vera, door.visit("Vera", &ahead(&door.w, 5, "10:00"))).await;
        assert_eq!(refusal(&refused).1, NONE_LEFT);
        let class = json!({ "name": "Class", "length": 60, "is_group": true, "clients_can_book": true });
        let class = door.w.type_of(&door.w.owner, class).await;
        let soon = door.w.instance.now().plus_seconds(3 * 86_400).0.div_euclid(60_000_000);
        let at = jiff::Timestamp::from_second(soon * 60).unwrap().to_string();
        let seat = json!({ "appointment_type_id": class, "contact_type": "Phone Call", "datetime": at,
            "other_party_id": door.w.standard.user_id.to_string() });
        let seat = booked(&door.w, &door.w.owner, seat).await;
        let refused = door.book(&vera, json!({ "appointment_id": seat })).await;
        assert_eq!(refusal(&refused).1, NONE_LEFT);
        set(&door.w, &door.w.owner, &id, &class, "1").await;
        for _ in 0..2 {
            let joined = door.book(&vera, json!({ "appointment_id": seat })).await;
            assert!(joined["messages"].is_null(), "{joined}");
            assert_eq!(has(&door.w, &vera, &id, &class).await, Some(0), "who comes already comes once");
        }
    })
    .await;
}

proptest! {
    /// The obvious model: an appointment is paid for or is not; calling off what is
    /// paid for gives that back if the practice says so at that moment.
    #[test]
    fn a_credit_is_never_taken_twice_nor_given_back_twice(
        history in proptest::collection::vec((any::<bool>(), any::<bool>(), any::<bool>()), 0..60),
    ) {
        let (mut paid, mut balance, mut held) = (false, 0_i64, 0_i64);
        for (begins, takes, restores) in history {
            let step = if begins { Step::Begins } else { Step::Ends };
            let more = rule(step, held, Says { takes, restores });
            held -= more;
            balance += more;
            match begins {
                true => paid |= takes,
                false => paid &= !restores,
            }
            prop_assert_eq!(balance, if paid { -1 } else { 0 });
            prop_assert_eq!(held, if paid { 1 } else { 0 });
        }
    }
}

/// What staff do to one of a few appointments of a class.
#[derive(Clone, Copy, Debug)]
enum Act {
    Status(&'static str),
    Part(usize, bool),
    Attend([bool; 2]),
    Restore(bool),
    Take(bool),
}

fn act() -> impl Strategy<Value = (usize, Act)> {
    let word =
        proptest::sample::select(&["", "Occurred", "No-Show", "Cancelled", "Re-Scheduled"][..]);
    let act = prop_oneof![
        5 => word.prop_map(Act::Status),
        3 => (0..2_usize, any::<bool>()).prop_map(|(who, off)| Act::Part(who, off)),
        3 => any::<[bool; 2]>().prop_map(Act::Attend),
        1 => any::<bool>().prop_map(Act::Restore),
        1 => any::<bool>().prop_map(Act::Take),
    ];
    (0..2_usize, act)
}

/// Who attends an appointment and whether it takes place, and who has paid for it.
#[derive(Clone, Debug)]
struct Model {
    is_off: bool,
    attends: [Option<bool>; 2],
    paid: BTreeMap<usize, bool>,
}

impl Model {
    fn due(&self) -> [bool; 2] {
        self.attends.map(|attends| attends == Some(true) && !self.is_off)
    }

    fn settle(&mut self, before: [bool; 2], takes: bool, restores: bool) {
        for (who, (was, is)) in before.into_iter().zip(self.due()).enumerate() {
            let paid = self.paid.entry(who).or_default();
            match (was, is) {
                (false, true) => *paid |= takes,
                (true, false) => *paid &= !restores,
                _ => {}
            }
        }
    }
}

#[tokio::test]
async fn the_ledger_is_what_an_obvious_model_says_over_random_histories() {
    let mut runner = TestRunner::new(Config::with_cases(1));
    let wanted = proptest::collection::vec(proptest::collection::vec(act(), 40), 3);
    let histories = wanted.new_tree(&mut runner).unwrap().current();
    World::each(async |w| {
        let of = json!({ "name": "Class", "length": 60, "is_group": true });
        let of = w.type_of(&w.owner, of).await;
        let mut clients = Vec::new();
        for n in 0..2 {
            clients.push(w.client("Ada", &format!("ada{n}@example.com")).await);
        }
        for history in &histories {
            let (mut takes, mut restores) = (true, true);
            settings(&w, json!({ "use_client_credit_system": true, "restore_credit_on_cancel": true })).await;
            for client in &clients {
                set(&w, &w.owner, client, &of, "50").await;
            }
            let mut models = Vec::new();
            for day in [3, 4] {
                let input = json!({ "appointment_type_id": of, "contact_type": "Phone Call",
                    "datetime": crate::booking::ahead(&w, day, "15:00"), "attendee_ids": [clients[0]] });
                let id = booked(&w, &w.owner, input).await;
                let paid = BTreeMap::from([(0, true)]);
                models.push((id, Model { is_off: false, attends: [Some(true), None], paid }));
            }
            for (which, act) in history {
                let (id, model) = &mut models[*which];
                let before = model.due();
                match act {
                    Act::Status(word) => {
                        change(&w, &w.owner, json!({ "id": id, "pm_status": word })).await;
                        model.is_off = matches!(*word, "Cancelled" | "Re-Scheduled");
                    }
                    Act::Part(who, off) => {
                        let part = json!([{ "user_id": clients[*who], "cancelled": off }]);
                        change(&w, &w.owner, json!({ "id": id, "attended_clients": part })).await;
                        // Of who has no part there is nothing to change.
                        model.attends[*who] = model.attends[*who].map(|_| !off);
                    }
                    Act::Attend(attend) => {
                        let ids: Vec<&String> =
                            clients.iter().zip(attend).filter(|(_, it)| **it).map(|(id, _)| id).collect();
                        change(&w, &w.owner, json!({ "id": id, "attendee_ids": ids })).await;
                        for (who, comes) in attend.iter().enumerate() {
                            // Who called off stays on the list of those who did.
                            model.attends[who] = match (model.attends[who], comes) {
                                (_, true) => Some(true),
                                (Some(false), false) => Some(false),
                                (_, false) => None,
                            };
                        }
                    }
                    Act::Restore(on) => {
                        settings(&w, json!({ "restore_credit_on_cancel": on })).await;
                        restores = *on;
                    }
                    Act::Take(on) => {
                        settings(&w, json!({ "use_client_credit_system": on })).await;
                        takes = *on;
                    }
                }
                models[*which].1.settle(before, takes, restores);
                for (who, client) in clients.iter().enumerate() {
                    let paid = |(_, model): &&(String, Model)| model.paid.get(&who) == Some(&true);
                    let spent = models.iter().filter(paid).count();
                    let left = has(&w, &w.owner, client, &of).await;
                    let expected = Some(50 - i64::try_from(spent).unwrap());
                    assert_eq!(left, expected, "{who} after {act:?} of {which} in {history:?}");
                }
            }
        }
    })
    .await;
}
