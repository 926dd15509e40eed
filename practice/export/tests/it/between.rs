//! DOM-31: an archive is made before the transaction that keeps it. What became of its consent meanwhile
//! counts, and nothing is kept by one that is not good any more.

use std::sync::Arc;

use serde_json::json;
use ward_engine::{Answer, Call, Given, Refused, Request};
use ward_export::{ExportClientEhi, Prepared, export, prepare};
use ward_identity::id_or_blank::IdOrBlank;
use ward_store::{Id, Scope, Tx};

use crate::support::World;

const KEPT: &str = "SELECT COUNT(*) FROM documents d WHERE d.deleted_at IS NULL \
     AND d.disclosure_consent_id IS NOT NULL";
const DAY_MICROS: i64 = 86_400_000_000;

/// A client's archive by their consent, made and not kept yet.
async fn packed(w: &World, client: &str, consent: &str) -> (Arc<Request>, Arc<Prepared>) {
    let request = Arc::new(w.request());
    let input = ExportClientEhi {
        client_id: Given::Value(IdOrBlank(Some(Id::new(client.parse().unwrap())))),
        should_run_in_job: Given::Absent,
        disclosure_consent_id: Given::Value(IdOrBlank(Some(Id::new(consent.parse().unwrap())))),
    };
    let prepared = prepare(request.clone(), input).await.unwrap();
    (request, Arc::new(prepared))
}

/// Keeps it, or why it is not kept.
pub async fn keeps(w: &World, packed: (Arc<Request>, Arc<Prepared>)) -> Answer<()> {
    let done = w.db.write(move |tx| {
        let (request, prepared) = packed.clone();
        Box::pin(async move { kept(tx, &request, &prepared).await })
    });
    done.await
}

async fn kept(tx: &mut Tx, request: &Request, prepared: &Prepared) -> Answer<()> {
    let mut call = Call { scope: Scope::new(tx, &request.actor), request };
    export(&mut call, prepared).await.map(drop)
}

/// The one sentence of a refusal.
pub fn sentence(done: Answer<()>) -> String {
    match done {
        Err(Refused::Problems(problems)) => problems[0].message.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn dom_31_a_consent_revoked_while_an_archive_is_made_discloses_nothing() {
    World::each(async |w| {
        let client = w.client("Ada", "a@example.com").await;
        let consent = w.consent(&client, None).await;
        let (first, second) =
            (packed(&w, &client, &consent).await, packed(&w, &client, &consent).await);
        keeps(&w, first).await.unwrap();
        assert_eq!(w.number(KEPT).await, 1);
        let revoked = json!({ "id": consent });
        let selects = "disclosure_consent { revoked_at }";
        let done = w.mutate("revokeDisclosureConsent", selects, revoked).await;
        assert!(done["disclosure_consent"]["revoked_at"].is_string(), "{done}");
        // What was kept before goes with it, and what was not is not kept.
        assert_eq!(w.number(KEPT).await, 0);
        let refused = sentence(keeps(&w, second).await);
        assert!(refused.contains("was revoked"), "{refused}");
        assert_eq!(w.number(KEPT).await, 0);
    })
    .await;
}

#[tokio::test]
async fn dom_31_a_consent_that_ends_while_an_archive_is_made_discloses_nothing() {
    World::each(async |w| {
        let client = w.client("Bea", "b@example.com").await;
        let consent = w.consent(&client, Some(2)).await;
        let (first, second) =
            (packed(&w, &client, &consent).await, packed(&w, &client, &consent).await);
        keeps(&w, first).await.unwrap();
        // The request came when it was good yet.
        w.instance.clock().advance(5 * DAY_MICROS);
        let refused = sentence(keeps(&w, second).await);
        assert!(refused.contains("has expired"), "{refused}");
        // What was made by it in time stays.
        assert_eq!(w.number(KEPT).await, 1);
    })
    .await;
}
