//! Notes that can't be locked: they stop no others.

use serde_json::json;
use ward_store::{Query, Sql, Value};

use super::{DAY, LOCKED, WAITS};
use crate::support::World;

impl World {
    /// Writes the answer to a question as it is kept.
    async fn keep_answer(&self, question: &str, answer: Value) {
        let question: i64 = question.parse().unwrap();
        let sql = "UPDATE form_answers SET answer = $1 WHERE custom_module_id = $2";
        self.spoil(Sql::fixed(sql, [answer, question.into()])).await;
    }

    /// Has the key of the answer to a question be none that is here; the answer as it was kept.
    async fn take_key(&self, question: &str) -> Value {
        let id: i64 = question.parse().unwrap();
        let sql = "SELECT answer FROM form_answers WHERE custom_module_id = $1";
        let sql = Sql::fixed(sql, [id.into()]);
        let rows = self.db.read().await.unwrap().rows(&sql).await.unwrap();
        let whole = rows.iter().next().unwrap()[0].clone();
        let mut other = vec![0_u8; 64];
        (other[0], other[4]) = (1, 99);
        self.keep_answer(question, other.into()).await;
        whole
    }

    /// How often a note's lock has failed, and whether it is skipped until a moment.
    async fn failures(&self, note: &str) -> (Option<i64>, bool) {
        let id: i64 = note.parse().unwrap();
        let sql = "SELECT autolock_failures, autolock_skipped_until FROM form_answer_groups \
            WHERE id = $1";
        let sql = Sql::fixed(sql, [id.into()]);
        let rows = self.db.read().await.unwrap().rows(&sql).await.unwrap();
        let row = rows.iter().next().unwrap();
        (row[0].int(), !row[1].is_null())
    }

    /// What a change of a note leaves: its version, entries of the audit log, and events.
    async fn traces(&self, note: &str) -> Vec<Option<i64>> {
        let mut traces = Vec::new();
        for text in [
            format!("SELECT version FROM form_answer_groups WHERE id = {note}"),
            format!(
                "SELECT COUNT(*) FROM audit_events WHERE resource_name = 'FORM_ANSWER_GROUP' \
                 AND resource_id = '{note}'"
            ),
            format!(
                "SELECT COUNT(*) FROM events WHERE resource_id = {note} \
                 AND event_type LIKE 'form_answer_group.%'"
            ),
        ] {
            let mut sql = Sql::new();
            sql.push(&text);
            let rows = self.db.read().await.unwrap().rows(&sql).await.unwrap();
            traces.push(rows.scalar().and_then(Value::int));
        }
        traces
    }

    /// What is locked, in the order in which it was.
    async fn locked(&self) -> Vec<String> {
        let sql = "SELECT id FROM form_answer_groups WHERE locked_at IS NOT NULL \
            ORDER BY locked_at";
        let sql = Sql::fixed(sql, []);
        let rows = self.db.read().await.unwrap().rows(&sql).await.unwrap();
        rows.iter().map(|row| row[0].int().unwrap().to_string()).collect()
    }
}

/// It has not failed, or it is forgotten.
const NEVER: (Option<i64>, bool) = (None, false);

#[tokio::test]
async fn a_note_that_nobody_can_read_stops_no_other() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        w.locks_after(&w.owner, json!(1)).await;
        // It is the first that is due.
        let (spoilt, q) = w.note(&ada).await;
        let (answered, _) = w.note(&ada).await;
        let plain = w.plain(&w.owner, &ada, (true, true)).await;
        w.keep_answer(&q, vec![0_u8; 64].into()).await;
        w.pass(62).await;
        assert_eq!(w.kept(&spoilt).await, (None, None), "it waits no more");
        for id in [&answered, &plain] {
            assert_eq!(w.lock_of(&w.owner, id).await, LOCKED);
        }
        assert_eq!(w.told_of().await.len(), 2);
        // What is finished later is locked as well.
        let late = w.plain(&w.owner, &ada, (true, true)).await;
        w.pass(62).await;
        assert_eq!(w.lock_of(&w.owner, &late).await, LOCKED);
        assert_eq!(w.failed().await, Some(0));
    })
    .await;
}

#[tokio::test]
async fn a_note_that_fails_is_skipped_and_tried_again_ever_later() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        w.locks_after(&w.owner, json!(1)).await;
        // It is the first that is due, and its key is not here.
        let (keyless, q) = w.note(&ada).await;
        let plain = w.plain(&w.owner, &ada, (true, true)).await;
        let whole = w.take_key(&q).await;
        w.pass(62).await;
        assert_eq!(w.lock_of(&w.owner, &plain).await, LOCKED);
        assert_eq!(w.failures(&plain).await, NEVER);
        // Another that is due meanwhile does not have it tried earlier.
        let late = w.plain(&w.owner, &ada, (true, true)).await;
        for (minutes, failures) in [(0, 1), (5, 1), (7, 2), (15, 2), (7, 3), (30, 3), (12, 4)] {
            w.pass(minutes).await;
            let (locked_at, from) = w.kept(&keyless).await;
            assert!(locked_at.is_none() && from.is_some(), "it waits on");
            assert_eq!(w.failures(&keyless).await, (Some(failures), true), "{minutes}");
        }
        assert_eq!(w.lock_of(&w.owner, &late).await, LOCKED);
        assert_eq!(w.jobs("ready").await, 1, "and nothing else is planned");
        assert_eq!(w.failed().await, Some(0));
        w.keep_answer(&q, whole).await;
        w.pass(2 * DAY).await;
        assert!(w.kept(&keyless).await.0.is_some(), "its key is here");
        assert_eq!(w.failures(&keyless).await, NEVER);
        assert_eq!(w.jobs("ready").await, 0);
        assert_eq!(w.told_of().await.len(), 3);
    })
    .await;
}

#[tokio::test]
async fn a_note_is_tried_again_soon_whatever_another_has_to_wait() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        w.locks_after(&w.owner, json!(1)).await;
        let (old, q) = w.note(&ada).await;
        w.take_key(&q).await;
        for minutes in [62, 11, 21, 41] {
            w.pass(minutes).await;
        }
        assert_eq!(w.failures(&old).await, (Some(4), true), "80 minutes from here");
        let (late, p) = w.note(&ada).await;
        let whole = w.take_key(&p).await;
        w.pass(62).await;
        assert_eq!(w.failures(&late).await, (Some(1), true));
        w.keep_answer(&p, whole).await;
        w.pass(11).await;
        assert_eq!(w.lock_of(&w.owner, &late).await, LOCKED);
        assert_eq!(w.failures(&old).await, (Some(4), true), "it was not tried");
        w.pass(9).await;
        assert_eq!(w.failures(&old).await, (Some(5), true));
        assert_eq!(w.failed().await, Some(0));
    })
    .await;
}

#[tokio::test]
async fn whoever_changes_a_note_has_it_forgotten_that_its_lock_failed() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        w.locks_after(&w.owner, json!(1)).await;
        let (note, q) = w.note(&ada).await;
        let whole = w.take_key(&q).await;
        for minutes in [62, 11, 21] {
            w.pass(minutes).await;
        }
        assert_eq!(w.failures(&note).await, (Some(3), true));
        w.keep_answer(&q, whole).await;
        w.refill(&w.owner, json!({ "id": note, "name": "Another name" })).await;
        assert_eq!(w.failures(&note).await, NEVER);
        assert_eq!(w.lock_of(&w.owner, &note).await, WAITS);
        // It is tried at once.
        w.pass(0).await;
        assert_eq!(w.lock_of(&w.owner, &note).await, LOCKED);
        // What failed before it was locked by hand is forgotten, too.
        let open = w.to(&w.owner, "unlockFormAnswerGroup", &note, r#"description: "x""#).await;
        assert!(open["messages"].is_null(), "{open}");
        let whole = w.take_key(&q).await;
        w.pass(62).await;
        assert_eq!(w.failures(&note).await, (Some(1), true), "from the beginning");
        w.keep_answer(&q, whole).await;
        w.to(&w.owner, "lockFormAnswerGroup", &note, "").await;
        assert_eq!(w.lock_of(&w.owner, &note).await, (true, false, false));
        assert_eq!(w.failures(&note).await, NEVER);
    })
    .await;
}

#[tokio::test]
async fn that_it_is_forgotten_is_no_change_of_a_note() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        w.locks_after(&w.owner, json!(1)).await;
        let (note, q) = w.note(&ada).await;
        let whole = w.take_key(&q).await;
        w.pass(62).await;
        assert_eq!(w.failures(&note).await, (Some(1), true));
        w.keep_answer(&q, whole).await;
        let before = w.traces(&note).await;
        let saved = w.refill(&w.owner, json!({ "id": note, "name": "Note" })).await;
        assert!(saved["messages"].is_null(), "{saved}");
        assert_eq!(w.failures(&note).await, NEVER);
        assert_eq!(w.traces(&note).await, before, "it is as it was");
        w.pass(0).await;
        assert_eq!(w.lock_of(&w.owner, &note).await, LOCKED);
    })
    .await;
}

#[tokio::test]
async fn whoever_signs_a_note_or_takes_that_back_has_it_tried_at_once() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        w.locks_after(&w.owner, json!(1)).await;
        let (signed, q) = w.note(&ada).await;
        let (unsigned, p) = w.note(&ada).await;
        let signing = w.to(&w.owner, "signFormAnswerGroup", &unsigned, "").await;
        let signing = signing["form_answer_group_signing"]["id"].as_str().unwrap().to_owned();
        let wholes = (w.take_key(&q).await, w.take_key(&p).await);
        w.pass(62).await;
        for id in [&signed, &unsigned] {
            assert_eq!(w.failures(id).await, (Some(1), true));
        }
        w.keep_answer(&q, wholes.0).await;
        w.keep_answer(&p, wholes.1).await;
        w.to(&w.owner, "signFormAnswerGroup", &signed, "").await;
        w.to(&w.owner, "deleteFormAnswerGroupSigning", &signing, "").await;
        for id in [&signed, &unsigned] {
            assert_eq!(w.failures(id).await, NEVER);
        }
        w.pass(0).await;
        for id in [&signed, &unsigned] {
            assert_eq!(w.lock_of(&w.owner, id).await, LOCKED);
        }
        assert_eq!(w.failed().await, Some(0));
    })
    .await;
}

#[tokio::test]
async fn what_fails_is_tried_behind_others_however_much_it_is() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        w.locks_after(&w.owner, json!(1)).await;
        let mut failing = Vec::new();
        for _ in 0..3 {
            let (id, q) = w.note(&ada).await;
            let whole = w.take_key(&q).await;
            failing.push((id, q, whole));
        }
        let good = w.plain(&w.owner, &ada, (true, true)).await;
        w.pass(62).await;
        assert_eq!(w.lock_of(&w.owner, &good).await, LOCKED);
        for (id, ..) in &failing {
            assert_eq!(w.failures(id).await, (Some(1), true));
        }
        assert_eq!(w.jobs("ready").await, 1);
        // Another is due by the time at which they are tried again, of which the last fails again.
        let late = w.plain(&w.owner, &ada, (true, true)).await;
        let last = failing.pop().unwrap();
        for (_, q, whole) in &failing {
            w.keep_answer(q, whole.clone()).await;
        }
        w.pass(62).await;
        let mut order = vec![good, late];
        order.extend(failing.into_iter().map(|(id, ..)| id));
        assert_eq!(w.locked().await, order);
        assert_eq!(w.failures(&last.0).await, (Some(2), true));
        assert_eq!(w.jobs("ready").await, 1);
        w.keep_answer(&last.1, last.2).await;
        w.pass(22).await;
        assert_eq!(w.lock_of(&w.owner, &last.0).await, LOCKED);
        assert_eq!(w.jobs("ready").await, 0);
        assert_eq!(w.failed().await, Some(0));
    })
    .await;
}

#[tokio::test]
async fn what_fails_when_the_audit_log_is_written_is_the_notes() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        w.locks_after(&w.owner, json!(1)).await;
        let (first, _) = w.note(&ada).await;
        let plain = w.plain(&w.owner, &ada, (true, true)).await;
        // The log takes no second entry of the first one: it is written behind all else.
        let mut sql = Sql::new();
        sql.push(&format!(
            "CREATE UNIQUE INDEX spoilt ON audit_events (resource_id) \
             WHERE resource_name = 'FORM_ANSWER_GROUP' AND resource_id = '{first}'"
        ));
        w.spoil(sql).await;
        w.pass(62).await;
        assert_eq!(w.lock_of(&w.owner, &first).await, WAITS);
        assert_eq!(w.failures(&first).await, (Some(1), true));
        assert_eq!(w.lock_of(&w.owner, &plain).await, LOCKED);
        assert_eq!(w.told_of().await.len(), 1);
        w.spoil(Sql::fixed("DROP INDEX spoilt", [])).await;
        w.pass(11).await;
        assert_eq!(w.lock_of(&w.owner, &first).await, LOCKED);
        assert_eq!(w.failures(&first).await, NEVER);
        assert_eq!(w.failed().await, Some(0));
    })
    .await;
}
