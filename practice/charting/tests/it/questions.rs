//! Questions: what is kept, their order, and on what they depend.

use serde_json::{Value as Json, json};

use crate::support::World;

async fn labels(w: &World, form: &str) -> Vec<String> {
    let query = "query($id: ID) { customModuleForm(id: $id) { custom_modules { label } } }";
    let data = w.run(&w.owner, query, json!({ "id": form })).await;
    let all = data["customModuleForm"]["custom_modules"].as_array().unwrap().clone();
    all.iter().map(|it| it["label"].as_str().unwrap().to_owned()).collect()
}

fn sentence(payload: &Json) -> (String, String) {
    let message = &payload["messages"][0];
    let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
    (text("field"), text("message"))
}

#[tokio::test]
async fn any_type_is_kept_as_it_came() {
    World::each(async |w| {
        let form = w.form(&w.owner, json!({ "name": "All" })).await;
        let fields = "label sublabel mod_type options options_array required metadata external_id \
            external_id_type exclude_from_scribe is_custom position position_integer hipaa_name \
            custom_module_form_id custom_module_form { name }";
        for mod_type in ["radio", "synced_allergy", "Body Fat %", "a type of tomorrow"] {
            let input = json!({ "custom_module_form_id": form, "mod_type": mod_type, "label": "Q",
                "sublabel": "below", "options": "One\n\n Two \n", "required": true,
                "metadata": "{\"k\":[1]}", "external_id": "7", "external_id_type": "LOINC",
                "exclude_from_scribe": true, "is_custom": false });
            let selects = format!("customModule {{ {fields} }}");
            let made = w.mutate(&w.owner, "createCustomModule", &selects, input).await;
            assert!(made["messages"].is_null(), "{made}");
            let made = &made["customModule"];
            assert_eq!(made["mod_type"], mod_type);
            assert_eq!(made["options"], "One\nTwo");
            assert_eq!(made["options_array"], json!(["One", "Two"]));
            assert_eq!(made["metadata"], "{\"k\":[1]}");
            assert_eq!(made["external_id_type"], "LOINC");
            assert_eq!(made["exclude_from_scribe"], true);
            assert_eq!(made["is_custom"], false);
            assert_eq!(made["custom_module_form"]["name"], "All");
        }
        let hipaa = w.question(&form, "hipaa", "Notice").await;
        let heading = w.question(&form, "label", "Score").await;
        let scored = w.question(&form, "radio", "How often?").await;
        w.question(&form, "text", "Remarks").await;
        w.question(&form, "autoscored_calculator", "Total").await;
        let query = "query($id: ID) { customModuleForm(id: $id) { has_matrix_field \
            has_non_readonly_modules uploaded_by_healthie_team user { id } last_updated_by_user { id } \
            custom_modules { id mod_type hipaa_name position custom_module_form_section_id \
            other_module_ids_to_autoscore_on } } }";
        let data = w.run(&w.owner, query, json!({ "id": form })).await;
        let read = &data["customModuleForm"];
        assert_eq!(read["has_matrix_field"], false);
        assert_eq!(read["has_non_readonly_modules"], true);
        assert_eq!(read["uploaded_by_healthie_team"], false);
        assert_eq!(read["user"]["id"], w.owner.user_id.to_string());
        let all = read["custom_modules"].as_array().unwrap();
        assert_eq!(all[4]["id"], hipaa.as_str());
        assert_eq!(all[4]["hipaa_name"], "Testwell Practice");
        assert!(all[4]["custom_module_form_section_id"].is_null());
        assert_eq!(all[0]["hipaa_name"], Json::Null);
        assert_eq!(all[6]["custom_module_form_section_id"], heading.as_str());
        assert_eq!(all[8]["other_module_ids_to_autoscore_on"], json!([scored]));
        assert_eq!(all[8]["position"], 9.0);
    })
    .await;
}

#[tokio::test]
async fn order_is_by_index() {
    World::each(async |w| {
        let form = w.form(&w.owner, json!({ "name": "Order" })).await;
        let a = w.question(&form, "text", "a").await;
        w.question(&form, "text", "b").await;
        let c = w.question(&form, "text", "c").await;
        w.change(json!({ "id": c, "index": 0 })).await;
        assert_eq!(labels(&w, &form).await, ["c", "a", "b"]);
        w.change(json!({ "id": a, "index": 99 })).await;
        assert_eq!(labels(&w, &form).await, ["c", "b", "a"]);
        // So often between the same two that there is no room left.
        for n in 0..14 {
            let input = json!({ "custom_module_form_id": form, "mod_type": "text",
                "label": format!("n{n}"), "index": 1 });
            let made = w.mutate(&w.owner, "createCustomModule", "customModule { id }", input).await;
            assert!(made["messages"].is_null(), "{made}");
        }
        let all = labels(&w, &form).await;
        assert_eq!(all[..3], ["c", "n13", "n12"]);
        assert_eq!(all[14..], ["n0", "b", "a"]);
        let payload = w.change(json!({ "id": a, "index": -1 })).await;
        assert_eq!(sentence(&payload).0, "index");
    })
    .await;
}

#[tokio::test]
async fn conditions_and_circles() {
    World::each(async |w| {
        let form = w.form(&w.owner, json!({ "name": "Depends" })).await;
        let other = w.form(&w.owner, json!({ "name": "Other" })).await;
        let a = w.question(&form, "radio", "a").await;
        let b = w.question(&form, "text", "b").await;
        let text = w.question(&form, "read_only", "text").await;
        let elsewhere = w.question(&other, "text", "x").await;
        let on = |of: &str, filter: &str, value: &str| {
            json!({ "conditional_custom_module_id": of, "filter_type": filter,
                "value_to_filter": value })
        };
        let set = async |id: &str, condition: Json| {
            w.change(json!({ "id": id, "custom_module_condition": condition })).await
        };
        let made = set(&b, on(&a, "equals", "Yes")).await;
        assert!(made["messages"].is_null(), "{made}");
        let condition = &made["customModule"]["custom_module_condition"];
        assert_eq!(condition["conditional_custom_module_id"], a.as_str());
        assert_eq!(condition["custom_module_id"], b.as_str());
        let controls = "query($id: ID) { customModuleForm(id: $id) { custom_modules { \
            controls_conditional_modules } } }";
        let data = w.run(&w.owner, controls, json!({ "id": form })).await;
        let all = &data["customModuleForm"]["custom_modules"];
        assert_eq!(
            [&all[0], &all[1]].map(|it| it["controls_conditional_modules"] == true),
            [true, false]
        );

        let before = w.events().await;
        for (id, condition, field) in [
            (&a, on(&b, "is_answered", ""), "conditional_custom_module_id"),
            (&a, on(&a, "is_answered", ""), "conditional_custom_module_id"),
            (&a, on(&elsewhere, "equals", "x"), "conditional_custom_module_id"),
            (&a, on(&text, "equals", "x"), "conditional_custom_module_id"),
            (&a, on("999999999999", "equals", "x"), "conditional_custom_module_id"),
            (&a, on(&text, "sounds_like", "x"), "filter_type"),
            (&b, on(&a, "equals", " "), "value_to_filter"),
            (&b, on(&a, "greater_than", "much"), "value_to_filter"),
        ] {
            let refused = set(id, condition).await;
            assert!(refused["customModule"].is_null(), "{refused}");
            assert_eq!(sentence(&refused).0, field, "{refused}");
        }
        let circle = set(&a, on(&b, "is_answered", "")).await;
        assert!(sentence(&circle).1.contains("in a circle"), "{circle}");
        let nested =
            w.change(json!({ "id": a, "parent_custom_module_id": b.parse::<i64>().unwrap() }));
        let nested = nested.await;
        assert!(nested["customModule"].is_null(), "{nested}");
        assert_eq!(w.events().await, before);

        // Who takes out what decides leaves nothing behind that waits for it.
        let payload = w
            .mutate(&w.owner, "deleteCustomModule", "customModule { id }", json!({ "id": a }))
            .await;
        assert!(payload["messages"].is_null(), "{payload}");
        let data = w
            .run(
                &w.owner,
                "query($id: ID) { customModuleForm(id: $id) { custom_modules { \
            label custom_module_condition { id } } } }",
                json!({ "id": form }),
            )
            .await;
        let left = &data["customModuleForm"]["custom_modules"];
        assert_eq!(left[0]["label"], "b");
        assert!(left[0]["custom_module_condition"].is_null());
        let events = w.events().await;
        assert!(events.contains(&"custom_module.updated [\"custom_module_condition\"]".to_owned()));
        assert_eq!(events.last().unwrap(), "custom_module.deleted []");
    })
    .await;
}

#[tokio::test]
async fn options_as_a_list() {
    World::each(async |w| {
        let form = w.form(&w.owner, json!({ "name": "Options" })).await;
        let id = w.question(&form, "radio", "a").await;
        let payload =
            w.change(json!({ "id": id, "options_array": ["One", "Two\nlines", ""] })).await;
        assert_eq!(payload["customModule"]["options"], "One\nTwo lines");
        let many: Vec<String> = (0..501).map(|n| n.to_string()).collect();
        let payload = w.change(json!({ "id": id, "options_array": many })).await;
        assert_eq!(sentence(&payload).0, "options");
        let none: Option<Vec<String>> = None;
        let payload = w.change(json!({ "id": id, "options_array": none })).await;
        assert!(payload["customModule"]["options"].is_null());
    })
    .await;
}
