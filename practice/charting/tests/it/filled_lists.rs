//! What filled forms begin with, how they are listed, and what is refused of them.

use serde_json::{Value as Json, json};
use ward_charting::filled::tables::{FormAnswer, FormAnswerGroup};
use ward_engine::ViewId;
use ward_store::{Actor, Cond};

use crate::filled::told;
use crate::support::World;

#[tokio::test]
async fn what_a_form_begins_with() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let form = w.form(&w.owner, json!({ "name": "History", "prefill": true })).await;
        w.question(&form, "name", "Your name").await;
        let drugs = w.question(&form, "text", "What do you take?").await;
        let agreed = w.question(&form, "agree_to_above", "I agree").await;
        let query = "query($f: ID, $u: ID, $d: ID) { initialFormAnswers(custom_module_form_id: $f, \
            user_id: $u, incomplete_form_id: $d) { custom_module_id answer label user_id \
            custom_module { id mod_type } conditional_custom_module_id } }";
        let initial = async |actor: &Actor, draft: Json| {
            let vars = json!({ "f": form, "u": ada, "d": draft });
            let data = w.run(actor, query, vars).await;
            let list = data["initialFormAnswers"].as_array().unwrap().clone();
            list.iter().map(|it| it["answer"].as_str().map(str::to_owned)).collect::<Vec<_>>()
        };
        let text = |it: &str| Some(it.to_owned());
        assert_eq!(initial(&w.owner, Json::Null).await, [text("Ada,Client"), None, None]);
        assert!(initial(&w.with(&w.standard, &[]), Json::Null).await.is_empty());
        let answers = json!([{ "custom_module_id": drugs, "answer": "Aspirin" },
            { "custom_module_id": agreed, "answer": "true" }]);
        let input = json!({ "custom_module_form_id": form, "user_id": ada, "finished": true,
            "form_answers": answers });
        let made = w.fill(&w.owner, input).await;
        let shown = &made["form_answer_group"]["form_answers"][2]["displayed_answer"];
        assert!(shown.as_str().unwrap().starts_with("Agreed To On "), "{made}");
        let wanted = [text("Ada,Client"), text("Aspirin"), None];
        assert_eq!(initial(&w.owner, Json::Null).await, wanted);
        let as_ada = w.as_client(&ada).await;
        assert_eq!(initial(&as_ada, Json::Null).await, wanted);
        let begun = json!({ "custom_module_form_id": form, "set_initial_answers": true });
        let draft = w.fill(&as_ada, begun).await;
        let draft = &draft["form_answer_group"];
        assert_eq!(draft["form_answers"][0]["displayed_answer"], "Client, Ada", "{draft}");
        assert_eq!(draft["form_answers"][1]["answer"], "Aspirin");
        let other = json!([{ "custom_module_id": drugs, "answer": "Ibuprofen" }]);
        w.refill(&as_ada, json!({ "id": draft["id"], "form_answers": other })).await;
        let from_draft = initial(&as_ada, draft["id"].clone()).await;
        assert_eq!(from_draft, [text("Ada,Client"), text("Ibuprofen"), None]);
        // What the draft says is what it says: agreed to, or emptied again.
        let other = json!([{ "custom_module_id": drugs, "answer": "" },
            { "custom_module_id": agreed, "answer": "true" }]);
        let saved = w.refill(&as_ada, json!({ "id": draft["id"], "form_answers": other })).await;
        let from_draft = initial(&as_ada, draft["id"].clone()).await;
        assert_eq!(from_draft, [text("Ada,Client"), None, text("true")]);
        let query = "query($d: ID) { initialFormAnswers(incomplete_form_id: $d) { id \
            custom_module { options_array required is_custom exclude_from_scribe } } }";
        let data = w.run(&as_ada, query, json!({ "d": draft["id"] })).await;
        let list = data["initialFormAnswers"].as_array().unwrap();
        let rows = saved["form_answer_group"]["form_answers"].as_array().unwrap();
        let ids = |list: &[Json]| list.iter().map(|it| it["id"].clone()).collect::<Vec<_>>();
        assert_eq!(ids(list), ids(rows), "an answer of the draft goes by its own id");
        assert_eq!(list[0]["custom_module"]["required"], false);
    })
    .await;
}

#[tokio::test]
async fn lists_by_their_arguments() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let mut forms = Vec::new();
        for (name, charting, day) in
            [("Intake", false, "2026-03-04"), ("Visit note", true, "2026-03-06T23:30:00")]
        {
            let form = w.form(&w.owner, json!({ "name": name, "use_for_charting": charting }));
            let form = form.await;
            w.question(&form, "text", "Q").await;
            let input = json!({ "custom_module_form_id": form, "user_id": ada, "finished": true,
                "formatted_date": day, "external_id": name });
            assert!(w.fill(&w.owner, input).await["messages"].is_null());
            forms.push(form);
        }
        let names = async |field: &str, arguments: &str| {
            let query = format!("{{ {field}({arguments}) {{ nodes {{ name }} }} }}");
            let data = w.run(&w.owner, &query, json!({})).await;
            let nodes = data[field]["nodes"].as_array().unwrap().clone();
            nodes.iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let groups = async |arguments: &str| names("formAnswerGroups", arguments).await;
        assert_eq!(groups("order_by: CREATED_AT_ASC").await, ["Intake", "Visit note"]);
        assert_eq!(groups("order_by: UNSORTED").await.len(), 2);
        assert_eq!(groups(r#"date: "2026-03-06""#).await, ["Visit note"]);
        assert_eq!(groups(r#"name: "visit""#).await, ["Visit note"]);
        assert_eq!(groups("use_for_charting: false").await, ["Intake"]);
        assert_eq!(groups("locked_status: true").await, [] as [&str; 0]);
        assert_eq!(groups("signed_status: false").await.len(), 2);
        assert_eq!(groups(&format!("custom_module_form_id: {}", forms[0])).await, ["Intake"]);
        assert_eq!(groups(&format!("user_id: {}", w.owner.user_id)).await, [] as [&str; 0]);
        assert_eq!(groups(&format!("filler_id: {}", w.owner.user_id)).await.len(), 2);
        assert_eq!(groups("ids: []").await, [] as [&str; 0]);
        let notes = async |arguments: &str| names("chartNotes", arguments).await;
        let days = r#"start_date: "2026-03-05", end_date: "2026-03-06""#;
        assert_eq!(notes(days).await, ["Visit note"]);
        assert_eq!(notes("chart_note_status: CREATED").await.len(), 2);
        assert_eq!(notes("chart_note_status: SIGNED_AND_LOCKED").await, [] as [&str; 0]);
        assert_eq!(notes("exclude_requested_and_intake_flow_forms: true").await, ["Visit note"]);
        let one = r#"{ formAnswerGroup(external_id: "Intake") { name created_at record_created_at
            filler { first_name } custom_module_form { name } } }"#;
        let one = w.run(&w.owner, one, json!({})).await;
        assert_eq!(one["formAnswerGroup"]["custom_module_form"]["name"], "Intake");
        assert_eq!(one["formAnswerGroup"]["filler"]["first_name"], "Olive");
        let old = "query($u: String) { formAnswerGroups(user_id: $u, should_paginate: true, \
            page_size: 1) { name cursor created_at } formAnswerGroupsCount(user_id: $u) \
            chartingItemsCount(user_id: $u) chartingItems(user_id: $u, keywords: \"intake\") { name } }";
        let old = w.run_in(ViewId::Baseline, &w.owner, old, json!({ "u": ada })).await;
        let data = &old["data"];
        assert_eq!(data["formAnswerGroups"][0]["name"], "Visit note", "{old}");
        assert_eq!(data["formAnswerGroups"].as_array().unwrap().len(), 1);
        assert_eq!(data["formAnswerGroupsCount"], 2);
        assert_eq!(data["chartingItemsCount"], 2);
        assert_eq!(data["chartingItems"], json!([{ "name": "Intake" }]));
    })
    .await;
}

#[tokio::test]
async fn what_is_refused_changes_nothing() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let form = w.form(&w.owner, json!({ "name": "Visit" })).await;
        let q = w.question(&form, "text", "Q").await;
        let other = w.form(&w.owner, json!({ "name": "Other" })).await;
        let theirs = w.question(&other, "text", "Not of this form").await;
        let refused = async |more: Json, field: &str| {
            let mut input = json!({ "custom_module_form_id": form, "user_id": ada });
            for (key, value) in more.as_object().unwrap() {
                input[key] = value.clone();
            }
            let done = w.fill(&w.owner, input).await;
            assert_eq!(told(&done).first().map(|it| it.0.as_str()), Some(field), "{done}");
        };
        refused(json!({ "user_id": null }), "user_id").await;
        refused(json!({ "user_id": w.owner.user_id.to_string() }), "user_id").await;
        refused(json!({ "custom_module_form_id": null }), "custom_module_form_id").await;
        refused(json!({ "metadata": "{" }), "metadata").await;
        refused(json!({ "name": "n".repeat(256) }), "name").await;
        refused(json!({ "formatted_date": "0900-01-01" }), "formatted_date").await;
        refused(json!({ "date": "2026-03-04", "time": "late" }), "time").await;
        refused(json!({ "time": "09:30" }), "time").await;
        refused(json!({ "appointment_id": "1" }), "appointment_id").await;
        let answer = |it: Json| json!({ "form_answers": [it] });
        refused(answer(json!({ "answer": "?" })), "custom_module_id").await;
        refused(answer(json!({ "custom_module_id": theirs, "answer": "?" })), "custom_module_id")
            .await;
        let bob = w.client("Bob", "bob@example.com").await;
        let of_bob = json!({ "custom_module_id": q, "answer": "?", "user_id": bob });
        refused(answer(of_bob), "user_id").await;
        let archived = json!({ "id": other, "is_archived": true });
        w.mutate(&w.owner, "updateCustomModuleForm", "customModuleForm { id }", archived).await;
        refused(json!({ "custom_module_form_id": other }), "custom_module_form_id").await;
        assert!(w.rows::<FormAnswerGroup>(Cond::Always).await.is_empty());
        assert!(w.rows::<FormAnswer>(Cond::Always).await.is_empty());
        // An answer of another form is no answer of this one.
        let input = json!({ "custom_module_form_id": form, "user_id": ada,
            "form_answers": [{ "custom_module_id": q, "answer": "one" }] });
        let (one, two) = (w.fill(&w.owner, input.clone()).await, w.fill(&w.owner, input).await);
        let answer = &one["form_answer_group"]["form_answers"][0]["id"];
        let by_id = |of: &Json| {
            json!({ "id": of["form_answer_group"]["id"],
                "form_answers": [{ "id": answer, "answer": "new" }] })
        };
        assert_eq!(told(&w.refill(&w.owner, by_id(&two)).await)[0].0, "id");
        assert!(w.refill(&w.owner, by_id(&one)).await["messages"].is_null());
    })
    .await;
}

#[tokio::test]
async fn forms_of_a_client_who_is_merged_are_the_others() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let twin = w.client("Ada", "twin@example.com").await;
        let form = w.form(&w.owner, json!({ "name": "Note", "use_for_charting": true })).await;
        let q = w.question(&form, "text", "Q").await;
        let answers = json!([{ "custom_module_id": q, "answer": "A" }]);
        let input = json!({ "custom_module_form_id": form, "user_id": twin, "finished": true,
            "form_answers": answers });
        let id = w.fill(&w.owner, input).await["form_answer_group"]["id"].clone();
        let selects = "form_answer_group { id }";
        let query =
            format!("mutation {{ signFormAnswerGroup(input: {{ id: {id} }}) {{ {selects} }} }}");
        w.run(&w.owner, &query, json!({})).await;
        let input = json!({ "ids": [ada, twin], "target_user_id": ada });
        let merged = w.mutate(&w.owner, "mergeClients", "user { id }", input).await;
        assert!(merged["messages"].is_null(), "{merged}");
        let stays = merged["user"]["id"].clone();
        let query = "query($u: ID) { formAnswerGroups(user_id: $u) { nodes { id user_id \
            form_answers { answer user_id } form_answer_group_signings { is_intact } } } }";
        let data = w.run(&w.owner, query, json!({ "u": stays })).await;
        let own = &data["formAnswerGroups"]["nodes"][0];
        assert_eq!(own["id"], id, "{data}");
        assert_eq!(own["user_id"], stays);
        assert_eq!(own["form_answers"], json!([{ "answer": "A", "user_id": stays }]));
        let signed = json!([{ "is_intact": true }]);
        assert_eq!(own["form_answer_group_signings"], signed, "it says what it said");
    })
    .await;
}
