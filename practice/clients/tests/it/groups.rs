//! Groups and tags through the front door.

use serde_json::json;
use ward_engine::ViewId;
use ward_store::{Actor, Engine, Query, Sql};

use crate::care::number;
use crate::support::{CAN_CREATE_TAGS, World};

const GROUP: &str = "user_group { id name invite_code users_count }";

#[tokio::test]
async fn a_deleted_groups_clients_move_with_an_event_each() {
    World::each(async |w| {
    let (a, b) = (w.client("A", "a@example.com").await, w.client("B", "b@example.com").await);
    let old = w.mutate(&w.owner, "createGroup", GROUP, json!({ "name": "Old" })).await;
    let new = w.mutate(&w.owner, "createGroup", GROUP, json!({ "name": "Old" })).await;
    assert!(new["messages"].is_null(), "two groups may have one name");
    let code = old["user_group"]["invite_code"].as_str().unwrap();
    assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let (old, new) = (&old["user_group"]["id"], &new["user_group"]["id"]);
    for id in [&a, &b] {
        let input = json!({ "id": id, "user_group_id": old });
        w.mutate(&w.owner, "updateClient", "user { id }", input).await;
    }
    let query = "query($id: ID) { userGroup(id: $id) { users_count user_ids doc_share_id users { first_name user_group { name } } user { id } } }";
    let answer = w.run(&w.owner, query, json!({ "id": old })).await;
    assert_eq!(answer["userGroup"]["users_count"], 2);
    assert_eq!(answer["userGroup"]["user_ids"], json!([a, b]));
    assert_eq!(answer["userGroup"]["users"][1]["user_group"]["name"], "Old");
    let input = json!({ "id": old, "group_to_receive_clients": new });
    let payload = w.mutate(&w.owner, "deleteUserGroup", "user_group { id }", input).await;
    assert!(payload["messages"].is_null(), "{payload}");
    let answer = w.run(&w.owner, query, json!({ "id": new })).await;
    assert_eq!(answer["userGroup"]["users_count"], 2);
    assert!(w.run(&w.owner, query, json!({ "id": old })).await["userGroup"].is_null());
    let moved = r#"patient.updated ["user_group_id"]"#;
    assert_eq!(w.events().await.iter().filter(|event| *event == moved).count(), 4);
    // A blank receiver leaves them without a group.
    let input = json!({ "id": new, "group_to_receive_clients": "" });
    w.mutate(&w.owner, "deleteUserGroup", "user_group { id }", input).await;
    let answer =
        w.run(&w.owner, "{ users { nodes { user_group_id group_name } } }", json!({})).await;
    assert!(answer["users"]["nodes"][0]["user_group_id"].is_null(), "{answer}");
    })
    .await;
}

#[tokio::test]
async fn groups_are_listed_and_never_across_practices() {
    World::each(async |w| {
        for name in ["beta", "Alpha"] {
            w.mutate(&w.owner, "createGroup", GROUP, json!({ "name": name })).await;
        }
        let query = "{ userGroupsCount userGroups(order_by: NAME_ASC) { name cursor } }";
        let answer = w.run_in(ViewId::Baseline, &w.owner, query, json!({})).await;
        assert_eq!(answer["data"]["userGroups"][0]["name"], "Alpha", "{answer}");
        assert_eq!(answer["data"]["userGroupsCount"], 2);
        let answer = w
            .run(
                &w.owner,
                r#"{ userGroups(keywords: "BET", order_by: INVITE_CODE_DESC) { nodes { name } } }"#,
                json!({}),
            )
            .await;
        assert_eq!(answer["userGroups"]["nodes"], json!([{ "name": "beta" }]));
        let answer = w
            .run(
                &w.owner,
                "{ organization { user_groups { name } tags { name } location { id } } }",
                json!({}),
            )
            .await;
        assert_eq!(answer["organization"]["user_groups"][1]["name"], "beta");
        let answer = w.run(&w.stranger, "{ userGroups { total_count } }", json!({})).await;
        assert_eq!(answer["userGroups"]["total_count"], 0);
        let payload = w.mutate(&w.owner, "createGroup", GROUP, json!({ "name": " " })).await;
        assert_eq!(payload["messages"][0]["message"], "Name can't be blank");
    })
    .await;
}

#[tokio::test]
async fn tags_are_applied_all_or_none() {
    World::each(async |w| {
    let client = w.client("Ada", "ada@example.com").await;
    let selects = "tag { id name added_by tagged_users { nodes { id } } }";
    let denied = w.with(&w.standard, &[]);
    let payload = w.mutate(&denied, "createTag", selects, json!({ "name": "VIP" })).await;
    assert_eq!(payload["messages"][0]["field"], "base");
    let may = w.with(&w.standard, &[CAN_CREATE_TAGS]);
    let vip = w.mutate(&may, "createTag", selects, json!({ "name": "VIP" })).await;
    assert_eq!(vip["tag"]["added_by"], "Stan Staffson", "{vip}");
    let payload = w.mutate(&w.owner, "createTag", selects, json!({ "name": "vip" })).await;
    assert_eq!(payload["messages"][0]["message"], "Name has already been taken");
    let input = json!({ "name": "New", "taggable_user_id": client });
    let new = w.mutate(&w.owner, "createTag", selects, input).await;
    assert_eq!(new["tag"]["tagged_users"]["nodes"], json!([{ "id": client }]));
    let (vip, new) = (&vip["tag"]["id"], &new["tag"]["id"]);
    let unknown = (vip.as_str().unwrap().parse::<i64>().unwrap() + 5_000).to_string();
    let input = json!({ "ids": [vip, unknown], "taggable_user_id": client });
    let payload = w.mutate(&w.owner, "bulkApply", "tags { id }", input).await;
    assert_eq!(payload["messages"][0]["field"], "ids");
    let input = json!({ "ids": [vip, new], "taggable_user_id": client });
    let payload = w.mutate(&w.owner, "bulkApply", "tags { id }", input).await;
    assert_eq!(payload["tags"], json!([{ "id": vip }, { "id": new }]));
    let query = "query($tags: [ID]) { users(tag_ids: $tags) { nodes { active_tags { name } } } }";
    let answer = w.run(&w.owner, query, json!({ "tags": [vip] })).await;
    let names = json!([{ "name": "New" }, { "name": "VIP" }]);
    assert_eq!(answer["users"]["nodes"][0]["active_tags"], names);
    let input = json!({ "id": vip, "taggable_user_id": client });
    let payload = w
        .mutate(&w.owner, "removeAppliedTag", "tag { id active_users_count }", input.clone())
        .await;
    assert_eq!(payload["tag"]["active_users_count"], 0, "{payload}");
    let payload = w.mutate(&w.owner, "removeAppliedTag", "tag { id }", input).await;
    assert_eq!(payload["messages"][0]["field"], "id");
    let payload =
        w.mutate(&w.owner, "deleteTag", "tag { name } removing_async", json!({ "id": new })).await;
    assert_eq!(payload["tag"]["name"], "New", "{payload}");
    let kinds = w.events().await;
    let expected = [
        "applied_tag.created []",
        "applied_tag.created []",
        "applied_tag.deleted []",
        "applied_tag.deleted []",
    ];
    assert_eq!(kinds[1..], expected);
    let query = "{ tags(order_by: NAME_DESC) { name patients_tagged_count } tagsPaginated(order_by: ADDED_BY_ASC) { total_count } }";
    let answer = w.run(&w.owner, query, json!({})).await;
    assert_eq!(answer["tags"], json!([{ "name": "VIP", "patients_tagged_count": 0 }]));
    // The name is free again.
    let payload = w.mutate(&w.owner, "createTag", selects, json!({ "name": "new" })).await;
    assert!(payload["messages"].is_null(), "{payload}");
    })
    .await;
}

#[tokio::test]
async fn applied_tags_are_objects_that_stay_when_they_are_taken_off() {
    World::each(async |w| {
        let client = w.client("Ada", "ada@example.com").await;
        let mut tags = Vec::new();
        for name in ["A", "B"] {
            let input = json!({ "name": name, "taggable_user_id": client });
            let made = w.mutate(&w.owner, "createTag", "tag { id }", input).await;
            tags.push(made["tag"]["id"].clone());
        }
        let all = "query($tag: ID, $after: ISO8601DateTime) { appliedTags(tag_id: $tag, updated_after: $after) { total_count nodes { id tag_id user_id tag { name } user { first_name } } } }";
        let answer = w.run(&w.owner, all, json!({ "tag": tags[1] })).await;
        assert_eq!(answer["appliedTags"]["total_count"], 1, "{answer}");
        let applied = &answer["appliedTags"]["nodes"][0];
        assert_eq!(applied["tag"]["name"], "B");
        assert_eq!((&applied["user_id"], &applied["user"]["first_name"]), (&json!(client), &json!("Ada")));
        let later = w.run(&w.owner, all, json!({ "after": "2100-01-01T00:00:00Z" })).await;
        assert_eq!(later["appliedTags"]["total_count"], 0);
        let blind = w.with(&w.standard, &[]);
        let own = w.as_client(&client).await;
        for actor in [&blind, &w.stranger, &own] {
            let answer = w.run(actor, all, json!({})).await;
            assert_eq!(answer["appliedTags"]["total_count"], 0, "{answer}");
        }
        let one = "query($id: ID, $deleted: Boolean) { appliedTag(id: $id, include_deleted: $deleted) { id updated_at tag { name } } }";
        let input = json!({ "id": tags[1], "taggable_user_id": client });
        w.mutate(&w.owner, "removeAppliedTag", "tag { id }", input.clone()).await;
        let gone = w.run(&w.owner, one, json!({ "id": applied["id"], "deleted": false })).await;
        assert!(gone["appliedTag"].is_null(), "{gone}");
        let kept = w.run(&w.owner, one, json!({ "id": applied["id"], "deleted": true })).await;
        assert_eq!(kept["appliedTag"]["tag"]["name"], "B", "{kept}");
        for actor in [&blind, &w.stranger, &own] {
            let answer = w.run(actor, one, json!({ "id": applied["id"], "deleted": true })).await;
            assert!(answer["appliedTag"].is_null(), "{answer}");
        }
        let user = "query($tags: [ID]) { users(tag_ids: $tags) { total_count } tags(user_id: \"%\") { name } }".replace('%', &client);
        let answer = w.run(&w.owner, &user, json!({ "tags": [tags[1]] })).await;
        assert_eq!(answer, json!({ "users": { "total_count": 0 }, "tags": [{ "name": "A" }] }));
        // Put on again, it is another row.
        let input = json!({ "ids": [tags[1]], "taggable_user_id": client });
        w.mutate(&w.owner, "bulkApply", "tags { id }", input).await;
        let answer = w.run(&w.owner, all, json!({ "tag": tags[1] })).await;
        assert_ne!(answer["appliedTags"]["nodes"][0]["id"], applied["id"]);
        let answer = w.run_in(ViewId::Baseline, &w.owner, "{ appliedTags(order_by: CREATED_AT_DESC) { id } }", json!({})).await;
        assert_eq!(answer["data"]["appliedTags"].as_array().unwrap().len(), 2, "{answer}");
    })
    .await;
}

/// Copies the only row of a table so often, with these columns changed.
async fn copy(w: &World, table: &str, times: usize, changed: &[(&str, &str)]) {
    let mut reader = w.db.read().await.unwrap();
    let columns = match reader.engine() {
        Engine::Lite => format!("SELECT name FROM pragma_table_info('{table}')"),
        Engine::Pg => format!(
            "SELECT CAST(column_name AS TEXT) FROM information_schema.columns \
             WHERE table_name = '{table}' AND is_generated = 'NEVER'"
        ),
    };
    let rows = reader.rows(&Sql::fixed(columns.leak(), [])).await.unwrap();
    drop(reader);
    let names: Vec<&str> = rows.iter().map(|row| row[0].text().unwrap()).collect();
    let value = |name: &&str| match changed.iter().find(|(column, _)| column == name) {
        Some((_, expression)) => (*expression).to_owned(),
        None => format!("t.{name}"),
    };
    let values: Vec<String> = names.iter().map(value).collect();
    let only = if table == "users" { "t.is_patient" } else { "TRUE" };
    let sql = format!(
        "INSERT INTO {table} ({}) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL \
         SELECT n.i + 1 FROM n WHERE n.i < {times}) SELECT {} FROM {table} t CROSS JOIN n WHERE {only}",
        names.join(", "),
        values.join(", ")
    );
    w.execute(Sql::fixed(sql.leak(), [])).await;
}

#[tokio::test]
async fn a_tag_is_deleted_however_many_have_it() {
    World::each(async |w| {
        const MANY: usize = 10_001;
        let client = w.client("Ada", "ada@example.com").await;
        let input = json!({ "name": "Everybody", "taggable_user_id": client });
        let tag = w.mutate(&w.owner, "createTag", "tag { id }", input).await["tag"]["id"].clone();
        copy(&w, "users", MANY, &[("id", "t.id + n.i")]).await;
        let applied = [("id", "t.id + n.i"), ("user_id", "t.user_id + n.i")];
        copy(&w, "applied_tags", MANY, &applied).await;
        let payload = w
            .mutate(&w.owner, "deleteTag", "tag { id } removing_async", json!({ "id": tag }))
            .await;
        assert_eq!(payload["removing_async"], false, "{payload}");
        let left = "SELECT COUNT(*) FROM applied_tags WHERE deleted_at IS NULL";
        assert_eq!(number(&w, left).await, 0);
        let told = "SELECT COUNT(*) FROM events WHERE event_type = 'applied_tag.deleted'";
        assert_eq!(number(&w, told).await, 10_002);
    })
    .await;
}

#[tokio::test]
async fn no_client_is_in_a_group_of_a_sibling() {
    World::each(async |w| {
        let branch = w.branch().await;
        let group_of = async |actor: &Actor| {
            let made = w.mutate(actor, "createGroup", GROUP, json!({ "name": "G" })).await;
            made["user_group"]["id"].clone()
        };
        let (ours, theirs) = (group_of(&w.owner).await, group_of(&branch).await);
        let a = w.client("Ada", "a@example.com").await;
        let input = json!({ "first_name": "Bo", "last_name": "Branch", "email": "b@example.com", "user_group_id": theirs });
        let b = w.mutate(&branch, "createClient", "user { id }", input).await["user"]["id"].clone();
        assert!(b.is_string(), "a group of the own unit");
        let new = json!({ "first_name": "Cy", "last_name": "New", "email": "c@example.com", "user_group_id": theirs });
        for (field, selects, input, at) in [
            ("createClient", "user { id }", new, "user_group_id"),
            ("updateClient", "user { id }", json!({ "id": a, "user_group_id": theirs }), "user_group_id"),
            ("bulkUpdateClients", "users { id }", json!({ "ids": [b, a], "user_group_id": theirs }), "user_group_id"),
        ] {
            let payload = w.mutate(&w.owner, field, selects, input).await;
            assert_eq!(payload["messages"][0]["field"], at, "{field} {payload}");
        }
        // The root's groups are for the clients of all units.
        let both = json!({ "ids": [a, b], "user_group_id": ours });
        let payload = w.mutate(&w.owner, "bulkUpdateClients", "users { user_group_id }", both).await;
        assert_eq!(payload["users"][1]["user_group_id"], ours, "{payload}");
        let gone = json!({ "id": ours, "group_to_receive_clients": theirs });
        let payload = w.mutate(&w.owner, "deleteUserGroup", "user_group { id }", gone).await;
        assert_eq!(payload["messages"][0]["field"], "group_to_receive_clients", "{payload}");
        let at = w.run(&w.owner, "{ users { nodes { user_group_id } } }", json!({})).await;
        let all = json!([{ "user_group_id": ours }, { "user_group_id": ours }]);
        assert_eq!(at["users"]["nodes"], all, "and nothing of it is done");
    })
    .await;
}
