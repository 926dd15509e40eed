//! Notes of a group's appointment, and what they say of single clients (behaviour 26).

use serde_json::{Value as Json, json};
use ward_charting::group_note::tables::IndividualClientNote;
use ward_engine::ViewId;
use ward_store::{Actor, Cond, Query, Sql, Value};

use crate::filled::told;
use crate::support::World;

/// What clients of the reference read of such a note, and more.
pub const NOTE: &str = "form_answer_group { id version is_group_appt_note user_id user { id } \
    individual_client_notes { id content attended join_time leave_time appointment_inclusion_id \
    updated_at user { id full_name } } group_appointment_attendees { id full_name } }";

impl World {
    /// A client whom a Standard member cares for, who has no flags.
    pub async fn cared_for(&self, first: &str) -> (String, Actor) {
        let carer = self.with(&self.standard, &[]);
        let input = json!({ "first_name": first, "last_name": "Client",
            "email": format!("{first}@example.com"),
            "other_provider_ids": [carer.user_id.to_string()] });
        let made = self.mutate(&self.owner, "createClient", "user { id }", input).await;
        assert!(made["messages"].is_null(), "{made}");
        (made["user"]["id"].as_str().unwrap().to_owned(), carer)
    }

    /// An appointment of a group with the owner, in so many days; the id.
    pub async fn class(&self, attendees: &[&str], days: i64) -> String {
        let kind = json!({ "name": format!("Circle {days}"), "length": 50, "is_group": true });
        let kind =
            self.mutate(&self.owner, "createAppointmentType", "appointmentType { id }", kind).await;
        let at = jiff::Timestamp::from_microsecond(self.instance.now().0).unwrap()
            + jiff::SignedDuration::from_hours(24 * days);
        let input = json!({ "attendee_ids": attendees, "contact_type": "Phone Call",
            "datetime": at.strftime("%Y-%m-%dT%H:00:00Z").to_string(),
            "appointment_type_id": kind["appointmentType"]["id"] });
        let made = self.mutate(&self.owner, "createAppointment", "appointment { id }", input).await;
        assert!(made["messages"].is_null(), "{made}");
        made["appointment"]["id"].as_str().unwrap().to_owned()
    }

    /// A finished note of a group's appointment, of which nobody is named.
    pub async fn of_group(&self, class: &str, single: Json) -> Json {
        let form =
            self.form(&self.owner, json!({ "name": "Circle", "use_for_charting": true })).await;
        let q = self.question(&form, "text", "What was done?").await;
        let input = json!({ "custom_module_form_id": form, "appointment_id": class,
            "finished": true, "form_answers": [{ "custom_module_id": q, "answer": "Breathing" }],
            "individual_client_notes": single });
        let made = self.mutate(&self.owner, "createFormAnswerGroup", NOTE, input).await;
        assert!(made["messages"].is_null(), "{made}");
        made["form_answer_group"].clone()
    }

    /// Writes of single clients.
    pub async fn single(&self, actor: &Actor, note: &Json, single: Json) -> Json {
        let input = json!({ "id": note, "individual_client_notes": single });
        self.mutate(actor, "updateFormAnswerGroup", NOTE, input).await
    }

    /// Does something to a note by its id.
    async fn does(&self, field: &str, note: &Json) {
        let query =
            format!("mutation {{ {field}(input: {{ id: {note} }}) {{ messages {{ message }} }} }}");
        let done = self.run(&self.owner, &query, json!({})).await;
        assert!(done[field]["messages"].is_null(), "{done}");
    }

    async fn intact(&self, note: &Json) -> Json {
        let query = "query($id: ID) { formAnswerGroup(id: $id) { \
            form_answer_group_signings { is_intact } } }";
        let read = self.run(&self.owner, query, json!({ "id": note })).await;
        read["formAnswerGroup"]["form_answer_group_signings"][0]["is_intact"].clone()
    }
}

/// What a note says of whom, in its order.
fn said(note: &Json) -> Vec<(String, Json)> {
    let all = note["individual_client_notes"].as_array().unwrap();
    let one = |it: &Json| (it["user"]["id"].as_str().unwrap().to_owned(), it["content"].clone());
    all.iter().map(one).collect()
}

#[tokio::test]
async fn one_note_of_a_group_and_one_of_each_who_attends() {
    World::each(async |w| {
        let (ada, bea) =
            (w.client("Ada", "ada@example.com").await, w.client("Bea", "bea@example.com").await);
        let cyd = w.client("Cyd", "cyd@example.com").await;
        let staff = w.standard.user_id.to_string();
        let class = w.class(&[&ada, &bea, &staff], 3).await;
        let spoke = json!([{ "user_id": ada, "content": "<p>Spoke</p>", "attended": true,
            "join_time": "2026-03-04T14:00:00Z", "leave_time": "2026-03-04T15:00:00Z" }]);
        let note = w.of_group(&class, spoke).await;
        let id = note["id"].clone();
        assert_eq!(note["is_group_appt_note"], true, "{note}");
        let wanted = [(ada.clone(), json!("<p>Spoke</p>")), (bea.clone(), Json::Null)];
        assert_eq!(said(&note), wanted, "of each client, and of nobody of the staff");
        let own = &note["individual_client_notes"][0];
        assert_eq!(own["join_time"], "2026-03-04T09:00:00-05:00");
        assert_eq!(own["leave_time"], "2026-03-04T10:00:00-05:00");
        assert_eq!(own["user"]["full_name"], "Ada Client");
        assert!(own["appointment_inclusion_id"].is_string(), "{note}");
        assert_eq!(note["group_appointment_attendees"].as_array().unwrap().len(), 3, "{note}");
        assert_eq!(w.filled_events().await, ["form_answer_group.created"]);
        // By the client and by its own id; who is added gets theirs when it is saved again.
        let of_bea = note["individual_client_notes"][1]["id"].clone();
        let joined = json!({ "id": class, "attendee_ids": [ada, bea, cyd, staff] });
        w.mutate(&w.owner, "updateAppointment", "appointment { id }", joined).await;
        let more = json!([{ "id": of_bea, "content": "Listened", "attended": false },
            { "user_id": cyd, "content": "Came late" }]);
        let done = w.single(&w.owner, &id, more).await["form_answer_group"].clone();
        let wanted = [
            (ada.clone(), json!("<p>Spoke</p>")),
            (bea.clone(), json!("Listened")),
            (cyd.clone(), json!("Came late")),
        ];
        assert_eq!(said(&done), wanted);
        assert_ne!(done["version"], note["version"], "it is another version");
        let stale = json!({ "id": id, "version": note["version"],
            "individual_client_notes": [{ "user_id": ada, "content": "Lost" }] });
        let stale = w.mutate(&w.owner, "updateFormAnswerGroup", NOTE, stale).await;
        assert_eq!(told(&stale)[0].0, "version", "{stale}");
        let query = "query($id: ID, $u: ID) { formAnswerGroup(id: $id) { \
            individual_client_notes(order_by: ATTENDED_DESC) { content } \
            individual_note(user_id: $u) { content } nobody: individual_note { content } } }";
        let read = w.run(&w.owner, query, json!({ "id": id, "u": bea })).await;
        let wanted = json!({ "individual_client_notes": [{ "content": "<p>Spoke</p>" },
            { "content": "Came late" }, { "content": "Listened" }],
            "individual_note": { "content": "Listened" }, "nobody": null });
        assert_eq!(read["formAnswerGroup"], wanted);
        // In the chart of each.
        let query = "query($u: ID) { formAnswerGroups(user_id: $u) { total_count } \
            of_groups: formAnswerGroups(user_id: $u, include_group_notes: true) { total_count \
            nodes { id } } chartNotes(user_id: $u) { total_count } \
            chartingItems(user_id: $u) { id } }";
        let chart = w.run(&w.owner, query, json!({ "u": bea })).await;
        assert_eq!(chart["formAnswerGroups"]["total_count"], 0);
        assert_eq!(chart["of_groups"], json!({ "total_count": 1, "nodes": [{ "id": id }] }));
        assert_eq!(chart["chartNotes"]["total_count"], 1);
        assert_eq!(chart["chartingItems"], json!([{ "id": id }]));
        let old = "query($u: String) { formAnswerGroups(user_id: $u, include_group_notes: true) { \
            is_group_appt_note individual_client_notes(sort_by: CREATED_AT_DESC) { content \
            join_time } } }";
        let old = w.run_in(ViewId::Baseline, &w.owner, old, json!({ "u": bea })).await;
        let listed = &old["data"]["formAnswerGroups"][0];
        assert_eq!(listed["is_group_appt_note"], true, "{old}");
        let times = listed["individual_client_notes"].as_array().unwrap();
        assert!(times.iter().any(|it| it["join_time"].is_string()), "{old}");
    })
    .await;
}

#[tokio::test]
async fn what_a_note_can_not_say_of_single_clients() {
    World::each(async |w| {
        let (ada, bea) =
            (w.client("Ada", "ada@example.com").await, w.client("Bea", "bea@example.com").await);
        let (class, other) = (w.class(&[&ada], 3).await, w.class(&[&ada, &bea], 4).await);
        let note = w.of_group(&class, json!([])).await;
        let foreign = w.of_group(&other, Json::Null).await;
        let id = note["id"].clone();
        let own = note["individual_client_notes"][0]["id"].clone();
        let theirs = foreign["individual_client_notes"][0]["id"].clone();
        let times = json!({ "user_id": ada, "join_time": "2026-03-04T15:00:00Z",
            "leave_time": "2026-03-04T14:00:00Z" });
        for (single, field) in [
            (json!({ "user_id": bea }), "user_id"),
            (json!({ "user_id": "1" }), "user_id"),
            (json!({ "user_id": w.standard.user_id.to_string() }), "user_id"),
            (json!({ "content": "Of whom?" }), "user_id"),
            (json!({ "id": own, "user_id": bea }), "user_id"),
            (json!({ "id": "1" }), "id"),
            (json!({ "id": theirs }), "id"),
            (json!({ "user_id": ada, "join_time": "soon" }), "join_time"),
            (json!({ "user_id": ada, "content": "x".repeat(100_001) }), "content"),
            (times, "leave_time"),
        ] {
            let refused = w.single(&w.owner, &id, json!([single])).await;
            assert_eq!(told(&refused)[0].0, field, "{refused}");
        }
        let many = vec![json!({ "user_id": ada }); 201];
        let refused = w.single(&w.owner, &id, json!(many)).await;
        assert_eq!(told(&refused)[0].0, "individual_client_notes", "{refused}");
        let read = w.single(&w.owner, &id, json!([])).await["form_answer_group"].clone();
        assert_eq!(read["version"], note["version"], "nothing was changed");
        // It stays with its appointment.
        let connect = json!({ "form_answer_group_id": id, "appointment_id": other });
        let field = "createAppointmentFormAnswerGroupConnection";
        let moved = w.mutate(&w.owner, field, "form_answer_group { id }", connect).await;
        assert_eq!(told(&moved)[0].0, "base", "{moved}");
        let field = "deleteAppointmentFormAnswerGroupConnection";
        let alone = json!({ "form_answer_group_id": id });
        let alone = w.mutate(&w.owner, field, "form_answer_group { id }", alone).await;
        assert_eq!(told(&alone)[0].0, "base", "{alone}");
        for appointment in [other.as_str(), ""] {
            let input = json!({ "id": id, "appointment_id": appointment });
            assert_eq!(told(&w.refill(&w.owner, input).await)[0].0, "base");
        }
        // A note of one client says nothing of single ones, and never becomes a group's.
        let form = w.form(&w.owner, json!({ "name": "Note", "use_for_charting": true })).await;
        let mut input = json!({ "custom_module_form_id": form, "user_id": ada,
            "individual_client_notes": [{ "user_id": ada, "content": "Hers" }] });
        let refused = w.mutate(&w.owner, "createFormAnswerGroup", NOTE, input.clone()).await;
        assert_eq!(told(&refused)[0].0, "individual_client_notes", "{refused}");
        input["individual_client_notes"] = json!([]);
        let made = w.mutate(&w.owner, "createFormAnswerGroup", NOTE, input).await;
        let connect = json!({ "form_answer_group_id": made["form_answer_group"]["id"],
            "appointment_id": class });
        let field = "createAppointmentFormAnswerGroupConnection";
        let connected = w.mutate(&w.owner, field, NOTE, connect).await;
        assert_eq!(connected["form_answer_group"]["is_group_appt_note"], false, "{connected}");
        assert_eq!(connected["form_answer_group"]["individual_client_notes"], json!([]));
        assert_eq!(connected["form_answer_group"]["group_appointment_attendees"], json!([]));
        // Neither does what clients fill in.
        let intake = w.form(&w.owner, json!({ "name": "Before the circle" })).await;
        w.question(&intake, "text", "Why?").await;
        let as_ada = w.as_client(&ada).await;
        let input = json!({ "custom_module_form_id": intake, "appointment_id": class });
        let made = w.mutate(&as_ada, "createFormAnswerGroup", NOTE, input).await;
        assert_eq!(made["form_answer_group"]["is_group_appt_note"], false, "{made}");
    })
    .await;
}

#[tokio::test]
async fn who_sees_one_client_reads_nothing_of_another() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let (bea, carer) = w.cared_for("Bea").await;
        let class = w.class(&[&ada, &bea], 3).await;
        let single = json!([{ "user_id": ada, "content": "Hers" },
            { "user_id": bea, "content": "Spoke" }]);
        let note = w.of_group(&class, single).await;
        let id = note["id"].clone();
        let of_ada = note["individual_client_notes"][0]["id"].clone();
        // Who is read is in the access log: whom they see.
        w.db.access_log().flush(&w.db).await.unwrap();
        let query = "query($id: ID) { formAnswerGroup(id: $id) { name individual_client_notes { \
            content } } }";
        let log = async |actor: &Actor| {
            w.run(actor, query, json!({ "id": id })).await;
            w.db.access_log().flush(&w.db).await.unwrap();
            let sql = Sql::fixed(
                "SELECT client_id, client_count FROM access_log WHERE actor_id = $1 \
                 AND path LIKE 'formAnswerGroup%' ORDER BY wall_at DESC",
                [actor.user_id.into()],
            );
            let rows = w.db.read().await.unwrap().rows(&sql).await.unwrap();
            (rows.row(0)[0].int(), rows.row(0)[1].int())
        };
        assert_eq!(log(&carer).await, (bea.parse::<i64>().ok(), Some(1)));
        assert_eq!(log(&w.owner).await, (None, Some(2)));
        let query = format!(
            "query($id: ID, $a: ID, $b: ID) {{ {} \
             hers: formAnswerGroup(id: $id) {{ individual_note(user_id: $a) {{ content }} \
             form_answers {{ answer user_id }} appointment {{ id }} }} \
             formAnswerGroups(user_id: $b, include_group_notes: true) {{ nodes {{ id }} }} \
             others: formAnswerGroups(user_id: $a, include_group_notes: true) {{ nodes {{ id }} }} \
             filed: formAnswerGroups(user_id: $a) {{ nodes {{ id }} }} \
             work: chartNotes(user_id: $a) {{ nodes {{ id }} }} chart: chartingItems(user_id: $a) {{ __typename }} }}",
            NOTE.replacen("form_answer_group", "formAnswerGroup(id: $id)", 1)
        );
        let read = async |actor: &Actor| {
            w.run(actor, &query, json!({ "id": id, "a": ada, "b": bea })).await
        };
        let seen = read(&carer).await;
        let own = &seen["formAnswerGroup"];
        assert_eq!(said(own), [(bea.clone(), json!("Spoke"))], "{seen}");
        assert_eq!((&own["user"], &own["user_id"]), (&Json::Null, &Json::Null), "{seen}");
        let attends = own["group_appointment_attendees"].as_array().unwrap();
        assert_eq!(attends.len(), 1, "{seen}");
        assert_eq!(seen["hers"]["individual_note"], Json::Null);
        let answers = json!([{ "answer": "Breathing", "user_id": null }]);
        assert_eq!(seen["hers"]["form_answers"], answers);
        assert_eq!(seen["formAnswerGroups"]["nodes"], json!([{ "id": id }]));
        for list in ["others", "filed", "work"] {
            assert_eq!(seen[list]["nodes"], json!([]), "{list}");
        }
        assert_eq!(seen["chart"], json!([]));
        assert!(!seen.to_string().contains("Ada") && !seen.to_string().contains("Hers"), "{seen}");
        // Nor do they write of another, whatever they name.
        for (single, field) in [
            (json!({ "user_id": ada, "content": "Mine" }), "user_id"),
            (json!({ "id": of_ada, "content": "Mine" }), "id"),
        ] {
            let refused = w.single(&carer, &id, json!([single])).await;
            assert_eq!(told(&refused), [(field.to_owned(), "Object not found".to_owned())]);
        }
        let done = w.single(&carer, &id, json!([{ "user_id": bea, "content": "Sang" }])).await;
        assert_eq!(said(&done["form_answer_group"]), [(bea.clone(), json!("Sang"))], "{done}");
        // Clients see no note; whoever sees none of them, and another practice, neither.
        let (as_ada, as_bea) = (w.as_client(&ada).await, w.as_client(&bea).await);
        let only_ada = w.client("Cyd", "cyd@example.com").await;
        let as_cyd = w.as_client(&only_ada).await;
        for actor in [&as_ada, &as_bea, &as_cyd, &w.stranger] {
            let seen = read(actor).await;
            assert_eq!((&seen["formAnswerGroup"], &seen["hers"]), (&Json::Null, &Json::Null));
            assert_eq!(seen["formAnswerGroups"]["nodes"], json!([]));
            let refused = w.single(actor, &id, json!([{ "user_id": bea, "content": "x" }])).await;
            assert_eq!(told(&refused)[0].1, "Object not found", "{refused}");
        }
        // Nothing of a restricted client is anybody's who does not see them.
        let input = json!({ "id": ada, "restricted": true });
        w.mutate(&w.owner, "updateClient", "user { id }", input).await;
        assert!(read(&carer).await["formAnswerGroup"].is_null());
        assert_eq!(said(&read(&w.owner).await["formAnswerGroup"]).len(), 2);
    })
    .await;
}

#[tokio::test]
async fn dom_16_a_signature_is_of_what_is_said_of_each() {
    World::each(async |w| {
        let (ada, bea) =
            (w.client("Ada", "ada@example.com").await, w.client("Bea", "bea@example.com").await);
        let class = w.class(&[&ada, &bea], 3).await;
        let note = w.of_group(&class, json!([{ "user_id": bea, "content": "Spoke" }])).await;
        let id = note["id"].clone();
        w.does("signFormAnswerGroup", &id).await;
        assert_eq!(w.intact(&id).await, true);
        for (content, holds) in [("Sang", false), ("Spoke", true)] {
            let single = json!([{ "user_id": bea, "content": content }]);
            assert!(w.single(&w.owner, &id, single).await["messages"].is_null());
            assert_eq!(w.intact(&id).await, holds, "{content}");
        }
        w.does("lockFormAnswerGroup", &id).await;
        let locked = w.single(&w.owner, &id, json!([{ "user_id": bea, "content": "Sang" }])).await;
        assert_eq!(told(&locked)[0].0, "base", "{locked}");
        assert_eq!(w.intact(&id).await, true);
        // What is altered in the store shows.
        for (statement, holds) in [
            ("UPDATE individual_client_notes SET attended = FALSE", false),
            ("UPDATE individual_client_notes SET attended = NULL", true),
            ("UPDATE individual_client_notes SET leave_time = 1", false),
            ("UPDATE individual_client_notes SET leave_time = NULL", true),
            ("UPDATE individual_client_notes SET content = NULL", false),
        ] {
            w.spoil(Sql::fixed(statement, [])).await;
            assert_eq!(w.intact(&id).await, holds, "{statement}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_said_of_a_client_is_sealed_and_concerns_them() {
    World::each(async |w| {
        let (ada, bea) =
            (w.client("Ada", "ada@example.com").await, w.client("Bea", "bea@example.com").await);
        let class = w.class(&[&ada, &bea], 3).await;
        let note = w.of_group(&class, json!([{ "user_id": bea, "content": "alpacas" }])).await;
        w.single(&w.owner, &note["id"], json!([{ "user_id": bea, "content": "vicunas" }])).await;
        let mut conn = w.db.read().await.unwrap();
        let mut kept = String::new();
        for table in ["individual_client_notes", "audit_events", "events"] {
            let mut sql = Sql::new();
            sql.push("SELECT * FROM ").push(table);
            kept.push_str(&format!("{:?}", conn.rows(&sql).await.unwrap()));
        }
        assert!(!kept.contains("alpacas") && !kept.contains("vicunas"), "it is not sealed");
        let sql = Sql::fixed(
            "SELECT event_type, subject_id FROM audit_events \
             WHERE resource_name = 'INDIVIDUAL_CLIENT_NOTE' ORDER BY event_type, subject_id",
            [],
        );
        let rows = conn.rows(&sql).await.unwrap();
        let concerns: Vec<Option<i64>> = rows.iter().map(|row| row[1].int()).collect();
        let [ada, bea]: [i64; 2] = [&ada, &bea].map(|id| id.parse().unwrap());
        assert_eq!(concerns, [Some(ada), Some(bea), Some(bea)], "{rows:?}");
        assert_eq!(rows.row(2)[0], Value::from("UPDATE"));
    })
    .await;
}

#[tokio::test]
async fn dom_37_a_merge_loses_nothing_that_was_said_of_either() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let twin = w.client("Ada", "twin@example.com").await;
        let class = w.class(&[&ada, &twin], 3).await;
        let single = json!([{ "user_id": ada, "content": "One" },
            { "user_id": twin, "content": "Two" }]);
        let note = w.of_group(&class, single).await;
        w.does("signFormAnswerGroup", &note["id"]).await;
        let input = json!({ "ids": [ada, twin], "target_user_id": ada });
        let merged = w.mutate(&w.owner, "mergeClients", "user { id }", input).await;
        assert!(merged["messages"].is_null(), "{merged}");
        let rows: Vec<IndividualClientNote> = w.rows(Cond::Always).await;
        let of: Vec<String> = rows.iter().map(|it| it.user_id.0.to_string()).collect();
        assert_eq!(of, [ada.clone(), ada.clone()]);
        assert_eq!(w.intact(&note["id"]).await, true, "it says what it said");
        // Written on by the client's id it is the first.
        let done = w.single(&w.owner, &note["id"], json!([{ "user_id": ada, "content": "Both" }]));
        let done = done.await["form_answer_group"].clone();
        assert_eq!(said(&done), [(ada.clone(), json!("Both")), (ada, json!("Two"))], "{done}");
    })
    .await;
}
