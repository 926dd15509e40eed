//! The DDL of a small table, as it was reviewed.

use expect_test::expect_file;
use ward_instance::Kind;
use ward_store::ddl::ddl;
use ward_store::{Engine, StoreError, Table};

use crate::tables::{VISIT_TAGS, VISITS};

fn text(engine: Engine, kind: Kind) -> String {
    let tables: [&'static Table; 2] = [&VISITS, &VISIT_TAGS];
    let mut text = ddl(engine, kind, &tables).unwrap().statements.join(";\n\n");
    text.push_str(";\n");
    text
}

#[test]
fn as_reviewed() {
    expect_file!["golden/sqlite_sandbox.sql"].assert_eq(&text(Engine::Lite, Kind::Sandbox));
    expect_file!["golden/sqlite_production.sql"].assert_eq(&text(Engine::Lite, Kind::Production));
    expect_file!["golden/postgres_sandbox.sql"].assert_eq(&text(Engine::Pg, Kind::Sandbox));
    expect_file!["golden/postgres_production.sql"].assert_eq(&text(Engine::Pg, Kind::Production));
}

/// A reference to a table that is not there is a defect, told at once.
#[test]
fn a_missing_target() {
    let tables: [&'static Table; 1] = [&VISIT_TAGS];
    let error = ddl(Engine::Lite, Kind::Sandbox, &tables).unwrap_err();
    assert!(matches!(error, StoreError::Internal { .. }));
    assert!(error.to_string().contains("visit_tags refers to visits"));
}
