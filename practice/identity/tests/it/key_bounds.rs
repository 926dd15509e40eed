//! Ends, addresses and rotation of keys (SEC-07), and that programs make none
//! (SEC-06).

use std::net::{IpAddr, Ipv4Addr};

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use ward_engine::ViewId::{Baseline, V2026};
use ward_identity::admin::{self, Preset};
use ward_identity::authenticate_from;
use ward_identity::network::Networks;
use ward_store::{Query, Sql, Tx};

use crate::support::{GOOD, World, member};

const INVALID: &str = "API Key is Invalid";

#[test]
fn networks_are_read_and_admit() {
    let texts = ["203.0.113.7", "198.51.100.99/24", "2001:db8::/32", "::ffff:192.0.2.1"];
    let networks = Networks::parse(&texts).unwrap();
    let kept = networks.to_json().unwrap().0;
    assert_eq!(kept, r#"["192.0.2.1/32","198.51.100.0/24","203.0.113.7/32","2001:db8::/32"]"#);
    for inside in
        ["203.0.113.7", "198.51.100.0", "198.51.100.255", "2001:db8:1::5", "::ffff:203.0.113.7"]
    {
        assert!(networks.admit(inside) && Networks::admits_kept(Some(&kept), inside), "{inside}");
    }
    for outside in ["203.0.113.8", "198.51.101.0", "2001:db9::", "", "unknown", "203.0.113.7/32"] {
        assert!(!networks.admit(outside) && !Networks::admits_kept(Some(&kept), outside));
    }
    for wrong in ["", "x", "203.0.113.0/33", "203.0.113", "0.0.0.0/0", "::/0", "example.com"] {
        assert!(Networks::parse(&[wrong]).is_err(), "{wrong:?}");
    }
    assert!(Networks::parse(&["203.0.113.7"; 51]).is_err());
    assert!(Networks::admits_kept(None, "unknown"), "no list, no bound");
    assert!(!Networks::admits_kept(Some("damaged"), "203.0.113.7"));
}

proptest! {
    /// A network holds an address when their first bits are the same.
    #[test]
    fn a_network_is_its_first_bits(base: u32, other: u32, bits in 1_u32..=32) {
        let text = format!("{}/{bits}", Ipv4Addr::from(base));
        let networks = Networks::parse(&[text]).unwrap();
        let same = base >> (32 - bits) == other >> (32 - bits);
        prop_assert_eq!(networks.admit(&IpAddr::from(Ipv4Addr::from(other)).to_string()), same);
    }
}

async fn create(world: &World, credential: &str, more: &str) -> Json {
    let document = format!(
        r#"mutation {{ createApiKey(input: {{name: "CI", user_id: "{}"{more}}}) {{ api_key
            api_key_object {{ id expires_at allowed_addresses }} messages {{ field message }} }} }}"#,
        world.founded.owner.id
    );
    let answer = world.run(credential, V2026, &document).await;
    assert_eq!(answer["errors"], Json::Null, "{answer}");
    answer["data"]["createApiKey"].clone()
}

async fn state(world: &World, key: &str, address: &str) -> Result<(), String> {
    let found = authenticate_from(&world.db, key, address).await.unwrap();
    found.map(drop).map_err(|rejection| {
        assert_eq!(rejection.code, "UNAUTHENTICATED");
        rejection.message
    })
}

async fn a_key_ends_by_itself(world: World) {
    let owner = world.owner_key().await;
    let end = world.instance.clock().wall().plus_seconds(3_600);
    let made = create(&world, &owner, &format!(r#", expires_at: "{end}""#)).await;
    let key = made["api_key"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    let shown = made["api_key_object"]["expires_at"].as_str().unwrap().to_owned();
    let list =
        "{ apiKeys(keywords: \"ci\") { nodes { expires_at last_used_day allowed_addresses } } }";
    let listed = world.run(&owner, V2026, list).await;
    let node = &listed["data"]["apiKeys"]["nodes"][0];
    assert_eq!((&node["expires_at"], &node["last_used_day"]), (&json!(shown), &Json::Null));
    world.pass(3_599);
    assert_eq!(state(&world, &key, "203.0.113.7").await, Ok(()));
    let used = world.run(&owner, V2026, list).await;
    assert!(used["data"]["apiKeys"]["nodes"][0]["last_used_day"].is_string(), "{used}");
    world.pass(1);
    assert_eq!(state(&world, &key, "203.0.113.7").await, Err(INVALID.to_owned()));
    for (wrong, sentence) in [
        ("2001-01-01", "Expires at must be in the future"),
        ("soon", "Expires at must be a time such as 2027-01-31T09:00:00Z"),
    ] {
        let refused = create(&world, &owner, &format!(r#", expires_at: "{wrong}""#)).await;
        assert_eq!(refused["messages"], json!([{"field": "expires_at", "message": sentence}]));
    }
}
both!(a_key_ends_by_itself);

async fn a_key_is_good_from_its_addresses_only(world: World) {
    let owner = world.owner_key().await;
    let more = r#", allowed_addresses: ["203.0.113.0/24", "2001:db8::1"]"#;
    let made = create(&world, &owner, more).await;
    let key = made["api_key"].as_str().unwrap().to_owned();
    let networks = json!(["203.0.113.0/24", "2001:db8::1/128"]);
    assert_eq!(made["api_key_object"]["allowed_addresses"], networks);
    for inside in ["203.0.113.9", "2001:db8::1"] {
        assert_eq!(state(&world, &key, inside).await, Ok(()), "{inside}");
    }
    for outside in ["198.51.100.1", "2001:db8::2", "", "unknown"] {
        assert_eq!(state(&world, &key, outside).await, Err(INVALID.to_owned()), "{outside}");
    }
    let list = "{ apiKeys(keywords: \"ci\") { allowed_addresses } }";
    let listed = world.run(&owner, Baseline, list).await;
    assert_eq!(listed["data"]["apiKeys"][0]["allowed_addresses"], networks, "{listed}");
    // The row's list is under its MAC.
    world
        .db
        .write(|tx: &mut Tx| {
            Box::pin(async move {
                let sql = "UPDATE api_keys SET allowed_addresses = NULL WHERE allowed_addresses IS NOT NULL";
                tx.execute(&Sql::fixed(sql, [])).await.map(drop)
            })
        })
        .await
        .unwrap();
    assert_eq!(state(&world, &key, "203.0.113.9").await, Err(INVALID.to_owned()));
    let refused = create(&world, &owner, r#", allowed_addresses: ["0.0.0.0/0"]"#).await;
    assert_eq!(refused["messages"][0]["field"], "allowed_addresses", "{refused}");
}
both!(a_key_is_good_from_its_addresses_only);

async fn rotate(world: &World, credential: &str, input: &str) -> Json {
    let document = format!(
        "mutation {{ rotateApiKey(input: {{{input}}}) {{ api_key api_key_object {{ id name
            displayable_key allowed_addresses expires_at }} messages {{ field message }} }} }}"
    );
    world.run(credential, V2026, &document).await
}

async fn a_rotated_key_goes_on_for_a_while(world: World) {
    let owner = world.owner_key().await;
    let made = create(&world, &owner, r#", allowed_addresses: ["203.0.113.0/24"]"#).await;
    let (old, id) = (made["api_key"].as_str().unwrap(), &made["api_key_object"]["id"]);
    let answer = rotate(&world, &owner, &format!("id: {id}, overlap_minutes: 60")).await;
    let payload = &answer["data"]["rotateApiKey"];
    let new = payload["api_key"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
    assert_eq!(payload["api_key_object"]["name"], "CI");
    assert_eq!(payload["api_key_object"]["allowed_addresses"], json!(["203.0.113.0/24"]));
    assert_eq!(payload["api_key_object"]["displayable_key"], new.as_str(), "shown this once");
    let at = "203.0.113.9";
    assert_eq!(state(&world, old, at).await, Ok(()));
    assert_eq!(state(&world, &new, at).await, Ok(()));
    assert_eq!(state(&world, &new, "198.51.100.1").await, Err(INVALID.to_owned()));
    world.pass(3_600);
    assert_eq!(state(&world, old, at).await, Err(INVALID.to_owned()));
    assert_eq!(state(&world, &new, at).await, Ok(()));
    // Without overlap the old one is gone at once.
    let id = &payload["api_key_object"]["id"];
    let answer = rotate(&world, &owner, &format!("id: {id}, overlap_minutes: 0")).await;
    assert!(answer["data"]["rotateApiKey"]["api_key"].is_string(), "{answer}");
    assert_eq!(state(&world, &new, at).await, Err(INVALID.to_owned()));
    for (input, field) in [
        ("overlap_minutes: 5".to_owned(), "id"),
        (format!("id: {id}, overlap_minutes: 10081"), "overlap_minutes"),
        (format!("id: {id}, overlap_minutes: -1"), "overlap_minutes"),
    ] {
        let refused = rotate(&world, &owner, &input).await;
        assert_eq!(refused["data"]["rotateApiKey"]["messages"][0]["field"], field, "{refused}");
    }
}
both!(a_rotated_key_goes_on_for_a_while);

async fn a_key_that_ends_has_a_successor_that_ends(world: World) {
    let owner = world.owner_key().await;
    let end = world.instance.clock().wall().plus_seconds(600);
    let made = create(&world, &owner, &format!(r#", expires_at: "{end}""#)).await;
    let (old, id) = (made["api_key"].as_str().unwrap(), &made["api_key_object"]["id"]);
    let refused = rotate(&world, &owner, &format!("id: {id}")).await;
    let messages = &refused["data"]["rotateApiKey"]["messages"];
    assert_eq!(messages[0]["field"], "expires_at", "{refused}");
    let later = end.plus_seconds(3_600);
    let done = rotate(&world, &owner, &format!(r#"id: {id}, expires_at: "{later}""#)).await;
    let new = done["data"]["rotateApiKey"]["api_key"].as_str().unwrap().to_owned();
    world.pass(600);
    let ended = state(&world, old, "").await;
    assert_eq!(ended, Err(INVALID.to_owned()), "an overlap makes no key live longer");
    assert_eq!(state(&world, &new, "").await, Ok(()));
    let over = rotate(&world, &owner, &format!(r#"id: {id}, expires_at: "{later}""#)).await;
    assert_eq!(over["data"]["rotateApiKey"]["messages"][0]["field"], "id", "{over}");
}
both!(a_key_that_ends_has_a_successor_that_ends);

/// SEC-06: no log-in, no reset, no key; and nobody's key is another's to rotate.
async fn programs_sign_in_nowhere_and_make_no_keys(world: World) {
    let (org, second) = (world.founded.organization.id, world.practice("b@example.com").await);
    let hash = ward_identity::password::hash(world.instance.random(), GOOD).await.unwrap();
    let program = world
        .system(org.0, move |scope| {
            let hash = hash.clone();
            Box::pin(async move {
                let mut who = member("Robot", "robot@example.com");
                // Even if it had a password.
                who.password_hash = Some(hash);
                let made = admin::create_user(scope, org, Preset::Integration, &who).await;
                let user = made.unwrap().0;
                let link = admin::one_time_link(scope, user.id, "http://x.test").await;
                assert!(link.is_err(), "no link");
                let membership =
                    ward_identity::account::membership_of(scope, user.id).await.unwrap().unwrap();
                let developer = ward_identity::tables::OrganizationMembership {
                    is_developer: true,
                    ..membership.clone()
                };
                scope.update(&membership, &developer).await.unwrap();
                user
            })
        })
        .await;
    let key = world.key(org.0, program.id.0).await;
    let me = world.run(&key, V2026, "{ currentUser { id } }").await;
    assert_eq!(me["data"]["currentUser"]["id"], program.id.to_string());
    let sign_in = format!(
        r#"mutation {{ signIn(input: {{email: "robot@example.com", password: "{GOOD}"}}) {{ token user {{ id }} messages {{ message }} }} }}"#
    );
    let refused = world.run("", V2026, &sign_in).await;
    let message = &refused["data"]["signIn"]["messages"][0]["message"];
    assert_eq!(message, "The e-mail address or the password is wrong", "{refused}");
    let reset = r#"mutation { resetPassword(input: {email: "robot@example.com"}) { messages { message } } }"#;
    world.run("", V2026, reset).await;
    assert!(world.mails(org.0, "robot@example.com", "reset_password").await.is_empty());
    let keys = world.run(&key, V2026, "{ apiKeys { nodes { id } } }").await;
    let own = &keys["data"]["apiKeys"]["nodes"][0]["id"];
    for document in [
        format!(
            "mutation {{ createApiKey(input: {{user_id: \"{}\"}}) {{ api_key }} }}",
            program.id
        ),
        format!("mutation {{ rotateApiKey(input: {{id: {own}}}) {{ api_key }} }}"),
    ] {
        let denied = world.run(&key, V2026, &document).await;
        assert_eq!(denied["errors"][0]["extensions"]["permission"], "is_developer", "{denied}");
    }
    let enroll =
        "mutation { enrollMfa(input: {mfa_type: TOTP}) { totp_secret messages { message } } }";
    let refused = world.run(&key, V2026, enroll).await;
    assert_eq!(refused["data"]["enrollMfa"]["totp_secret"], Json::Null, "{refused}");
    // The owner rotates it; another practice's owner does not find it.
    let owner = world.owner_key().await;
    let stranger = world.key(second.organization.id.0, second.owner.id.0).await;
    let foreign = rotate(&world, &stranger, &format!("id: {own}")).await;
    let messages = &foreign["data"]["rotateApiKey"]["messages"];
    assert_eq!(messages[0]["message"], "Object not found", "{foreign}");
    let done = rotate(&world, &owner, &format!("id: {own}")).await;
    let new = done["data"]["rotateApiKey"]["api_key"].as_str().unwrap_or_else(|| panic!("{done}"));
    let me = world.run(new, V2026, "{ currentUser { id } }").await;
    assert_eq!(me["data"]["currentUser"]["id"], program.id.to_string());
}
both!(programs_sign_in_nowhere_and_make_no_keys);

async fn the_command_line_makes_no_fifty_first_key(world: World) {
    for _ in 0..50 {
        world.owner_key().await;
    }
    let (org, id) = (world.founded.organization.id, world.founded.owner.id);
    let refused = world
        .system(org.0, move |scope| {
            Box::pin(async move {
                let class = ward_identity::tables::CredentialClass::User;
                admin::create_key(scope, id, None, class)
                    .await
                    .map(drop)
                    .map_err(|it| it.to_string())
            })
        })
        .await;
    let sentence = "a user can have 50 API keys; delete one that is not used";
    assert_eq!(refused, Err(sentence.to_owned()));
}
both!(the_command_line_makes_no_fifty_first_key);
