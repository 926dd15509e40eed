//! Everything that is stored of a client is in their export (DOM-39): each table takes part in it,
//! or somebody said why not.

use ward_export::plan::{LEFT_OUT, OF_NOTES, Way, plan};
use ward_store::ColumnKind;

#[test]
fn dom_39_every_table_is_in_the_export_or_says_why_not() {
    let tables = ward_server::assemble::tables();
    let steps = plan(&tables).unwrap();
    for table in &tables {
        let taken = steps.iter().filter(|step| step.table.name == table.name).count();
        let excused = LEFT_OUT.iter().filter(|(name, _)| *name == table.name).count();
        if !table.is_tenant() {
            assert_eq!(taken + excused, 0, "{} belongs to no organization", table.name);
            continue;
        }
        assert_eq!(taken + excused, 1, "{}: taken {taken}, left out {excused}", table.name);
    }
    for (name, why) in LEFT_OUT {
        assert!(tables.iter().any(|table| table.name == *name), "{name} is no table");
        assert!(!why.is_empty(), "{name} says nothing");
    }
}

/// Whose rows are a client's by the access log, is theirs in the export, too.
#[test]
fn dom_39_no_table_of_clients_is_left_out() {
    let logs = ["audit_events", "break_glass_accesses", "push_devices"];
    for table in ward_server::assemble::tables() {
        let left_out = LEFT_OUT.iter().any(|(name, _)| *name == table.name);
        let is_log = logs.contains(&table.name);
        assert!(table.subject.is_none() || !left_out || is_log, "{} is of clients", table.name);
    }
}

/// Notes are read before what hangs on them: what hangs on a note that is kept apart is left out with
/// it.
#[test]
fn dom_31_notes_stand_before_what_is_of_them() {
    let tables = ward_server::assemble::tables();
    let steps = plan(&tables).unwrap();
    let at = |name: &str| steps.iter().position(|step| step.table.name == name).unwrap();
    for name in OF_NOTES {
        assert!(at("form_answer_groups") < at(name), "{name}");
        assert!(steps[at(name)].table.column("form_answer_group_id").is_some(), "{name}");
    }
    // A table of a later day that hangs on notes is looked at by somebody.
    let known = [
        "completed_onboarding_items",
        "disclosure_consents",
        "file_attachments",
        "requested_form_completions",
    ];
    for table in tables {
        let is_known = OF_NOTES.contains(&table.name) || known.contains(&table.name);
        let hangs = table.column("form_answer_group_id").is_some();
        assert!(!hangs || is_known, "{}: of notes alone, or found by them?", table.name);
    }
    for (on, name) in [
        ("entries", "comments"),
        ("documents", "document_viewings"),
        ("requested_form_completions", "form_histories"),
    ] {
        assert!(at(on) < at(name), "{name} hangs on {on}");
    }
    // What hangs on an answer of a note, or on a metric that was made of one, goes with it: `withheld`
    // knows these, by these names of the columns.
    let by_answers = [("entries", "form_answer_id"), ("file_attachments", "form_answer_id")];
    let by_entries = [("comments", "entry_id")];
    let known = [by_answers.as_slice(), by_entries.as_slice()].concat();
    for table in ward_server::assemble::tables() {
        for column in table.columns {
            let hangs = matches!(column.kind, ColumnKind::Id("FormAnswer" | "Entry"))
                || matches!(column.name, "form_answer_id" | "entry_id");
            let is_known = column.name == "id" || known.contains(&(table.name, column.name));
            assert!(!hangs || is_known, "{}.{}: of a note?", table.name, column.name);
        }
    }
}

/// What a step is found by stands before it, and its columns are there.
#[test]
fn dom_39_the_plan_can_be_followed() {
    let tables = ward_server::assemble::tables();
    let steps = plan(&tables).unwrap();
    let at = |name: &str| steps.iter().position(|step| step.table.name == name);
    for (place, step) in steps.iter().enumerate() {
        let table = step.table;
        match &step.way {
            Way::Names(names) => assert!(names.iter().all(|it| table.column(it).is_some())),
            Way::Whole { part, column, .. } => {
                let part = tables.iter().find(|it| it.name == *part).unwrap();
                let user = part.column("user_id").map(|at| part.columns[at].kind);
                assert_eq!(user, Some(ColumnKind::Id("User")), "{}", part.name);
                assert!(part.column(column).is_some(), "{}.{column}", part.name);
            }
            Way::Hangs { column, on } => {
                assert!(table.column(column).is_some(), "{}.{column}", table.name);
                assert!(at(on).is_some_and(|it| it < place), "{} hangs on {on}", table.name);
            }
            Way::Describes { of, column } => {
                let of = &steps[at(of).filter(|it| *it < place).unwrap()].table;
                assert!(of.column(column).is_some(), "{}.{column}", of.name);
                assert!(table.column("id").is_some(), "{} has no ids", table.name);
            }
        }
    }
}
