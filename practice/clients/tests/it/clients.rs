//! createClient, updateClient and `users` through the front door.

use serde_json::json;
use ward_engine::ViewId;
use ward_identity::tables::{Login, User};
use ward_store::Cond;

use crate::support::{
    CAN_ADD_CLIENTS, CAN_REMOVE_CLIENT, CAN_SET_CLIENT_PASSWORD, SEES_ALL_CLIENTS, World,
};

const ME: &str = "user { id email first_name dietitian_id user_group_id active quick_notes }";

#[tokio::test]
async fn a_client_is_made_with_account_mail_and_event() {
    World::each(async |w| {
        let input = json!({
            "first_name": " Ada ", "last_name": "Ahlgren", "email": "Ada@Example.com",
            "dob": "1990-02-01", "timezone": "Europe/Dublin", "metadata": "{\"a\": 1}",
            "ssn": "900-12-3456", "other_provider_ids": [w.standard.user_id],
        });
        let payload = w.mutate(&w.owner, "createClient", ME, input).await;
        assert!(payload["messages"].is_null(), "{payload}");
        assert_eq!(payload["user"]["email"], "ada@example.com");
        assert_eq!(payload["user"]["first_name"], "Ada");
        assert_eq!(payload["user"]["dietitian_id"], w.owner.user_id.to_string());
        assert_eq!(w.events().await, ["patient.created []"]);
        assert_eq!(w.mails().await, ["welcome"]);
        let client = w.rows::<User>(Cond::is_true("is_patient")).await.remove(0);
        assert_eq!(client.ssn.as_deref(), Some("900123456"));
        assert_eq!(client.metadata.unwrap().0, "{\"a\": 1}");
        let logins = w.rows::<Login>(Cond::eq("user_id", client.id.0)).await;
        assert_eq!(logins.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn all_problems_come_at_once_and_nothing_is_left() {
    World::each(async |w| {
        let input = json!({
            "last_name": " ", "email": "nobody", "dob": "1990-13-01", "timezone": "Mars/Olympus",
            "metadata": "{", "ssn": "12",
        });
        let payload = w.mutate(&w.owner, "createClient", ME, input).await;
        let fields: Vec<&str> = payload["messages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|message| message["field"].as_str().unwrap())
            .collect();
        assert_eq!(
            fields,
            ["first_name", "last_name", "email", "dob", "timezone", "metadata", "ssn"]
        );
        assert_eq!(payload["messages"][0]["message"], "First name can't be blank");
        assert!(payload["user"].is_null());
        assert!(w.events().await.is_empty() && w.mails().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn who_may_add_clients_and_whose_they_are() {
    World::each(async |w| {
        let input = || json!({ "first_name": "A", "last_name": "B", "skipped_email": true });
        let without = w.with(&w.standard, &[SEES_ALL_CLIENTS]);
        let payload = w.mutate(&without, "createClient", ME, input()).await;
        assert_eq!(payload["messages"][0]["field"], "base");
        // A Support member has no clients and says whose it is.
        let support = w.with(&w.support, &[CAN_ADD_CLIENTS, SEES_ALL_CLIENTS]);
        let payload = w.mutate(&support, "createClient", ME, input()).await;
        assert_eq!(payload["messages"][0]["field"], "dietitian_id");
        for (who, found) in [(&w.standard, true), (&w.support, false), (&w.stranger, false)] {
            let mut input = input();
            input["dietitian_id"] = json!(who.user_id.to_string());
            let payload = w.mutate(&support, "createClient", ME, input).await;
            assert_eq!(payload["messages"].is_null(), found, "{payload}");
        }
        assert!(w.mails().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn the_same_four_are_taken_whatever_their_case() {
    World::each(async |w| {
        w.client("Ada", "family@example.com").await;
        let child = w.client("Bo", "family@example.com").await;
        let input =
            json!({ "first_name": "ADA", "last_name": "client", "email": "Family@example.com" });
        let payload = w.mutate(&w.owner, "createClient", ME, input).await;
        assert_eq!(payload["messages"][0]["message"], "Email has already been taken");
        let input = json!({ "id": child, "first_name": "ada" });
        let payload = w.mutate(&w.owner, "updateClient", ME, input).await;
        assert_eq!(payload["messages"][0]["field"], "email");
        let clients = w.rows::<User>(Cond::is_true("is_patient")).await;
        assert_eq!(clients[0].human_id, clients[1].human_id);
    })
    .await;
}

#[tokio::test]
async fn an_update_says_what_changed_and_nothing_when_nothing_did() {
    World::each(async |w| {
        let id = w.client("Ada", "ada@example.com").await;
        let input = || json!({ "id": id, "quick_notes": "Likes mornings", "first_name": "Adah" });
        let payload = w.mutate(&w.owner, "updateClient", ME, input()).await;
        assert_eq!(payload["user"]["quick_notes"], "Likes mornings");
        let payload = w.mutate(&w.owner, "updateClient", ME, input()).await;
        assert!(payload["messages"].is_null());
        let told = r#"patient.updated ["first_name","quick_notes"]"#;
        assert_eq!(w.events().await, ["patient.created []", told]);
        // Null clears, absent leaves, a name can't be emptied.
        let input = json!({ "id": id, "quick_notes": null, "first_name": "" });
        let payload = w.mutate(&w.owner, "updateClient", ME, input).await;
        assert_eq!(payload["messages"][0]["message"], "First name can't be blank");
        let input = json!({ "current_email": "ADA@example.com", "id": "", "quick_notes": null });
        let payload = w.mutate(&w.owner, "updateClient", ME, input).await;
        assert!(
            payload["user"]["quick_notes"].is_null() && payload["messages"].is_null(),
            "{payload}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_client_of_others_is_not_found() {
    World::each(async |w| {
        let id = w.client("Ada", "ada@example.com").await;
        let own = w.with(&w.standard, &[]);
        let client = w.as_client(&id).await;
        for actor in [&own, &w.stranger] {
            let payload =
                w.mutate(actor, "updateClient", ME, json!({ "id": id, "pronouns": "x" })).await;
            assert_eq!(payload["messages"][0]["message"], "Object not found");
        }
        let payload =
            w.mutate(&client, "updateClient", ME, json!({ "id": id, "pronouns": "x" })).await;
        assert_eq!(payload["messages"][0]["field"], "base");
        assert_eq!(w.events().await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn archiving_and_passwords_need_their_flags() {
    World::each(async |w| {
        let id = w.client("Ada", "ada@example.com").await;
        let other = w.with(&w.standard, &[SEES_ALL_CLIENTS]);
        for input in [
            json!({ "id": id, "active": false }),
            json!({ "id": id, "password": "correct horse battery staple" }),
        ] {
            let payload = w.mutate(&other, "updateClient", ME, input).await;
            assert_eq!(payload["messages"][0]["field"], "base", "{payload}");
        }
        let other =
            w.with(&w.standard, &[SEES_ALL_CLIENTS, CAN_REMOVE_CLIENT, CAN_SET_CLIENT_PASSWORD]);
        let input =
            json!({ "id": id, "active": false, "password": "correct horse battery staple" });
        let payload = w.mutate(&other, "updateClient", ME, input).await;
        assert_eq!(payload["user"]["active"], false, "{payload}");
        let client = w.rows::<User>(Cond::is_true("is_patient")).await.remove(0);
        assert!(client.archived_at.is_some() && client.password_hash.is_some());
        assert_eq!(w.events().await[1], r#"patient.updated ["active","archived_at"]"#);
        let payload =
            w.mutate(&other, "updateClient", ME, json!({ "id": id, "active": true })).await;
        assert_eq!(payload["user"]["active"], true);
    })
    .await;
}

#[tokio::test]
async fn the_care_team_is_replaced_whole() {
    World::each(async |w| {
        let id = w.client("Ada", "ada@example.com").await;
        let team = |ids: Vec<i64>| json!({ "id": id, "other_provider_ids": ids });
        let payload = w.mutate(&w.owner, "updateClient", ME, team(vec![w.support.user_id])).await;
        assert_eq!(payload["messages"][0]["field"], "other_provider_ids");
        let payload = w.mutate(&w.owner, "updateClient", ME, team(vec![w.standard.user_id])).await;
        assert!(payload["messages"].is_null(), "{payload}");
        // Being in the team opens the client.
        let standard = w.with(&w.standard, &[]);
        let seen = w.run(&standard, "{ users { total_count } }", json!({})).await;
        assert_eq!(seen["users"]["total_count"], 1);
        // As the primary provider they leave it.
        let input = json!({ "id": id, "dietitian_id": w.standard.user_id });
        let payload = w.mutate(&w.owner, "updateClient", ME, input).await;
        assert_eq!(payload["user"]["dietitian_id"], w.standard.user_id.to_string());
        w.mutate(&w.owner, "updateClient", ME, team(Vec::new())).await;
        assert_eq!(
            w.events().await[1..],
            [
                r#"patient.updated ["other_provider_ids"]"#,
                r#"patient.updated ["dietitian_id","other_provider_ids"]"#,
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn the_welcome_is_sent_again_five_times_a_day() {
    World::each(async |w| {
        let id = w.client("Ada", "ada@example.com").await;
        let input = || json!({ "id": id, "resend_welcome": true, "first_name": "Ignored" });
        for _ in 0..5 {
            let payload = w.mutate(&w.owner, "updateClient", ME, input()).await;
            assert_eq!(payload["user"]["first_name"], "Ada", "{payload}");
        }
        let payload = w.mutate(&w.owner, "updateClient", ME, input()).await;
        assert_eq!(payload["messages"][0]["field"], "resend_welcome");
        assert_eq!(w.mails().await.len(), 6);
    })
    .await;
}

#[tokio::test]
async fn users_are_filtered_and_ordered() {
    World::each(async |w| {
    for (first, email) in
        [("Cleo", "a@example.com"), ("Abe", "c@example.com"), ("Bea", "b@example.com")]
    {
        w.client(first, email).await;
    }
    let names = |answer: &serde_json::Value| {
        let nodes = answer["users"]["nodes"].as_array().unwrap().clone();
        nodes.iter().map(|node| node["first_name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for (args, expected) in [
        ("order_by: FIRST_NAME_ASC", vec!["Abe", "Bea", "Cleo"]),
        ("order_by: EMAIL_DESC", vec!["Abe", "Bea", "Cleo"]),
        ("order_by: GROUP_NAME_ASC", vec!["Cleo", "Abe", "Bea"]),
        ("order_by: PROVIDER_NAME_DESC, keywords: \"client bea\"", vec!["Bea"]),
        ("sort_by: \"first_name_desc\"", vec!["Cleo", "Bea", "Abe"]),
        ("active_status: \"archived\"", vec![]),
        ("show_all_by_default: false", vec![]),
        (
            "limited_to_provider: true, order_by: FIRST_NAME_ASC, email: \"no\"",
            vec!["Abe", "Bea", "Cleo"],
        ),
        ("group_id: \"\", tag_ids: [], ids: [], keywords: \"Abe\"", vec!["Abe"]),
        ("provider_id: \"nobody\"", vec![]),
    ] {
        let query = format!("{{ users({args}) {{ nodes {{ first_name }} total_count }} }}");
        let answer = w.run(&w.owner, &query, json!({})).await;
        assert_eq!(names(&answer), expected, "{args}");
    }
    let query = "{ usersCount users(order_by: FIRST_NAME_ASC, page_size: 2, offset: 1) { first_name group_name } }";
    let answer = w.run_in(ViewId::Baseline, &w.owner, query, json!({})).await;
    assert_eq!(answer["data"]["usersCount"], 3);
    assert_eq!(answer["data"]["users"][1]["first_name"], "Cleo", "{answer}");
    // The old words count where the schema has a default for the new ones.
    for (words, first) in [("first_name_desc", "Cleo"), ("first_name_asc", "Abe")] {
        let query =
            format!(r#"{{ users(sort_by: "{words}", should_paginate: false) {{ first_name }} }}"#);
        let answer = w.run_in(ViewId::Baseline, &w.owner, &query, json!({})).await;
        assert_eq!(answer["data"]["users"][0]["first_name"], first, "{answer}");
    }
    let answer = w.run(&w.stranger, "{ users { total_count } }", json!({})).await;
    assert_eq!(answer["users"]["total_count"], 0);
    })
    .await;
}
