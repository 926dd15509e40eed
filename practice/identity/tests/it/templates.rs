//! Permission templates: making, changing, deleting and applying them.

use serde_json::{Value as Json, json};
use ward_engine::ViewId::{Baseline, V2026};
use ward_identity::flags;
use ward_identity::tables::OrgRole;
use ward_store::Flags;

use crate::members::{denied, done, hire, hire_in, message, number, update};
use crate::support::World;

const SHOWN: &str = "id name org_role can_be_edited is_admin can_add_clients can_create_tags can_view_automations user { first_name }";

/// `createPermissionTemplate` with these fields.
pub fn create(fields: &str) -> String {
    format!(
        "mutation {{ createPermissionTemplate(input: {{{fields}}}) {{
            newPermissionTemplate {{ {SHOWN} }} messages {{ field message }} }} }}"
    )
}

fn change(id: &str, fields: &str) -> String {
    format!(
        r#"mutation {{ updatePermissionTemplate(input: {{id: "{id}", {fields}}}) {{
            permissionTemplate {{ {SHOWN} }} messages {{ field message }} }} }}"#
    )
}

fn delete(id: &str) -> String {
    format!(
        r#"mutation {{ deletePermissionTemplate(input: {{id: "{id}"}}) {{
            permission_template {{ name }} messages {{ field message }} }} }}"#
    )
}

/// Makes a template; its id.
pub async fn template(world: &World, key: &str, fields: &str) -> String {
    let answer = world.run(key, V2026, &create(fields)).await;
    let made = &done(&answer, "createPermissionTemplate")["newPermissionTemplate"];
    made["id"].as_str().unwrap().to_owned()
}

async fn a_template_is_copied_and_never_linked(world: World) {
    let owner = world.owner_key().await;
    let hired = hire(&world, "Dora", OrgRole::Standard, flags::set_of([flags::HIDE_CALENDAR_TAB]));
    let hired = hired.await;
    let fields = r#"name: " Front desk ", org_role: "Support", can_add_clients: true, can_create_tags: true"#;
    let answer = world.run(&owner, Baseline, &create(fields)).await;
    let made = &done(&answer, "createPermissionTemplate")["newPermissionTemplate"];
    assert_eq!(
        [&made["name"], &made["org_role"], &made["can_be_edited"], &made["user"]["first_name"]],
        [&json!("Front desk"), &json!("Support"), &json!(true), &json!("Olga")]
    );
    let id = made["id"].as_str().unwrap();
    let named = format!(r#"permission_template_id: "{id}""#);
    let only_named = update(&world, &owner, hired.membership, &named).await;
    message(&only_named, "updateOrganizationMembership", "permission_template_applied");
    let apply = format!("{named}, permission_template_applied: true");
    let answer = update(&world, &owner, hired.membership, &apply).await;
    let place = &done(&answer, "updateOrganizationMembership")["organizationMembership"];
    assert_eq!(place["permission_template"], json!({"name": "Front desk"}));
    assert_eq!([&place["org_role"], &place["can_add_clients"]], [&json!("Support"), &json!(true)]);
    let kept =
        "SELECT COUNT(*) FROM organization_memberships WHERE id = $1 AND hide_calendar_tab = TRUE";
    assert_eq!(
        number(&world, kept, vec![hired.membership.into()]).await,
        1,
        "no template holds it"
    );
    // The template changes, and goes; the member stays.
    let fields = r#"name: "Desk", can_add_clients: false, can_view_automations: true"#;
    let answer = world.run(&owner, V2026, &change(id, fields)).await;
    let changed = &done(&answer, "updatePermissionTemplate")["permissionTemplate"];
    assert_eq!(
        [
            &changed["can_add_clients"],
            &changed["can_create_tags"],
            &changed["can_view_automations"]
        ],
        [&json!(false), &json!(true), &json!(true)]
    );
    let list = "{ permissionTemplates { total_count nodes { name } } organization { permission_templates { name } } }";
    let answer = world.run(&owner, V2026, list).await;
    assert_eq!(answer["data"]["permissionTemplates"]["total_count"], 1, "{answer}");
    assert_eq!(answer["data"]["organization"]["permission_templates"], json!([{"name": "Desk"}]));
    let counted = world.run(&owner, Baseline, "{ permissionTemplatesCount }").await;
    assert_eq!(counted["data"]["permissionTemplatesCount"], 1, "{counted}");
    let answer = world.run(&owner, V2026, &delete(id)).await;
    assert_eq!(done(&answer, "deletePermissionTemplate")["permission_template"]["name"], "Desk");
    let read = format!(
        r#"{{ permissionTemplate(id: "{id}") {{ id }} organizationMembership(id: "{}") {{
            can_add_clients permission_template {{ id }} }} }}"#,
        hired.membership
    );
    let answer = world.run(&owner, V2026, &read).await;
    assert_eq!(
        answer["data"],
        json!({"permissionTemplate": null,
            "organizationMembership": {"can_add_clients": true, "permission_template": null}})
    );
    let gone = update(&world, &owner, hired.membership, &apply).await;
    assert_eq!(
        message(&gone, "updateOrganizationMembership", "permission_template_id"),
        "Object not found"
    );
}
both!(a_template_is_copied_and_never_linked);

async fn the_parents_templates_serve_the_units_below(world: World) {
    let owner = world.owner_key().await;
    let branch = world.branch().await;
    let other = world.branch().await;
    let inside = hire_in(&world, branch.clone(), "Ines", OrgRole::Standard, flags::every()).await;
    let worker = hire_in(&world, branch.clone(), "Will", OrgRole::Standard, Flags::default()).await;
    let of_parent = template(&world, &owner, r#"name: "Parent", can_add_clients: true"#).await;
    let fields = format!(r#"name: "Branch", organization_id: "{}""#, branch.id);
    let of_branch = template(&world, &owner, &fields).await;
    let fields = format!(r#"name: "Other", organization_id: "{}""#, other.id);
    let of_other = template(&world, &owner, &fields).await;
    let list = "{ permissionTemplates { nodes { name can_be_edited } } organization { permission_templates { name } } }";
    let answer = world.run(&inside.key, V2026, list).await;
    assert_eq!(
        answer["data"]["permissionTemplates"]["nodes"],
        json!([{"name": "Branch", "can_be_edited": true}, {"name": "Parent", "can_be_edited": false}])
    );
    assert_eq!(
        answer["data"]["organization"]["permission_templates"],
        json!([{"name": "Branch"}, {"name": "Parent"}])
    );
    let apply =
        |id: &str| format!(r#"permission_template_id: "{id}", permission_template_applied: true"#);
    for id in [&of_branch, &of_parent] {
        let answer = update(&world, &inside.key, worker.membership, &apply(id)).await;
        done(&answer, "updateOrganizationMembership");
    }
    let foreign = update(&world, &inside.key, worker.membership, &apply(&of_other)).await;
    message(&foreign, "updateOrganizationMembership", "permission_template_id");
    // Nor does the parent give a member of one unit the template of another.
    let foreign = update(&world, &owner, worker.membership, &apply(&of_other)).await;
    message(&foreign, "updateOrganizationMembership", "permission_template_id");
    for document in [change(&of_parent, r#"name: "Ours""#), delete(&of_parent), delete(&of_other)] {
        let answer = world.run(&inside.key, V2026, &document).await;
        assert!(answer.to_string().contains("Object not found"), "{answer}");
    }
    let second = world.practice("second@example.com").await;
    let stranger = world.key(second.organization.id.0, second.owner.id.0).await;
    let answer = world.run(&stranger, V2026, list).await;
    assert_eq!(answer["data"]["permissionTemplates"]["nodes"], json!([]));
}
both!(the_parents_templates_serve_the_units_below);

async fn what_is_no_template_is_told(world: World) {
    let owner = world.owner_key().await;
    let answer = world.run(&owner, V2026, &create("can_add_clients: true")).await;
    assert_eq!(message(&answer, "createPermissionTemplate", "name"), "Name can't be blank");
    let fields = r#"name: "S", org_role: "Support", is_provider: true"#;
    message(
        &world.run(&owner, V2026, &create(fields)).await,
        "createPermissionTemplate",
        "is_provider",
    );
    let fields = r#"name: "S", org_role: "Chief""#;
    message(
        &world.run(&owner, V2026, &create(fields)).await,
        "createPermissionTemplate",
        "org_role",
    );
    let plain = hire(&world, "Dora", OrgRole::Standard, flags::defaults(OrgRole::Standard)).await;
    denied(&world.run(&plain.key, V2026, &create(r#"name: "Mine""#)).await, "can_edit_members");
    assert_eq!(number(&world, "SELECT COUNT(*) FROM permission_templates", Vec::new()).await, 0);
    // What only the operator sets is no field at all.
    let answer = world
        .run(&owner, V2026, &create(r#"name: "X", can_submit_cms_1500s_to_candid_health: true"#))
        .await;
    assert!(answer["data"].is_null() && answer["errors"] != Json::Null, "{answer}");
}
both!(what_is_no_template_is_told);
