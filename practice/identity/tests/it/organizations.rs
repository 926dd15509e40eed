//! Organizations: what they are called, and those below them.

use serde_json::json;
use ward_engine::ViewId::{Baseline, V2026};
use ward_identity::flags;
use ward_identity::practice::Place;
use ward_identity::tables::OrgRole;
use ward_store::Flags;

use crate::members::{denied, done, hire, hire_in, message, number};
use crate::support::World;

fn update(fields: &str) -> String {
    format!(
        "mutation {{ updateOrganization(input: {{{fields}}}) {{
            organization {{ id name npi organization_email }}
            updated_organization_info {{ id name primary }} messages {{ field message }} }} }}"
    )
}

fn create(fields: &str) -> String {
    format!(
        r#"mutation {{ createOrganization(input: {{create_as_suborganization: true, first_name: "Sid",
            last_name: "South", email: "sid@example.com", {fields}}}) {{
            organization {{ id name npi parent_organization {{ name }} can_have_suborgs owner {{ first_name }}
                organization_info {{ name external_id }} }}
            currentUser {{ first_name }} messages {{ field message }} }} }}"#
    )
}

async fn settings_change_an_organization(world: World) {
    let owner = world.owner_key().await;
    let plain = hire(&world, "Paul", OrgRole::Standard, flags::defaults(OrgRole::Standard)).await;
    let clerk = hire(&world, "Cleo", OrgRole::Support, flags::set_of([flags::CAN_EDIT_SETTINGS]));
    let clerk = clerk.await;
    let fields = r#"organization_email: "Desk@practice.example", organization_info: {name: "New Name", npi: "1234567893"}"#;
    denied(&world.run(&plain.key, Baseline, &update(fields)).await, "can_edit_settings");
    let answer = world.run(&clerk.key, V2026, &update(fields)).await;
    let payload = done(&answer, "updateOrganization");
    let shown = &payload["organization"];
    assert_eq!(
        [&shown["name"], &shown["npi"], &shown["organization_email"]],
        [&json!("New Name"), &json!("1234567893"), &json!("Desk@practice.example")]
    );
    assert_eq!(payload["updated_organization_info"]["name"], "New Name", "{answer}");
    let events = "SELECT COUNT(*) FROM events WHERE event_type = 'organization_info.updated'";
    assert_eq!(number(&world, events, Vec::new()).await, 1);
    for (fields, field) in [
        (r#"organization_email: "no address""#, "organization_email"),
        (r#"organization_email: "  ""#, "organization_email"),
        (r#"organization_info: {name: ""}"#, "organization_info"),
        (r#"organization_info: {npi: "12"}"#, "organization_info"),
    ] {
        let answer = world.run(&owner, V2026, &update(fields)).await;
        message(&answer, "updateOrganization", field);
    }
    let second = world.practice("second@example.com").await;
    let stranger = world.key(second.organization.id.0, second.owner.id.0).await;
    let foreign = format!(r#"id: "{}", organization_email: "x@example.com""#, root(&world));
    let answer = world.run(&stranger, V2026, &update(&foreign)).await;
    assert_eq!(message(&answer, "updateOrganization", "id"), "Object not found");
}
both!(settings_change_an_organization);

fn root(world: &World) -> i64 {
    world.founded.organization.id.0
}

async fn the_owner_of_the_root_founds_one_below(world: World) {
    let owner = world.owner_key().await;
    let administrator = hire(&world, "Ada", OrgRole::Standard, Place::administrator().held).await;
    let fields = r#"organization_info: {name: "South", npi: "1234567893", external_id: "S-1",
        location: {line1: "1 Street", city: "Southtown"}}"#;
    denied(&world.run(&administrator.key, V2026, &create(fields)).await, "is_owner");
    let answer = world.run(&owner, V2026, &create(fields)).await;
    let payload = done(&answer, "createOrganization");
    assert_eq!(
        payload["organization"],
        json!({"id": payload["organization"]["id"], "name": "South", "npi": "1234567893",
            "parent_organization": {"name": "First Practice"}, "can_have_suborgs": false,
            "owner": {"first_name": "Sid"},
            "organization_info": {"name": "South", "external_id": "S-1"}})
    );
    assert_eq!(payload["currentUser"]["first_name"], "Olga");
    let mails = "SELECT COUNT(*) FROM effect_intents WHERE kind = 'invite'";
    assert_eq!(number(&world, mails, Vec::new()).await, 1);
    let places = "SELECT COUNT(*) FROM locations WHERE organization_id = \
        (SELECT id FROM organizations WHERE name = 'South')";
    assert_eq!(number(&world, places, Vec::new()).await, 1);
    // Its owner holds everything there, and nothing above or beside.
    let sid = number(&world, "SELECT id FROM users WHERE email = 'sid@example.com'", vec![]).await;
    let sid = world.key(world.founded.organization.id.0, sid).await;
    let me = "{ currentUser { is_owner can_edit_settings organization { name } } organizationMembers { total_count } }";
    let answer = world.run(&sid, V2026, me).await;
    assert_eq!(
        answer["data"],
        json!({"currentUser": {"is_owner": true, "can_edit_settings": true, "organization": {"name": "South"}},
            "organizationMembers": {"total_count": 1}})
    );
    let answer = world.run(&sid, V2026, &create(r#"organization_info: {name: "Deeper"}"#)).await;
    message(&answer, "createOrganization", "base");
    let above = format!(r#"id: "{}", organization_info: {{name: "Mine"}}"#, root(&world));
    let answer = world.run(&sid, V2026, &update(&above)).await;
    assert_eq!(message(&answer, "updateOrganization", "id"), "Object not found");
    let nameless = world.run(&owner, V2026, &create("password: \"short\"")).await;
    let fields: Vec<_> =
        nameless["data"]["createOrganization"]["messages"].as_array().unwrap().iter().collect();
    let fields: Vec<_> = fields.iter().map(|it| it["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["password", "organization_info"]);
    let own_root = r#"mutation { createOrganization(input: {first_name: "A", last_name: "B", email: "a@example.com",
        organization_info: {name: "Root"}}) { organization { id } messages { field message } } }"#;
    message(
        &world.run(&owner, V2026, own_root).await,
        "createOrganization",
        "create_as_suborganization",
    );
    let count = "SELECT COUNT(*) FROM organizations WHERE parent_organization_id IS NOT NULL";
    assert_eq!(number(&world, count, Vec::new()).await, 1);
}
both!(the_owner_of_the_root_founds_one_below);

async fn who_settles_a_unit_below(world: World) {
    let branch = world.branch().await;
    let other = world.branch().await;
    let held = flags::set_of([flags::CAN_EDIT_SETTINGS]);
    let inside = hire_in(&world, branch.clone(), "Ines", OrgRole::Standard, held).await;
    let above = hire(&world, "Cleo", OrgRole::Standard, held).await;
    let of = |id: i64| update(&format!(r#"id: "{id}", organization_email: "b@example.com""#));
    for (key, unit) in
        [(&inside.key, branch.id.0), (&above.key, branch.id.0), (&above.key, other.id.0)]
    {
        done(&world.run(key, V2026, &of(unit)).await, "updateOrganization");
    }
    let beside = world.run(&inside.key, V2026, &of(other.id.0)).await;
    let never = world.run(&inside.key, V2026, &of(other.id.0 + 900)).await;
    assert_eq!(beside, never);
    let none = hire_in(&world, branch, "Nell", OrgRole::Standard, Flags::default()).await;
    denied(
        &world.run(&none.key, V2026, &update("organization_email: \"n@example.com\"")).await,
        "can_edit_settings",
    );
}
both!(who_settles_a_unit_below);
