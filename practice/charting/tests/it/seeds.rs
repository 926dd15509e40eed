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
        let laid = w.db.write(move |tx| {
            Box::pin(async move {
                let system = Actor::system(org);
                let mut scope = Scope::new(tx, &system);
                let provider = scope.find::<User>(Id::new(owner)).await?.unwrap();
                seed::lay(&mut scope, &provider).await
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
    })
    .await;
}
