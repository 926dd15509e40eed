//! Looks at stored files: what the simulator finds, what waits, and how a file stands meanwhile.

use std::sync::Arc;

use ward_effects::{
    Awaiting, Dispatcher, EffectMode, HELD_SECONDS, InboxFilter, Judged, LiveScanner, Ports,
    ProductionEnv, Released, Report, SandboxEnv, Scanner, failed, release, replay,
};
use ward_store::blobs::{self, BlobFacts, BlobStore, Download, FileScan, Registered};
use ward_store::system::EffectClass;
use ward_store::{Actor, BlobDirectory, Query, Sql, Uuid};

use crate::support::World;

/// Bytes of a chunk.
const CHUNK: usize = 64 * 1024;

/// The test file of the trade; in halves, so that no scanner takes this source for it.
const EICAR: [&str; 2] =
    ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-", "ANTIVIRUS-TEST-FILE!$H+H*"];

/// Where a world's files are.
struct Files {
    store: Arc<dyn BlobStore>,
    directory: tempfile::TempDir,
}

impl Files {
    async fn new() -> Files {
        let directory = tempfile::tempdir().unwrap();
        let store = BlobDirectory::open(directory.path().join("files")).await.unwrap();
        Files { store: Arc::new(store), directory }
    }

    /// Stores a file, which is to be looked at.
    async fn put(&self, w: &World, bytes: &[u8], scan: FileScan) -> Uuid {
        let keys = w.db.keyring().of(&mut w.db.read().await.unwrap(), w.org_id).await.unwrap();
        let mut upload = blobs::begin(&*self.store, &w.instance, &keys, 1 << 20).await.unwrap();
        assert!(upload.write(bytes).await.unwrap());
        let stored = Arc::new(upload.finish(&keys).await.unwrap());
        let (id, unit_id) = (stored.id.clone(), w.org_id);
        let registered = w.db.write(move |tx| {
            let stored = Arc::clone(&stored);
            Box::pin(async move {
                let facts = BlobFacts {
                    unit_id,
                    owner_id: 2,
                    purpose: "document".to_owned(),
                    file_name: "results.pdf".to_owned(),
                    content_type: "application/pdf".to_owned(),
                    scan: Some(scan),
                    cause: "request-1".to_owned(),
                };
                blobs::register(tx, &stored, facts, 1 << 30).await
            })
        });
        assert_eq!(registered.await.unwrap(), Registered::Done);
        id
    }

    fn sandbox(&self, w: &World) -> Dispatcher<SandboxEnv> {
        w.sandbox().reading(Arc::clone(&self.store))
    }

    /// Takes the bytes of a file away, and leaves its row.
    fn lose(&self, file: &Uuid) {
        let folder = self.directory.path().join("files").join(&file.0[34..]);
        std::fs::remove_file(folder.join(&file.0)).unwrap();
    }
}

/// `state threat` of a file, and whether it was looked at.
async fn stands(w: &World, file: &Uuid) -> (String, bool) {
    let sql = Sql::fixed(
        "SELECT scan, threat, scanned_at FROM blobs WHERE id = $1",
        [file.0.as_str().into()],
    );
    let rows = w.db.read().await.unwrap().rows(&sql).await.unwrap();
    let row = rows.row(0);
    let text = format!("{} {}", row[0].text().unwrap(), row[1].text().unwrap_or("-"));
    (text, row[2].int().is_some())
}

async fn delete(w: &World, file: &Uuid) {
    let (org_id, file) = (w.org_id, file.clone());
    let deleted = w.db.write(move |tx| {
        let file = file.clone();
        Box::pin(async move { blobs::delete(tx, org_id, &file).await })
    });
    assert!(deleted.await.unwrap());
}

/// So many entries of the audit log tell of files.
async fn told(w: &World) -> i64 {
    w.number("SELECT COUNT(*) FROM audit_events WHERE resource_name = 'FILE'").await
}

both! {
    Sandbox,
    /// What holds the test file is found wherever it lies; all else is clean. No message is made of it.
    async fn what_the_simulator_finds(w) {
        let files = Files::new().await;
        let eicar = EICAR.concat().into_bytes();
        let filler = |bytes: usize| vec![b'x'; bytes];
        let padded = |bytes: usize| [filler(bytes), eicar.clone(), filler(10)].concat();
        let infected = [eicar.clone(), padded(1_000), padded(CHUNK - 30), padded(2 * CHUNK)];
        let clean = [Vec::new(), b"results".to_vec(), filler(2 * CHUNK), eicar[..60].to_vec()];
        let (mut found, mut passed) = (Vec::new(), Vec::new());
        for bytes in &infected {
            found.push(files.put(&w, bytes, FileScan::Held).await);
        }
        for bytes in &clean {
            passed.push(files.put(&w, bytes, FileScan::Pending).await);
        }
        assert_eq!(stands(&w, &found[0]).await, ("held -".to_owned(), false));
        assert_eq!(stands(&w, &passed[0]).await, ("pending -".to_owned(), false));
        let dispatcher = files.sandbox(&w);
        assert!(dispatcher.is_connected(EffectClass::Scan));
        assert_eq!(dispatcher.run_due().await.unwrap(), Report { done: 8, ..Report::default() });
        for file in &found {
            assert_eq!(stands(&w, file).await, ("found Eicar-Test-Signature".to_owned(), true));
        }
        for file in &passed {
            assert_eq!(stands(&w, file).await, ("clean -".to_owned(), true));
        }
        assert_eq!(told(&w).await, 4);
        assert_eq!(dispatcher.run_due().await.unwrap(), Report::default());
        assert!(w.inbox(InboxFilter::default()).await.is_empty());
        assert_eq!(w.reports().await, 0);
    }
}

both! {
    Sandbox,
    /// A file that was deleted meanwhile is done; one that no look was asked for has no intent.
    async fn a_file_that_is_gone(w) {
        let files = Files::new().await;
        let file = files.put(&w, EICAR.concat().as_bytes(), FileScan::Pending).await;
        delete(&w, &file).await;
        let report = files.sandbox(&w).run_class(EffectClass::Scan).await.unwrap();
        assert_eq!(report, Report { done: 1, ..Report::default() });
        assert_eq!(stands(&w, &file).await, ("pending -".to_owned(), false));
        assert_eq!(told(&w).await, 0);
        assert_eq!(w.intents().await, ["done 1 -"]);
    }
}

both! {
    Sandbox,
    /// A scanner that does not answer is asked again, but not for ever; the file stands as it stood,
    /// and can be looked at again.
    async fn a_look_that_fails(w) {
        let files = Files::new().await;
        let file = files.put(&w, b"a file with WARD-SCAN-FAILS in it", FileScan::Held).await;
        let dispatcher = files.sandbox(&w);
        let report = dispatcher.run_due().await.unwrap();
        assert_eq!(report, Report { retried: 1, ..Report::default() });
        assert_eq!(w.intents().await, ["queued 1 the scanner does not answer"]);
        w.later(10);
        w.execute("UPDATE jobs SET attempts = max_attempts - 1 WHERE kind = 'effect_scan'").await;
        let report = dispatcher.run_due().await.unwrap();
        assert_eq!(report, Report { failed: 1, ..Report::default() });
        assert_eq!(w.intents().await, ["failed 2 the scanner does not answer"]);
        assert_eq!(stands(&w, &file).await, ("held -".to_owned(), false));
        let letters = failed(&w.db, w.org_id, Some(EffectClass::Scan)).await.unwrap();
        assert_eq!((letters.len(), letters[0]["kind"].as_str()), (1, Some("file_scan")));
        let id = letters[0]["id"].as_str().unwrap();
        assert!(replay(&w.db, &Actor::system(w.org_id), id).await.unwrap());
        assert_eq!(dispatcher.run_due().await.unwrap().retried, 1);
    }
}

both! {
    Sandbox,
    /// A file whose bytes are lost is not called clean, and not asked for again.
    async fn a_file_that_is_damaged(w) {
        let files = Files::new().await;
        let file = files.put(&w, b"results", FileScan::Held).await;
        files.lose(&file);
        let report = files.sandbox(&w).run_due().await.unwrap();
        assert_eq!(report, Report { failed: 1, ..Report::default() });
        let stood = w.intents().await;
        assert!(stood[0].starts_with("failed 1 the stored file can't be read"), "{stood:?}");
        assert_eq!(stands(&w, &file).await, ("held -".to_owned(), false));
    }
}

both! {
    Sandbox,
    /// A dispatcher that has no files looks at none.
    async fn without_files_a_look_waits(w) {
        let files = Files::new().await;
        let file = files.put(&w, b"results", FileScan::Pending).await;
        let dispatcher = w.sandbox();
        assert!(!dispatcher.is_connected(EffectClass::Scan));
        assert!(dispatcher.is_connected(EffectClass::Email));
        assert_eq!(dispatcher.run_due().await.unwrap().waiting, 1);
        assert_eq!(stands(&w, &file).await, ("pending -".to_owned(), false));
    }
}

/// A live scanner that finds the same in every file.
struct Finds(Option<&'static str>);

impl Scanner for Finds {
    fn is_connected(&self) -> bool {
        true
    }

    async fn scan(&self, file: &mut Download) -> Judged {
        while let Some(chunk) = file.chunk().await.unwrap() {
            assert!(!chunk.is_empty());
        }
        match self.0 {
            Some(threat) => Judged::Found { threat: threat.to_owned() },
            None => Judged::Clean,
        }
    }
}

impl LiveScanner for Finds {}

/// A live scanner that is there when it is asked, and gone when it is given a file.
struct Stopped;

impl Scanner for Stopped {
    fn is_connected(&self) -> bool {
        true
    }

    async fn scan(&self, _: &mut Download) -> Judged {
        Judged::NotConnected
    }
}

impl LiveScanner for Stopped {}

/// Production with a scanner and nothing else.
fn production<S: LiveScanner>(
    w: &World,
    files: &Files,
    scan: S,
) -> Dispatcher<ProductionEnv<Awaiting, Awaiting, Awaiting, Awaiting, S>> {
    let witness = w.instance.witness().production().unwrap();
    let [mail, sms, push, video] = [(); 4].map(|()| Awaiting::arm(&witness));
    let dispatcher = Dispatcher::new(w.db.clone(), Ports { mail, sms, push, video, scan });
    dispatcher.unwrap().reading(Arc::clone(&files.store))
}

both! {
    Production,
    /// Off at birth, then without a scanner: the files wait, however long, and are looked at once
    /// there is one.
    async fn what_waits_is_looked_at_however_late(w) {
        let files = Files::new().await;
        let file = files.put(&w, b"results", FileScan::Held).await;
        let none = w.production().reading(Arc::clone(&files.store));
        assert!(!none.is_connected(EffectClass::Scan));
        assert_eq!(none.run_due().await.unwrap().waiting, 1);
        assert_eq!(w.intents().await, ["waiting 0 its class is switched off"]);
        w.decide(EffectClass::Scan, EffectMode::Live).await;
        let released = release(&w.db, EffectClass::Scan).await.unwrap();
        assert_eq!(released, Released { queued: 1, expired: 0 });
        assert_eq!(none.run_due().await.unwrap().waiting, 1);
        assert_eq!(w.intents().await, ["waiting 0 no connector of its class is there"]);
        assert_eq!(stands(&w, &file).await, ("held -".to_owned(), false));
        w.later(31 * HELD_SECONDS);
        let (items, count) = ward_effects::held(&w.db, w.org_id, None, true).await.unwrap();
        assert_eq!((count, items[0]["expires_at"].is_null()), (1, true), "{items:?}");
        let released = release(&w.db, EffectClass::Scan).await.unwrap();
        assert_eq!(released, Released { queued: 1, expired: 0 });
        assert_eq!(production(&w, &files, Finds(None)).run_due().await.unwrap().done, 1);
        assert_eq!(stands(&w, &file).await, ("clean -".to_owned(), true));
        assert_eq!(told(&w).await, 0);
    }
}

both! {
    Production,
    /// A scanner that stops for longer than all attempts of a job take makes nothing fail: the look
    /// waits, and is let go again and again until it is there.
    async fn a_scanner_that_stops_for_long_makes_no_look_fail(w) {
        let files = Files::new().await;
        let file = files.put(&w, b"results", FileScan::Held).await;
        w.decide(EffectClass::Scan, EffectMode::Live).await;
        let stopped = production(&w, &files, Stopped);
        assert!(stopped.is_connected(EffectClass::Scan));
        for _ in 0..20 {
            let report = stopped.run_due().await.unwrap();
            assert_eq!(report, Report { waiting: 1, ..Report::default() });
            assert_eq!(w.intents().await, ["waiting 0 no connector of its class is there"]);
            assert_eq!(stands(&w, &file).await, ("held -".to_owned(), false));
            w.later(60);
            let released = release(&w.db, EffectClass::Scan).await.unwrap();
            assert_eq!(released, Released { queued: 1, expired: 0 });
        }
        assert_eq!(production(&w, &files, Finds(None)).run_due().await.unwrap().done, 1);
        assert_eq!(stands(&w, &file).await, ("clean -".to_owned(), true));
    }
}

both! {
    Production,
    /// What a scanner calls it is kept without what no database takes, and not at any length.
    async fn a_threat_with_a_strange_name(w) {
        let files = Files::new().await;
        let file = files.put(&w, b"results", FileScan::Pending).await;
        w.decide(EffectClass::Scan, EffectMode::Live).await;
        let name: &str = format!("Win.Te\u{0}st\n{}", "x".repeat(1_000)).leak();
        assert_eq!(production(&w, &files, Finds(Some(name))).run_due().await.unwrap().done, 1);
        let (stood, _) = stands(&w, &file).await;
        assert_eq!(stood, format!("found Win.Test{}", "x".repeat(192)));
        assert_eq!(told(&w).await, 1);
    }
}
