//! `ward-bench enumeration`: whether the time or the text of a refused sign-in tells which
//! addresses have an account (SEC-14). Every address is tried once, in turn with the others, from an
//! address of its own, so that the brake on guessing does not show.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::{Value as Json, json};
use tokio::net::TcpStream;

use crate::load;
use crate::process::Server;
use crate::setup::{self, World};

/// Sign-ins of each class, unless the command line says otherwise.
pub const SAMPLES: usize = 200;
/// How far the medians of two classes may be apart, as a share.
const GAP_MAX: f64 = 0.05;
/// Below this probability, two classes are told apart.
const LIKELY: f64 = 0.01;
const PASSWORD: &str = "amber-orchard-58-lantern";

const CLASSES: [&str; 5] =
    ["unknown", "without a password", "wrong password", "archived", "other namespace"];

/// What was seen of one class.
struct Seen {
    millis: Vec<f64>,
    bodies: BTreeSet<String>,
}

/// Measures and prints; fails when a class stands out.
pub async fn run(samples: usize) -> Result<()> {
    let world = setup::world().await?;
    let mut command = Command::new(&world.ward);
    command
        .args(["serve", "--kind", "sandbox", "--listen", "127.0.0.1:0", "--rate-limit", "0"])
        .args(["--trusted-proxy", "127.0.0.1/32", "--dir"])
        .arg(world.dir());
    let server = Server::start(command.stderr(Stdio::null()))?;
    people(&world, &server, samples).await?;
    let mut seen: Vec<Seen> =
        CLASSES.iter().map(|_| Seen { millis: Vec::new(), bodies: BTreeSet::new() }).collect();
    // One round more at first, which warms everything and is not counted.
    for round in 0..=samples {
        for (class, seen) in seen.iter_mut().enumerate() {
            let number = round.min(samples - 1);
            let (millis, body) =
                guess(&server, class, number, round * CLASSES.len() + class).await?;
            if round > 0 {
                seen.millis.push(millis);
                seen.bodies.insert(body);
            }
        }
    }
    report(&seen)
}

async fn people(world: &World, server: &Server, samples: usize) -> Result<()> {
    for (class, word) in [(1, "bare"), (2, "known"), (3, "gone")] {
        for number in 0..samples {
            let email = address(class, number);
            let create = "mutation($input: createClientInput) { createClient(input: $input) { user { id } messages { message } } }";
            let input = json!({"first_name": word, "last_name": format!("N{number}"), "email": email, "dont_send_welcome": true});
            let made = setup::ask(server, &world.key, create, json!({"input": input})).await?;
            if class == 1 {
                continue;
            }
            let id = &made["data"]["createClient"]["user"]["id"];
            let update = "mutation($input: updateClientInput!) { updateClient(input: $input) { user { id } messages { message } } }";
            let input = json!({"id": id, "password": PASSWORD, "active": class == 2});
            let changed = setup::ask(server, &world.key, update, json!({"input": input})).await?;
            if changed["data"]["updateClient"]["user"].is_null() {
                bail!("{changed}");
            }
        }
    }
    Ok(())
}

fn address(class: usize, number: usize) -> String {
    // The last class tries addresses that exist, in a namespace where they do not.
    let class = if class == 4 { 2 } else { class };
    format!("c{class}n{number}@people.example")
}

async fn guess(server: &Server, class: usize, number: usize, from: usize) -> Result<(f64, String)> {
    let namespace = if class == 4 { "elsewhere" } else { "healthie" };
    let input: Json = json!({"email": address(class, number), "password": "wrong-guess-11-umbrella", "namespace": namespace});
    let query = "mutation($input: signInInput) { signIn(input: $input) { token user { id } messages { field message } } }";
    let body = json!({"query": query, "variables": {"input": input}}).to_string();
    let request = format!(
        "POST /graphql HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nX-Forwarded-For: 10.{}.{}.{}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        server.port,
        from / 65_536,
        from / 256 % 256,
        from % 256,
        body.len()
    );
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).await?;
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    let sent = Instant::now();
    tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes()).await?;
    load::answer(&mut stream, &mut buffer).await?;
    let millis = sent.elapsed().as_secs_f64() * 1000.0;
    let text = String::from_utf8_lossy(&buffer).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").context("an answer")?;
    let status = head.split(' ').nth(1).unwrap_or_default();
    Ok((millis, format!("{status} {body}")))
}

fn report(seen: &[Seen]) -> Result<()> {
    let bodies: BTreeSet<&String> = seen.iter().flat_map(|seen| &seen.bodies).collect();
    println!("\n| sign-in | n | median ms | against unknown | p |\n|---|---|---|---|---|");
    let unknown = &seen[0].millis;
    let mut apart = Vec::new();
    for (name, seen) in CLASSES.iter().zip(seen) {
        let gap = median(&seen.millis) / median(unknown) - 1.0;
        let p = rank_sum(unknown, &seen.millis);
        println!(
            "| {name} | {} | {:.1} | {:+.1} % | {p:.3} |",
            seen.millis.len(),
            median(&seen.millis),
            gap * 100.0
        );
        if gap.abs() > GAP_MAX || p < LIKELY {
            apart.push(*name);
        }
    }
    println!(
        "\n{} different answers (1 wanted); told apart by time: {}",
        bodies.len(),
        if apart.is_empty() { "none".to_owned() } else { apart.join(", ") }
    );
    match bodies.len() == 1 && apart.is_empty() {
        true => Ok(()),
        false => bail!("a refused sign-in tells something: {bodies:?}"),
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

/// The two-sided probability of Mann and Whitney's test that two samples which are alike differ as
/// much as these, by the normal approximation; ties get their middle rank.
fn rank_sum(a: &[f64], b: &[f64]) -> f64 {
    let mut all: Vec<(f64, bool)> =
        a.iter().map(|x| (*x, true)).chain(b.iter().map(|x| (*x, false))).collect();
    all.sort_by(|x, y| x.0.total_cmp(&y.0));
    let mut ranks = 0.0;
    let mut at = 0;
    while at < all.len() {
        let end = all[at..].iter().take_while(|it| it.0 == all[at].0).count() + at;
        let middle = (at + 1 + end) as f64 / 2.0;
        ranks += all[at..end].iter().filter(|it| it.1).count() as f64 * middle;
        at = end;
    }
    let (n, m) = (a.len() as f64, b.len() as f64);
    let u = ranks - n * (n + 1.0) / 2.0;
    let z = (u - n * m / 2.0) / (n * m * (n + m + 1.0) / 12.0).sqrt();
    erfc(z.abs() / std::f64::consts::SQRT_2)
}

/// Abramowitz and Stegun 7.1.26; to seven digits.
fn erfc(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let poly = t
        * (0.254_829_592
            + t * (-0.284_496_736
                + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429))));
    poly * (-x * x).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_that_differ_are_told_apart_and_equal_ones_are_not() {
        let one: Vec<f64> = (0..200).map(|n| f64::from(n * 37 % 101)).collect();
        let same: Vec<f64> = (0..200).map(|n| f64::from(n * 53 % 101)).collect();
        let slower: Vec<f64> = one.iter().map(|x| x + 15.0).collect();
        assert!(rank_sum(&one, &same) > 0.05);
        assert!(rank_sum(&one, &slower) < 0.001);
        assert!((rank_sum(&one, &one) - 1.0).abs() < 0.01);
    }
}
