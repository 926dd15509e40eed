//! Group notes that are confidential (DOM-31): the audit log says of no group note who came, and when.

use serde_json::{Value as Json, json};
use ward_store::system::AuditRow;
use ward_store::{Actor, Cond};

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
}

#[tokio::test]
async fn dom_31_the_audit_log_does_not_say_who_came_and_when() {
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
