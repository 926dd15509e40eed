//! Documents changed at random: whatever they became, the answer is JSON in
//! bounded bytes, and nothing panics.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value as Json, json};
use tokio::runtime::Handle;
use ward_engine::ViewId;

use crate::world::World;

const SEEDS: [&str; 9] = [
    "query Q($i: ID = \"1\", $a: Boolean!) { author(id: $i) { id name @include(if: $a) ...F ... @skip(if: $a) { boss { id } } } } fragment F on Author { all_books { title tags { name } } }",
    "{ authors(first: 2, after: \"x\", order_by: NAME_DESC) { total_count edges { cursor node { id } } page_info { end_cursor } } }",
    "query($f: Filter, $x: [ID!]!) { echo(filter: $f, ids: $x, extra: {a: [1, -2.5e3, true, null, \"\\u00e9\", E]}, text: \"\"\"block \\\"\"\" text\"\"\") }",
    "mutation M($n: String) { a: createAuthor(input: {name: $n, books: [{title: \"t\"}]}) { author { id } messages { field message } } b: hello(input: {}) { greeting } }",
    "{ __schema { types { name fields(includeDeprecated: true) { name } } } __type(name: \"Author\") { kind } __typename }",
    "{ a: books(page_size: 3) { ...B } b: books(last: 1) { nodes { ...B } } } fragment B on Book { id author { ...C } } fragment C on Author { first_book { ...D } } fragment D on Book { title }",
    "subscription { x } query { y } fragment Z on Query @feature(if: \"a\") { z }",
    "type X implements Y & Z { a(b: Int = 1 @c): [D!]! } extend schema @e union U = | A | B # comment\n scalar S input I { a: Int }",
    "{ echo(text: \"\\ud83e\\udd80 \\\\ \\n\", number: 2147483647, size: 1.0e10) # c\n, , ...on Query{__typename} }",
];

/// What a change puts in.
const PIECES: [&str; 40] = [
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "{{{{{{{{",
    "}}}}",
    "...",
    "...F",
    "... on Author {",
    "@skip(if: true)",
    "@include(if: $a)",
    "@feature(unless: \"x\")",
    "$",
    "$a",
    ":",
    "!",
    "=",
    "|",
    "&",
    "\"",
    "\"\"\"",
    "\\u",
    "\\ud800",
    "\u{0}",
    "\u{feff}",
    "é🦀",
    "9999999999999999999999",
    "-0",
    "1e999",
    "null",
    "true",
    "fragment F on Author { ...F }",
    "query Q { __typename }",
    "id id id",
    "x: id x: name",
    "author(id: 1) {",
    "input: {a: $a}",
    "#",
];

#[derive(Clone, Debug)]
enum Change {
    Cut(prop::sample::Index, usize),
    Copy(prop::sample::Index, prop::sample::Index, usize),
    Put(prop::sample::Index, usize),
    Swap(prop::sample::Index, prop::sample::Index),
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        (at(), 1..12_usize).prop_map(|(at, length)| Change::Cut(at, length)),
        (at(), at(), 1..40_usize).prop_map(|(from, to, length)| Change::Copy(from, to, length)),
        (at(), 0..PIECES.len()).prop_map(|(at, piece)| Change::Put(at, piece)),
        (at(), at()).prop_map(|(a, b)| Change::Swap(a, b)),
    ]
}

fn changed(seed: &str, changes: &[Change]) -> String {
    let mut text: Vec<char> = seed.chars().collect();
    for change in changes {
        let length = text.len();
        if length == 0 {
            break;
        }
        match change {
            Change::Cut(at, count) => {
                let at = at.index(length);
                text.drain(at..(at + count).min(length));
            }
            Change::Copy(from, to, count) => {
                let from = from.index(length);
                let piece = text[from..(from + count).min(length)].to_vec();
                let to = to.index(length);
                text.splice(to..to, piece);
            }
            Change::Put(at, piece) => {
                let at = at.index(length);
                text.splice(at..at, PIECES[*piece].chars());
            }
            Change::Swap(a, b) => text.swap(a.index(length), b.index(length)),
        }
    }
    text.into_iter().collect()
}

async fn documents_changed_at_random_are_answered(w: World) {
    let soak = std::env::var("WARD_SOAK").is_ok_and(|it| it == "1");
    let config = Config {
        cases: if soak { 100_000 } else { 2_000 },
        failure_persistence: None,
        ..Config::default()
    };
    let documents = (0..SEEDS.len(), prop::collection::vec(change(), 0..8), any::<bool>());
    let handle = Handle::current();
    tokio::task::block_in_place(|| {
        let test = |(seed, changes, old): (usize, Vec<Change>, bool)| {
            let query = changed(SEEDS[seed], &changes);
            let view = if old { ViewId::Baseline } else { ViewId::V2026 };
            let variables =
                json!({"i": "2007500001", "a": true, "x": ["1"], "f": {"limit": 1}, "n": ""});
            let ask = w.ask(view, &query).variables(variables);
            let reply = handle.block_on(ask.reply());
            prop_assert!(reply.body.len() < 64 * 1024, "{} bytes", reply.body.len());
            let body: Json = serde_json::from_slice(&reply.body).expect("an answer is JSON");
            prop_assert_eq!(reply.status, 200, "{}", body);
            prop_assert!(body.get("data").is_some() || body["errors"].is_array(), "{}", body);
            Ok(())
        };
        TestRunner::new(config).run(&documents, test).unwrap_or_else(|error| panic!("{error}"));
    });
}

cases!(documents_changed_at_random_are_answered);
