//! GL-04: docs/parity.md, made from two running instances: what each of them has of operations,
//! events, effects, limits, headers and commands. `WARD_UPDATE=1` writes it; read its difference.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use ward_tests::schema::Schema;
use ward_tests::{BASELINE, Json, Kind, Reply, V2026, json, tell, ward};

use crate::pair::{Pair, Side, pair};

/// What only one of the two has, and why that is what it is for.
const ONE_ONLY: [(&str, &str, Kind, &str); 7] = [
    (
        "header",
        "x-sandbox-clock",
        Kind::Sandbox,
        "the test clock's time; Production has no other than the real one",
    ),
    (
        "header",
        "x-sandbox-fault",
        Kind::Sandbox,
        "what goes wrong on purpose does so in a Sandbox only",
    ),
    (
        "command",
        "sandbox",
        Kind::Sandbox,
        "time, faults, seeds and resets are where mistakes are free",
    ),
    ("command", "requests", Kind::Sandbox, "what developers asked of it; Production records none"),
    ("command", "inbox", Kind::Sandbox, "simulated messages; Production's are sent"),
    ("command", "listen", Kind::Sandbox, "forwards a Sandbox's events to a developer's machine"),
    (
        "command",
        "files",
        Kind::Production,
        "moves Production's files to a bucket; a Sandbox keeps them in its directory",
    ),
];

/// What the page calls a name that only one has.
fn only(of: &str, name: &str) -> Option<(Kind, &'static str)> {
    let found = ONE_ONLY.iter().find(|(kind, known, ..)| (*kind, *known) == (of, name));
    found.map(|(_, _, kind, why)| (*kind, *why))
}

/// One sort of feature: names, with who has them.
#[derive(Default)]
struct Sort(BTreeMap<String, BTreeSet<&'static str>>);

impl Sort {
    fn add(&mut self, name: &str, kind: Kind) {
        self.0.entry(name.to_owned()).or_default().insert(kind.word());
    }
}

fn operations(pair: &Pair) -> Sort {
    let mut sort = Sort::default();
    for kind in Kind::BOTH {
        let (side, _) = pair.sides(kind);
        for view in [BASELINE, V2026] {
            for (root, field) in Schema::of(&side.as_owner(), view).roots() {
                sort.add(&format!("{} `{}`", root.word(), field.name), kind);
            }
        }
        let subscriptions = Schema::of(&side.as_owner(), V2026).types.get("Subscription").cloned();
        for field in subscriptions.unwrap_or_default().fields {
            sort.add(&format!("subscription `{}`", field.name), kind);
        }
    }
    sort
}

fn events(pair: &Pair) -> Sort {
    let mut sort = Sort::default();
    for kind in Kind::BOTH {
        let (side, _) = pair.sides(kind);
        let schema = Schema::of(&side.as_owner(), V2026);
        for value in &schema.types["WebhookEventType"].values {
            sort.add(&format!("`{value}`"), kind);
        }
    }
    sort
}

fn effects(pair: &Pair) -> Sort {
    let mut sort = Sort::default();
    for kind in Kind::BOTH {
        let (side, _) = pair.sides(kind);
        let reply = side.as_owner().get("/effects");
        for class in reply.json["classes"].as_array().unwrap() {
            sort.add(&format!("`{}`", class["class"].as_str().unwrap()), kind);
        }
    }
    sort
}

/// What an answer is: its status, its code, its sentence.
type Told = (u16, String, Json);

fn told(reply: &Reply) -> Told {
    (reply.status, reply.code().to_owned(), reply.json["errors"][0]["message"].clone())
}

/// What is answered just within and just above a limit.
fn at_the_limits(side: &Side) -> Vec<(&'static str, [Told; 2])> {
    let api = side.as_owner();
    let ask = |query: String| told(&api.ask(&query, json!({})));
    let nested = |levels: usize| {
        let (open, close) = ("user_group { users { ".repeat(levels), "} }".repeat(levels));
        format!("{{ currentUser {{ id {open} id {close} }} }}")
    };
    let aliases = |count: usize| {
        let fields: Vec<String> = (0..count).map(|at| format!("a{at}: __typename")).collect();
        format!("{{ {} }}", fields.join(" "))
    };
    let long = |bytes: usize| format!("{{ __typename }} #{}", "x".repeat(bytes));
    vec![
        ("depth of a document", [ask(nested(8)), ask(nested(16))]),
        ("complexity of a document", [ask(aliases(1_000)), ask(aliases(3_000))]),
        ("length of a document", [ask(long(100_000)), ask(long(300_000))]),
        ("body without a credential", [anonymous(side, 500_000), too_long(side)]),
    ]
}

fn anonymous(side: &Side, bytes: usize) -> Told {
    let body = json!({"query": "{ __typename }", "variables": {"x": "x".repeat(bytes)}});
    told(&side.server.api().post("/graphql", &body))
}

/// Its length says so; no byte of it is sent.
fn too_long(side: &Side) -> Told {
    let answer = side.server.raw(&format!(
        "POST /graphql HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\n\
         Content-Length: 2000000\r\n\r\n",
        side.server.port
    ));
    let json = answer.json();
    (answer.status, ward_tests::code(&json).to_owned(), json["errors"][0]["message"].clone())
}

/// The limits that a request meets: the same answers within and above them.
fn limits(pair: &Pair) -> Sort {
    let mut sort = Sort::default();
    let (s, p) = (at_the_limits(&pair.s), at_the_limits(&pair.p));
    for ((what, s), (_, p)) in s.iter().zip(&p) {
        assert_eq!(s, p, "{what}");
        let [within, above] = s;
        assert_eq!((within.0, &within.2), (200, &Json::Null), "{what}: within the limit");
        assert!(above.0 != 200 || !above.2.is_null(), "{what}: not refused");
        for kind in Kind::BOTH {
            sort.add(what, kind);
        }
    }
    sort
}

/// An answer while the clock stands still and something goes wrong on purpose, where that can be.
fn at_another_time(side: &Side) -> Reply {
    let api = side.as_owner();
    let latency = json!({"kind": "latency", "milliseconds": 1});
    let made = [
        api.post("/sandbox/v1/clock/freeze", &json!({})),
        api.post("/sandbox/v1/faults", &latency),
    ];
    let expected = if side.instance.kind == Kind::Sandbox { 200 } else { 404 };
    assert!(made.iter().all(|reply| reply.status == expected), "{made:?}");
    let reply = api.ask("{ currentUser { id } }", json!({}));
    api.delete("/sandbox/v1/faults");
    api.post("/sandbox/v1/clock/resume", &json!({}));
    reply
}

/// Headers of answers of all sorts, but those of HTTP's own.
fn headers(pair: &Pair) -> Sort {
    let mut sort = Sort::default();
    for kind in Kind::BOTH {
        let (side, _) = pair.sides(kind);
        let api = side.as_owner();
        let mut replies = vec![api.get("/healthz"), api.get("/graphql"), api.get("/nowhere")];
        replies.push(api.ask("{ currentUser { id } }", json!({})));
        replies.push(api.ask("{ nonsense }", json!({})));
        replies.push(api.header("X-Expect-Environment", "x").get("/graphql"));
        replies.push(at_another_time(side));
        for name in replies.iter().flat_map(|reply| reply.headers.keys()) {
            if !["content-length", "date", "connection", "transfer-encoding"]
                .contains(&name.as_str())
            {
                sort.add(name.as_str(), kind);
            }
        }
    }
    sort
}

/// Every command, and which of the kinds it is for; those that look are tried on both.
fn commands(pair: &Pair) -> Sort {
    let mut sort = Sort::default();
    let help = ward(["--help"]).ok().stdout;
    let (_, list) = help.split_once("Commands:\n").expect("a list of commands");
    let names = list.lines().take_while(|line| line.starts_with("  "));
    let names = names
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next());
    for name in names.filter(|name| *name != "help") {
        for kind in Kind::BOTH {
            if only("command", name).is_none_or(|(of, _)| of == kind) {
                sort.add(name, kind);
            }
        }
    }
    let looks: [&[&str]; 6] = [
        &["status"],
        &["doctor"],
        &["key", "list"],
        &["user", "list"],
        &["audit", "verify"],
        &["migrate", "--check"],
    ];
    for words in looks {
        let [s, p] = [&pair.s, &pair.p].map(|side| side.instance.ward(words, &[]));
        assert_eq!((s.code, p.code), (Some(0), Some(0)), "{words:?}: {s:?} {p:?}");
    }
    sort
}

fn section(page: &mut String, title: &str, of: &str, about: &str, sort: &Sort) -> usize {
    let _ =
        write!(page, "\n## {title}\n\n{about}\n\n| what | Sandbox | Production |\n|---|---|---|\n");
    let mut unsupported = 0;
    for (name, kinds) in &sort.0 {
        let cells = Kind::BOTH.map(|kind| match (kinds.contains(kind.word()), only(of, name)) {
            (true, _) => "yes".to_owned(),
            (false, Some((_, why))) => format!("by design not: {why}"),
            (false, None) => {
                unsupported += 1;
                "unsupported".to_owned()
            }
        });
        let _ = writeln!(page, "| {name} | {} | {} |", cells[0], cells[1]);
    }
    assert!(!sort.0.is_empty(), "{title}: nothing was found");
    unsupported
}

#[test]
fn gl_04_the_parity_page_is_what_both_have() {
    let pair = pair();
    let sorts = [
        (
            "Operations",
            "operation",
            "Root fields of both views, as introspection tells them.",
            operations(&pair),
        ),
        ("Events", "event", "What a webhook can be told of.", events(&pair)),
        (
            "Effects",
            "effect",
            "Classes of what reaches people: simulated in a Sandbox, sent in Production.",
            effects(&pair),
        ),
        (
            "Limits",
            "limit",
            "Limits that a request meets: the same answer within and above them. All others are in [limits.md](limits.md), one number for both.",
            limits(&pair),
        ),
        ("Headers", "header", "Of answers of all sorts.", headers(&pair)),
        (
            "Commands",
            "command",
            "Of the program `ward`, which is one for both: which kind a command is for is declared in the test that makes this page, and only those that look are run on both.",
            commands(&pair),
        ),
    ];
    let mut page = "# Parity: what a Sandbox and a Production have\n\nMade by a test from two running instances (`WARD_UPDATE=1 cargo nextest run -p ward-tests -E 'test(gl_04)'`); no line is written by hand.\nWhat only one of them has is there for what that one is for, and says so.\n".to_owned();
    let (mut unsupported, mut rows) = (0, 0);
    for (title, of, about, sort) in &sorts {
        unsupported += section(&mut page, title, of, about, sort);
        rows += sort.0.len();
    }
    let file = xtask::repository().join("docs/parity.md");
    if std::env::var_os("WARD_UPDATE").is_some() {
        std::fs::write(&file, &page).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(unsupported, 0, "{page}");
    assert!(committed == page, "docs/parity.md is not what both have; write it with WARD_UPDATE=1");
    tell("GL-04", format_args!("{rows} rows, 0 unsupported"));
}
