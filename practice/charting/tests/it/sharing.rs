//! Copies are independent; sharing gives one to a colleague, who is told by mail.

use serde_json::{Value as Json, json};
use ward_charting::tables::{CustomModule, CustomModuleCondition};
use ward_store::{Cond, Query, Sql};

use crate::support::World;

async fn asked(w: &World) -> (String, String, String) {
    let form =
        w.form(&w.owner, json!({ "name": "Intake", "external_id": "e", "prefill": true })).await;
    // The one that decides comes second.
    let late = w.question(&form, "text", "late").await;
    let decides = w.question(&form, "radio", "decides").await;
    let condition = json!({ "conditional_custom_module_id": decides, "filter_type": "equals",
        "value_to_filter": "Yes" });
    let payload = w.change(json!({ "id": late, "custom_module_condition": condition })).await;
    assert!(payload["messages"].is_null(), "{payload}");
    (form, late, decides)
}

async fn mails(w: &World) -> i64 {
    let sql = Sql::fixed("SELECT COUNT(*) FROM effect_intents WHERE kind = 'form_shared'", []);
    w.db.read().await.unwrap().rows(&sql).await.unwrap().scalar().unwrap().int().unwrap()
}

#[tokio::test]
async fn copies_are_independent() {
    World::each(async |w| {
        let (form, late, decides) = asked(&w).await;
        let selects = "customModuleForm { id name external_id prefill custom_modules { id label \
            copied_from_form_name custom_module_condition { conditional_custom_module_id } } }";
        let copied =
            w.mutate(&w.owner, "copyCustomModuleForm", selects, json!({ "id": form })).await;
        let copy = copied["customModuleForm"].clone();
        assert_eq!(copy["name"], "Copy of Intake");
        assert_eq!(copy["prefill"], true);
        assert!(copy["external_id"].is_null());
        let (first, second) = (&copy["custom_modules"][0], &copy["custom_modules"][1]);
        assert_ne!(first["id"], late.as_str());
        assert_ne!(second["id"], decides.as_str());
        let of = &first["custom_module_condition"]["conditional_custom_module_id"];
        assert_eq!(of, &second["id"]);
        assert_eq!(first["copied_from_form_name"], "Intake");
        w.change(json!({ "id": decides, "label": "changed" })).await;
        let query = "query($id: ID) { customModuleForm(id: $id) { custom_modules { label } } }";
        let data = w.run(&w.owner, query, json!({ "id": copy["id"] })).await;
        assert_eq!(data["customModuleForm"]["custom_modules"][1]["label"], "decides");

        let both = json!({ "id_list": format!("{form},{}", copy["id"].as_str().unwrap()) });
        let copied =
            w.mutate(&w.owner, "copyCustomModuleForm", "customModuleForm { name }", both).await;
        assert_eq!(copied["customModuleForm"]["name"], "Copy of Intake");
        let count = w.run(&w.owner, "{ customModuleFormsCount }", json!({})).await;
        assert_eq!(count["customModuleFormsCount"], 4);

        let twin = w.mutate(
            &w.owner,
            "copyCustomModule",
            "customModule { id label }",
            json!({ "id": late }),
        );
        assert_eq!(twin.await["customModule"]["label"], "late");
        let data = w.run(&w.owner, query, json!({ "id": form })).await;
        let all = data["customModuleForm"]["custom_modules"].clone();
        let labels: Vec<&str> =
            all.as_array().unwrap().iter().map(|it| it["label"].as_str().unwrap()).collect();
        assert_eq!(labels, ["late", "late", "changed"]);
        let conditions: Vec<CustomModuleCondition> =
            w.rows(Cond::eq("conditional_custom_module_id", decides.parse::<i64>().unwrap())).await;
        assert_eq!(conditions.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn shared_with_a_colleague() {
    World::each(async |w| {
        let (form, ..) = asked(&w).await;
        w.client("Ada", "ada@example.com").await;
        let share = async |to: &str, validate: bool| -> Json {
            let input =
                json!({ "id": form, "form_share_recipient": to, "validate_permissions": validate });
            let selects = "customModuleForm { id name user { id } }";
            w.mutate(&w.owner, "shareCustomModuleForm", selects, input).await
        };
        let before: Vec<CustomModule> = w.rows(Cond::Always).await;
        // Nobody, a client, and a member of another practice are told apart by nothing.
        for to in ["nobody@example.com", "ada@example.com", "stranger@example.com"] {
            let refused = share(to, false).await;
            assert_eq!(refused["messages"][0]["field"], "form_share_recipient", "{refused}");
            let sentence = "No active member of your organization has this e-mail";
            assert_eq!(refused["messages"][0]["message"], sentence);
        }
        assert_eq!(share("", false).await["messages"][0]["field"], "form_share_recipient");
        assert_eq!(w.rows::<CustomModule>(Cond::Always).await.len(), before.len());
        assert_eq!(mails(&w).await, 0);
        let shared = share(" Stan@Example.com ", true).await;
        assert!(shared["messages"].is_null(), "{shared}");
        assert_ne!(shared["customModuleForm"]["id"], form.as_str());
        assert_eq!(shared["customModuleForm"]["name"], "Intake");
        assert_eq!(shared["customModuleForm"]["user"]["id"], w.standard.user_id.to_string());
        assert_eq!(mails(&w).await, 1);
        let refused = share("sue@example.com", true).await;
        assert_eq!(refused["messages"][0]["field"], "form_share_recipient");
        assert_eq!(mails(&w).await, 1);
    })
    .await;
}
