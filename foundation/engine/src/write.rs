//! The writer: levels straight to JSON bytes, with null propagation and the
//! paths of errors (specification section 6.4.4).

use std::borrow::Cow;

use jiff::tz::TimeZone;

use crate::call::Request;
use crate::level::{Cell, Level, MAX_OBJECTS, too_many};
use crate::outcome::{PathStep, RequestError};
use crate::paging;
use crate::plan::{Action, Field, OutType, Selection};
use crate::scalar::{self, Leaf, Out};
use crate::values::{self, Variables};

/// The most bytes that one answer may hold, and the most errors that are told.
const MAX_ANSWER_BYTES: usize = 32 * 1024 * 1024;
const MAX_ERRORS: usize = 1_000;

/// A null where none is allowed: the nearest nullable parent becomes null.
pub struct Propagate;

/// Writes one answer.
pub struct Writer<'a> {
    /// The request.
    pub request: &'a Request,
    /// Its variables.
    pub variables: &'a Variables,
    /// The bytes so far.
    pub out: Vec<u8>,
    /// The errors met.
    pub errors: Vec<RequestError>,
    /// The answer grew past a bound; what is written is not to be sent.
    pub refused: Option<RequestError>,
    objects: usize,
    /// Where the writer starts.
    root: Vec<PathStep>,
    /// Where it is below.
    path: Vec<Step<'a>>,
}

/// A step of the path to what is written, as the plan has it: of thousands of values
/// that are written, few are an error that tells its path.
#[derive(Clone, Copy)]
enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

impl<'a> Writer<'a> {
    /// An empty answer; `path` is where it starts.
    pub fn new(request: &'a Request, variables: &'a Variables, root: Vec<PathStep>) -> Self {
        Writer {
            request,
            variables,
            out: Vec::with_capacity(1024),
            errors: Vec::new(),
            refused: None,
            objects: 0,
            root,
            path: Vec::new(),
        }
    }

    pub(crate) fn zone(&self) -> &'a TimeZone {
        &self.request.zone
    }

    /// Writes one object of a level.
    pub fn object(
        &mut self,
        selection: &'a Selection,
        level: &Level,
        row: usize,
    ) -> Result<(), Propagate> {
        self.bounded()?;
        self.out.push(b'{');
        let mut first = true;
        for (field, cell) in selection.fields.iter().zip(&level.cells) {
            if matches!(cell, Cell::Skip) {
                continue;
            }
            self.key(field, &mut first);
            self.field(field, |writer| writer.cell(field, cell, level, row))?;
        }
        self.out.push(b'}');
        Ok(())
    }

    pub(crate) fn key(&mut self, field: &Field, first: &mut bool) {
        if !std::mem::replace(first, false) {
            self.out.push(b',');
        }
        self.out.extend_from_slice(&field.json_key);
    }

    /// Writes a field's value; a null that propagates stops here when the
    /// field may be null.
    pub(crate) fn field(
        &mut self,
        field: &'a Field,
        write: impl FnOnce(&mut Self) -> Result<(), Propagate>,
    ) -> Result<(), Propagate> {
        let start = self.out.len();
        self.path.push(Step::Key(&field.key));
        let written = write(self);
        self.path.pop();
        match written {
            Err(Propagate) if !field.ty.non_null => {
                self.out.truncate(start);
                self.out.extend_from_slice(b"null");
                Ok(())
            }
            other => other,
        }
    }

    fn cell(
        &mut self,
        field: &'a Field,
        cell: &Cell,
        level: &Level,
        row: usize,
    ) -> Result<(), Propagate> {
        match cell {
            Cell::Column(at, least) => {
                let column = level
                    .set
                    .columns
                    .get(*at)
                    .and_then(|column| level.set.table.map(|table| &table.columns[*column]));
                let value = level.set.rows.row(row).get(*at);
                let written = match (column, value) {
                    (Some(column), Some(value)) if level.set.level(row) >= *least => {
                        scalar::write_column(value, column, field.leaf, self.zone(), &mut self.out)
                    }
                    _ => false,
                };
                if written { Ok(()) } else { self.null(field, &field.ty) }
            }
            Cell::Leaves(leaves) => {
                self.leaf(field, &field.ty, leaves.get(row).unwrap_or(&Out::Null))
            }
            Cell::One(index, below) => match (index.get(row).copied().flatten(), &field.children) {
                (Some(n), Some(selection)) => self.object(selection, below, n),
                _ => self.null(field, &field.ty),
            },
            Cell::OneOf(below) => match &field.children {
                Some(types) => self.one_of(field, types, below, row),
                None => self.null(field, &field.ty),
            },
            Cell::Many(lists, below) => {
                match (lists.get(row).and_then(Option::as_ref), &field.children) {
                    (Some(rows), Some(selection)) => {
                        self.list(field, rows.iter().copied(), |writer, n| {
                            writer.object(selection, below, n)
                        })
                    }
                    _ => self.null(field, &field.ty),
                }
            }
            Cell::Connections(pages, paged) => {
                match (pages.get(row).and_then(Option::as_ref), &field.children) {
                    (Some(page), Some(selection)) => self.connection(selection, page, paged),
                    _ => self.null(field, &field.ty),
                }
            }
            Cell::Cursor => {
                let keys = level.set.rows.row(row).get(level.set.keys.clone()).unwrap_or(&[]);
                let cursor = paging::cursor(keys, &level.set.scope, self.request);
                scalar::write_text(&cursor, &mut self.out);
                Ok(())
            }
            Cell::Typename(name) => {
                scalar::write_text(name, &mut self.out);
                Ok(())
            }
            Cell::Ready(json, errors) => {
                self.errors.extend(errors.iter().cloned());
                self.out.extend_from_slice(json);
                Ok(())
            }
            Cell::Failed(error) => {
                self.fail(field, error.clone());
                self.nothing(&field.ty)
            }
            Cell::Skip => Ok(()),
        }
    }

    pub(crate) fn list(
        &mut self,
        field: &'a Field,
        rows: impl Iterator<Item = usize>,
        mut write: impl FnMut(&mut Self, usize) -> Result<(), Propagate>,
    ) -> Result<(), Propagate> {
        let item_non_null = field.ty.item.as_ref().is_some_and(|item| item.non_null);
        self.out.push(b'[');
        for (n, row) in rows.enumerate() {
            if n > 0 {
                self.out.push(b',');
            }
            let start = self.out.len();
            self.path.push(Step::Index(n));
            let written = write(self, row);
            self.path.pop();
            if written.is_err() {
                if item_non_null {
                    return Err(Propagate);
                }
                self.out.truncate(start);
                self.out.extend_from_slice(b"null");
            }
        }
        self.out.push(b']');
        Ok(())
    }

    pub(crate) fn leaf(
        &mut self,
        field: &'a Field,
        ty: &OutType,
        value: &Out,
    ) -> Result<(), Propagate> {
        match (value, &ty.item) {
            (Out::Null, _) => self.null(field, ty),
            (Out::List(items), Some(item)) => {
                self.out.push(b'[');
                for (n, value) in items.iter().enumerate() {
                    if n > 0 {
                        self.out.push(b',');
                    }
                    self.path.push(Step::Index(n));
                    let start = self.out.len();
                    let written = self.leaf(field, item, value);
                    self.path.pop();
                    if written.is_err() {
                        if item.non_null {
                            return Err(Propagate);
                        }
                        self.out.truncate(start);
                        self.out.extend_from_slice(b"null");
                    }
                }
                self.out.push(b']');
                Ok(())
            }
            (Out::Json(serde_json::Value::Object(members)), None) if field.children.is_some() => {
                self.value_object(field, |inner| match members.get(inner.name.as_ref()) {
                    None => Cow::Owned(Out::Null),
                    Some(value) => Cow::Owned(out_of_json(value, inner)),
                })
            }
            (Out::Object(members), None) => self.value_object(field, |inner| {
                let found = members.iter().find(|(name, _)| *name == inner.name.as_ref());
                found.map_or(Cow::Owned(Out::Null), |(_, value)| Cow::Borrowed(value))
            }),
            (value, _) => {
                if scalar::write_leaf(value, field.leaf, self.zone(), &mut self.out) {
                    Ok(())
                } else {
                    self.null(field, ty)
                }
            }
        }
    }

    /// A value that is no row, by what its members are.
    fn value_object<'m>(
        &mut self,
        field: &'a Field,
        member: impl Fn(&Field) -> Cow<'m, Out>,
    ) -> Result<(), Propagate> {
        let Some(selection) = &field.children else { return self.null(field, &field.ty) };
        self.out.push(b'{');
        let mut first = true;
        for inner in selection.fields.iter().filter(|inner| values::included(inner, self.variables))
        {
            self.key(inner, &mut first);
            let value = match &inner.action {
                Action::Typename(name) => Cow::Owned(Out::Text(name.clone())),
                _ => member(inner),
            };
            self.field(inner, |writer| writer.leaf(inner, &inner.ty, &value))?;
        }
        self.out.push(b'}');
        Ok(())
    }

    /// A null that the data holds: an error where the contract forbids it.
    pub(crate) fn null(&mut self, field: &Field, ty: &OutType) -> Result<(), Propagate> {
        if ty.non_null {
            self.fail(
                field,
                RequestError::new(format!(
                    "Cannot return null for non-nullable field {}",
                    field.name
                )),
            );
        }
        self.nothing(ty)
    }

    pub(crate) fn nothing(&mut self, ty: &OutType) -> Result<(), Propagate> {
        if ty.non_null {
            return Err(Propagate);
        }
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    pub(crate) fn fail(&mut self, field: &Field, mut error: RequestError) {
        error.path = self.place();
        error.location = error.location.or(field.location);
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(error);
        }
    }

    /// A row that is read once may be answered many times: below each of its
    /// parents.
    fn bounded(&mut self) -> Result<(), Propagate> {
        self.objects += 1;
        if self.refused.is_none() && self.objects > MAX_OBJECTS {
            self.refused = Some(too_many());
        }
        if self.refused.is_none() && self.out.len() > MAX_ANSWER_BYTES {
            let message = "The answer would be too large. Ask for smaller pages or fewer fields.";
            self.refused = Some(RequestError::coded("TOO_LARGE", message));
        }
        if self.refused.is_some() { Err(Propagate) } else { Ok(()) }
    }

    /// Adds an error that belongs to the field where the writer starts.
    pub fn note(&mut self, mut error: RequestError) {
        error.path = self.place();
        self.errors.push(error);
    }

    /// The path to what is written now.
    fn place(&self) -> Vec<PathStep> {
        let below = self.path.iter().map(|step| match step {
            Step::Key(key) => PathStep::Key((*key).into()),
            Step::Index(n) => PathStep::Index(*n),
        });
        self.root.iter().cloned().chain(below).collect()
    }
}

/// A member of a JSON object, as what the field wants.
fn out_of_json(value: &serde_json::Value, field: &Field) -> Out {
    match value {
        serde_json::Value::Null => Out::Null,
        _ if field.leaf == Leaf::Json && field.children.is_none() => Out::Json(value.clone()),
        serde_json::Value::Bool(value) => Out::Bool(*value),
        serde_json::Value::String(text) => Out::Text(text.as_str().into()),
        serde_json::Value::Number(n) if n.is_i64() => n.as_i64().into(),
        serde_json::Value::Array(items) => {
            Out::List(items.iter().map(|item| out_of_json(item, field)).collect())
        }
        other => Out::Json(other.clone()),
    }
}
