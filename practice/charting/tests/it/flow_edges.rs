//! Intake flows between a practice and its sub-organizations, and what becomes of steps that
//! change meanwhile (behaviour 15, 27).

use std::slice::from_ref;

use serde_json::{Value as Json, json};

use crate::filled::told;
use crate::flows::form;
use crate::support::World;

const FLOW: &str = "onboardingFlow { id }";
const ITEM: &str = "onboardingItem { id item_type item_id is_skippable }";
const CLIENT: &str = "user { id }";

fn id(payload: &Json, field: &str) -> String {
    assert!(payload["messages"].is_null(), "{payload}");
    payload[field]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_flow_of_the_whole_is_for_its_units_and_one_of_a_unit_for_nobody_else() {
    World::each(async |w| {
        let branch = w.branch().await;
        let ada = w.client("Ada", "ada@example.com").await;
        let input =
            json!({ "first_name": "Cara", "last_name": "Client", "email": "cara@example.com" });
        let cara = id(&w.mutate(&branch, "createClient", CLIENT, input).await, "user");
        let (consent, agree) = form(&w, "Consent").await;
        let whole = w.flow("Of the whole", &[]).await;
        let step = w.asking(&whole, &consent, false).await;
        let default = |flow: &str| json!({ "default_onboarding_flow_id": flow });
        for _ in 0..2 {
            // What they read they can send back, too.
            let chosen = w.mutate(&branch, "updateUser", CLIENT, default(&whole)).await;
            assert!(chosen["messages"].is_null(), "{chosen}");
        }
        // Whoever is asked to fill in a form of the whole can do so.
        let me = w.as_client(&cara).await;
        assert_eq!(w.due(&branch, &cara).await, from_ref(&step));
        assert_eq!(w.due(&me, &cara).await, from_ref(&step));
        let answers = json!([{ "custom_module_id": agree, "answer": "Nothing" }]);
        let input =
            json!({ "custom_module_form_id": consent, "finished": true, "form_answers": answers });
        let filled = w.fill(&me, input).await;
        assert!(filled["messages"].is_null(), "{filled}");
        assert!(w.due(&me, &cara).await.is_empty());
        // A flow of the unit is nobody else's, by whatever way.
        let name = json!({ "name": "Of the unit" });
        let unit =
            id(&w.mutate(&branch, "createOnboardingFlow", FLOW, name).await, "onboardingFlow");
        let refused = w.mutate(&w.owner, "updateUser", CLIENT, default(&unit)).await;
        assert_eq!(told(&refused)[0].0, "default_onboarding_flow_id", "{refused}");
        id(&w.mutate(&w.owner, "updateUser", CLIENT, default(&whole)).await, "user");
        let input = json!({ "id": whole, "flow_to_receive_groups": unit });
        let refused = w.mutate(&w.owner, "deleteOnboardingFlow", FLOW, input).await;
        assert_eq!(told(&refused)[0].0, "flow_to_receive_groups", "{refused}");
        assert_eq!(w.due(&w.owner, &ada).await, from_ref(&step), "nothing is half-done");
    })
    .await;
}

#[tokio::test]
async fn what_becomes_of_a_step_that_changes_meanwhile() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let group = w.group_of("New", &[&ada]).await;
        let ((consent, agree), (history, _)) =
            (form(&w, "Consent").await, form(&w, "History").await);
        let flow = w.flow("Welcome in", &[&group]).await;
        let step = w.asking(&flow, &consent, false).await;
        let me = w.as_client(&ada).await;
        let input = json!({ "custom_module_form_id": consent, "onboarding_item_id": step });
        let draft = w.fill(&me, input).await["form_answer_group"]["id"].clone();
        // The step asks for another form by the time when the draft is finished.
        let otherwise = json!({ "id": step, "item_id": history });
        let changed = w.mutate(&w.owner, "updateOnboardingItem", ITEM, otherwise).await;
        assert_eq!(changed["onboardingItem"]["item_id"], *history, "{changed}");
        let answers = json!([{ "custom_module_id": agree, "answer": "Nothing" }]);
        let finished =
            w.refill(&me, json!({ "id": draft, "finished": true, "form_answers": answers })).await;
        assert!(finished["messages"].is_null(), "{finished}");
        assert_eq!(w.due(&me, &ada).await, from_ref(&step));
        // A step whose form is archived can be changed still; it is due for nobody.
        let archive = json!({ "id": history, "is_archived": true });
        w.mutate(&w.owner, "updateCustomModuleForm", "customModuleForm { id }", archive).await;
        let same = json!({ "id": step, "item_type": "Module Form", "item_id": history,
            "is_skippable": true });
        let changed = w.mutate(&w.owner, "updateOnboardingItem", ITEM, same).await;
        assert_eq!(changed["onboardingItem"]["is_skippable"], true, "{changed}");
        assert!(w.due(&me, &ada).await.is_empty());
        let name = "query($s: ID!) { onboardingItem(id: $s) { display_name } }";
        let name = async |actor| {
            w.run(actor, name, json!({ "s": step })).await["onboardingItem"]["display_name"].clone()
        };
        assert_eq!(name(&w.owner).await, "History");
        assert_eq!(name(&me).await, "Module Form", "a form that clients don't see has no name");
        // What is offered can be sent as it is offered.
        let types = w.run(&w.owner, "{ availableItemTypes }", json!({})).await;
        let types: Json =
            serde_json::from_str(types["availableItemTypes"].as_str().unwrap()).unwrap();
        let photo = types.as_array().unwrap().iter().find(|it| it["name"] == "Photo ID").unwrap();
        let rest = json!({ "item_type": photo["type"], "item_id": photo["id"] });
        let made = w.step(&flow, rest).await;
        assert_eq!(made["onboardingItem"]["item_type"], "Photo ID", "{made}");
        assert!(made["onboardingItem"]["item_id"].is_null());
    })
    .await;
}

#[tokio::test]
async fn of_clients_who_are_merged_what_one_has_done_is_done() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let twin = w.client("Ada", "twin@example.com").await;
        let group = w.group_of("New", &[&ada, &twin]).await;
        let flow = w.flow("Welcome in", &[&group]).await;
        let mut steps = Vec::new();
        for item_type in ["Welcome Page", "Photo ID"] {
            let rest = json!({ "item_type": item_type, "is_skippable": true });
            steps.push(id(&w.step(&flow, rest).await, "onboardingItem"));
        }
        // Of the one step the twin has done more, of the other Ada.
        for (client, skips) in [(&ada, [true, false]), (&twin, [false, true])] {
            for (step, skips) in steps.iter().zip(skips) {
                let done = w.done(&w.owner, step, Some(client), skips).await;
                assert!(done["messages"].is_null(), "{done}");
            }
        }
        let input = json!({ "ids": [ada, twin], "target_user_id": ada });
        let merged = id(&w.mutate(&w.owner, "mergeClients", CLIENT, input).await, "user");
        let intake = "query($u: ID) { intakeFlow(user_id: $u) { completed_skipped { skipped } } }";
        let intake = w.run(&w.owner, intake, json!({ "u": merged })).await;
        let done = json!([{ "skipped": false }, { "skipped": false }]);
        assert_eq!(intake["intakeFlow"]["completed_skipped"], done, "{intake}");
    })
    .await;
}
