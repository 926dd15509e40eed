//! Every kind of value, in and out.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use ward_store::{Query, Sql, StoreError, Value};

use crate::support::World;
use crate::tables::{insert, visit};

const COLUMNS: &str = "SELECT id, org_id, parent_id, title, title_fold, note, day, start_at, done, \
    count, extra, code, raw, color, deleted_at, search_text FROM visits ORDER BY id";

/// What is stored is read back the same, column by column.
async fn a_row_with_every_kind_comes_back(w: World) {
    let org = w.org_id();
    let stored =
        w.db.write(move |tx| {
            Box::pin(async move {
                let mut first = visit(tx, org, org + 1, "Ünïcode 🩺 'quoted' $1");
                first[5] = Value::Bytes((*b"\x00\xff sealed").into());
                first[6] = "2026-02-28".into();
                first[7] = i64::MIN.into();
                first[8] = true.into();
                first[9] = i64::MAX.into();
                first[10] = r#"{"a": [1, null]}"#.into();
                first[12] = Value::Bytes([].into());
                first[13] = "o'dd".into();
                first[14] = 0_i64.into();
                tx.execute(&insert(first.clone())).await?;
                let mut second = visit(tx, org, org + 2, "");
                second[2] = (org + 1).into();
                tx.execute(&insert(second.clone())).await?;
                Ok::<_, StoreError>([first, second].concat())
            })
        })
        .await
        .unwrap();
    let read = w.rows(Sql::fixed(COLUMNS, [])).await;
    assert_eq!(read.iter().flatten().cloned().collect::<Vec<_>>(), stored);
}

both!(a_row_with_every_kind_comes_back);

/// Lists of ids and of texts, also empty ones, by one constant text.
async fn lists(w: World) {
    let org = w.org_id();
    w.db.write(move |tx| {
        Box::pin(async move {
            for n in 1..=4 {
                let row = visit(tx, org, org + n, &format!("t{n}"));
                tx.execute(&insert(row)).await?;
            }
            Ok::<_, StoreError>(())
        })
    })
    .await
    .unwrap();
    let ids = |list: &[i64]| {
        Sql::fixed(
            "SELECT id FROM visits WHERE org_id = $1 AND id IN_LIST($2) ORDER BY id",
            [org.into(), Value::Ints(list.into())],
        )
    };
    assert_eq!(w.rows(ids(&[org + 3, org + 1, org + 9])).await.len(), 2);
    assert!(w.rows(ids(&[])).await.is_empty());
    let texts: [Box<str>; 2] = ["t2".into(), "t\"'4".into()];
    let by_title = Sql::fixed(
        "SELECT id FROM visits WHERE title IN_LIST($1) AND done = $2",
        [Value::Texts(texts.into()), false.into()],
    );
    assert_eq!(w.rows(by_title).await.scalar(), Some(&Value::Int(org + 2)));
}

both!(lists);

/// Mistakes are errors without values in them, and the store goes on.
async fn mistakes(w: World) {
    let mut reader = w.db.read().await.unwrap();
    for sql in [
        Sql::fixed("SELECT nothing FROM visits", []),
        Sql::fixed("SELECT id FROM visits WHERE id = $1", []),
        Sql::fixed("SELECT 1.5 + 1", []),
    ] {
        let error = reader.rows(&sql).await.unwrap_err();
        assert!(matches!(error, StoreError::Internal { .. }), "{error}");
    }
    let error = reader.execute(&Sql::fixed("DELETE FROM visits", [])).await.unwrap_err();
    assert!(matches!(error, StoreError::Internal { .. }), "{error}");
    assert_eq!(
        reader.rows(&Sql::fixed("SELECT TRUE", [])).await.unwrap().scalar(),
        Some(&Value::Int(1))
    );
}

both!(mistakes);

/// The rules of the schema, each by its own error, named alike.
async fn broken_rules(w: World) {
    let org = w.org_id();
    let change = |change: fn(&mut Vec<Value>)| {
        let db = w.db.clone();
        async move {
            db.write(move |tx| {
                Box::pin(async move {
                    let mut row = visit(tx, org, org + 1, "one");
                    tx.execute(&insert(row.clone())).await?;
                    row[0] = (org + 2).into();
                    row[3] = "two".into();
                    row[11] = tx.uuid().0.into();
                    change(&mut row);
                    tx.execute(&insert(row)).await
                })
            })
            .await
            .unwrap_err()
        }
    };
    let unique = change(|row| row[3] = "one".into()).await;
    assert!(
        matches!(&unique, StoreError::Unique(rule) if rule == "visits (org_id, title)"),
        "{unique}"
    );
    let check = change(|row| row[13] = "secret-value".into()).await;
    assert!(
        matches!(&check, StoreError::Constraint(rule) if rule.contains("visits__color__check")),
        "{check}"
    );
    assert!(!check.to_string().contains("secret-value"));
    let foreign = change(|row| row[2] = (2_000_000_500_i64).into()).await;
    assert!(matches!(&foreign, StoreError::Constraint(_)), "{foreign}");
    let null = change(|row| row[3] = Value::Null).await;
    assert!(
        matches!(&null, StoreError::Constraint(rule) if rule.contains("visits.title")),
        "{null}"
    );
    assert_eq!(w.number("SELECT COUNT(*) FROM visits").await, 0);
}

both!(broken_rules);

/// One reader, one moment.
async fn a_reader_sees_one_moment(w: World) {
    let count = Sql::fixed("SELECT COUNT(*) FROM visits", []);
    let mut reader = w.db.read().await.unwrap();
    assert_eq!(reader.rows(&count).await.unwrap().scalar(), Some(&Value::Int(0)));
    let org = w.org_id();
    w.db.write(move |tx| {
        Box::pin(async move {
            let row = visit(tx, org, org + 1, "a");
            tx.execute(&insert(row)).await
        })
    })
    .await
    .unwrap();
    assert_eq!(reader.rows(&count).await.unwrap().scalar(), Some(&Value::Int(0)));
    drop(reader);
    assert_eq!(w.number("SELECT COUNT(*) FROM visits").await, 1);
}

only!(Lite, a_reader_sees_one_moment);

/// Any value comes back as it was.
async fn any_value(w: World) {
    let org = w.org_id();
    w.db.write(move |tx| {
        Box::pin(async move {
            let row = visit(tx, org, org + 1, "a");
            tx.execute(&insert(row)).await
        })
    })
    .await
    .unwrap();
    // PostgreSQL's text has no NUL character.
    let text = proptest::option::of("[^\\x00]{0,40}");
    let values = (any::<i64>(), text, proptest::option::of(any::<Vec<u8>>()), any::<bool>());
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || {
        let mut runner =
            TestRunner::new(Config { cases: 96, failure_persistence: None, ..Config::default() });
        runner
            .run(&values, |(int, text, bytes, truth)| {
                let put: Vec<Value> = vec![int.into(), text.into(), bytes.into(), truth.into()];
                let got = runtime.block_on(async {
                    let sql = Sql::fixed(
                        "UPDATE visits SET count = $1, day = $2, raw = $3, done = $4",
                        put.clone(),
                    );
                    w.execute(sql).await.unwrap();
                    w.rows(Sql::fixed("SELECT count, day, raw, done FROM visits", [])).await
                });
                prop_assert_eq!(got.row(0), &*put);
                Ok(())
            })
            .unwrap();
    })
    .await
    .unwrap();
}

both!(any_value);
