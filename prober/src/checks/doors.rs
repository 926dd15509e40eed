//! The ways to each: addresses, certificates, hosts, what a caller expects, the control plane.

use std::collections::BTreeSet;

use serde_json::json;

use crate::failure::Failure;
use crate::pair::Pair;
use crate::report::Row;
use crate::side::{Side, VIEW};
use crate::text::is_plain_path;
use crate::wire::Ask;

/// ISO-53: one address and port would be one process, or one proxy that can mistake them.
pub fn addresses(pair: &Pair, row: &mut Row) -> Result<(), Failure> {
    let own: BTreeSet<_> = pair.s.door.addresses.iter().collect();
    for address in &pair.p.door.addresses {
        row.case(!own.contains(address), || {
            format!("{address} is the Sandbox's and Production's: they share a server or a proxy")
        });
    }
    Ok(())
}

/// ISO-51: one key for both would let the one answer as the other.
pub fn tls_keys(pair: &Pair, row: &mut Row) -> Result<(), Failure> {
    row.without("at least one of them is reached without TLS");
    let (s, p) = (pair.s.door.tls_key.borrow(), pair.p.door.tls_key.borrow());
    if let (Some(s), Some(p)) = (s.as_ref(), p.as_ref()) {
        row.case(s != p, || "both certificates have the same key".to_owned());
    }
    Ok(())
}

/// What a proxy may answer for a host that it does not know, before it reaches anybody.
const NO_SUCH_HOST: [u16; 3] = [400, 403, 404];

/// ISO-53. The answers are not among those that have to name their environment: a proxy
/// may refuse a foreign host, or close the connection. Beside each the own host is answered, as
/// who answers nobody refuses nothing.
pub fn host(pair: &Pair, row: &mut Row) -> Result<(), Failure> {
    for (side, other) in pair.ways() {
        let own = side.door.authority();
        let foreign = ["ehr.example.org".to_owned(), format!("{own}.example.org")];
        let others = Some(other.door.authority().to_owned()).filter(|host| host != own);
        for host in foreign.into_iter().chain(others) {
            for mut ask in [Ask::get("/readyz"), Side::question(VIEW, "{ __typename }", &json!({}))]
            {
                let at = format!("the {} answers {} {}", side.kind.title(), ask.method, ask.path);
                let control = side.ask(&ask)?.status;
                row.case(control == 200, || format!("{at} for its own host with {control}"));
                ask.host = Some(host.clone());
                // Closed without an answer is refused, too; what takes for ever or is too long is not.
                let Some(answer) = side.ask_apart(&ask)? else {
                    ask.host = None;
                    let control = side.ask(&ask)?.status;
                    row.case(control == 200, || format!("{at} no more, after the host {host}"));
                    continue;
                };
                let is_proxys = answer.header("x-environment").is_empty()
                    && NO_SUCH_HOST.contains(&answer.status);
                row.case(answer.status == 421 || is_proxys, || {
                    format!("{at} for the host {host} with {}", answer.status)
                });
            }
        }
    }
    Ok(())
}

/// ISO-23.
pub fn expectation(pair: &Pair, row: &mut Row) -> Result<(), Failure> {
    for (side, other) in pair.ways() {
        let asks = || {
            let question = Side::question(VIEW, "{ __typename }", &json!({}));
            [question, Ask::get("/readyz"), Ask::get("/set-password"), Ask::get("/files/x")]
        };
        for word in [other.kind.word(), "staging"] {
            for ask in asks() {
                let ask = ask.with("x-expect-environment", word);
                let answer = side.ask(&ask)?;
                row.case(answer.status == 421, || {
                    format!(
                        "the {} answers {} {} to who expects {word} with {}",
                        side.kind.title(),
                        ask.method,
                        ask.path,
                        answer.status
                    )
                });
            }
        }
        // The right expectation is no hindrance; without this, a server that is down would pass.
        for ask in asks().into_iter().take(2) {
            let ask = ask.with("x-expect-environment", side.kind.word());
            let answer = side.ask(&ask)?;
            row.case(answer.status == 200, || {
                format!(
                    "the {} answers {} {} to who expects {} with {}",
                    side.kind.title(),
                    ask.method,
                    ask.path,
                    side.kind.word(),
                    answer.status
                )
            });
        }
    }
    Ok(())
}

/// Paths of the control plane, beside those that the Sandbox describes.
const CONTROL: [&str; 6] = [
    "/sandbox/v1/openapi.json",
    "/sandbox/v1/inbox",
    "/sandbox/v1/clock",
    "/sandbox/v1/faults",
    "/sandbox/v1/reset",
    "/sandbox/v1/nothing-of-the-kind",
];

/// Paths that are taken from what the Sandbox describes, at most.
const PATHS_MAX: usize = 200;

/// ISO-46. With `GET` only, so that a control plane that is there after all does nothing.
pub fn control_plane(pair: &Pair, row: &mut Row) -> Result<(), Failure> {
    let (s, p) = (&pair.s, &pair.p);
    let described = s.ask(&Ask::get("/sandbox/v1/openapi.json"))?;
    let listed = described.json["paths"].as_object();
    row.case(listed.is_some_and(|paths| !paths.is_empty()), || {
        format!("the Sandbox does not describe its control plane ({})", described.status)
    });
    let mut paths: BTreeSet<String> = CONTROL.map(str::to_owned).into();
    // The Sandbox says what Production is asked for: only so much, and plain paths.
    let listed = listed.into_iter().flatten().map(|(path, _)| path);
    for path in listed.filter(|path| is_plain_path(path)).take(PATHS_MAX) {
        let path = path.split('/').map(|part| if part.starts_with('{') { "x" } else { part });
        let path = path.collect::<Vec<_>>().join("/");
        let is_whole = path.starts_with("/sandbox/");
        paths.insert(if is_whole { path } else { format!("/sandbox/v1{path}") });
    }
    let own = format!("Basic {}", p.key);
    for path in paths {
        for key in [None, Some(&own)] {
            let mut ask = Ask::get(&path);
            if let Some(key) = key {
                ask = ask.with("authorization", key.clone());
            }
            let answer = p.ask(&ask)?;
            let told = (answer.status, answer.code());
            row.case(told == (404, "SANDBOX_ONLY"), || {
                format!("Production answers {path} with {} {:?}", told.0, told.1)
            });
        }
    }
    Ok(())
}
