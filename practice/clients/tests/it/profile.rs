//! updateUser through the front door.

use serde_json::json;
use ward_identity::tables::User;
use ward_store::Cond;

use crate::support::World;

const PNG: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

#[tokio::test]
async fn members_change_themselves_and_clients_but_no_other_member() {
    World::each(async |w| {
    let input = json!({ "name": "Oda Owner Third", "seen_welcome": true, "pretend_to_be": "1", "token": "x", "human_id": "1" });
    let payload = w.mutate(&w.owner, "updateUser", "user { first_name last_name }", input).await;
    assert_eq!(
        payload["user"],
        json!({ "first_name": "Oda", "last_name": "Owner Third" }),
        "{payload}"
    );
    let input = json!({ "id": w.standard.user_id, "first_name": "Hijacked" });
    let payload = w.mutate(&w.owner, "updateUser", "user { id }", input).await;
    assert_eq!(payload["messages"][0]["message"], "Object not found");
    let client = w.client("Ada", "ada@example.com").await;
    let input = json!({ "id": client, "legal_name": "Adelaide" });
    let payload = w.mutate(&w.owner, "updateUser", "user { id }", input).await;
    assert!(payload["messages"].is_null(), "{payload}");
    assert_eq!(w.events().await[1], r#"patient.updated ["legal_name"]"#);
    let own = w.as_client(&client).await;
    let input = json!({ "id": w.owner.user_id, "first_name": "Hijacked" });
    let payload = w.mutate(&own, "updateUser", "user { id }", input).await;
    assert_eq!(payload["messages"][0]["message"], "Object not found");
    })
    .await;
}

#[tokio::test]
async fn ones_own_new_address_waits_to_be_confirmed() {
    World::each(async |w| {
        let client = w.client("Ada", "ada@example.com").await;
        let own = w.as_client(&client).await;
        let input = json!({ "email": "new@example.com" });
        let payload = w.mutate(&own, "updateUser", "user { email }", input).await;
        assert_eq!(payload["user"]["email"], "ada@example.com", "{payload}");
        assert_eq!(w.mails().await, ["welcome", "confirm_email"]);
        let row = w.rows::<User>(Cond::is_true("is_patient")).await.remove(0);
        assert_eq!(row.unconfirmed_email.as_deref(), Some("new@example.com"));
    })
    .await;
}

/// Asks for another address until that is refused; how often it was not.
async fn asks(w: &World, actor: &ward_store::Actor, address: impl Fn(usize) -> String) -> usize {
    for n in 0..60 {
        let input = json!({ "email": address(n) });
        let query = "mutation($input: updateUserInput!) { updateUser(input: $input) {
            messages { message } } }";
        let answer =
            w.run_in(ward_engine::ViewId::V2026, actor, query, json!({ "input": input })).await;
        if let Some(errors) = answer.get("errors") {
            assert_eq!(errors[0]["extensions"]["code"], "TOO_MANY_REQUESTS", "{answer}");
            return n;
        }
        assert!(answer["data"]["updateUser"]["messages"].is_null(), "{answer}");
    }
    panic!("nobody ever stops it");
}

#[tokio::test]
async fn mails_to_new_addresses_are_counted_for_the_account_and_the_address() {
    World::each(async |w| {
        let mut own = Vec::new();
        for first in ["Ada", "Bo", "Cy"] {
            own.push(w.as_client(&w.client(first, &format!("{first}@example.com")).await).await);
        }
        let asked = asks(&w, &own[0], |n| format!("victim{n}@example.com")).await;
        assert!(asked >= 5, "{asked}");
        let mails = async || w.mails().await.iter().filter(|kind| *kind == "confirm_email").count();
        assert_eq!(mails().await, asked, "a refusal mails nobody");
        // Another account; but one that many write to.
        let one = |_| "victim@example.com".to_owned();
        let asked = asks(&w, &own[1], one).await;
        assert!(asked >= 5, "{asked}");
        let asked = asks(&w, &own[2], |_| "VICTIM@example.com".to_owned()).await;
        assert!(asked < 5, "{asked}");
        // What does not change is not counted.
        for _ in 0..20 {
            let input = json!({ "email": "Cy@example.com", "pronouns": "they/them" });
            let payload = w.mutate(&own[2], "updateUser", "user { id }", input).await;
            assert!(payload["messages"].is_null(), "{payload}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_password_needs_the_current_one() {
    World::each(async |w| {
    let client = w.client("Ada", "ada@example.com").await;
    let own = w.as_client(&client).await;
    let (old, new) = ("correct horse battery staple", "quiet otter violin cascade");
    let payload = w.mutate(&own, "updateUser", "user { id }", json!({ "password": old })).await;
    assert!(payload["messages"].is_null(), "{payload}");
    for (input, field) in [
        (json!({ "password": new }), "current_password"),
        (json!({ "password": new, "current_password": "wrong" }), "current_password"),
        (
            json!({ "password": new, "password_confirmation": "other", "current_password": old }),
            "password_confirmation",
        ),
        (json!({ "password": "short", "current_password": old }), "password"),
    ] {
        let payload = w.mutate(&own, "updateUser", "user { id }", input).await;
        assert_eq!(payload["messages"][0]["field"], field, "{payload}");
    }
    let input = json!({ "password": new, "password_confirmation": new, "current_password": old });
    let payload = w.mutate(&own, "updateUser", "user { id }", input).await;
    assert!(payload["messages"].is_null(), "{payload}");
    })
    .await;
}

#[tokio::test]
async fn a_picture_is_kept_and_replaced() {
    World::each(async |w| {
        for _ in 0..2 {
            let payload = w
                .mutate(&w.owner, "updateUser", "user { id }", json!({ "avatar_string": PNG }))
                .await;
            assert!(payload["messages"].is_null(), "{payload}");
        }
        let input = json!({ "avatar_string": "data:image/svg+xml;base64,PHN2Zz4=" });
        let payload = w.mutate(&w.owner, "updateUser", "user { id }", input).await;
        assert_eq!(payload["messages"][0]["field"], "avatar_string");
        let owner = w.rows::<User>(Cond::eq("id", w.owner.user_id)).await.remove(0);
        assert!(owner.avatar_id.is_some());
        let gone = w.rows::<ward_store::system::BlobRow>(Cond::Always).await;
        assert_eq!(gone.len(), 1, "the first picture is marked deleted");
    })
    .await;
}
