//! Every leaf that is served, in every order, in both views: nothing that is
//! bound fails on a database.

use serde_json::Value as Json;
use ward_engine::ViewId;

use crate::support::World;

/// The leaves of a type that need no argument.
async fn leaves(world: &World, key: &str, view: ViewId, type_name: &str) -> Vec<String> {
    let document = format!(
        r#"{{ __type(name: "{type_name}") {{ fields(includeDeprecated: true) {{ name args {{ type {{ kind }} }} type {{ kind
            ofType {{ kind ofType {{ kind ofType {{ kind }} }} }} }} }} }} }}"#
    );
    let answer = world.run(key, view, &document).await;
    let is_leaf = |field: &&Json| {
        let text = field["type"].to_string();
        let asks = field["args"].to_string().contains("NON_NULL");
        !asks && !text.contains("OBJECT") && !text.contains("UNION")
    };
    let fields = answer["data"]["__type"]["fields"].as_array().unwrap();
    fields.iter().filter(is_leaf).map(|it| it["name"].as_str().unwrap().to_owned()).collect()
}

async fn every_field(world: World) {
    let key = world.owner_key().await;
    for view in [ViewId::Baseline, ViewId::V2026] {
        let user = leaves(&world, &key, view, "User").await;
        let organization = leaves(&world, &key, view, "Organization").await.join(" ");
        let membership = leaves(&world, &key, view, "OrganizationMembership").await.join(" ");
        eprintln!("{}: {} leaves of User", view.date(), user.len());
        for chunk in user.chunks(40) {
            let document = format!("{{ currentUser {{ {} }} }}", chunk.join(" "));
            let answer = world.run(&key, view, &document).await;
            // A cursor belongs to a list; a single object has one all the same.
            assert_eq!(answer["errors"], Json::Null, "{answer}");
        }
        let document = format!(
            "{{ organization {{ {organization} owner {{ id }} only_active_organization_memberships {{ id }} }}
                organizationMembership {{ {membership} user {{ id api_keys {{ total_count }} }} }} }}"
        );
        let answer = world.run(&key, view, &document).await;
        assert_eq!(answer["errors"], Json::Null, "{answer}");
    }
}
both!(every_field);

async fn every_order(world: World) {
    let key = world.owner_key().await;
    let lists = [
        ("organizationMembers", "UserOrderKeys"),
        ("organizationMemberships", "OrganizationMembershipOrderKeys"),
        ("apiKeys", "ApiKeyOrderKeys"),
        ("auditLog", "AuditEventOrderKeys"),
    ];
    for (field, keys) in lists {
        let document = format!(r#"{{ __type(name: "{keys}") {{ enumValues {{ name }} }} }}"#);
        let answer = world.run(&key, ViewId::V2026, &document).await;
        for value in answer["data"]["__type"]["enumValues"].as_array().unwrap() {
            let order = value["name"].as_str().unwrap();
            let page = |after: &str| {
                format!(
                    "{{ {field}(order_by: {order}, first: 1{after}) {{ nodes {{ __typename }} page_info {{ end_cursor }} }} }}"
                )
            };
            let answer = world.run(&key, ViewId::V2026, &page("")).await;
            assert_eq!(answer["errors"], Json::Null, "{order}: {answer}");
            assert_eq!(
                answer["data"][field]["nodes"].as_array().unwrap().len(),
                1,
                "{order}: {answer}"
            );
            let cursor = &answer["data"][field]["page_info"]["end_cursor"];
            let answer = world.run(&key, ViewId::V2026, &page(&format!(", after: {cursor}"))).await;
            assert_eq!(answer["errors"], Json::Null, "{order} after: {answer}");
        }
    }
}
both!(every_order);
