//! DOM-37: merging clients moves every reference of every table there is, or
//! somebody has said why not. A new table takes part by its definition alone.

use std::collections::BTreeSet;

use ward_clients::merge::plan::{RULES, naming_users, plan};
use ward_server::assemble;

#[test]
fn every_reference_to_a_client_has_a_fate() {
    let tables = assemble::tables();
    let moves = plan(&tables).unwrap_or_else(|refused| panic!("{refused}"));
    let moved: BTreeSet<(&str, &str)> = moves.iter().map(|it| (it.table.name, it.column)).collect();
    let kept: BTreeSet<(&str, &str)> = RULES.iter().map(|(of, at, ..)| (*of, *at)).collect();
    let all: BTreeSet<(&str, &str)> = tables
        .iter()
        .flat_map(|table| naming_users(table).into_iter().map(|column| (table.name, column)))
        .collect();
    assert!(moved.is_disjoint(&kept));
    let known: BTreeSet<(&str, &str)> = moved.union(&kept).copied().collect();
    assert_eq!(known, all, "a rule for a column that is gone, or a column without a fate");
}
