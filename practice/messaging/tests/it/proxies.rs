//! What a contact opens of a client's record (DOM-35): who gives it, who is told of it, and what ends it.
//! Who acts over HTTP is in the workspace's tests of the server.

use serde_json::{Value as Json, json};
use ward_engine::ViewId;
use ward_identity::flags::{
    CAN_RESTRICT_CLIENTS, CAN_SEE_CLIENTS, CAN_VIEW_AUDIT_LOG, SEES_ALL_CLIENTS,
};
use ward_identity::proxy::ClientProxy;
use ward_messaging::notices::{KINDS, run_batch};
use ward_store::system::EffectRow;
use ward_store::{Actor, Cond};

use crate::conversations::{begun, inbox};
use crate::notices::{awake, sent, settle};
use crate::support::World;

const SHOWN: &str = "notificationContact { id client_portal_access client_portal_access_until }";

/// A client who is of age, and another who is their contact.
struct Pair {
    client: String,
    proxy: String,
    contact: String,
}

async fn named(w: &World, actor: &Actor, input: Json) -> Json {
    w.mutate(actor, "createNotificationContact", SHOWN, input).await
}

async fn born(w: &World, client: &str, day: &str) {
    let input = json!({ "id": client, "dob": day });
    let done = w.mutate(&w.owner, "updateClient", "user { id }", input).await;
    assert!(done["messages"].is_null(), "{done}");
}

async fn pair(w: &World) -> Pair {
    let client = w.client("Ada", "ada@example.com").await;
    let proxy = w.client("Ben", "ben@example.com").await;
    born(w, &client, "1960-05-05").await;
    let input = json!({ "user_id": client, "linked_client_id": proxy, "relationship": "son",
        "email": "ben@example.com", "client_portal_access": true });
    let made = named(w, &w.owner, input).await["notificationContact"].clone();
    assert_eq!(made["client_portal_access"], true, "{made}");
    assert!(made["client_portal_access_until"].is_null(), "{made}");
    let contact = made["id"].as_str().unwrap().to_owned();
    Pair { client, proxy, contact }
}

async fn switch(w: &World, actor: &Actor, input: Json) -> Json {
    w.mutate(actor, "updateNotificationContact", SHOWN, input).await
}

/// How many accesses there are that nobody took away.
async fn kept(w: &World) -> usize {
    w.rows::<ClientProxy>(Cond::is_null("ended_at")).await.len()
}

#[tokio::test]
async fn dom_35_who_may_act_knows_for_whom_and_nothing_more() {
    World::each(async |w| {
        let of = pair(&w).await;
        let ben = w.as_client(&of.proxy).await;
        let query = "query($id: ID) { user(id: $id) { linked_relatives { id relationship email phone_number \
            linked_client { id } user { id first_name email phone_number } } } }";
        let at = w.run(&ben, query, json!({ "id": of.proxy })).await;
        let expected = json!([{ "id": of.contact, "relationship": "son", "email": null,
            "phone_number": null, "linked_client": null,
            "user": { "id": of.client, "first_name": "Ada", "email": null, "phone_number": null } }]);
        assert_eq!(at["user"]["linked_relatives"], expected, "{at}");
        // Knowing somebody is not writing to them, nor changing what they say.
        let talk = json!({ "simple_added_users": of.client });
        let talk = w.mutate(&ben, "createConversation", "conversation { id }", talk).await;
        assert!(talk["conversation"].is_null(), "{talk}");
        let renamed = switch(&w, &ben, json!({ "id": of.contact, "first_name": "X" })).await;
        assert_eq!(renamed["messages"][0]["message"], "Object not found", "{renamed}");
        // Who acts sees no contact, and changes none.
        let acting = Actor { proxy_id: Some(ben.user_id), ..w.as_client(&of.client).await };
        let query = "{ currentUser { notification_contacts { id } } }";
        let none = json!({ "notification_contacts": [] });
        assert_eq!(w.run(&acting, query, json!({})).await["currentUser"], none);
        for (field, input) in [
            ("createNotificationContact", json!({ "first_name": "X" })),
            ("updateNotificationContact", json!({ "id": of.contact, "first_name": "X" })),
            ("deleteNotificationContact", json!({ "id": of.contact })),
        ] {
            let refused = w.mutate(&acting, field, SHOWN, input).await;
            let said = refused["messages"][0]["message"].as_str().unwrap_or_default();
            assert!(said.starts_with("You act for somebody else"), "{field}: {refused}");
        }
        switch(&w, &w.owner, json!({ "id": of.contact, "client_portal_access": false })).await;
        let query = "query($id: ID) { user(id: $id) { linked_relatives { id } } }";
        let at = w.run(&ben, query, json!({ "id": of.proxy })).await;
        assert_eq!(at["user"]["linked_relatives"], json!([]), "{at}");
    })
    .await;
}

#[tokio::test]
async fn dom_35_who_lets_others_act_and_until_when() {
    World::each(async |w| {
        let of = pair(&w).await;
        let set = async |more: Json| {
            let mut input = more;
            input["id"] = of.contact.as_str().into();
            switch(&w, &w.owner, input).await
        };
        let bound = set(json!({ "client_portal_access_until": "2099-01-31" })).await;
        let shown = &bound["notificationContact"];
        assert_eq!(shown["client_portal_access_until"], "2099-01-31", "{bound}");
        for (until, said) in [
            ("2020-01-31", "Client portal access until must be after today"),
            ("soon", "Client portal access until must be a date such as 2027-03-09"),
        ] {
            let refused = set(json!({ "client_portal_access_until": until })).await;
            assert_eq!(refused["messages"][0]["message"], said, "{refused}");
        }
        let open = set(json!({ "client_portal_access_until": null })).await;
        assert!(open["notificationContact"]["client_portal_access_until"].is_null(), "{open}");
        set(json!({ "client_portal_access": false })).await;
        assert_eq!(kept(&w).await, 0);
        let late = set(json!({ "client_portal_access_until": "2099-01-31" })).await;
        let said = "Client portal access until needs client_portal_access: true";
        assert_eq!(late["messages"][0]["message"], said, "{late}");
        // The client does not give it, nor does who neither cares for them nor decides on it.
        let ada = w.as_client(&of.client).await;
        let on = json!({ "id": of.contact, "client_portal_access": true });
        assert!(switch(&w, &ada, on.clone()).await["notificationContact"].is_null());
        let sees = w.with(&w.standard, &[CAN_SEE_CLIENTS]);
        assert!(switch(&w, &sees, on.clone()).await["messages"].is_null());
        assert_eq!(kept(&w).await, 1);
        assert!(switch(&w, &sees, on).await["messages"].is_null(), "as it is");
        // The client is told of each time that it is given, and of nothing else.
        let mails = w.rows::<EffectRow>(Cond::eq("kind", "access_given")).await;
        assert_eq!(mails.len(), 2, "{mails:?}");
        let events = w.events().await;
        let told = "notification_contact.updated [\"client_portal_access\"]";
        assert!(events.iter().filter(|it| *it == told).count() >= 3, "{events:?}");
        // A key acts for nobody.
        let ben = w.as_client(&of.proxy).await;
        let act = "mutation($id: ID!) { actAsLinkedClient(input: {notification_contact_id: $id}) { token messages { message } } }";
        for actor in [&ben, &ada, &w.owner] {
            let answer = w.run_in(ViewId::V2026, actor, act, json!({ "id": of.contact })).await;
            let payload = &answer["data"]["actAsLinkedClient"];
            assert!(payload["token"].is_null() && payload["messages"][0].is_object(), "{answer}");
        }
    })
    .await;
}

#[tokio::test]
async fn dom_35_of_a_restricted_client_who_cares_for_them_decides() {
    World::each(async |w| {
        let of = pair(&w).await;
        switch(&w, &w.owner, json!({ "id": of.contact, "client_portal_access": false })).await;
        let standard = w.standard.user_id.to_string();
        let let_in = json!({ "client_id": of.client, "provider_id": standard, "reason": "A second opinion" });
        let selects = "client_restriction_authorization { id }";
        let field = "createClientRestrictionAuthorization";
        let made = w.mutate(&w.owner, field, selects, let_in).await;
        assert!(made["messages"].is_null(), "{made}");
        let restricted = json!({ "id": of.client, "restricted": true });
        w.mutate(&w.owner, "updateClient", "user { id }", restricted).await;
        let on = json!({ "id": of.contact, "client_portal_access": true });
        let sees = w.with(&w.standard, &[CAN_SEE_CLIENTS]);
        assert!(switch(&w, &sees, on.clone()).await["notificationContact"].is_null());
        assert_eq!(kept(&w).await, 0);
        let decides = w.with(&w.standard, &[CAN_SEE_CLIENTS, CAN_RESTRICT_CLIENTS]);
        assert!(switch(&w, &decides, on).await["messages"].is_null());
        assert_eq!(kept(&w).await, 1);
    })
    .await;
}

#[tokio::test]
async fn dom_35_a_merge_lets_nobody_into_the_other_record() {
    World::each(async |w| {
        let of = pair(&w).await;
        let twin = w.client("Adah", "adah@example.com").await;
        let merge = async |ids: [&str; 2], target: &str| {
            let input = json!({ "ids": ids, "target_user_id": target });
            let merged = w.mutate(&w.owner, "mergeClients", "user { id }", input).await;
            assert!(merged["messages"].is_null(), "{merged}");
        };
        merge([of.client.as_str(), twin.as_str()], of.client.as_str()).await;
        assert_eq!(kept(&w).await, 0, "of the one who stays");
        let on = json!({ "id": of.contact, "client_portal_access": true });
        let again = switch(&w, &w.owner, on).await;
        assert_eq!(again["notificationContact"]["client_portal_access"], true, "{again}");
        // Who acts is merged into somebody, who does not act for that.
        let other = w.client("Benno", "benno@example.com").await;
        merge([of.proxy.as_str(), other.as_str()], other.as_str()).await;
        assert_eq!(kept(&w).await, 0, "of the one who is gone");
        let query = "query($id: ID) { user(id: $id) { notification_contacts { client_portal_access linked_client { id } } } }";
        let at = w.run(&w.owner, query, json!({ "id": of.client })).await;
        let moved = json!([{ "client_portal_access": false, "linked_client": { "id": other } }]);
        assert_eq!(at["user"]["notification_contacts"], moved, "{at}");
    })
    .await;
}

#[tokio::test]
async fn dom_35_one_person_is_one_contact_and_of_two_the_last_takes_it_along() {
    World::each(async |w| {
        let of = pair(&w).await;
        let input = json!({ "user_id": of.client, "linked_client_id": of.proxy });
        let again = named(&w, &w.owner, input).await;
        let said = "Linked client is a contact of this client already";
        assert_eq!(again["messages"][0]["message"], said, "{again}");
        // A merge of clients makes two of one nevertheless.
        let twin = w.client("Adah", "adah@example.com").await;
        let input = json!({ "user_id": twin, "linked_client_id": of.proxy });
        let other = named(&w, &w.owner, input).await["notificationContact"]["id"].clone();
        let input = json!({ "ids": [of.client, twin], "target_user_id": of.client });
        let merged = w.mutate(&w.owner, "mergeClients", "user { id }", input).await;
        assert!(merged["messages"].is_null(), "{merged}");
        let on = json!({ "id": of.contact, "client_portal_access": true });
        assert!(switch(&w, &w.owner, on).await["messages"].is_null());
        let gone = async |id: Json| {
            let input = json!({ "id": id });
            let gone = w.mutate(&w.owner, "deleteNotificationContact", SHOWN, input).await;
            assert!(gone["messages"].is_null(), "{gone}");
            kept(&w).await
        };
        assert_eq!(gone(other).await, 1);
        assert_eq!(gone(of.contact.as_str().into()).await, 0);
    })
    .await;
}

#[tokio::test]
async fn dom_35_what_a_client_sends_along_and_who_acts_does_not() {
    World::each(async |w| {
        let of = pair(&w).await;
        let until = json!({ "id": of.contact, "client_portal_access_until": "2099-01-31" });
        switch(&w, &w.owner, until.clone()).await;
        let ada = w.as_client(&of.client).await;
        let blank = json!({ "id": of.contact, "first_name": "Benny",
            "client_portal_access_until": null });
        let renamed = switch(&w, &ada, blank).await;
        assert!(renamed["messages"].is_null(), "{renamed}");
        let shown = &renamed["notificationContact"];
        assert_eq!(shown["client_portal_access_until"], "2099-01-31", "{renamed}");
        assert!(switch(&w, &ada, until).await["notificationContact"].is_null());
        // Who acts does not keep from the client what is done in their name.
        let acting = Actor { proxy_id: of.proxy.parse().ok(), ..ada.clone() };
        let set = async |actor: &Actor| {
            let input = json!({ "quiet_hours_start": "21:00" });
            w.mutate(actor, "updateNotificationSetting", "notificationSetting { id }", input).await
        };
        let refused = set(&acting).await;
        let said = refused["messages"][0]["message"].as_str().unwrap_or_default();
        assert!(said.starts_with("You act for somebody else"), "{refused}");
        assert!(set(&ada).await["messages"].is_null());
    })
    .await;
}

#[tokio::test]
async fn dom_35_an_auditor_of_the_client_sees_what_others_did_for_them() {
    World::each(async |w| {
        let of = pair(&w).await;
        let restricted = json!({ "id": of.proxy, "restricted": true });
        let done = w.mutate(&w.owner, "updateClient", "user { id }", restricted).await;
        assert!(done["messages"].is_null(), "{done}");
        let changed = async |actor: &Actor, pronouns: &str| {
            let input = json!({ "pronouns": pronouns });
            let done = w.mutate(actor, "updateUser", "user { id }", input).await;
            assert!(done["messages"].is_null(), "{done}");
        };
        let ben = w.as_client(&of.proxy).await;
        let acting = Actor { proxy_id: Some(ben.user_id), ..w.as_client(&of.client).await };
        changed(&acting, "for-ada").await;
        changed(&ben, "for-ben").await;
        let query = "{ auditLog(resource_name: USER) { nodes { resource_changes { \
            field value_after_change } } } }";
        let auditor = w.with(&w.standard, &[CAN_VIEW_AUDIT_LOG, SEES_ALL_CLIENTS]);
        let log = w.run(&auditor, query, json!({})).await.to_string();
        assert!(log.contains("for-ada") && !log.contains("for-ben"), "{log}");
        let log = w.run(&w.owner, query, json!({})).await.to_string();
        assert!(log.contains("for-ben"), "{log}");
    })
    .await;
}

#[tokio::test]
async fn dom_35_what_who_acts_reads_stays_unread_to_the_client_and_where_it_was() {
    World::each(async |w| {
        let of = pair(&w).await;
        let ada = w.as_client(&of.client).await;
        awake(&w, &ada).await;
        let acting = Actor { proxy_id: of.proxy.parse().ok(), ..ada.clone() };
        let talk = begun(&w, &w.owner, json!({ "simple_added_users": of.client })).await;
        let write = async |by: &Actor, text: &str| {
            let made = w.note(by, json!({ "conversation_id": talk["id"], "content": text })).await;
            assert!(made["messages"].is_null(), "{made}");
        };
        let unread = async || inbox(&w, &ada, json!({ "read": "unread" })).await["nodes"].clone();
        write(&w.owner, "Come at noon").await;
        while run_batch(&w.db, KINDS).await.unwrap() > 0 {}
        let part = unread().await[0]["id"].clone();
        let mark = async |actor: &Actor| {
            let selects = "conversation_membership { viewed }";
            let input = json!({ "id": part, "viewed": true });
            let done = w.mutate(actor, "updateConversationMembership", selects, input).await;
            assert!(done["messages"].is_null(), "{done}");
            done["conversation_membership"]["viewed"].clone()
        };
        assert_eq!(mark(&acting).await, false);
        let put_away = async |actor: &Actor| {
            let selects = "conversation_membership { archived }";
            let input = json!({ "id": part, "archived": true });
            let done = w.mutate(actor, "updateConversationMembership", selects, input).await;
            assert!(done["messages"].is_null(), "{done}");
            done["conversation_membership"]["archived"].clone()
        };
        assert_eq!(put_away(&acting).await, false);
        let told = "{ notifications { nodes { id seen read } } }";
        let told = async || w.run(&ada, told, json!({})).await["notifications"]["nodes"].clone();
        let before = told().await;
        assert_eq!(before[0]["seen"], false, "{before}");
        let one = "mutation($id: ID) { updateNotification(input: { id: $id, seen: true, read: true }) \
            { notification { seen } messages { message } } }";
        let one = w.run_in(ViewId::V2026, &acting, one, json!({ "id": before[0]["id"] })).await;
        let expected = json!({ "notification": { "seen": false }, "messages": null });
        assert_eq!(one["data"]["updateNotification"], expected, "{one}");
        let all = "mutation { updateNotifications(input: { updateAllNotifications: true, seen: true }) \
            { notifications { seen } messages { message } } }";
        let all = w.run_in(ViewId::V2026, &acting, all, json!({})).await;
        let expected = json!({ "notifications": [{ "seen": false }], "messages": null });
        assert_eq!(all["data"]["updateNotifications"], expected, "{all}");
        assert_eq!(told().await, before);
        settle(&w).await;
        assert_eq!(sent(&w).await, ["new_message email"]);
        // An answer is the client's, who has read no more by it.
        write(&acting, "We will").await;
        assert_eq!(unread().await[0]["id"], part);
        assert_eq!(mark(&ada).await, true);
        write(&acting, "Until then").await;
        assert_eq!(unread().await, json!([]), "there was nothing that they had not read");
    })
    .await;
}
