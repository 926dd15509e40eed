//! What is counted, and when it is counted anew.

use ward_store::{Query, Sql};

use crate::support::World;

const HOW_MANY: &str = "SELECT COUNT(DISTINCT org_id) FROM data_keys";

async fn counted(w: &World) -> i64 {
    w.db.read().await.unwrap().count(&Sql::fixed(HOW_MANY, [])).await.unwrap()
}

both! {
    /// Every change that was answered is counted, and one that was undone is not.
    async fn a_count_knows_every_change(w) {
        let before = counted(&w).await;
        for n in 1..=3 {
            w.organization(n).await;
            assert_eq!(counted(&w).await, before + i64::from(n));
        }
        let mut reader = w.db.read().await.unwrap();
        let sql = Sql::fixed(HOW_MANY, []);
        assert_eq!(reader.count(&sql).await.unwrap(), before + 3);
        w.execute(Sql::fixed("DELETE FROM nobody_has_this", [])).await.unwrap_err();
        assert_eq!(counted(&w).await, before + 3);
    }
}

only! {
    Lite,
    /// A reader that began before a change answers of then, and leaves nothing to those after it.
    async fn a_reader_counts_its_own_moment(w) {
        let before = counted(&w).await;
        let sql = Sql::fixed(HOW_MANY, []);
        let mut early = w.db.read().await.unwrap();
        assert_eq!(early.rows(&sql).await.unwrap().scalar().unwrap().int(), Some(before));
        w.organization(1).await;
        assert_eq!(early.count(&sql).await.unwrap(), before);
        assert_eq!(counted(&w).await, before + 1);
    }
}

only! {
    Lite,
    /// Without a change nothing is counted twice; a log that is written is none.
    async fn nothing_is_counted_twice(w) {
        w.organization(1).await;
        let before = counted(&w).await;
        // Past the store, which does not know of it.
        let past = rusqlite::Connection::open(w.file()).unwrap();
        past.execute_batch("PRAGMA foreign_keys = OFF; DELETE FROM data_keys").unwrap();
        assert_eq!(counted(&w).await, before);
        w.execute(Sql::fixed("DELETE FROM jobs", [])).await.unwrap();
        assert_eq!(counted(&w).await, 0);
    }
}
