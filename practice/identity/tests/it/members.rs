//! Members: adding, changing, deactivating them, and whose clients become whose.

use serde_json::{Value as Json, json};
use ward_engine::ViewId::{Baseline, V2026};
use ward_identity::flags;
use ward_identity::practice::{self, Place};
use ward_identity::tables::{OrgRole, User};
use ward_store::{Flags, Id, Query, Sql, Value};

use crate::support::{GOOD, World, member};

/// A member with exactly these flags; user id, membership id, key.
pub struct Hired {
    pub user: Id<User>,
    pub membership: i64,
    pub key: String,
}

/// Hires somebody as the system.
pub async fn hire(world: &World, name: &'static str, role: OrgRole, held: Flags) -> Hired {
    let organization = world.founded.organization.clone();
    hire_in(world, organization, name, role, held).await
}

/// Hires somebody into a unit.
pub async fn hire_in(
    world: &World,
    unit: ward_identity::tables::Organization,
    name: &'static str,
    role: OrgRole,
    held: Flags,
) -> Hired {
    let org = world.founded.organization.id.0;
    let (user, membership) = world
        .system(org, move |scope| {
            let unit = unit.clone();
            Box::pin(async move {
                let who = member(name, &format!("{}@example.com", name.to_lowercase()));
                practice::add_member(scope, &unit, &who, Place { role, held }).await.unwrap()
            })
        })
        .await;
    let key = world.key(org, user.id.0).await;
    Hired { user: user.id, membership: membership.id.0, key }
}

/// Runs `updateOrganizationMembership` with these fields of the input.
pub async fn update(world: &World, key: &str, membership: i64, fields: &str) -> Json {
    let document = format!(
        r#"mutation {{ updateOrganizationMembership(input: {{id: "{membership}", {fields}}}) {{
            organizationMembership {{ id title org_role is_admin is_provider can_add_clients
                permission_template {{ name }} user {{ id active first_name email }} }}
            messages {{ field message }} }} }}"#
    );
    world.run(key, V2026, &document).await
}

/// One number out of the database.
pub async fn number(world: &World, sql: &'static str, params: Vec<Value>) -> i64 {
    let mut reader = world.db.read().await.unwrap();
    let rows = reader.rows(&Sql::fixed(sql, params)).await.unwrap();
    rows.scalar().and_then(Value::int).unwrap_or(0)
}

/// Asserts that the flag's absence is why.
#[track_caller]
pub fn denied(answer: &Json, permission: &str) {
    assert_eq!(answer["errors"][0]["extensions"]["permission"], permission, "{answer}");
    assert_eq!(answer["errors"][0]["extensions"]["code"], "PERMISSION_DENIED", "{answer}");
}

/// The one message on a field.
#[track_caller]
pub fn message(answer: &Json, mutation: &str, field: &str) -> String {
    let payload = &answer["data"][mutation];
    assert_eq!(payload["messages"][0]["field"], field, "{answer}");
    payload["messages"][0]["message"].as_str().unwrap().to_owned()
}

/// The payload of a mutation that was done.
#[track_caller]
pub fn done<'a>(answer: &'a Json, mutation: &str) -> &'a Json {
    assert_eq!(answer["errors"], Json::Null, "{answer}");
    let payload = &answer["data"][mutation];
    assert_eq!(payload["messages"], Json::Null, "{answer}");
    payload
}

fn create(fields: &str) -> String {
    format!(
        r#"mutation {{ createOrganizationMembership(input: {{first_name: "Nina", last_name: "New",
            email: "Nina.New@example.com", {fields}}}) {{
            organizationMembership {{ id org_role title is_provider can_add_clients can_edit_members
                permission_template {{ name }} permission_template_applied_at
                user {{ id email timezone has_created_password }} }}
            currentUser {{ id }} messages {{ field message }} }} }}"#
    )
}

async fn adding_a_member_invites_them(world: World) {
    let owner = world.owner_key().await;
    for view in [Baseline, V2026] {
        let nobody = world.run("", view, &create("title: \"RD\"")).await;
        assert_eq!(nobody["errors"][0]["extensions"]["code"], "PERMISSION_DENIED", "{nobody}");
    }
    let answer = world
        .run(&owner, V2026, &create(r#"title: "Dietitian", timezone: "America/Chicago""#))
        .await;
    let payload = done(&answer, "createOrganizationMembership");
    let made = &payload["organizationMembership"];
    assert_eq!(payload["currentUser"]["id"], world.founded.owner.id.to_string());
    assert_eq!(made["user"]["email"], "nina.new@example.com");
    assert_eq!(made["user"]["timezone"], "America/Chicago");
    assert_eq!(made["user"]["has_created_password"], false);
    assert_eq!(
        [&made["org_role"], &made["title"], &made["is_provider"], &made["can_edit_members"]],
        [&json!("Standard"), &json!("Dietitian"), &json!(true), &json!(false)]
    );
    let mails = "SELECT COUNT(*) FROM effect_intents WHERE kind = 'invite'";
    assert_eq!(number(&world, mails, Vec::new()).await, 1);
    let events = "SELECT COUNT(*) FROM events WHERE event_type = 'organization_membership.created' AND resource_id = $1";
    let id: i64 = made["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(number(&world, events, vec![id.into()]).await, 1);
    let again = world.run(&owner, Baseline, &create("send_invite_email: false")).await;
    assert_eq!(
        message(&again, "createOrganizationMembership", "email"),
        "Email has already been taken"
    );
}
both!(adding_a_member_invites_them);

async fn a_given_password_signs_in_and_a_weak_one_is_refused(world: World) {
    let owner = world.owner_key().await;
    let weak = world.run(&owner, V2026, &create(r#"password: "ninanew1234""#)).await;
    message(&weak, "createOrganizationMembership", "password");
    assert_eq!(weak["data"]["createOrganizationMembership"]["organizationMembership"], Json::Null);
    let good = world
        .run(&owner, V2026, &create(&format!(r#"password: "{GOOD}", send_invite_email: false"#)))
        .await;
    done(&good, "createOrganizationMembership");
    let sign_in = format!(
        r#"mutation {{ signIn(input: {{email: "nina.new@example.com", password: "{GOOD}"}}) {{
            token user {{ first_name }} }} }}"#
    );
    let answer = world.run("", V2026, &sign_in).await;
    assert_eq!(answer["data"]["signIn"]["user"]["first_name"], "Nina", "{answer}");
    let mails = "SELECT COUNT(*) FROM effect_intents";
    assert_eq!(number(&world, mails, Vec::new()).await, 0);
    let empty = r#"mutation { createOrganizationMembership(input: {org_role: "Boss", timezone: "Mars"}) {
        messages { field message } } }"#;
    let answer = world.run(&owner, V2026, empty).await;
    let fields: Vec<_> = answer["data"]["createOrganizationMembership"]["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["field"].as_str().unwrap())
        .collect();
    assert_eq!(fields, ["first_name", "last_name", "email", "timezone", "org_role"]);
}
both!(a_given_password_signs_in_and_a_weak_one_is_refused);

async fn members_are_added_where_the_caller_may_see(world: World) {
    let branch = world.branch().await;
    let owner = world.owner_key().await;
    let inside = hire_in(&world, branch.clone(), "Ines", OrgRole::Standard, flags::every()).await;
    let into = |unit: i64| create(&format!(r#"organization_id: "{unit}""#));
    let root = world.founded.organization.id.0;
    let above = world.run(&inside.key, V2026, &into(root)).await;
    let never = world.run(&inside.key, V2026, &into(root + 900)).await;
    assert_eq!(above, never, "the parent is not there for those below");
    assert_eq!(
        message(&above, "createOrganizationMembership", "organization_id"),
        "Object not found"
    );
    done(&world.run(&owner, V2026, &into(branch.id.0)).await, "createOrganizationMembership");
    let taken = world.run(&inside.key, V2026, &create("")).await;
    message(&taken, "createOrganizationMembership", "email");
    // Who works for both has two accounts.
    done(&world.run(&owner, V2026, &into(root)).await, "createOrganizationMembership");
    let document = format!(
        r#"{{ organizationMemberships {{ nodes {{ user {{ first_name }}
            is_in_other_orgs(suborg_ids: ["{}"]) }} }} }}"#,
        branch.id
    );
    let answer = world.run(&owner, V2026, &document).await;
    let nodes = answer["data"]["organizationMemberships"]["nodes"].as_array().unwrap();
    let of = |name: &str| {
        let is = |it: &&Json| it["user"]["first_name"] == name;
        nodes.iter().filter(is).filter(|it| it["is_in_other_orgs"] == true).count()
    };
    assert_eq!((of("Nina"), of("Olga"), of("Ines")), (1, 0, 0), "{answer}");
}
both!(members_are_added_where_the_caller_may_see);

async fn deactivation_stops_keys_sessions_and_links_at_once(world: World) {
    let owner = world.owner_key().await;
    let hired = hire(&world, "Dora", OrgRole::Standard, flags::defaults(OrgRole::Standard)).await;
    let org = world.founded.organization.id.0;
    let user = hired.user;
    let session = world
        .system(org, move |scope| {
            Box::pin(async move {
                let user = scope.find(user).await.unwrap().unwrap();
                ward_identity::session::begin(scope, &user).await.unwrap().text.to_string()
            })
        })
        .await;
    let warned = update(&world, &owner, hired.membership, "active: false").await;
    assert!(
        message(&warned, "updateOrganizationMembership", "base").contains("bypass_api_key_warning")
    );
    for credential in [&hired.key, &session] {
        assert!(ward_identity::authenticate(&world.db, credential).await.unwrap().is_ok());
    }
    let fields = "active: false, bypass_api_key_warning: true";
    let answer = update(&world, &owner, hired.membership, fields).await;
    let made = &done(&answer, "updateOrganizationMembership")["organizationMembership"];
    assert_eq!(made["user"]["active"], false);
    for credential in [&hired.key, &session] {
        assert!(ward_identity::authenticate(&world.db, credential).await.unwrap().is_err());
    }
    // Awake again, they start anew: neither the key nor the session is back.
    done(
        &update(&world, &owner, hired.membership, "active: true").await,
        "updateOrganizationMembership",
    );
    for credential in [&hired.key, &session] {
        assert!(ward_identity::authenticate(&world.db, credential).await.unwrap().is_err());
    }
    let key = world.key(org, user.0).await;
    assert!(ward_identity::authenticate(&world.db, &key).await.unwrap().is_ok());
}
both!(deactivation_stops_keys_sessions_and_links_at_once);

async fn a_demotion_acts_on_the_next_request(world: World) {
    let owner = world.owner_key().await;
    let held = flags::set_of([flags::CAN_VIEW_AUDIT_LOG, flags::CAN_ADD_MEMBERS]);
    let hired = hire(&world, "Dora", OrgRole::Standard, held).await;
    let log = "{ auditLog(first: 1) { total_count } }";
    let before = world.run(&hired.key, V2026, log).await;
    assert_eq!(before["errors"], Json::Null, "{before}");
    let fields = "can_view_audit_log: false";
    done(&update(&world, &owner, hired.membership, fields).await, "updateOrganizationMembership");
    denied(&world.run(&hired.key, V2026, log).await, "can_view_audit_log");
    // A deleted key is over at once, too.
    let id =
        number(&world, "SELECT id FROM api_keys WHERE user_id = $1", vec![hired.user.0.into()]);
    let document = format!(
        r#"mutation {{ deleteApiKey(input: {{id: "{}"}}) {{ messages {{ message }} }} }}"#,
        id.await
    );
    done(&world.run(&owner, V2026, &document).await, "deleteApiKey");
    assert!(ward_identity::authenticate(&world.db, &hired.key).await.unwrap().is_err());
}
both!(a_demotion_acts_on_the_next_request);

async fn a_support_member_is_no_provider(world: World) {
    let owner = world.owner_key().await;
    let hired = hire(&world, "Dora", OrgRole::Standard, flags::defaults(OrgRole::Standard)).await;
    let answer = update(&world, &owner, hired.membership, r#"org_role: "Support""#).await;
    let made = &done(&answer, "updateOrganizationMembership")["organizationMembership"];
    assert_eq!(made["org_role"], "Support");
    assert_eq!(made["is_provider"], false);
    assert_eq!(made["can_add_clients"], true, "what the role does not exclude stays");
    let refused = update(&world, &owner, hired.membership, "is_provider: true").await;
    message(&refused, "updateOrganizationMembership", "is_provider");
    let fields = r#"org_role: "Standard", is_provider: true"#;
    let answer = update(&world, &owner, hired.membership, fields).await;
    done(&answer, "updateOrganizationMembership");
}
both!(a_support_member_is_no_provider);

async fn what_members_change_of_themselves(world: World) {
    let hired = hire(&world, "Dora", OrgRole::Standard, flags::defaults(OrgRole::Standard)).await;
    let fields =
        r#"first_name: "Dorothea", timezone: "America/Denver", selected_tags_filter: ["a", "b"]"#;
    let answer = update(&world, &hired.key, hired.membership, fields).await;
    let made = &done(&answer, "updateOrganizationMembership")["organizationMembership"];
    assert_eq!(made["user"]["first_name"], "Dorothea");
    let read = "{ organizationMembership { selected_tags_filter selected_statuses_filter } }";
    let answer = world.run(&hired.key, V2026, read).await;
    assert_eq!(
        answer["data"]["organizationMembership"],
        json!({"selected_tags_filter": ["a", "b"], "selected_statuses_filter": []})
    );
    denied(
        &update(&world, &hired.key, hired.membership, r#"title: "Chief""#).await,
        "can_edit_members",
    );
    let email = update(&world, &hired.key, hired.membership, r#"email: "d@example.com""#).await;
    message(&email, "updateOrganizationMembership", "email");
    let events = "SELECT COUNT(*) FROM events WHERE event_type = $1";
    for (kind, count) in
        [("organization_membership.updated", 1), ("organization_member.updated", 1)]
    {
        assert_eq!(number(&world, events, vec![kind.into()]).await, count, "{kind}");
    }
    let member = |id: &str, fields: &str| {
        format!(
            r#"mutation {{ updateOrganizationMember(input: {{{id} {fields}}}) {{
                user {{ id npi email phone_number }} messages {{ field message }} }} }}"#
        )
    };
    let own = world.run(&hired.key, Baseline, &member("", r#"npi: "1234567893""#)).await;
    assert_eq!(done(&own, "updateOrganizationMember")["user"]["npi"], "1234567893");
    let other = format!(r#"id: "{}","#, world.founded.owner.id);
    let refused = world.run(&hired.key, V2026, &member(&other, r#"npi: "1""#)).await;
    denied(&refused, "can_edit_members");
}
both!(what_members_change_of_themselves);

async fn a_new_address_counts_when_it_is_confirmed(world: World) {
    let owner = world.owner_key().await;
    let fresh = hire(&world, "Fern", OrgRole::Standard, Flags::default()).await;
    let used = hire(&world, "Una", OrgRole::Standard, Flags::default()).await;
    let user = used.user;
    world
        .system(world.founded.organization.id.0, move |scope| {
            Box::pin(async move {
                let before = scope.find(user).await.unwrap().unwrap();
                let after = User { password_hash: Some("x".to_owned()), ..before.clone() };
                ward_identity::account::update(scope, &before, &after).await.unwrap();
            })
        })
        .await;
    let answer = update(&world, &owner, fresh.membership, r#"email: "Fern2@example.com""#).await;
    let made = &done(&answer, "updateOrganizationMembership")["organizationMembership"];
    assert_eq!(made["user"]["email"], "fern2@example.com");
    let answer = update(&world, &owner, used.membership, r#"email: "una2@example.com""#).await;
    let made = &done(&answer, "updateOrganizationMembership")["organizationMembership"];
    assert_eq!(made["user"]["email"], "una@example.com", "until its reader says so");
    let mails = "SELECT COUNT(*) FROM effect_intents WHERE kind = $1";
    for kind in ["invite", "confirm_email"] {
        assert_eq!(number(&world, mails, vec![kind.into()]).await, 1, "{kind}");
    }
    let links = "SELECT COUNT(*) FROM link_tokens WHERE user_id = $1 AND purpose = 'confirm_email' \
                 AND used_at IS NULL AND voided_at IS NULL";
    assert_eq!(number(&world, links, vec![used.user.0.into()]).await, 1, "that link confirms it");
    let answer = update(&world, &owner, fresh.membership, r#"email: "una@example.com""#).await;
    message(&answer, "updateOrganizationMembership", "email");
}
both!(a_new_address_counts_when_it_is_confirmed);

async fn memberships_are_never_deleted(world: World) {
    let owner = world.owner_key().await;
    let hired = hire(&world, "Dora", OrgRole::Standard, Flags::default()).await;
    let delete = |id: i64| {
        format!(
            r#"mutation {{ deleteOrganizationMembership(input: {{id: "{id}"}}) {{
                organizationMembership {{ id }} messages {{ field message }} }} }}"#
        )
    };
    let answer = world.run(&owner, V2026, &delete(hired.membership)).await;
    assert!(message(&answer, "deleteOrganizationMembership", "base").contains("Deactivate"));
    denied(&world.run(&hired.key, V2026, &delete(hired.membership)).await, "can_edit_members");
    assert!(ward_identity::authenticate(&world.db, &hired.key).await.unwrap().is_ok());
}
both!(memberships_are_never_deleted);
