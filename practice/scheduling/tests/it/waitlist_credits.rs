//! Where lines and credits meet, and what visitors can take of a group.

use serde_json::{Value as Json, json};
use ward_store::Actor;

use crate::booking::message;
use crate::credits::{has, set, settings};
use crate::support::World;
use crate::waitlist::{Class, join, people};

#[tokio::test]
async fn who_has_no_credit_is_passed_over_and_holds_up_nobody() {
    World::each(async |w| {
        let clients = people(&w, 4).await;
        let class = Class::new(&w, 1, &clients[..1]).await;
        let on = json!({ "use_client_credit_system": true, "prevent_no_credit_booking": true });
        settings(&w, on).await;
        let none = "You have no credit left for this appointment type".to_owned();
        let refused = class.join(&w, &w.as_client(&clients[1]).await, json!({})).await;
        assert_eq!(message(&refused).1, none, "no credit, no place in the line");
        for client in &clients[1..] {
            assert!(set(&w, &w.owner, client, &class.of, "1").await["messages"].is_null());
        }
        class.wait(&w, &clients[1]).await;
        class.wait(&w, &clients[2]).await;
        // It went elsewhere meanwhile.
        assert!(set(&w, &w.owner, &clients[1], &class.of, "0").await["messages"].is_null());
        class.change(&w, json!({ "max_attendees": "2" })).await;
        let (attend, wait) = class.people(&w).await;
        assert_eq!(attend, [clients[0].clone(), clients[2].clone()]);
        assert_eq!(wait, [clients[1].clone()], "the first one waits on");
        assert_eq!(has(&w, &w.owner, &clients[2], &class.of).await, Some(0));
        assert_eq!(has(&w, &w.owner, &clients[1], &class.of).await, Some(0), "nothing is owed");
        // A seat is free though somebody waits: who has a credit takes it.
        class.change(&w, json!({ "max_attendees": "3" })).await;
        let last = class.join(&w, &w.as_client(&clients[3]).await, json!({})).await;
        assert!(last["messages"].is_null(), "{last}");
        let attend = class.people(&w).await.0;
        assert_eq!(attend, [clients[0].clone(), clients[2].clone(), clients[3].clone()]);
    })
    .await;
}

/// One visitor's attempts at a class; what each is told.
async fn told(w: &World, class: &Class, address: &str, tries: usize) -> Vec<Json> {
    let mut all = Vec::new();
    for n in 0..tries {
        let input = json!({ "appointment_id": class.id, "is_joining_waitlist": true,
            "first_name": "Ada", "last_name": "Client", "email": address });
        let network = format!("198.51.100.{n}");
        all.push(join(w, &network, &Actor::anonymous(), input).await["messages"].clone());
    }
    all
}

#[tokio::test]
async fn one_address_takes_four_seats_whoever_it_is_of() {
    World::each(async |w| {
        let clients = people(&w, 1).await;
        let class = Class::new(&w, 9, &clients).await;
        let full = Class::new(&w, 1, &clients).await;
        for class in [&class, &full] {
            // Whoever attends already, and whoever nobody knows, are told the same.
            let known = told(&w, class, "ada0@example.com", 6).await;
            let unknown = told(&w, class, "somebody@example.com", 6).await;
            assert_eq!(known, unknown);
            let taken = known.iter().filter(|it| it.is_null()).count();
            assert_eq!(taken, 4, "{known:?}");
        }
    })
    .await;
}
