//! `ward sandbox maker`: makes the Sandbox of a run and fills it, in a process that ends with that.
//! What this takes of memory, a third of all, is given back with the process; the run only serves.

use std::path::Path;
use std::process::Stdio;

use serde::{Deserialize, Serialize};
use tokio::process::Command;
use ward_instance::Kind;
use ward_instance::config::is_variable;
use ward_server::passing::{self, Keys};

use super::{ground, kin};
use crate::cli::{MakerArgs, Wanted};
use crate::failure::{Done, Failure};
use crate::output::Out;
use crate::{connect, logging};

/// Variables that say how the Sandbox behaves; others belong to an instance that lasts.
const TAKEN: [&str; 9] = [
    "TRIPWIRE_STRICT",
    "SIGN_UP",
    "RATE_LIMIT",
    "SOCKETS_OF_PERSON",
    "ALLOW_LOOPBACK_WEBHOOKS",
    "ALLOW_PRIVATE_WEBHOOKS",
    "SUNSET",
    "CLOCK_IDLE_HOURS",
    "LOG_LEVEL",
];

/// What the maker says, in one line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Made {
    /// The Sandbox is there, with these keys: the owner's and the integration's.
    Keys(String, String),
    /// It is not: the status and the sentence.
    Failed(i32, String),
}

/// `ward sandbox maker`.
pub async fn run(args: MakerArgs, out: Out) -> Done {
    // Somebody else's directory, or the run is gone and another has cleared it away.
    if !kin::die_with(args.parent) || !ground::is_of_a_run(&args.dir) {
        return Ok(());
    }
    let made = match make(&args).await {
        Ok(keys) => Made::Keys(keys.owner, keys.integration),
        Err(failure) => Made::Failed(failure.code, failure.sentence),
    };
    let made = serde_json::to_value(&made).map_err(|error| Failure::said_no(error.to_string()))?;
    out.answer(&made, || made.to_string());
    Ok(())
}

async fn make(args: &MakerArgs) -> Done<Keys> {
    let opened = passing::make(&args.dir, &args.base_url, &variables()).await?;
    logging::start(None, opened.config.log_level.as_deref().or(Some("error")))?;
    let keys = passing::furnish(&opened, args.pack, args.seed).await?;
    connect::close(opened).await?;
    Ok(keys)
}

/// Has the Sandbox made in a run's directory, to be reached at an address; its keys.
pub async fn made(dir: &Path, base_url: &str, wanted: &Wanted) -> Done<Keys> {
    let failed =
        |error: std::io::Error| Failure::unavailable(format!("the Sandbox can't be made: {error}"));
    let mut command = Command::new(std::env::current_exe().map_err(failed)?);
    command.args(["sandbox", "maker", "--dir"]).arg(dir).args(["--base-url", base_url]);
    command.args(["--seed", &wanted.seed.to_string(), "--pack", wanted.pack.as_str()]);
    command.args(["--parent", &std::process::id().to_string()]);
    // A group of its own: what ends the run's is told by the run. What it logs is the run's to say.
    command.process_group(0).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let maker = command.spawn().map_err(failed)?;
    let ended = maker.wait_with_output().await.map_err(failed)?;
    match serde_json::from_slice(&ended.stdout) {
        Ok(Made::Keys(owner, integration)) => Ok(Keys { owner, integration }),
        Ok(Made::Failed(code, sentence)) => Err(Failure { code, sentence }),
        // It has said why.
        Err(_) if ended.status.code() == Some(Failure::INTERNAL.into()) => {
            Err(Failure { code: Failure::INTERNAL.into(), sentence: String::new() })
        }
        Err(_) => Err(Failure::unavailable(format!(
            "what makes the Sandbox ended before it was made ({})",
            ended.status
        ))),
    }
}

/// Of this process's variables those that a passing Sandbox takes, and those that no Sandbox takes, by
/// which it is refused: of the other kind, and of names that no key has. What is meant for an instance
/// that lasts, such as a database's address, is left out.
pub fn variables() -> Vec<(String, String)> {
    connect::env().into_iter().filter(|(name, value)| is_taken(name, value)).collect()
}

fn is_taken(name: &str, value: &str) -> bool {
    if name.starts_with(Kind::Production.variable_prefix()) {
        return true;
    }
    let Some(key) = name.strip_prefix(Kind::Sandbox.variable_prefix()) else { return false };
    // What `database_env` names may be called anything.
    let is_database = ["postgres://", "postgresql://"].iter().any(|it| value.starts_with(it));
    TAKEN.contains(&key) || (!is_variable(Kind::Sandbox, name) && !is_database)
}

/// Whether these variables say that what is probably a real person's is refused, too.
pub fn is_strict(variables: &[(String, String)]) -> bool {
    let name = format!("{}TRIPWIRE_STRICT", Kind::Sandbox.variable_prefix());
    variables.iter().any(|(known, value)| *known == name && value == "true")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lasts_is_left_out_and_what_is_unknown_is_not() {
        for (name, value, expected) in [
            ("WARD_SANDBOX_TRIPWIRE_STRICT", "true", true),
            ("WARD_SANDBOX_NOPE", "x", true),
            ("WARD_SANDBOX_SMTP_HOST", "mail.example", true),
            ("WARD_PRODUCTION_LISTEN", "127.0.0.1:1", true),
            ("WARD_SANDBOX_LISTEN", "127.0.0.1:1", false),
            ("WARD_SANDBOX_DATABASE_ENV", "WARD_SANDBOX_DB", false),
            ("WARD_SANDBOX_DB", "postgres://db.example/ward", false),
            ("WARD_URL", "http://127.0.0.1:1", false),
            ("PATH", "/bin", false),
        ] {
            assert_eq!(is_taken(name, value), expected, "{name}");
        }
        assert!(TAKEN.iter().all(|key| is_variable(Kind::Sandbox, &format!("WARD_SANDBOX_{key}"))));
    }
}
