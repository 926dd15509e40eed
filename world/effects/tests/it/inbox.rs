//! Reading a Sandbox's mailbox.

use serde_json::{Value as Json, json};
use ward_effects::{InboxFilter, SLOW_SECONDS, inbox};

use crate::support::reset_payload;

fn all(items: &[Json], member: &str) -> Vec<String> {
    let texts = items.iter().map(|item| item[member].as_str().unwrap().to_owned());
    texts.collect()
}

both! {
    Sandbox,
    /// Addresses that say what becomes of them.
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
        let states = |items: Vec<Json>| {
            let mut states = all(&items, "state");
            states.reverse();
            states
        };
        let found = states(w.inbox(InboxFilter::default()).await);
        assert_eq!(
            found,
            ["bounced", "soft_bounced", "complained", "delayed", "delivered", "delivered"]
        );
        w.later(SLOW_SECONDS - 1);
        assert_eq!(states(w.inbox(InboxFilter::default()).await)[3], "delayed");
        w.later(1);
        assert_eq!(states(w.inbox(InboxFilter::default()).await)[3], "delivered");
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
