//! `ward sandbox fork`.

use serde_json::{Value as Json, json};
use ward_server::admin::Command;

use crate::cli::ForkArgs;
use crate::connect;
use crate::failure::Done;
use crate::http::{Api, escaped};
use crate::output::{BOLD, DIM, Out, PLAIN, plain};

use super::{here, shown};

const PATH: &str = "/sandbox/v1/forks";

/// `ward sandbox fork`.
pub async fn fork(args: &ForkArgs, out: Out) -> Done {
    let answer = match &args.which.dir {
        Some(dir) => connect::write(&here(dir), command(args)).await?,
        None => there(args)?,
    };
    match args.list {
        true => out.answer(&answer, || listed(&answer["forks"])),
        false => shown(out, &answer),
    }
    Ok(())
}

fn command(args: &ForkArgs) -> Command {
    if args.list {
        Command::SandboxForks
    } else if args.end_all || args.end.is_some() {
        Command::SandboxForkEnd { id: args.end.clone() }
    } else {
        Command::SandboxFork { ttl: args.ttl.clone() }
    }
}

fn there(args: &ForkArgs) -> Done<Json> {
    let api = Api::sandbox(&args.which.there)?;
    let answer = if args.list {
        api.get(PATH)?
    } else if args.end_all {
        api.delete(PATH)?
    } else if let Some(id) = &args.end {
        api.delete(&format!("{PATH}/{}", escaped(id)))?
    } else {
        let asked = args.ttl.as_ref().map_or_else(|| json!({}), |ttl| json!({"ttl": ttl}));
        api.post(PATH, &asked)?
    };
    answer.sandbox()
}

fn listed(forks: &Json) -> String {
    let all = forks.as_array().map(Vec::as_slice).unwrap_or_default();
    if all.is_empty() {
        return "there is no fork".to_owned();
    }
    let line = |it: &Json| {
        let [id, url, until] = ["id", "url", "expires_at"].map(|key| plain(&it[key]));
        format!("{BOLD}{url}{PLAIN} until {until} {DIM}{id}{PLAIN}")
    };
    all.iter().map(line).collect::<Vec<_>>().join("\n")
}
