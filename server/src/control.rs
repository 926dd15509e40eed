//! `D/control.sock`: how the command line asks a running instance to do what
//! only the holder of its lock may do. Both sides greet, then one line in, one
//! out, behind lines that tell how far a long command is; the socket is open to
//! the same operating-system user only.
//!
//! That user may have other instances, and the path may lead to one of theirs:
//! both sides believe only what the root key of their instance has signed, for
//! this exchange ([`ward_instance::control`], ISO-02). Whoever has proven nothing
//! keeps nothing from anybody else: the places for commands are for those who have.

mod asking;

use std::collections::{HashMap, VecDeque};
use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc::unbounded_channel;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use ward_instance::control::{Answering, Greeter, Unproven};

use crate::admin::{self, Command, Context, Progress};
use crate::app::App;
use crate::limiter::Limiter;
use crate::place::ServerError;
use crate::respond::refuse;

pub use asking::ask;

/// The longest line before both are known, in bytes.
const MAX_GREETING: u64 = 8 * 1024;
/// The longest line with a command, in bytes: those who have proven nothing send so much, too.
const MAX_LINE: u64 = 256 * 1024;
/// A caller has to have proven itself within this time; it has its command at hand.
const PROOF_TIME: Duration = Duration::from_secs(10);
/// A line has to be taken off within this time.
const SAY_TIME: Duration = Duration::from_secs(30);
/// Commands at once; more wait until one ends.
const COMMANDS: usize = 64;
/// Connections at once whose callers have proven nothing; more cost one of them.
const UNPROVEN: usize = 256;
/// Warnings a second of what nobody has proven.
const WARNINGS: u32 = 1;
/// After a connection could not be taken or made.
const AGAIN: Duration = Duration::from_millis(20);

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

/// What is said to whoever proves nothing. It proves nothing either, and is no answer.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Refusal {
    refused: String,
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
    let desk = Arc::new(Desk {
        app,
        places: Arc::new(Semaphore::new(COMMANDS)),
        warnings: Limiter::new(WARNINGS),
        untold: AtomicU64::new(0),
    });
    let mut unproven = VecDeque::new();
    loop {
        tokio::select! {
            accepted = socket.accept() => {
                let Ok((stream, _)) = accepted else {
                    // Out of file descriptors, for instance: it won't be better at once.
                    tokio::time::sleep(AGAIN).await;
                    continue;
                };
                let process = stream.peer_cred().ok().and_then(|peer| peer.pid());
                let process = process.unwrap_or_default();
                if let Some(holder) = make_room(&mut unproven) {
                    desk.warn(holder, &"it keeps too many connections and proves nothing");
                }
                unproven.push_back((process, tokio::spawn(desk.clone().meet(stream, process))));
            }
            _ = stop.changed() => return,
        }
    }
}

/// Where there is no room for another caller that has proven nothing: ends the oldest of the
/// process that has most. Gives that process.
fn make_room(unproven: &mut VecDeque<(i32, JoinHandle<()>)>) -> Option<i32> {
    unproven.retain(|(_, meeting)| !meeting.is_finished());
    if unproven.len() < UNPROVEN {
        return None;
    }
    let mut held: HashMap<i32, usize> = HashMap::new();
    for (process, _) in unproven.iter() {
        *held.entry(*process).or_default() += 1;
    }
    let most = held.values().max().copied();
    let at = unproven.iter().position(|(process, _)| held.get(process).copied() == most)?;
    let (process, meeting) = unproven.remove(at)?;
    meeting.abort();
    Some(process)
}

/// What all connections share.
struct Desk {
    app: Arc<App>,
    places: Arc<Semaphore>,
    warnings: Limiter,
    /// Refusals of which no warning tells yet.
    untold: AtomicU64,
}

/// A command whose caller has proven itself by it.
struct Proven {
    command: String,
    answering: Answering,
    write: OwnedWriteHalf,
}

impl Desk {
    /// Lets a caller prove itself; what it asks is then done in a task that nobody cuts off.
    async fn meet(self: Arc<Self>, stream: UnixStream, process: i32) {
        let proven = match timeout(PROOF_TIME, self.prove(stream, process)).await {
            Ok(Ok(Some(proven))) => proven,
            Ok(Ok(None)) => return,
            Ok(Err(error)) => {
                tracing::debug!(process, %error, "a caller on control.sock went away");
                return;
            }
            Err(_) => return self.warn(process, &"it proved nothing in time"),
        };
        tokio::spawn(async move {
            if let Err(error) = self.attend(proven).await {
                tracing::debug!(process, %error, "a command went away before its answer");
            }
        });
    }

    /// The command of a caller that has proven itself; none of one that has not, or went away.
    async fn prove(&self, stream: UnixStream, process: i32) -> std::io::Result<Option<Proven>> {
        let (read, mut write) = stream.into_split();
        let mut read = BufReader::new(read);
        let hello = hear(&mut read, MAX_GREETING).await?;
        if hello.is_empty() {
            return Ok(None);
        }
        let instance = &self.app.instance;
        let met = Greeter::greet(&instance.ring(), &hello, instance.random());
        let (greeter, greeting) = match met {
            Ok(met) => met,
            Err(error) => return self.refuse(&mut write, process, error).await,
        };
        say(&mut write, greeting).await?;
        let line = hear(&mut read, MAX_LINE).await?;
        if line.is_empty() {
            return Ok(None);
        }
        let taken = greeter.take(&instance.ring(), &line);
        match taken {
            Ok((command, answering)) => Ok(Some(Proven { command, answering, write })),
            Err(error) => self.refuse(&mut write, process, error).await,
        }
    }

    async fn refuse(
        &self,
        write: &mut OwnedWriteHalf,
        process: i32,
        why: Unproven,
    ) -> std::io::Result<Option<Proven>> {
        self.warn(process, &why);
        let refusal = Refusal { refused: why.to_string() };
        say(write, serde_json::to_string(&refusal).unwrap_or_default()).await?;
        Ok(None)
    }

    /// Tells of a refusal, or counts it for the next that is told: a flood is a few lines.
    fn warn(&self, process: i32, why: &dyn Display) {
        if self.warnings.take("control.sock").is_err() {
            self.untold.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let untold = self.untold.swap(0, Ordering::Relaxed);
        tracing::warn!(process, untold, error = %why, "a command on control.sock was refused, and nothing done");
    }

    async fn attend(&self, proven: Proven) -> std::io::Result<()> {
        let Proven { command, mut answering, mut write } = proven;
        let (told, mut news) = unbounded_channel();
        let progress = move |done, total| drop(told.send(Outcome::Progress { done, total }));
        let (app, place) = (self.app.clone(), self.places.clone().acquire_owned());
        // Whoever asked may go away; what was begun is finished, and has its place until then.
        let work = tokio::spawn(async move {
            let _place = place.await;
            outcome(&app, &command, Arc::new(progress)).await
        });
        while let Some(progress) = news.recv().await {
            send(&mut write, &mut answering, &progress).await?;
        }
        let outcome = work.await.map_err(std::io::Error::other)?;
        send(&mut write, &mut answering, &outcome).await
    }
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
    timeout(SAY_TIME, write.write_all(line.as_bytes())).await?
}

/// The next line, of at most so many bytes; nothing at the end.
async fn hear(read: &mut BufReader<OwnedReadHalf>, most: u64) -> std::io::Result<String> {
    let mut line = String::new();
    let heard = read.take(most).read_line(&mut line).await?;
    if heard as u64 == most && !line.ends_with('\n') {
        return Err(std::io::Error::other(format!("a line is longer than {most} bytes")));
    }
    Ok(line)
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

/// Any route that there is not.
pub async fn nowhere() -> Response<Body> {
    refuse(
        StatusCode::NOT_FOUND,
        "NOT_FOUND",
        "There is nothing here. The API is at POST /graphql.",
    )
}
