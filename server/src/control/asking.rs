//! The command line's side of `D/control.sock`: asks the server that holds the
//! instance, and nobody else (ISO-02).

use std::path::Path;
use std::time::Duration;

use tokio::io::BufReader;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;
use ward_instance::control::{Asking, Hello, Unproven};
use ward_instance::{IsoError, Random, RootRing};

use super::{AGAIN, MAX_GREETING, MAX_LINE, Outcome, Refusal, hear, say};
use crate::admin::{Command, Progress};
use crate::place::ServerError;

/// The longest line of an answer, in bytes.
const MAX_ANSWER: u64 = 256 * 1024 * 1024;
/// The server has to have proven itself within this time.
const HEAD_TIME: Duration = Duration::from_secs(30);
/// What is to be done about a socket that leads elsewhere.
const ANEW: &str = "remove it, stop this instance's server and start it anew";

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
    let text =
        serde_json::to_string(command).map_err(|error| ServerError::Usage(error.to_string()))?;
    let key_file = dir.join("root.key");
    let (hello, line) = Hello::new(&RootRing::load(&key_file)?, &Random::os());
    let greeted = timeout(HEAD_TIME, greeted(&path, line)).await;
    let greeted = greeted.map_err(|late| failed(late.into()))?.map_err(failed)?;
    let (mut read, mut write, greeting) = greeted;
    if greeting.is_empty() {
        return Err(ended());
    }
    // Only now: the file has at least the roots that the server has.
    let ring = RootRing::load(&key_file)?;
    let begun = Asking::begin(&ring, hello, &greeting, &text);
    let (mut asking, line) = begun.map_err(|why| not_met(&path, &ring, &greeting, why))?;
    if line.len() as u64 >= MAX_LINE {
        return Err(ServerError::Usage(format!(
            "a command takes {MAX_LINE} bytes to a running server and this one has {}; shorten its texts",
            line.len()
        )));
    }
    say(&mut write, line).await.map_err(failed)?;
    // From here on it takes as long as the command does.
    loop {
        let reply = hear(&mut read, MAX_ANSWER).await.map_err(failed)?;
        if reply.is_empty() {
            return Err(ended());
        }
        let answer = asking.open(&reply).map_err(|_| not_answered(&path, &reply))?;
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

/// Says the first line to whoever listens; what they greet.
async fn greeted(
    path: &Path,
    hello: String,
) -> std::io::Result<(BufReader<OwnedReadHalf>, OwnedWriteHalf, String)> {
    let stream = loop {
        match UnixStream::connect(path).await {
            // More have come than it has taken yet.
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                tokio::time::sleep(AGAIN).await;
            }
            made => break made?,
        }
    };
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    say(&mut write, hello).await?;
    let greeting = hear(&mut read, MAX_GREETING).await?;
    Ok((read, write, greeting))
}

/// Why nothing was asked of whoever greeted so.
fn not_met(path: &Path, ring: &RootRing, greeting: &str, why: Unproven) -> ServerError {
    match (why, refusal(greeting)) {
        (Unproven::Unsigned, _) => another_root(path, ring).into(),
        (_, Some(said)) if said != Unproven::Form.to_string() => foreign(path, ring).into(),
        _ => another_version(),
    }
}

/// Why what the own server was asked has no answer of its own.
fn not_answered(path: &Path, reply: &str) -> IsoError {
    let shown = path.display();
    match refusal(reply) {
        Some(_) => IsoError::new(
            "ISO-02",
            format!("the server on {shown} did not accept this command"),
            "do it again; since a refusal is not signed, look first whether it was done",
        ),
        None => IsoError::new(
            "ISO-02",
            format!("an answer on {shown} is not signed by this instance's server"),
            "look whether the command was done before you repeat it, and who else has the socket",
        ),
    }
}

/// Why a line says that nothing is done, if it does.
fn refusal(line: &str) -> Option<String> {
    serde_json::from_str::<Refusal>(line).ok().map(|said| said.refused)
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
            "{shown} leads to another instance: whoever answers there is not the server of this {kind} {tag}"
        ),
        ANEW,
    )
}

fn another_root(path: &Path, ring: &RootRing) -> IsoError {
    let (shown, kind, tag) = (path.display(), ring.kind().title(), ring.tag());
    IsoError::new(
        "ISO-02",
        format!(
            "whoever answers on {shown} does not have the root key in root.key of this {kind} {tag}; it was asked nothing"
        ),
        "if root.key was replaced while the server runs, start the server anew; else remove the socket and do the same",
    )
}
