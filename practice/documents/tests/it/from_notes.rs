//! Forms and notes as documents (behaviour 26, DOM-13, DOM-16).

use serde_json::{Value as Json, json};
use ward_engine::ViewId;
use ward_store::{Actor, Query, Sql};

use crate::support::World;

const SHARED: &str = "document { id display_name file_content_type shared include_in_charting \
     rel_user_id owner { id } users { nodes { id } } }";

impl World {
    /// A template for notes with these questions: its id, and theirs.
    pub async fn template(&self, questions: &[(&str, &str)]) -> (String, Vec<String>) {
        let input = json!({ "name": "Visit note", "use_for_charting": true });
        let made =
            self.mutate(&self.owner, "createCustomModuleForm", "customModuleForm { id }", input);
        let form = made.await["customModuleForm"]["id"].as_str().unwrap().to_owned();
        let mut ids = Vec::new();
        for (mod_type, label) in questions {
            let input =
                json!({ "custom_module_form_id": form, "mod_type": mod_type, "label": label });
            let made =
                self.mutate(&self.owner, "createCustomModule", "customModule { id }", input).await;
            ids.push(made["customModule"]["id"].as_str().unwrap().to_owned());
        }
        (form, ids)
    }

    /// A note about a client; the id.
    pub async fn note(
        &self,
        form: &str,
        client: &str,
        answers: &[(&str, &str)],
        more: Json,
    ) -> String {
        let answers: Vec<Json> = answers
            .iter()
            .map(|(question, answer)| json!({ "custom_module_id": question, "answer": answer }))
            .collect();
        let mut input = json!({ "custom_module_form_id": form, "user_id": client, "finished": true,
            "form_answers": answers });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let selects = "form_answer_group { id }";
        let made = self.mutate(&self.owner, "createFormAnswerGroup", selects, input).await;
        assert!(made["messages"].is_null(), "{made}");
        made["form_answer_group"]["id"].as_str().unwrap().to_owned()
    }

    async fn share(&self, actor: &Actor, input: Json) -> Json {
        self.mutate(actor, "shareAnswersAsDocument", SHARED, input).await
    }

    /// Does something to a note by its id.
    async fn to(&self, field: &str, input: &str, id: &str) {
        let query =
            format!("mutation {{ {field}(input: {{ {input} }}) {{ messages {{ message }} }} }}");
        let query = query.replace("NOTE", &format!("\"{id}\""));
        let answer = self.run_in(ViewId::V2026, &self.owner, &query, json!({})).await;
        assert!(answer["data"][field]["messages"].is_null(), "{answer}");
    }

    /// What each page of a document's file says.
    async fn pages(&self, document: &str) -> Vec<String> {
        let sql = Sql::fixed(
            "SELECT file_id FROM documents WHERE id = $1",
            [document.parse::<i64>().unwrap().into()],
        );
        let rows = self.db.read().await.unwrap().rows(&sql).await.unwrap();
        let bytes = self.file(rows.scalar().and_then(|it| it.text()).unwrap()).await;
        let pdf = lopdf::Document::load_mem(&bytes).unwrap();
        let numbers: Vec<u32> = pdf.get_pages().into_keys().collect();
        let text = |number: &u32| {
            let text = pdf.extract_text(&[*number]).unwrap();
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        numbers.iter().map(text).collect()
    }
}

#[tokio::test]
async fn a_note_is_shared_as_it_is_and_stays_so() {
    World::each(async |w| {
        let ada = w.client("Ada", "a@example.com").await;
        let (form, q) = w.template(&[("text", "How is she?"), ("textarea", "Plan")]).await;
        let answers = [(q[0].as_str(), "Well"), (q[1].as_str(), "<p>Rest <b>more</b></p>")];
        let id = w.note(&form, &ada, &answers, json!({ "name": "First visit" })).await;
        // The question is another one by now; what was asked is printed (DOM-13).
        let input = json!({ "id": q[0], "label": "Is she ill?" });
        w.mutate(&w.owner, "updateCustomModule", "customModule { id }", input).await;
        let shared = w.share(&w.owner, json!({ "form_answer_group_id": id, "user_id": ada })).await;
        let document = &shared["document"];
        assert_eq!(document["display_name"], "First visit", "{shared}");
        assert_eq!(document["file_content_type"], "application/pdf");
        assert_eq!(document["users"]["nodes"], json!([{ "id": ada }]));
        assert_eq!(document["rel_user_id"], json!(ada));
        let pages = w.pages(document["id"].as_str().unwrap()).await;
        assert_eq!(pages.len(), 1, "{pages:?}");
        for words in [
            "Testwell Practice",
            "Ada Client",
            "Page 1 of 1",
            "First visit",
            "How is she?",
            "Well",
            "Plan",
            "Rest more",
            "Filled in by: Olive Staffson",
            "Status: Not signed",
        ] {
            assert!(pages[0].contains(words), "{words}: {pages:?}");
        }
        assert!(!pages[0].contains("Is she ill?"), "{pages:?}");
        // The mark of a Sandbox, across the page and in its foot.
        let line = format!("SANDBOX, synthetic data, tag {}", w.instance.tag().as_str());
        assert!(pages[0].contains(&line), "{line}: {pages:?}");
        assert_eq!(pages[0].matches("SANDBOX").count(), 2, "{pages:?}");
        // The client, who does not see the note, has the document.
        let as_ada = w.as_client(&ada).await;
        assert_eq!(w.titles(&as_ada, "").await, ["First visit"]);
        assert_eq!(w.events().await, ["document.created []"]);
    })
    .await;
}

#[tokio::test]
async fn signatures_locks_addenda_and_changes_are_printed() {
    World::each(async |w| {
        let ada = w.client("Ada", "a@example.com").await;
        let (form, q) = w.template(&[("text", "How is she?")]).await;
        let id = w.note(&form, &ada, &[(q[0].as_str(), "Well")], json!({})).await;
        w.to("signFormAnswerGroup", "id: NOTE", &id).await;
        let shared = w.share(&w.owner, json!({ "form_answer_group_id": id })).await;
        let pages = w.pages(shared["document"]["id"].as_str().unwrap()).await;
        assert!(pages[0].contains("Status: Signed"), "{pages:?}");
        assert!(pages[0].contains("Olive Staffson, signed as author on"), "{pages:?}");
        assert!(!pages[0].contains("has changed since"), "{pages:?}");
        // A signed note can be changed until it is locked, and says so.
        let input = json!({ "id": id,
            "form_answers": [{ "custom_module_id": q[0], "answer": "Ill" }] });
        w.mutate(&w.owner, "updateFormAnswerGroup", "form_answer_group { id }", input).await;
        w.to("lockFormAnswerGroup", "id: NOTE", &id).await;
        let addendum = "form_answer_group_id: NOTE, content: \"Fever since Monday\"";
        w.to("createAddendum", addendum, &id).await;
        let shared =
            w.share(&w.owner, json!({ "form_answer_group_id": id, "name": "Again" })).await;
        assert_eq!(shared["document"]["display_name"], "Again", "{shared}");
        let pages = w.pages(shared["document"]["id"].as_str().unwrap()).await;
        for words in [
            "Status: Signed and locked",
            "by Olive Staffson",
            "This has changed since it was signed",
            "Changed after Olive Staffson signed it.",
            "Addenda",
            "Fever since Monday",
            "Ill",
        ] {
            assert!(pages[0].contains(words), "{words}: {pages:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_chart_is_one_document_for_the_staff() {
    World::each(async |w| {
        let (ada, bea) =
            (w.client("Ada", "a@example.com").await, w.client("Bea", "b@example.com").await);
        let (form, q) = w.template(&[("text", "How is she?")]).await;
        let q = q[0].as_str();
        let first = w.note(&form, &ada, &[(q, "Well")], json!({ "name": "One" })).await;
        let second = w.note(&form, &ada, &[(q, "Ill")], json!({ "name": "Two" })).await;
        let draft = json!({ "name": "Draft", "finished": false });
        w.note(&form, &ada, &[(q, "Hidden")], draft).await;
        let other = w.note(&form, &bea, &[(q, "Hers")], json!({ "name": "Other" })).await;
        let print = async |input: Json| {
            w.mutate(&w.owner, "generateChartingPdf", "user { id }", input).await
        };
        let newest = async || {
            let sql = Sql::fixed("SELECT id FROM documents ORDER BY id DESC LIMIT 1", []);
            let rows = w.db.read().await.unwrap().rows(&sql).await.unwrap();
            w.pages(&rows.scalar().and_then(|it| it.int()).unwrap().to_string()).await
        };
        let made = print(json!({ "id": ada })).await;
        assert_eq!(made["user"]["id"], json!(ada), "{made}");
        let pages = newest().await;
        assert_eq!(pages.len(), 2, "{pages:?}");
        assert!(
            pages.iter().all(|it| it.contains("of 2") && it.contains("Ada Client")),
            "{pages:?}"
        );
        let all = pages.join(" ");
        assert!(all.contains("Well") && all.contains("Ill"), "{all}");
        assert!(!all.contains("Hidden") && !all.contains("Hers"), "{all}");
        // In the order in which they are named; each once.
        let list = format!("[{second},{first},{second}]");
        print(json!({ "form_answer_group_array": list })).await;
        let pages = newest().await;
        assert!(pages[0].contains("Two") && pages[1].contains("One"), "{pages:?}");
        let as_ada = w.as_client(&ada).await;
        assert!(w.titles(&as_ada, "").await.is_empty(), "nothing is shared with the client");
        // Nothing of one client is on another's paper.
        for input in [
            json!({ "form_answer_group_array": format!("{first},{other}") }),
            json!({ "form_answer_group_array": other, "id": ada }),
        ] {
            let refused = print(input).await;
            let told =
                json!([{ "field": "form_answer_group_array", "message": "Object not found" }]);
            assert_eq!(refused["messages"], told, "{refused}");
        }
    })
    .await;
}

/// DOM-31: what is of treatment for a substance use disorder says so; counselling notes become no
/// document, whoever wrote them.
#[tokio::test]
async fn dom_31_confidential_notes_say_so_or_stay_apart() {
    World::each(async |w| {
        let ada = w.client("Ada", "a@example.com").await;
        let (form, q) = w.template(&[("text", "How is she?")]).await;
        let answers = |answer| [(q[0].as_str(), answer)];
        let part_2 = json!({ "confidentiality": "PART_2" });
        let part_2 = w.note(&form, &ada, &answers("Sober"), part_2).await;
        let plain = w.note(&form, &ada, &answers("Well"), json!({})).await;
        let apart = json!({ "confidentiality": "COUNSELLING_NOTES" });
        let apart = w.note(&form, &ada, &answers("Whispered"), apart).await;
        let notice = "42 CFR part 2 prohibits unauthorized use or disclosure of these records.";
        for (id, is_said) in [(&part_2, true), (&plain, false)] {
            let shared = w.share(&w.owner, json!({ "form_answer_group_id": id })).await;
            let pages = w.pages(shared["document"]["id"].as_str().unwrap()).await;
            assert_eq!(pages[0].contains(notice), is_said, "{pages:?}");
        }
        let files = w.files().await;
        let shared = w.share(&w.owner, json!({ "form_answer_group_id": apart })).await;
        let said = shared["messages"][0]["message"].as_str().unwrap_or_default();
        assert!(said.starts_with("Counselling notes are kept apart"), "{shared}");
        let print = async |input: Json| {
            w.mutate(&w.owner, "generateChartingPdf", "user { id }", input).await
        };
        let list = format!("[{part_2},{apart}]");
        let refused = print(json!({ "form_answer_group_array": list })).await;
        assert_eq!(refused["messages"][0]["field"], "form_answer_group_array", "{refused}");
        assert_eq!(w.files().await, files, "a refusal leaves no file");
        // The chart is without them.
        let made = print(json!({ "id": ada })).await;
        assert!(made["messages"].is_null(), "{made}");
        let sql = Sql::fixed("SELECT id FROM documents ORDER BY id DESC LIMIT 1", []);
        let rows = w.db.read().await.unwrap().rows(&sql).await.unwrap();
        let chart = rows.scalar().and_then(|it| it.int()).unwrap().to_string();
        let pages = w.pages(&chart).await;
        assert_eq!(pages.len(), 2, "{pages:?}");
        let all = pages.join(" ");
        assert!(all.contains("Sober") && all.contains(notice), "{all}");
        assert!(!all.contains("Whispered"), "{all}");
    })
    .await;
}

/// A note of a group's appointment is on the paper of each who attended, with what it says of them
/// and nothing of what it says of another.
#[tokio::test]
async fn of_a_group_note_each_has_their_own_part_on_paper() {
    World::each(async |w| {
        let ada = w.client("Ada", "a@example.com").await;
        let bea = w.client("Bea", "b@example.com").await;
        let cyd = w.client("Cyd", "c@example.com").await;
        let kind = json!({ "name": "Circle", "length": 50, "is_group": true });
        let kind =
            w.mutate(&w.owner, "createAppointmentType", "appointmentType { id }", kind).await;
        let input = json!({ "attendee_ids": [ada, bea], "contact_type": "Phone Call",
            "datetime": "2031-03-04T15:00:00Z", "appointment_type_id": kind["appointmentType"]["id"] });
        let class = w.mutate(&w.owner, "createAppointment", "appointment { id }", input).await;
        let (form, q) = w.template(&[("text", "What was done?")]).await;
        let more = json!({ "appointment_id": class["appointment"]["id"], "individual_client_notes": [
            { "user_id": ada, "content": "<p>Spoke</p>", "attended": true },
            { "user_id": bea, "content": "Listened" }] });
        let note = w.note(&form, &ada, &[(q[0].as_str(), "Breathing")], more).await;
        w.to("signFormAnswerGroup", "id: NOTE", &note).await;
        let wanted = [
            (Some(&ada), "Ada Client", "Spoke", "Listened", "Bea"),
            (Some(&bea), "Bea Client", "Listened", "Spoke", "Ada"),
            (None, "Ada Client", "Spoke", "Listened", "Bea"),
        ];
        for (client, name, own, others, other) in wanted {
            let input = json!({ "form_answer_group_id": note, "user_id": client });
            let shared = w.share(&w.owner, input).await;
            let whose = client.unwrap_or(&ada);
            assert_eq!(shared["document"]["rel_user_id"], json!(whose), "{shared}");
            let pages = w.pages(shared["document"]["id"].as_str().unwrap()).await.join(" ");
            for words in [name, own, "Breathing", "Individual note", "signed as author"] {
                assert!(pages.contains(words), "{words}: {pages}");
            }
            let changed = "This has changed since it was signed";
            for words in [others, other, changed] {
                assert!(!pages.contains(words), "{words}: {pages}");
            }
        }
        // It is in the whole chart of each, and of nobody else.
        let print = async |client: &str| {
            let input = json!({ "id": client });
            w.mutate(&w.owner, "generateChartingPdf", "user { id }", input).await
        };
        assert_eq!(print(&bea).await["user"]["id"], json!(bea));
        assert_eq!(print(&cyd).await["messages"][0]["field"], "id");
        let refused = w.share(&w.owner, json!({ "form_answer_group_id": note, "user_id": cyd }));
        assert_eq!(refused.await["messages"][0]["message"], "Object not found");
    })
    .await;
}

/// DOM-31: so it is with a group's, for each of its clients.
#[tokio::test]
async fn dom_31_confidential_notes_of_a_group_say_so_or_stay_apart() {
    World::each(async |w| {
        let ada = w.client("Ada", "a@example.com").await;
        let bea = w.client("Bea", "b@example.com").await;
        let kind = json!({ "name": "Circle", "length": 50, "is_group": true });
        let kind =
            w.mutate(&w.owner, "createAppointmentType", "appointmentType { id }", kind).await;
        let input = json!({ "attendee_ids": [ada, bea], "contact_type": "Phone Call",
            "datetime": "2031-03-04T15:00:00Z", "appointment_type_id": kind["appointmentType"]["id"] });
        let class = w.mutate(&w.owner, "createAppointment", "appointment { id }", input).await;
        let (form, q) = w.template(&[("text", "What was done?")]).await;
        let of = |confidentiality: &str, content: &str| {
            json!({ "appointment_id": class["appointment"]["id"],
                "confidentiality": confidentiality,
                "individual_client_notes": [{ "user_id": bea, "content": content }] })
        };
        let answer = [(q[0].as_str(), "Breathing")];
        let part_2 = w.note(&form, &ada, &answer, of("PART_2", "Sober")).await;
        let apart = w.note(&form, &ada, &answer, of("COUNSELLING_NOTES", "Whispered")).await;
        let notice = "42 CFR part 2 prohibits unauthorized use or disclosure of these records.";
        for (client, is_hers) in [(&ada, false), (&bea, true)] {
            let input = json!({ "form_answer_group_id": part_2, "user_id": client });
            let shared = w.share(&w.owner, input).await;
            let pages = w.pages(shared["document"]["id"].as_str().unwrap()).await.join(" ");
            assert!(pages.contains(notice), "{pages}");
            assert_eq!(pages.contains("Sober"), is_hers, "{pages}");
            let input = json!({ "form_answer_group_id": apart, "user_id": client });
            let refused = w.share(&w.owner, input).await;
            let said = refused["messages"][0]["message"].as_str().unwrap_or_default();
            assert!(said.starts_with("Counselling notes are kept apart"), "{refused}");
            assert!(refused["document"].is_null(), "{refused}");
        }
    })
    .await;
}

#[tokio::test]
async fn who_may_not_read_a_note_shares_none_and_leaves_no_file() {
    World::each(async |w| {
        let ada = w.client("Ada", "a@example.com").await;
        let (form, q) = w.template(&[("text", "How is she?")]).await;
        let id = w.note(&form, &ada, &[(q[0].as_str(), "Well")], json!({})).await;
        let open = json!({ "finished": false });
        let draft = w.note(&form, &ada, &[(q[0].as_str(), "Well")], open).await;
        let unseeing = w.with(&w.standard, &[]);
        let not_found = json!([{ "field": "form_answer_group_id", "message": "Object not found" }]);
        for actor in [&w.stranger, &unseeing] {
            let refused = w.share(actor, json!({ "form_answer_group_id": id })).await;
            assert_eq!(refused["messages"], not_found, "{refused}");
        }
        let as_ada = w.as_client(&ada).await;
        let query = "mutation($id: ID) { shareAnswersAsDocument(input: { form_answer_group_id: $id }) \
            { document { id } messages { message } } }";
        let denied = w.run_in(ViewId::V2026, &as_ada, query, json!({ "id": id })).await;
        assert_eq!(denied["errors"][0]["extensions"]["code"], "PERMISSION_DENIED", "{denied}");
        for (input, said) in [
            (json!({ "form_answer_group_id": draft }), "This is a draft: finish it before you share it"),
            (json!({ "form_answer_group_id": id, "name": "a\nb" }),
                "Name can't hold control or direction characters"),
            (json!({}), "Object not found"),
            (json!({ "form_answer_group_id": "x" }), "Object not found"),
        ] {
            let refused = w.share(&w.owner, input).await;
            assert_eq!(refused["messages"][0]["message"], said, "{refused}");
        }
        let blank = w.mutate(&w.owner, "generateChartingPdf", "user { id }", json!({})).await;
        assert_eq!(blank["messages"][0]["field"], "id", "{blank}");
        assert_eq!(w.files().await, 0, "a refusal leaves no file");
    })
    .await;
}
