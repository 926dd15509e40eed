//! Filled forms and notes through the front door (behaviour 26).

use serde_json::{Value as Json, json};
use ward_charting::filled::tables::{FormAnswer, FormAnswerGroup};
use ward_identity::flags::{CAN_DELETE_CHARTING_NOTES, CAN_SEE_CLIENTS};
use ward_store::{Actor, Cond, Query, Sql};

use crate::support::World;

pub const GROUP: &str = "form_answer_group { id version finished name user_id is_locked frozen \
    chart_note_status form_answers { id custom_module_id label answer displayed_answer } \
    autoscored_sections { section_title value show has_autoscored_calculator } }";

impl World {
    /// Begins a form; the payload.
    pub async fn fill(&self, actor: &Actor, input: Json) -> Json {
        self.mutate(actor, "createFormAnswerGroup", GROUP, input).await
    }

    /// Changes one; the payload.
    pub async fn refill(&self, actor: &Actor, input: Json) -> Json {
        self.mutate(actor, "updateFormAnswerGroup", GROUP, input).await
    }

    /// A form as somebody reads it.
    pub async fn read(&self, actor: &Actor, id: &Json) -> Json {
        let query = "query($id: ID) { formAnswerGroup(id: $id) { id finished form_answers { \
            custom_module_id label answer displayed_answer custom_module { id label mod_type \
            options_array required } } custom_module_form { id name } \
            all: form_answers(is_for_editing: true) { custom_module_id } \
            autoscored_sections { section_title value show } } }";
        self.run(actor, query, json!({ "id": id })).await["formAnswerGroup"].clone()
    }

    /// The names of the events of filled forms that the catalogue has, in alphabetical order.
    pub async fn filled_events(&self) -> Vec<String> {
        let sql = Sql::fixed(
            "SELECT event_type FROM events WHERE (event_type LIKE 'form_answer%' \
             OR event_type LIKE 'charting_note%') \
             AND event_type <> 'form_answer_group.updated' ORDER BY event_type",
            [],
        );
        let rows = self.db.read().await.unwrap().rows(&sql).await.unwrap();
        rows.iter().map(|row| row[0].text().unwrap().to_owned()).collect()
    }
}

/// What a refused call said: field and sentence of each message.
pub fn told(payload: &Json) -> Vec<(String, String)> {
    let messages = payload["messages"].as_array().cloned().unwrap_or_default();
    let text = |it: &Json| it.as_str().unwrap_or_default().to_owned();
    messages.iter().map(|it| (text(&it["field"]), text(&it["message"]))).collect()
}

fn labels(group: &Json) -> Vec<String> {
    let answers = group["form_answers"].as_array().unwrap();
    answers.iter().map(|it| it["label"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn a_draft_is_saved_and_finished() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let form = w.form(&w.owner, json!({ "name": "Visit", "use_for_charting": true })).await;
        let why = w.question(&form, "text", "Why are you here?").await;
        let more = w.question(&form, "textarea", "Anything else?").await;
        w.change(json!({ "id": why, "required": true })).await;
        let draft = w
            .fill(
                &w.owner,
                json!({ "custom_module_form_id": form, "user_id": ada, "date": "2026-03-04",
                    "time": "9:30 AM", "form_answers": [{ "custom_module_id": more,
                    "answer": "<p>No</p>", "label": "whatever", "user_id": ada }] }),
            )
            .await;
        let group = &draft["form_answer_group"];
        assert_eq!(group["name"], "Visit", "{draft}");
        assert_eq!(group["finished"], false);
        assert_eq!(group["chart_note_status"], "CREATED");
        assert_eq!(labels(group), ["Anything else?"]);
        let id = group["id"].clone();
        // Hidden in lists, read by its id.
        let lists = "query($u: ID) { formAnswerGroups(user_id: $u) { total_count nodes { id \
            created_at } } chartNotes(user_id: $u) { total_count } chartingItems(user_id: $u) { \
            id name form_answer_group { id } custom_module_form_name provider_name signed \
            is_document use_for_charting } \
            user(id: $u) { form_answer_groups { id } } }";
        let listed = async || w.run(&w.owner, lists, json!({ "u": ada })).await;
        let none = listed().await;
        assert_eq!(none["formAnswerGroups"]["total_count"], 0);
        assert_eq!(none["chartNotes"]["total_count"], 0);
        assert_eq!(none["chartingItems"], json!([]));
        assert_eq!(w.read(&w.owner, &id).await["id"], id);
        assert!(w.filled_events().await.is_empty(), "a draft is nobody's news");
        // What is missing is told question by question, and nothing is saved.
        let missing = w.refill(&w.owner, json!({ "id": id, "finished": true })).await;
        assert_eq!(
            told(&missing),
            [("form_answers".to_owned(), "“Why are you here?” can't be blank".to_owned())]
        );
        assert_eq!(w.read(&w.owner, &id).await["finished"], false);
        // Other answers stay.
        let answers = json!([{ "custom_module_id": why, "answer": "A cough" }]);
        let done = w
            .refill(&w.owner, json!({ "id": id, "finished": true, "form_answers": answers }))
            .await;
        assert!(done["messages"].is_null(), "{done}");
        assert_eq!(labels(&done["form_answer_group"]), ["Why are you here?", "Anything else?"]);
        assert_eq!(w.filled_events().await, ["form_answer_group.created"]);
        let all = listed().await;
        assert_eq!(all["formAnswerGroups"]["nodes"][0]["created_at"], "2026-03-04T09:30:00-05:00");
        assert_eq!(all["chartNotes"]["total_count"], 1);
        assert_eq!(all["user"]["form_answer_groups"][0]["id"], id);
        let item = &all["chartingItems"][0];
        assert_eq!(item["form_answer_group"]["id"], id);
        assert_eq!(item["custom_module_form_name"], "Visit");
        assert_eq!(item["provider_name"], "Olive Staffson");
        assert_eq!(item["signed"], false);
        // The date of service can be changed, and when it was begun can't.
        let day = json!({ "id": id, "formatted_date": "2020-01-01" });
        assert!(w.refill(&w.owner, day).await["messages"].is_null());
        let query = "query($id: ID) { formAnswerGroup(id: $id) { created_at record_created_at } }";
        let dates = w.run(&w.owner, query, json!({ "id": id })).await["formAnswerGroup"].clone();
        assert_eq!(dates["created_at"], "2020-01-01T00:00:00-05:00");
        assert!(dates["record_created_at"].as_str().unwrap() > "2025");
        // It can be edited, stays finished, and misses nothing again.
        let back = w.refill(&w.owner, json!({ "id": id, "finished": false })).await;
        assert_eq!(told(&back)[0].0, "finished");
        let answers = json!([{ "custom_module_id": why, "answer": " " }]);
        let emptied = w.refill(&w.owner, json!({ "id": id, "form_answers": answers })).await;
        assert_eq!(told(&emptied)[0].0, "form_answers");
        let gone = w
            .mutate(
                &w.owner,
                "deleteFormAnswerGroup",
                "form_answer_group { id }",
                json!({ "id": id }),
            )
            .await;
        assert_eq!(gone["form_answer_group"]["id"], id, "{gone}");
        assert!(w.read(&w.owner, &id).await.is_null());
        assert_eq!(listed().await["chartingItems"], json!([]));
        assert_eq!(
            w.filled_events().await,
            ["form_answer_group.created", "form_answer_group.deleted"]
        );
    })
    .await;
}

#[tokio::test]
async fn dom_13_an_edit_of_the_form_alters_no_answer() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let form = w.form(&w.owner, json!({ "name": "PHQ" })).await;
        w.question(&form, "label", "Mood").await;
        let often = w.question(&form, "radio", "How often?").await;
        w.change(json!({ "id": often, "options": "Never (0)\nOften (3)" })).await;
        let open = w.question(&form, "text", "What else?").await;
        let input = json!({ "custom_module_form_id": form, "user_id": ada, "finished": true,
            "form_answers": [{ "custom_module_id": often, "answer": "Often (3)" }] });
        let made = w.fill(&w.owner, input).await;
        let id = made["form_answer_group"]["id"].clone();
        // Every question has its row, and reads as it was asked.
        let before = w.read(&w.owner, &id).await;
        assert_eq!(labels(&before), ["Mood", "How often?", "What else?"]);
        let scores = json!([{ "section_title": "Mood", "value": 3.0, "show": true }]);
        assert_eq!(before["autoscored_sections"], scores);
        w.change(json!({ "id": often, "label": "How seldom?", "options": "Often (0)" })).await;
        w.change(json!({ "id": open, "required": true, "index": 0 })).await;
        let new = w.question(&form, "text", "One more").await;
        let gone = json!({ "id": often });
        w.mutate(&w.owner, "deleteCustomModule", "customModule { id }", gone).await;
        let read = w.read(&w.owner, &id).await;
        assert_eq!(labels(&read), labels(&before));
        assert_eq!(read["form_answers"][1]["answer"], "Often (3)");
        assert_eq!(read["autoscored_sections"], scores);
        let was = json!({ "id": often, "label": "How often?", "mod_type": "radio",
            "options_array": ["Never (0)", "Often (3)"], "required": false });
        assert_eq!(read["form_answers"][1]["custom_module"], was, "what was deleted");
        assert_eq!(read, before);
        // What is sent again as it was stays what it was; what is new is to the new question.
        let answers = json!([{ "custom_module_id": often, "answer": "Often (3)" },
            { "custom_module_id": new, "answer": "Now" }]);
        let saved = w.refill(&w.owner, json!({ "id": id, "form_answers": answers })).await;
        assert!(saved["messages"].is_null(), "{saved}");
        assert_eq!(
            labels(&saved["form_answer_group"]),
            ["Mood", "How often?", "What else?", "One more"]
        );
        let gone = json!({ "id": form });
        w.mutate(&w.owner, "deleteCustomModuleForm", "customModuleForm { id }", gone).await;
        let read = w.read(&w.owner, &id).await;
        assert_eq!(labels(&read).len(), 4);
        assert_eq!(read["form_answers"][1]["custom_module"], was);
        assert_eq!(read["custom_module_form"], json!({ "id": form, "name": "PHQ" }));
        let another = json!({ "custom_module_form_id": form, "user_id": ada });
        assert_eq!(told(&w.fill(&w.owner, another).await)[0].0, "custom_module_form_id");
    })
    .await;
}

#[tokio::test]
async fn dom_14_what_is_not_asked_is_not_required_shown_or_scored() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let form = w.form(&w.owner, json!({ "name": "Pain" })).await;
        let any = w.question(&form, "radio", "Any pain?").await;
        w.change(json!({ "id": any, "options": "Yes (0)\nNo (0)" })).await;
        let bad = w.question(&form, "radio", "How bad?").await;
        w.change(json!({ "id": bad, "options": "Bad (5)\nWorse (9)", "required": true })).await;
        let condition = json!({ "conditional_custom_module_id": any, "filter_type": "equals",
            "value_to_filter": "Yes (0)" });
        w.change(json!({ "id": bad, "custom_module_condition": condition })).await;
        let answers = json!([{ "custom_module_id": any, "answer": "No (0)" },
            { "custom_module_id": bad, "answer": "Bad (5)" }]);
        let input = json!({ "custom_module_form_id": form, "user_id": ada, "finished": true,
            "form_answers": answers });
        let made = w.fill(&w.owner, input).await;
        let group = &made["form_answer_group"];
        assert_eq!(labels(group), ["Any pain?"], "{made}");
        assert_eq!(group["autoscored_sections"][0]["value"], 0.0);
        let id = group["id"].clone();
        assert_eq!(w.read(&w.owner, &id).await["all"].as_array().unwrap().len(), 2);
        // Asked again, it keeps its answer.
        let yes = json!([{ "custom_module_id": any, "answer": "Yes (0)" }]);
        let again = w.refill(&w.owner, json!({ "id": id, "form_answers": yes })).await;
        let group = &again["form_answer_group"];
        assert_eq!(labels(group), ["Any pain?", "How bad?"], "{again}");
        assert_eq!(group["form_answers"][1]["answer"], "Bad (5)");
        assert_eq!(group["autoscored_sections"][0]["value"], 5.0);
    })
    .await;
}

#[tokio::test]
async fn dom_14_two_writers_lose_nothing() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let form = w.form(&w.owner, json!({ "name": "Visit" })).await;
        let a = w.question(&form, "text", "A").await;
        let b = w.question(&form, "text", "B").await;
        let begun = json!({ "custom_module_form_id": form, "user_id": ada });
        let made = w.fill(&w.owner, begun).await;
        let (id, read) = (&made["form_answer_group"]["id"], &made["form_answer_group"]["version"]);
        let save = async |question: &str, text: &str, version: &Json| {
            let answers = json!([{ "custom_module_id": question, "answer": text }]);
            let input = json!({ "id": id, "version": version, "form_answers": answers });
            w.refill(&w.owner, input).await
        };
        let first = save(&a, "first", read).await;
        assert!(first["messages"].is_null(), "{first}");
        let second = save(&a, "second", read).await;
        assert_eq!(told(&second)[0].0, "version");
        let now = &first["form_answer_group"]["version"];
        assert_ne!(now, read, "answers alone are a change of the form");
        assert_eq!(w.read(&w.owner, id).await["form_answers"][0]["answer"], "first");
        // What changes nothing makes no version; who does not say what they read may write.
        let same = save(&a, "first", now).await;
        assert_eq!(&same["form_answer_group"]["version"], now, "{same}");
        assert!(save(&b, "other", &Json::Null).await["messages"].is_null());
        let groups: Vec<FormAnswerGroup> = w.rows(Cond::Always).await;
        assert_eq!(groups[0].saves_count, 2);
        let rows: Vec<FormAnswer> = w.rows(Cond::Always).await;
        assert_eq!(rows.len(), 2, "a draft has rows for what was answered");
    })
    .await;
}

#[tokio::test]
async fn who_sees_and_writes_what() {
    World::each(async |w| {
        let (ada, bob) =
            (w.client("Ada", "ada@example.com").await, w.client("Bob", "bob@example.com").await);
        let intake = w.form(&w.owner, json!({ "name": "Intake" })).await;
        let q = w.question(&intake, "text", "Q").await;
        let note = w.form(&w.owner, json!({ "name": "Note", "use_for_charting": true })).await;
        w.question(&note, "text", "N").await;
        let (as_ada, as_bob) = (w.as_client(&ada).await, w.as_client(&bob).await);
        let of = |form: &str, user: Json, finished: bool| {
            json!({ "custom_module_form_id": form, "user_id": user, "finished": finished })
        };
        let own = w.fill(&as_ada, of(&intake, Json::Null, false)).await;
        let draft = own["form_answer_group"]["id"].clone();
        assert_eq!(own["form_answer_group"]["user_id"], ada, "{own}");
        // Nobody else's, and no notes.
        let others = w.fill(&as_ada, of(&intake, bob.as_str().into(), false)).await;
        assert_eq!(told(&others)[0].0, "user_id");
        let notes = w.fill(&as_ada, of(&note, Json::Null, false)).await;
        assert_eq!(told(&notes)[0].0, "custom_module_form_id");
        let staff = w.fill(&w.owner, of(&note, ada.as_str().into(), true)).await;
        let charted = staff["form_answer_group"]["id"].clone();
        let begun = w.fill(&w.owner, of(&intake, ada.as_str().into(), false)).await;
        let begun = begun["form_answer_group"]["id"].clone();
        let sees = async |actor: &Actor, id: &Json| !w.read(actor, id).await.is_null();
        assert!(sees(&as_ada, &draft).await);
        assert!(!sees(&as_ada, &charted).await, "a note is no form of the client's");
        assert!(!sees(&as_ada, &begun).await, "what staff has not finished");
        assert!(!sees(&as_bob, &draft).await);
        assert!(!sees(&w.stranger, &draft).await);
        let blind = w.with(&w.standard, &[]);
        assert!(!sees(&blind, &charted).await, "who does not see the client");
        let sighted = w.with(&w.standard, &[CAN_SEE_CLIENTS]);
        assert!(sees(&sighted, &charted).await);
        let answers = json!([{ "custom_module_id": q, "answer": "Hi" }]);
        let refused = async |actor: &Actor, id: &Json| {
            let input = json!({ "id": id, "form_answers": answers });
            told(&w.refill(actor, input).await)
        };
        for (actor, id) in [(&as_bob, &draft), (&w.stranger, &draft), (&blind, &draft)] {
            assert_eq!(refused(actor, id).await[0].1, "Object not found");
        }
        let done = json!({ "id": begun, "finished": true });
        assert!(w.refill(&sighted, done).await["messages"].is_null());
        assert!(sees(&as_ada, &begun).await);
        assert_eq!(refused(&as_ada, &begun).await[0].0, "base", "the practice filled it in");
        assert!(refused(&as_ada, &draft).await.is_empty());
        // A template that turns into one for clients opens no note.
        let turned = json!({ "id": note, "use_for_charting": false });
        w.mutate(&w.owner, "updateCustomModuleForm", "customModuleForm { id }", turned).await;
        assert!(!sees(&as_ada, &charted).await);
        // Deleting takes the flag, or that it is one's own draft.
        let delete = async |actor: &Actor, id: &Json| {
            let input = json!({ "id": id });
            w.mutate(actor, "deleteFormAnswerGroup", "form_answer_group { id }", input).await
        };
        assert_eq!(told(&delete(&sighted, &charted).await)[0].0, "base");
        assert!(delete(&as_ada, &draft).await["messages"].is_null());
        let may = w.with(&w.standard, &[CAN_SEE_CLIENTS, CAN_DELETE_CHARTING_NOTES]);
        assert!(delete(&may, &charted).await["messages"].is_null());
        let query = "query($u: ID) { formAnswerGroups(user_id: $u) { total_count } \
            chartNotes { total_count } }";
        let seen = w.run(&as_ada, query, json!({ "u": ada })).await;
        assert_eq!(seen["formAnswerGroups"]["total_count"], 1);
        assert_eq!(seen["chartNotes"]["total_count"], 0);
    })
    .await;
}

#[tokio::test]
async fn what_is_kept_is_sealed_and_audited() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let form = w.form(&w.owner, json!({ "name": "Visit" })).await;
        let q = w.question(&form, "radio", "Q").await;
        w.change(json!({ "id": q, "options": "Never (0)\nalpacas (3)" })).await;
        let answers = json!([{ "custom_module_id": q, "answer": "alpacas (3)",
            "metadata": "{\"llama\":1}" }]);
        let input = json!({ "custom_module_form_id": form, "user_id": ada, "finished": true,
            "metadata": "{\"vicuna\":1}", "form_answers": answers });
        assert!(w.fill(&w.owner, input).await["messages"].is_null());
        let mut conn = w.db.read().await.unwrap();
        let mut kept = String::new();
        for table in ["form_answers", "form_answer_groups", "audit_events", "events"] {
            let mut sql = Sql::new();
            sql.push("SELECT * FROM ").push(table);
            kept.push_str(&format!("{:?}", conn.rows(&sql).await.unwrap()));
        }
        for word in ["alpacas", "llama", "vicuna"] {
            assert!(!kept.contains(word), "{word} is not sealed");
        }
        let sql = "SELECT resource_name, subject_id FROM audit_events \
            WHERE resource_name LIKE 'FORM_ANSWER%' ORDER BY resource_name";
        let rows = conn.rows(&Sql::fixed(sql, [])).await.unwrap();
        let named: Vec<String> = rows
            .iter()
            .map(|row| format!("{} {:?}", row[0].text().unwrap(), row[1].int()))
            .collect();
        let of = |name: &str| format!("{name} Some({ada})");
        assert_eq!(named, [of("FORM_ANSWER"), of("FORM_ANSWER_GROUP")]);
    })
    .await;
}
