//! Intake flows through the front door (behaviour 27).

use std::slice::from_ref;

use serde_json::{Value as Json, json};
use ward_engine::ViewId;
use ward_store::{Actor, Query, Sql};

use crate::filled::told;
use crate::support::World;

const ITEM: &str = "onboardingItem { id item_type item_id display_name is_skippable \
    onboarding_flow { id name } }";
const FLOW: &str = "onboardingFlow { id name user_groups { id } onboarding_items_count }";
const DONE: &str = "completed_onboarding_item { id skipped item_type item_id \
    onboarding_item_id user { id } }";

impl World {
    /// Makes a flow that these groups use; the id.
    pub async fn flow(&self, name: &str, groups: &[&str]) -> String {
        let input = json!({ "name": name, "groups_to_use_onboarding_flow": groups.join(",") });
        let made = self.mutate(&self.owner, "createOnboardingFlow", FLOW, input).await;
        assert!(made["messages"].is_null(), "{made}");
        made["onboardingFlow"]["id"].as_str().unwrap().to_owned()
    }

    /// Adds a step; the payload.
    pub async fn step(&self, flow: &str, rest: Json) -> Json {
        let mut input = json!({ "onboarding_flow_id": flow });
        let fields = input.as_object_mut().unwrap();
        fields.extend(rest.as_object().unwrap().clone());
        self.mutate(&self.owner, "createOnboardingItem", ITEM, input).await
    }

    /// Adds a step that asks for a form, as real clients do; the id.
    pub async fn asking(&self, flow: &str, form: &str, is_skippable: bool) -> String {
        let rest = json!({ "item_type": "custom_module_form", "item_id": form,
            "is_skippable": is_skippable });
        let made = self.step(flow, rest).await;
        assert!(made["messages"].is_null(), "{made}");
        made["onboardingItem"]["id"].as_str().unwrap().to_owned()
    }

    /// Says that a step is done, or skipped; the payload.
    pub async fn done(
        &self,
        actor: &Actor,
        step: &str,
        client: Option<&str>,
        skipped: bool,
    ) -> Json {
        let mut input = json!({ "onboarding_item_id": step, "skipped": skipped });
        if let Some(client) = client {
            input["user_id"] = client.into();
        }
        self.mutate(actor, "createCompletedOnboardingItem", DONE, input).await
    }

    /// A group that these clients are in; the id.
    pub async fn group_of(&self, name: &str, clients: &[&str]) -> String {
        let input = json!({ "name": name });
        let made = self.mutate(&self.owner, "createGroup", "user_group { id }", input).await;
        let group = made["user_group"]["id"].as_str().unwrap().to_owned();
        for client in clients {
            let input = json!({ "id": client, "user_group_id": group });
            let moved = self.mutate(&self.owner, "updateClient", "user { id }", input).await;
            assert!(moved["messages"].is_null(), "{moved}");
        }
        group
    }

    /// The steps that are due for a client, which every way to ask agrees on.
    pub async fn due(&self, actor: &Actor, client: &str) -> Vec<String> {
        let query = "query($u: ID!) { hasFormsToComplete(user_id: $u) user(id: $u) { \
            any_incomplete_onboarding_steps next_onboarding_step { id } } \
            intakeFlow(user_id: $u) { not_started_incomplete { id status } } \
            onboardingFlow(user_id: $u) { onboarding_items { id completed_onboarding_item { id } } } }";
        let answer = self.run(actor, query, json!({ "u": client })).await;
        let due = answer["intakeFlow"]["not_started_incomplete"].as_array().unwrap();
        let due: Vec<String> = due.iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(answer["hasFormsToComplete"], !due.is_empty(), "{answer}");
        assert_eq!(answer["user"]["any_incomplete_onboarding_steps"], !due.is_empty());
        let next = answer["user"]["next_onboarding_step"]["id"].as_str();
        assert_eq!(next, due.first().map(String::as_str), "{answer}");
        // What is due is not done, step by step.
        let steps = answer["onboardingFlow"]["onboarding_items"].as_array().cloned();
        for step in
            steps.unwrap_or_default().iter().filter(|it| due.iter().any(|id| it["id"] == *id))
        {
            assert!(step["completed_onboarding_item"].is_null(), "{answer}");
        }
        due
    }

    /// The names of the events of steps, in order.
    pub async fn step_events(&self) -> Vec<String> {
        let sql = Sql::fixed(
            "SELECT event_type FROM events WHERE event_type LIKE 'completed_onboarding%' \
             ORDER BY seq",
            [],
        );
        let rows = self.db.read().await.unwrap().rows(&sql).await.unwrap();
        rows.iter().map(|row| row[0].text().unwrap().to_owned()).collect()
    }
}

/// A form with a question that must be answered; the ids of both.
pub async fn form(w: &World, name: &str) -> (String, String) {
    let form = w.form(&w.owner, json!({ "name": name })).await;
    let question = w.question(&form, "text", "What else?").await;
    w.change(json!({ "id": question, "required": true })).await;
    (form, question)
}

#[tokio::test]
async fn a_client_takes_the_steps_of_their_group_one_after_another() {
    World::each(async |w| {
        let (ada, bob) =
            (w.client("Ada", "ada@example.com").await, w.client("Bob", "bob@example.com").await);
        let group = w.group_of("New", &[&ada, &bob]).await;
        assert!(w.due(&w.owner, &ada).await.is_empty(), "nobody has a flow");
        let ((consent, agree), (history, ill)) =
            (form(&w, "Consent").await, form(&w, "History").await);
        let flow = w.flow("Welcome in", &[&group]).await;
        assert!(w.due(&w.owner, &ada).await.is_empty(), "it has no step");
        let consents = w.asking(&flow, &consent, false).await;
        let tells = w.asking(&flow, &history, true).await;
        let greets = w
            .step(
                &flow,
                json!({ "item_type": "[{\"type\":\"Welcome Page\"}]",
            "is_skippable": true, "welcome_text": "Hello" }),
            )
            .await;
        let greets = greets["onboardingItem"]["id"].as_str().unwrap().to_owned();
        // The greeting comes first.
        let first = json!({ "id": greets, "row_order": 0 });
        let moved = w.mutate(&w.owner, "updateOnboardingItem", ITEM, first).await;
        assert!(moved["messages"].is_null(), "{moved}");
        let all = [greets.clone(), consents.clone(), tells.clone()];
        let me = w.as_client(&ada).await;
        assert_eq!(w.due(&w.owner, &ada).await, all);
        assert_eq!(w.due(&me, &ada).await, all, "the client reads the same");
        // Skipped, refused, and refused without the form.
        assert!(w.done(&me, &greets, None, true).await["messages"].is_null());
        let skipped = w.done(&me, &consents, None, true).await;
        assert_eq!(
            told(&skipped),
            [("skipped".to_owned(), "This step can't be skipped".to_owned())]
        );
        let unfilled = w.done(&me, &consents, None, false).await;
        assert_eq!(told(&unfilled)[0].0, "onboarding_item_id", "{unfilled}");
        assert_eq!(w.due(&me, &ada).await, all[1..]);
        // A draft that is begun for the step completes it once it is finished.
        let draft = w
            .fill(
                &me,
                json!({ "custom_module_form_id": consent, "user_id": ada,
            "onboarding_item_id": consents }),
            )
            .await;
        assert!(draft["messages"].is_null(), "{draft}");
        let draft = draft["form_answer_group"]["id"].clone();
        let progress = "{ currentUser { next_onboarding_step { id incomplete_form_id \
            completed_form_id onboarding_flow { id onboarding_items { id incomplete_form_id \
            completed_form_id date_to_show completed_onboarding_item { skipped } } } } } }";
        let step = w.run(&me, progress, json!({})).await;
        let step = &step["currentUser"]["next_onboarding_step"];
        assert_eq!(step["incomplete_form_id"], draft, "{step}");
        assert_eq!(step["onboarding_flow"]["onboarding_items"][1]["incomplete_form_id"], draft);
        let hello = &step["onboarding_flow"]["onboarding_items"][0];
        assert_eq!(hello["completed_onboarding_item"]["skipped"], true, "{step}");
        assert!(hello["date_to_show"].is_string());
        let finished = w
            .refill(
                &me,
                json!({ "id": draft, "finished": true,
            "form_answers": [{ "custom_module_id": agree, "answer": "Nothing" }] }),
            )
            .await;
        assert!(finished["messages"].is_null(), "{finished}");
        assert_eq!(w.due(&me, &ada).await, all[2..]);
        let both = "{ users(sort_by: \"first_name_asc\") { nodes { next_onboarding_step { id \
            onboarding_flow { onboarding_items { id completed_form_id } } } } } }";
        // Two clients of one flow are never taken for each other.
        let both = w.run(&w.owner, both, json!({})).await;
        let of = |at: usize| both["users"]["nodes"][at]["next_onboarding_step"].clone();
        assert_eq!(of(0)["id"], *tells, "{both}");
        assert_eq!(of(0)["onboarding_flow"]["onboarding_items"][1]["completed_form_id"], draft);
        assert_eq!(of(1)["id"], *greets);
        assert!(of(1)["onboarding_flow"]["onboarding_items"][1]["completed_form_id"].is_null());
        // What was skipped can be done still: finished at once, and without naming the step.
        assert!(w.done(&me, &tells, None, true).await["messages"].is_null());
        assert!(w.due(&me, &ada).await.is_empty());
        let told_all = w
            .fill(
                &me,
                json!({ "custom_module_form_id": history, "finished": true,
            "form_answers": [{ "custom_module_id": ill, "answer": "Never" }] }),
            )
            .await;
        assert!(told_all["messages"].is_null(), "{told_all}");
        let intake = "query($u: ID) { intakeFlow(user_id: $u) { all_forms { id status skipped \
            display_name item_type form_answer_group_id } completed_skipped { id } } }";
        let intake = w.run(&w.owner, intake, json!({ "u": ada })).await["intakeFlow"].clone();
        assert_eq!(intake["completed_skipped"].as_array().unwrap().len(), 3, "{intake}");
        assert_eq!(intake["all_forms"][2]["skipped"], false);
        assert_eq!(intake["all_forms"][2]["display_name"], "History");
        assert_eq!(
            intake["all_forms"][2]["form_answer_group_id"],
            told_all["form_answer_group"]["id"]
        );
        let created = "completed_onboarding_item.created".to_owned();
        let updated = "completed_onboarding_item.updated".to_owned();
        assert_eq!(
            w.step_events().await,
            [&created, &created, &created, &updated].map(String::clone)
        );
        // Done is done: again, it is the same.
        let again = w.done(&w.owner, &tells, Some(&ada), true).await;
        assert_eq!(again["completed_onboarding_item"]["skipped"], false, "{again}");
        assert_eq!(w.step_events().await.len(), 4);
    })
    .await;
}

#[tokio::test]
async fn whose_flow_a_client_has() {
    World::each(async |w| {
        let (ada, bob) =
            (w.client("Ada", "ada@example.com").await, w.client("Bob", "bob@example.com").await);
        let group = w.group_of("Groupies", &[&ada]).await;
        let (consent, _) = form(&w, "Consent").await;
        let (own, other) = (w.flow("Own", &[&group]).await, w.flow("Default", &[]).await);
        let asked = w.asking(&own, &consent, true).await;
        let always = w.asking(&other, &consent, true).await;
        assert_eq!(w.due(&w.owner, &ada).await, from_ref(&asked));
        assert!(w.due(&w.owner, &bob).await.is_empty(), "nobody has a default");
        // The owner's default is the organization's.
        let input = json!({ "default_onboarding_flow_id": other });
        let selects = "user { default_onboarding_flow_id default_onboarding_flow { name } }";
        let chosen = w.mutate(&w.owner, "updateUser", selects, input).await;
        assert_eq!(chosen["user"]["default_onboarding_flow"]["name"], "Default", "{chosen}");
        let place = w.run(&w.owner, "{ organization { onboarding_flow_id } }", json!({})).await;
        assert_eq!(place["organization"]["onboarding_flow_id"], *other, "{place}");
        assert_eq!(w.due(&w.owner, &ada).await, from_ref(&asked), "the group comes first");
        assert_eq!(w.due(&w.owner, &bob).await, from_ref(&always));
        assert!(
            w.done(&w.owner, &asked, Some(&ada), false).await["messages"].is_null(),
            "on paper"
        );
        let elsewhere = w.done(&w.owner, &always, Some(&ada), false).await;
        assert_eq!(told(&elsewhere)[0].0, "onboarding_item_id", "not a step of hers");
        // A form that is archived is asked of nobody.
        let archive = |is_archived: bool| json!({ "id": consent, "is_archived": is_archived });
        let selects = "customModuleForm { id }";
        w.mutate(&w.owner, "updateCustomModuleForm", selects, archive(true)).await;
        assert!(w.due(&w.owner, &bob).await.is_empty());
        w.mutate(&w.owner, "updateCustomModuleForm", selects, archive(false)).await;
        // A group that uses another flow: what was done of the former is told apart.
        let input = json!({ "id": group, "onboarding_flow_id": other });
        let selects = "user_group { onboarding_flow_id onboarding_flow { name } }";
        let group_now = w.mutate(&w.owner, "updateUserGroup", selects, input).await;
        assert_eq!(group_now["user_group"]["onboarding_flow_id"], *other, "{group_now}");
        assert_eq!(w.due(&w.owner, &ada).await, from_ref(&always));
        let former = "query($u: ID) { unassociatedCompletedOnboardingItems(user_id: $u) { \
            total_count nodes { id onboarding_item_id item_type item_id skipped user { id } } } }";
        let former = w.run(&w.owner, former, json!({ "u": ada })).await;
        let former = &former["unassociatedCompletedOnboardingItems"];
        assert_eq!(former["total_count"], 1, "{former}");
        assert_eq!(former["nodes"][0]["onboarding_item_id"], *asked);
        assert_eq!(former["nodes"][0]["item_id"], *consent);
        assert_eq!(former["nodes"][0]["item_type"], "Module Form");
        // Who used a flow that is deleted gets the one that is named.
        let input = json!({ "id": other, "flow_to_receive_groups": own });
        let gone = w.mutate(&w.owner, "deleteOnboardingFlow", "onboardingFlow { id }", input).await;
        assert!(gone["messages"].is_null(), "{gone}");
        assert!(w.due(&w.owner, &ada).await.is_empty(), "done before");
        assert_eq!(w.due(&w.owner, &bob).await, from_ref(&asked), "the default went along");
        // The baseline view lists plainly.
        let old = "{ onboardingFlows(keywords: \"ow\") { id name cursor created_at \
            onboarding_items { id item_id } user_groups_name_string user_groups_count } \
            onboardingFlowsCount availableItemTypes }";
        let old = w.run_in(ViewId::Baseline, &w.owner, old, json!({})).await;
        assert!(old.get("errors").is_none(), "{old}");
        assert_eq!(old["data"]["onboardingFlowsCount"], 1);
        let listed = &old["data"]["onboardingFlows"][0];
        assert_eq!(listed["onboarding_items"], json!([{ "id": asked, "item_id": consent }]));
        assert_eq!(listed["user_groups_name_string"], "Groupies", "{old}");
        let types: Json =
            serde_json::from_str(old["data"]["availableItemTypes"].as_str().unwrap()).unwrap();
        assert_eq!(types[0], json!({ "id": consent, "name": "Consent", "type": "Module Form" }));
        // A group that is named no more has none.
        let input = json!({ "id": own, "groups_to_use_onboarding_flow": "" });
        let none = w.mutate(&w.owner, "updateOnboardingFlow", FLOW, input).await;
        assert_eq!(none["onboardingFlow"]["user_groups"], json!([]), "{none}");
    })
    .await;
}

#[tokio::test]
async fn who_may_and_what_is_refused() {
    World::each(async |w| {
        let (ada, bob) =
            (w.client("Ada", "ada@example.com").await, w.client("Bob", "bob@example.com").await);
        let group = w.group_of("New", &[&ada, &bob]).await;
        let (consent, _) = form(&w, "Consent").await;
        let flow = w.flow("Welcome in", &[&group]).await;
        let step = w.asking(&flow, &consent, true).await;
        let me = w.as_client(&ada).await;
        // Writing takes can_edit_forms, and clients write nothing but what they have done.
        let nobody = w.with(&w.standard, &[]);
        for (field, selects, input) in [
            ("createOnboardingFlow", FLOW, json!({ "name": "Mine" })),
            ("updateOnboardingFlow", FLOW, json!({ "id": flow, "name": "Mine" })),
            ("deleteOnboardingFlow", FLOW, json!({ "id": flow })),
            (
                "createOnboardingItem",
                ITEM,
                json!({ "onboarding_flow_id": flow, "item_type": "Photo ID" }),
            ),
            ("updateOnboardingItem", ITEM, json!({ "id": step, "is_skippable": false })),
            ("deleteOnboardingItem", ITEM, json!({ "id": step })),
        ] {
            for actor in [&nobody, &me, &w.stranger] {
                let payload = w.mutate(actor, field, selects, input.clone()).await;
                let made = field == "createOnboardingFlow" && actor.org_id == w.stranger.org_id;
                assert_eq!(payload["messages"].is_null(), made, "{field}: {payload}");
            }
        }
        // Nobody's but the client's, and of those who see the client.
        let query = "query($u: ID!, $s: ID!, $f: ID) { hasFormsToComplete(user_id: $u) \
            onboardingFlow(user_id: $u) { id } intakeFlow(user_id: $u) { forms { id } } \
            unassociatedCompletedOnboardingItems(user_id: $u) { total_count } \
            onboardingItem(id: $s) { display_name completed_onboarding_item { id } } \
            flow: onboardingFlow(id: $f) { id } }";
        let asks = json!({ "u": bob, "s": step, "f": flow });
        let other = w.run(&w.stranger, query, asks.clone()).await;
        for field in
            ["hasFormsToComplete", "onboardingFlow", "intakeFlow", "onboardingItem", "flow"]
        {
            assert!(other[field].is_null(), "{field}: {other}");
        }
        let unseeing = w.run(&nobody, query, asks.clone()).await;
        for field in ["hasFormsToComplete", "onboardingFlow", "intakeFlow"] {
            assert!(unseeing[field].is_null(), "{field}: {unseeing}");
        }
        assert_eq!(unseeing["onboardingItem"]["display_name"], "Consent");
        // A client asks for themselves, whoever they name.
        let mine = w.run(&me, query, asks).await;
        assert!(mine["hasFormsToComplete"].is_null(), "{mine}");
        assert_eq!(mine["onboardingFlow"]["id"], *flow);
        assert_eq!(mine["flow"]["id"], *flow, "{mine}");
        assert_eq!(w.done(&me, &step, Some(&bob), true).await["messages"][0]["field"], "user_id");
        assert!(
            w.done(&nobody, &step, Some(&bob), true).await["messages"][0]["field"] == "user_id"
        );
        // Skipped by Ada, it is due for Bob.
        assert!(w.done(&me, &step, None, true).await["messages"].is_null());
        assert!(w.due(&me, &ada).await.is_empty());
        assert_eq!(w.due(&w.owner, &bob).await, from_ref(&step));
        // What makes no sense is told.
        let note = w.form(&w.owner, json!({ "name": "Note", "use_for_charting": true })).await;
        for (rest, field) in [
            (json!({ "item_type": "custom_module_form", "item_id": note }), "item_id"),
            (json!({ "item_type": "custom_module_form", "item_id": consent }), "item_type"),
            (json!({ "item_type": "Horoscope" }), "item_type"),
            (json!({}), "item_type"),
        ] {
            let refused = w.step(&flow, rest).await;
            assert_eq!(told(&refused)[0].0, field, "{refused}");
        }
        let (history, _) = form(&w, "History").await;
        let wrong = json!({ "custom_module_form_id": history, "user_id": bob,
            "onboarding_item_id": step });
        assert_eq!(told(&w.fill(&w.owner, wrong).await)[0].0, "onboarding_item_id");
        // Forms are switched off for a client: nothing is due that they can't do.
        let more = w.asking(&flow, &history, true).await;
        assert_eq!(w.due(&me, &ada).await, from_ref(&more));
        let off = json!({ "user_id": ada, "can_view_forms": false });
        w.mutate(&w.owner, "createFeatureToggle", "feature_toggle { id }", off).await;
        let dark = "{ onboardingFlow { id } currentUser { any_incomplete_onboarding_steps \
            next_onboarding_step { id } } }";
        let dark = w.run(&me, dark, json!({})).await;
        assert!(dark["onboardingFlow"].is_null(), "{dark}");
        assert_eq!(dark["currentUser"]["any_incomplete_onboarding_steps"], false);
        assert!(dark["currentUser"]["next_onboarding_step"].is_null());
        assert!(!w.done(&me, &more, None, true).await["messages"].is_null());
        // A step that is taken out is due for nobody.
        assert_eq!(w.due(&w.owner, &bob).await, [step.clone(), more.clone()]);
        let out = w.mutate(&w.owner, "deleteOnboardingItem", ITEM, json!({ "id": step })).await;
        assert!(out["messages"].is_null(), "{out}");
        assert_eq!(w.due(&w.owner, &bob).await, [more]);
    })
    .await;
}
