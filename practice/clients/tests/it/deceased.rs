//! Clients who have died (DOM-36): who says so, what it does to their account, and that it can be
//! taken back.

use serde_json::{Value as Json, json};
use ward_engine::ViewId;
use ward_identity::authenticate::actor_of_user;
use ward_identity::tables::{LinkPurpose, User};
use ward_identity::{account_mail, authenticate, deceased, link, person, session};
use ward_store::{Cond, Query, Scope, Sql, StoreError, Value};

use crate::support::{SEES_ALL_CLIENTS, World};

const ME: &str = "user { id deceased_on dob active }";

/// Says when a client died, or takes it back; the payload.
async fn died(w: &World, client: &str, on: Json) -> Json {
    w.mutate(&w.owner, "updateClient", ME, json!({ "id": client, "deceased_on": on })).await
}

/// Signs a client in, past the password; the session's text.
async fn signed_in(w: &World, client: &str) -> String {
    let (org, id) = (w.organization.id.0, client.parse::<i64>().unwrap());
    let made = w.db.write(move |tx| {
        Box::pin(async move {
            let person = person::load(tx, org, id).await?.unwrap();
            let actor = person.actor(None);
            let mut scope = Scope::new(tx, &actor);
            let minted = session::begin(&mut scope, &person.user).await?;
            Ok(minted.text.to_string())
        })
    });
    made.await.unwrap_or_else(|error: StoreError| panic!("{error}"))
}

/// Whether a session opens anything.
async fn is_in(w: &World, session: &str) -> bool {
    authenticate(&w.db, session).await.unwrap().is_ok()
}

/// Whether a client may act at this moment, by a link that was made for them.
async fn may_act(w: &World, client: &str) -> bool {
    let mut reader = w.db.read().await.unwrap();
    let (org, id) = (w.organization.id.0, client.parse().unwrap());
    actor_of_user(&mut reader, org, id).await.unwrap().is_some()
}

/// How many links of clients are open.
async fn open_links(w: &World) -> i64 {
    let sql = "SELECT COUNT(*) FROM link_tokens l JOIN users u ON u.org_id = l.org_id \
        AND u.id = l.user_id WHERE u.is_patient = TRUE AND l.used_at IS NULL \
        AND l.voided_at IS NULL";
    let rows = w.db.read().await.unwrap().rows(&Sql::fixed(sql, [])).await.unwrap();
    rows.scalar().and_then(Value::int).unwrap()
}

#[tokio::test]
async fn a_date_of_death_ends_the_account_until_it_is_taken_back() {
    World::each(async |w| {
        let id = w.client("Ada", "ada@example.com").await;
        let session = signed_in(&w, &id).await;
        assert!(is_in(&w, &session).await && may_act(&w, &id).await);
        assert_eq!(open_links(&w).await, 1, "the invitation");
        let payload = died(&w, &id, json!("2026-01-05")).await;
        assert!(payload["messages"].is_null(), "{payload}");
        let shown = json!({ "id": id, "deceased_on": "2026-01-05", "dob": null, "active": true });
        assert_eq!(payload["user"], shown);
        let told = r#"patient.updated ["deceased_on"]"#;
        assert_eq!(w.events().await, ["patient.created []", told]);
        assert!(!is_in(&w, &session).await && !may_act(&w, &id).await);
        assert_eq!(open_links(&w).await, 0);
        // Said again, it says nothing new.
        died(&w, &id, json!("2026-01-05")).await;
        assert_eq!(w.events().await.len(), 2);
        // The record is there as any other, and staff go on with it.
        let query = format!("{{ users(ids: [\"{id}\"]) {{ nodes {{ id deceased_on }} }} }}");
        let read = w.run(&w.owner, &query, json!({})).await;
        let there = json!([{ "id": id, "deceased_on": "2026-01-05" }]);
        assert_eq!(read["users"]["nodes"], there);
        let notes = json!({ "id": id, "quick_notes": "Told by the daughter" });
        assert!(w.mutate(&w.owner, "updateClient", ME, notes).await["messages"].is_null());
        for blank in [json!(""), Json::Null] {
            died(&w, &id, json!("2026-01-06")).await;
            let payload = died(&w, &id, blank).await;
            assert!(payload["messages"].is_null(), "{payload}");
            assert!(payload["user"]["deceased_on"].is_null(), "{payload}");
            assert!(may_act(&w, &id).await);
        }
        assert!(!is_in(&w, &session).await, "what ended stays ended");
        assert!(is_in(&w, &signed_in(&w, &id).await).await);
    })
    .await;
}

#[tokio::test]
async fn a_day_that_can_not_be_is_refused_and_changes_nothing() {
    World::each(async |w| {
        let id = w.client("Ada", "ada@example.com").await;
        let born = json!({ "id": id, "dob": "1990-02-01" });
        assert!(w.mutate(&w.owner, "updateClient", ME, born).await["messages"].is_null());
        let long = "9".repeat(10_000);
        for wrong in ["9999-12-31", "1990-01-31", "1700-01-01", "2025-02-29", "gone", long.as_str()]
        {
            let payload = died(&w, &id, json!(wrong)).await;
            assert_eq!(payload["messages"][0]["field"], "deceased_on", "{wrong}: {payload}");
        }
        assert!(died(&w, &id, json!("2025-02-28")).await["messages"].is_null());
        // Nor is anybody born after they died, whoever says so.
        let late = json!({ "id": id, "dob": "2025-03-01" });
        for field in ["updateClient", "updateUser"] {
            let payload = w.mutate(&w.owner, field, ME, late.clone()).await;
            assert_eq!(payload["messages"][0]["field"], "dob", "{payload}");
        }
        let both = json!({ "id": id, "dob": "2025-03-01", "deceased_on": "2025-03-02" });
        let payload = w.mutate(&w.owner, "updateClient", ME, both).await;
        assert_eq!(payload["user"]["dob"], "2025-03-01", "{payload}");
        let client = w.rows::<User>(Cond::is_true("is_patient")).await.remove(0);
        assert_eq!(client.deceased_on.map(|day| day.to_string()).as_deref(), Some("2025-03-02"));
    })
    .await;
}

#[tokio::test]
async fn only_who_may_change_the_client_says_it() {
    World::each(async |w| {
        let id = w.client("Ada", "ada@example.com").await;
        let input = json!({ "id": id, "deceased_on": "2026-01-05" });
        let me = w.as_client(&id).await;
        let payload = w.mutate(&me, "updateClient", ME, input.clone()).await;
        assert_eq!(payload["messages"][0]["field"], "base", "{payload}");
        let query = "mutation($input: updateUserInput!) { updateUser(input: $input) \
            { messages { message } } }";
        let variables = json!({ "input": { "deceased_on": "2026-01-05" } });
        let answer = w.run_in(ViewId::V2026, &me, query, variables).await;
        assert!(answer["errors"].is_array(), "no such field of one's own: {answer}");
        for actor in [&w.with(&w.standard, &[]), &w.stranger] {
            let payload = w.mutate(actor, "updateClient", ME, input.clone()).await;
            assert_eq!(payload["messages"][0]["message"], "Object not found", "{payload}");
        }
        assert_eq!(w.events().await.len(), 1);
        let sees = w.with(&w.standard, &[SEES_ALL_CLIENTS]);
        let payload = w.mutate(&sees, "updateClient", ME, input).await;
        assert_eq!(payload["user"]["deceased_on"], "2026-01-05", "{payload}");
    })
    .await;
}

#[tokio::test]
async fn who_has_died_is_not_invited_and_gets_no_mail_of_the_account() {
    World::each(async |w| {
        for silent in [false, true] {
            let input = json!({ "first_name": "Olda", "last_name": "Chart", "dob": "1931-01-01",
                "email": format!("olda-{silent}@example.com"), "deceased_on": "2019-06-01",
                "dont_send_welcome": silent });
            let payload = w.mutate(&w.owner, "createClient", ME, input).await;
            assert_eq!(payload["user"]["deceased_on"], "2019-06-01", "{payload}");
        }
        assert!(w.mails().await.is_empty());
        assert_eq!(open_links(&w).await, 0);
        let wrong = json!({ "first_name": "Olda", "last_name": "Chart", "skipped_email": true,
            "dob": "2019-06-02", "deceased_on": "2019-06-01" });
        let payload = w.mutate(&w.owner, "createClient", ME, wrong).await;
        assert_eq!(payload["messages"][0]["field"], "deceased_on", "{payload}");
        let client = w.rows::<User>(Cond::is_true("is_patient")).await.remove(0);
        let again = json!({ "id": client.id.0.to_string(), "resend_welcome": true });
        let payload = w.mutate(&w.owner, "updateClient", ME, again).await;
        let sentence = "The client has died, and gets no mail";
        assert_eq!(payload["messages"][0]["message"], sentence, "{payload}");
        // What opens nothing is not made, whichever domain wants a mail.
        let org = w.organization.id.0;
        let (dead, id) = (client.clone(), client.id.0);
        let reached = w.db.write(move |tx| {
            let dead = dead.clone();
            Box::pin(async move {
                let system = ward_store::Actor::system(org);
                let mut scope = Scope::new(tx, &system);
                let minted = link::issue(&mut scope, &dead, LinkPurpose::Reset).await?;
                let mail = account_mail::AccountMail {
                    kind: "email_changed",
                    to: "olda@example.com",
                    facts: json!({}),
                    cause: "test",
                };
                account_mail::send(&mut scope, &dead, mail).await?;
                let redeemed = link::redeem(tx, &minted.lookup, "token").await;
                assert!(redeemed.is_err(), "a link opened the account");
                deceased::may_reach(tx, org, id).await
            })
        });
        assert!(!reached.await.unwrap_or_else(|error: StoreError| panic!("{error}")));
        assert!(w.mails().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn of_two_records_of_one_person_the_death_is_kept() {
    World::each(async |w| {
        let kept = w.client("Ada", "ada@example.com").await;
        let gone = w.client("Ada", "ada2@example.com").await;
        assert!(died(&w, &gone, json!("2026-01-05")).await["messages"].is_null());
        let session = signed_in(&w, &kept).await;
        let input = json!({ "ids": [kept, gone], "target_user_id": kept });
        let payload = w.mutate(&w.owner, "mergeClients", ME, input).await;
        assert_eq!(payload["user"]["deceased_on"], "2026-01-05", "{payload}");
        assert!(!is_in(&w, &session).await);
    })
    .await;
}
