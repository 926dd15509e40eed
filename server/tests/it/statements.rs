//! Every statement that the store generates for the instance's tables is
//! prepared on SQLite, and binds its tenant.

use ward_store::checks;

#[test]
fn every_tenant_statement_binds_its_organization() {
    let tables = ward_server::assemble::tables();
    let statements = checks::registered_statements(&tables);
    assert!(statements.len() > tables.len());
    let unbound = checks::without_tenant(&tables, &statements);
    assert!(unbound.is_empty(), "these statements do not bind org_id: {unbound:?}");
    let leaks = checks::leaks(&tables);
    assert!(leaks.is_empty(), "{leaks:?}");
}
