//! Selections: recorded leaf paths, walked through the contract and merged into one tree.

use super::arguments::parenthesised;
use super::{Builder, NOT_IN_THIS_VIEW};
use crate::schema;
use crate::usage::Operation;

/// One selected field; the root of the tree has no name.
#[derive(Debug, Default)]
pub(super) struct Node {
    name: String,
    /// The union member that the field stands on, if its parent is a union.
    member: Option<String>,
    /// Written arguments.
    pub(super) arguments: Vec<String>,
    children: Vec<Node>,
    composite: bool,
}

/// One field on the way to a leaf.
#[derive(Debug, Clone)]
pub(super) struct Step {
    /// The type that the field is on.
    pub(super) parent: String,
    /// The field's name.
    pub(super) field: String,
    /// The field's type without lists and bangs.
    answer: String,
    /// The union member to narrow to.
    member: Option<String>,
}

impl Node {
    fn add(&mut self, steps: &[Step], composite: impl Fn(&str) -> bool + Copy) {
        let Some((first, rest)) = steps.split_first() else {
            return;
        };
        let same = |node: &Node| node.name == first.field && node.member == first.member;
        let index = self.children.iter().position(same).unwrap_or_else(|| {
            self.children.push(Node {
                name: first.field.clone(),
                member: first.member.clone(),
                composite: composite(&first.answer),
                ..Node::default()
            });
            self.children.len() - 1
        });
        self.children[index].add(rest, composite);
    }

    /// The node that the steps lead to, if it is selected.
    pub(super) fn find(&mut self, steps: &[Step]) -> Option<&mut Node> {
        let Some((first, rest)) = steps.split_first() else {
            return Some(self);
        };
        self.children
            .iter_mut()
            .find(|node| node.name == first.field && node.member == first.member)?
            .find(rest)
    }

    /// ` { … }` with the children, or `__typename` where there are none.
    pub(super) fn write_selection(&self, text: &mut String, depth: usize) {
        let indent = "  ".repeat(depth + 1);
        text.push_str(" {");
        if self.children.is_empty() {
            text.push_str(&format!("\n{indent}__typename"));
        }
        for child in &self.children {
            text.push_str(&format!("\n{indent}"));
            if let Some(member) = &child.member {
                text.push_str(&format!("... on {member} {{ "));
            }
            text.push_str(&child.name);
            text.push_str(&parenthesised(&child.arguments));
            if child.composite {
                child.write_selection(text, depth + 1);
            }
            if child.member.is_some() {
                text.push_str(" }");
            }
        }
        text.push_str(&format!("\n{}}}", "  ".repeat(depth)));
    }
}

impl Builder<'_> {
    /// The tree of what is recorded, in this view and served; the rest is left out and counted.
    pub(super) fn selection(&mut self, answer: &str, op: &Operation) -> Node {
        let mut tree = Node { composite: true, ..Node::default() };
        let contract = self.contract;
        let paths: Vec<&str> =
            op.selects.iter().map(String::as_str).chain(op.legacy("sel")).collect();
        for path in paths {
            let steps = match self.steps(answer, path) {
                Ok(steps) if steps.is_empty() => continue,
                Ok(steps) => steps,
                Err(()) => {
                    self.leave_out(path, NOT_IN_THIS_VIEW);
                    continue;
                }
            };
            match steps.iter().find(|step| !self.serves(step)) {
                Some(gap) => {
                    // On a type that is not served at all, that type's domain is what is missing.
                    let owner = if self.served.types.contains_key(gap.parent.as_str()) {
                        self.owner(&gap.parent, &gap.answer)
                    } else {
                        self.domains.of_type(&gap.parent).to_owned()
                    };
                    self.leave_out(path, &owner);
                }
                None => {
                    tree.add(&steps, |ty| schema::is_composite(contract, ty));
                    let names: Vec<&str> = steps.iter().map(|step| step.field.as_str()).collect();
                    let name = names.join(".");
                    if !self.selected.contains(&name) {
                        self.selected.push(name);
                    }
                }
            }
        }
        tree
    }

    /// Every mutation asks for `messages { field message }`.
    pub(super) fn messages(&mut self, answer: &str, tree: &mut Node) {
        let contract = self.contract;
        for path in ["messages.field", "messages.message"] {
            if let Ok(steps) = self.steps(answer, path)
                && steps.iter().all(|step| self.serves(step))
            {
                tree.add(&steps, |ty| schema::is_composite(contract, ty));
                if !self.selected.iter().any(|known| known == path) {
                    self.selected.push(path.to_owned());
                }
            }
        }
    }

    fn serves(&self, step: &Step) -> bool {
        schema::field(self.served, &step.parent, &step.field).is_some()
    }

    /// The fields along a recorded path in this view's contract. Where the view has a plain list,
    /// `nodes` falls away; where it has a connection and the path does not say so, it comes in.
    pub(super) fn steps(&self, answer: &str, path: &str) -> Result<Vec<Step>, ()> {
        let contract = self.contract;
        let mut current = answer.to_owned();
        let mut steps = Vec::new();
        for segment in path.split('.') {
            let mut member = None;
            if let Some(union) = contract.get_union(&current) {
                let with = |name: &&apollo_compiler::schema::ComponentName| {
                    schema::field(contract, &name.name, segment).is_some()
                };
                let found = union.members.iter().find(with).ok_or(())?;
                current = found.name.to_string();
                member = Some(current.clone());
            }
            if schema::field(contract, &current, segment).is_none() {
                if ["nodes", "edges", "node"].contains(&segment) {
                    continue;
                }
                let nodes = schema::field(contract, &current, "nodes").ok_or(())?;
                let item = nodes.ty.inner_named_type().to_string();
                steps.push(Step {
                    parent: current,
                    field: "nodes".to_owned(),
                    answer: item.clone(),
                    member: None,
                });
                current = item;
            }
            let field = schema::field(contract, &current, segment).ok_or(())?;
            let next = field.ty.inner_named_type().to_string();
            steps.push(Step {
                parent: current,
                field: segment.to_owned(),
                answer: next.clone(),
                member,
            });
            current = next;
        }
        Ok(steps)
    }
}
