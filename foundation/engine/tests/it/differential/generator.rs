//! Random valid operations over the new view: fragments, aliases, merging,
//! conditions, arguments, nulls that climb.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

/// A field: name, choices of arguments, the type below it if there is one.
type Field = (&'static str, &'static [&'static str], Option<&'static str>);

const NONE: &[&str] = &[""];
const FIRST: &[&str] = &["(first: 1)", "(first: 3)", "(first: 0)", "(first: 5)"];

const QUERY: &[Field] = &[
    (
        "author",
        &["(id: 2007500001)", "(id: \"2007500002\")", "(id: $id)", "(id: 2007500777)", ""],
        Some("Author"),
    ),
    (
        "authors",
        &[
            "(first: 2, order_by: UNSORTED)",
            "(first: 5, order_by: UNSORTED)",
            "(first: $n, order_by: UNSORTED)",
        ],
        Some("AuthorConnection"),
    ),
    ("books", FIRST, Some("BookConnection")),
    ("tags", &["(first: 2)", "(first: 4)"], Some("TagConnection")),
];
const AUTHOR: &[Field] = &[
    ("id", NONE, None),
    ("name", NONE, None),
    ("rating", NONE, None),
    ("active", NONE, None),
    ("kind", NONE, None),
    ("email", NONE, None),
    ("score", NONE, None),
    ("books_count", NONE, None),
    ("shout", &["", "(times: 2)", "(with: \"?\")", "(times: $n, with: \"ab\")"], None),
    ("boss", NONE, Some("Author")),
    ("first_book", NONE, Some("Book")),
    ("all_books", NONE, Some("Book")),
    ("loose_books", NONE, Some("Book")),
    ("books", FIRST, Some("BookConnection")),
    ("address", NONE, Some("Address")),
];
const BOOK: &[Field] = &[
    ("id", NONE, None),
    ("title", NONE, None),
    ("shelf", NONE, None),
    ("pages", NONE, None),
    ("price", NONE, None),
    ("tags_count", NONE, None),
    ("author", NONE, Some("Author")),
    ("tags", NONE, Some("Tag")),
    ("first_tag", NONE, Some("Tag")),
];
const TAG: &[Field] = &[("id", NONE, None), ("name", NONE, None), ("books_count", NONE, None)];
const ADDRESS: &[Field] = &[("city", NONE, None), ("number", NONE, None), ("lines", NONE, None)];
const PAGE: &[Field] = &[("has_next_page", NONE, None), ("has_previous_page", NONE, None)];

fn connection(node: &'static str) -> Vec<Field> {
    let edge = match node {
        "Author" => "AuthorEdge",
        "Book" => "BookEdge",
        _ => "TagEdge",
    };
    vec![
        ("nodes", NONE, Some(node)),
        ("edges", NONE, Some(edge)),
        ("page_info", NONE, Some("PageInfo")),
        ("total_count", NONE, None),
    ]
}

/// The fields of a type; `strict` ones may be null against their type.
fn fields(type_name: &str, strict: bool) -> Vec<Field> {
    let mut fields = match type_name {
        "Query" => QUERY.to_vec(),
        "Author" => AUTHOR.to_vec(),
        "Book" => BOOK.to_vec(),
        "Tag" => TAG.to_vec(),
        "Address" => ADDRESS.to_vec(),
        "PageInfo" => PAGE.to_vec(),
        "AuthorConnection" => connection("Author"),
        "BookConnection" => connection("Book"),
        "TagConnection" => connection("Tag"),
        "AuthorEdge" => vec![("node", NONE, Some("Author"))],
        "BookEdge" => vec![("node", NONE, Some("Book"))],
        _ => vec![("node", NONE, Some("Tag"))],
    };
    fields.push(("__typename", NONE, None));
    if strict {
        match type_name {
            "Author" => fields.push(("strict_email", NONE, None)),
            "Book" => fields.push(("strict_shelf", NONE, None)),
            "Query" => {
                fields.push((
                    "strict_author",
                    &["(id: 2007500002)", "(id: 2007500001)"],
                    Some("Author"),
                ));
            }
            _ => {}
        }
    }
    fields
}

/// A document and its variables.
pub struct Operation {
    pub query: String,
    pub variables: Json,
}

/// Makes one operation out of a seed.
pub struct Generator {
    state: u64,
    budget: usize,
    /// Nulls may climb.
    strict: bool,
    fragments: Vec<(String, &'static str, String)>,
    used: BTreeSet<&'static str>,
}

impl Generator {
    pub fn new(seed: u64) -> Self {
        let mut generator = Generator {
            state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15),
            budget: 0,
            strict: false,
            fragments: Vec::new(),
            used: BTreeSet::new(),
        };
        generator.budget = 8 + generator.below(40);
        generator.strict = generator.below(3) == 0;
        generator
    }

    /// Splitmix64.
    fn below(&mut self, n: usize) -> usize {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % n as u64).unwrap()
    }

    pub fn operation(mut self) -> Operation {
        let body = self.selection("Query", 0);
        let declared: BTreeMap<&str, &str> = [
            ("a", "$a: Boolean!"),
            ("b", "$b: Boolean = true"),
            ("id", "$id: ID"),
            ("n", "$n: Int = 2"),
        ]
        .into();
        let used: Vec<&str> = self.used.iter().map(|name| declared[name]).collect();
        let head =
            if used.is_empty() { String::new() } else { format!("query Q({}) ", used.join(", ")) };
        let mut query = format!("{head}{body}");
        for (name, on, body) in &self.fragments {
            query += &format!("\nfragment {name} on {on} {body}");
        }
        let mut variables = serde_json::Map::new();
        variables.insert("a".to_owned(), json!(self.below(2) == 0));
        // Always sent: the other engine overlooks a default in a condition.
        variables.insert("b".to_owned(), json!(self.below(2) == 0));
        if self.below(3) > 0 {
            variables.insert("id".to_owned(), json!(format!("200750000{}", self.below(6) + 1)));
        }
        if self.below(2) == 0 {
            variables.insert("n".to_owned(), json!(self.below(4)));
        }
        variables.retain(|name, _| self.used.contains(name.as_str()));
        Operation { query, variables: variables.into() }
    }

    fn condition(&mut self) -> String {
        let word = ["@skip", "@include"][self.below(2)];
        match self.below(12) {
            0 => {
                self.used.insert("a");
                format!(" {word}(if: $a)")
            }
            1 => {
                self.used.insert("b");
                format!(" {word}(if: $b)")
            }
            2 => format!(" {word}(if: {})", self.below(2) == 0),
            _ => String::new(),
        }
    }

    fn selection(&mut self, type_name: &'static str, depth: usize) -> String {
        let count = 1 + self.below(4);
        // Always there, so that no selection is empty.
        let mut parts = vec!["__typename".to_owned()];
        for _ in 0..count {
            let part = match self.below(8) {
                0 if self.budget > 2 => {
                    let condition = self.condition();
                    let on =
                        if self.below(2) == 0 { format!(" on {type_name}") } else { String::new() };
                    format!("...{on}{condition} {}", self.selection(type_name, depth))
                }
                1 if self.budget > 2 => self.spread(type_name, depth),
                _ => self.field(type_name, depth),
            };
            parts.push(part);
        }
        format!("{{ {} }}", parts.join(" "))
    }

    fn spread(&mut self, type_name: &'static str, depth: usize) -> String {
        let known: Vec<String> =
            self.fragments.iter().filter(|it| it.1 == type_name).map(|it| it.0.clone()).collect();
        let name = if !known.is_empty() && self.below(2) == 0 {
            known[self.below(known.len())].clone()
        } else {
            // Whole before it is known, so there is no cycle.
            self.budget = self.budget.saturating_sub(2);
            let body = self.selection(type_name, depth);
            let name = format!("F{}", self.fragments.len());
            self.fragments.push((name.clone(), type_name, body));
            name
        };
        format!("...{name}{}", self.condition())
    }

    fn field(&mut self, type_name: &'static str, depth: usize) -> String {
        self.budget = self.budget.saturating_sub(1);
        let mut choices = fields(type_name, self.strict);
        if depth >= 7 || self.budget == 0 {
            choices.retain(|(_, _, below)| below.is_none());
            if choices.is_empty() {
                return "__typename".to_owned();
            }
        }
        let (name, arguments, below) = choices[self.below(choices.len())];
        let which = self.below(arguments.len());
        let arguments = arguments[which];
        for variable in ["id", "n"] {
            if arguments.contains(&format!("${variable}")) {
                self.used.insert(variable);
            }
        }
        // The same key always stands for the same field with the same arguments.
        let alias = if which > 0 || self.below(3) == 0 {
            format!("{name}_{which}: ")
        } else {
            String::new()
        };
        let condition = self.condition();
        let body =
            below.map_or(String::new(), |below| format!(" {}", self.selection(below, depth + 1)));
        format!("{alias}{name}{arguments}{condition}{body}")
    }
}
