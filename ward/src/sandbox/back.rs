//! `ward sandbox snapshot` and `ward sandbox restore`.

use serde_json::{Value as Json, json};
use ward_server::admin::Command;

use crate::cli::{SnapshotArgs, Which};
use crate::connect;
use crate::failure::Done;
use crate::http::{Api, escaped};
use crate::output::{BOLD, DIM, Out, PLAIN, plain};

use super::{here, shown};

const PATH: &str = "/sandbox/v1/snapshots";

/// `ward sandbox snapshot`.
pub async fn snapshot(args: &SnapshotArgs, out: Out) -> Done {
    let Some(name) = &args.name else {
        let all = match &args.which.dir {
            Some(dir) => connect::read(&here(dir), Command::SandboxSnapshots).await?,
            None => Api::sandbox(&args.which.there)?.get(PATH)?.sandbox()?,
        };
        out.answer(&all, || listed(&all["snapshots"]));
        return Ok(());
    };
    let name = name.clone();
    let answer = match (&args.which.dir, args.delete) {
        (Some(dir), true) => {
            connect::write(&here(dir), Command::SandboxSnapshotDelete { name }).await?
        }
        (Some(dir), false) => connect::write(&here(dir), Command::SandboxSnapshot { name }).await?,
        (None, true) => {
            let api = Api::sandbox(&args.which.there)?;
            api.delete(&format!("{PATH}/{}", escaped(&name)))?.sandbox()?
        }
        (None, false) => {
            Api::sandbox(&args.which.there)?.post(PATH, &json!({"name": name}))?.sandbox()?
        }
    };
    shown(out, &answer);
    Ok(())
}

/// `ward sandbox restore`.
pub async fn restore(name: &str, which: &Which, out: Out) -> Done {
    let answer = match &which.dir {
        Some(dir) => {
            connect::write(&here(dir), Command::SandboxRestore { name: name.to_owned() }).await?
        }
        None => {
            let api = Api::sandbox(&which.there)?;
            api.post(&format!("{PATH}/{}/restore", escaped(name)), &json!({}))?.sandbox()?
        }
    };
    shown(out, &answer);
    for (what, sentence) in [
        ("deliveries_given_up", "webhooks that may have been sent since are not sent again"),
        ("deliveries_under_way", "webhooks were under way: they may arrive, and nothing tells"),
    ] {
        if let Some(count @ 1..) = answer[what].as_i64() {
            out.say(format_args!("{count} {sentence}"));
        }
    }
    Ok(())
}

fn listed(snapshots: &Json) -> String {
    let all = snapshots.as_array().map(Vec::as_slice).unwrap_or_default();
    if all.is_empty() {
        return "there is no snapshot".to_owned();
    }
    let line = |it: &Json| {
        let [name, at, now] = ["name", "taken_at", "now"].map(|key| plain(&it[key]));
        let is_old = it["restorable"] == false;
        let old =
            if is_old { ", of another version or root key: it can't be restored" } else { "" };
        format!("{BOLD}{name}{PLAIN} taken {at} {DIM}the clock showed {now}{old}{PLAIN}")
    };
    all.iter().map(line).collect::<Vec<_>>().join("\n")
}
