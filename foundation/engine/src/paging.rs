//! Pages and cursors (behaviour 6) and orders (behaviour 7), for plain lists
//! and connections alike.

use ward_instance::token::CursorRefusal;
use ward_store::{OrderKey, Value};

use crate::bindings::order_key;
use crate::bound::{Args, RowsBinding};
use crate::call::Request;
use crate::input::In;
use crate::outcome::RequestError;

/// Rows of a connection's page when neither `first` nor `last` is given.
pub const DEFAULT_PAGE: i64 = 100;
/// The largest page.
pub const MAX_PAGE: i64 = 1_000;

/// What part of a list is asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// At most so many rows.
    pub limit: i64,
    /// Skip so many first.
    pub offset: i64,
    /// Start behind this place.
    pub after: Option<Vec<Value>>,
    /// End before this place.
    pub before: Option<Vec<Value>>,
    /// The page is the last of the list, not the first.
    pub last: bool,
    /// A second bound from the front, for `first` together with `last`.
    pub first_of_last: Option<i64>,
}

/// The order of a list: its keys and the text that its cursors are bound to.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// Keys, the id not included.
    pub keys: Vec<OrderKey>,
    /// Bound into the cursors: a cursor is valid for its own order only.
    pub scope: String,
}

/// The order that the arguments ask for: `order_by` (an enum member), else
/// `sort_by` (the old text, unknown ones are ignored), else the default.
pub fn order(rows: &RowsBinding, args: &Args) -> Order {
    let asked = args.text("order_by").or_else(|| args.text("sort_by")).map(str::to_ascii_uppercase);
    let found = asked.as_deref().and_then(|text| option(rows, text));
    let (name, descending) =
        found.or_else(|| option(rows, rows.default_order)).unwrap_or((None, false));
    let table = rows.table.name;
    match name {
        Some(option) => Order {
            keys: vec![order_key(option, descending)],
            scope: format!("{table} {}{}", option.name, if descending { " desc" } else { "" }),
        },
        None => Order { keys: Vec::new(), scope: format!("{table} id") },
    }
}

fn option<'a>(
    rows: &'a RowsBinding,
    text: &str,
) -> Option<(Option<&'a crate::bound::OrderOption>, bool)> {
    if text == "UNSORTED" {
        return Some((None, false));
    }
    // `created_at::desc` is an older way to write it (behaviour 7).
    let ends =
        |end: &str| text.strip_suffix(end).map(|name| name.strip_suffix(':').unwrap_or(name));
    let (name, descending) = match ends("_DESC").or_else(|| ends(":DESC")) {
        Some(name) => (name, true),
        None => (ends("_ASC").or_else(|| ends(":ASC")).unwrap_or(text), false),
    };
    rows.orders.iter().find(|option| option.name == name).map(|option| (Some(option), descending))
}

/// The page of a connection.
pub fn connection_page(
    args: &Args,
    order: &Order,
    request: &Request,
) -> Result<Page, RequestError> {
    let size = |name: &str| match args.int(name) {
        Some(n) if n < 0 => {
            Err(RequestError::new(format!("`{name}` on a connection cannot be less than zero.")))
        }
        other => Ok(other.map(|n| n.min(MAX_PAGE))),
    };
    let (first, last) = (size("first")?, size("last")?);
    let mut page = Page {
        limit: first.or(last).unwrap_or(DEFAULT_PAGE),
        after: place(args, "after", order, request)?,
        before: place(args, "before", order, request)?,
        last: first.is_none() && last.is_some(),
        ..Page::default()
    };
    if first.is_some() {
        page.first_of_last = last;
    }
    Ok(page)
}

/// The page of a plain list of the baseline view: `offset` and `page_size` (some lists
/// call it `per_page`) count when `should_paginate` says so, or when the list has no such switch.
pub fn list_page(args: &Args, order: &Order, request: &Request) -> Result<Page, RequestError> {
    let size = args.int("page_size").or_else(|| args.int("per_page"));
    let paginates = args
        .bool("should_paginate")
        .unwrap_or_else(|| size.is_some() || args.int("offset").is_some());
    let mut page =
        Page { limit: MAX_PAGE, after: place(args, "after", order, request)?, ..Page::default() };
    if paginates {
        page.limit = size.unwrap_or(10).clamp(0, MAX_PAGE);
        page.offset = args.int("offset").unwrap_or(0).max(0);
    } else if page.after.is_some() {
        page.limit = size.unwrap_or(10).clamp(0, MAX_PAGE);
    }
    Ok(page)
}

/// The page size that a connection's complexity counts with.
pub fn counted_size(args: &Args) -> u64 {
    let size = args.int("first").or_else(|| args.int("last")).unwrap_or(DEFAULT_PAGE);
    u64::try_from(size.clamp(0, MAX_PAGE)).unwrap_or(0)
}

fn place(
    args: &Args,
    name: &str,
    order: &Order,
    request: &Request,
) -> Result<Option<Vec<Value>>, RequestError> {
    let text = match args.0.get(name) {
        Some(In::Text(text)) if !text.is_empty() => text,
        _ => return Ok(None),
    };
    let keys = request
        .instance
        .cursor_decode(&order.scope, text)
        .map_err(|error| refused(&error, name))?;
    if keys.len() != order.keys.len() + 1 {
        return Err(refused(&CursorRefusal::Malformed, name));
    }
    let mut place = Vec::with_capacity(keys.len());
    for key in keys {
        // Keys are texts on the wire; a number is marked by its first character.
        place.push(match key {
            Some(text) => match text.strip_prefix('#') {
                Some(number) => Value::Int(
                    number.parse().map_err(|_| refused(&CursorRefusal::Malformed, name))?,
                ),
                None => Value::Text(text.strip_prefix('\'').unwrap_or(&text).into()),
            },
            None => Value::Null,
        });
    }
    // The id: a number, or the UUID of tables that have those.
    if let Some(last) = place.last_mut()
        && let Value::Text(text) = last
        && let Ok(number) = text.parse()
    {
        *last = Value::Int(number);
    }
    Ok(Some(place))
}

fn refused(error: &CursorRefusal, name: &str) -> RequestError {
    match error {
        CursorRefusal::Malformed => RequestError::coded("INVALID_CURSOR", format!("`{name}` is not a cursor of this list. Start again without it.")),
        _ => RequestError::coded(
            "WRONG_ENVIRONMENT_TOKEN",
            format!("`{name}` is a cursor of another instance, of another list or of another order. Start again without it."),
        )
        .with("argument", name),
    }
}

/// The cursor of a row: its order keys, then its id.
pub fn cursor(keys: &[Value], scope: &str, request: &Request) -> String {
    let last = keys.len().saturating_sub(1);
    let texts: Vec<Option<String>> = keys
        .iter()
        .enumerate()
        .map(|(n, key)| match key {
            Value::Int(number) if n == last => Some(number.to_string()),
            Value::Int(number) => Some(format!("#{number}")),
            Value::Text(text) if text.starts_with(['#', '\'']) => Some(format!("'{text}")),
            Value::Text(text) => Some(text.to_string()),
            _ => None,
        })
        .collect();
    request.instance.cursor_encode(scope, &texts)
}
