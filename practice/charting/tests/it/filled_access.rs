//! Who reads and writes what was filled in, and who is told of it.

use serde_json::json;
use ward_engine::ViewId;
use ward_identity::flags::{CAN_SEE_CLIENTS, CAN_UNLINK_CHART_NOTE_FROM_APPOINTMENT};
use ward_store::{Actor, Query, Sql, Value};

use crate::filled::told;
use crate::support::World;

#[tokio::test]
async fn forms_that_are_switched_off_are_nothing_to_the_client() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let as_ada = w.as_client(&ada).await;
        let form = w.form(&w.owner, json!({ "name": "Intake" })).await;
        w.question(&form, "text", "Q").await;
        let input = json!({ "custom_module_form_id": form, "finished": true });
        let made = w.fill(&as_ada, input.clone()).await;
        let id = made["form_answer_group"]["id"].clone();
        let query = "query($f: ID, $g: ID) { customModuleForm(id: $f) { id } customModuleForms { \
            total_count } formAnswerGroup(id: $g) { id } formAnswerGroups { total_count } \
            initialFormAnswers(custom_module_form_id: $f) { custom_module_id } }";
        let sees = async |actor: &Actor| {
            w.run(actor, query, json!({ "f": form, "g": id })).await.to_string()
        };
        let before = sees(&as_ada).await;
        assert!(before.contains(r#""formAnswerGroups":{"total_count":1}"#), "{before}");
        let toggle = json!({ "user_id": ada, "can_view_forms": false });
        let made = w.mutate(&w.owner, "createFeatureToggle", "feature_toggle { id }", toggle).await;
        assert!(made["messages"].is_null(), "{made}");
        let none = json!({ "customModuleForm": null, "customModuleForms": { "total_count": 0 },
            "formAnswerGroup": null, "formAnswerGroups": { "total_count": 0 },
            "initialFormAnswers": [] });
        assert_eq!(sees(&as_ada).await, none.to_string());
        let off = "Your practice has switched forms off";
        assert_eq!(told(&w.fill(&as_ada, input).await)[0].1, off);
        let change = w.refill(&as_ada, json!({ "id": id, "name": "Mine" })).await;
        assert_eq!(told(&change)[0].1, "Object not found");
        // The staff goes on, and the client finds all of it when it is switched on again.
        assert!(!w.read(&w.owner, &id).await.is_null());
        let on = json!({ "id": made["feature_toggle"]["id"], "can_view_forms": true });
        w.mutate(&w.owner, "updateFeatureToggle", "feature_toggle { id }", on).await;
        assert_eq!(sees(&as_ada).await, before);
    })
    .await;
}

/// A form that is archived is for nobody to begin, and what a client filled in with it stays theirs
/// to read; what is the practice's own business about it stays that.
#[tokio::test]
async fn dom_13_an_archived_form_can_be_read_by_who_filled_it_in() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let as_ada = w.as_client(&ada).await;
        let form = json!({ "name": "Intake", "metadata": "{\"of\":\"staff\"}" });
        let form = w.form(&w.owner, form).await;
        let asked = w.question(&form, "text", "Q").await;
        w.change(json!({ "id": asked, "metadata": "{\"of\":\"staff\"}" })).await;
        let input = json!({ "custom_module_form_id": form, "finished": true });
        let made = w.fill(&as_ada, input).await;
        let id = made["form_answer_group"]["id"].clone();
        let query = "query($g: ID) { formAnswerGroup(id: $g) { custom_module_form { name metadata \
            custom_modules { id } } form_answers { custom_module { label metadata } } } \
            chartingItems { custom_module_form_name } }";
        let read = async |actor: &Actor| w.run(actor, query, json!({ "g": id })).await;
        let before = read(&as_ada).await;
        let staff = read(&w.owner).await;
        let metadata = &staff["formAnswerGroup"]["form_answers"][0]["custom_module"]["metadata"];
        assert_eq!(metadata, "{\"of\":\"staff\"}");
        for change in ["updateCustomModuleForm", "deleteCustomModuleForm"] {
            let mut input = json!({ "id": form });
            if change.starts_with("update") {
                input["is_archived"] = true.into();
            }
            w.mutate(&w.owner, change, "customModuleForm { id }", input).await;
            let after = read(&as_ada).await;
            let group = &after["formAnswerGroup"];
            let template = json!({ "name": "Intake", "metadata": null, "custom_modules": [] });
            assert_eq!(group["custom_module_form"], template, "{change}");
            assert_eq!(group["form_answers"], before["formAnswerGroup"]["form_answers"]);
            let question = json!({ "label": "Q", "metadata": null });
            assert_eq!(group["form_answers"][0]["custom_module"], question);
            assert_eq!(after["chartingItems"], json!([{ "custom_module_form_name": "Intake" }]));
        }
        let left = read(&w.owner).await["formAnswerGroup"].clone();
        assert_eq!(left["custom_module_form"]["name"], "Intake");
        assert_eq!(left["form_answers"][0]["custom_module"]["label"], "Q");
    })
    .await;
}

/// Behaviour 26: once a form is finished, what it says of the client is in their record.
#[tokio::test]
async fn what_a_finished_form_says_of_the_client_is_in_their_record() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        // Of the same family, with the same address.
        w.client("Eve", "ada@example.com").await;
        let as_ada = w.as_client(&ada).await;
        let form = w.form(&w.owner, json!({ "name": "Intake" })).await;
        let name = w.question(&form, "name", "Your name").await;
        let born = w.question(&form, "dob", "Born").await;
        let phone = w.question(&form, "phone", "Telephone").await;
        let answers = |name_is: &str, born_is: &str| {
            json!([{ "custom_module_id": name, "answer": name_is },
                { "custom_module_id": born, "answer": born_is },
                { "custom_module_id": phone, "answer": "+1 202-555-0100" }])
        };
        let told_of = async || {
            let sql = "SELECT COUNT(*) FROM events WHERE event_type = 'patient.updated'";
            let rows = w.db.read().await.unwrap().rows(&Sql::fixed(sql, [])).await.unwrap();
            rows.scalar().and_then(Value::int).unwrap()
        };
        let query = "query($id: ID) { user(id: $id) { first_name last_name dob phone_number } }";
        let record = async || {
            let user = w.run(&w.owner, query, json!({ "id": ada })).await["user"].clone();
            ["first_name", "last_name", "dob", "phone_number"]
                .map(|it| user[it].as_str().unwrap_or_default().to_owned())
        };
        let before = (record().await, told_of().await);
        let input = json!({ "custom_module_form_id": form, "form_answers":
            answers("Adela,Cruz", "1990-02-01") });
        let made = w.fill(&as_ada, input).await;
        let id = made["form_answer_group"]["id"].clone();
        assert_eq!((record().await, told_of().await), before, "a draft says nothing yet");
        w.refill(&as_ada, json!({ "id": id, "finished": true })).await;
        let after = ["Adela", "Cruz", "1990-02-01", "+1 202-555-0100"].map(str::to_owned);
        assert_eq!((record().await, told_of().await), (after.clone(), before.1 + 1));
        // Somebody else's, below the client's own, in whichever order they are sent.
        let other = w.question(&form, "phone", "Whom to call").await;
        for is_first in [true, false] {
            let own = json!({ "custom_module_id": phone, "answer": "+1 202-555-0122" });
            let more = json!({ "custom_module_id": other, "answer": "+1 202-555-0133" });
            let sent = if is_first { json!([own, more]) } else { json!([more, own]) };
            let input = json!({ "custom_module_form_id": form, "finished": true,
                "form_answers": sent });
            assert!(w.fill(&as_ada, input).await["messages"].is_null());
            assert_eq!(record().await[3], "+1 202-555-0122", "{is_first}");
        }
        // Staff corrects the record; what is sent again as it was does not undo it.
        let input = json!({ "id": ada, "phone_number": "+1 202-555-0199" });
        w.mutate(&w.owner, "updateClient", "user { id }", input).await;
        let again = json!({ "id": id, "form_answers": answers("Adela,Cruz", "1990-02-01") });
        w.refill(&w.owner, again).await;
        assert_eq!(record().await[3], "+1 202-555-0199");
        // Nor is it what the next form begins with, though it was answered before.
        w.mutate(
            &w.owner,
            "updateCustomModuleForm",
            "customModuleForm { id }",
            json!({ "id": form, "prefill": true }),
        )
        .await;
        let next = json!({ "custom_module_form_id": form, "user_id": ada, "finished": true,
            "set_initial_answers": true });
        assert!(w.fill(&w.owner, next).await["messages"].is_null());
        assert_eq!(record().await[3], "+1 202-555-0199");
        // What a record can't have stays an answer.
        let odd = json!({ "id": id, "form_answers": answers("Eve,Client", "soon") });
        let saved = w.refill(&w.owner, odd).await;
        assert!(saved["messages"].is_null(), "{saved}");
        let kept = record().await;
        assert_eq!(kept[..3], after[..3]);
        let read = w.read(&w.owner, &id).await;
        assert_eq!(read["form_answers"][1]["answer"], "soon");
    })
    .await;
}

#[tokio::test]
async fn sec_19_whoever_asks_what_a_client_filled_in_is_in_the_access_log() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let form = w.form(&w.owner, json!({ "name": "History" })).await;
        w.question(&form, "name", "Your name").await;
        let blind = w.with(&w.standard, &[]);
        use ViewId::{Baseline, V2026};
        for (view, field, more) in [
            (V2026, "initialFormAnswers", format!("custom_module_form_id: {form},")),
            (V2026, "formAnswerGroups", String::new()),
            (Baseline, "formAnswerGroupsCount", String::new()),
            (V2026, "chartNotes", String::new()),
            (V2026, "chartingItems", String::new()),
            (Baseline, "chartingItemsCount", String::new()),
        ] {
            let selects = match field {
                "initialFormAnswers" => "{ answer }",
                "chartingItems" => "{ id }",
                _ if view == Baseline => "",
                _ => "{ total_count }",
            };
            let query = format!("{{ {field}({more} user_id: \"{ada}\") {selects} }}");
            for (actor, entries) in [(&blind, 0), (&w.owner, 1)] {
                w.db.access_log().flush(&w.db).await.unwrap();
                let answer = w.run_in(view, actor, &query, json!({})).await;
                assert!(answer.get("errors").is_none(), "{answer}");
                assert_eq!(w.db.access_log().len(), entries, "{query}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_note_leaves_its_appointment_by_a_flag_and_not_unseen() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let (one, two) = (w.appointment(&ada, 3).await, w.appointment(&ada, 4).await);
        let form = w.form(&w.owner, json!({ "name": "Note" })).await;
        w.question(&form, "text", "Q").await;
        let as_ada = w.as_client(&ada).await;
        let input = json!({ "custom_module_form_id": form, "finished": true });
        let made = w.fill(&as_ada, input).await;
        let id = made["form_answer_group"]["id"].clone();
        let to = async |actor: &Actor, appointment: &str| {
            told(&w.refill(actor, json!({ "id": id, "appointment_id": appointment })).await)
        };
        // Whose appointments they are.
        let plain = w.with(&w.owner, &[CAN_SEE_CLIENTS]);
        assert!(to(&plain, &one).await.is_empty(), "linking takes no flag");
        assert!(to(&plain, &one).await.is_empty(), "nor does saying so again");
        let sign = format!(
            "mutation {{ signFormAnswerGroup(input: {{ id: {id} }}) {{ messages {{ message }} }} }}"
        );
        w.run(&w.owner, &sign, json!({})).await;
        let state = async || {
            let query = "query($id: ID) { formAnswerGroup(id: $id) { appointment { id } \
                form_answer_group_signings { is_intact } } }";
            let read = w.run(&w.owner, query, json!({ "id": id })).await;
            let read = &read["formAnswerGroup"];
            let intact = read["form_answer_group_signings"][0]["is_intact"].as_bool();
            (read["appointment"]["id"].as_str().map(str::to_owned), intact.unwrap())
        };
        assert_eq!(state().await, (Some(one.clone()), true));
        for (actor, appointment) in [(&plain, ""), (&plain, two.as_str()), (&as_ada, "")] {
            assert_eq!(to(actor, appointment).await[0].0, "base");
        }
        assert_eq!(state().await, (Some(one.clone()), true));
        let unlinks = [CAN_SEE_CLIENTS, CAN_UNLINK_CHART_NOTE_FROM_APPOINTMENT];
        let unlinks = w.with(&w.owner, &unlinks);
        assert!(to(&unlinks, &two).await.is_empty());
        assert_eq!(state().await, (Some(two), false), "another session than was signed");
        assert!(to(&unlinks, "").await.is_empty());
        assert_eq!(state().await, (None, false));
    })
    .await;
}

#[tokio::test]
async fn a_client_writes_and_reads_no_more_than_is_theirs() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let as_ada = w.as_client(&ada).await;
        let form = w.form(&w.owner, json!({ "name": "Intake" })).await;
        let q = w.question(&form, "text", "Q").await;
        let own = json!({ "custom_module_form_id": form, "finished": true });
        let made = w.fill(&as_ada, own).await;
        let id = made["form_answer_group"]["id"].clone();
        let marks = json!({ "id": id, "external_id": "of the program", "metadata": "{\"a\":1}",
            "form_answers": [{ "custom_module_id": q, "metadata": "{\"b\":2}" }] });
        assert!(told(&w.refill(&w.owner, marks).await).is_empty());
        let over = json!({ "id": id, "name": "Mine", "external_id": "x", "metadata": "{}",
            "form_answers": [{ "custom_module_id": q, "metadata": "{}" }] });
        assert!(told(&w.refill(&as_ada, over).await).is_empty());
        let query = "query($id: ID) { formAnswerGroup(id: $id) { name external_id metadata \
            form_answers { metadata } } }";
        let kept = w.run(&w.owner, query, json!({ "id": id })).await["formAnswerGroup"].clone();
        let marks = json!({ "name": "Mine", "external_id": "of the program",
            "metadata": "{\"a\":1}", "form_answers": [{ "metadata": "{\"b\":2}" }] });
        assert_eq!(kept, marks);
        // What is added to it is for the staff, as the history is.
        let act = async |text: String| {
            w.run(
                &w.owner,
                &format!("mutation {{ {text} {{ messages {{ message }} }} }}"),
                json!({}),
            )
            .await;
        };
        act(format!("lockFormAnswerGroup(input: {{ id: {id} }})")).await;
        act(format!("createAddendum(input: {{ form_answer_group_id: {id}, content: \"P.S.\" }})"))
            .await;
        let query =
            "query($id: ID) { formAnswerGroup(id: $id) { charting_note_addendums { id } } }";
        for (actor, count) in [(&w.owner, 1), (&as_ada, 0)] {
            let read = w.run(actor, query, json!({ "id": id })).await;
            let added = read["formAnswerGroup"]["charting_note_addendums"].as_array().unwrap();
            assert_eq!(added.len(), count);
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_not_asked_is_shown_to_who_can_edit() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let as_ada = w.as_client(&ada).await;
        let form = w.form(&w.owner, json!({ "name": "Intake" })).await;
        let any = w.question(&form, "text", "Any?").await;
        let which = w.question(&form, "text", "Which?").await;
        let on = json!({ "conditional_custom_module_id": any, "filter_type": "equals",
            "value_to_filter": "Yes" });
        w.change(json!({ "id": which, "custom_module_condition": on })).await;
        let input = json!({ "custom_module_form_id": form, "user_id": ada, "finished": true,
            "form_answers": [{ "custom_module_id": any, "answer": "No" },
                { "custom_module_id": which, "answer": "hidden" }] });
        let all = async |actor: &Actor, id: &serde_json::Value| {
            w.read(actor, id).await["all"].as_array().unwrap().len()
        };
        let staff = w.fill(&w.owner, input.clone()).await["form_answer_group"]["id"].clone();
        assert_eq!((all(&w.owner, &staff).await, all(&as_ada, &staff).await), (2, 1));
        let own = w.fill(&as_ada, input).await["form_answer_group"]["id"].clone();
        assert_eq!(all(&as_ada, &own).await, 2);
        let lock = format!(
            "mutation {{ lockFormAnswerGroup(input: {{ id: {own} }}) {{ messages {{ message }} }} }}"
        );
        w.run(&w.owner, &lock, json!({})).await;
        assert_eq!((all(&w.owner, &own).await, all(&as_ada, &own).await), (2, 1));
    })
    .await;
}

#[tokio::test]
async fn a_unit_reads_its_clients_note_that_the_parent_locked_and_no_program_signs() {
    World::each(async |w| {
        let brenda = w.branch().await;
        let ada = w.client("Ada", "ada@example.com").await;
        let form = w.form(&w.owner, json!({ "name": "Note", "use_for_charting": true })).await;
        w.question(&form, "text", "Q").await;
        let input = json!({ "custom_module_form_id": form, "user_id": ada, "finished": true });
        let id = w.fill(&w.owner, input).await["form_answer_group"]["id"].clone();
        let moved = json!({ "id": ada, "dietitian_id": brenda.user_id.to_string() });
        let moved = w.mutate(&w.owner, "updateClient", "user { id }", moved).await;
        assert!(moved["messages"].is_null(), "{moved}");
        let act = async |actor: &Actor, field: &str| {
            let query = format!(
                "mutation {{ {field}(input: {{ id: {id} }}) {{ messages {{ field message }} }} }}"
            );
            told(&w.run(actor, &query, json!({})).await[field])
        };
        // A program's account signs nothing, whatever its flags.
        for (is_program, wanted) in [(true, "Only Standard members can sign"), (false, "")] {
            let sql = "UPDATE users SET is_integration = $1 WHERE id = $2";
            w.spoil(Sql::fixed(sql, [is_program.into(), w.owner.user_id.into()])).await;
            let query = "query($id: ID) { formAnswerGroup(id: $id) { provider_can_sign } }";
            let can = w.run(&w.owner, query, json!({ "id": id })).await;
            assert_eq!(can["formAnswerGroup"]["provider_can_sign"], !is_program);
            let told = act(&w.owner, "signFormAnswerGroup").await;
            assert_eq!(told.first().map_or("", |it| it.1.as_str()), wanted);
        }
        assert!(act(&w.owner, "lockFormAnswerGroup").await.is_empty());
        let query = "query($id: ID) { formAnswerGroup(id: $id) { is_locked \
            form_answer_group_audit_events { action committed_by { id } } } }";
        for (actor, steps) in [(&w.owner, 2), (&brenda, 0)] {
            let read = w.run(actor, query, json!({ "id": id })).await;
            let read = &read["formAnswerGroup"];
            assert_eq!(read["is_locked"], true, "{read}");
            let told = read["form_answer_group_audit_events"].as_array().unwrap();
            assert_eq!(told.len(), steps, "whose colleague they are not");
        }
        // Those who look after the client now are told.
        let sql = Sql::fixed(
            "SELECT unit_id FROM events WHERE event_type IN \
             ('form_answer_group.locked', 'form_answer_group.signed')",
            [],
        );
        let rows = w.db.read().await.unwrap().rows(&sql).await.unwrap();
        let units: Vec<_> = rows.iter().map(|row| row[0].int()).collect();
        assert_eq!(units, [Some(brenda.unit_id), Some(brenda.unit_id)]);
    })
    .await;
}
