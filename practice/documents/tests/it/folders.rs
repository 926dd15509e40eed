//! Folders through the front door.

use serde_json::{Value as Json, json};
use ward_documents::folder::DEPTH_MAX;

use crate::support::World;

const SHOWN: &str = "folder { id name folder_id documents_count subfolders_count \
     current_user_can_edit parent_folder { id } folder_path { name } shared users { nodes { id } } }";

async fn path(w: &World, id: &str) -> Vec<String> {
    let query = "query($id: String) { folder(id: $id) { folder_path { name } } }";
    let data = w.run(&w.owner, query, json!({ "id": id })).await;
    let path = data["folder"]["folder_path"].as_array().unwrap().iter();
    path.map(|it| it["name"].as_str().unwrap().to_owned()).collect()
}

async fn refused(w: &World, field: &str, input: Json) -> String {
    let payload = w.mutate(&w.owner, field, "folder { id }", input).await;
    assert!(payload["folder"].is_null(), "{payload}");
    payload["messages"][0]["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn folders_nest_move_and_leave_their_contents() {
    World::each(async |w| {
        let a = w.folder(&w.owner, "A", json!({})).await;
        let b = w.folder(&w.owner, "B", json!({ "folder_id": a })).await;
        let c = w.folder(&w.owner, "C", json!({ "folder_id": b })).await;
        w.document(&w.owner, "in B", json!({ "folder_id": b })).await;
        assert_eq!(path(&w, &c).await, ["A", "B", "C"]);
        for into in [&a, &b, &c] {
            let input = json!({ "id": a, "folder_id": into });
            let said = refused(&w, "updateFolder", input).await;
            assert_eq!(said, "A folder can't be moved into itself");
        }
        let list = |argument: &str, id: &str| {
            format!("{{ folders({argument}: \"{id}\") {{ nodes {{ name }} }} }}")
        };
        let data = w.run(&w.owner, &list("folder_to_move_id", &b), json!({})).await;
        assert_eq!(data["folders"]["nodes"], json!([{ "name": "A" }]));
        let gone = w.mutate(&w.owner, "deleteFolder", "folder { id }", json!({ "id": b })).await;
        assert_eq!(gone["folder"]["id"], json!(b), "{gone}");
        assert_eq!(path(&w, &c).await, ["A", "C"]);
        let query = format!("(folder_id: \"{a}\")");
        assert_eq!(w.titles(&w.owner, &query).await, ["in B"]);
        let input = json!({ "id": c, "folder_id": "", "name": "C!" });
        let moved = w.mutate(&w.owner, "updateFolder", SHOWN, input).await;
        assert_eq!(
            (&moved["folder"]["name"], &moved["folder"]["folder_id"]),
            (&json!("C!"), &Json::Null)
        );
        let data = w.run(&w.owner, &list("folder_id", &a), json!({})).await;
        assert_eq!(data["folders"]["nodes"], json!([]));
        assert_eq!(w.events().await, ["document.created []", "document.updated [\"folder_id\"]"]);
    })
    .await;
}

#[tokio::test]
async fn folders_are_bounded_and_a_clients_stays_the_clients() {
    World::each(async |w| {
        let (ada, bea) =
            (w.client("Ada", "a@example.com").await, w.client("Bea", "b@example.com").await);
        let own = w
            .folder(&w.owner, "Ada's", json!({ "rel_user_id": ada, "share_with_rel": true }))
            .await;
        let text = "data:text/plain;base64,SGVsbG8K";
        let input = json!({ "file_string": text, "folder_id": own, "rel_user_id": bea });
        let payload = w.mutate(&w.owner, "createDocument", "document { id }", input).await;
        assert_eq!(payload["messages"][0]["field"], "folder_id", "{payload}");
        let input = json!({ "id": own, "share_users": format!("user-{bea}") });
        assert!(refused(&w, "updateFolder", input).await.contains("another client"));
        assert!(
            refused(&w, "updateFolder", json!({ "id": own, "shared_on_welcome": true }))
                .await
                .contains("everybody")
        );
        // What is put in is about its client.
        w.document(&w.owner, "plan", json!({ "folder_id": own })).await;
        assert_eq!(w.titles(&w.owner, &format!("(private_user_id: \"{ada}\")")).await, ["plan"]);
        assert_eq!(w.titles(&w.as_client(&ada).await, "").await, ["plan"]);
        assert_eq!(w.titles(&w.as_client(&bea).await, "").await, Vec::<String>::new());
        for (name, said) in
            [("", "can't be blank"), ("a\u{1}b", "control"), (&"n".repeat(256), "too long")]
        {
            assert!(
                refused(&w, "createFolder", json!({ "name": name })).await.contains(said),
                "{name}"
            );
        }
        let mut inner = w.folder(&w.owner, "1", json!({})).await;
        for n in 2..=DEPTH_MAX {
            inner = w.folder(&w.owner, &n.to_string(), json!({ "folder_id": inner })).await;
        }
        let said = refused(&w, "createFolder", json!({ "name": "x", "folder_id": inner })).await;
        assert!(said.contains("levels deep"), "{said}");
        let said = refused(&w, "createFolder", json!({ "name": "x", "folder_id": "1" })).await;
        assert_eq!(said, "Object not found");
        // Who may not edit documents puts nothing into a colleague's folder.
        let payload = w
            .mutate(
                &w.standard,
                "createFolder",
                "folder { id }",
                json!({ "name": "x", "folder_id": inner }),
            )
            .await;
        assert_eq!(payload["messages"][0]["message"], "Object not found", "{payload}");
    })
    .await;
}

#[tokio::test]
async fn a_shared_folder_tells_and_shows_what_is_in_it() {
    World::each(async |w| {
        let ada = w.client("Ada", "a@example.com").await;
        let outer =
            w.folder(&w.owner, "Outer", json!({ "share_users": format!("user-{ada}") })).await;
        let inner = w.folder(&w.owner, "Inner", json!({ "folder_id": outer })).await;
        let id = w.document(&w.owner, "leaflet", json!({ "folder_id": inner })).await;
        let client = w.as_client(&ada).await;
        assert_eq!(w.titles(&client, "").await, ["leaflet"]);
        let query = "query($id: ID, $who: String) { document(id: $id) { created_at \
             since: created_at(viewable_user_id: $who) } }";
        let data = w.run(&w.owner, query, json!({ "id": id, "who": ada })).await;
        assert_eq!(data["document"]["created_at"], data["document"]["since"], "{data}");
        let input = json!({ "id": outer, "share_users": "" });
        let changed = w.mutate(&w.owner, "updateFolder", "folder { shared }", input).await;
        assert_eq!(changed["folder"]["shared"], false, "{changed}");
        assert_eq!(w.titles(&client, "").await, Vec::<String>::new());
        assert_eq!(
            w.events().await,
            ["folder_sharing.created []", "document.created []", "folder_sharing.deleted []"]
        );
    })
    .await;
}

#[tokio::test]
async fn where_something_could_go_is_told_of_what_the_caller_sees() {
    World::each(async |w| {
        let a = w.folder(&w.owner, "A", json!({})).await;
        let loose = w.document(&w.owner, "loose", json!({})).await;
        let own = w.folder(&w.standard, "B", json!({})).await;
        w.folder(&w.standard, "C", json!({})).await;
        for (who, argument, id, wanted) in [
            (&w.owner, "document_to_move_id", &loose, "A B C"),
            (&w.standard, "document_to_move_id", &loose, ""),
            (&w.standard, "folder_to_move_id", &a, ""),
            (&w.standard, "folder_to_move_id", &own, "C"),
        ] {
            let query = format!("{{ folders({argument}: \"{id}\") {{ nodes {{ name }} }} }}");
            let data = w.run(who, &query, json!({})).await;
            let nodes = data["folders"]["nodes"].as_array().unwrap();
            let mut names: Vec<&str> = nodes.iter().filter_map(|it| it["name"].as_str()).collect();
            names.sort_unstable();
            assert_eq!(names.join(" "), wanted, "{argument} of {}", who.user_id);
        }
    })
    .await;
}
