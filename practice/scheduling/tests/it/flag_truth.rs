//! SEC-03: each flag that governs scheduling, flipped alone: denied without it,
//! allowed with it.

use serde_json::json;
use ward_identity::flags::{CAN_EDIT_APPOINTMENT_TYPES, CAN_EDIT_CREDIT, SEES_ALL_CLIENTS};
use ward_store::Sql;

use crate::support::World;

#[tokio::test]
async fn types_are_edited_with_the_right_to() {
    World::each(async |w| {
        let old = w.type_of(&w.owner, json!({ "name": "Old", "length": 30 })).await;
        let new = json!({ "name": "New", "length": 30 });
        let price = json!({ "user_id": w.standard.user_id.to_string(),
            "advance_appointment_prices": [{ "appointment_type_id": old, "price": "1" }] });
        let cases = [
            ("createAppointmentType", "appointmentType { id }", new),
            ("updateAppointmentType", "appointmentType { id }", json!({ "id": old, "length": 31 })),
            ("updateUserAppointmentPricing", "advance_appointment_prices { id }", price),
            ("deleteAppointmentType", "appointmentType { id }", json!({ "id": old })),
        ];
        let without = w.with(&w.standard, &[]);
        let with = w.with(&w.standard, &[CAN_EDIT_APPOINTMENT_TYPES]);
        for (field, selects, input) in cases {
            let query = format!(
                "mutation($input: {field}Input!) {{ {field}(input: $input) {{ {selects} messages {{ message }} }} }}"
            );
            let variables = json!({ "input": input });
            let refused = w.run_in(ward_engine::ViewId::V2026, &without, &query, variables.clone()).await;
            let named = &refused["errors"][0]["extensions"]["permission"];
            assert_eq!(named, "can_edit_appointment_types", "{refused}");
            let done = w.run_in(ward_engine::ViewId::V2026, &with, &query, variables).await;
            assert!(done["data"][field]["messages"].is_null(), "{done}");
        }
    })
    .await;
}

#[tokio::test]
async fn credits_are_set_with_the_right_to() {
    World::each(async |w| {
        let of = w.type_of(&w.owner, json!({ "name": "Visit", "length": 30 })).await;
        let client = w.client("Ada", "ada@example.com").await;
        let query = "mutation($input: updateClientInput!) { updateClient(input: $input) \
            { user { id } messages { message } } }";
        let credits = json!([{ "appointment_type_id": of, "quantity": "1" }]);
        let input =
            json!({ "input": { "id": client, "appointment_type_credits_attributes": credits } });
        let without = w.with(&w.standard, &[SEES_ALL_CLIENTS]);
        let with = w.with(&w.standard, &[SEES_ALL_CLIENTS, CAN_EDIT_CREDIT]);
        let refused = w.run_in(ward_engine::ViewId::V2026, &without, query, input.clone()).await;
        let named = &refused["errors"][0]["extensions"]["permission"];
        assert_eq!(named, "can_edit_credit", "{refused}");
        let done = w.run_in(ward_engine::ViewId::V2026, &with, query, input).await;
        assert!(done["data"]["updateClient"]["messages"].is_null(), "{done}");
    })
    .await;
}

#[tokio::test]
async fn types_of_a_member_are_everybodys_when_they_share_them() {
    World::each(async |w| {
        let edits = w.with(&w.standard, &[CAN_EDIT_APPOINTMENT_TYPES]);
        let input = json!({ "name": "Stan's", "length": 30, "clients_can_book": true });
        let id = w.type_of(&edits, input).await;
        let colleague = w.with(&w.support, &[]);
        let owner = format!("provider_id: \"{}\"", w.owner.user_id);
        for held in [false, true] {
            let mut sql = Sql::new();
            sql.push("UPDATE organization_memberships SET share_appointment_types = ").bind(held);
            sql.push(" WHERE user_id = ").bind(w.standard.user_id);
            w.execute(sql).await;
            let query = "query($id: ID) { appointmentType(id: $id) { id } }";
            let seen = w.run(&colleague, query, json!({ "id": id })).await;
            assert_eq!(!seen["appointmentType"].is_null(), held);
            assert_eq!(w.names(&colleague, "").await.len(), usize::from(held));
            assert_eq!(
                w.names(&w.owner, &owner).await.len(),
                usize::from(held),
                "whoever offers it"
            );
            assert_eq!(w.names(&w.standard, "").await, ["Stan's"], "always one's own");
            let own = format!("provider_id: \"{}\"", w.standard.user_id);
            assert_eq!(w.names(&ward_store::Actor::anonymous(), &own).await, ["Stan's"]);
            assert_eq!(
                w.names(&w.owner, "org_level: true").await,
                ["Stan's"],
                "an administrator's view"
            );
        }
    })
    .await;
}
