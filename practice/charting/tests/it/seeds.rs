//! A Sandbox's templates.

use serde_json::json;
use ward_charting::seed;
use ward_charting::seed_forms::FORMS;
use ward_charting::tables::{CustomModule, QuestionVersion};
use ward_identity::tables::User;
use ward_store::{Actor, Cond, Id, Scope, StoreError};

use crate::support::World;

#[tokio::test]
async fn a_seeded_practice_has_its_forms() {
    World::each(async |w| {
        let (org, owner) = (w.owner.org_id, w.owner.user_id);
        let mut ids = Vec::new();
        for first in ["Ada", "Bob", "Cyd", "Dee"] {
            let id = w.client(first, &format!("{first}@example.com")).await;
            ids.push(id.parse::<i64>().unwrap());
        }
        let told = ids.clone();
        let laid = w.db.write(move |tx| {
            let ids = told.clone();
            Box::pin(async move {
                let system = Actor::system(org);
                let mut scope = Scope::new(tx, &system);
                let provider = scope.find::<User>(Id::new(owner)).await?.unwrap();
                let mut clients = Vec::new();
                for id in ids {
                    clients.extend(scope.find::<User>(Id::new(id)).await?);
                }
                seed::lay(&mut scope, &provider, &clients).await
            })
        });
        laid.await.unwrap_or_else(|error: StoreError| panic!("{error}"));
        let query = "{ customModuleForms(order_by: NAME_ASC) { nodes { name \
            uploaded_by_healthie_team custom_modules { label } } } \
            customModuleForm(charting: true) { name } }";
        let data = w.run(&w.owner, query, json!({})).await;
        let forms = data["customModuleForms"]["nodes"].as_array().unwrap();
        assert_eq!(forms.len(), FORMS.len());
        for form in forms {
            let of = FORMS.iter().find(|it| form["name"] == it.name).unwrap();
            assert_eq!(form["uploaded_by_healthie_team"], of.is_instrument);
            assert_eq!(form["custom_modules"].as_array().unwrap().len(), of.lines.len());
        }
        assert_eq!(data["customModuleForm"]["name"], "SOAP note");
        let own = "{ customModuleForms(include_default_templates: false) { total_count } }";
        let data = w.run(&w.owner, own, json!({})).await;
        assert_eq!(data["customModuleForms"]["total_count"], 3);
        let questions: Vec<CustomModule> = w.rows(Cond::Always).await;
        let versions: Vec<QuestionVersion> = w.rows(Cond::Always).await;
        assert_eq!(questions.len(), versions.len());
        assert!(w.events().await.is_empty(), "nothing happened");
        // What the first clients have filled in: scored, signed and locked as it says.
        let query = "query($u: ID) { formAnswerGroups(user_id: $u, order_by: CREATED_AT_ASC) { \
            nodes { name chart_note_status autoscored_sections { value show } \
            form_answer_group_signings { is_intact } } } }";
        let mut seen = Vec::new();
        for id in &ids {
            let data = w.run(&w.owner, query, json!({ "u": id.to_string() })).await;
            for it in data["formAnswerGroups"]["nodes"].as_array().unwrap() {
                let total = it["autoscored_sections"].as_array().unwrap().first().cloned();
                let total = total.map(|it| it["value"].clone()).unwrap_or_default();
                let signed = &it["form_answer_group_signings"][0]["is_intact"];
                seen.push(format!("{} {} {total} {signed}", it["name"], it["chart_note_status"]));
            }
        }
        seen.sort();
        let wanted = [
            r#""Consent to care" "CREATED" null null"#,
            r#""GAD-7 Anxiety Scale" "CREATED" 7.0 null"#,
            r#""Health history" "CREATED" 5.0 null"#,
            r#""PHQ-9 Patient Health Questionnaire" "CREATED" 12.0 null"#,
            r#""SOAP note" "CREATED" 1.0 null"#,
            r#""SOAP note" "SIGNED" 1.0 true"#,
            r#""SOAP note" "SIGNED_AND_LOCKED" 1.0 true"#,
        ];
        assert_eq!(seen, wanted);
        assert!(w.filled_events().await.is_empty(), "nothing happened");
        // The intake flow: who has filled in its forms is through, who has filled in another
        // has passed the greeting, everybody else begins.
        let mut due = Vec::new();
        for id in &ids {
            due.push(w.due(&w.owner, &id.to_string()).await.len());
        }
        assert_eq!(due, [0, 3, 2, 3]);
        assert!(w.step_events().await.is_empty(), "nothing happened");
        // What they are asked besides.
        let mut asked = Vec::new();
        for id in &ids {
            let all = w.requests(&w.owner, &id.to_string()).await;
            asked.extend(all.iter().map(|it| it["status"].as_str().unwrap().to_owned()));
        }
        assert_eq!(asked, ["Completed", "Open"]);
        let recurs = "{ recurringForms { nodes { interval is_active users { id } } } }";
        let recurs = w.run(&w.owner, recurs, json!({})).await["recurringForms"]["nodes"].clone();
        let wanted = json!([{ "interval": "Monday", "is_active": true,
            "users": [{ "id": ids[2].to_string() }] }]);
        assert_eq!(recurs, wanted);
    })
    .await;
}
