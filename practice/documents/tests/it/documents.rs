//! Documents through the front door.

use serde_json::json;
use ward_documents::tables::{DocumentSharing, FolderSharing};
use ward_engine::ViewId;
use ward_identity::flags::CAN_EDIT_DOCS;
use ward_store::{Cond, Query, Sql};

use crate::support::World;

const SHOWN: &str = "document { id display_name description internal_notes metadata shared \
     shared_users_count include_in_charting shared_with_dietitians can_only_share rel_user_id \
     owner { id } rel_user { id } users { nodes { id } } }";

#[tokio::test]
async fn a_document_is_made_changed_and_deleted_with_its_file() {
    World::each(async |w| {
        let ada = w.client("Ada", "a@example.com").await;
        let input = json!({ "display_name": "Labs", "rel_user_id": ada, "share_with_rel": true,
            "description": "Spring", "metadata": "{\"a\":1}", "created_at": "1999-01-01",
            "file_string": "data:application/pdf;base64,JVBERi0xLjQK" });
        let made = w.mutate(&w.owner, "createDocument", SHOWN, input).await;
        let document = &made["document"];
        assert_eq!(document["rel_user"]["id"], json!(ada), "{made}");
        assert_eq!(document["users"]["nodes"], json!([{ "id": ada }]), "{made}");
        assert_eq!((&document["shared"], &document["shared_users_count"]), (&json!(true), &json!(1)));
        let id = document["id"].clone();
        let input = json!({ "id": id, "display_name": "Labs 2026", "internal_notes": "call back",
            "include_in_charting": true, "share_with_rel": false });
        let changed = w.mutate(&w.owner, "updateDocument", SHOWN, input).await;
        assert_eq!(changed["document"]["shared"], json!(false), "{changed}");
        assert_eq!(changed["document"]["internal_notes"], "call back");
        // Sealed where it is to be.
        let sql = Sql::fixed("SELECT internal_notes, metadata FROM documents", []);
        let rows = w.db.read().await.unwrap().rows(&sql).await.unwrap();
        assert!(rows.row(0).iter().all(|it| it.text().is_none()), "{:?}", rows.row(0));
        let gone = w.mutate(&w.owner, "deleteDocument", "document { id }", json!({ "id": id })).await;
        assert_eq!(gone["document"]["id"], id, "{gone}");
        assert_eq!((w.files().await, w.titles(&w.owner, "").await.len()), (0, 0));
        let again = w.mutate(&w.owner, "deleteDocument", "document { id }", json!({ "id": id })).await;
        assert_eq!(again["messages"], json!([{ "field": "id", "message": "Object not found" }]));
        let told = ["document.created []",
            "document.updated [\"display_name\",\"internal_notes\",\"include_in_charting\",\"users\"]",
            "document.deleted []"];
        assert_eq!(w.events().await, told);
    })
    .await;
}

#[tokio::test]
async fn what_is_not_allowed_is_refused_and_changes_nothing() {
    World::each(async |w| {
        let (ada, bea) =
            (w.client("Ada", "a@example.com").await, w.client("Bea", "b@example.com").await);
        let id = w.document(&w.owner, "Mine", json!({ "org_level": true })).await;
        let stan = &w.standard;
        for (field, input) in [
            ("updateDocument", json!({ "id": id, "display_name": "Theirs" })),
            ("deleteDocument", json!({ "id": id })),
        ] {
            let payload = w.mutate(stan, field, "document { id }", input.clone()).await;
            assert_eq!(payload["messages"][0]["field"], "base", "{payload}");
            let payload = w.mutate(&w.stranger, field, "document { id }", input).await;
            assert_eq!(payload["messages"][0]["message"], "Object not found", "{payload}");
        }
        let text = "data:text/plain;base64,SGVsbG8K";
        let new = |more: serde_json::Value| {
            let mut input = json!({ "display_name": "New", "file_string": text });
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            input
        };
        // What needs a right: a document of the organization, a colleague, a group.
        let group = w
            .mutate(&w.owner, "createGroup", "user_group { doc_share_id }", json!({ "name": "G" }))
            .await;
        let group = group["user_group"]["doc_share_id"].clone();
        let (owner, none) = (w.owner.user_id.to_string(), w.with(stan, &[]));
        for input in [
            new(json!({ "org_level": true })),
            new(json!({ "provider_ids": [owner] })),
            new(json!({ "share_users": [group] })),
        ] {
            let payload = w.mutate(&none, "createDocument", "document { id }", input).await;
            assert_eq!(payload["messages"][0]["field"], "base", "{payload}");
        }
        // A client uploads about themselves, and shares with nobody.
        let client = w.as_client(&ada).await;
        for (input, field) in [
            (new(json!({ "rel_user_id": bea })), "rel_user_id"),
            (new(json!({ "clients_ids": [bea] })), "base"),
            (new(json!({ "rel_user_id": owner })), "rel_user_id"),
        ] {
            let payload = w.mutate(&client, "createDocument", "document { id }", input).await;
            assert_eq!(payload["messages"][0]["field"], field, "{payload}");
        }
        // Nothing new is shared with who is archived.
        w.mutate(&w.owner, "updateClient", "user { id }", json!({ "id": bea, "active": false }))
            .await;
        let payload = w
            .mutate(
                &w.owner,
                "createDocument",
                "document { id }",
                new(json!({ "clients_ids": [bea] })),
            )
            .await;
        assert!(
            payload["messages"][0]["message"].as_str().unwrap().contains("archived"),
            "{payload}"
        );
        for input in [json!({ "display_name": "a\u{202e}b" }), json!({ "metadata": "{" })] {
            let payload = w.mutate(&w.owner, "createDocument", "document { id }", new(input)).await;
            assert_eq!(payload["messages"].as_array().unwrap().len(), 1, "{payload}");
        }
        assert_eq!((w.titles(&w.owner, "").await, w.files().await), (vec!["Mine".to_owned()], 1));
        let shared: Vec<DocumentSharing> = w.rows(Cond::Always).await;
        assert_eq!(shared, []);
        // A colleague with the right changes it.
        let editor = w.with(stan, &[CAN_EDIT_DOCS]);
        let input = json!({ "id": id, "display_name": "Ours" });
        let payload = w.mutate(&editor, "updateDocument", "document { display_name }", input).await;
        assert_eq!(payload["document"]["display_name"], "Ours", "{payload}");
    })
    .await;
}

#[tokio::test]
async fn lists_are_narrowed_and_ordered_by_their_arguments() {
    World::each(async |w| {
        let (ada, bea) = (w.client("Ada", "a@example.com").await, w.client("Bea", "b@example.com").await);
        let folder = w.folder(&w.owner, "Guides", json!({})).await;
        w.document(&w.owner, "beta", json!({ "rel_user_id": ada })).await;
        w.document(&w.owner, "Alpha", json!({ "folder_id": folder })).await;
        w.document(&w.owner, "gamma", json!({ "clients_ids": format!("{ada},{bea}") })).await;
        let pdf = json!({ "display_name": "delta", "description": "spring harvest",
            "file_string": "data:application/pdf;base64,JVBERi0xLjQK" });
        w.mutate(&w.owner, "createDocument", "document { id }", pdf).await;
        let owner = &w.owner;
        for (arguments, wanted) in [
            (String::new(), "Alpha beta delta gamma"),
            ("(order_by: NAME_DESC, first: 2)".into(), "gamma delta"),
            ("(order_by: CREATED_AT_ASC)".into(), "beta Alpha gamma delta"),
            ("(sort_by: \"newestfirst\")".into(), "delta gamma Alpha beta"),
            (format!("(private_user_id: \"{ada}\")"), "beta"),
            (format!("(viewable_user_id: \"{ada}\")"), "gamma"),
            (format!("(consolidated_user_id: \"{ada}\")"), "beta gamma"),
            (format!("(viewable_user_id: \"{bea}\", private_user_id: \"{ada}\")"), ""),
            (format!("(folder_id: \"{folder}\")"), "Alpha"),
            ("(folder_id: \"\")".into(), "Alpha beta delta gamma"),
            ("(file_type: \"pdf\")".into(), "delta"),
            ("(file_type: \"all\")".into(), "Alpha beta delta gamma"),
            ("(file_type: \"other\")".into(), "Alpha beta gamma"),
            ("(file_types: [\"pdf\", \"txt\"])".into(), "Alpha beta delta gamma"),
            ("(for_template_use: true)".into(), "Alpha delta gamma"),
            ("(keywords: \"harvest\")".into(), "delta"),
            ("(filter: \"private\")".into(), "beta"),
            (format!("(provider_id: \"{}\")", w.standard.user_id), ""),
        ] {
            assert_eq!(w.titles(owner, &arguments).await.join(" "), wanted, "{arguments}");
        }
        let query = format!("{{ documentsCount(consolidated_user_id: \"{ada}\") documents(should_paginate: true, page_size: 2, offset: 1) {{ display_name }} }}");
        let old = w.run_in(ViewId::Baseline, owner, &query, json!({})).await;
        assert_eq!(old["data"]["documentsCount"], 2, "{old}");
        assert_eq!(old["data"]["documents"], json!([{ "display_name": "beta" }, { "display_name": "delta" }]));
    })
    .await;
}

#[tokio::test]
async fn a_merge_moves_documents_and_what_is_shared() {
    World::each(async |w| {
        let (ada, bea) =
            (w.client("Ada", "a@example.com").await, w.client("Bea", "b@example.com").await);
        let folder =
            w.folder(&w.owner, "Guides", json!({ "share_users": format!("{ada},{bea}") })).await;
        w.document(&w.owner, "about", json!({ "rel_user_id": ada, "share_with_rel": true })).await;
        w.document(&w.owner, "both", json!({ "clients_ids": [ada, bea] })).await;
        w.document(&w.owner, "in", json!({ "folder_id": folder })).await;
        let input = json!({ "ids": [ada, bea], "target_user_id": bea });
        let merged = w.mutate(&w.owner, "mergeClients", "user { id }", input).await;
        assert!(merged["messages"].is_null(), "{merged}");
        assert_eq!(w.titles(&w.as_client(&bea).await, "").await, ["about", "both", "in"]);
        assert_eq!(w.titles(&w.owner, &format!("(private_user_id: \"{bea}\")")).await, ["about"]);
        let shared: Vec<FolderSharing> = w.rows(Cond::Always).await;
        assert_eq!(shared.len(), 1, "{shared:?}");
    })
    .await;
}

#[tokio::test]
async fn what_becomes_about_a_client_is_open_to_no_other() {
    World::each(async |w| {
        let (ada, bea) =
            (w.client("Ada", "a@example.com").await, w.client("Bea", "b@example.com").await);
        let colleague = w.standard.user_id.to_string();
        let names = json!({ "clients_ids": [ada, bea], "provider_ids": [colleague] });
        let id = w.document(&w.owner, "plan", names).await;
        assert_eq!(w.titles(&w.as_client(&bea).await, "").await, ["plan"]);
        let shared = "document { users { nodes { id } } }";
        let input = json!({ "id": id, "rel_user_id": ada });
        let of_ada = w.mutate(&w.owner, "updateDocument", shared, input).await;
        let mut left: Vec<&str> = of_ada["document"]["users"]["nodes"]
            .as_array()
            .map(|users| users.iter().filter_map(|user| user["id"].as_str()).collect())
            .unwrap_or_default();
        left.sort_unstable();
        let mut wanted = [ada.as_str(), colleague.as_str()];
        wanted.sort_unstable();
        assert_eq!(left, wanted, "{of_ada}");
        assert!(w.titles(&w.as_client(&bea).await, "").await.is_empty());
        // On purpose it may be shared with another one all the same.
        let input = json!({ "id": id, "share_users": format!("{bea},{colleague}") });
        w.mutate(&w.owner, "updateDocument", shared, input).await;
        assert_eq!(w.titles(&w.as_client(&bea).await, "").await, ["plan"]);
        let input = json!({ "id": id, "rel_user_id": "" });
        let nobodys = w.mutate(&w.owner, "updateDocument", shared, input).await;
        assert!(nobodys["messages"].is_null(), "{nobodys}");
        assert!(w.titles(&w.as_client(&ada).await, "").await.is_empty());
    })
    .await;
}
