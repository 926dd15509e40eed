//! Templates: making, changing, listing, archiving and deleting them.

use serde_json::{Value as Json, json};
use ward_identity::flags::{CAN_EDIT_FORMS, SEES_ALL_CLIENTS};
use ward_store::Actor;

use crate::support::World;

async fn names(w: &World, actor: &Actor, arguments: &str) -> Vec<String> {
    let query = format!("{{ customModuleForms({arguments}) {{ nodes {{ name }} }} }}");
    let data = w.run(actor, &query, json!({})).await;
    let nodes = data["customModuleForms"]["nodes"].as_array().unwrap().clone();
    nodes.iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
}

async fn seen(w: &World, actor: &Actor, id: &str) -> Json {
    let query = "query($id: ID) { customModuleForm(id: $id) { id name use_for_charting \
        custom_modules { label exclude_from_scribe is_custom } metadata } }";
    w.run(actor, query, json!({ "id": id })).await["customModuleForm"].clone()
}

/// A flag denied and allowed (SEC-03): without `can_edit_forms` nothing is written.
#[tokio::test]
async fn who_may_edit() {
    World::each(async |w| {
        let form = w.form(&w.owner, json!({ "name": "Intake" })).await;
        let question = w.question(&form, "text", "Why?").await;
        let without = w.with(&w.standard, &[SEES_ALL_CLIENTS]);
        let with = w.with(&w.standard, &[CAN_EDIT_FORMS]);
        let written = w.events().await.len();
        for (field, object, input) in [
            ("createCustomModuleForm", "customModuleForm", json!({ "name": "Mine" })),
            ("updateCustomModuleForm", "customModuleForm", json!({ "id": form, "name": "X" })),
            ("copyCustomModuleForm", "customModuleForm", json!({ "id": form })),
            (
                "shareCustomModuleForm",
                "customModuleForm",
                json!({ "id": form, "form_share_recipient": "sue@example.com" }),
            ),
            (
                "createCustomModule",
                "customModule",
                json!({ "custom_module_form_id": form, "mod_type": "text" }),
            ),
            ("updateCustomModule", "customModule", json!({ "id": question, "label": "X" })),
            ("copyCustomModule", "customModule", json!({ "id": question })),
            ("deleteCustomModule", "customModule", json!({ "id": question })),
            ("deleteCustomModuleForm", "customModuleForm", json!({ "id": form })),
        ] {
            let selects = format!("{object} {{ id }}");
            let before = w.events().await.len();
            let refused = w.mutate(&without, field, &selects, input.clone()).await;
            assert!(refused[object].is_null(), "{field}: {refused}");
            assert_eq!(w.events().await.len(), before, "{field}");
            let done = w.mutate(&with, field, &selects, input).await;
            assert!(done["messages"].is_null() && !done[object].is_null(), "{field}: {done}");
        }
        assert!(w.events().await.len() > written);
    })
    .await;
}

#[tokio::test]
async fn a_template_lives() {
    World::each(async |w| {
        let selects = "customModuleForm { id }";
        let blank = w.mutate(&w.owner, "createCustomModuleForm", selects, json!({})).await;
        assert_eq!(blank["messages"][0]["field"], "name");
        let bad = json!({ "name": "A", "metadata": "{", "use_for_charting": true,
            "use_for_program": true });
        let bad = w.mutate(&w.owner, "createCustomModuleForm", selects, bad).await;
        assert_eq!(bad["messages"][0]["field"], "metadata");
        let long = format!("\"{}\"", "x".repeat(10_000));
        let long = json!({ "name": "A", "metadata": long });
        let long = w.mutate(&w.owner, "createCustomModuleForm", selects, long).await;
        assert_eq!(long["messages"][0]["field"], "metadata");
        assert!(w.events().await.is_empty());

        let intake = w.form(&w.owner, json!({ "name": "Intake", "metadata": "{\"a\": 1}" })).await;
        let note = w.form(&w.owner, json!({ "name": "Note", "use_for_charting": true })).await;
        w.form(&w.owner, json!({ "name": "Lesson", "use_for_program": true })).await;
        assert_eq!(names(&w, &w.owner, "order_by: NAME_ASC").await, ["Intake", "Lesson", "Note"]);
        for (category, wanted) in
            [("intake", "Intake"), ("charting", "Note"), ("program", "Lesson")]
        {
            assert_eq!(names(&w, &w.owner, &format!("category: \"{category}\"")).await, [wanted]);
        }
        assert_eq!(names(&w, &w.owner, "keywords: \"inta\"").await, ["Intake"]);
        assert_eq!(
            names(&w, &w.owner, "sort_by: \"type_asc\"").await,
            ["Note", "Intake", "Lesson"]
        );

        // A draft is its maker's and of those who edit; a form that asks is everybody's.
        let client = w.client("Ada", "ada@example.com").await;
        let client = w.as_client(&client).await;
        let nobody = Actor::anonymous();
        let reader = w.with(&w.standard, &[SEES_ALL_CLIENTS]);
        for actor in [&reader, &client, &nobody] {
            assert!(seen(&w, actor, &intake).await.is_null());
        }
        w.question(&intake, "text", "Why?").await;
        w.question(&note, "text", "Plan").await;
        for actor in [&reader, &client, &nobody] {
            let read = seen(&w, actor, &intake).await;
            assert_eq!(read["custom_modules"][0]["label"], "Why?");
        }
        assert_eq!(seen(&w, &w.owner, &intake).await["metadata"], "{\"a\": 1}");
        assert!(seen(&w, &client, &intake).await["metadata"].is_null());
        assert!(!seen(&w, &reader, &note).await.is_null());
        for actor in [&client, &nobody, &w.stranger] {
            assert!(seen(&w, actor, &note).await.is_null());
        }
        assert_eq!(names(&w, &client, "order_by: NAME_ASC").await, ["Intake"]);
        assert!(names(&w, &nobody, "order_by: NAME_ASC").await.is_empty());
        let branch = w.branch().await;
        assert!(seen(&w, &branch, &intake).await.is_null());

        let count = "{ customModuleFormsCount formTypesToRequest { id name item_type } }";
        let data = w.run(&w.owner, count, json!({})).await;
        assert_eq!(data["customModuleFormsCount"], 3);
        let wanted = json!([{ "id": intake, "name": "Intake", "item_type": "cmf" }]);
        assert_eq!(data["formTypesToRequest"], wanted);

        let archive = json!({ "id": intake, "is_archived": true });
        w.mutate(&w.owner, "updateCustomModuleForm", selects, archive).await;
        assert_eq!(names(&w, &w.owner, "active_status: false").await, ["Intake"]);
        assert_eq!(names(&w, &w.owner, "active_status: true").await.len(), 2);
        assert!(seen(&w, &client, &intake).await.is_null());
        let gone = w.mutate(&w.owner, "deleteCustomModuleForm", selects, json!({ "id": intake }));
        assert_eq!(gone.await["customModuleForm"]["id"], intake.as_str());
        assert!(seen(&w, &w.owner, &intake).await.is_null());
        let events = w.events().await;
        assert!(events.contains(&"custom_module_form.updated [\"is_archived\"]".to_owned()));
        assert_eq!(events.last().unwrap(), "custom_module_form.deleted []");
    })
    .await;
}
