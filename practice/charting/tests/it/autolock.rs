//! Notes that lock by themselves (behaviour 26): when their time has come, as the organization has
//! it by then, and whatever became of them until then.

mod failing;

use serde_json::{Value as Json, json};
use ward_charting::filled::autolock::run_batch;
use ward_identity::flags::{CAN_EDIT_SETTINGS, CAN_SEE_CLIENTS};
use ward_store::{Actor, Query, Sql, Value};

use crate::filled::told;
use crate::support::World;

const MINUTE: i64 = 60_000_000;
const DAY: i64 = 24 * 60;

impl World {
    /// Says after how many hours notes lock; the payload.
    async fn lock_after(&self, actor: &Actor, hours: Json) -> Json {
        let input = json!({ "chart_note_autolock_hours": hours });
        let selects = "organization { chart_note_autolock_hours }";
        self.mutate(actor, "updateOrganization", selects, input).await
    }

    /// The same, and it is done.
    async fn locks_after(&self, actor: &Actor, hours: Json) {
        let done = self.lock_after(actor, hours.clone()).await;
        assert_eq!(done["organization"]["chart_note_autolock_hours"], hours, "{done}");
    }

    /// Does what jobs are to do, as if so many more minutes had passed.
    async fn pass(&self, minutes: i64) {
        for sql in [
            "UPDATE form_answer_groups SET autolock_from = autolock_from - $1, \
             autolock_skipped_until = autolock_skipped_until - $1 WHERE autolock_from IS NOT NULL",
            "UPDATE organizations SET chart_note_autolock_since = chart_note_autolock_since - $1 \
             WHERE chart_note_autolock_since IS NOT NULL",
            // Each by another name for a moment, since that of another job may be the new one.
            "UPDATE jobs SET visible_at = visible_at - $1, \
             dedupe_key = 'at ' || CAST(CAST(dedupe_key AS BIGINT) - $1 AS TEXT) \
             WHERE kind = 'autolock_notes' AND state = 'ready'",
        ] {
            self.spoil(Sql::fixed(sql, [(minutes * MINUTE).into()])).await;
        }
        let sql = "UPDATE jobs SET dedupe_key = SUBSTR(dedupe_key, 4) \
            WHERE kind = 'autolock_notes' AND state = 'ready'";
        self.spoil(Sql::fixed(sql, [])).await;
        while run_batch(&self.db).await.unwrap() > 0 {}
    }

    /// A finished note that asks nothing, or a form for the client; its id.
    async fn plain(
        &self,
        actor: &Actor,
        client: &str,
        (is_note, finished): (bool, bool),
    ) -> String {
        let form = json!({ "name": "Plain", "use_for_charting": is_note });
        let form = self.form(actor, form).await;
        let input =
            json!({ "custom_module_form_id": form, "user_id": client, "finished": finished });
        let made = self.fill(actor, input).await;
        assert!(made["messages"].is_null(), "{made}");
        made["form_answer_group"]["id"].as_str().unwrap().to_owned()
    }

    /// How a note stands.
    async fn stands(&self, actor: &Actor, id: &str) -> Json {
        let query = "query($id: ID) { formAnswerGroup(id: $id) { is_locked is_autolocked locked_at \
            locked_by { id } autolocks_at chart_note_status form_answer_group_audit_events { \
            action is_automatic description committed_by { id } } } }";
        self.run(actor, query, json!({ "id": id })).await["formAnswerGroup"].clone()
    }

    /// Whether it is locked, whether by itself, and whether it will be.
    async fn lock_of(&self, actor: &Actor, id: &str) -> (bool, bool, bool) {
        let note = self.stands(actor, id).await;
        let is = |field: &str| note[field].as_bool().unwrap();
        (is("is_locked"), is("is_autolocked"), !note["autolocks_at"].is_null())
    }

    /// When it was locked and from when its time runs, whoever sees it, deleted or not.
    async fn kept(&self, id: &str) -> (Option<i64>, Option<i64>) {
        let id: i64 = id.parse().unwrap();
        let sql = "SELECT locked_at, autolock_from FROM form_answer_groups WHERE id = $1";
        let sql = Sql::fixed(sql, [id.into()]);
        let rows = self.db.read().await.unwrap().rows(&sql).await.unwrap();
        let row = rows.iter().next().unwrap();
        (row[0].int(), row[1].int())
    }

    /// Of which organizations' notes it was told that they are locked, by their ids.
    async fn told_of(&self) -> Vec<i64> {
        let sql = "SELECT unit_id FROM events WHERE event_type = 'form_answer_group.locked' \
            ORDER BY unit_id";
        let sql = Sql::fixed(sql, []);
        let rows = self.db.read().await.unwrap().rows(&sql).await.unwrap();
        rows.iter().filter_map(|row| row[0].int()).collect()
    }

    /// How many jobs that lock notes are in a state.
    async fn jobs(&self, state: &str) -> usize {
        let sql = "SELECT state FROM jobs WHERE kind = 'autolock_notes'";
        let sql = Sql::fixed(sql, []);
        let rows = self.db.read().await.unwrap().rows(&sql).await.unwrap();
        rows.iter().filter(|row| row[0].text() == Some(state)).count()
    }

    /// Jobs of all sorts that have failed for good, or that lock notes and have failed once.
    async fn failed(&self) -> Option<i64> {
        let sql = "SELECT COUNT(*) FROM jobs WHERE state = 'dead' \
            OR (kind = 'autolock_notes' AND last_error IS NOT NULL)";
        let sql = Sql::fixed(sql, []);
        let rows = self.db.read().await.unwrap().rows(&sql).await.unwrap();
        rows.scalar().and_then(Value::int)
    }
}

/// Open for good, open for now, and locked by itself.
const OPEN: (bool, bool, bool) = (false, false, false);
const WAITS: (bool, bool, bool) = (false, false, true);
const LOCKED: (bool, bool, bool) = (true, true, false);

#[tokio::test]
async fn a_note_locks_when_its_time_has_come_and_again_after_it_was_unlocked() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let (early, _) = w.note(&ada).await;
        assert_eq!(w.lock_of(&w.owner, &early).await, OPEN, "nothing is set");
        // What is older than the setting is not locked at once by it.
        w.pass(400 * DAY).await;
        w.locks_after(&w.owner, json!(24)).await;
        let (late, q) = w.note(&ada).await;
        let draft = w.plain(&w.owner, &ada, (true, false)).await;
        let form = w.plain(&w.owner, &ada, (false, true)).await;
        for (minutes, stands) in [(0, WAITS), (DAY - 30, WAITS), (31, LOCKED)] {
            w.pass(minutes).await;
            for id in [&early, &late] {
                assert_eq!(w.lock_of(&w.owner, id).await, stands, "{minutes}");
            }
            for id in [&draft, &form] {
                assert_eq!(w.lock_of(&w.owner, id).await, OPEN, "{minutes}");
            }
        }
        let note = w.stands(&w.owner, &late).await;
        assert_eq!(note["chart_note_status"], "LOCKED");
        assert!(note["locked_by"].is_null() && !note["locked_at"].is_null(), "{note}");
        let owner = w.owner.user_id.to_string();
        let step = json!({ "action": "LOCKED", "is_automatic": true,
            "description": "Locked automatically", "committed_by": { "id": owner } });
        assert_eq!(note["form_answer_group_audit_events"], json!([step]));
        assert_eq!(w.told_of().await, [w.owner.unit_id, w.owner.unit_id]);
        // Nobody changes it, and it is added to.
        let answers = json!([{ "custom_module_id": q, "answer": "Ill" }]);
        let refused = w.refill(&w.owner, json!({ "id": late, "form_answers": answers })).await;
        assert!(told(&refused)[0].1.starts_with("This form is locked"), "{refused}");
        assert!(w.add(&w.owner, &late, "P.S.").await["messages"].is_null());
        // Whoever may unlocks it, and its time begins anew.
        w.pass(DAY).await;
        let open = w.to(&w.owner, "unlockFormAnswerGroup", &late, r#"description: "x""#).await;
        assert!(open["messages"].is_null(), "{open}");
        for (minutes, stands) in [(0, WAITS), (DAY - 30, WAITS), (31, LOCKED)] {
            w.pass(minutes).await;
            assert_eq!(w.lock_of(&w.owner, &late).await, stands, "{minutes}");
        }
        // A draft's time begins when it is finished.
        w.refill(&w.owner, json!({ "id": draft, "finished": true })).await;
        for (minutes, stands) in [(0, WAITS), (DAY - 30, WAITS), (31, LOCKED)] {
            w.pass(minutes).await;
            assert_eq!(w.lock_of(&w.owner, &draft).await, stands, "{minutes}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_done_by_hand_meanwhile_stands() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        w.locks_after(&w.owner, json!(1)).await;
        let by_hand = w.plain(&w.owner, &ada, (true, true)).await;
        w.to(&w.owner, "lockFormAnswerGroup", &by_hand, "").await;
        let gone = w.plain(&w.owner, &ada, (true, true)).await;
        let of = "form_answer_group { id }";
        let done = w.mutate(&w.owner, "deleteFormAnswerGroup", of, json!({ "id": gone })).await;
        assert!(done["messages"].is_null(), "{done}");
        // One that misses an answer, which no call leaves behind.
        let (missing, q) = w.note(&ada).await;
        w.spoil(Sql::fixed("UPDATE form_answers SET answer = NULL", [])).await;
        // A signature is none the less one.
        let (signed, _) = w.note(&ada).await;
        w.to(&w.owner, "signFormAnswerGroup", &signed, "").await;
        w.pass(62).await;
        assert_eq!(w.lock_of(&w.owner, &by_hand).await, (true, false, false));
        assert_eq!(w.lock_of(&w.owner, &missing).await, OPEN);
        assert_eq!(w.kept(&gone).await.0, None);
        assert_eq!(w.told_of().await.len(), 2, "by hand, and the one that was signed");
        assert_eq!(w.stands(&w.owner, &signed).await["chart_note_status"], "SIGNED_AND_LOCKED");
        let query = "query($id: ID) { formAnswerGroup(id: $id) { form_answer_group_signings { \
            is_intact } } }";
        let read = w.run(&w.owner, query, json!({ "id": signed })).await;
        assert_eq!(
            read["formAnswerGroup"]["form_answer_group_signings"],
            json!([{ "is_intact": true }])
        );
        // Once it misses nothing its time begins.
        let answers = json!([{ "custom_module_id": q, "answer": "Well" }]);
        w.refill(&w.owner, json!({ "id": missing, "form_answers": answers })).await;
        assert_eq!(w.lock_of(&w.owner, &missing).await, WAITS);
        w.pass(62).await;
        assert_eq!(w.lock_of(&w.owner, &missing).await, LOCKED);
        assert_eq!(w.told_of().await.len(), 3);
        assert_eq!(w.kept(&gone).await.0, None);
    })
    .await;
}

#[tokio::test]
async fn a_note_locks_whatever_became_of_its_client_unless_they_are_gone() {
    World::each(async |w| {
        let brenda = w.branch().await;
        let ada = w.client("Ada", "ada@example.com").await;
        let bea = w.client("Bea", "bea@example.com").await;
        let (cia, dee) =
            (w.client("Cia", "cia@example.com").await, w.client("Dee", "dee@example.com").await);
        w.locks_after(&w.owner, json!(1)).await;
        w.locks_after(&brenda, json!(0)).await;
        let mut notes = Vec::new();
        for client in [&ada, &bea, &cia] {
            notes.push(w.plain(&w.owner, client, (true, true)).await);
        }
        let [moved, left, merged] = &notes[..] else { panic!("{notes:?}") };
        let to_brenda = json!({ "id": ada, "dietitian_id": brenda.user_id.to_string() });
        let done = w.mutate(&w.owner, "updateClient", "user { id }", to_brenda).await;
        assert!(done["messages"].is_null(), "{done}");
        let gone: i64 = bea.parse().unwrap();
        w.spoil(Sql::fixed("UPDATE users SET deleted_at = 1 WHERE id = $1", [gone.into()])).await;
        let both = json!({ "ids": [cia, dee], "target_user_id": dee });
        let done = w.mutate(&w.owner, "mergeClients", "user { id }", both).await;
        assert_eq!(done["user"]["id"], dee.as_str(), "{done}");
        w.pass(62).await;
        // By the organization in which it was begun, and told to who looks after the client now.
        let read = w.stands(&brenda, moved).await;
        assert_eq!(read["is_autolocked"], true, "{read}");
        let by = &read["form_answer_group_audit_events"][0]["committed_by"]["id"];
        assert_eq!(*by, brenda.user_id.to_string(), "{read}");
        assert_eq!(w.lock_of(&w.owner, merged).await, LOCKED);
        assert_eq!(w.kept(left).await, (None, None), "it waits no more");
        let mut units = [brenda.unit_id, w.owner.unit_id];
        units.sort_unstable();
        assert_eq!(w.told_of().await, units);
        assert_eq!(w.failed().await, Some(0));
    })
    .await;
}

#[tokio::test]
async fn a_counselling_note_locks_as_others_do_and_is_its_authors_alone() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        w.locks_after(&w.owner, json!(1)).await;
        let author = w.powerful();
        let (form, q) = w.notes_form("COUNSELLING_NOTES").await;
        let input = json!({ "custom_module_form_id": form, "user_id": ada, "finished": true,
            "form_answers": [{ "custom_module_id": q, "answer": "A secret" }] });
        let made = w.fill(&author, input).await;
        assert!(made["messages"].is_null(), "{made}");
        let note = made["form_answer_group"]["id"].as_str().unwrap();
        assert_eq!(w.lock_of(&author, note).await, WAITS);
        w.pass(62).await;
        assert_eq!(w.lock_of(&author, note).await, LOCKED);
        assert_eq!(w.confided(&author, note).await, "COUNSELLING_NOTES");
        assert!(w.stands(&w.owner, note).await.is_null(), "the owner reads no more of it");
    })
    .await;
}

#[tokio::test]
async fn another_setting_counts_from_when_it_was_said() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        w.locks_after(&w.owner, json!(24)).await;
        let note = w.plain(&w.owner, &ada, (true, true)).await;
        w.pass(DAY - 60).await;
        w.locks_after(&w.owner, json!(48)).await;
        // What was planned finds that it is not due.
        w.pass(2 * DAY - 30).await;
        assert_eq!(w.lock_of(&w.owner, &note).await, WAITS, "longer");
        w.locks_after(&w.owner, json!(1)).await;
        // The same again is no other.
        w.pass(30).await;
        w.locks_after(&w.owner, json!(1)).await;
        assert_eq!(w.lock_of(&w.owner, &note).await, WAITS, "shorter");
        w.locks_after(&w.owner, json!(0)).await;
        w.pass(3 * DAY).await;
        assert_eq!(w.lock_of(&w.owner, &note).await, OPEN, "off");
        w.locks_after(&w.owner, json!(2)).await;
        w.pass(90).await;
        assert_eq!(w.lock_of(&w.owner, &note).await, WAITS, "on again");
        w.pass(31).await;
        assert_eq!(w.lock_of(&w.owner, &note).await, LOCKED);
        // More at one moment than jobs are taken at once: one job goes on from note to note.
        let before = w.jobs("done").await;
        let mut many = Vec::new();
        for _ in 0..23 {
            many.push(w.plain(&w.owner, &ada, (true, true)).await);
        }
        w.locks_after(&w.owner, json!(3)).await;
        w.pass(3 * 60 + 2).await;
        for id in &many {
            assert_eq!(w.lock_of(&w.owner, id).await, LOCKED);
        }
        assert!(w.jobs("done").await < before + many.len(), "not one for each");
    })
    .await;
}

#[tokio::test]
async fn a_branch_has_it_as_the_practice_or_as_it_says() {
    World::each(async |w| {
        let branch = w.branch().await;
        let bea = json!({ "first_name": "Bea", "last_name": "Client", "email": "bea@example.com" });
        let bea = w.mutate(&branch, "createClient", "user { id }", bea).await;
        let bea = bea["user"]["id"].as_str().unwrap().to_owned();
        let ada = w.client("Ada", "ada@example.com").await;
        w.locks_after(&w.owner, json!(24)).await;
        let note = w.plain(&branch, &bea, (true, true)).await;
        let above = w.plain(&w.owner, &ada, (true, true)).await;
        assert_eq!(w.lock_of(&branch, &note).await, WAITS, "as above");
        w.locks_after(&branch, json!(0)).await;
        w.pass(DAY + 1).await;
        assert_eq!(w.lock_of(&branch, &note).await, OPEN, "never");
        assert_eq!(w.lock_of(&w.owner, &above).await, LOCKED);
        // Nor at once, when it is as above again.
        w.locks_after(&branch, Json::Null).await;
        w.pass(DAY - 30).await;
        assert_eq!(w.lock_of(&branch, &note).await, WAITS);
        w.locks_after(&branch, json!(1)).await;
        w.pass(30).await;
        assert_eq!(w.lock_of(&branch, &note).await, WAITS, "its own");
        w.pass(31).await;
        assert_eq!(w.lock_of(&branch, &note).await, LOCKED);
        // The branch's owner stands in its history, whom its staff see.
        let read = w.stands(&branch, &note).await;
        let by = &read["form_answer_group_audit_events"][0]["committed_by"]["id"];
        assert_eq!(*by, branch.user_id.to_string(), "{read}");
    })
    .await;
}

#[tokio::test]
async fn what_is_no_number_of_hours_is_refused_and_who_may_not_is_too() {
    World::each(async |w| {
        for bad in [-1, 8_761, i64::from(i32::MAX), i64::from(i32::MIN)] {
            let refused = w.lock_after(&w.owner, json!(bad)).await;
            let told = told(&refused);
            assert_eq!(told.len(), 1, "{bad}: {refused}");
            assert_eq!(told[0].0, "chart_note_autolock_hours", "{bad}");
            assert!(told[0].1.contains("from 1 to 8760"), "{bad}: {}", told[0].1);
        }
        for good in [json!(8_760), json!(1), json!(0), Json::Null] {
            w.locks_after(&w.owner, good).await;
        }
        let plain = w.with(&w.standard, &[CAN_SEE_CLIENTS]);
        let denied = w.lock_after(&plain, json!(24)).await;
        assert_eq!(told(&denied)[0].0, "base", "{denied}");
        let clerk = w.with(&w.standard, &[CAN_EDIT_SETTINGS]);
        w.locks_after(&clerk, json!(24)).await;
    })
    .await;
}
