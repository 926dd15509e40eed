//! Notes that can't be locked: they stop no others.

use serde_json::json;
use ward_store::{Query, Sql};

use super::{DAY, LOCKED};
use crate::support::World;

#[tokio::test]
async fn a_note_that_nobody_can_read_stops_no_other() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        w.locks_after(&w.owner, json!(1)).await;
        // It is the first that is due.
        let (spoilt, q) = w.note(&ada).await;
        let (answered, _) = w.note(&ada).await;
        let plain = w.plain(&w.owner, &ada, (true, true)).await;
        let question: i64 = q.parse().unwrap();
        let sql = "UPDATE form_answers SET answer = $1 WHERE custom_module_id = $2";
        w.spoil(Sql::fixed(sql, [vec![0_u8; 64].into(), question.into()])).await;
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
async fn a_note_that_fails_is_passed_and_tried_again_by_one_job() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        w.locks_after(&w.owner, json!(1)).await;
        // It is the first that is due, and its key is not here.
        let (keyless, q) = w.note(&ada).await;
        let plain = w.plain(&w.owner, &ada, (true, true)).await;
        let question: i64 = q.parse().unwrap();
        let sql = "SELECT answer FROM form_answers WHERE custom_module_id = $1";
        let sql = Sql::fixed(sql, [question.into()]);
        let rows = w.db.read().await.unwrap().rows(&sql).await.unwrap();
        let whole = rows.iter().next().unwrap()[0].clone();
        let mut other = vec![0_u8; 64];
        (other[0], other[4]) = (1, 99);
        let set = "UPDATE form_answers SET answer = $1 WHERE custom_module_id = $2";
        w.spoil(Sql::fixed(set, [other.into(), question.into()])).await;
        w.pass(62).await;
        assert_eq!(w.lock_of(&w.owner, &plain).await, LOCKED);
        // Other jobs fail at it as well, and there is one that tries again.
        let late = w.plain(&w.owner, &ada, (true, true)).await;
        for minutes in [11, 62, 30] {
            w.pass(minutes).await;
            let (locked_at, from) = w.kept(&keyless).await;
            assert!(locked_at.is_none() && from.is_some(), "it waits on");
            assert_eq!(w.jobs("again").await, 1);
        }
        assert_eq!(w.lock_of(&w.owner, &late).await, LOCKED);
        assert_eq!(w.failed().await, Some(0));
        w.spoil(Sql::fixed(set, [whole, question.into()])).await;
        w.pass(2 * DAY).await;
        assert!(w.kept(&keyless).await.0.is_some(), "its key is here");
        assert_eq!(w.jobs("again").await, 0);
        assert_eq!(w.told_of().await.len(), 3);
    })
    .await;
}
