//! An operation as a flat plan: fragments inlined, bindings looked up, columns
//! known; and what it costs (behaviour 11). The planner makes it.

use apollo_compiler::ast::{Type, Value as Ast};
use apollo_compiler::{ExecutableDocument, Name, Node};

use crate::bound::{Bound, Returns};
use crate::scalar::Leaf;

/// The deepest selection (behaviour 11).
pub const MAX_DEPTH: usize = 25;
/// A type with its wrappers.
#[derive(Clone, Debug)]
pub struct OutType {
    /// Whether null is not allowed.
    pub non_null: bool,
    /// The type of the items, for a list.
    pub item: Option<Box<OutType>>,
}

impl OutType {
    pub(crate) fn of(ty: &Type) -> Self {
        match ty {
            Type::Named(_) => OutType { non_null: false, item: None },
            Type::NonNullNamed(_) => OutType { non_null: true, item: None },
            Type::List(item) => OutType { non_null: false, item: Some(Box::new(Self::of(item))) },
            Type::NonNullList(item) => {
                OutType { non_null: true, item: Some(Box::new(Self::of(item))) }
            }
        }
    }
}

/// A condition of `@skip`, `@include` or `@feature`.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// `@include(if: …)` and, with false, `@skip`: the wanted value and what is asked.
    If(bool, Flag),
    /// `@feature`: a named flag of the organization is on (or off). No
    /// organization has any yet, so each counts as off (behaviour 2).
    Feature(bool),
}

/// What a condition asks.
#[derive(Clone, Debug, PartialEq)]
pub enum Flag {
    /// A literal.
    Literal(bool),
    /// A variable.
    Variable(Name),
}

/// An argument's value in the document.
#[derive(Clone, Debug)]
pub struct Argument {
    /// Its name.
    pub name: String,
    /// Its type in the view.
    pub ty: Type,
    /// What the document says; the default when it says nothing.
    pub value: Node<Ast>,
    /// The default, for a variable without value.
    pub default: Option<Node<Ast>>,
    /// Whether the document names it.
    pub is_named: bool,
}

/// What answers a planned field.
#[derive(Clone)]
pub enum Action {
    /// `__typename`.
    Typename(Box<str>),
    /// Introspection: answered by the compiler, found by response key.
    Introspection,
    /// A field with its binding.
    Bound(Bound),
    /// A part of a connection.
    Connection(Part),
    /// A field of a mutation's payload.
    Payload(Option<Returns>),
}

/// The parts of a connection, an edge and the page info.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// `nodes`.
    Nodes,
    /// `edges`.
    Edges,
    /// `page_info`.
    PageInfo,
    /// `total_count`.
    TotalCount,
    /// `edges { node }`.
    Node,
    /// `edges { cursor }`.
    EdgeCursor,
    /// A member of `page_info`.
    Page(&'static str),
}

/// One planned field.
#[derive(Clone)]
pub struct Field {
    /// The response key.
    pub key: Box<str>,
    /// The response key as JSON, with its colon.
    pub json_key: Box<[u8]>,
    /// The contract's name.
    pub name: Box<str>,
    /// The contract's names from the root to it, for fields that read rows;
    /// empty for others.
    pub path: Box<str>,
    /// Its type.
    pub ty: OutType,
    /// How a leaf is written.
    pub leaf: Leaf,
    /// What answers it.
    pub action: Action,
    /// Its arguments.
    pub args: Vec<Argument>,
    /// Any of these sets of conditions, all of which hold, includes it; none
    /// means always.
    pub conditions: Vec<Vec<Condition>>,
    /// What is selected of its objects. Of a union each field is one of its types, named by it,
    /// with what is selected of that type.
    pub children: Option<Selection>,
    /// Whether its objects are of several types.
    pub is_union: bool,
    /// Whether it is a list with connections' shape.
    pub is_connection: bool,
    /// Line and column.
    pub location: Option<(usize, usize)>,
}

/// What is selected of one object type.
#[derive(Clone, Default)]
pub struct Selection {
    /// The fields, in order.
    pub fields: Vec<Field>,
    /// The table's columns that they need, ascending.
    pub columns: Vec<usize>,
}

impl Selection {
    /// Hands the arguments of the field whose selection it is to the fields that read them.
    pub fn inherit(&mut self, args: &[Argument]) {
        for field in &mut self.fields {
            if !matches!(&field.action, Action::Bound(bound) if bound.inherits) {
                continue;
            }
            let is_own = |it: &&Argument| field.args.iter().any(|own| own.name == it.name);
            let more: Vec<Argument> = args.iter().filter(|it| !is_own(it)).cloned().collect();
            field.args.extend(more);
        }
    }
}

/// What an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// It reads.
    Query,
    /// It changes.
    Mutation,
    /// It waits for events.
    Subscription,
}

/// A planned operation.
pub struct Plan {
    /// What it is.
    pub operation: Operation,
    /// The root fields.
    pub root: Selection,
    /// The variables it declares.
    pub variables: Vec<Variable>,
    /// The document, kept only for introspection.
    pub introspection: Option<(ExecutableDocument, Option<Name>)>,
    /// Estimated size in memory, in bytes.
    pub weight: usize,
}

/// A declared variable.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Its name.
    pub name: Name,
    /// Its declared type.
    pub ty: Type,
    /// Its default.
    pub default: Option<Node<Ast>>,
}
impl Plan {
    /// The operation's complexity (behaviour 11): each field 1; below `nodes`
    /// and `edges` of a connection multiplied by the page size.
    pub fn complexity(&self, page_size: &dyn Fn(&Field) -> u64) -> u64 {
        cost(&self.root, page_size)
    }
}

fn cost(selection: &Selection, page_size: &dyn Fn(&Field) -> u64) -> u64 {
    selection.fields.iter().filter(|field| !matches!(field.action, Action::Introspection)).fold(
        0,
        |sum: u64, field| {
            let below = match &field.children {
                None => 0,
                Some(types) if field.is_union => {
                    let of = |one: &Field| one.children.as_ref().map(|of| cost(of, page_size));
                    types.fields.iter().filter_map(of).max().unwrap_or(0)
                }
                Some(children) if field.is_connection => {
                    connection_cost(children, page_size(field), page_size)
                }
                Some(children) => cost(children, page_size),
            };
            sum.saturating_add(1).saturating_add(below)
        },
    )
}

fn connection_cost(selection: &Selection, size: u64, page_size: &dyn Fn(&Field) -> u64) -> u64 {
    selection.fields.iter().fold(0, |sum: u64, field| {
        let below = field.children.as_ref().map_or(0, |children| cost(children, page_size));
        let times = if matches!(field.action, Action::Connection(Part::Nodes | Part::Edges)) {
            size
        } else {
            1
        };
        sum.saturating_add(1).saturating_add(below.saturating_mul(times))
    })
}
