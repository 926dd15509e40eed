//! Who sees which document: the rules of behaviour 31 as a pure function, and the
//! table's predicate compared with it on both engines.

use serde_json::json;
use ward_identity::flags::{CAN_SEE_DOCS, IS_ADMIN};

use crate::support::World;

/// How a document is shared.
#[derive(Clone, Copy, Debug, Default)]
struct Facts {
    /// Whose it is about: Ada.
    about: bool,
    /// With Ada by name, with her group, through a folder in a folder.
    named: bool,
    group: bool,
    folder: bool,
    welcome: bool,
    charted: bool,
    all_members: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Viewer {
    Owner,
    /// Another client, of Ada's group; one of none.
    Fellow,
    Other,
    Ada,
    /// A member who sees Ada, or not; with `can_see_docs`, or not.
    Member {
        sees: bool,
        docs: bool,
    },
}

/// The rule.
fn sees(viewer: Viewer, it: Facts) -> bool {
    match viewer {
        Viewer::Owner => true,
        Viewer::Ada => it.named || it.group || it.folder || it.welcome,
        Viewer::Fellow => !it.about && (it.group || it.welcome),
        Viewer::Other => !it.about && it.welcome,
        Viewer::Member { sees, docs } => {
            (!it.about || sees) && (docs || it.all_members || (it.about && it.charted))
        }
    }
}

/// Every document that can be: what is about a client is shared with no group and at
/// no welcome.
fn all() -> Vec<Facts> {
    let bit = |n: usize, at: usize| n & (1 << at) != 0;
    let facts = (0..128).map(|n| Facts {
        about: bit(n, 0),
        named: bit(n, 1),
        group: bit(n, 2),
        folder: bit(n, 3),
        welcome: bit(n, 4),
        charted: bit(n, 5),
        all_members: bit(n, 6),
    });
    let can_be = |it: &Facts| !it.about || (!it.group && !it.welcome);
    facts.filter(|it| can_be(it) && (!it.charted || it.about)).collect()
}

#[tokio::test]
async fn the_predicate_is_the_rule() {
    World::each(async |w| {
        let group = w.mutate(&w.owner, "createGroup", "user_group { id doc_share_id }", json!({ "name": "G" })).await;
        let group = &group["user_group"];
        let ids = [w.client("Ada", "a@example.com").await, w.client("Fay", "f@example.com").await, w.client("Otto", "o@example.com").await];
        let [ada, fellow, other] = &ids;
        let join = |who: &str| json!({ "id": who, "user_group_id": group["id"] });
        w.mutate(&w.owner, "updateClient", "user { id }", join(ada)).await;
        let outer = w.folder(&w.owner, "Outer", json!({ "share_users": ada })).await;
        let inner = w.folder(&w.owner, "Inner", json!({ "folder_id": outer })).await;
        let all = all();
        for (n, it) in all.iter().enumerate() {
            let mut shared = Vec::new();
            shared.extend(it.named.then(|| json!(format!("user-{ada}"))));
            shared.extend(it.group.then(|| group["doc_share_id"].clone()));
            let mut input = json!({ "share_users": shared, "include_in_charting": it.charted, "org_level": it.all_members });
            if it.about {
                // The client's own share is that of `share_with_rel`.
                input["rel_user_id"] = json!(ada);
                input["share_users"] = json!([]);
                input["share_with_rel"] = json!(it.named);
            }
            if it.folder {
                input["folder_id"] = json!(inner);
            }
            let id = w.document(&w.owner, &format!("{n:03}"), input).await;
            if it.welcome {
                let input = json!({ "id": id, "shared_on_welcome": true });
                let changed = w.mutate(&w.owner, "updateDocument", "document { id }", input).await;
                assert!(changed["messages"].is_null(), "{changed}");
            }
        }
        // Whoever joins the group afterwards sees what it has.
        w.mutate(&w.owner, "updateClient", "user { id }", join(fellow)).await;
        let stan = &w.standard;
        let viewers = [
            (Viewer::Owner, w.owner.clone()),
            (Viewer::Ada, w.as_client(ada).await),
            (Viewer::Fellow, w.as_client(fellow).await),
            (Viewer::Other, w.as_client(other).await),
            (Viewer::Member { sees: false, docs: false }, w.with(stan, &[])),
            (Viewer::Member { sees: false, docs: true }, w.with(stan, &[CAN_SEE_DOCS])),
            (Viewer::Member { sees: true, docs: false }, w.with(stan, &[IS_ADMIN])),
            (Viewer::Member { sees: true, docs: true }, w.with(stan, &[IS_ADMIN, CAN_SEE_DOCS])),
        ];
        for (viewer, actor) in viewers {
            let found = w.titles(&actor, "").await;
            let wanted: Vec<String> = (0..).zip(&all).filter(|(_, it)| sees(viewer, **it)).map(|(n, _)| format!("{n:03}")).collect();
            assert_eq!(found, wanted, "{viewer:?}");
        }
        assert_eq!(w.titles(&w.stranger, "").await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn restriction_and_the_switch_of_documents_hide() {
    World::each(async |w| {
        let ada = w.client("Ada", "a@example.com").await;
        w.document(
            &w.owner,
            "chart",
            json!({ "rel_user_id": ada, "include_in_charting": true, "share_with_rel": true }),
        )
        .await;
        let admin = w.with(&w.standard, &[IS_ADMIN, CAN_SEE_DOCS]);
        assert_eq!(w.titles(&admin, "").await, ["chart"]);
        w.mutate(&w.owner, "updateClient", "user { id }", json!({ "id": ada, "restricted": true }))
            .await;
        let nothing = Vec::<String>::new();
        assert_eq!(
            (w.titles(&admin, "").await, w.titles(&w.owner, "").await),
            (nothing.clone(), vec!["chart".to_owned()])
        );
        let client = w.as_client(&ada).await;
        assert_eq!(w.titles(&client, "").await, ["chart"]);
        let input = json!({ "user_id": ada, "can_view_documents": false });
        let off = w.mutate(&w.owner, "createFeatureToggle", "feature_toggle { id }", input).await;
        assert!(off["messages"].is_null(), "{off}");
        assert_eq!(w.titles(&client, "").await, nothing);
        let input = json!({ "file_string": "data:text/plain;base64,SGVsbG8K" });
        let payload = w.mutate(&client, "createDocument", "document { id }", input).await;
        assert!(
            payload["messages"][0]["message"].as_str().unwrap().contains("switched documents off"),
            "{payload}"
        );
        assert_eq!(w.files().await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_clients_upload_is_in_their_chart_and_names_nobody_else() {
    World::each(async |w| {
        let (ada, bea) = (w.client("Ada", "a@example.com").await, w.client("Bea", "b@example.com").await);
        let client = w.as_client(&ada).await;
        let id = w.document(&client, "card", json!({})).await;
        let admin = w.with(&w.standard, &[IS_ADMIN]);
        assert_eq!((w.titles(&admin, "").await, w.titles(&client, "").await), (vec!["card".to_owned()], vec!["card".to_owned()]));
        assert_eq!(w.titles(&w.as_client(&bea).await, "").await, Vec::<String>::new());
        // A guide of both: neither client learns of the other.
        w.document(&w.owner, "guide", json!({ "clients_ids": [ada, bea] })).await;
        let query = "{ documents(first: 5) { nodes { display_name shared_users_count users(first: 5) { nodes { id } } internal_notes metadata } } }";
        let data = w.run(&client, query, json!({})).await;
        let guide = &data["documents"]["nodes"][1];
        assert_eq!((&guide["users"]["nodes"], &guide["shared_users_count"]), (&json!([{ "id": ada }]), &json!(null)), "{data}");
        let change = json!({ "id": id, "display_name": "x" });
        let payload = w.mutate(&client, "updateDocument", "document { id }", change).await;
        assert_eq!(payload["messages"][0]["field"], "base", "{payload}");
    })
    .await;
}
