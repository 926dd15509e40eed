//! Comments on entries through the front door.

use serde_json::{Value as Json, json};
use ward_clinical::comment::table::Comment;
use ward_engine::ViewId;
use ward_store::Cond;

use crate::support::World;

const SELECTS: &str =
    "comment { id content is_reaction entry_id user_id author { id } creator { id } }";

#[tokio::test]
async fn what_is_said_of_an_entry() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let b = w.client("Bo", "b@example.com").await;
        let (ada, bo) = (w.as_client(&a).await, w.as_client(&b).await);
        let note = json!({ "type": "NoteEntry", "description": "A calm day" });
        let made = w.mutate(&ada, "createEntry", "entry { id }", note).await;
        let entry = made["entry"]["id"].as_str().unwrap().to_owned();
        let input = json!({ "entry_id": entry, "content": " Well done ", "is_reaction": false });
        let made = w.mutate(&w.owner, "createComment", SELECTS, input).await;
        let (id, owner) = (made["comment"]["id"].clone(), w.owner.user_id.to_string());
        assert_eq!(
            made["comment"],
            json!({ "id": id, "content": "Well done", "is_reaction": false, "entry_id": entry,
                "user_id": owner, "author": { "id": owner }, "creator": { "id": owner } })
        );
        let input = json!({ "entry_id": entry, "content": "👍", "is_reaction": true });
        let sign = w.mutate(&ada, "createComment", SELECTS, input).await;
        let sign = sign["comment"]["id"].clone();
        // In the order in which it was said, from the entry and from the list, in both views.
        let query = "query($id: ID) { entry(id: $id) { comments { content } } \
            comments(entry_id: $id) { nodes { id } } }";
        let told = w.run(&ada, query, json!({ "id": entry })).await;
        let words = json!([{ "content": "Well done" }, { "content": "👍" }]);
        assert_eq!(told["entry"]["comments"], words);
        assert_eq!(told["comments"]["nodes"], json!([{ "id": id }, { "id": sign }]));
        let query = "query($ids: [ID]) { comments(entry_ids: $ids) { id entry_id } }";
        let old = w.run_in(ViewId::Baseline, &w.owner, query, json!({ "ids": [entry] })).await;
        assert_eq!(old["data"]["comments"].as_array().unwrap().len(), 2, "{old}");
        assert_eq!(old["data"]["comments"][0]["entry_id"], json!(entry));
        assert_eq!(
            w.run(&w.owner, "{ comments { nodes { id } } }", json!({})).await["comments"]["nodes"],
            json!([])
        );
        // Nobody speaks in another's name, says nothing, or takes back what another said.
        let sentence = async |actor, field: &str, input: Json| {
            let done = w.mutate(actor, field, "comment { id }", input).await;
            assert!(done["comment"].is_null(), "{done}");
            done["messages"][0]["message"].as_str().unwrap().to_owned()
        };
        let blank = json!({ "entry_id": entry, "content": " " });
        assert_eq!(sentence(&w.owner, "createComment", blank).await, "Content can't be blank");
        let other = json!({ "entry_id": entry, "content": "So", "user_id": a });
        assert_eq!(sentence(&w.owner, "createComment", other).await, "Object not found");
        let refused = sentence(&w.owner, "deleteComment", json!({ "id": sign })).await;
        assert!(refused.contains("written by somebody else"), "{refused}");
        // Who does not see the entry sees nothing of it.
        let one = "query($id: ID) { comment(id: $id) { content } }";
        for actor in [&bo, &w.stranger, &w.with(&w.standard, &[])] {
            assert!(w.run(actor, one, json!({ "id": id })).await["comment"].is_null());
            let said = json!({ "entry_id": entry, "content": "So" });
            assert_eq!(sentence(actor, "createComment", said).await, "Object not found");
            let gone = sentence(actor, "deleteComment", json!({ "id": id })).await;
            assert_eq!(gone, "Object not found");
        }
        let gone = w.mutate(&ada, "deleteComment", "comment { id }", json!({ "id": sign })).await;
        assert_eq!(gone["comment"]["id"], sign, "{gone}");
        assert_eq!(w.rows::<Comment>(Cond::Always).await.len(), 1);
        // With the entry goes what was said of it.
        w.mutate(&ada, "deleteEntry", "entry { id }", json!({ "id": entry })).await;
        assert!(w.run(&w.owner, one, json!({ "id": id })).await["comment"].is_null());
        let wanted = [
            "entry.created []",
            "comment.created []",
            "comment.created []",
            "comment.deleted []",
            "entry.deleted []",
        ];
        assert_eq!(w.events().await, wanted);
    })
    .await;
}
