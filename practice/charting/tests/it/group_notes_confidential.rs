//! Group notes that are confidential (DOM-31): one of counselling notes is its author's alone with
//! all that it says of single clients; one of part 2 is read as any other. The audit log says of no
//! group note who came, and when.

use serde_json::{Value as Json, json};
use ward_engine::ViewId;
use ward_store::system::AuditRow;
use ward_store::{Actor, Cond};

use crate::filled::told;
use crate::group_notes::NOTE;
use crate::support::World;

/// Two clients and the appointment that both attend.
struct Circle {
    ada: String,
    bea: String,
    class: String,
}

impl World {
    /// A finished note of a circle, which says something of each of its clients.
    async fn circled(&self, actor: &Actor, circle: &Circle, confidentiality: &str) -> Json {
        let (form, question) = self.notes_form(confidentiality).await;
        let single = json!([{ "user_id": circle.ada, "content": "Spoke", "attended": true,
            "join_time": "2026-03-04T14:00:00Z", "leave_time": "2026-03-04T15:00:00Z" },
            { "user_id": circle.bea, "content": "Listened" }]);
        let input = json!({ "custom_module_form_id": form, "appointment_id": circle.class,
            "finished": true, "individual_client_notes": single,
            "form_answers": [{ "custom_module_id": question, "answer": "A secret" }] });
        let made = self.mutate(actor, "createFormAnswerGroup", NOTE, input).await;
        assert!(made["messages"].is_null(), "{made}");
        made["form_answer_group"].clone()
    }

    /// All that says something of it.
    async fn all_of(&self, actor: &Actor, note: &Json, circle: &Circle) -> Json {
        let query = "query($n: ID, $a: ID, $b: ID, $c: ID) { formAnswerGroup(id: $n) { \
            form_answers { answer } individual_client_notes { content } \
            individual_note(user_id: $b) { content } } \
            of_ada: formAnswerGroups(user_id: $a, include_group_notes: true) { nodes { id } } \
            of_bea: formAnswerGroups(user_id: $b, include_group_notes: true) { nodes { id } } \
            named: formAnswerGroups(ids: [$n]) { nodes { id } } \
            work: chartNotes(user_id: $b) { nodes { id } } \
            chart: chartingItems(user_id: $b) { id } \
            appointment(id: $c) { form_answer_group { id } form_answer_groups { id } } }";
        let vars = json!({ "n": note["id"], "a": circle.ada, "b": circle.bea, "c": circle.class });
        self.run(actor, query, vars).await
    }

    /// What somebody is told who would do something to a note.
    async fn tries(&self, actor: &Actor, field: &str, note: &Json) -> Json {
        let query =
            format!("mutation {{ {field}(input: {{ id: {note} }}) {{ messages {{ message }} }} }}");
        let tried = self.run_in(ViewId::V2026, actor, &query, json!({})).await;
        assert!(tried["data"][field].is_object(), "{tried}");
        tried["data"][field]["messages"].clone()
    }
}

/// What whoever reads nothing of a note reads, the appointment aside.
fn nothing() -> Json {
    let none = json!({ "nodes": [] });
    json!({ "formAnswerGroup": null, "of_ada": none, "of_bea": none, "named": none,
        "work": none, "chart": [], "appointment": null })
}

#[tokio::test]
async fn dom_31_a_counselling_note_of_a_group_is_its_authors_alone() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let (bea, carer) = w.cared_for("Bea").await;
        let class = w.class(&[&ada, &bea], 3).await;
        let circle = Circle { ada, bea, class };
        // Who may do all, and cares for one of them, is not its author.
        let (author, other) = (w.owner.clone(), w.powerful());
        assert_eq!(other.user_id, carer.user_id);
        let note = w.circled(&author, &circle, "COUNSELLING_NOTES").await;
        let id = &note["id"];
        assert_eq!(w.confided(&author, id.as_str().unwrap()).await, "COUNSELLING_NOTES");
        let own = json!({ "nodes": [{ "id": id }] });
        let wanted = json!({ "formAnswerGroup": { "form_answers": [{ "answer": "A secret" }],
            "individual_client_notes": [{ "content": "Spoke" }, { "content": "Listened" }],
            "individual_note": { "content": "Listened" } },
            "of_ada": own, "of_bea": own, "named": own, "work": own, "chart": [{ "id": id }],
            "appointment": { "form_answer_group": { "id": id },
                "form_answer_groups": [{ "id": id }] } });
        assert_eq!(w.all_of(&author, &note, &circle).await, wanted);
        // Nobody else has any of it, whichever of the clients they see, nor the clients themselves.
        let (as_ada, as_bea) = (w.as_client(&circle.ada).await, w.as_client(&circle.bea).await);
        let of_bea = &note["individual_client_notes"][1]["id"];
        for actor in [&other, &carer, &as_ada, &as_bea, &w.stranger] {
            let mut seen = w.all_of(actor, &note, &circle).await;
            let session = seen["appointment"].take();
            assert!(session["form_answer_group"].is_null(), "{session}");
            assert!(
                session["form_answer_groups"].as_array().is_none_or(Vec::is_empty),
                "{session}"
            );
            assert_eq!(seen, nothing());
            for single in [
                json!({ "user_id": circle.bea, "content": "Mine" }),
                json!({ "id": of_bea, "content": "Mine" }),
            ] {
                let refused = w.single(actor, id, json!([single])).await;
                assert_eq!(told(&refused), [("id".to_owned(), "Object not found".to_owned())]);
            }
        }
        let gone = json!([{ "message": "Object not found" }]);
        for field in ["signFormAnswerGroup", "lockFormAnswerGroup", "deleteFormAnswerGroup"] {
            assert_eq!(w.tries(&other, field, id).await, gone, "{field}");
        }
        // What it says of a client is not there for another note either.
        let plain = w.of_group(&circle.class, json!([])).await;
        let unknown = of_bea.as_str().unwrap().parse::<i64>().unwrap() + 1_000;
        for unseen in [of_bea.clone(), json!(unknown.to_string())] {
            let single = json!([{ "id": unseen, "content": "Mine" }]);
            let refused = w.single(&other, &plain["id"], single).await;
            assert_eq!(told(&refused), [("id".to_owned(), "Object not found".to_owned())]);
        }
        // Its author goes on with all of it.
        let single = json!([{ "id": of_bea, "content": "Sang" }]);
        let done = w.single(&author, id, single).await;
        let now = &done["form_answer_group"]["individual_client_notes"];
        assert_eq!(now[1]["content"], "Sang", "{done}");
        for field in ["signFormAnswerGroup", "lockFormAnswerGroup"] {
            assert_eq!(w.tries(&author, field, id).await, Json::Null, "{field}");
        }
    })
    .await;
}

#[tokio::test]
async fn dom_31_a_part_2_note_of_a_group_is_read_as_any_other() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let (bea, carer) = w.cared_for("Bea").await;
        let class = w.class(&[&ada, &bea], 3).await;
        let circle = Circle { ada, bea, class };
        let note = w.circled(&w.owner, &circle, "PART_2").await;
        let id = note["id"].as_str().unwrap();
        let seen = w.all_of(&w.owner, &note, &circle).await;
        let single = json!([{ "content": "Spoke" }, { "content": "Listened" }]);
        assert_eq!(seen["formAnswerGroup"]["individual_client_notes"], single, "{seen}");
        // Who sees one of the clients reads the note, and what it says of them.
        let seen = w.all_of(&carer, &note, &circle).await;
        let (own, none) = (json!({ "nodes": [{ "id": id }] }), json!({ "nodes": [] }));
        let wanted = json!({ "formAnswerGroup": { "form_answers": [{ "answer": "A secret" }],
            "individual_client_notes": [{ "content": "Listened" }],
            "individual_note": { "content": "Listened" } },
            "of_ada": none, "of_bea": own, "named": own, "work": own, "chart": [{ "id": id }],
            "appointment": null });
        assert_eq!(seen, wanted);
        assert_eq!(w.confided(&carer, id).await, "PART_2");
        // No client does.
        for client in [&circle.ada, &circle.bea] {
            let mut seen = w.all_of(&w.as_client(client).await, &note, &circle).await;
            seen["appointment"] = Json::Null;
            assert_eq!(seen, nothing());
        }
        // Only its author takes it out of the others' sight, and its individual notes with it.
        for (confidentiality, at) in [("NORMAL", "base"), ("COUNSELLING_NOTES", "confidentiality")]
        {
            let refused = w.confide(&carer, id, confidentiality).await;
            assert_eq!(told(&refused)[0].0, at, "{refused}");
        }
        let done = w.confide(&w.owner, id, "COUNSELLING_NOTES").await;
        assert!(done["messages"].is_null(), "{done}");
        assert_eq!(w.all_of(&carer, &note, &circle).await, nothing());
        let of_bea = json!([{ "id": note["individual_client_notes"][1]["id"] }]);
        let refused = w.single(&carer, &note["id"], of_bea).await;
        assert_eq!(told(&refused)[0].1, "Object not found", "{refused}");
        let done = w.confide(&w.owner, id, "PART_2").await;
        assert!(done["messages"].is_null(), "{done}");
        assert_eq!(w.all_of(&carer, &note, &circle).await, wanted);
    })
    .await;
}

/// That somebody attended is data of the appointment, and is logged where that changes.
#[tokio::test]
async fn dom_31_the_audit_log_does_not_say_of_the_note_who_came_and_when() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let bea = w.client("Bea", "bea@example.com").await;
        let class = w.class(&[&ada, &bea], 3).await;
        let circle = Circle { ada, bea, class };
        let author = w.powerful();
        for confidentiality in ["COUNSELLING_NOTES", "PART_2", "NORMAL"] {
            let note = w.circled(&author, &circle, confidentiality).await;
            let more = json!([{ "user_id": circle.ada, "leave_time": null, "attended": false },
                { "user_id": circle.bea, "join_time": "2026-03-04T14:30:00Z" }]);
            let done = w.single(&author, &note["id"], more).await;
            assert!(done["messages"].is_null(), "{done}");
        }
        // Nobody reads it by the API, the owner neither.
        let query = "{ auditLog(first: 100) { nodes { resource_name resource_changes { field \
            value_before_change value_after_change } } } }";
        let log = w.run(&w.owner, query, json!({})).await.to_string();
        assert!(log.contains("\"FORM_ANSWER_GROUP\""), "{log}");
        for told in ["join_time", "leave_time", "Spoke", "Listened"] {
            assert!(!log.contains(told), "{told}: {log}");
        }
        // Nor does the log itself have it: only that it was written, and that it changed.
        let entries: Vec<AuditRow> =
            w.rows(Cond::eq("resource_name", "INDIVIDUAL_CLIENT_NOTE")).await;
        assert_eq!(entries.len(), 12, "two notes are made and two are changed, three times");
        let mut shown = 0;
        for entry in &entries {
            let changes: Vec<Json> = serde_json::from_str(&entry.changes).unwrap();
            let said = |it: &&Json| {
                let field = it["field"].as_str().unwrap();
                ["attended", "content", "join_time", "leave_time"].contains(&field)
            };
            for change in changes.iter().filter(said) {
                for value in [&change["before"], &change["after"]] {
                    assert!(value.is_null() || value == "[redacted]", "{change}");
                }
                shown += 1;
            }
        }
        // Of Ada four facts, of Bea what is said of her; then two of Ada and one of Bea.
        assert_eq!(shown, 3 * (4 + 1 + 2 + 1));
    })
    .await;
}
