//! A member's clients go to another provider, as far as the caller sees them.

use ward_identity::flags;
use ward_identity::tables::OrgRole;

use crate::circle::client;
use crate::members::{denied, done, hire, message, number, update};
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
