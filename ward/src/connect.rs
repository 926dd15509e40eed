//! How a command reaches an instance's files: it takes the lock; where a
//! server has it, reading commands look beside it and writing ones ask it.

use std::path::Path;

use serde_json::Value as Json;
use ward_instance::{InstanceError, State};
use ward_server::admin::{self, Command, Context, Progress};
use ward_server::{Hold, Opened, ServerError, control};
use ward_store::chain_heads::write_heads;
use ward_store::{Engine, Tx};

use crate::cli::Here;
use crate::failure::{Done, Failure};

/// This process's variables that are text.
pub fn env() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Opens an instance.
pub async fn open(here: &Here, hold: Hold, what: &str) -> Result<Opened, ServerError> {
    ward_server::open(&here.dir, here.kind, hold, what, &env()).await
}

/// Opens an instance to read: holding it, or beside whoever holds it.
pub async fn look(here: &Here, what: &str) -> Done<Opened> {
    match open(here, Hold::Exclusive, what).await {
        Err(error) if is_busy(&error) => Ok(open(here, Hold::Beside, what).await?),
        other => Ok(other?),
    }
}

/// Leaves an instance as a clean stop: entries numbered, chain heads written.
pub async fn close(mut opened: Opened) -> Done {
    if let Some(lock) = opened.lock.take() {
        if opened.db.engine() == Engine::Pg {
            opened.db.write(|tx: &mut Tx| Box::pin(ward_store::sequencer::number(tx))).await?;
        }
        write_heads(&opened.db, &opened.dir.join("chain.heads")).await?;
        opened.db.shutdown().await;
        lock.stop_cleanly()?;
    } else {
        opened.db.shutdown().await;
    }
    Ok(())
}

/// Does something that reads.
pub async fn read(here: &Here, command: Command) -> Done<Json> {
    match open(here, Hold::Exclusive, "command line").await {
        Ok(opened) => here_and_now(opened, command, None).await,
        Err(error) if is_busy(&error) => {
            if let Some(answer) = ask(&here.dir, &command).await? {
                return Ok(answer);
            }
            let opened = open(here, Hold::Beside, "command line").await?;
            here_and_now(opened, command, None).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Does something that writes.
pub async fn write(here: &Here, command: Command) -> Done<Json> {
    write_telling(here, command, None).await
}

/// The same; `progress` is told how far it is.
pub async fn write_telling(
    here: &Here,
    command: Command,
    progress: Option<Progress>,
) -> Done<Json> {
    match open(here, Hold::Exclusive, "command line").await {
        Ok(opened) => {
            refuse_quarantine(&opened, &command)?;
            here_and_now(opened, command, progress).await
        }
        Err(error) if is_busy(&error) => {
            let answer = ask_telling(&here.dir, &command, progress.as_ref()).await?;
            answer.ok_or_else(|| Failure::busy(error.to_string()))
        }
        Err(error) => Err(error.into()),
    }
}

async fn here_and_now(opened: Opened, command: Command, progress: Option<Progress>) -> Done<Json> {
    let context = Context { progress, ..Context::held(&opened) };
    let done = admin::run(&context, command).await;
    drop(context);
    close(opened).await?;
    Ok(done?)
}

/// A quarantined instance takes nothing but what ends that.
fn refuse_quarantine(opened: &Opened, command: &Command) -> Done {
    if opened.certificate.state == State::Quarantined && !matches!(command, Command::Attest { .. })
    {
        return Err(Failure::refused(quarantined(opened)));
    }
    Ok(())
}

/// What there is to say about a quarantined instance.
pub fn quarantined(opened: &Opened) -> String {
    format!(
        "this {} is quarantined: its files were moved, copied or restored, so administrators may read and nothing is written or sent; \
         when it is meant to be here, say so: ward attest --kind {} --dir {} --reason TEXT",
        opened.instance.kind().title(),
        opened.instance.kind(),
        opened.dir.display()
    )
}

/// Whether another process holds the instance.
pub fn is_busy(error: &ServerError) -> bool {
    matches!(error, ServerError::Instance(InstanceError::Busy(_)))
}

/// What the server that holds the instance answers; none when the holder is no
/// server, or does not answer.
pub async fn ask(dir: &Path, command: &Command) -> Done<Option<Json>> {
    ask_telling(dir, command, None).await
}

async fn ask_telling(
    dir: &Path,
    command: &Command,
    progress: Option<&Progress>,
) -> Done<Option<Json>> {
    match control::ask(dir, command, progress).await {
        Ok(answer) => Ok(Some(answer)),
        Err(ServerError::System(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
