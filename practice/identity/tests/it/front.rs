//! Operations through the engine: in goes a document, out comes the answer.

use serde_json::{Value as Json, json};
use ward_engine::ViewId::{Baseline, V2026};
use ward_identity::admin::{self, Preset};

use crate::support::{GOOD, World, member};

fn sign_in(email: &str, password: &str) -> String {
    format!(
        r#"mutation {{ signIn(input: {{email: "{email}", password: "{password}"}}) {{
            token blocked_by_2fa user {{ id email is_owner }} messages {{ field message }} }} }}"#
    )
}

const WRONG: &str = "The e-mail address or the password is wrong";

async fn signing_in_gives_a_session_that_ends_when_it_is_revoked(world: World) {
    let answer = world.run("", V2026, &sign_in("Owner@Example.com", GOOD)).await;
    let payload = &answer["data"]["signIn"];
    assert_eq!(payload["messages"], Json::Null, "{answer}");
    assert_eq!(payload["user"]["email"], "owner@example.com");
    assert_eq!(payload["user"]["is_owner"], true);
    let token = format!("Bearer {}", payload["token"].as_str().unwrap());
    let me = world.run(&token, V2026, "{ currentUser { full_name organization { name } } }").await;
    assert_eq!(
        me["data"]["currentUser"],
        json!({"full_name": "Olga Testcase", "organization": {"name": "First Practice"}})
    );
    let over = world
        .run(&token, V2026, "mutation { revokeToken(input: {}) { messages { message } } }")
        .await;
    assert_eq!(over["data"]["revokeToken"]["messages"], Json::Null, "{over}");
    let rejected = ward_identity::authenticate(&world.db, &token).await.unwrap().unwrap_err();
    assert_eq!(rejected.code, "UNAUTHENTICATED");
}

async fn whatever_is_wrong_is_told_the_same_and_slows_down(world: World) {
    let unknown = world.run("", V2026, &sign_in("nobody@example.com", GOOD)).await;
    let wrong = world.run("", V2026, &sign_in("owner@example.com", "not-the-password")).await;
    assert_eq!(unknown, wrong);
    assert_eq!(wrong["data"]["signIn"]["messages"][0]["message"], WRONG);
    assert_eq!(wrong["data"]["signIn"]["user"], Json::Null);
    for _ in 0..5 {
        world.run("", V2026, &sign_in("owner@example.com", "not-the-password")).await;
    }
    let blocked = world.run("", V2026, &sign_in("owner@example.com", GOOD)).await;
    assert_eq!(blocked["errors"][0]["extensions"]["code"], "TOO_MANY_REQUESTS", "{blocked}");
    let free = world.run("", V2026, &sign_in("nobody2@example.com", GOOD)).await;
    assert_eq!(free["data"]["signIn"]["messages"][0]["message"], WRONG, "others are not slowed");
}

async fn the_owner_of_an_address_is_not_crowded_out_by_another_practice(world: World) {
    let second = world.practice("second@example.com").await;
    for n in 0..6 {
        let document = format!(
            r#"mutation {{ signUp(input: {{role: "patient", first_name: "Mallory{n}", last_name: "Crowd",
                email: "owner@example.com", password: "{GOOD}", dietitian_id: "{}"}}) {{
                user {{ id is_patient }} messages {{ field message }} }} }}"#,
            second.owner.id
        );
        let answer = world.run_from("198.51.100.1", "", V2026, &document).await;
        if n == 0 {
            assert_eq!(answer["data"]["signUp"]["user"]["is_patient"], true, "{answer}");
        }
    }
    let answer = world.run("", V2026, &sign_in("owner@example.com", GOOD)).await;
    assert_eq!(
        answer["data"]["signIn"]["user"]["id"],
        world.founded.owner.id.to_string(),
        "{answer}"
    );
}

async fn a_key_is_shown_once_and_gone_when_deleted(world: World) {
    let owner = world.owner_key().await;
    let id = world.founded.owner.id;
    let document = format!(
        r#"mutation {{ createApiKey(input: {{name: "CI", user_id: "{id}"}}) {{ api_key
            api_key_object {{ id name displayable_key created_at }} messages {{ message }} }} }}"#
    );
    let answer = world.run(&owner, V2026, &document).await;
    let payload = &answer["data"]["createApiKey"];
    let text = payload["api_key"].as_str().unwrap_or_else(|| panic!("{answer}"));
    assert_eq!(payload["api_key_object"]["displayable_key"], text);
    let list = "{ apiKeys(keywords: \"ci\") { total_count nodes { id name displayable_key created_at } } }";
    let answer = world.run(text, V2026, list).await;
    let listed = &answer["data"]["apiKeys"];
    assert_eq!(listed["total_count"], 1, "{answer}");
    assert_eq!(listed["nodes"][0]["created_at"], payload["api_key_object"]["created_at"]);
    let shown = listed["nodes"][0]["displayable_key"].as_str().unwrap();
    assert!(shown.ends_with("........") && !shown.contains(&text[30..]), "{shown}");
    let document = format!(
        r#"mutation {{ deleteApiKey(input: {{id: {}}}) {{ api_key {{ name }} messages {{ message }} }} }}"#,
        payload["api_key_object"]["id"]
    );
    let answer = world.run(text, V2026, &document).await;
    assert_eq!(answer["data"]["deleteApiKey"]["api_key"]["name"], "CI", "{answer}");
    assert!(ward_identity::authenticate(&world.db, text).await.unwrap().is_err());
}

async fn members_see_their_colleagues_and_nobody_of_another_practice(world: World) {
    let second = world.practice("second@example.com").await;
    let org = world.founded.organization.id;
    let support = world
        .system(org.0, move |scope| {
            Box::pin(async move {
                let who = member("Sven", "sven@example.com");
                admin::create_user(scope, org, Preset::Support, &who).await.unwrap().0
            })
        })
        .await;
    let key = world.key(org.0, support.id.0).await;
    let members = "{ organizationMembers(keywords: \"olga\") { total_count nodes { first_name is_owner is_org_admin
        is_active_provider can_add_clients has_api_access organization_membership { org_role can_add_clients } } } }";
    let answer = world.run(&key, V2026, members).await;
    assert_eq!(
        answer["data"]["organizationMembers"],
        json!({"total_count": 1, "nodes": [{"first_name": "Olga", "is_owner": true, "is_org_admin": true,
            "is_active_provider": true, "can_add_clients": true, "has_api_access": false,
            "organization_membership": {"org_role": "Standard", "can_add_clients": true}}]})
    );
    let foreign = format!(
        r#"{{ user(id: "{}") {{ id }} organization(id: "{}") {{ id }} organizationMembership(user_id: "{}") {{ id }} }}"#,
        second.owner.id, second.organization.id, second.owner.id
    );
    let answer = world.run(&key, V2026, &foreign).await;
    assert_eq!(
        answer["data"],
        json!({"user": null, "organization": null, "organizationMembership": null})
    );
    let denied = world.run(&key, V2026, "{ auditLog { total_count } }").await;
    assert_eq!(denied["errors"][0]["extensions"]["permission"], "can_view_audit_log");
}

async fn a_stranger_reads_the_public_part_only(world: World) {
    let id = world.founded.organization.id;
    let document = format!(
        r#"{{ organization(id: "{id}") {{ name phone_number tax_id num_users
             only_active_providers {{ id full_name email dob }} }}
             organizationMembers {{ total_count }} currentUser {{ id }} apiKeys {{ total_count }} }}"#
    );
    let answer = world.run("", V2026, &document).await;
    let data = &answer["data"];
    assert_eq!(data["organization"]["name"], "First Practice", "{answer}");
    assert_eq!(data["organization"]["tax_id"], Json::Null);
    assert_eq!(data["organization"]["only_active_providers"][0]["full_name"], "Olga Testcase");
    assert_eq!(data["organization"]["only_active_providers"][0]["email"], Json::Null);
    assert_eq!(data["organizationMembers"]["total_count"], 0);
    assert_eq!(data["currentUser"], Json::Null);
    assert_eq!(data["apiKeys"]["total_count"], 0);
}

async fn a_reset_link_signs_in_once(world: World) {
    let org = world.founded.organization.id;
    let id = world.founded.owner.id;
    let link = world
        .system(org.0, move |scope| {
            Box::pin(async move {
                admin::one_time_link(scope, id, "http://127.0.0.1:4100").await.unwrap().to_string()
            })
        })
        .await;
    let token = link.split_once("token=").unwrap().1.to_owned();
    let weak = ward_identity::set_password_by_link(&world.db, &token, "password123").await.unwrap();
    assert!(weak.is_err());
    let new = "orchid-basement-clover-31";
    ward_identity::set_password_by_link(&world.db, &token, new).await.unwrap().unwrap();
    let again = ward_identity::set_password_by_link(&world.db, &token, new).await.unwrap();
    assert_eq!(again, Err(vec!["This link is not valid any more. Ask for a new one".to_owned()]));
    let answer = world.run("", Baseline, &sign_in("owner@example.com", new)).await;
    assert_eq!(answer["data"]["signIn"]["messages"], Json::Null, "{answer}");
    let reset = r#"mutation { resetPassword(input: {email: "owner@example.com"}) { messages { message } } }"#;
    let known = world.run("", Baseline, reset).await;
    let unknown = world.run("", Baseline, &reset.replace("owner@", "nobody@")).await;
    assert_eq!(known, unknown);
    assert_eq!(known["data"]["resetPassword"]["messages"], Json::Null);
}

async fn the_audit_log_shows_changes_and_no_secret(world: World) {
    let owner = world.owner_key().await;
    let document = "{ auditLog(resource_name: API_KEY) { total_count nodes { type resource_name acting_user { id }
        resource_changes { field value_before_change value_after_change } } } }";
    let answer = world.run(&owner, V2026, document).await;
    let node = &answer["data"]["auditLog"]["nodes"][0];
    assert_eq!(node["type"], "CREATE", "{answer}");
    assert_eq!(node["acting_user"], Json::Null, "the system made it");
    let text = node["resource_changes"].to_string();
    assert!(text.contains("secret_hash") && text.contains("[redacted]"), "{text}");
}

async fn a_closed_server_takes_no_new_practice_and_tells_all_problems(world: World) {
    let mut world = world;
    world.sign_up_open = false;
    let document = format!(
        r#"mutation {{ signUp(input: {{role: "dietitian", first_name: "New", last_name: "Practice",
            email: "new@example.com", password: "{GOOD}"}}) {{ user {{ id }} messages {{ field message }} }} }}"#
    );
    let closed = world.run("", V2026, &document).await;
    assert_eq!(closed["data"]["signUp"]["messages"][0]["field"], "base", "{closed}");
    world.sign_up_open = true;
    let open = world.run("", V2026, &document).await;
    assert!(open["data"]["signUp"]["user"]["id"].is_string(), "{open}");
    let empty = r#"mutation { signUp(input: {role: "patient", email: "x"}) { messages { field message } } }"#;
    let answer = world.run("", V2026, empty).await;
    let fields: Vec<&str> = answer["data"]["signUp"]["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| problem["field"].as_str().unwrap())
        .collect();
    assert_eq!(fields, ["first_name", "last_name", "email", "password", "dietitian_id"]);
}

both!(signing_in_gives_a_session_that_ends_when_it_is_revoked);
both!(whatever_is_wrong_is_told_the_same_and_slows_down);
both!(the_owner_of_an_address_is_not_crowded_out_by_another_practice);
both!(a_key_is_shown_once_and_gone_when_deleted);
both!(members_see_their_colleagues_and_nobody_of_another_practice);
both!(a_stranger_reads_the_public_part_only);
both!(a_reset_link_signs_in_once);
both!(the_audit_log_shows_changes_and_no_secret);
both!(a_closed_server_takes_no_new_practice_and_tells_all_problems);
