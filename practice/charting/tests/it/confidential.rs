//! How confidential forms and notes are (DOM-31): counselling notes are their author's alone,
//! whatever others may, and what a template says later opens nothing.

use serde_json::{Value as Json, json};
use ward_engine::ViewId;
use ward_identity::flags::{CAN_EDIT_FORMS, CAN_SEE_CLIENTS};
use ward_store::Actor;

use crate::filled::told;
use crate::support::World;

const MADE: &str = "form_answer_group { id name confidentiality }";

impl World {
    /// A member with every flag, who is not the owner.
    pub fn powerful(&self) -> Actor {
        Actor { flags: self.owner.flags, is_owner: false, ..self.standard.clone() }
    }

    /// A template for notes: its id, and its question's.
    pub async fn notes_form(&self, confidentiality: &str) -> (String, String) {
        let input = json!({ "name": "Process", "use_for_charting": true, "prefill": true,
            "confidentiality": confidentiality });
        let form = self.form(&self.owner, input).await;
        let question = self.question(&form, "text", "What was said?").await;
        (form, question)
    }

    /// A finished note: its id, and how confidential it is.
    async fn written(
        &self,
        actor: &Actor,
        client: &str,
        (form, question): &(String, String),
    ) -> (String, String) {
        let input = json!({ "custom_module_form_id": form, "user_id": client, "finished": true,
            "form_answers": [{ "custom_module_id": question, "answer": "A secret" }] });
        let made = self.mutate(actor, "createFormAnswerGroup", MADE, input).await;
        assert!(made["messages"].is_null(), "{made}");
        let text = |it: &Json| it.as_str().unwrap().to_owned();
        let made = &made["form_answer_group"];
        (text(&made["id"]), text(&made["confidentiality"]))
    }

    /// All that says something of a client's notes.
    async fn everything(&self, actor: &Actor, client: &str, note: &str) -> Json {
        let query = "query($n: ID, $u: ID) { formAnswerGroup(id: $n) { id form_answers { answer } } \
            formAnswerGroups(user_id: $u) { total_count nodes { id } } \
            named: formAnswerGroups(ids: [$n]) { total_count } \
            found: formAnswerGroups(name: \"Process\") { total_count } \
            chartNotes(user_id: $u) { total_count } chartingItems(user_id: $u) { id } \
            user(id: $u) { form_answer_groups { id } } }";
        let mut all = self.run(actor, query, json!({ "n": note, "u": client })).await;
        let counts = "{ formAnswerGroupsCount chartingItemsCount }";
        let counts = self.run_in(ViewId::Baseline, actor, counts, json!({})).await;
        all["counts"] = counts["data"].clone();
        all
    }

    pub async fn confide(&self, actor: &Actor, note: &str, confidentiality: &str) -> Json {
        let input = json!({ "id": note, "confidentiality": confidentiality });
        self.mutate(actor, "updateFormAnswerGroup", MADE, input).await
    }

    /// How confidential a note is to somebody; null where they do not see it.
    pub async fn confided(&self, actor: &Actor, note: &str) -> Json {
        let query = "query($n: ID) { formAnswerGroup(id: $n) { confidentiality } }";
        let read = self.run(actor, query, json!({ "n": note })).await;
        read["formAnswerGroup"]["confidentiality"].clone()
    }
}

#[tokio::test]
async fn dom_31_a_counselling_note_is_its_authors_alone() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let as_ada = w.as_client(&ada).await;
        let author = w.powerful();
        let form = w.notes_form("COUNSELLING_NOTES").await;
        let (note, confidentiality) = w.written(&author, &ada, &form).await;
        assert_eq!(confidentiality, "COUNSELLING_NOTES");
        let own = w.everything(&author, &ada, &note).await;
        assert_eq!(own["formAnswerGroup"]["form_answers"][0]["answer"], "A secret", "{own}");
        assert_eq!(own["chartingItems"], json!([{ "id": note }]), "{own}");
        let one = json!({ "formAnswerGroupsCount": 1, "chartingItemsCount": 1 });
        assert_eq!(own["counts"], one, "{own}");
        // The owner sees no more of it than of none, and neither does the client.
        let none = json!({ "formAnswerGroup": null,
            "formAnswerGroups": { "total_count": 0, "nodes": [] },
            "named": { "total_count": 0 }, "found": { "total_count": 0 },
            "chartNotes": { "total_count": 0 }, "chartingItems": [],
            "user": { "form_answer_groups": [] },
            "counts": { "formAnswerGroupsCount": 0, "chartingItemsCount": 0 } });
        assert_eq!(w.everything(&w.owner, &ada, &note).await, none);
        assert_eq!(w.everything(&as_ada, &ada, &note).await, none);
        // Nor does anybody else do anything to it.
        for (field, more) in [
            ("signFormAnswerGroup", ""),
            ("lockFormAnswerGroup", ""),
            ("updateFormAnswerGroup", "finished: true"),
            ("deleteFormAnswerGroup", ""),
        ] {
            let query = format!(
                "mutation {{ {field}(input: {{ id: \"{note}\" {more} }}) {{ messages {{ message }} }} }}"
            );
            let refused = w.run_in(ViewId::V2026, &w.owner, &query, json!({})).await;
            let said = &refused["data"][field]["messages"][0]["message"];
            assert_eq!(said, "Object not found", "{field}: {refused}");
        }
        // Its author goes on: signs and locks it, and what is added is theirs, too.
        for field in ["signFormAnswerGroup", "lockFormAnswerGroup"] {
            let query = format!(
                "mutation {{ {field}(input: {{ id: \"{note}\" }}) {{ messages {{ message }} }} }}"
            );
            let done = w.run_in(ViewId::V2026, &author, &query, json!({})).await;
            assert!(done["data"][field].is_object(), "{done}");
            assert!(done["data"][field]["messages"].is_null(), "{done}");
        }
        let input = json!({ "form_answer_group_id": note, "content": "And more" });
        let added = w.mutate(&author, "createAddendum", "addendum { id }", input.clone()).await;
        let query = "query($id: ID) { chartingNoteAddendum(id: $id) { content } }";
        let addendum = json!({ "id": added["addendum"]["id"] });
        let read = w.run(&author, query, addendum.clone()).await;
        assert_eq!(read["chartingNoteAddendum"]["content"], "And more", "{added}");
        let read = w.run(&w.owner, query, addendum).await;
        assert!(read["chartingNoteAddendum"].is_null(), "{read}");
        let refused = w.mutate(&w.owner, "createAddendum", "addendum { id }", input).await;
        assert_eq!(told(&refused)[0].1, "Object not found");
    })
    .await;
}

#[tokio::test]
async fn dom_31_what_a_template_says_later_opens_nothing() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let author = w.powerful();
        let begins = "query($f: ID, $u: ID) { initialFormAnswers(custom_module_form_id: $f, \
            user_id: $u) { answer } }";
        for strict in ["PART_2", "COUNSELLING_NOTES"] {
            let form = w.notes_form(strict).await;
            let (note, _) = w.written(&author, &ada, &form).await;
            let vars = json!({ "f": form.0, "u": ada });
            let begun = w.run(&author, begins, vars.clone()).await;
            assert_eq!(begun["initialFormAnswers"], json!([{ "answer": "A secret" }]), "{strict}");
            let seen = w.confided(&w.owner, &note).await;
            assert_eq!(seen.is_null(), strict == "COUNSELLING_NOTES", "{seen}");
            let input = json!({ "id": form.0, "confidentiality": "NORMAL" });
            let selects = "customModuleForm { confidentiality }";
            let changed = w.mutate(&w.owner, "updateCustomModuleForm", selects, input).await;
            assert_eq!(changed["customModuleForm"]["confidentiality"], "NORMAL", "{changed}");
            assert_eq!(w.confided(&w.owner, &note).await, seen, "{strict}");
            assert_eq!(w.confided(&author, &note).await, strict);
            // What was said there is not repeated where more people read it.
            let begun = w.run(&author, begins, vars).await;
            assert_eq!(begun["initialFormAnswers"], json!([{ "answer": null }]), "{strict}");
            assert_eq!(w.written(&author, &ada, &form).await.1, "NORMAL");
        }
        // A copy is as confidential as the original.
        let (form, _) = w.notes_form("PART_2").await;
        let input = json!({ "id": form });
        let selects = "customModuleForm { confidentiality }";
        let copy = w.mutate(&w.owner, "copyCustomModuleForm", selects, input).await;
        assert_eq!(copy["customModuleForm"]["confidentiality"], "PART_2", "{copy}");
    })
    .await;
}

#[tokio::test]
async fn dom_31_who_makes_a_note_more_or_less_confidential() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let form = w.notes_form("NORMAL").await;
        let (note, _) = w.written(&w.owner, &ada, &form).await;
        let sees = w.with(&w.standard, &[CAN_SEE_CLIENTS]);
        let edits = w.with(&w.standard, &[CAN_SEE_CLIENTS, CAN_EDIT_FORMS]);
        // Stricter is for everybody who may change it, less strict is not.
        let done = w.confide(&sees, &note, "PART_2").await;
        assert_eq!(done["form_answer_group"]["confidentiality"], "PART_2", "{done}");
        let denied = w.confide(&sees, &note, "NORMAL").await;
        assert_eq!(told(&denied)[0].0, "base", "{denied}");
        assert_eq!(w.confided(&sees, &note).await, "PART_2");
        let done = w.confide(&edits, &note, "NORMAL").await;
        assert_eq!(done["form_answer_group"]["confidentiality"], "NORMAL", "{done}");
        // Nobody takes a note away from its author.
        let refused = w.confide(&edits, &note, "COUNSELLING_NOTES").await;
        assert!(told(&refused)[0].1.starts_with("Only its author"), "{refused}");
        assert_eq!(w.confided(&edits, &note).await, "NORMAL");
        let done = w.confide(&w.owner, &note, "COUNSELLING_NOTES").await;
        assert_eq!(done["form_answer_group"]["confidentiality"], "COUNSELLING_NOTES", "{done}");
        assert!(w.confided(&edits, &note).await.is_null());
        let input = json!({ "id": note, "name": "What he said" });
        let refused = w.mutate(&w.owner, "updateFormAnswerGroup", MADE, input).await;
        assert_eq!(told(&refused)[0].0, "name", "{refused}");
        let done = w.confide(&w.owner, &note, "PART_2").await;
        assert!(done["messages"].is_null(), "{done}");
        assert_eq!(w.confided(&sees, &note).await, "PART_2");
    })
    .await;
}

#[tokio::test]
async fn dom_31_what_is_refused() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let as_ada = w.as_client(&ada).await;
        let selects = "customModuleForm { id confidentiality }";
        let input = json!({ "name": "Intake", "confidentiality": "COUNSELLING_NOTES" });
        let refused = w.mutate(&w.owner, "createCustomModuleForm", selects, input).await;
        assert_eq!(told(&refused)[0].0, "confidentiality", "{refused}");
        let (form, _) = w.notes_form("COUNSELLING_NOTES").await;
        let input = json!({ "id": form, "use_for_charting": false });
        let refused = w.mutate(&w.owner, "updateCustomModuleForm", selects, input).await;
        assert_eq!(told(&refused)[0].0, "confidentiality", "{refused}");
        let note = |more: Json| {
            let mut input = json!({ "custom_module_form_id": form, "user_id": ada });
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            input
        };
        for (more, field) in [
            (json!({ "confidentiality": "PART_2" }), "confidentiality"),
            (json!({ "name": "What he said" }), "name"),
        ] {
            let refused = w.mutate(&w.owner, "createFormAnswerGroup", MADE, note(more)).await;
            assert_eq!(told(&refused)[0].0, field, "{refused}");
        }
        // A client fills in what is confidential, and does not say how much it is.
        let intake = w.form(&w.owner, json!({ "name": "Use", "confidentiality": "PART_2" })).await;
        w.question(&intake, "text", "What do you take?").await;
        let input = json!({ "custom_module_form_id": intake, "confidentiality": "PART_2" });
        let refused = w.mutate(&as_ada, "createFormAnswerGroup", MADE, input).await;
        assert_eq!(told(&refused)[0].0, "confidentiality", "{refused}");
        let input = json!({ "custom_module_form_id": intake, "finished": true });
        let made = w.mutate(&as_ada, "createFormAnswerGroup", MADE, input).await;
        assert_eq!(made["form_answer_group"]["confidentiality"], "PART_2", "{made}");
        let id = made["form_answer_group"]["id"].as_str().unwrap();
        let refused = w.confide(&w.owner, id, "COUNSELLING_NOTES").await;
        assert_eq!(told(&refused)[0].0, "confidentiality", "{refused}");
        let query = "query($f: ID) { customModuleForm(id: $f) { name confidentiality } }";
        let read = w.run(&as_ada, query, json!({ "f": intake })).await;
        let form = json!({ "name": "Use", "confidentiality": null });
        assert_eq!(read["customModuleForm"], form, "how it is kept is the practice's business");
    })
    .await;
}
