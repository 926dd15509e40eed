//! Every statement that the store writes for a table parses on both engines
//! and binds the tenant.

use ward_store::{Query, Sql, checks};

use crate::support::{self, World};

both!(every_statement_prepares);
/// Prepared against the real tables.
async fn every_statement_prepares(w: World) {
    let statements = checks::registered_statements(&support::tables());
    assert!(statements.len() > 40, "{}", statements.len());
    let mut reader = w.db.read().await.unwrap();
    for (name, sql) in &statements {
        let mut explain = Sql::fixed("EXPLAIN ", sql.params().to_vec());
        explain.push(sql.text());
        reader
            .rows(&explain)
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}\n{}", sql.text()));
    }
}

#[test]
fn every_statement_of_a_tenant_binds_it() {
    let tables = support::tables();
    let statements = checks::registered_statements(&tables);
    assert_eq!(checks::without_tenant(&tables, &statements), Vec::<String>::new());
    assert_eq!(checks::leaks(&tables), Vec::<String>::new());
}
