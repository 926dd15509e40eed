//! What a run and the keeper of its command tell each other: JSON, a line each, over a socket in
//! the run's directory. Its end tells each that the other is gone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

/// From the run to the keeper.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Start the command with these variables.
    Start(BTreeMap<String, String>),
    /// Send the command a signal.
    Signal(i32),
    /// The same, but a terminal's key has sent it to all of the run's group.
    Key(i32),
    /// Its time is over.
    End,
}

/// From the keeper to the run.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// The command runs.
    Started,
    /// The command ended with a status, and nothing of it is left.
    Ended(i32),
    /// A signal ended it, and nothing of it is left.
    Killed(i32),
    /// It could not be started: why, by `io::ErrorKind` and by the system's words.
    Unable(Why, String),
}

/// Why a command could not be started.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// There is none of that name.
    NotFound,
    /// There is, and it can't be executed.
    NotExecutable,
}

/// One end of the socket.
pub struct Line {
    lines: Lines<BufReader<OwnedReadHalf>>,
    out: OwnedWriteHalf,
}

impl Line {
    /// Of a connection.
    pub fn of(stream: UnixStream) -> Self {
        let (read, out) = stream.into_split();
        Line { lines: BufReader::new(read).lines(), out }
    }

    /// Says something; a listener that is gone is found out by [`Line::hear`].
    pub async fn say(&mut self, what: &impl Serialize) {
        let mut text = serde_json::to_string(what).unwrap_or_default();
        text.push('\n');
        let _ = self.out.write_all(text.as_bytes()).await;
    }

    /// What the other says next; nothing when it is gone. May be given up at any time.
    pub async fn hear<T: DeserializeOwned>(&mut self) -> Option<T> {
        let line = self.lines.next_line().await.ok()??;
        serde_json::from_str(&line).ok()
    }
}

/// Where the socket is.
pub fn socket(dir: &Path) -> PathBuf {
    dir.join("keeper.sock")
}
