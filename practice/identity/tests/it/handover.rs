//! A member's clients go to another provider, as far as the caller sees them.

use serde_json::Value as Json;
use ward_engine::ViewId::V2026;
use ward_identity::account;
use ward_identity::flags;
use ward_identity::tables::{
    CareTeamMember, ClientRestrictionAuthorization, OrgRole, Organization, User, UserGroup,
};
use ward_store::Id;

use crate::circle::client;
use crate::members::{Hired, denied, done, hire, hire_in, message, number, update};
use crate::support::World;

async fn clients_go_to_whom_they_are_to_go(world: World) {
    let owner = world.owner_key().await;
    let org = world.founded.organization.id.0;
    let standard = flags::defaults(OrgRole::Standard);
    let from = hire(&world, "Fay", OrgRole::Standard, standard).await;
    let to = hire(&world, "Tom", OrgRole::Standard, standard).await;
    let clerk = flags::set_of([flags::CAN_EDIT_MEMBERS, flags::CAN_SEE_CLIENTS]);
    let clerk = hire(&world, "Cleo", OrgRole::Support, clerk).await;
    let blind = flags::set_of([flags::CAN_EDIT_MEMBERS]);
    let blind = hire(&world, "Bo", OrgRole::Standard, blind).await;
    let user = from.user;
    let clients = world
        .system(org, move |scope| {
            Box::pin(async move {
                let provider = scope.find(user).await.unwrap().unwrap();
                let open = client(scope, &provider, "Open", false).await;
                let closed = client(scope, &provider, "Closed", true).await;
                (open.id.0, closed.id.0)
            })
        })
        .await;
    let provider_of =
        |id: i64| number(&world, "SELECT dietitian_id FROM users WHERE id = $1", vec![id.into()]);
    let to_tom = format!(r#"provider_to_receive_clients: "{}""#, to.user);
    denied(&update(&world, &blind.key, from.membership, &to_tom).await, "can_see_clients");
    assert_eq!(provider_of(clients.0).await, from.user.0);
    let to_support = format!(r#"provider_to_receive_clients: "{}""#, clerk.user);
    let refused = update(&world, &owner, from.membership, &to_support).await;
    message(&refused, "updateOrganizationMembership", "provider_to_receive_clients");
    let support = update(&world, &owner, from.membership, r#"org_role: "Support""#).await;
    message(&support, "updateOrganizationMembership", "provider_to_receive_clients");
    // Who sees no restricted client moves none, not even to themselves.
    done(
        &update(&world, &clerk.key, from.membership, &to_tom).await,
        "updateOrganizationMembership",
    );
    assert_eq!(provider_of(clients.0).await, to.user.0);
    assert_eq!(provider_of(clients.1).await, from.user.0);
    let fields = format!("{to_tom}, active: false, bypass_api_key_warning: true");
    done(&update(&world, &owner, from.membership, &fields).await, "updateOrganizationMembership");
    assert_eq!(provider_of(clients.1).await, to.user.0);
    let events =
        "SELECT COUNT(*) FROM events WHERE event_type = 'patient.updated' AND resource_id = $1";
    assert_eq!(number(&world, events, vec![clients.1.into()]).await, 1);
}
both!(clients_go_to_whom_they_are_to_go);

/// Runs the standard hand-over: `from`'s clients go to `to`.
async fn hand_over(world: &World, key: &str, from: &Hired, to: &Hired) -> Json {
    let fields = format!(r#"provider_to_receive_clients: "{}""#, to.user);
    update(world, key, from.membership, &fields).await
}

async fn provider_of(world: &World, client: Id<User>) -> i64 {
    number(world, "SELECT dietitian_id FROM users WHERE id = $1", vec![client.0.into()]).await
}

/// An open client and a restricted one of a provider.
async fn two_clients(world: &World, provider: Id<User>) -> (Id<User>, Id<User>) {
    let org = world.founded.organization.id.0;
    world
        .system(org, move |scope| {
            Box::pin(async move {
                let provider = scope.find(provider).await.unwrap().unwrap();
                let open = client(scope, &provider, "Open", false).await;
                let closed = client(scope, &provider, "Closed", true).await;
                (open.id, closed.id)
            })
        })
        .await
}

async fn authorize(world: &World, client_id: Id<User>, provider_id: Id<User>) {
    let org = world.founded.organization.id;
    world
        .system(org.0, move |scope| {
            Box::pin(async move {
                let now = scope.now();
                let row = ClientRestrictionAuthorization {
                    id: scope.next_id().await.unwrap(),
                    org_id: org,
                    unit_id: org,
                    client_id,
                    provider_id,
                    reason: "Covers in May".to_owned(),
                    created_by_id: None,
                    created_at: now,
                    updated_at: now,
                    deleted_at: None,
                };
                scope.create(&row).await.unwrap();
            })
        })
        .await;
}

async fn join_team(world: &World, patient_id: Id<User>, user_id: Id<User>) {
    let org_id = world.founded.organization.id;
    world
        .system(org_id.0, move |scope| {
            Box::pin(async move {
                let created_at = scope.now();
                let row = CareTeamMember { org_id, patient_id, user_id, created_at };
                scope.create(&row).await.unwrap();
            })
        })
        .await;
}

async fn an_authorization_gives_no_restricted_client_away(world: World) {
    let standard = flags::defaults(OrgRole::Standard);
    let from = hire(&world, "Fay", OrgRole::Standard, standard).await;
    let to = hire(&world, "Tom", OrgRole::Standard, standard).await;
    let held = [flags::IS_PROVIDER, flags::CAN_EDIT_MEMBERS, flags::CAN_SEE_CLIENTS];
    let covers = hire(&world, "Cora", OrgRole::Standard, flags::set_of(held)).await;
    let (open, closed) = two_clients(&world, from.user).await;
    authorize(&world, closed, covers.user).await;
    denied(&hand_over(&world, &covers.key, &from, &to).await, "can_restrict_clients");
    denied(&hand_over(&world, &covers.key, &from, &covers).await, "can_restrict_clients");
    for client in [open, closed] {
        assert_eq!(provider_of(&world, client).await, from.user.0, "all move or none");
    }
    // Who cares for the client shares the care; and so does who may restrict.
    join_team(&world, closed, covers.user).await;
    let moved = hand_over(&world, &covers.key, &from, &to).await;
    done(&moved, "updateOrganizationMembership");
    for client in [open, closed] {
        assert_eq!(provider_of(&world, client).await, to.user.0);
    }
    let held = [flags::CAN_EDIT_MEMBERS, flags::CAN_SEE_CLIENTS, flags::CAN_RESTRICT_CLIENTS];
    let may = hire(&world, "Max", OrgRole::Standard, flags::set_of(held)).await;
    authorize(&world, closed, may.user).await;
    done(&hand_over(&world, &may.key, &to, &from).await, "updateOrganizationMembership");
    for client in [open, closed] {
        assert_eq!(provider_of(&world, client).await, from.user.0);
    }
}
both!(an_authorization_gives_no_restricted_client_away);

async fn group(world: &World, unit_id: Id<Organization>, client_id: Id<User>) {
    let org_id = world.founded.organization.id;
    world
        .system(org_id.0, move |scope| {
            Box::pin(async move {
                let now = scope.now();
                let row = UserGroup {
                    id: scope.next_id().await.unwrap(),
                    org_id,
                    unit_id,
                    name: "Mornings".to_owned(),
                    invite_code: format!("{:06x}", unit_id.0),
                    user_id: None,
                    version: 0,
                    created_at: now,
                    updated_at: now,
                    deleted_at: None,
                };
                scope.create(&row).await.unwrap();
                let before = scope.find(client_id).await.unwrap().unwrap();
                let after = User { user_group_id: Some(row.id), ..before.clone() };
                account::update(scope, &before, &after).await.unwrap();
            })
        })
        .await;
}

async fn who_moves_to_another_unit_leaves_the_old_one(world: World) {
    let owner = world.owner_key().await;
    let (north, south) = (world.branch().await, world.branch().await);
    let root = world.founded.organization.id;
    let standard = flags::defaults(OrgRole::Standard);
    let role = OrgRole::Standard;
    let from = hire_in(&world, north.clone(), "Fay", role, standard).await;
    let near = hire_in(&world, north.clone(), "Ned", role, standard).await;
    let to = hire_in(&world, south.clone(), "Tom", role, standard).await;
    let other = hire_in(&world, south.clone(), "Sue", role, standard).await;
    let above = hire(&world, "Ray", role, standard).await;
    let (open, closed) = two_clients(&world, from.user).await;
    for member in [&near, &to, &other, &above] {
        join_team(&world, open, member.user).await;
    }
    group(&world, north.id, open).await;
    group(&world, root, closed).await;
    done(&hand_over(&world, &owner, &from, &to).await, "updateOrganizationMembership");
    let count = "SELECT COUNT(*) FROM care_team_members WHERE patient_id = $1 AND user_id = $2";
    let mut left = Vec::new();
    for member in [&near, &to, &other, &above] {
        left.push(number(&world, count, vec![open.0.into(), member.user.0.into()]).await);
    }
    assert_eq!(left, [0, 0, 1, 1], "the old unit's and the new primary provider are out");
    let unit = "SELECT unit_id FROM users WHERE id = $1";
    assert_eq!(number(&world, unit, vec![open.0.into()]).await, south.id.0);
    let grouped = "SELECT COUNT(*) FROM users WHERE id = $1 AND user_group_id IS NOT NULL";
    assert_eq!(number(&world, grouped, vec![open.0.into()]).await, 0, "a group of the old unit");
    assert_eq!(number(&world, grouped, vec![closed.0.into()]).await, 1, "a group of the root");
    let told = "SELECT COUNT(*) FROM events WHERE event_type = 'patient.updated' \
                AND resource_id = $1 AND changed_fields LIKE '%other_provider_ids%'";
    assert_eq!(number(&world, told, vec![open.0.into()]).await, 1);
    assert_eq!(number(&world, told, vec![closed.0.into()]).await, 0);
    // The sight of the old unit's member is gone with the care.
    let document = format!(r#"{{ user(id: "{open}") {{ id }} }}"#);
    let seen = world.run(&near.key, V2026, &document).await;
    assert_eq!(seen["data"]["user"], Json::Null, "{seen}");
}
both!(who_moves_to_another_unit_leaves_the_old_one);
