//! Who sees whom, with rows: a client, the people who care for them, others.

use serde_json::{Value as Json, json};
use ward_engine::ViewId::V2026;
use ward_identity::admin::{self, Preset};
use ward_identity::tables::{CareTeamMember, User};
use ward_identity::{account, practice, seed};
use ward_instance::Random;
use ward_store::{Id, Scope};

use crate::support::{World, member};

/// A client of a provider, restricted or not.
pub async fn client(scope: &mut Scope<'_>, provider: &User, name: &str, restricted: bool) -> User {
    let id = scope.next_id::<User>().await.unwrap();
    let email = format!("{}@clients.example", name.to_lowercase());
    let human = account::human_of(scope, "healthie", Some(&email), true).await.unwrap();
    let mut user = User::blank(id, provider.org_id, provider.unit_id, human, scope.now());
    user.is_patient = true;
    user.email = Some(email);
    user.first_name = Some(name.to_owned());
    user.last_name = Some("Client".to_owned());
    user.dietitian_id = Some(provider.id);
    user.restricted = restricted;
    user.metadata = Some(ward_store::Json(r#"{"tier":"gold"}"#.to_owned()));
    account::create(scope, &user).await.unwrap();
    user
}

async fn circle(world: World) {
    let org = world.founded.organization.id;
    let (providers, clients) = world
        .system(org.0, move |scope| {
            Box::pin(async move {
                let mut providers = Vec::new();
                for name in ["Pia", "Quinn", "Rita"] {
                    let who = member(name, &format!("{name}@example.com"));
                    let made = admin::create_user(scope, org, Preset::Provider, &who).await;
                    providers.push(made.unwrap().0);
                }
                let open = client(scope, &providers[0], "Cleo", false).await;
                let closed = client(scope, &providers[0], "Rex", true).await;
                let team = CareTeamMember {
                    org_id: org,
                    patient_id: open.id,
                    user_id: providers[1].id,
                    created_at: scope.now(),
                };
                scope.create(&team).await.unwrap();
                (providers, vec![open, closed])
            })
        })
        .await;
    let document = format!(
        r#"{{ a: user(id: "{}") {{ full_name metadata dietitian {{ first_name }}
              providers {{ first_name }} other_providers {{ first_name }} other_provider_ids }}
             b: user(id: "{}") {{ full_name }} }}"#,
        clients[0].id, clients[1].id
    );
    let full = json!({"full_name": "Cleo Client", "metadata": r#"{"tier":"gold"}"#,
        "dietitian": {"first_name": "Pia"}, "providers": [{"first_name": "Pia"}, {"first_name": "Quinn"}],
        "other_providers": [{"first_name": "Quinn"}], "other_provider_ids": [providers[1].id.to_string()]});
    for (user, a, b) in [
        (providers[0].id, full.clone(), json!({"full_name": "Rex Client"})),
        (providers[1].id, full.clone(), Json::Null),
        (providers[2].id, Json::Null, Json::Null),
        (world.founded.owner.id, full.clone(), json!({"full_name": "Rex Client"})),
    ] {
        let key = world.key(org.0, user.0).await;
        let answer = world.run(&key, V2026, &document).await;
        assert_eq!(answer, json!({"data": {"a": a, "b": b}}));
    }
    let key = world.key(org.0, clients[0].id.0).await;
    let own = world.run(&key, V2026, &document).await;
    assert_eq!(own["data"]["a"]["metadata"], Json::Null, "staff's notes are not the client's");
    assert_eq!(own["data"]["a"]["providers"], full["providers"]);
    assert_eq!(own["data"]["b"], Json::Null);
    let document = format!(
        r#"{{ user(id: "{}") {{ first_name email patients_count }} x: user(id: "{}") {{ id }}
             organizationMembers {{ total_count }} }}"#,
        providers[0].id, providers[2].id
    );
    let seen = world.run(&key, V2026, &document).await;
    assert_eq!(
        seen["data"],
        json!({"user": {"first_name": "Pia", "email": null, "patients_count": null}, "x": null,
            "organizationMembers": {"total_count": 0}})
    );
    let key = world.key(org.0, providers[0].id.0).await;
    let listed = r#"{ organization { none: users { id } all: users(show_all_by_default: true) { first_name }
        one: users(keywords: "rex", active_status: "active") { first_name }
        old: users(keywords: "rex", active_status: "archived") { id } } }"#;
    let answer = world.run(&key, V2026, listed).await;
    assert_eq!(
        answer["data"]["organization"],
        json!({"none": [], "all": [{"first_name": "Cleo"}, {"first_name": "Rex"}],
            "one": [{"first_name": "Rex"}], "old": []})
    );
    let counts = "{ currentUser { patients_count p: patients_count(only_primary: true)
        active_patients(keywords: \"cle\") { total_count } patients(only_active: true) { first_name } } }";
    let answer = world.run(&key, V2026, counts).await;
    assert_eq!(
        answer["data"]["currentUser"],
        json!({"patients_count": 2, "p": 2, "active_patients": {"total_count": 1},
            "patients": [{"first_name": "Cleo"}, {"first_name": "Rex"}]})
    );
}
both!(circle);

async fn branches(world: World) {
    let org = world.founded.organization.id;
    let seeded = world
        .db
        .write(move |tx: &mut ward_store::Tx| {
            Box::pin(async move { seed::seed(tx, org.0, &Random::seeded(1), None).await })
        })
        .await
        .unwrap();
    let inside = seeded.people.iter().find(|it| it.unit_id == seeded.branches[0]).unwrap();
    let key = world.key(org.0, inside.user_id).await;
    let document = "{ organizationMembers { nodes { id } } currentUser { is_owner organization { id
        parent_organization { name tax_id suborganizations { id } } } } }";
    let answer = world.run(&key, V2026, document).await;
    assert_eq!(
        answer["data"],
        json!({"organizationMembers": {"nodes": [{"id": inside.user_id.to_string()}]},
            "currentUser": {"is_owner": true, "organization": {"id": seeded.branches[0].to_string(),
                "parent_organization": {"name": "First Practice", "tax_id": null, "suborganizations": []}}}})
    );
    let owner = world.owner_key().await;
    let document =
        "{ organizationMembers { total_count } organization { suborganizations { name num_users }
        own: only_active_providers_count only_active_support_count
        all: only_active_providers(include_suborg_providers: true) { id } } }";
    let answer = world.run(&owner, V2026, document).await;
    assert_eq!(answer["data"]["organizationMembers"]["total_count"], 9, "{answer}");
    let organization = &answer["data"]["organization"];
    assert_eq!(
        organization["suborganizations"],
        json!([{"name": "First Practice North", "num_users": 1}])
    );
    assert_eq!(organization["own"], 5);
    assert_eq!(organization["all"].as_array().unwrap().len(), 6);
    assert_eq!(organization["only_active_support_count"], 3);
}
both!(branches);

async fn barred(world: World) {
    let org = world.founded.organization.id;
    let user = world
        .system(org.0, move |scope| {
            Box::pin(async move {
                let who = practice::NewMember {
                    is_integration: true,
                    ..member("Bot", "bot@example.com")
                };
                admin::create_user(scope, org, Preset::Integration, &who).await.unwrap().0
            })
        })
        .await;
    let key = world.key(org.0, user.id.0).await;
    let mint = format!(
        r#"mutation {{ createApiKey(input: {{user_id: "{}"}}) {{ api_key messages {{ field }} }} }}"#,
        user.id
    );
    let refused = world.run(&key, V2026, &mint).await;
    assert_eq!(refused["data"]["createApiKey"]["api_key"], Json::Null);
    assert_eq!(refused["errors"][0]["extensions"]["permission"], "is_developer");
    let id: Id<User> = user.id;
    let link = world
        .system(org.0, move |scope| {
            Box::pin(async move { admin::one_time_link(scope, id, "http://x.test").await.is_err() })
        })
        .await;
    assert!(link, "a program has no password");
    world
        .system(org.0, move |scope| {
            Box::pin(async move { admin::disable_user(scope, id).await.map(drop).unwrap() })
        })
        .await;
    assert!(ward_identity::authenticate(&world.db, &key).await.unwrap().is_err());
}
both!(barred);
