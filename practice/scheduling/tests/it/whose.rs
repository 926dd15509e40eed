//! Who sees which types: members, clients, strangers, sub-organizations.

use serde_json::{Value as Json, json};
use ward_store::Actor;

use crate::support::World;

async fn visible(w: &World, actor: &Actor, id: &str) -> Json {
    let query = "query($id: ID) { appointmentType(id: $id) { name length organization_id created_at \
        available_contact_types metadata provider_appt_type_connections { provider_name } } }";
    w.run(actor, query, json!({ "id": id })).await["appointmentType"].clone()
}

#[tokio::test]
async fn clients_see_what_they_may_book() {
    World::each(async |w| {
        let group = |name: &str| {
            let input = json!({ "name": name });
            let world = &w;
            async move {
                let made =
                    world.mutate(&world.owner, "createGroup", "user_group { id }", input).await;
                made["user_group"]["id"].as_str().unwrap().to_owned()
            }
        };
        let (adults, teens) = (group("Adults").await, group("Teens").await);
        let open = |name: &str| json!({ "name": name, "length": 30, "clients_can_book": true });
        let with = |name: &str, more: Json| {
            let mut input = open(name);
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            input
        };
        let o = &w.owner;
        w.type_of(o, open("Open")).await;
        w.type_of(o, json!({ "name": "Staff only", "length": 30 })).await;
        w.type_of(o, with("No groups", json!({ "bookable_by_groups": false }))).await;
        w.type_of(o, with("Groups", json!({ "bookable_without_group": false }))).await;
        w.type_of(
            o,
            with(
                "Adults",
                json!({ "bookable_without_group": false, "bookable_group_ids": [adults] }),
            ),
        )
        .await;
        let gone = w.type_of(o, open("Gone")).await;
        w.mutate(o, "deleteAppointmentType", "appointmentType { id }", json!({ "id": gone })).await;
        let client = w.client("Ada", "ada@example.com").await;
        let own = w.as_client(&client).await;
        assert_eq!(w.names(&own, "").await, ["Open", "No groups"]);
        assert_eq!(w.names(&own, "with_deleted_appt_types: true").await, ["Open", "No groups"]);
        for (group, expected) in
            [(&teens, vec!["Open", "Groups"]), (&adults, vec!["Open", "Groups", "Adults"])]
        {
            let input = json!({ "id": client, "user_group_id": group });
            w.mutate(o, "updateClient", "user { id }", input).await;
            assert_eq!(w.names(&own, "").await, expected);
        }
        let nobody = Actor::anonymous();
        assert!(w.names(&nobody, "").await.is_empty(), "there is no list of everything");
        assert!(w.names(&nobody, "org_level: true").await.is_empty());
        let provider =
            format!("provider_id: \"{}\", with_deleted_appt_types: true", w.owner.user_id);
        assert_eq!(w.names(&nobody, &provider).await, ["Open", "No groups"]);
        let elsewhere = format!("provider_id: \"{}\"", w.stranger.user_id);
        assert!(w.names(&nobody, &elsewhere).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn strangers_read_what_a_new_client_needs_and_no_more() {
    World::each(async |w| {
        let stan = w.standard.user_id.to_string();
        let id = w.type_of(&w.owner, json!({ "name": "Open", "length": 30, "clients_can_book": true,
            "metadata": "{\"internal\": true}", "require_specific_providers": true,
            "provider_ids_for_appt_type_connections": [stan] })).await;
        let shut = w.type_of(&w.owner, json!({ "name": "Shut", "length": 30 })).await;
        let nobody = Actor::anonymous();
        let seen = visible(&w, &nobody, &id).await;
        assert_eq!(seen["name"], "Open", "{seen}");
        assert_eq!(seen["organization_id"], w.organization.id.0);
        assert_eq!(seen["available_contact_types"][1], "In Person");
        assert_eq!(seen["provider_appt_type_connections"], json!([{ "provider_name": "Stan Staffson" }]));
        assert!(seen["metadata"].is_null(), "{seen}");
        assert!(visible(&w, &nobody, &shut).await.is_null());
        // Only who is named offers it.
        let by = |user: i64| format!("provider_id: \"{user}\"");
        assert_eq!(w.names(&nobody, &by(w.standard.user_id)).await, ["Open"]);
        assert!(w.names(&nobody, &by(w.owner.user_id)).await.is_empty());
        let both = format!("provider_ids: [\"{}\", \"{}\"]", w.owner.user_id, w.standard.user_id);
        assert_eq!(w.names(&nobody, &both).await, ["Open"]);
        let query = "query($id: ID) { organizationMembership(user_id: $id) { user { appointment_types { name } appointment_setting { id } } } }";
        let answer = w.run(&nobody, query, json!({ "id": stan })).await;
        let user = &answer["organizationMembership"]["user"];
        assert_eq!(user["appointment_types"], json!([{ "name": "Open" }]), "{answer}");
        let payload = w.mutate(&nobody, "createAppointmentType", "appointmentType { id }", json!({ "name": "X", "length": 1 })).await;
        assert!(payload["appointmentType"].is_null(), "{payload}");
    })
    .await;
}

#[tokio::test]
async fn units_have_their_own_types_and_the_root_sees_them() {
    World::each(async |w| {
        let branch = w.branch().await;
        let ours = w.type_of(&w.owner, json!({ "name": "Root's", "length": 30 })).await;
        let theirs = w.type_of(&branch, json!({ "name": "Branch's", "length": 30 })).await;
        assert!(visible(&w, &branch, &ours).await.is_null());
        assert_eq!(visible(&w, &w.owner, &theirs).await["name"], "Branch's");
        assert_eq!(w.names(&branch, "org_level: true").await, ["Branch's"]);
        let stan = w.standard.user_id.to_string();
        let input = json!({ "id": theirs, "provider_ids_for_appt_type_connections": [stan] });
        let payload =
            w.mutate(&w.owner, "updateAppointmentType", "appointmentType { id }", input).await;
        assert_eq!(
            payload["messages"][0]["field"], "provider_ids_for_appt_type_connections",
            "{payload}"
        );
    })
    .await;
}
