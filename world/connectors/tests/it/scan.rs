//! Looks for malware through clamd, which a socket of the test's own plays.

use std::path::PathBuf;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;
use ward_connectors::LiveScan;
use ward_effects::{Judged, Scanner};
use ward_instance::InstanceError;
use ward_instance::config::Connectors;
use ward_store::blobs::{self, Download};
use ward_store::{BlobDirectory, Uuid};

use crate::s3::{pattern, upload};
use crate::world::World;

/// More than the socket holds: whoever does not read it to its end is not sent it to its end.
const LARGE: usize = 4 << 20;

const ALL: usize = usize::MAX;

/// What clamd was given.
struct Given {
    bytes: Vec<u8>,
    /// Whether the end was sent, too.
    is_whole: bool,
}

/// An instance with files, and its scanner.
struct Place {
    w: World,
    files: TempDir,
    store: BlobDirectory,
    scan: LiveScan,
}

fn arm(w: &World, files: &TempDir, socket: Option<&str>) -> Result<LiveScan, InstanceError> {
    let config = Connectors { scan_socket: socket.map(str::to_owned), ..Connectors::default() };
    LiveScan::arm(&w.witness(), &config, files.path())
}

impl Place {
    async fn new() -> Place {
        let (w, files) = (World::new().await, tempfile::tempdir().unwrap());
        let store = BlobDirectory::open(files.path().join("files")).await.unwrap();
        let scan = arm(&w, &files, Some("clamd")).unwrap();
        assert!(!scan.is_connected(), "clamd may start later");
        Place { w, files, store, scan }
    }

    async fn stored(&self, bytes: &[u8]) -> Uuid {
        upload(&self.w, &self.store, bytes).await.unwrap()
    }

    fn sealed(&self, id: &Uuid) -> PathBuf {
        self.files.path().join("files").join(&id.0[34..]).join(&id.0)
    }

    async fn opened(&self, id: &Uuid) -> Download {
        let mut reader = self.w.db.read().await.unwrap();
        let keys = self.w.db.keyring().of(&mut reader, self.w.org_id).await.unwrap();
        let blob = blobs::find(&mut reader, &keys, id).await.unwrap().unwrap();
        drop(reader);
        let all = 0..u64::try_from(blob.byte_size).unwrap();
        blobs::open(&self.store, &self.w.instance, &keys, &blob, all).await.unwrap()
    }

    async fn look(&self, id: &Uuid) -> Judged {
        let mut file = self.opened(id).await;
        self.scan.scan(&mut file).await
    }

    fn listener(&self) -> UnixListener {
        let path = self.files.path().join("clamd");
        let _ = std::fs::remove_file(&path);
        UnixListener::bind(path).unwrap()
    }

    /// A clamd that takes `most` chunks of one file, answers, and hangs up.
    fn clamd(&self, most: usize, answer: &[u8]) -> JoinHandle<Given> {
        let (listener, answer) = (self.listener(), answer.to_owned());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let given = take(&mut stream, most).await;
            // Nobody may be there any more.
            drop(stream.write_all(&answer).await);
            given
        })
    }
}

async fn take(stream: &mut UnixStream, most: usize) -> Given {
    let mut command = [0; 10];
    stream.read_exact(&mut command).await.unwrap();
    assert_eq!(&command, b"zINSTREAM\0");
    let mut given = Given { bytes: Vec::new(), is_whole: false };
    for _ in 0..most {
        // Of four bytes, the highest first.
        let Ok(length) = stream.read_u32().await else { break };
        assert!(length <= 1 << 16, "a chunk of {length} bytes");
        if length == 0 {
            given.is_whole = true;
            break;
        }
        let mut chunk = vec![0; length as usize];
        if stream.read_exact(&mut chunk).await.is_err() {
            break;
        }
        given.bytes.extend(chunk);
    }
    given
}

fn failed(reason: &str, retry: bool) -> Judged {
    Judged::Failed { reason: reason.to_owned(), retry }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_any_size_arrives_as_it_is() {
    let place = Place::new().await;
    for size in [0, 1, 65_535, 65_536, 65_537, 300_000, LARGE] {
        let bytes = pattern(size);
        let id = place.stored(&bytes).await;
        let clamd = place.clamd(ALL, b"stream: OK\0");
        assert_eq!(place.look(&id).await, Judged::Clean, "{size}");
        let given = clamd.await.unwrap();
        assert!(given.is_whole && given.bytes == bytes, "{size}");
    }
    let id = place.stored(&pattern(300_000)).await;
    let clamd = place.clamd(ALL, b"stream: Eicar-Test-Signature FOUND\0");
    let threat = "Eicar-Test-Signature".to_owned();
    assert_eq!(place.look(&id).await, Judged::Found { threat });
    assert!(clamd.await.unwrap().is_whole);
}

/// It answers and hangs up while the file is still sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_in_the_middle_of_a_file() {
    let place = Place::new().await;
    let id = place.stored(&pattern(LARGE)).await;
    let too_large = "the file is larger than the malware scanner takes; \
                     raise StreamMaxLength in clamd's configuration";
    let cases: [(&[u8], Judged); 4] = [
        (b"INSTREAM size limit exceeded. ERROR\0", failed(too_large, false)),
        (b"stream: Bad FOUND\0", Judged::Found { threat: "Bad".to_owned() }),
        (
            b"stream: OK\0",
            failed("the malware scanner answered before it had the whole file", true),
        ),
        (b"", failed("the malware scanner hung up without an answer", true)),
    ];
    for most in [0, 2] {
        for (answer, expected) in &cases {
            let clamd = place.clamd(most, answer);
            assert_eq!(place.look(&id).await, *expected, "{most}");
            assert!(!clamd.await.unwrap().is_whole);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_none_is_asked_for_again() {
    let place = Place::new().await;
    let id = place.stored(b"results").await;
    let none = "the malware scanner's answer is none of clamd's";
    let long = vec![b'A'; 100_000];
    let cases: [(&[u8], &str); 5] = [
        (b"", "the malware scanner hung up without an answer"),
        (
            b"Can't allocate memory ERROR\0",
            "the malware scanner answered: Can't allocate memory ERROR",
        ),
        (b"+OK\r\n", none),
        (b"\xff\xfe\0", none),
        (&long, none),
    ];
    for (answer, reason) in cases {
        let clamd = place.clamd(ALL, answer);
        assert_eq!(place.look(&id).await, failed(reason, true));
        let given = clamd.await.unwrap();
        assert!(given.is_whole && given.bytes == b"results");
    }
}

/// Changed, or cut: this clamd finds nothing in the part that it is given.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_not_be_read_to_its_end_is_never_clean() {
    let place = Place::new().await;
    let bytes = pattern(300_000);
    let id = place.stored(&bytes).await;
    let sealed = place.sealed(&id);
    let whole = std::fs::read(&sealed).unwrap();
    let mut flipped = whole.clone();
    flipped[100_000] ^= 1;
    let cut = whole[..whole.len() - 1].to_vec();
    for bad in [flipped, cut, whole[..27 + 65_552].to_vec()] {
        std::fs::write(&sealed, bad).unwrap();
        let clamd = place.clamd(ALL, b"stream: OK\0");
        assert_eq!(place.look(&id).await, failed("the file can't be read to its end", true));
        let given = clamd.await.unwrap();
        assert!(!given.is_whole && !given.bytes.is_empty());
        assert!(bytes.starts_with(&given.bytes) && given.bytes.len() < bytes.len());
    }
    std::fs::write(&sealed, whole).unwrap();
    let clamd = place.clamd(ALL, b"stream: OK\0");
    assert_eq!(place.look(&id).await, Judged::Clean);
    assert!(clamd.await.unwrap().is_whole);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clamd_may_start_later_and_stop() {
    let place = Place::new().await;
    let id = place.stored(b"results").await;
    // Not an attempt that failed: what is to be looked at waits, and is asked for again.
    assert_eq!(place.look(&id).await, Judged::NotConnected, "it was never there");
    for _ in 0..2 {
        let clamd = place.clamd(ALL, b"stream: OK\0");
        assert_eq!(place.look(&id).await, Judged::Clean);
        assert!(clamd.await.unwrap().is_whole);
        assert!(place.files.path().join("clamd").exists());
        assert_eq!(place.look(&id).await, Judged::NotConnected, "it has left its socket behind");
        assert!(!place.scan.is_connected());
    }
    let _listener = place.listener();
    assert!(place.scan.is_connected(), "nobody has to take the connection for it");
}

/// Time is stopped once the file has arrived; what waits then is waited for to its end at once.
#[tokio::test]
async fn one_that_hangs_is_not_waited_for_for_ever() {
    let place = Place::new().await;
    let id = place.stored(&pattern(100_000)).await;
    let listener = place.listener();
    let clamd = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let given = take(&mut stream, ALL).await;
        (given, stream)
    });
    let (judged, (given, _stream)) = tokio::join!(place.look(&id), async {
        let arrived = clamd.await.unwrap();
        tokio::time::pause();
        arrived
    });
    assert_eq!(judged, failed("the malware scanner does not answer in time", true));
    assert!(given.is_whole);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_to_be_armed() {
    let place = Place::new().await;
    let armed = |socket: Option<&str>| arm(&place.w, &place.files, socket);
    let none = armed(None).unwrap();
    let mut file = place.opened(&place.stored(b"results").await).await;
    assert!(!none.is_connected());
    assert_eq!(none.scan(&mut file).await, Judged::NotConnected);
    std::fs::write(place.files.path().join("clamd.log"), "").unwrap();
    for (socket, sentence) in [
        ("clamd.log".to_owned(), "is no socket"),
        ("files".to_owned(), "is no socket"),
        (String::new(), "is no socket"),
        ("/dev/null".to_owned(), "is no socket"),
        (format!("/{}", "a".repeat(107)), "at most 107 bytes"),
        ("clamd\0".to_owned(), "is no address"),
    ] {
        let refused = armed(Some(&socket)).err().unwrap().to_string();
        let named = refused.starts_with("scan_socket: ");
        assert!(named && refused.contains(sentence), "{socket:?}: {refused}");
    }
    // One of another directory, which is there already.
    let elsewhere = tempfile::tempdir().unwrap();
    let path = elsewhere.path().join("clamd");
    let _listener = UnixListener::bind(&path).unwrap();
    let elsewhere = armed(path.to_str()).unwrap();
    assert!(elsewhere.is_connected());
}
