//! `ward-bench hostile`: what documents cost that were written to cost much (SEC-28): the CPU time of
//! each, and the memory that all of them leave behind.

use anyhow::{Result, bail};
use serde_json::json;
use tokio::net::TcpStream;

use crate::load;
use crate::setup;

/// CPU time that one may take, in milliseconds.
const CPU_MAX: f64 = 50.0;
/// Memory that they may leave behind, in MiB.
const MEMORY_MAX: f64 = 20.0;
/// The clock of CPU time ticks in hundredths of a second, so each is sent often.
const TIMES: u32 = 40;

fn documents() -> Vec<(&'static str, String)> {
    let many = |count: usize, one: &dyn Fn(usize) -> String| -> String {
        (0..count).map(one).collect::<Vec<_>>().join(" ")
    };
    let expansion =
        many(24, &|n| format!("fragment f{n} on Query {{ ...f{} ...f{} }}", n + 1, n + 1));
    let types = "{ name fields { type { ";
    vec![
        (
            "fragment cycle",
            "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }".to_owned(),
        ),
        (
            "fragment cycle of one name",
            "{ ...a } fragment a on Query { ...a } fragment a on Query { ...a }".to_owned(),
        ),
        ("10,000 aliases", format!("{{ {} }}", many(10_000, &|n| format!("a{n}: __typename")))),
        (
            "10,000 sign-ins",
            format!(
                "mutation {{ {} }}",
                many(2_000, &|n| format!("a{n}: signIn(input: {{email: \"a\"}}) {{ token }}"))
            ),
        ),
        (
            "depth 5,000",
            format!("{{ currentUser {}id{} }}", "{ dietitian ".repeat(5_000), "}".repeat(5_000)),
        ),
        ("10,000 directives", format!("{{ __typename {} }}", "@include(if: true) ".repeat(10_000))),
        (
            "exponential fragments",
            format!("{{ ...f0 }} {expansion} fragment f24 on Query {{ __typename }}"),
        ),
        (
            "list of 50,000",
            format!("{{ users(ids: [{}]) {{ nodes {{ id }} }} }}", "1,".repeat(50_000)),
        ),
        (
            "nested list",
            format!(
                "{{ users(ids: {}{}) {{ nodes {{ id }} }} }}",
                "[".repeat(50_000),
                "]".repeat(50_000)
            ),
        ),
        (
            "long text",
            format!("{{ users(keywords: \"{}\") {{ nodes {{ id }} }} }}", "a b ".repeat(60_000)),
        ),
        (
            "deep introspection",
            format!("{{ __schema {{ types {} name {} }} }}", types.repeat(8), "} } }".repeat(8)),
        ),
        (
            "2,000 variables",
            format!("query({}) {{ __typename }}", many(2_000, &|n| format!("$v{n}: String"))),
        ),
        (
            "overlapping fields",
            format!(
                "{{ {} }}",
                many(400, &|n| format!("currentUser {{ a: id ...f{} }}", n % 2))
                    + " } fragment f0 on User { a: id } fragment f1 on User { a: id"
            ),
        ),
    ]
}

/// Measures and prints; fails when one costs too much.
pub async fn run() -> Result<()> {
    let world = setup::world().await?;
    let server = world.serve()?;
    setup::ask(&server, &world.key, "{ currentUser { id } }", json!({})).await?;
    let before = server.memory_mib()?;
    let mut dear = Vec::new();
    println!("\n| document | bytes | CPU ms | answer |\n|---|---|---|---|");
    for (name, query) in documents() {
        let body = json!({"query": query}).to_string();
        let request = load::post(server.port, "/graphql", Some(&world.key), &body);
        let mut stream = TcpStream::connect(("127.0.0.1", server.port)).await?;
        let mut buffer = Vec::new();
        let cpu = server.cpu_micros()?;
        for _ in 0..TIMES {
            tokio::io::AsyncWriteExt::write_all(&mut stream, &request).await?;
            load::answer(&mut stream, &mut buffer).await?;
        }
        let millis = (server.cpu_micros()? - cpu) / f64::from(TIMES) / 1000.0;
        let text = String::from_utf8_lossy(&buffer).into_owned();
        let answer: String =
            text.rsplit("\r\n\r\n").next().unwrap_or_default().chars().take(90).collect();
        println!("| {name} | {} | {millis:.1} | `{answer}` |", body.len());
        if millis > CPU_MAX {
            dear.push(name);
        }
    }
    let growth = server.memory_mib()? - before;
    println!(
        "\nmemory {before:.1} MiB before, {growth:+.1} MiB after; dearer than {CPU_MAX} ms: {}",
        if dear.is_empty() { "none".to_owned() } else { dear.join(", ") }
    );
    match dear.is_empty() && growth <= MEMORY_MAX {
        true => Ok(()),
        false => bail!("a document costs too much"),
    }
}
