//! Notes and the appointments that they are of.

use serde_json::json;
use ward_identity::flags::CAN_SEE_CLIENTS;
use ward_store::{Actor, Query, Sql, Value};

use crate::filled::told;
use crate::support::World;

#[tokio::test]
async fn a_note_is_connected_with_an_appointment_that_the_client_attends() {
    World::each(async |w| {
        let (ada, bea) =
            (w.client("Ada", "ada@example.com").await, w.client("Bea", "bea@example.com").await);
        let (one, two) = (w.appointment(&ada, 3).await, w.appointment(&ada, 4).await);
        let foreign = w.appointment(&bea, 5).await;
        let form = w.form(&w.owner, json!({ "name": "Note", "use_for_charting": true })).await;
        w.question(&form, "text", "Q").await;
        let input = json!({ "custom_module_form_id": form, "user_id": ada });
        let made = w.fill(&w.owner, input).await;
        let id = made["form_answer_group"]["id"].clone();
        let connect = async |actor: &Actor, appointment: &str| {
            let input = json!({ "form_answer_group_id": id, "appointment_id": appointment });
            let selects = "appointment { id } form_answer_group { id appointment { id } }";
            w.mutate(actor, "createAppointmentFormAnswerGroupConnection", selects, input).await
        };
        let disconnect = async |actor: &Actor| {
            let input = json!({ "form_answer_group_id": id });
            let selects = "form_answer_group { id appointment { id } }";
            w.mutate(actor, "deleteAppointmentFormAnswerGroupConnection", selects, input).await
        };
        let events = async || {
            let sql = Sql::fixed(
                "SELECT event_type FROM events \
                 WHERE event_type LIKE 'appointment_form_answer%' ORDER BY seq",
                [],
            );
            let rows = w.db.read().await.unwrap().rows(&sql).await.unwrap();
            let end = |row: &[Value]| row[0].text().unwrap().rsplit('.').next().unwrap().to_owned();
            rows.iter().map(end).collect::<Vec<String>>()
        };
        let plain = w.with(&w.owner, &[CAN_SEE_CLIENTS]);
        let linked = connect(&plain, &one).await;
        assert!(linked["messages"].is_null(), "{linked}");
        assert_eq!(linked["appointment"]["id"], one.as_str());
        assert_eq!(linked["form_answer_group"]["appointment"]["id"], one.as_str());
        assert!(events().await.is_empty(), "a draft is nobody's news");
        assert!(told(&w.refill(&w.owner, json!({ "id": id, "finished": true })).await).is_empty());
        assert_eq!(events().await, ["created"]);
        // Of another client's appointment it is none, and away from its own takes a flag.
        for appointment in [foreign.as_str(), "1", ""] {
            let refused = connect(&w.owner, appointment).await;
            assert_eq!(refused["messages"][0]["field"], "appointment_id", "{refused}");
        }
        assert_eq!(connect(&plain, &two).await["messages"][0]["field"], "base");
        assert_eq!(disconnect(&plain).await["messages"][0]["field"], "base");
        let stranger = connect(&w.stranger, &two).await;
        assert_eq!(stranger["messages"][0]["field"], "form_answer_group_id", "{stranger}");
        assert!(connect(&w.owner, &one).await["messages"].is_null());
        assert!(connect(&w.owner, &two).await["messages"].is_null());
        let query = "query($id: ID) { formAnswerGroup(\
            appointment_form_answer_group_connection_id: $id) { appointment { id } } }";
        let read = async || w.run(&w.owner, query, json!({ "id": id })).await;
        assert_eq!(read().await["formAnswerGroup"]["appointment"]["id"], two.as_str());
        let gone = disconnect(&w.owner).await;
        assert!(gone["form_answer_group"]["appointment"].is_null(), "{gone}");
        assert!(disconnect(&w.owner).await["messages"].is_null(), "said again, it is so");
        assert!(read().await["formAnswerGroup"].is_null());
        assert_eq!(events().await, ["created", "updated", "deleted"]);
        // What is locked keeps its appointment, or none.
        let lock = format!(
            "mutation {{ lockFormAnswerGroup(input: {{ id: {id} }}) {{ messages {{ message }} }} }}"
        );
        w.run(&w.owner, &lock, json!({})).await;
        assert_eq!(connect(&w.owner, &one).await["messages"][0]["field"], "base");
    })
    .await;
}
