//! What becomes of archives when malware is found in a file that they may hold.

use std::sync::Arc;

use serde_json::json;
use ward_engine::{Given, Request};
use ward_export::quarantine::told_of_find;
use ward_export::{ExportClientEhi, Prepared, job, prepare};
use ward_identity::id_or_blank::IdOrBlank;
use ward_store::{Id, Query, Sql, StoreError, Uuid, Value, blobs};

use crate::between::{keeps, sentence};
use crate::support::World;

const ARCHIVES: &str = "SELECT COUNT(*) FROM documents d WHERE d.deleted_at IS NULL \
     AND d.file_content_type = 'application/zip'";
const FILES: &str = "SELECT COUNT(*) FROM blobs b WHERE b.deleted_at IS NULL \
     AND b.content_type = 'application/zip'";
const HOUR_MICROS: i64 = 3_600 * 1_000_000;

/// The owner says what is done with files from now on.
async fn says(w: &World, upload_scan: &str) {
    let input = json!({ "upload_scan": upload_scan });
    let said = w.mutate("updateOrganization", "organization { upload_scan }", input).await;
    assert_eq!(said["organization"]["upload_scan"], upload_scan, "{said}");
}

/// A document about a client; its file.
async fn upload(w: &World, client: &str) -> Uuid {
    // "Hello" and a line's end.
    let input = json!({ "display_name": "Letter", "rel_user_id": client,
        "file_string": "data:text/plain;base64,SGVsbG8K" });
    let made = w.mutate("createDocument", "document { id }", input).await;
    assert!(made["messages"].is_null(), "{made}");
    let id: i64 = made["document"]["id"].as_str().unwrap().parse().unwrap();
    let sql = Sql::fixed("SELECT file_id FROM documents WHERE id = $1", [id.into()]);
    let rows = w.db.read().await.unwrap().rows(&sql).await.unwrap();
    Uuid(rows.scalar().and_then(Value::text).unwrap().to_owned())
}

/// A client's archive, made and not kept yet.
pub async fn packed(w: &World, client: &str) -> (Arc<Request>, Arc<Prepared>) {
    let request = Arc::new(w.request());
    let input = ExportClientEhi {
        client_id: Given::Value(IdOrBlank(Some(Id::new(client.parse().unwrap())))),
        should_run_in_job: Given::Absent,
        disclosure_consent_id: Given::Absent,
    };
    let prepared = prepare(request.clone(), input).await.unwrap();
    (request, Arc::new(prepared))
}

async fn exported(w: &World, client: &str) {
    let packed = packed(w, client).await;
    keeps(w, packed).await.unwrap();
}

/// What the dispatcher does when a file was looked at.
async fn looked(w: &World, file: &Uuid, threat: Option<&'static str>) {
    let (org, file) = (w.org(), file.clone());
    let done = w.db.write(move |tx| {
        let file = file.clone();
        Box::pin(async move {
            let was = blobs::judge(tx, org, &file, threat).await?.unwrap();
            match threat {
                Some(threat) => told_of_find(tx, org, &file, threat, was).await,
                None => Ok(()),
            }
        })
    });
    done.await.unwrap_or_else(|error: StoreError| panic!("{error}"));
}

/// Does what is due in the background; how many jobs that were.
async fn worked(w: &World) -> u64 {
    let mut jobs = 0;
    loop {
        match job::run_batch(&w.db, |_| w.request()).await.unwrap() {
            0 => return jobs,
            some => jobs += some,
        }
    }
}

#[tokio::test]
async fn a_find_deletes_the_archives_of_the_client_whose_file_it_is() {
    World::each(async |w| {
        let ada = w.client("Ada", "a@example.com").await;
        let bea = w.client("Bea", "b@example.com").await;
        says(&w, "RELEASE").await;
        exported(&w, &ada).await;
        w.instance.clock().advance(2 * HOUR_MICROS);
        let (bad, clean) = (upload(&w, &ada).await, upload(&w, &ada).await);
        for client in [&ada, &ada, &bea] {
            exported(&w, client).await;
        }
        assert_eq!((w.number(ARCHIVES).await, w.number(FILES).await), (4, 4));
        looked(&w, &clean, None).await;
        assert_eq!(w.number(ARCHIVES).await, 4);
        looked(&w, &bad, Some("Eicar-Test-Signature")).await;
        // Nobody fetches them any more, and their documents go. The one that was made long before the
        // file was stored stays, and another client's.
        assert_eq!((w.number(ARCHIVES).await, w.number(FILES).await), (4, 2));
        assert_eq!(worked(&w).await, 1);
        assert_eq!((w.number(ARCHIVES).await, w.number(FILES).await), (2, 2));
        let told = "SELECT COUNT(*) FROM events e WHERE e.event_type = 'document.deleted'";
        assert_eq!(w.number(told).await, 2);
        exported(&w, &ada).await;
        assert_eq!(w.number(ARCHIVES).await, 3);
    })
    .await;
}

/// What nobody could read until somebody looked at it is in no archive.
#[tokio::test]
async fn a_find_in_a_file_that_was_held_deletes_no_archive() {
    World::each(async |w| {
        let ada = w.client("Ada", "a@example.com").await;
        exported(&w, &ada).await;
        says(&w, "HOLD").await;
        let (bad, let_go) = (upload(&w, &ada).await, upload(&w, &ada).await);
        exported(&w, &ada).await;
        looked(&w, &bad, Some("Eicar-Test-Signature")).await;
        assert_eq!((w.number(ARCHIVES).await, w.number(FILES).await), (2, 2));
        assert_eq!(worked(&w).await, 0);
        // Held no more, the other could be read.
        says(&w, "RELEASE").await;
        looked(&w, &let_go, Some("Eicar-Test-Signature")).await;
        assert_eq!(worked(&w).await, 1);
        assert_eq!((w.number(ARCHIVES).await, w.number(FILES).await), (0, 0));
    })
    .await;
}

#[tokio::test]
async fn an_archive_is_not_kept_in_whose_files_something_was_found_meanwhile() {
    World::each(async |w| {
        let ada = w.client("Ada", "a@example.com").await;
        says(&w, "RELEASE").await;
        let (bad, clean) = (upload(&w, &ada).await, upload(&w, &ada).await);
        let (first, second) = (packed(&w, &ada).await, packed(&w, &ada).await);
        looked(&w, &clean, None).await;
        keeps(&w, first).await.unwrap();
        looked(&w, &bad, Some("Eicar-Test-Signature")).await;
        let refused = sentence(keeps(&w, second).await);
        assert!(refused.contains("Malware was found"), "{refused}");
        assert_eq!(worked(&w).await, 1);
        assert_eq!(w.number(ARCHIVES).await, 0);
        // Made anew, it holds the file no more.
        exported(&w, &ada).await;
        assert_eq!(w.number(ARCHIVES).await, 1);
    })
    .await;
}

/// The clock of this world stands: what is found is found in one hour, until the hour is over.
#[tokio::test]
async fn finds_of_an_hour_are_told_by_one_mail() {
    const MAILS: &str = "SELECT COUNT(*) FROM effect_intents e WHERE e.kind = 'file_quarantined'";
    World::each(async |w| {
        let ada = w.client("Ada", "a@example.com").await;
        says(&w, "RELEASE").await;
        for (passed, mails) in [(0, 1), (0, 1), (HOUR_MICROS, 2), (0, 2)] {
            w.instance.clock().advance(passed);
            let file = upload(&w, &ada).await;
            looked(&w, &file, Some("Eicar-Test-Signature")).await;
            assert_eq!(w.number(MAILS).await, mails);
        }
    })
    .await;
}
