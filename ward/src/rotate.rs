//! `ward key rotate-root`: a new root key for an instance that works meanwhile.

use std::time::Duration;

use serde_json::Value as Json;
use ward_server::admin::Command;
use ward_server::rotator;

use crate::cli::Here;
use crate::connect;
use crate::failure::{Done, Failure};
use crate::output::{Out, plain};

/// How often the server is asked how far it is.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// `ward key rotate-root`.
pub async fn run(here: &Here, leave_damaged: bool, no_wait: bool, out: Out) -> Done {
    let bar = out.progress("rotating the root key");
    let mut told = connect::write(here, Command::KeyRotateRoot { leave_damaged }).await?;
    while told["state"] == "running" && !no_wait {
        tokio::time::sleep(LOOK_AGAIN).await;
        told = connect::ask(&here.dir, &Command::Rotation).await?.ok_or_else(stopped)?;
        bar.set_message(format!("rotating the root key: {}", far(&told)));
    }
    bar.finish_and_clear();
    out.answer(&told, || human(&told));
    match told["state"].as_str().unwrap_or_default() {
        "done" => {
            out.say("sessions, one-time links, mailed codes, file links and cursors of the old root have ended; API keys and passwords go on");
            out.say("backups made before need the root.key of their time (ward restore --old-key FILE): keep a copy of it where the present one is kept, and never beside the backups");
            Ok(())
        }
        "running" => Ok(()),
        "damaged" => Err(Failure::said_no(format!(
            "these values do not open with the old root key, so it is kept: {}; find out what happened to them, then drop it with --leave-damaged",
            plain(&told["damaged"])
        ))),
        "not_alone" => Err(rotator::not_alone().into()),
        _ => Err(Failure::unavailable(format!(
            "the rotation could not go on: {}; it is tried again while the server runs, or run this again",
            plain(&told["error"])
        ))),
    }
}

fn stopped() -> Failure {
    Failure::unavailable(
        "the server stopped before the root key was rotated; it goes on at its next start, or run this again",
    )
}

fn far(told: &Json) -> String {
    let (phase, table) = (plain(&told["phase"]), plain(&told["table"]));
    format!("{phase} {table}, {} values", plain(&told["changed"]))
}

fn human(told: &Json) -> String {
    let (root, old) = (plain(&told["root"]), plain(&told["old_roots"]));
    match told["state"].as_str().unwrap_or_default() {
        "done" => format!(
            "root key {root} is the only one; {} values were sealed or signed anew, and root key {old} opens nothing any more",
            plain(&told["changed"])
        ),
        "running" => format!("root key {root} is taken; ward status tells how far it is"),
        state => format!("{state}: root key {root} is the current one, {old} is still there"),
    }
}
