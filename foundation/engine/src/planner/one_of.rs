//! Planning of unions: a field for each type of one, with what is selected of it.

use apollo_compiler::executable;
use apollo_compiler::{Name, Node};
use ward_store::Table;

use super::{Gathered, Parent, Planner, arguments};
use crate::bound::{Bound, Resolve, Returns, RowsBinding};
use crate::outcome::RequestError;
use crate::plan::{Action, Condition, Field, OutType, Selection};
use crate::scalar::Leaf;

impl<'a> Planner<'a> {
    /// What is selected of an object of a union: a field for each type of it that is bound.
    pub(super) fn types(
        &mut self,
        entry: &Gathered<'a>,
        action: &Action,
        depth: usize,
    ) -> Result<Selection, RequestError> {
        let (first, _) = &entry.occurrences[0];
        let mut selection = Selection::default();
        for (name, table, action) in types_of(action) {
            let type_name = Name::new_unchecked(name);
            self.weight += 1;
            let sets = sets(entry);
            let kind = Parent::Table;
            let children = self.selection(&type_name, &sets, &kind, Some(table), depth + 1)?;
            selection.fields.push(Field {
                path: self.path.join(".").into(),
                key: name.into(),
                json_key: Box::default(),
                name: name.into(),
                ty: OutType { non_null: false, item: None },
                leaf: Leaf::of(&type_name, false),
                action,
                args: arguments(first),
                conditions: Vec::new(),
                children: Some(children),
                is_union: false,
                is_connection: false,
                location: None,
            });
        }
        Ok(selection)
    }
}

/// The selections of all occurrences of a field, with what they hang on.
pub(super) fn sets<'a>(
    entry: &Gathered<'a>,
) -> Vec<(&'a executable::SelectionSet, Vec<Condition>)> {
    let always = entry.occurrences.iter().all(|(_, conditions)| conditions.is_empty());
    let of = |(field, conditions): &(&'a Node<executable::Field>, Vec<Condition>)| {
        let inherited =
            if always || entry.occurrences.len() == 1 { Vec::new() } else { conditions.clone() };
        (&field.selection_set, inherited)
    };
    entry.occurrences.iter().map(of).collect()
}

/// The types that an object of a union may be of, with their tables and what answers them.
fn types_of(action: &Action) -> Vec<(&'static str, &'static Table, Action)> {
    let Action::Bound(bound) = action else { return Vec::new() };
    match &bound.resolve {
        Resolve::Mutation(binding) => {
            let one = |(name, returns): &(&'static str, Returns)| match returns {
                Returns::One(table) => Some((*name, *table, Action::Payload(Some(*returns)))),
                Returns::Many(_) | Returns::Leaf => None,
            };
            binding.returns.iter().filter_map(one).collect()
        }
        Resolve::OneOf(types) => {
            let one = |(name, rows): &(&'static str, RowsBinding)| {
                let inner = Bound { resolve: Resolve::Rows(rows.clone()), ..bound.clone() };
                (*name, rows.table, Action::Bound(inner))
            };
            types.iter().map(one).collect()
        }
        _ => Vec::new(),
    }
}
