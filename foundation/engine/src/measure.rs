//! How large the parts of a document are.

use apollo_compiler::ast::Value as Ast;
use apollo_compiler::{ExecutableDocument, executable};

/// How many values a literal holds: what it weighs in the plan cache.
pub(crate) fn values_in(value: &Ast) -> usize {
    match value {
        Ast::List(items) => items.iter().map(|item| values_in(item)).sum::<usize>() + 1,
        Ast::Object(fields) => fields.iter().map(|(_, value)| values_in(value)).sum::<usize>() + 1,
        _ => 1,
    }
}

/// How many levels hang below a selection, fragments expanded; bounded by the
/// parser's recursion limit.
pub(crate) fn deepest(set: &executable::SelectionSet, document: &ExecutableDocument) -> usize {
    fn walk(
        set: &executable::SelectionSet,
        document: &ExecutableDocument,
        budget: &mut usize,
    ) -> usize {
        let mut depth = 0;
        for selection in &set.selections {
            *budget = budget.saturating_sub(1);
            if *budget == 0 {
                break;
            }
            depth = depth.max(match selection {
                executable::Selection::Field(field) => {
                    1 + walk(&field.selection_set, document, budget)
                }
                executable::Selection::InlineFragment(fragment) => {
                    walk(&fragment.selection_set, document, budget)
                }
                executable::Selection::FragmentSpread(spread) => document
                    .fragments
                    .get(&spread.fragment_name)
                    .map_or(0, |fragment| walk(&fragment.selection_set, document, budget)),
            });
        }
        depth
    }
    walk(set, document, &mut 10_000)
}
