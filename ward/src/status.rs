//! `ward status`: how an instance is, whether it runs or not.

use serde_json::{Value as Json, json};
use ward_instance::State;
use ward_server::Hold;
use ward_server::admin::{self, Command, Context};

use crate::cli::Here;
use crate::connect;
use crate::failure::Done;
use crate::output::{Out, lines};

/// `ward status`.
pub async fn run(here: Here, out: Out) -> Done {
    let answer = of(&here).await?;
    out.answer(&answer, || lines(&answer));
    if answer["state"] == State::Quarantined.as_str() {
        let (kind, dir) = (here.kind, here.dir.display());
        out.say(format_args!("quarantined: administrators may read, nothing is written or sent; to end it: ward attest --kind {kind} --dir {dir} --reason TEXT"));
    }
    Ok(())
}

/// The server's own words where one runs, else what the files say.
async fn of(here: &Here) -> Done<Json> {
    let opened = match connect::open(here, Hold::Exclusive, "status").await {
        Err(error) if connect::is_busy(&error) => {
            if let Some(answer) = connect::ask(&here.dir, &Command::Status).await? {
                return Ok(answer);
            }
            connect::open(here, Hold::Beside, "status").await?
        }
        other => other?,
    };
    let status = admin::run(&Context::held(&opened), Command::Status).await;
    let state = opened.certificate.state;
    let held = opened.lock.is_some();
    connect::close(opened).await?;
    let mut answer = status?;
    if state == State::Quarantined {
        answer["state"] = json!(state.as_str());
    } else if !held {
        answer["state"] = json!("busy");
    }
    Ok(answer)
}
