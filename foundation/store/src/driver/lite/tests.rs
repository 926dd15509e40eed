//! What refers to what, inside of a transaction.

use super::*;

const TABLES: &str = "CREATE TABLE parents (id INTEGER PRIMARY KEY);
    CREATE TABLE children (parent INTEGER NOT NULL REFERENCES parents (id));
    INSERT INTO parents VALUES (1);
    INSERT INTO children VALUES (1);";

fn made(folder: &tempfile::TempDir) -> Lite {
    let path = folder.path().join("ward.db");
    create_file(&path).unwrap();
    let lite = Lite::open(&path, Access::Create).unwrap();
    lite.batch(TABLES).unwrap();
    lite
}

fn is_refused(done: Result<(), StoreError>) -> bool {
    matches!(done, Err(StoreError::Constraint(_)))
}

#[test]
fn references_are_looked_at_but_where_it_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let mut lite = made(&folder);
    lite.control("BEGIN").unwrap();
    assert!(is_refused(lite.batch("DELETE FROM parents")));
    lite.batch_unchecked("DELETE FROM parents").unwrap();
    assert!(is_refused(lite.batch("INSERT INTO children VALUES (2)")), "it stays switched off");
    // What fails leaves it switched on as well.
    assert!(lite.batch_unchecked("DELETE FROM nowhere").is_err());
    assert!(is_refused(lite.batch("INSERT INTO children VALUES (2)")), "it stays switched off");
    lite.control("COMMIT").unwrap();
}

#[test]
fn nothing_is_kept_where_references_are_not_looked_at_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let mut lite = made(&folder);
    lite.control("BEGIN").unwrap();
    lite.batch("INSERT INTO parents VALUES (2)").unwrap();
    lite.is_unchecked = true;
    assert!(lite.control("COMMIT").is_err());
    lite.control("ROLLBACK").unwrap();
    assert!(!lite.in_transaction());
    assert!(lite.control("BEGIN IMMEDIATE").is_err());
}
