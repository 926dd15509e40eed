//! `createSharings`, `deleteSharings` and `shareable` through the front door (behaviour 31): what
//! answers a document or a folder, whichever it is.

use serde_json::{Value as Json, json};
use ward_documents::tables::{Document, Folder};
use ward_engine::ViewId;
use ward_identity::flags::{
    ALLOW_GROUP_LEVEL_ACTIONS, CAN_EDIT_DOCS, CAN_SEE_CLIENTS,
    CAN_SHARE_DOCUMENTS_AND_FOLDERS_WITH_ORG_MEMBERS,
};
use ward_store::{Actor, Cond};

use crate::support::World;

const SHOWN: &str = "__typename ... on Document { id display_name shared users { nodes { id } } } \
    ... on Folder { id name shared users { nodes { id } } user_groups { id } }";

impl World {
    /// Calls `createSharings` or `deleteSharings`; the whole answer.
    async fn sharings(&self, actor: &Actor, of: (&str, &str, &str), more: Json) -> Json {
        let (verb, kind, id) = of;
        let input_type = if verb == "create" { "CreateSharings" } else { "DestroySharings" };
        let query = format!(
            "mutation($input: {input_type}Input) {{ {verb}Sharings(input: $input) {{ {SHOWN} }} }}"
        );
        let mut input = json!({ "id": id, "shareable_type": kind });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.run_in(ViewId::V2026, actor, &query, json!({ "input": input })).await
    }

    /// What is answered to such a call that is done.
    async fn shares(&self, of: (&str, &str, &str), more: Json) -> Json {
        let answer = self.sharings(&self.owner, of, more).await;
        assert!(answer.get("errors").is_none(), "{answer}");
        answer["data"][format!("{}Sharings", of.0)].clone()
    }
}

/// Field and sentence of the first message of a refused call, of which nothing is answered.
fn told(answer: &Json) -> (String, String) {
    let fields = answer["data"].as_object().unwrap();
    assert!(fields.values().all(Json::is_null), "{answer}");
    let error = &answer["errors"][0];
    assert_eq!(error["extensions"]["code"], "REFUSED", "{answer}");
    let message = &error["extensions"]["messages"][0];
    assert_eq!(error["message"], message["message"], "{answer}");
    let text = |it: &Json| it.as_str().unwrap_or_default().to_owned();
    (text(&message["field"]), text(&message["message"]))
}

#[tokio::test]
async fn a_document_and_a_folder_are_shared_and_shared_no_more() {
    World::each(async |w| {
        let (ada, bea) =
            (w.client("Ada", "a@example.com").await, w.client("Bea", "b@example.com").await);
        let group =
            w.mutate(&w.owner, "createGroup", "user_group { id }", json!({ "name": "G" })).await;
        let group = group["user_group"]["id"].as_str().unwrap().to_owned();
        let document = w.document(&w.owner, "Leaflet", json!({})).await;
        let folder = w.folder(&w.owner, "Guides", json!({})).await;
        let stan = w.standard.user_id.to_string();
        let of = ("create", "DOCUMENT", document.as_str());
        let both = json!({ "patient_ids": [ada, bea], "org_member_ids": [stan] });
        let made = w.shares(of, both).await;
        assert_eq!((&made["__typename"], &made["id"]), (&json!("Document"), &json!(document)));
        assert_eq!(made["users"]["nodes"].as_array().unwrap().len(), 3, "{made}");
        assert!(made.get("name").is_none(), "{made}");
        // What is shared already is not shared twice, and nothing is told of it.
        let again = w.shares(of, json!({ "patient_ids": [ada] })).await;
        assert_eq!(again["users"]["nodes"].as_array().unwrap().len(), 3, "{again}");
        for who in [&ada, &bea] {
            assert_eq!(w.titles(&w.as_client(who).await, "").await, ["Leaflet"]);
        }
        let of = ("delete", "DOCUMENT", document.as_str());
        let left = w.shares(of, json!({ "patient_ids": [bea], "org_member_ids": [stan] })).await;
        assert_eq!(left["users"]["nodes"], json!([{ "id": ada }]), "{left}");
        assert_eq!(w.titles(&w.as_client(&bea).await, "").await, Vec::<String>::new());
        let of = ("create", "FOLDER", folder.as_str());
        let made = w.shares(of, json!({ "patient_ids": [ada], "user_group_ids": [group] })).await;
        assert_eq!(made["__typename"], "Folder", "{made}");
        assert_eq!((&made["name"], &made["shared"]), (&json!("Guides"), &json!(true)));
        assert_eq!(made["user_groups"], json!([{ "id": group }]), "{made}");
        let of = ("delete", "FOLDER", folder.as_str());
        let left = w.shares(of, json!({ "patient_ids": [ada], "user_group_ids": [group] })).await;
        assert_eq!(left["shared"], false, "{left}");
        assert_eq!(
            w.events().await,
            [
                "document.created []",
                "document.updated [\"users\"]",
                "document.updated [\"users\"]",
                "folder_sharing.created []",
                "folder_sharing.created []",
                "folder_sharing.deleted []",
                "folder_sharing.deleted []",
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn all_members_and_all_clients_take_rights_of_their_own() {
    World::each(async |w| {
        let ada = w.client("Ada", "a@example.com").await;
        let id = w.document(&w.owner, "Rules", json!({})).await;
        let folder = w.folder(&w.owner, "All", json!({})).await;
        let everybody =
            json!({ "share_with_all_clients": true, "share_with_all_org_members": true });
        for (kind, id) in [("DOCUMENT", &id), ("FOLDER", &folder)] {
            w.shares(("create", kind, id.as_str()), everybody.clone()).await;
        }
        assert_eq!(w.titles(&w.as_client(&ada).await, "").await, ["Rules"]);
        assert_eq!(w.titles(&w.with(&w.standard, &[]), "").await, ["Rules"]);
        let documents = w.rows::<Document>(Cond::Always).await;
        assert!(documents.iter().all(|it| it.shared_on_welcome && it.shared_with_dietitians));
        let folders = w.rows::<Folder>(Cond::Always).await;
        assert!(folders.iter().all(|it| it.shared_on_welcome && it.shared_with_dietitians));
        // Of one's own document, which needs no right to be changed.
        let own = w.document(&w.standard, "Own", json!({})).await;
        for (field, permission) in [
            ("share_with_all_clients", ALLOW_GROUP_LEVEL_ACTIONS),
            ("share_with_all_org_members", CAN_EDIT_DOCS),
        ] {
            let none = w.with(&w.standard, &[]);
            let wide = json!({ field: true });
            let of = ("create", "DOCUMENT", own.as_str());
            let answer = w.sharings(&none, of, wide.clone()).await;
            assert!(answer["data"]["createSharings"].is_null(), "{answer}");
            let extensions = &answer["errors"][0]["extensions"];
            assert_eq!(extensions["code"], "PERMISSION_DENIED", "{answer}");
            assert_eq!(extensions["permission"], permission.name, "{answer}");
            let holder = w.with(&w.standard, &[permission]);
            let answer = w.sharings(&holder, of, wide).await;
            assert!(answer.get("errors").is_none(), "{answer}");
        }
        // What is about a client is shared with no group and not with everybody.
        let chart = w.document(&w.owner, "Labs", json!({ "rel_user_id": ada })).await;
        let of = ("create", "DOCUMENT", chart.as_str());
        let answer = w.sharings(&w.owner, of, json!({ "share_with_all_clients": true })).await;
        let (field, sentence) = told(&answer);
        assert_eq!(field, "share_with_all_clients");
        assert!(sentence.contains("about a client"), "{sentence}");
    })
    .await;
}

#[tokio::test]
async fn what_is_not_allowed_or_not_there_is_refused_in_a_sentence() {
    World::each(async |w| {
        let ada = w.client("Ada", "a@example.com").await;
        let id = w.document(&w.owner, "Leaflet", json!({ "org_level": true })).await;
        let owner = w.owner.user_id.to_string();
        let gone = || "Object not found".to_owned();
        for verb in ["create", "delete"] {
            let of = (verb, "DOCUMENT", id.as_str());
            // A client is no member, a member no client, and nobody is nobody.
            for (field, wrong) in [
                ("org_member_ids", ada.as_str()),
                ("patient_ids", owner.as_str()),
                ("patient_ids", "1"),
                ("user_group_ids", "1"),
            ] {
                let answer = w.sharings(&w.owner, of, json!({ field: [wrong] })).await;
                assert_eq!(told(&answer), (field.to_owned(), gone()), "{verb}");
            }
            // A document is no folder.
            let answer = w.sharings(&w.owner, (verb, "FOLDER", id.as_str()), json!({})).await;
            assert_eq!(told(&answer), ("id".to_owned(), gone()));
            let answer = w.sharings(&w.stranger, of, json!({})).await;
            assert_eq!(told(&answer), ("id".to_owned(), gone()));
            // Who sees it and may not change it shares nothing; a client neither.
            for who in [&w.with(&w.standard, &[CAN_SEE_CLIENTS]), &w.as_client(&ada).await] {
                let answer = w.sharings(who, of, json!({ "patient_ids": [ada] })).await;
                assert!(answer["data"][format!("{verb}Sharings")].is_null(), "{answer}");
                let code = &answer["errors"][0]["extensions"]["code"];
                assert_eq!(code, "PERMISSION_DENIED", "{answer}");
            }
            let first: i64 = ada.parse().unwrap();
            let many: Vec<String> = (first..=first + 1_000).map(|n| n.to_string()).collect();
            let answer = w.sharings(&w.owner, of, json!({ "patient_ids": many })).await;
            assert!(told(&answer).1.contains("At most 1000"), "{answer}");
            let answer = w.sharings(&w.owner, (verb, "COURSE", id.as_str()), json!({})).await;
            let sentence = answer["errors"][0]["message"].as_str().unwrap();
            assert!(sentence.contains("shareable_type"), "{sentence}");
        }
        // Colleagues take a right of their own.
        let own = w.document(&w.standard, "Own", json!({})).await;
        let of = ("create", "DOCUMENT", own.as_str());
        let with = json!({ "org_member_ids": [owner] });
        let none = w.with(&w.standard, &[]);
        let answer = w.sharings(&none, of, with.clone()).await;
        let right = CAN_SHARE_DOCUMENTS_AND_FOLDERS_WITH_ORG_MEMBERS;
        assert_eq!(answer["errors"][0]["extensions"]["permission"], right.name, "{answer}");
        let answer = w.sharings(&w.with(&w.standard, &[right]), of, with).await;
        assert!(answer.get("errors").is_none(), "{answer}");
    })
    .await;
}

#[tokio::test]
async fn what_can_be_shared_is_read_by_its_type() {
    World::each(async |w| {
        let ada = w.client("Ada", "a@example.com").await;
        // Documents and folders are numbered apart, each from the same number on.
        w.document(&w.owner, "First", json!({})).await;
        let document = w.document(&w.owner, "Leaflet", json!({})).await;
        let folder = w.folder(&w.owner, "Guides", json!({})).await;
        assert_ne!(document, folder);
        let query = "query($d: ID!, $f: ID!) { \
            one: shareable(id: $d, shareable_type: DOCUMENT) { ...Shown } \
            two: shareable(id: $f, shareable_type: FOLDER) { ...Shown ... on Folder { owner { id } } } \
            none: shareable(id: $d, shareable_type: FOLDER) { ...Shown } \
            never: shareable(id: \"1\", shareable_type: DOCUMENT) { __typename } } \
            fragment Shown on Shareable { what: __typename ... on Document { title: display_name } \
            ... on Folder { title: name } }";
        let both = json!({ "d": document, "f": folder });
        let owner = w.owner.user_id.to_string();
        for view in [ViewId::V2026, ViewId::Baseline] {
            let answer = w.run_in(view, &w.owner, query, both.clone()).await;
            assert_eq!(
                answer,
                json!({ "data": {
                    "one": { "what": "Document", "title": "Leaflet" },
                    "two": { "what": "Folder", "title": "Guides", "owner": { "id": owner } },
                    "none": null,
                    "never": null,
                } })
            );
        }
        // Conditions hold inside a branch, and fields of the other branch may have the same key.
        let query = "query($id: ID!, $yes: Boolean!) { \
            shareable(id: $id, shareable_type: DOCUMENT) { ... on Shareable { \
            ... on Document @include(if: $yes) { display_name } ... on Folder { display_name: name } \
            ... on Document @skip(if: $yes) { __typename } } } }";
        for (yes, shown) in [
            (true, json!({ "display_name": "Leaflet" })),
            (false, json!({ "__typename": "Document" })),
        ] {
            let data = w.run(&w.owner, query, json!({ "id": document, "yes": yes })).await;
            assert_eq!(data, json!({ "shareable": shown }));
        }
        // What is no member of the union is never asked of one.
        let query = "query($id: ID!) { shareable(id: $id, shareable_type: DOCUMENT) { \
            ... on User { id } } }";
        let answer = w.run_in(ViewId::V2026, &w.owner, query, json!({ "id": document })).await;
        assert!(answer["errors"].is_array(), "{answer}");
        let query = "{ __type(name: \"Shareable\") { kind possibleTypes { name } } }";
        let data = w.run(&w.owner, query, json!({})).await;
        let members = json!([{ "name": "Document" }, { "name": "Folder" }]);
        assert_eq!(data["__type"], json!({ "kind": "UNION", "possibleTypes": members }));
        // Who does not see it is told nothing, until it is shared with them.
        let query = "query($id: ID!) { shareable(id: $id, shareable_type: DOCUMENT) { \
            ... on Document { display_name } } }";
        let asked = json!({ "id": document });
        let client = w.as_client(&ada).await;
        let nothing = json!({ "shareable": null });
        for who in [&client, &w.stranger] {
            assert_eq!(w.run(who, query, asked.clone()).await, nothing);
        }
        w.shares(("create", "DOCUMENT", document.as_str()), json!({ "patient_ids": [ada] })).await;
        let shown = w.run(&client, query, asked).await;
        assert_eq!(shown, json!({ "shareable": { "display_name": "Leaflet" } }));
    })
    .await;
}
