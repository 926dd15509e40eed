//! Whose request a visitor's is: found out behind the answer, and told to nobody who may
//! not know.

use serde_json::{Value as Json, json};
use ward_identity::flags::{CAN_SEE_CALENDAR, SEES_ALL_CLIENTS};
use ward_scheduling::request::ask::OPEN_OF_VISITORS_MAX;
use ward_scheduling::request::table::AppointmentRequest;
use ward_store::{Actor, Id, Scope, Sql, StoreError};

use crate::booking::{message, with};
use crate::requests::{ask, ask_only, asked, list, one, open, settled, visit};
use crate::support::World;
use crate::waitlist::number;

#[tokio::test]
async fn what_an_answer_costs_and_leaves_is_the_same_whoever_is_known() {
    World::each(async |w| {
        open(&w).await;
        let ada = w.client("Ada", "ada@example.com").await;
        w.db.access_log().flush(&w.db).await.unwrap();
        const READ: &str = "SELECT COUNT(*) FROM access_log";
        const JOBS: &str = "SELECT COUNT(*) FROM jobs WHERE kind = 'appointment_request'";
        const LINKED: &str = "SELECT COUNT(*) FROM appointment_requests \
            WHERE patient_id IS NOT NULL OR provider_id IS NOT NULL";
        let read = number(&w, READ).await;
        for (n, name) in (1..).zip(["Ada", "Bea"]) {
            let made = ask_only(&w, "192.0.2.1", &Actor::anonymous(), visit(&w, name)).await;
            assert!(made["messages"].is_null(), "{made}");
            assert_eq!((number(&w, LINKED).await, number(&w, JOBS).await), (0, n), "{name}");
        }
        settled(&w).await;
        assert_eq!(number(&w, LINKED).await, 1);
        assert!(w.db.access_log().is_empty(), "no visitor has read a client");
        assert_eq!(number(&w, READ).await, read);
        // What staff made of it before is theirs.
        let mut input = visit(&w, "Ada");
        input["reason"] = json!("Once more");
        let made = ask_only(&w, "192.0.2.2", &Actor::anonymous(), input).await;
        let id = made["appointmentRequest"]["id"].as_str().unwrap().to_owned();
        let close = json!({ "id": id, "status": "CLOSED" });
        w.mutate(&w.owner, "updateAppointmentRequest", "appointmentRequest { id }", close).await;
        settled(&w).await;
        let kept = one(&w, &w.owner, &id).await;
        assert_eq!((&kept["patient"], &kept["current_status"]), (&Json::Null, &json!("CLOSED")));
        let ids = list(&w, &w.owner, "(with_org: true)").await;
        assert_eq!(ids.len(), 3);
        assert_eq!(one(&w, &w.owner, &ids[2]).await["patient"]["id"], json!(ada));
    })
    .await;
}

#[tokio::test]
async fn of_a_family_who_is_named_is_the_one_and_nobody_reads_of_a_restricted_child() {
    World::each(async |w| {
        open(&w).await;
        let to_nobody = |name: &str| {
            with(
                &visit(&w, name),
                json!({ "last_name": "Client", "email": "family@example.com",
                    "should_assign_provider": false }),
            )
        };
        let mother = w.client("Mia", "family@example.com").await;
        let child = w.client("Kim", "family@example.com").await;
        w.execute(Sql::fixed("UPDATE users SET restricted = TRUE WHERE first_name = 'Kim'", []))
            .await;
        let mut ids = Vec::new();
        for (n, name) in ["Mia", "kim", "Uncle"].into_iter().enumerate() {
            let (from, nobody) = (format!("192.0.2.{n}"), Actor::anonymous());
            let made = ask_only(&w, &from, &nobody, to_nobody(name)).await;
            ids.push(made["appointmentRequest"]["id"].as_str().unwrap().to_owned());
        }
        let sees = w.with(&w.support, &[CAN_SEE_CALENDAR, SEES_ALL_CLIENTS]);
        assert!(!list(&w, &w.owner, "").await.is_empty());
        assert_eq!(list(&w, &sees, "").await, Vec::<String>::new(), "each may be the child's");
        settled(&w).await;
        let whose = [json!(mother), json!(child), Json::Null];
        for (id, whose) in ids.iter().zip(&whose) {
            assert_eq!(&one(&w, &w.owner, id).await["patient"]["id"], whose, "{id}");
        }
        assert_eq!(list(&w, &sees, "").await, ids[..1], "the mother's");
        // Nor is it told to whom it is, unless they see the child.
        let mut input = to_nobody("Aunt");
        input["provider_id"] = json!(w.standard.user_id.to_string());
        let hers = asked(&w, &Actor::anonymous(), input).await;
        let narrow = w.with(&w.standard, &[]);
        assert!(one(&w, &narrow, &hers).await.is_null());
        // What a member asks for somebody tells them of nobody else.
        let own = asked(&w, &sees, to_nobody("Uncle")).await;
        assert!(one(&w, &sees, &own).await["patient"].is_null());
        w.execute(Sql::fixed("UPDATE users SET restricted = FALSE", [])).await;
        assert_eq!(list(&w, &sees, "(with_org: true)").await.len(), 5);
        assert!(!one(&w, &narrow, &hers).await.is_null());
    })
    .await;
}

#[tokio::test]
async fn a_request_is_never_that_of_a_client_who_has_died() {
    World::each(async |w| {
        open(&w).await;
        let ada = w.client("Ada", "ada@example.com").await;
        let died = json!({ "id": ada, "deceased_on": "2026-01-05" });
        let done = w.mutate(&w.owner, "updateClient", "user { id }", died).await;
        assert!(done["messages"].is_null(), "{done}");
        let made = asked(&w, &Actor::anonymous(), visit(&w, "Ada")).await;
        assert!(one(&w, &w.owner, &made).await["patient"].is_null());
    })
    .await;
}

#[tokio::test]
async fn visitors_have_so_many_open_requests_and_no_more() {
    World::each(async |w| {
        open(&w).await;
        let nobody = Actor::anonymous();
        let first = asked(&w, &nobody, visit(&w, "Vera")).await;
        let (org, id) = (w.organization.id.0, first.parse::<i64>().unwrap());
        let filled = w.db.write(move |tx| {
            Box::pin(async move {
                let system = Actor::system(org);
                let mut scope = Scope::new(tx, &system);
                let row: AppointmentRequest = scope.find(Id::new(id)).await?.unwrap();
                for _ in 2..OPEN_OF_VISITORS_MAX {
                    let one = AppointmentRequest { id: scope.next_id().await?, ..row.clone() };
                    scope.create(&one).await?;
                }
                Ok::<_, StoreError>(())
            })
        });
        filled.await.unwrap();
        asked(&w, &nobody, visit(&w, "Walt")).await;
        let before = w.written("appointment_requests").await;
        let refused = ask(&w, &nobody, visit(&w, "Xena")).await;
        let sentence = "No more requests can be taken at the moment. Try again later.";
        assert_eq!(message(&refused), ("base".to_owned(), sentence.to_owned()));
        assert_eq!(w.written("appointment_requests").await, before);
        // Clients and staff ask all the same, and one that is answered makes room.
        let ada = w.as_client(&w.client("Ada", "ada@example.com").await).await;
        let own = json!({ "timezone": "America/New_York", "reason": "Again" });
        asked(&w, &ada, own).await;
        asked(&w, &w.owner, visit(&w, "Yves")).await;
        let close = json!({ "id": first, "status": "CLOSED" });
        w.mutate(&w.owner, "updateAppointmentRequest", "appointmentRequest { id }", close).await;
        asked(&w, &nobody, visit(&w, "Zoe")).await;
    })
    .await;
}
