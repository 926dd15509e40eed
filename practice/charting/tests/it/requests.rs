//! Form completion requests through the front door (behaviour 28).

use futures_util::future::BoxFuture;
use serde_json::{Value as Json, json};
use ward_charting::request::spawn;
use ward_charting::request::tables::RequestedFormCompletion;
use ward_engine::{Answer, ViewId};
use ward_store::{Actor, Query, Scope, Sql, Value};

use crate::filled::told;
use crate::flows::form;
use crate::support::World;

/// Where nobody is told.
fn silent<'a>(_: &'a mut Scope<'_>, _: &'a RequestedFormCompletion) -> BoxFuture<'a, Answer<()>> {
    Box::pin(async { Ok(()) })
}

impl World {
    /// Runs a mutation whose input is not named as it is; the payload.
    pub async fn send(&self, actor: &Actor, (field, of): (&str, &str), input: Json) -> Json {
        let shown = match field {
            "deleteRecurringForm" => "recurringForm { id }",
            "deleteRequestedFormCompletion" => "requestedFormCompletion { id }",
            _ => {
                "requestedFormCompletion { id status item_type } requestedFormCompletionStatus { status }"
            }
        };
        let query = format!(
            "mutation($input: {of}) {{ {field}(input: $input) \
             {{ {shown} messages {{ field message }} }} }}"
        );
        let answer = self.run_in(ViewId::V2026, actor, &query, json!({ "input": input })).await;
        answer["data"][field].clone()
    }

    /// Asks for a form; the payload.
    pub async fn request(&self, actor: &Actor, input: Json) -> Json {
        let of = ("createRequestedFormCompletion", "createRequestedFormInput");
        self.send(actor, of, input).await
    }

    /// Asks one client; the request's id.
    pub async fn asked(&self, form: &str, client: &str) -> String {
        let made = self.request(&self.owner, json!({ "form": form, "recipient_id": client })).await;
        assert!(made["messages"].is_null(), "{made}");
        assert_eq!(made["requestedFormCompletion"]["status"], "Open", "{made}");
        made["requestedFormCompletion"]["id"].as_str().unwrap().to_owned()
    }

    /// A client's requests, newest first, and whether something waits for them, which every way to
    /// ask agrees on.
    pub async fn requests(&self, actor: &Actor, client: &str) -> Vec<Json> {
        let query = "query($u: ID!) { requestedFormCompletions(user_id: $u) { total_count nodes { \
            id status item_type date_to_show custom_module_form { name } recipient_id sender_id \
            form_answer_group { id finished } } } hasFormsToComplete(user_id: $u) user(id: $u) { \
            requested_form_count any_incomplete_requested_form_completions \
            any_incomplete_onboarding_steps } }";
        let answer = self.run(actor, query, json!({ "u": client })).await;
        let all = answer["requestedFormCompletions"]["nodes"].as_array().unwrap().clone();
        assert_eq!(answer["requestedFormCompletions"]["total_count"], all.len(), "{answer}");
        let user = &answer["user"];
        let count = user["requested_form_count"].as_i64().unwrap();
        assert_eq!(user["any_incomplete_requested_form_completions"], count > 0, "{answer}");
        let has = count > 0 || user["any_incomplete_onboarding_steps"] == true;
        assert_eq!(answer["hasFormsToComplete"], has, "{answer}");
        all
    }

    pub async fn statuses(&self, client: &str) -> Vec<String> {
        let all = self.requests(&self.owner, client).await;
        all.iter().map(|it| it["status"].as_str().unwrap().to_owned()).collect()
    }

    /// Action and whether the client did it, of all that became of a request, oldest first.
    async fn deeds(&self, request: &str) -> Vec<String> {
        let query = "query($id: ID) { formHistories(sourceable_id: $id, \
            sourceable_type: RequestedFormCompletion) { nodes { action title creator { id } \
            patient { id } } } }";
        let answer = self.run(&self.owner, query, json!({ "id": request })).await;
        let all = answer["formHistories"]["nodes"].as_array().unwrap().clone();
        let deed = |it: &Json| {
            let who = if it["creator"]["id"] == it["patient"]["id"] { "client" } else { "staff" };
            format!("{} {who}", it["action"].as_str().unwrap())
        };
        all.iter().rev().map(deed).collect()
    }

    /// Events of requests, oldest first.
    pub async fn request_events(&self) -> Vec<String> {
        let sql = Sql::fixed(
            "SELECT event_type FROM events WHERE event_type LIKE 'requested_form%' ORDER BY seq",
            [],
        );
        let rows = self.db.read().await.unwrap().rows(&sql).await.unwrap();
        let short = |row: &[Value]| row[0].text().unwrap().rsplit('.').next().unwrap().to_owned();
        rows.iter().map(short).collect()
    }

    /// Does what jobs are to do, as if the next time of every recurring form had come.
    pub async fn come(&self, later: i64) {
        self.fall_due(later).await;
        while self.ask_some().await > 0 {}
    }

    /// Lets the next time of every recurring form come; nobody is asked yet.
    pub async fn fall_due(&self, later: i64) {
        for sql in [
            "UPDATE recurring_forms SET next_at = created_at + $1 WHERE is_active = TRUE",
            "UPDATE jobs SET visible_at = queued_at - $1 WHERE kind = 'request_forms'",
        ] {
            self.spoil(Sql::fixed(sql, [later.into()])).await;
        }
    }

    /// Does the jobs that are due, once; how many.
    pub async fn ask_some(&self) -> u64 {
        spawn::run_batch(&self.db, silent).await.unwrap()
    }
}

#[tokio::test]
async fn a_request_is_open_then_incomplete_then_completed() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let me = w.as_client(&ada).await;
        let (history, ill) = form(&w, "History").await;
        let first = w.asked(&history, &ada).await;
        let second = w.asked(&history, &ada).await;
        assert_eq!(w.statuses(&ada).await, ["Open", "Open"]);
        let mine = w.requests(&me, &ada).await;
        assert_eq!(mine.len(), 2, "the client reads the same");
        assert_eq!(mine[0]["custom_module_form"]["name"], "History");
        assert_eq!(mine[0]["item_type"], "cmf");
        // A draft that is begun for it, and finished.
        let draft = json!({ "custom_module_form_id": history,
            "requested_form_completion_id": second });
        let draft = w.fill(&me, draft).await;
        assert!(draft["messages"].is_null(), "{draft}");
        let draft = draft["form_answer_group"]["id"].clone();
        assert_eq!(w.statuses(&ada).await, ["Incomplete", "Open"]);
        let answers = json!([{ "custom_module_id": ill, "answer": "Never" }]);
        for _ in 0..2 {
            let saved = w.refill(&me, json!({ "id": draft, "form_answers": answers })).await;
            assert!(saved["messages"].is_null(), "{saved}");
        }
        let done = w.refill(&me, json!({ "id": draft, "finished": true })).await;
        assert!(done["messages"].is_null(), "{done}");
        assert_eq!(w.statuses(&ada).await, ["Completed", "Open"]);
        assert_eq!(w.deeds(&second).await, ["created staff", "edited client", "completed client"]);
        let of_group =
            "query($id: ID) { formAnswerGroup(id: $id) { requested_form_completion { id } } }";
        let group = w.run(&w.owner, of_group, json!({ "id": draft })).await;
        assert_eq!(group["formAnswerGroup"]["requested_form_completion"]["id"], *second);
        let again = json!({ "custom_module_form_id": history,
            "requested_form_completion_id": second });
        assert_eq!(told(&w.fill(&me, again).await)[0].0, "requested_form_completion_id");
        // Finished without naming one: the oldest that is open.
        let whole = json!({ "custom_module_form_id": history, "finished": true,
            "form_answers": answers });
        assert!(w.fill(&me, whole).await["messages"].is_null());
        assert_eq!(w.statuses(&ada).await, ["Completed", "Completed"]);
        assert_eq!(w.deeds(&first).await, ["created staff", "completed client"]);
        let events = ["created", "created", "updated", "updated", "updated"];
        assert_eq!(w.request_events().await, events);
        // A draft that is deleted leaves its request open; what is taken back is gone. To correct
        // what was finished before completes nothing.
        let third = w.asked(&history, &ada).await;
        let corrected = json!([{ "custom_module_id": ill, "answer": "Once" }]);
        let corrected = json!({ "id": done["form_answer_group"]["id"], "form_answers": corrected });
        assert!(w.refill(&me, corrected).await["messages"].is_null());
        assert_eq!(w.statuses(&ada).await[0], "Open");
        let draft = json!({ "custom_module_form_id": history,
            "requested_form_completion_id": third });
        let draft = w.fill(&me, draft).await["form_answer_group"]["id"].clone();
        w.mutate(&me, "deleteFormAnswerGroup", "form_answer_group { id }", json!({ "id": draft }))
            .await;
        assert_eq!(w.statuses(&ada).await[0], "Open");
        let delete = ("deleteRequestedFormCompletion", "deleteRequestedFormInput");
        let denied = w.send(&me, delete, json!({ "id": third })).await;
        assert!(denied["requestedFormCompletion"].is_null(), "{denied}");
        let gone = w.send(&w.owner, delete, json!({ "id": third })).await;
        assert_eq!(gone["requestedFormCompletion"]["id"], *third, "{gone}");
        assert_eq!(w.statuses(&ada).await.len(), 2);
        assert_eq!(w.request_events().await.last().unwrap(), "deleted");
    })
    .await;
}

#[tokio::test]
async fn what_is_opened_is_noted_once_until_something_is_done() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let me = w.as_client(&ada).await;
        let (history, _) = form(&w, "History").await;
        let request = w.asked(&history, &ada).await;
        let open = "query($id: ID, $tracks: Boolean) { requestedFormCompletion(id: $id, \
            track_opened_event: $tracks) { status } }";
        for tracks in [false, true, true] {
            let read = w.run(&me, open, json!({ "id": request, "tracks": tracks })).await;
            assert_eq!(read["requestedFormCompletion"]["status"], "Open", "{read}");
        }
        assert_eq!(w.deeds(&request).await, ["created staff", "opened client"]);
        // Who sees nothing opens nothing.
        let bob = w.client("Bob", "bob@example.com").await;
        let other = w.as_client(&bob).await;
        for actor in [&other, &w.stranger] {
            let read = w.run(actor, open, json!({ "id": request, "tracks": true })).await;
            assert!(read["requestedFormCompletion"].is_null(), "{read}");
        }
        let draft = json!({ "custom_module_form_id": history,
            "requested_form_completion_id": request });
        let draft = w.fill(&me, draft).await["form_answer_group"]["id"].clone();
        let open = "query($id: ID) { formAnswerGroup(id: $id, track_opened_event: true) { id } }";
        w.run(&me, open, json!({ "id": draft })).await;
        let deeds = ["created staff", "opened client", "edited client", "opened client"];
        assert_eq!(w.deeds(&request).await, deeds);
        let read = "query($p: ID) { formHistories(patient_id: $p) { total_count } }";
        let read = w.run(&me, read, json!({ "p": ada })).await;
        assert_eq!(read["formHistories"]["total_count"], 0, "histories are the staff's");
        let old = "query($p: ID) { formHistories(patient_id: $p) { action created_at } \
            formHistoriesCount(patient_id: $p) }";
        let old = w.run_in(ViewId::Baseline, &w.owner, old, json!({ "p": ada })).await;
        assert_eq!(old["data"]["formHistoriesCount"], 4, "{old}");
        assert!(old["data"]["formHistories"][0]["created_at"].is_string(), "{old}");
    })
    .await;
}
