//! Who acts for a client (DOM-35): what they write of the client, and what they learn of forms that
//! are confidential.

use serde_json::{Value as Json, json};
use ward_store::Actor;

use crate::filled::told;
use crate::support::World;

/// A client, and somebody who acts for them: the client's id, as themselves, and as acted for.
async fn acted_for(w: &World) -> (String, Actor, Actor) {
    let ada = w.client("Ada", "ada@example.com").await;
    let ben = w.client("Ben", "ben@example.com").await;
    let own = w.as_client(&ada).await;
    let acting = Actor { proxy_id: Some(ben.parse().unwrap()), ..own.clone() };
    (ada, own, acting)
}

#[tokio::test]
async fn dom_35_what_who_acts_says_of_the_client_stays_in_the_form() {
    World::each(async |w| {
        let (ada, own, acting) = acted_for(&w).await;
        let form = w.form(&w.owner, json!({ "name": "Intake" })).await;
        let mut answers = Vec::new();
        for (mod_type, answer) in
            [("name", "Adela,Cruz"), ("dob", "2019-02-01"), ("phone", "+1 202-555-0100")]
        {
            let question = w.question(&form, mod_type, mod_type).await;
            answers.push(json!({ "custom_module_id": question, "answer": answer }));
        }
        let query = "query($id: ID) { user(id: $id) { first_name last_name dob phone_number } }";
        let record = async || w.run(&w.owner, query, json!({ "id": ada })).await["user"].clone();
        let before = record().await;
        assert_eq!(before["first_name"], "Ada", "{before}");
        let input = |finished: bool| {
            json!({ "custom_module_form_id": form, "finished": finished, "form_answers": answers })
        };
        let made = w.fill(&acting, input(true)).await;
        assert!(made["messages"].is_null(), "{made}");
        let said = &made["form_answer_group"]["form_answers"];
        assert_eq!(said.as_array().map(Vec::len), Some(3), "the answers stand: {made}");
        assert_eq!(record().await, before, "begun and finished at once");
        let draft = w.fill(&acting, input(false)).await["form_answer_group"]["id"].clone();
        let done = w.refill(&acting, json!({ "id": draft, "finished": true })).await;
        assert!(done["messages"].is_null(), "{done}");
        assert_eq!(record().await, before, "finished later");
        for input in [
            json!({ "dob": "2019-02-01" }),
            json!({ "timezone": "Pacific/Kiritimati" }),
            json!({ "timezone": null }),
            json!({ "first_name": "Adela" }),
            json!({ "legal_name": "Adela" }),
            json!({ "phone_number": "+1 202-555-0100" }),
            json!({ "skipped_email": true }),
        ] {
            let refused = w.mutate(&acting, "updateUser", "user { id }", input.clone()).await;
            let said = told(&refused)[0].1.clone();
            assert!(said.starts_with("You act for somebody else"), "{input}: {refused}");
        }
        assert_eq!(record().await, before);
        // The client says it themselves.
        assert!(w.fill(&own, input(true)).await["messages"].is_null());
        assert_eq!(record().await["dob"], "2019-02-01");
    })
    .await;
}

#[tokio::test]
async fn dom_35_a_step_with_a_confidential_form_is_the_clients_own() {
    World::each(async |w| {
        let (ada, own, acting) = acted_for(&w).await;
        let mut forms = Vec::new();
        for confidentiality in ["NORMAL", "PART_2"] {
            let input = json!({ "name": confidentiality, "confidentiality": confidentiality });
            let form = w.form(&w.owner, input).await;
            w.question(&form, "text", "Anything?").await;
            forms.push(form);
        }
        let group = w.group_of("New", &[&ada]).await;
        let flow = w.flow("Intake", &[&group]).await;
        let plain = w.asking(&flow, &forms[0], true).await;
        let part_2 = w.asking(&flow, &forms[1], true).await;
        let query = "query($u: ID!) { onboardingFlow(user_id: $u) { onboarding_items { id \
            completed_onboarding_item { id } } } }";
        let steps = async |actor: &Actor| {
            let read = w.run(actor, query, json!({ "u": ada })).await;
            read["onboardingFlow"]["onboarding_items"].clone()
        };
        let open = |id: &str| json!({ "id": id, "completed_onboarding_item": null });
        assert_eq!(steps(&own).await, json!([open(&plain), open(&part_2)]));
        assert_eq!(steps(&acting).await, json!([open(&plain)]));
        // Neither skipped nor said to be done; as one that there is not.
        for skipped in [true, false] {
            let refused = w.done(&acting, &part_2, None, skipped).await;
            assert_eq!(told(&refused)[0].1, "Object not found", "{refused}");
        }
        let filled = json!({ "custom_module_form_id": forms[1], "finished": true });
        assert!(w.fill(&own, filled).await["messages"].is_null());
        let done = steps(&own).await[1]["completed_onboarding_item"]["id"].clone();
        assert!(done.is_string(), "{done}");
        let query = "query($id: ID!) { completedOnboardingItem(id: $id) { id } }";
        let seen = async |actor: &Actor, id: &Json| {
            w.run(actor, query, json!({ "id": id })).await["completedOnboardingItem"].is_object()
        };
        assert!(seen(&own, &done).await && !seen(&acting, &done).await);
        // What was filled in stays confidential when its form is not any more.
        let input = json!({ "id": forms[1], "confidentiality": "NORMAL" });
        let field = "updateCustomModuleForm";
        let eased = w.mutate(&w.owner, field, "customModuleForm { id }", input).await;
        assert!(eased["messages"].is_null(), "{eased}");
        assert_eq!(steps(&acting).await, json!([open(&plain), open(&part_2)]));
        assert!(!seen(&acting, &done).await);
        let skipped = w.done(&acting, &plain, None, true).await;
        assert_eq!(skipped["completed_onboarding_item"]["skipped"], true, "{skipped}");
    })
    .await;
}
