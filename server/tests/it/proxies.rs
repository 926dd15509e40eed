//! Who acts for a client reads nothing that is confidential, nor what was made of it (DOM-35): each
//! table that leads to a form says by which rule.

use std::collections::BTreeSet;

use ward_store::{Actor, ColumnKind, Cond, Level, Role, Table};

/// How a table keeps to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// The rows' own rule asks how confidential the form is: `ward_charting::proxy`.
    Rule,
    /// It needs none.
    Nothing,
}

/// Tables that lead there by a JSON list of ids, which no reference tells of.
const LISTED: [&str; 1] = ["documents"];

/// Tables that lead to a template or to what was filled in, of which who acts for a client sees rows.
const KEPT: [(&str, By, &str); 16] = [
    ("custom_module_forms", By::Nothing, "what is asked of anybody, and not of whom"),
    ("custom_modules", By::Nothing, "the same"),
    ("custom_module_conditions", By::Nothing, "the same"),
    ("onboarding_items", By::Rule, "by the form that the step asks for"),
    ("completed_onboarding_items", By::Rule, "by the step's form, and by what was filled in"),
    ("requested_form_completions", By::Rule, "by the form, and by what was filled in"),
    ("form_answer_groups", By::Rule, "by itself"),
    ("form_answers", By::Rule, "as what was filled in"),
    ("form_answer_group_signings", By::Rule, "as what was filled in"),
    (
        "file_attachments",
        By::Rule,
        "as what was filled in; those of questions are asked of anybody",
    ),
    ("entries", By::Rule, "by the answer that it was made of"),
    ("comments", By::Rule, "as their entry"),
    ("documents", By::Rule, "by all that they were printed of"),
    ("document_sharings", By::Rule, "as their document"),
    ("document_viewings", By::Rule, "as their document"),
    ("care_plan_connections", By::Nothing, "its id, as of any document that isn't shared"),
];

/// Tables that have such a row.
fn leading(tables: &[&'static Table]) -> BTreeSet<&'static str> {
    let mut leading = BTreeSet::from(["custom_module_forms", "form_answer_groups"]);
    leading.extend(LISTED);
    loop {
        let entities: BTreeSet<&str> =
            tables.iter().filter(|it| leading.contains(it.name)).map(|it| it.entity).collect();
        let leads = |table: &Table| {
            let named = |kind| matches!(kind, ColumnKind::Id(entity) if entities.contains(entity));
            table.references.iter().any(|it| leading.contains(it.table))
                || table.columns.iter().any(|it| it.name != "id" && named(it.kind))
        };
        let more: Vec<&str> = tables
            .iter()
            .filter(|it| !leading.contains(it.name) && leads(it))
            .map(|it| it.name)
            .collect();
        if more.is_empty() {
            return leading;
        }
        leading.extend(more);
    }
}

/// A client, for whom somebody may act.
fn client(proxy_id: Option<i64>) -> Actor {
    let own = Actor::anonymous();
    Actor { role: Role::Client, user_id: 7, org_id: 1, unit_id: 1, proxy_id, ..own }
}

/// The rows of a table of which an actor sees anything.
fn seen(table: &Table, actor: &Actor) -> Cond {
    (table.visible)(actor).at_least(Level::Public)
}

fn asks(cond: &Cond) -> bool {
    matches!(cond, Cond::Sql(text, _) if text.contains("confidentiality = ?"))
}

#[test]
fn dom_35_each_table_that_leads_to_a_form_says_what_closes_it_to_who_acts() {
    let tables = ward_server::assemble::tables();
    let leading = leading(&tables);
    for table in &tables {
        let name = table.name;
        let theirs = seen(table, &client(Some(8)));
        let kept = KEPT.iter().find(|(kept, _, _)| *kept == name);
        if !leading.contains(name) || theirs.is_never() {
            assert!(kept.is_none(), "{name} is none of these; take it out of KEPT");
            continue;
        }
        let Some((_, by, why)) = kept else {
            panic!(
                "{name} leads to forms: is it closed to who acts for a client where the form is \
                 confidential? Say so in KEPT; ward_charting::proxy has the rule"
            );
        };
        assert!(!why.is_empty(), "{name} says nothing");
        let asks = asks(&theirs) && !asks(&seen(table, &client(None)));
        assert_eq!(asks, *by == By::Rule, "{name}: {theirs:?}");
    }
    for (name, _, _) in KEPT {
        assert!(tables.iter().any(|table| table.name == name), "{name} is no table");
    }
}
