//! Group notes: what is said twice in one call, of who attends no more, and what nobody finds out
//! by asking (behaviour 26).

use serde_json::{Value as Json, json};
use ward_charting::group_note::tables::IndividualClientNote;
use ward_charting::group_note::write::TWICE;
use ward_store::{Actor, Cond, Sql};

use crate::filled::told;
use crate::group_notes::NOTE;
use crate::support::World;

#[tokio::test]
async fn nothing_that_is_said_of_a_client_is_lost_to_what_else_the_call_says() {
    World::each(async |w| {
        let (ada, bea) =
            (w.client("Ada", "ada@example.com").await, w.client("Bea", "bea@example.com").await);
        let class = w.class(&[&ada, &bea], 3).await;
        let form =
            w.form(&w.owner, json!({ "name": "Circle", "use_for_charting": true })).await;
        let refused = [("individual_client_notes".to_owned(), TWICE.to_owned())];
        let input = json!({ "custom_module_form_id": form, "appointment_id": class,
            "individual_client_notes": [{ "user_id": ada, "content": "Spoke" },
                { "user_id": bea, "content": "Listened" }, { "user_id": ada, "content": "Sang" }] });
        let made = w.mutate(&w.owner, "createFormAnswerGroup", NOTE, input).await;
        assert_eq!(told(&made), refused, "{made}");
        let rows: Vec<IndividualClientNote> = w.rows(Cond::Always).await;
        assert!(rows.is_empty(), "nothing is written: {rows:?}");
        let note = w.of_group(&class, json!([{ "user_id": ada, "content": "Spoke" }])).await;
        let (id, own) = (&note["id"], &note["individual_client_notes"][0]["id"]);
        for twice in [
            json!([{ "user_id": ada, "content": "Sang" }, { "user_id": ada, "attended": true }]),
            json!([{ "id": own, "content": "Sang" }, { "user_id": ada, "content": "Slept" }]),
            json!([{ "user_id": ada, "content": "Sang" }, { "id": own }]),
            json!([{ "id": own, "content": "Sang" }, { "id": own, "user_id": ada }]),
        ] {
            let done = w.single(&w.owner, id, twice.clone()).await;
            assert_eq!(told(&done), refused, "{twice}: {done}");
        }
        let read = w.single(&w.owner, id, json!([])).await["form_answer_group"].clone();
        assert_eq!(read["version"], note["version"], "nothing was changed");
        assert_eq!(read["individual_client_notes"][0]["content"], "Spoke");
        // One of each is fine, named in either way.
        let both = json!([{ "id": own, "content": "Sang" }, { "user_id": bea, "content": "Slept" }]);
        let done = w.single(&w.owner, id, both).await;
        assert!(done["messages"].is_null(), "{done}");
    })
    .await;
}

/// The part in the appointment that each individual note names.
fn parts(note: &Json) -> Vec<Json> {
    let all = note["individual_client_notes"].as_array().unwrap();
    all.iter().map(|it| it["appointment_inclusion_id"].clone()).collect()
}

#[tokio::test]
async fn who_called_it_off_keeps_a_note_that_names_no_part() {
    World::each(async |w| {
        let (ada, bea) =
            (w.client("Ada", "ada@example.com").await, w.client("Bea", "bea@example.com").await);
        let class = w.class(&[&ada, &bea], 3).await;
        let note = w.of_group(&class, json!([{ "user_id": ada, "content": "Spoke" }])).await;
        let named = parts(&note);
        assert!(named.iter().all(Json::is_string), "{note}");
        for (cancelled, wanted, attend) in [
            (true, [Json::Null, named[1].clone()], 1),
            (false, [named[0].clone(), named[1].clone()], 2),
        ] {
            let off = json!({ "id": named[0], "cancelled": cancelled });
            let part = "appointment_inclusion { id cancelled }";
            let off = w.mutate(&w.owner, "updateAppointmentInclusion", part, off).await;
            assert_eq!(off["appointment_inclusion"]["cancelled"], cancelled, "{off}");
            let read =
                w.single(&w.owner, &note["id"], json!([])).await["form_answer_group"].clone();
            assert_eq!(parts(&read), wanted, "{read}");
            assert_eq!(read["individual_client_notes"][0]["content"], "Spoke", "it stays");
            let attendees = read["group_appointment_attendees"].as_array().unwrap();
            assert_eq!(attendees.len(), attend, "{read}");
        }
    })
    .await;
}

#[tokio::test]
async fn nobody_finds_out_under_whom_a_note_is_filed_by_writing_in_it() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let (bea, carer) = w.cared_for("Bea").await;
        let class = w.class(&[&ada, &bea], 3).await;
        let note = w.of_group(&class, json!([])).await;
        assert_eq!(note["user"]["id"], json!(ada), "it is filed under the first");
        let query = "query($id: ID) { formAnswerGroup(id: $id) { \
            form_answers { custom_module_id } } }";
        let read = w.run(&w.owner, query, json!({ "id": note["id"] })).await;
        let question = &read["formAnswerGroup"]["form_answers"][0]["custom_module_id"];
        let answered = async |actor: &Actor, whose: &str| {
            let answer = json!({ "custom_module_id": question, "answer": "Breathing",
                "user_id": whose });
            let input = json!({ "id": note["id"], "form_answers": [answer] });
            told(&w.refill(actor, input).await)
        };
        // Whom somebody does not see is nobody.
        let nobody = (bea.parse::<i64>().unwrap() + 1_000).to_string();
        let not_found = [("user_id".to_owned(), "Object not found".to_owned())];
        assert_eq!(answered(&carer, &nobody).await, not_found);
        assert_eq!(answered(&carer, &ada).await, not_found);
        assert_eq!(answered(&w.owner, &nobody).await, not_found);
        for (actor, whose) in
            [(&w.owner, ada.clone()), (&carer, carer.user_id.to_string()), (&carer, String::new())]
        {
            let told = answered(actor, &whose).await;
            assert!(told.is_empty(), "{whose}: {told:?}");
        }
        // It stays filed under who is deleted, and tells nobody else of them.
        let id = ada.parse::<i64>().unwrap();
        w.spoil(Sql::fixed("UPDATE users SET deleted_at = 1 WHERE id = $1", [id.into()])).await;
        let told = answered(&w.owner, &ada).await;
        assert!(told.is_empty(), "{told:?}");
        assert_eq!(answered(&carer, &ada).await, not_found);
    })
    .await;
}
