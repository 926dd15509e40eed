//! Reading a Sandbox's mailbox.

use serde_json::{Value as Json, json};
use ward_effects::{CARRIER_SECONDS, COMPLAINT_SECONDS, InboxFilter, SLOW_SECONDS, inbox};

use crate::support::reset_payload;

fn all(items: &[Json], member: &str) -> Vec<String> {
    let texts = items.iter().map(|item| item[member].as_str().unwrap().to_owned());
    texts.collect()
}

both! {
    Sandbox,
    /// Addresses that say what becomes of them, told one after another at their times.
    async fn magic_addresses(w) {
        for to in [
            "bounce+hard@harbor.example",
            "Bounce+Soft@harbor.example",
            "complaint@elsewhere.example",
            "slow30@harbor.example",
            "slow31@harbor.example",
            "bounce+hard.not@harbor.example",
        ] {
            w.intend_reset(to).await;
            assert_eq!(w.sandbox().run_due().await.unwrap().done, 1);
        }
        assert_eq!(states(&w).await, ["sent"; 6]);
        assert_eq!(w.reports().await, 5);
        let told = ["bounced", "soft_bounced", "delivered", "sent", "delivered", "delivered"];
        assert_eq!(states(&w).await, told);
        w.later(SLOW_SECONDS - 1);
        assert_eq!(w.reports().await, 0);
        w.later(1);
        assert_eq!(w.reports().await, 1);
        assert_eq!(states(&w).await[3], "delivered");
        w.later(COMPLAINT_SECONDS - SLOW_SECONDS);
        assert_eq!(w.reports().await, 1);
        assert_eq!(states(&w).await[2], "complained");
        assert_eq!(w.reports().await, 0);
        // Whoever wanted them is told the same.
        let mut told = w.outcomes().await;
        told.sort();
        let all = ["bounced", "complained", "delivered", "delivered", "delivered", "soft_bounced"];
        assert_eq!(told, all);
    }
}

/// What stands of each message, in order of arrival.
async fn states(w: &crate::support::World) -> Vec<String> {
    let mut states = all(&w.inbox(InboxFilter::default()).await, "state");
    states.reverse();
    states
}

both! {
    Sandbox,
    /// The simulated phone: numbers that say what becomes of them, and the marks of the text.
    async fn magic_numbers(w) {
        for to in ["555-0100", "555-0101", "+1 212 555-0102", "(212) 555-0103"] {
            w.intend_sms(to).await;
            assert_eq!(w.sandbox().run_due().await.unwrap().done, 1);
        }
        assert_eq!(w.reports().await, 3);
        assert_eq!(states(&w).await, ["delivered", "undeliverable", "opted_out", "sent"]);
        w.later(CARRIER_SECONDS);
        assert_eq!(w.reports().await, 1);
        assert_eq!(states(&w).await[3], "delivered");
        let sms = InboxFilter { class: Some("sms".into()), ..InboxFilter::default() };
        let found = w.inbox(sms).await;
        assert_eq!(found.len(), 4);
        assert_eq!(found[0]["text"], "[Sandbox] Harbor: See you tomorrow");
        assert_eq!((&found[0]["subject"], &found[0]["html"]), (&json!(""), &json!("")));
    }
}

both! {
    Sandbox,
    /// Notifications to apps, their link, and what is no text.
    async fn texts_to_apps(w) {
        use ward_store::intents::EffectIntent;
        use ward_store::system::EffectClass;
        let push = |to: &str, payload: Json| {
            EffectIntent { class: EffectClass::Push, ..w.intent("new_message", to, payload) }
        };
        let words = json!({ "text": "You have\na new message", "link": "/conversations" });
        assert!(w.intend(push("device-1", words)).await);
        let foreign = json!({ "text": "x", "link": "https://other.example/" });
        assert!(w.intend(push("device-2", foreign)).await);
        assert!(w.intend(push("device-3", json!({ "text": " " }))).await);
        assert!(w.intend(push("device-4", json!({ "text": "x".repeat(2_000) }))).await);
        assert!(w.intend(push("no device", json!({ "text": "x" }))).await);
        let report = w.sandbox().run_due().await.unwrap();
        assert_eq!((report.done, report.failed), (1, 4));
        let found = w.inbox(InboxFilter::default()).await;
        let text = format!("[Sandbox] You have a new message {}/conversations", crate::support::BASE);
        assert_eq!((&found[0]["class"], &found[0]["text"]), (&json!("push"), &json!(text)));
    }
}

both! {
    Sandbox,
    /// Newest first although the clock stands still, by address, class, moment and number.
    async fn filters(w) {
        for to in ["a@harbor.example", "b@harbor.example", "c@harbor.example"] {
            w.intend_reset(to).await;
            w.sandbox().run_due().await.unwrap();
        }
        w.later(60);
        let late = w.now();
        let welcome = json!({ "practice_name": "Harbor", "link": "/start?token=x",
            "about": { "type": "Organization", "id": 7 } });
        assert!(w.intend(w.intent("welcome", "A@Harbor.example", welcome)).await);
        w.sandbox().run_due().await.unwrap();

        let kept = w.inbox(InboxFilter::default()).await;
        let newest = ["A@Harbor.example", "c@harbor.example", "b@harbor.example", "a@harbor.example"];
        assert_eq!(all(&kept, "to"), newest);
        assert_eq!(kept[0]["about"], json!({ "type": "Organization", "id": "7" }));
        assert_eq!(kept[1]["about"], Json::Null);

        let to = InboxFilter { to: Some(" a@harbor.EXAMPLE ".into()), ..InboxFilter::default() };
        assert_eq!(all(&w.inbox(to).await, "kind"), ["welcome", "reset_password"]);
        let since = InboxFilter { since: Some(late), ..InboxFilter::default() };
        assert_eq!(all(&w.inbox(since).await, "kind"), ["welcome"]);
        let two = InboxFilter { limit: Some(2), ..InboxFilter::default() };
        assert_eq!(all(&w.inbox(two).await, "to"), newest[..2]);
        let email = InboxFilter { class: Some("email".into()), ..InboxFilter::default() };
        assert_eq!(w.inbox(email).await.len(), 4);
        let sms = InboxFilter { class: Some("sms".into()), ..InboxFilter::default() };
        assert!(w.inbox(sms).await.is_empty());
    }
}

both! {
    Sandbox,
    /// Another organization's mailbox, and the instance's own.
    async fn each_organization_has_its_own(w) {
        w.intend_reset("ada@harbor.example").await;
        let mut own = w.clone();
        own.org_id = 0;
        assert!(own.intend(own.intent("reset_password", "ada@harbor.example", reset_payload())).await);
        assert_eq!(w.sandbox().run_due().await.unwrap().done, 2);
        assert_eq!(w.inbox(InboxFilter::default()).await.len(), 1);
        assert_eq!(own.inbox(InboxFilter::default()).await.len(), 1);
        let other = inbox(&w.db, w.org_id + 1, InboxFilter::default()).await;
        assert!(other.unwrap().is_empty());
    }
}
