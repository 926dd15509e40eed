//! SEC-03: each flag that governs documents, flipped alone: denied without it,
//! allowed with it.

use serde_json::json;
use ward_identity::flags::{
    CAN_EDIT_DOCS, CAN_SEE_CLIENTS, CAN_SEE_DOCS, CAN_SHARE_DOCUMENTS_AND_FOLDERS_WITH_ORG_MEMBERS,
    CAN_VIEW_REPORTS,
};
use ward_store::Actor;

use crate::support::World;

#[tokio::test]
async fn flags_of_whoever_acts() {
    World::each(async |w| {
        let none = w.with(&w.standard, &[]);
        let with = |flag| w.with(&w.standard, &[flag]);
        let id = w.document(&w.owner, "plan", json!({})).await;
        let sees = async |actor: &Actor| w.titles(actor, "(filter: \"all\")").await == ["plan"];
        assert!(!sees(&none).await);
        assert!(sees(&with(CAN_SEE_DOCS)).await);
        let shares = async |actor: &Actor| {
            let input = json!({ "display_name": "own", "file_string": "data:text/plain;base64,SGkK",
                "provider_ids": [w.owner.user_id.to_string()] });
            let payload = w.mutate(actor, "createDocument", "document { id }", input).await;
            payload["messages"].is_null()
        };
        assert!(!shares(&none).await);
        assert!(shares(&with(CAN_SHARE_DOCUMENTS_AND_FOLDERS_WITH_ORG_MEMBERS)).await);
        let edits = async |actor: &Actor| {
            let input = json!({ "id": id, "display_name": "plan" });
            let payload = w.mutate(actor, "updateDocument", "document { id }", input).await;
            payload["messages"].is_null()
        };
        assert!(!edits(&with(CAN_SEE_DOCS)).await);
        assert!(edits(&w.with(&w.standard, &[CAN_SEE_DOCS, CAN_EDIT_DOCS])).await);
    })
    .await;
}

#[tokio::test]
async fn who_exports_a_client() {
    World::each(async |w| {
        let client = w.client("Ann", "ann@client.example").await;
        let exports = async |actor: &Actor| {
            let input = json!({ "client_id": client });
            let payload = w.mutate(actor, "exportClientEhi", "success_string", input).await;
            payload["success_string"].is_string()
        };
        assert!(!exports(&w.with(&w.standard, &[CAN_SEE_CLIENTS])).await);
        // Not whom they do not see.
        assert!(!exports(&w.with(&w.standard, &[CAN_VIEW_REPORTS])).await);
        let both = w.with(&w.standard, &[CAN_SEE_CLIENTS, CAN_VIEW_REPORTS]);
        assert!(exports(&both).await);
        let title = format!("Export of client {client}");
        assert_eq!(w.titles(&both, "(filter: \"all\")").await, [title]);
        // Neither the client nor a colleague who sees them finds it.
        let own = w.as_client(&client).await;
        assert!(w.titles(&own, "(filter: \"all\")").await.is_empty());
        let colleague = w.with(&w.owner, &[CAN_SEE_CLIENTS, CAN_SEE_DOCS]);
        assert!(w.titles(&colleague, "(filter: \"all\")").await.is_empty());
    })
    .await;
}
