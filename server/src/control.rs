//! `D/control.sock`: how the command line asks a running instance to do what
//! only the holder of its lock may do. One JSON line in, one out, behind lines
//! that tell how far a long command is; the socket is open to the same
//! operating-system user only.

use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc::unbounded_channel;
use tokio::sync::watch;

use crate::admin::{self, Command, Context, Progress};
use crate::app::App;
use crate::place::ServerError;
use crate::respond::refuse;

/// The longest request line, in bytes.
const MAX_LINE: u64 = 1024 * 1024;

/// What comes back over the socket.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It is being done; more follows.
    Progress {
        /// How much is done.
        done: u64,
        /// Of how much.
        total: u64,
    },
    /// It was done.
    Done {
        /// What it answers.
        answer: serde_json::Value,
    },
    /// It was refused.
    Refused {
        /// The exit status.
        exit_code: i32,
        /// One sentence.
        sentence: String,
    },
}

/// Opens the socket, readable by this user only.
pub fn listen(dir: &Path) -> Result<UnixListener, ServerError> {
    let path = dir.join("control.sock");
    let _ = std::fs::remove_file(&path);
    let failed = |error: std::io::Error| {
        ServerError::System(format!("cannot open {}: {error}", path.display()))
    };
    let socket = UnixListener::bind(&path).map_err(failed)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    }
    Ok(socket)
}

/// Answers commands until told to stop.
pub async fn serve(app: Arc<App>, socket: UnixListener, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            accepted = socket.accept() => {
                if let Ok((stream, _)) = accepted {
                    let app = app.clone();
                    tokio::spawn(async move {
                        if let Err(error) = answer(&app, stream).await {
                            tracing::debug!(%error, "a command went away before its answer");
                        }
                    });
                }
            }
            _ = stop.changed() => return,
        }
    }
}

async fn answer(app: &Arc<App>, stream: UnixStream) -> std::io::Result<()> {
    use tokio::io::AsyncReadExt;
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    BufReader::new(read.take(MAX_LINE)).read_line(&mut line).await?;
    let (told, mut news) = unbounded_channel();
    let progress = move |done, total| drop(told.send(Outcome::Progress { done, total }));
    let app = app.clone();
    // Whoever asked may go away; what was begun is finished.
    let work = tokio::spawn(async move { outcome(&app, &line, Arc::new(progress)).await });
    while let Some(progress) = news.recv().await {
        send(&mut write, &progress).await?;
    }
    let outcome = work.await.map_err(std::io::Error::other)?;
    send(&mut write, &outcome).await
}

async fn send(write: &mut OwnedWriteHalf, outcome: &Outcome) -> std::io::Result<()> {
    let mut text = serde_json::to_string(outcome).unwrap_or_default();
    text.push('\n');
    write.write_all(text.as_bytes()).await
}

async fn outcome(app: &Arc<App>, line: &str, progress: Progress) -> Outcome {
    let context = Context::of(app).telling(progress);
    match serde_json::from_str::<Command>(line) {
        Ok(command) => match admin::run(&context, command).await {
            Ok(answer) => Outcome::Done { answer },
            Err(error) => {
                Outcome::Refused { exit_code: error.exit_code(), sentence: error.to_string() }
            }
        },
        Err(_) => Outcome::Refused {
            exit_code: ward_instance::EXIT_USAGE,
            sentence: "the running server does not know this command; is it another version?"
                .to_owned(),
        },
    }
}

/// Asks the server that holds the instance; `progress` is told how far it is.
pub async fn ask(
    dir: &Path,
    command: &Command,
    progress: Option<&Progress>,
) -> Result<serde_json::Value, ServerError> {
    let path = dir.join("control.sock");
    let failed = |error: std::io::Error| {
        ServerError::System(format!(
            "the instance is in use, and its server does not answer on {}: {error}",
            path.display()
        ))
    };
    let mut stream = UnixStream::connect(&path).await.map_err(failed)?;
    let mut line =
        serde_json::to_string(command).map_err(|error| ServerError::Usage(error.to_string()))?;
    line.push('\n');
    stream.write_all(line.as_bytes()).await.map_err(failed)?;
    let mut lines = BufReader::new(stream).lines();
    loop {
        let reply = lines.next_line().await.map_err(failed)?.unwrap_or_default();
        match serde_json::from_str(&reply) {
            Ok(Outcome::Progress { done, total }) => {
                if let Some(progress) = progress {
                    progress(done, total);
                }
            }
            Ok(Outcome::Done { answer }) => return Ok(answer),
            Ok(Outcome::Refused { exit_code, sentence }) => {
                return Err(ServerError::Told { exit_code, sentence });
            }
            Err(_) => {
                return Err(ServerError::System(
                    "the server's answer is not readable; is it another version?".to_owned(),
                ));
            }
        }
    }
}

/// Any route that there is not.
pub async fn nowhere() -> Response<Body> {
    refuse(
        StatusCode::NOT_FOUND,
        "NOT_FOUND",
        "There is nothing here. The API is at POST /graphql.",
    )
}
