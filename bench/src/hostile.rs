//! `ward-bench hostile`: what documents cost that were written to cost much (SEC-28): the CPU time of
//! each, and the memory that all of them leave behind.

use anyhow::{Result, bail};
use serde_json::{Value as Json, json};
use tokio::net::TcpStream;

use crate::load;
use crate::process::Server;
use crate::setup::{self, World};

/// CPU time that one may take, in milliseconds.
const CPU_MAX: f64 = 50.0;
/// Memory of Ward's own that they may leave behind, in MiB.
const HELD_MAX: f64 = 20.0;
/// The same with freed pages that the allocator keeps for what comes next. It hands them back after
/// a second in which they were not used, when something is freed then, so much of it stays while
/// nothing happens: about what the dearest answer took, one thread's beside another's. Sooner
/// would be a fifth more CPU time for what is dear (measured with 10 ms in place of a second).
const KEPT_MAX: f64 = 48.0;
/// How many times all are sent, and what the last round may add to the first, in MiB: more would be
/// a leak, or a cache without bound.
const ROUNDS: usize = 4;
const MORE_MAX: f64 = 8.0;
/// The clock of CPU time ticks in hundredths of a second, so each is sent often.
const TIMES: u32 = 40;

/// What has to become of a document, else it measures something else than it says.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    /// It is executed: there is data.
    Executed,
    /// It is a good document, and beyond a limit.
    Bounded,
    /// It is no good document, which is its point.
    Invalid,
}

/// What the refusals by a limit say; whatever else has no data is a bad document.
const LIMITS: [&str; 4] = ["limit", "at most", "more than", "too much"];

impl Fate {
    /// What became of it, out of the answer.
    fn of(answer: &Json) -> Self {
        let text = answer["errors"][0]["message"].as_str().unwrap_or_default().to_lowercase();
        match answer["data"].is_object() {
            true => Fate::Executed,
            false if LIMITS.iter().any(|word| text.contains(word)) => Fate::Bounded,
            false => Fate::Invalid,
        }
    }
}

/// The schema's types, and so many times the types of their fields.
fn introspection(depth: usize) -> String {
    let (open, close) = ("fields { type { name ".repeat(depth), "} } ".repeat(depth));
    format!("{{ __schema {{ types {{ name {open}{close}}} }} }}")
}

fn documents() -> Vec<(&'static str, Fate, String)> {
    let many = |count: usize, one: &dyn Fn(usize) -> String| -> String {
        (0..count).map(one).collect::<Vec<_>>().join(" ")
    };
    let expansion =
        many(24, &|n| format!("fragment f{n} on Query {{ ...f{} ...f{} }}", n + 1, n + 1));
    use Fate::{Bounded, Executed, Invalid};
    vec![
        (
            "fragment cycle",
            Invalid,
            "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }".to_owned(),
        ),
        (
            "fragment cycle of one name",
            Invalid,
            "{ ...a } fragment a on Query { ...a } fragment a on Query { ...a }".to_owned(),
        ),
        (
            "10,000 aliases",
            Bounded,
            format!("{{ {} }}", many(10_000, &|n| format!("a{n}: __typename"))),
        ),
        (
            "2,000 sign-ins",
            Bounded,
            format!(
                "mutation {{ {} }}",
                many(2_000, &|n| format!("a{n}: signIn(input: {{email: \"a\"}}) {{ token }}"))
            ),
        ),
        (
            "depth 5,000",
            Bounded,
            format!("{{ currentUser {}id{} }}", "{ dietitian ".repeat(5_000), "}".repeat(5_000)),
        ),
        (
            "10,000 directives",
            Bounded,
            format!("{{ __typename {} }}", "@include(if: true) ".repeat(10_000)),
        ),
        (
            "exponential fragments",
            Bounded,
            format!("{{ ...f0 }} {expansion} fragment f24 on Query {{ __typename }}"),
        ),
        (
            "list of 50,000",
            Bounded,
            format!("{{ users(ids: [{}]) {{ id }} }}", "1,".repeat(50_000)),
        ),
        (
            "nested list",
            Bounded,
            format!("{{ users(ids: {}{}) {{ id }} }}", "[".repeat(50_000), "]".repeat(50_000)),
        ),
        (
            "long text",
            Executed,
            format!("{{ users(keywords: \"{}\") {{ id }} }}", "a b ".repeat(60_000)),
        ),
        ("introspection", Executed, introspection(2)),
        ("deep introspection", Bounded, introspection(8)),
        (
            "2,000 variables",
            Bounded,
            format!("query({}) {{ __typename }}", many(2_000, &|n| format!("$v{n}: String"))),
        ),
        (
            "overlapping fields",
            Executed,
            format!(
                "{{ {} }}",
                many(400, &|n| format!("currentUser {{ a: id ...f{} }}", n % 2))
                    + " } fragment f0 on User { a: id } fragment f1 on User { a: id"
            ),
        ),
    ]
}

/// Measures and prints; fails when one costs too much, or all of them leave too much behind.
pub async fn run() -> Result<()> {
    let world = setup::world().await?;
    let (ready, dear, kept) = sent(&world, world.serve()?, true).await?;
    println!("\nready with {ready:.1} MiB; dearer than {CPU_MAX} ms: {}", dear.join(", "));
    println!("with the allocator's pages, after each of {ROUNDS} rounds: {}", told(&kept));
    // The allocator hands freed pages back at once: what is left then is held by Ward.
    let server = world.serve_in(("MIMALLOC_PURGE_DELAY", "0"))?;
    let (_, _, held) = sent(&world, server, false).await?;
    println!("held by Ward itself (≤ {HELD_MAX} MiB): {}", told(&held));
    let (first, last) = (kept[0], kept[ROUNDS - 1]);
    let is_bounded = last <= KEPT_MAX && last - first <= MORE_MAX && held[ROUNDS - 1] <= HELD_MAX;
    match dear.is_empty() && is_bounded {
        true => Ok(()),
        false => bail!("the documents cost too much"),
    }
}

fn told(mib: &[f64]) -> String {
    let each: Vec<String> = mib.iter().map(|mib| format!("{mib:+.1} MiB")).collect();
    each.join(", ")
}

/// Sends all, round after round: the memory before, what was dear, how much more memory there is
/// after each round.
async fn sent(
    world: &World,
    server: Server,
    is_told: bool,
) -> Result<(f64, Vec<&'static str>, Vec<f64>)> {
    setup::ask(&server, &world.key, "{ currentUser { id } }", json!({})).await?;
    let before = server.memory_mib()?;
    let (mut dear, mut more) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let is_told = is_told && round == 0;
        if is_told {
            println!("\n| document | bytes | CPU ms | fate | answer |\n|---|---|---|---|---|");
        }
        for (name, wanted, query) in documents() {
            let body = json!({"query": query}).to_string();
            let (millis, text) = send(&server, &world.key, &body).await?;
            let fate = Fate::of(&serde_json::from_str(&text).unwrap_or_default());
            let answer: String = text.chars().take(300).collect();
            if fate != wanted {
                bail!("\"{name}\" measures nothing: {fate:?} instead of {wanted:?}: {answer}");
            }
            if is_told {
                let answer: String = answer.chars().take(90).collect();
                println!("| {name} | {} | {millis:.1} | {fate:?} | `{answer}` |", body.len());
            }
            if round == 0 && millis > CPU_MAX {
                dear.push(name);
            }
        }
        more.push(server.memory_mib()? - before);
    }
    Ok((before, dear, more))
}

/// Sends one often: milliseconds of CPU time for each, and the last answer.
async fn send(server: &Server, key: &str, body: &str) -> Result<(f64, String)> {
    let request = load::post(server.port, "/graphql", Some(key), body);
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).await?;
    let mut buffer = Vec::new();
    let cpu = server.cpu_micros()?;
    for _ in 0..TIMES {
        tokio::io::AsyncWriteExt::write_all(&mut stream, &request).await?;
        load::answer(&mut stream, &mut buffer).await?;
    }
    let millis = (server.cpu_micros()? - cpu) / f64::from(TIMES) / 1000.0;
    let text = String::from_utf8_lossy(&buffer);
    let text = text.split_once("\r\n\r\n").map_or(text.as_ref(), |(_, body)| body);
    Ok((millis, text.to_owned()))
}
