//! Seats that free while others join the line: each is given once, in order.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::booking::{change, with};
use crate::support::World;
use crate::waitlist::{Class, number, people};

const SEATS: usize = 6;
const WAITING: usize = 5;
const JOINERS: usize = 10;

/// What somebody does at the same moment as others.
enum Does {
    CallsOff(String),
    Joins(String),
    Raises,
    LeavesOut(String),
}

#[tokio::test(flavor = "multi_thread")]
async fn seats_that_free_while_others_join_are_each_given_once_and_in_order() {
    World::each(async |w| {
        let w = Arc::new(w);
        let clients = people(&w, SEATS + WAITING + JOINERS).await;
        let class = Arc::new(Class::new(&w, SEATS, &clients[..SEATS]).await);
        for client in &clients[SEATS..SEATS + WAITING] {
            class.wait(&w, client).await;
        }
        let mut all: Vec<Does> = Vec::new();
        all.extend(clients[..4].iter().cloned().map(Does::CallsOff));
        all.push(Does::LeavesOut(clients[4].clone()));
        all.push(Does::Raises);
        let joiners = clients[SEATS + WAITING..].iter().cloned().map(Does::Joins);
        for (n, joiner) in joiners.enumerate() {
            all.insert((n * 2).min(all.len()), joiner);
        }
        let mut tasks = Vec::new();
        for does in all {
            let (w, class) = (Arc::clone(&w), Arc::clone(&class));
            tasks.push(tokio::spawn(async move { run(&w, &class, does).await }));
        }
        for task in tasks {
            let payload = task.await.unwrap();
            assert!(payload["messages"].is_null(), "{payload}");
        }
        // Five of seven seats were free at some time: clients 5 and seven of those who
        // wait have them in the end.
        let (attend, wait) = class.people(&w).await;
        let everybody: BTreeSet<&String> = attend.iter().chain(&wait).collect();
        assert_eq!(everybody.len(), attend.len() + wait.len(), "nobody attends and waits");
        assert_eq!(
            attend.len(),
            SEATS + 1,
            "no seat is empty while somebody waits, none is double"
        );
        assert_eq!(wait.len(), WAITING + JOINERS - (attend.len() - 1));
        for first in &clients[SEATS..SEATS + WAITING] {
            assert!(attend.contains(first), "who was first in line has a seat");
        }
        // Each who has one was added once.
        let twice = "SELECT COUNT(*) FROM (SELECT subject_id FROM events \
            WHERE event_type = 'appointment.patient_added' GROUP BY subject_id \
            HAVING COUNT(*) > 1) many";
        assert_eq!(number(&w, twice).await, 0);
        let added = "SELECT COUNT(*) FROM events WHERE event_type = 'appointment.patient_added'";
        assert_eq!(number(&w, added).await, i64::try_from(SEATS + attend.len() - 1).unwrap());
    })
    .await;
}

async fn run(w: &World, class: &Class, does: Does) -> Json {
    match does {
        Does::CallsOff(client) => {
            let actor = w.as_client(&client).await;
            w.mutate(&actor, "deleteAppointment", "appointment { id }", json!({ "id": class.id }))
                .await
        }
        Does::Joins(client) => class.join(w, &w.as_client(&client).await, json!({})).await,
        Does::Raises => {
            let more = json!({ "max_attendees": (SEATS + 1).to_string() });
            change(w, &w.owner, with(&json!({ "id": class.id }), more)).await
        }
        Does::LeavesOut(client) => {
            let more = json!({ "attended_clients": [{ "user_id": client, "cancelled": true }] });
            change(w, &w.owner, with(&json!({ "id": class.id }), more)).await
        }
    }
}

/// A seat that a merge frees while another joins the line.
#[tokio::test(flavor = "multi_thread")]
async fn a_seat_that_a_merge_frees_is_not_missed() {
    World::each(async |w| {
        let w = Arc::new(w);
        let clients = people(&w, 20).await;
        for pair in clients.chunks(4) {
            let class = Arc::new(Class::new(&w, 2, &pair[..2]).await);
            let input = json!({ "ids": pair[..2], "target_user_id": pair[0] });
            let merge = {
                let w = Arc::clone(&w);
                tokio::spawn(async move {
                    w.mutate(&w.owner, "mergeClients", "user { id }", input).await
                })
            };
            let mut joins = Vec::new();
            for client in pair[2..].iter().cloned() {
                let (w, class) = (Arc::clone(&w), Arc::clone(&class));
                joins.push(tokio::spawn(async move { run(&w, &class, Does::Joins(client)).await }));
            }
            let merged = merge.await.unwrap();
            assert!(merged["messages"].is_null(), "{merged}");
            for join in joins {
                let payload = join.await.unwrap();
                assert!(payload["messages"].is_null(), "{payload}");
            }
            let (attend, wait) = class.people(&w).await;
            assert_eq!((attend.len(), wait.len()), (2, 1), "{attend:?} {wait:?}");
        }
    })
    .await;
}
