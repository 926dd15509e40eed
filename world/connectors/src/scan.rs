//! Looks for malware through clamd, ClamAV's daemon, by its Unix socket: a file is sent behind
//! `zINSTREAM` in chunks, each led by its length, and a length of zero ends it. The answer is
//! `stream: OK`, `stream: <name> FOUND`, or a sentence that ends with `ERROR`.
//!
//! A file is clean only when clamd says so of all of it. The end is sent behind the last chunk and
//! nowhere else, so that nothing is said of a file that can't be read to its end. clamd is given the
//! bytes alone: no name, and nothing of whose they are.

use std::io;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::{ReadHalf, WriteHalf};
use ward_effects::{Judged, LiveScanner, Scanner};
use ward_instance::config::Connectors;
use ward_instance::{InstanceError, ProductionWitness};
use ward_store::blobs::Download;

/// A file is looked at within this time, or it is tried again later.
const PATIENCE: Duration = Duration::from_secs(25);

/// The most that is read of an answer, in bytes.
const ANSWER_BYTES: usize = 4 * 1024;

/// The most that is kept of what clamd says, in characters.
const TEXT_MAX: usize = 200;

/// Production's scanner of stored files: clamd's socket, or the place of one that is not configured.
pub struct LiveScan {
    socket: Option<PathBuf>,
    /// Whether it was away when it was asked last: each outage is told once.
    is_away: AtomicBool,
}

impl LiveScan {
    /// Arms it with the socket that the configuration names; a path is one of the instance's
    /// directory `dir` unless it is absolute. clamd may start later: that nothing is there yet is no
    /// error, that something else is there is one.
    pub fn arm(
        _: &ProductionWitness,
        config: &Connectors,
        dir: &Path,
    ) -> Result<Self, InstanceError> {
        let Some(name) = &config.scan_socket else { return Ok(LiveScan::at(None)) };
        let path = dir.join(name);
        let wrong =
            |what: &str| InstanceError::config(format!("scan_socket: {} {what}", path.display()));
        if SocketAddr::from_pathname(&path).is_err() {
            return Err(wrong("is no address of a socket; name a path of at most 107 bytes"));
        }
        match std::fs::metadata(&path) {
            Ok(there) if !there.file_type().is_socket() => {
                Err(wrong("is no socket; name the LocalSocket of clamd's configuration"))
            }
            _ => Ok(LiveScan::at(Some(path))),
        }
    }

    const fn at(socket: Option<PathBuf>) -> Self {
        LiveScan { socket, is_away: AtomicBool::new(false) }
    }

    /// Tells whoever runs the instance that clamd is away, or back: once of each outage.
    fn note(&self, error: Option<&io::Error>) {
        let was_away = self.is_away.swap(error.is_some(), Ordering::Relaxed);
        match error {
            Some(error) if !was_away => {
                tracing::warn!(%error, "the malware scanner is not reached: looks at files wait for it");
            }
            None if was_away => tracing::info!("the malware scanner is reached again"),
            _ => {}
        }
    }
}

impl Scanner for LiveScan {
    /// Whether its socket takes a connection. One that is refused is refused at once: whatever is not,
    /// is there.
    fn is_connected(&self) -> bool {
        let Some(socket) = &self.socket else { return false };
        let refused = UnixStream::connect(socket).now_or_never().and_then(Result::err);
        self.note(refused.as_ref());
        refused.is_none()
    }

    async fn scan(&self, file: &mut Download) -> Judged {
        let Some(socket) = &self.socket else { return Judged::NotConnected };
        let connected = UnixStream::connect(socket).await;
        self.note(connected.as_ref().err());
        // clamd is not there: what is to be looked at waits for it, however long.
        let Ok(stream) = connected else { return Judged::NotConnected };
        let asked = tokio::time::timeout(PATIENCE, ask(stream, file)).await;
        asked.unwrap_or_else(|_| failed("the malware scanner does not answer in time", true))
    }
}

impl LiveScanner for LiveScan {}

/// Why a file was not sent to its end.
enum Halt {
    /// It can't be read.
    File,
    /// The scanner takes no more.
    Scanner,
}

async fn ask(mut stream: UnixStream, file: &mut Download) -> Judged {
    let (from, mut to) = stream.split();
    // Listened to all the while: what is too large is refused, and the connection closed, before all
    // of it is sent.
    let mut answer = pin!(hear(from));
    let sent = tokio::select! {
        biased;
        sent = feed(&mut to, file) => sent,
        early = &mut answer => return of_a_part(judged(&early)),
    };
    match sent {
        Ok(()) => judged(&answer.await),
        Err(Halt::File) => failed("the file can't be read to its end", true),
        Err(Halt::Scanner) => of_a_part(judged(&answer.await)),
    }
}

/// Sends a file, a chunk at a time.
async fn feed(to: &mut WriteHalf<'_>, file: &mut Download) -> Result<(), Halt> {
    to.write_all(b"zINSTREAM\0").await.map_err(|_| Halt::Scanner)?;
    while let Some(chunk) = file.chunk().await.map_err(|_| Halt::File)? {
        // The one of an empty file, which would be the end.
        if chunk.is_empty() {
            continue;
        }
        let length = u32::try_from(chunk.len()).map_err(|_| Halt::File)?;
        to.write_all(&length.to_be_bytes()).await.map_err(|_| Halt::Scanner)?;
        to.write_all(&chunk).await.map_err(|_| Halt::Scanner)?;
    }
    to.write_all(&0_u32.to_be_bytes()).await.map_err(|_| Halt::Scanner)
}

/// What is answered, up to its end: a zero byte, or the connection's end. An answer that breaks off
/// is none.
async fn hear(from: ReadHalf<'_>) -> Vec<u8> {
    let mut answer: Vec<u8> = Vec::new();
    let mut from = from.take(ANSWER_BYTES as u64);
    while !answer.contains(&0) {
        match from.read_buf(&mut answer).await {
            Ok(0) => break,
            Ok(_) => {}
            Err(_) => return Vec::new(),
        }
    }
    answer
}

/// What an answer means that comes before the file was sent to its end.
fn of_a_part(judged: Judged) -> Judged {
    match judged {
        Judged::Clean => failed("the malware scanner answered before it had the whole file", true),
        other => other,
    }
}

/// What an answer means.
fn judged(answer: &[u8]) -> Judged {
    let text = answer.strip_suffix(b"\0").unwrap_or(answer);
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    if text == b"stream: OK" {
        return Judged::Clean;
    }
    if text.is_empty() {
        return failed("the malware scanner hung up without an answer", true);
    }
    let name = text.strip_prefix(b"stream: ").and_then(|rest| rest.strip_suffix(b" FOUND"));
    if let Some(name) = name {
        return Judged::Found { threat: threat(name) };
    }
    let is_short = text.len() <= TEXT_MAX && text.iter().all(|byte| is_printable(*byte));
    match std::str::from_utf8(text).ok().filter(|_| is_short) {
        Some(words) if words.ends_with("ERROR") && words.contains("size limit exceeded") => {
            let reason = "the file is larger than the malware scanner takes; \
                          raise StreamMaxLength in clamd's configuration";
            failed(reason, false)
        }
        Some(words) => failed(&format!("the malware scanner answered: {words}"), true),
        None => failed("the malware scanner's answer is none of clamd's", true),
    }
}

/// What was found, in so many characters as a line has.
fn threat(name: &[u8]) -> String {
    let name = name.iter().copied().filter(|byte| is_printable(*byte)).take(TEXT_MAX);
    let name: String = name.map(char::from).collect();
    match name.trim() {
        "" => "unnamed".to_owned(),
        name => name.to_owned(),
    }
}

const fn is_printable(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}

fn failed(reason: &str, retry: bool) -> Judged {
    Judged::Failed { reason: reason.to_owned(), retry }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CLEAN: [&[u8]; 4] = [b"stream: OK", b"stream: OK\0", b"stream: OK\n", b"stream: OK\n\0"];

    #[test]
    fn what_clamd_answers() {
        for clean in CLEAN {
            assert_eq!(judged(clean), Judged::Clean);
            assert!(matches!(of_a_part(judged(clean)), Judged::Failed { retry: true, .. }));
        }
        for (answer, name) in [
            ("stream: Eicar-Test-Signature FOUND\0", "Eicar-Test-Signature"),
            (
                "stream: Win.Test.EICAR_HDB-1(44d88612:68) FOUND\n",
                "Win.Test.EICAR_HDB-1(44d88612:68)",
            ),
            ("stream: Bad\u{7}\nN\u{e4}me FOUND\0", "BadNme"),
            ("stream: OK\0stream: Later FOUND\0", "OKstream: Later"),
            ("stream: \n FOUND\0", "unnamed"),
        ] {
            let found = Judged::Found { threat: name.to_owned() };
            assert_eq!(judged(answer.as_bytes()), found, "{answer:?}");
            assert_eq!(of_a_part(judged(answer.as_bytes())), found, "{answer:?}");
        }
        let long = format!("stream: {} FOUND\0", "A".repeat(3_000));
        assert_eq!(judged(long.as_bytes()), Judged::Found { threat: "A".repeat(TEXT_MAX) });
    }

    #[test]
    fn what_is_no_verdict() {
        let too_large = "the file is larger than the malware scanner takes; \
                         raise StreamMaxLength in clamd's configuration";
        let said = "the malware scanner answered: ";
        let none = "the malware scanner's answer is none of clamd's";
        let long = "A".repeat(TEXT_MAX + 1);
        for (answer, reason, retry) in [
            ("INSTREAM size limit exceeded. ERROR\0", too_large.to_owned(), false),
            ("COMMAND READ TIMED OUT ERROR\0", format!("{said}COMMAND READ TIMED OUT ERROR"), true),
            ("UNKNOWN COMMAND\0", format!("{said}UNKNOWN COMMAND"), true),
            ("stream: ok\0", format!("{said}stream: ok"), true),
            ("stream: OK ", format!("{said}stream: OK "), true),
            ("stream: FOUND\0", format!("{said}stream: FOUND"), true),
            (" stream: OK\0", format!("{said} stream: OK"), true),
            ("stream: OK\0\0", none.to_owned(), true),
            ("stream: O\u{212a}\0", none.to_owned(), true),
            (long.as_str(), none.to_owned(), true),
            ("", "the malware scanner hung up without an answer".to_owned(), true),
            ("\0", "the malware scanner hung up without an answer".to_owned(), true),
        ] {
            let failed = Judged::Failed { reason, retry };
            assert_eq!(judged(answer.as_bytes()), failed, "{answer:?}");
        }
    }

    /// What is made of the parts of answers, and of anything.
    fn answers() -> impl Strategy<Value = Vec<u8>> {
        let parts = vec![
            "stream: ",
            "OK",
            "Eicar",
            " FOUND",
            " ERROR",
            "size limit exceeded",
            "\0",
            "\n",
            " ",
        ];
        let part = prop_oneof![
            4 => prop::sample::select(parts).prop_map(|part| part.as_bytes().to_vec()),
            1 => prop::collection::vec(any::<u8>(), 0..300),
        ];
        prop::collection::vec(part, 0..6).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn nothing_else_is_clean(answer in answers()) {
            let judged = judged(&answer);
            prop_assert_eq!(judged == Judged::Clean, CLEAN.contains(&answer.as_slice()));
            prop_assert_ne!(&judged, &Judged::NotConnected);
            prop_assert_ne!(of_a_part(judged.clone()), Judged::Clean);
            if let Judged::Found { threat: text } | Judged::Failed { reason: text, .. } = judged {
                prop_assert!(!text.is_empty() && text.len() <= TEXT_MAX + 100);
                prop_assert!(text.bytes().all(is_printable));
            }
        }
    }
}
