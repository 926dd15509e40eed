//! A reported key ends at once, and nothing else does (ISO-14).

use ward_engine::ViewId::V2026;
use ward_identity::admin::{self, Preset};
use ward_identity::leak;
use ward_instance::Kind;
use ward_instance::api_key::KeyRole;
use ward_store::{Query, Sql};

use crate::support::{World, instance, member};

async fn works(world: &World, key: &str) -> bool {
    ward_identity::authenticate(&world.db, key).await.unwrap().is_ok()
}

async fn live_keys(world: &World) -> i64 {
    let sql = Sql::fixed("SELECT COUNT(*) FROM api_keys WHERE deleted_at IS NULL", []);
    let rows = world.db.read().await.unwrap().rows(&sql).await.unwrap();
    rows.scalar().and_then(|count| count.int()).unwrap()
}

async fn a_reported_key_ends_and_its_owner_is_told(world: World) {
    let org = world.founded.organization.id;
    let (leaked, kept) = (world.owner_key().await, world.owner_key().await);
    // Same handle, other secret: nothing, and nothing of another instance.
    let (other, ..) = instance(Kind::Sandbox);
    let (live, ..) = instance(Kind::Production);
    let mut mistyped = leaked.clone();
    mistyped.pop();
    mistyped.push(if leaked.ends_with('0') { '1' } else { '0' });
    let own_shape = world.instance.mint_key(KeyRole::User).unwrap().text.to_string();
    for harmless in [
        mistyped,
        own_shape,
        other.mint_key(KeyRole::User).unwrap().text.to_string(),
        live.mint_key(KeyRole::User).unwrap().text.to_string(),
        String::new(),
        "x".repeat(10_000),
    ] {
        leak::revoke(&world.db, &harmless, "test").await.unwrap();
    }
    assert_eq!(live_keys(&world).await, 2);
    leak::revoke(&world.db, &format!(" {leaked}\n"), "test").await.unwrap();
    assert!(!works(&world, &leaked).await && works(&world, &kept).await);
    let mails = world.mails(org.0, "owner@example.com", "key_revoked").await;
    assert_eq!(mails.len(), 1);
    let shown = mails[0]["key"].as_str().unwrap();
    assert!(shown.ends_with("........") && leaked.starts_with(shown.trim_end_matches('.')));
    leak::revoke(&world.db, &leaked, "test").await.unwrap();
    assert_eq!(world.mails(org.0, "owner@example.com", "key_revoked").await.len(), 1, "once");
    let log = "{ auditLog(resource_name: API_KEY, event_type: DESTROY, acting_user_id: \"no_author\") { total_count } }";
    let answer = world.run(&kept, V2026, log).await;
    assert_eq!(answer["data"]["auditLog"]["total_count"], 1, "{answer}");
}
both!(a_reported_key_ends_and_its_owner_is_told);

async fn of_a_programs_key_the_organizations_owner_is_told(world: World) {
    let org = world.founded.organization.id;
    let program = world
        .system(org.0, move |scope| {
            Box::pin(async move {
                let who = member("Robot", "robot@example.com");
                admin::create_user(scope, org, Preset::Integration, &who).await.unwrap().0
            })
        })
        .await;
    let key = world.key(org.0, program.id.0).await;
    leak::revoke(&world.db, &key, "test").await.unwrap();
    assert!(!works(&world, &key).await);
    assert_eq!(world.mails(org.0, "owner@example.com", "key_revoked").await.len(), 1);
    assert!(world.mails(org.0, "robot@example.com", "key_revoked").await.is_empty());
}
both!(of_a_programs_key_the_organizations_owner_is_told);
