//! `D/control.sock`: how the command line asks a running instance to do what
//! only the holder of its lock may do. The server greets, then one line in, one
//! out, behind lines that tell how far a long command is; the socket is open to
//! the same operating-system user only.
//!
//! That user may have other instances, and the path may lead to one of theirs:
//! both sides believe only what the root key of their instance has signed, for
//! this exchange ([`ward_instance::control`], ISO-02).

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc::unbounded_channel;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use ward_instance::control::{Answering, Asking, Greeter};
use ward_instance::{IsoError, Random, RootRing};

use crate::admin::{self, Command, Context, Progress};
use crate::app::App;
use crate::place::ServerError;
use crate::respond::refuse;

/// The longest request line, in bytes.
const MAX_LINE: u64 = 1024 * 1024;
/// The greeting, and the command after it, have to be here within this time.
const HEAD_TIME: Duration = Duration::from_secs(30);
/// Commands and callers at once; more wait until one ends.
const CONNECTIONS: usize = 64;
/// After a connection could not be taken.
const ACCEPT_AGAIN: Duration = Duration::from_millis(20);
/// What is said to a command of nobody known; it proves nothing, and is no answer.
const NOT_YOURS: &str = r#"{"refused":"the command is not signed with this instance's root key"}"#;

/// What is to be done about a socket that leads elsewhere.
const ANEW: &str = "remove it, stop this instance's server and start it anew";

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
    let connections = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let room = connections.clone().acquire_owned();
        let accepted = async {
            let room = room.await;
            (socket.accept().await, room)
        };
        tokio::select! {
            (accepted, room) = accepted => {
                let (Ok((stream, _)), Ok(room)) = (accepted, room) else {
                    // Out of file descriptors, for instance: it won't be better at once.
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                    continue;
                };
                let app = app.clone();
                tokio::spawn(async move {
                    if let Err(error) = answer(&app, stream).await {
                        tracing::debug!(%error, "a command went away before its answer");
                    }
                    drop(room);
                });
            }
            _ = stop.changed() => return,
        }
    }
}

async fn answer(app: &Arc<App>, stream: UnixStream) -> std::io::Result<()> {
    use tokio::io::AsyncReadExt;
    let process = stream.peer_cred().ok().and_then(|peer| peer.pid()).unwrap_or_default();
    let (read, mut write) = stream.into_split();
    let greeter = Greeter::new(app.instance.random());
    say(&mut write, greeter.line()).await?;
    let mut line = String::new();
    let mut read = BufReader::new(read.take(MAX_LINE));
    timeout(HEAD_TIME, read.read_line(&mut line)).await??;
    if line.is_empty() {
        return Ok(());
    }
    let taken = greeter.take(&app.instance.ring(), &line);
    let (command, mut answering) = match taken {
        Ok(taken) => taken,
        Err(error) => {
            tracing::warn!(process, %error, "a command on control.sock was refused, and nothing done");
            return say(&mut write, NOT_YOURS.to_owned()).await;
        }
    };
    let (told, mut news) = unbounded_channel();
    let progress = move |done, total| drop(told.send(Outcome::Progress { done, total }));
    let app = app.clone();
    // Whoever asked may go away; what was begun is finished.
    let work = tokio::spawn(async move { outcome(&app, &command, Arc::new(progress)).await });
    while let Some(progress) = news.recv().await {
        send(&mut write, &mut answering, &progress).await?;
    }
    let outcome = work.await.map_err(std::io::Error::other)?;
    send(&mut write, &mut answering, &outcome).await
}

async fn send(
    write: &mut OwnedWriteHalf,
    answering: &mut Answering,
    outcome: &Outcome,
) -> std::io::Result<()> {
    let text = serde_json::to_string(outcome).unwrap_or_default();
    say(write, answering.line(&text)).await
}

async fn say(write: &mut OwnedWriteHalf, mut line: String) -> std::io::Result<()> {
    line.push('\n');
    write.write_all(line.as_bytes()).await
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
/// Refuses a socket that leads to anybody else (ISO-02).
pub async fn ask(
    dir: &Path,
    command: &Command,
    progress: Option<&Progress>,
) -> Result<serde_json::Value, ServerError> {
    let path = dir.join("control.sock");
    refuse_link(&path)?;
    let failed = |error: std::io::Error| {
        ServerError::System(format!(
            "the instance is in use, and its server does not answer on {}: {error}",
            path.display()
        ))
    };
    let ended = || failed(std::io::ErrorKind::UnexpectedEof.into());
    let stream = UnixStream::connect(&path).await.map_err(failed)?;
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let greeting = timeout(HEAD_TIME, lines.next_line()).await;
    let greeting = greeting.map_err(|late| failed(late.into()))?.map_err(failed)?;
    let greeting = greeting.ok_or_else(ended)?;
    // Only now: the file has at least the roots that the server has.
    let ring = RootRing::load(&dir.join("root.key"))?;
    let text =
        serde_json::to_string(command).map_err(|error| ServerError::Usage(error.to_string()))?;
    let (mut asking, line) =
        Asking::begin(&ring, &greeting, &text, &Random::os()).map_err(|_| another_version())?;
    say(&mut write, line).await.map_err(failed)?;
    loop {
        let reply = lines.next_line().await.map_err(failed)?.ok_or_else(ended)?;
        let answer = asking.open(&reply).map_err(|_| foreign(&path, &ring))?;
        match serde_json::from_str(&answer) {
            Ok(Outcome::Progress { done, total }) => {
                if let Some(progress) = progress {
                    progress(done, total);
                }
            }
            Ok(Outcome::Done { answer }) => return Ok(answer),
            Ok(Outcome::Refused { exit_code, sentence }) => {
                return Err(ServerError::Told { exit_code, sentence });
            }
            Err(_) => return Err(another_version()),
        }
    }
}

fn another_version() -> ServerError {
    ServerError::System("the server's answer is not readable; is it another version?".to_owned())
}

/// A server's socket is no link, so one leads to somebody else's.
fn refuse_link(path: &Path) -> Result<(), IsoError> {
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_symlink() => Err(IsoError::new(
            "ISO-02",
            format!("{} is a link, which may lead to another instance", path.display()),
            ANEW,
        )),
        _ => Ok(()),
    }
}

fn foreign(path: &Path, ring: &RootRing) -> IsoError {
    let (shown, kind, tag) = (path.display(), ring.kind().title(), ring.tag());
    IsoError::new(
        "ISO-02",
        format!(
            "{shown} leads to another instance: whoever answers there does not have the root key of this {kind} {tag}"
        ),
        ANEW,
    )
}

/// Any route that there is not.
pub async fn nowhere() -> Response<Body> {
    refuse(
        StatusCode::NOT_FOUND,
        "NOT_FOUND",
        "There is nothing here. The API is at POST /graphql.",
    )
}
