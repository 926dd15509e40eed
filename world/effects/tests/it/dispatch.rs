//! Intents become messages, once each.

use futures_util::future::BoxFuture;
use serde_json::json;
use ward_effects::{Dispatcher, InboxFilter, Ports, Report, SandboxEnv, Simulator};
use ward_store::intents::EffectIntent;
use ward_store::system::EffectClass;
use ward_store::{StoreError, Tx};

use crate::support::{BASE, reset_payload};

both! {
    Sandbox,
    /// The whole way: queued, sent, recorded, read.
    async fn an_intent_becomes_a_message(w) {
        let mut intent = w.intent("reset_password", "ada@harbor.example", reset_payload());
        intent.subject_client = Some(w.org_id + 5);
        assert!(w.intend(intent).await);
        assert_eq!(w.intents().await, ["queued 0 -"]);
        let report = w.sandbox().run_due().await.unwrap();
        assert_eq!(report, Report { done: 1, ..Report::default() });
        assert_eq!(w.intents().await, ["done 1 -"]);
        assert_eq!(w.number("SELECT COUNT(*) FROM jobs WHERE state = 'done'").await, 1);
        assert_eq!(w.outcomes().await, ["sent"]);

        let items = w.inbox(InboxFilter::default()).await;
        assert_eq!(items[0]["state"], "sent");
        assert_eq!(w.reports().await, 1);
        let items = w.inbox(InboxFilter::default()).await;
        let item = items[0].as_object().unwrap();
        let members: Vec<&str> = item.keys().map(String::as_str).collect();
        assert_eq!(
            members,
            [
                "id", "class", "to", "kind", "about", "subject", "text", "html", "state",
                "created_at", "cause"
            ]
        );
        assert_eq!(item["class"], "email");
        assert_eq!(item["to"], "ada@harbor.example");
        assert_eq!(item["kind"], "reset_password");
        assert_eq!(item["about"], json!({ "type": "User", "id": (w.org_id + 5).to_string() }));
        assert_eq!(item["subject"], "[Sandbox] Set a new password");
        assert_eq!(item["state"], "delivered");
        assert_eq!(item["created_at"], crate::support::START);
        assert_eq!(item["cause"], "request-1");
        let link = format!("{BASE}/set-password?token=wtr_test_SECRET");
        assert!(item["text"].as_str().unwrap().contains(&link));
        assert!(item["html"].as_str().unwrap().contains(&format!("\"{link}\"")));
    }
}

both! {
    Sandbox,
    /// A key makes one effect, and a second run finds nothing to do.
    async fn nothing_is_sent_twice(w) {
        w.intend_reset("ada@harbor.example").await;
        let again = w.intent("reset_password", "ada@harbor.example", reset_payload());
        assert!(!w.intend(again).await);
        let dispatcher = w.sandbox();
        assert_eq!(dispatcher.run_due().await.unwrap().done, 1);
        assert_eq!(dispatcher.run_due().await.unwrap(), Report::default());
        assert_eq!(w.inbox(InboxFilter::default()).await.len(), 1);
    }
}

/// Nobody with an odd number may be told anything.
fn even(_: &mut Tx, _: i64, person: i64) -> BoxFuture<'_, Result<bool, StoreError>> {
    Box::pin(async move { Ok(person % 2 == 0) })
}

both! {
    Sandbox,
    /// Whom nobody may tell anything gets nothing, by whichever way and however often it is tried;
    /// what reaches nobody in particular goes. (DOM-36)
    async fn who_may_not_be_told_gets_nothing(w) {
        use EffectClass::{AccountMail, Email};
        let of = |to: &str, class, recipient, subject_client| {
            let plain = w.intent("reset_password", to, reset_payload());
            EffectIntent { class, recipient, subject_client, ..plain }
        };
        for intent in [
            of("a@harbor.example", AccountMail, None, Some(1)),
            of("b@harbor.example", AccountMail, Some(2), Some(1)),
            of("c@harbor.example", AccountMail, None, None),
            of("d@harbor.example", Email, Some(1), None),
            of("e@harbor.example", Email, Some(2), Some(1)),
            of("f@harbor.example", Email, None, Some(1)),
        ] {
            assert!(w.intend(intent).await);
        }
        let dispatcher = w.sandbox().asking(even);
        let report = dispatcher.run_due().await.unwrap();
        assert_eq!(report, Report { done: 4, failed: 2, ..Report::default() });
        let why = "failed 1 whom it reaches is told nothing any more";
        let sent = "done 1 -";
        assert_eq!(w.intents().await, [why, sent, sent, why, sent, sent]);
        assert_eq!(dispatcher.run_due().await.unwrap(), Report::default());
        assert_eq!(w.inbox(InboxFilter::default()).await.len(), 4);
    }
}

both! {
    Sandbox,
    /// An effect of tomorrow is not one of today.
    async fn not_before_its_time(w) {
        let mut intent = w.intent("reset_password", "ada@harbor.example", reset_payload());
        intent.not_before = Some(w.now().plus_seconds(3_600));
        assert!(w.intend(intent).await);
        let dispatcher = w.sandbox();
        assert_eq!(dispatcher.run_due().await.unwrap().total(), 0);
        assert!(w.inbox(InboxFilter::default()).await.is_empty());
        w.later(3_600);
        assert_eq!(dispatcher.run_due().await.unwrap().done, 1);
    }
}

both! {
    Sandbox,
    /// More than one batch.
    async fn everything_due_is_done(w) {
        for n in 0..40 {
            w.intend_reset(&format!("client{n}@harbor.example")).await;
        }
        assert_eq!(w.sandbox().run_due().await.unwrap().done, 40);
        let all = InboxFilter { limit: Some(1_000), ..InboxFilter::default() };
        assert_eq!(w.inbox(all).await.len(), 40);
    }
}

both! {
    Sandbox,
    /// What can't be rendered fails for good, says why without a value, and sends nothing.
    async fn what_has_no_text_fails_for_good(w) {
        let foreign = json!({ "practice_name": "Harbor", "link": "https://other.example/x" });
        let bare = json!({ "practice_name": "Harbor" });
        for (to, kind, payload) in [
            ("a@harbor.example", "welcome", foreign),
            ("b@harbor.example", "welcome", bare),
            ("c@harbor.example", "appointment_drill", json!({})),
            ("d@harbor.example", "welcome", json!(["x"])),
            ("no address", "reset_password", reset_payload()),
            ("e@harbor.example,f@harbor.example", "reset_password", reset_payload()),
        ] {
            let mut intent = w.intent(kind, to, payload);
            intent.idempotency_key = to.to_owned();
            assert!(w.intend(intent).await);
        }
        let report = w.sandbox().run_due().await.unwrap();
        assert_eq!(report, Report { failed: 6, ..Report::default() });
        assert_eq!(
            w.intents().await,
            [
                "failed 1 E-ISO-24: a link does not lead to this instance",
                "failed 1 the payload lacks `link`",
                "failed 1 there is no mail of this kind",
                "failed 1 the payload does not have the members of its kind",
                "failed 1 the address is not an e-mail address",
                "failed 1 the address is not an e-mail address",
            ]
        );
        assert!(w.inbox(InboxFilter::default()).await.is_empty());
    }
}

both! {
    Sandbox,
    /// A worker died after the send: the next one sends again, and the mailbox has one message.
    async fn a_repeated_send_keeps_one_message(w) {
        w.intend_reset("ada@harbor.example").await;
        let dispatcher = w.sandbox();
        assert_eq!(dispatcher.run_due().await.unwrap().done, 1);
        w.execute("UPDATE effect_intents SET state = 'queued', done_at = NULL").await;
        w.execute("UPDATE jobs SET state = 'ready' WHERE kind LIKE 'effect%'").await;
        assert_eq!(dispatcher.run_due().await.unwrap().done, 1);
        assert_eq!(w.intents().await, ["done 2 -"]);
        assert_eq!(w.inbox(InboxFilter::default()).await.len(), 1);
    }
}

both! {
    Sandbox,
    /// A connector that fails is asked again, but not for ever.
    async fn a_failed_send_is_tried_again(w) {
        w.intend_reset("ada@harbor.example").await;
        w.execute("ALTER TABLE simulated_messages RENAME TO away").await;
        let dispatcher = w.sandbox();
        let report = dispatcher.run_batch().await.unwrap();
        assert_eq!(report, Report { retried: 1, ..Report::default() });
        let told = w.intents().await;
        assert!(told[0].starts_with("queued 1 the simulator can't keep the message"), "{told:?}");
        w.later(10);
        w.execute("UPDATE jobs SET attempts = max_attempts - 1 WHERE kind LIKE 'effect%'").await;
        let report = dispatcher.run_batch().await.unwrap();
        assert_eq!(report, Report { failed: 1, ..Report::default() });
        assert!(w.intents().await[0].starts_with("failed 2 "));

        w.intend_reset("ben@harbor.example").await;
        assert_eq!(dispatcher.run_batch().await.unwrap().retried, 1);
        w.execute("ALTER TABLE away RENAME TO simulated_messages").await;
        w.later(10);
        assert_eq!(dispatcher.run_due().await.unwrap().done, 1);
        assert_eq!(w.inbox(InboxFilter::default()).await.len(), 1);
    }
}

both! {
    Sandbox,
    /// The texts open accounts, so the database holds them sealed; the address, too.
    async fn the_database_holds_no_link_and_no_address(w) {
        w.intend_reset("ada@harbor.example").await;
        w.sandbox().run_due().await.unwrap();
        let rows = w.rows("SELECT * FROM simulated_messages").await;
        let row = format!("{:?}", rows.row(0));
        let bytes: Vec<u8> = rows
            .row(0)
            .iter()
            .filter_map(|value| value.bytes())
            .flatten()
            .copied()
            .collect();
        let stored = row + &String::from_utf8_lossy(&bytes);
        for secret in ["SECRET", "harbor.example", "set-password"] {
            assert!(!stored.contains(secret), "{secret} is readable");
        }
    }
}

both! {
    Production,
    /// The connectors of one environment do not go with the database of the other.
    async fn a_foreign_database_is_refused(w) {
        let (_, _, sandbox) = crate::support::instance(ward_instance::Kind::Sandbox);
        let witness = sandbox.witness().sandbox().unwrap();
        let simulator = || Simulator::new(&witness, w.db.clone());
        let [mail, sms, push, video, scan] = [(); 5].map(|()| simulator());
        let ports = Ports { mail, sms, push, video, scan };
        let refused = Dispatcher::<SandboxEnv>::new(w.db.clone(), ports);
        assert_eq!(refused.err().unwrap().code, "ISO-26");
    }
}
