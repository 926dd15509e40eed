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
        w.pass(41).await;
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
