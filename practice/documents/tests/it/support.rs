//! A practice with an owner, members and an engine that answers both views.

use std::ops::Deref;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use ward_engine::{Request, UPLOAD, Upload, ViewId};
use ward_instance::Clock;
use ward_practice_tests::{Plan, Practice, Premises, domains, each};
use ward_store::blobs::{BlobFacts, FileScan};
use ward_store::{Actor, StoreError, Uuid, blobs};

/// The domain, and those that its tests need.
static PLAN: Plan = Plan {
    domains: domains![ward_identity, ward_clients, ward_scheduling, ward_charting, ward_documents],
    clock: Clock::system,
};

/// A test's world, gone with it.
pub struct World {
    practice: Practice,
}

impl Deref for World {
    type Target = Practice;

    fn deref(&self) -> &Practice {
        &self.practice
    }
}

impl World {
    /// Runs a test in a world of its own on SQLite, then in one on PostgreSQL.
    pub async fn each(test: impl AsyncFn(World)) {
        let enter = async |premises: Premises| World { practice: Practice::of(premises).await };
        each(&PLAN, enter, test).await;
    }

    /// Runs a mutation of one input object; its payload, which must be there.
    pub async fn mutate(&self, actor: &Actor, field: &str, selects: &str, input: Json) -> Json {
        let answer = self.mutation(actor, field, selects, input).await;
        let payload = &answer["data"][field];
        assert!(!payload.is_null(), "{answer}");
        payload.clone()
    }

    /// Uploads a file by a multipart request with its document's further input; the payload.
    pub async fn upload(&self, actor: &Actor, file: (&str, &str, &[u8]), mut input: Json) -> Json {
        let (file_name, content_type, bytes) = file;
        let path = self.path().join(self.instance.uuid());
        std::fs::write(&path, bytes).unwrap();
        let upload = Upload {
            file_name: file_name.to_owned(),
            content_type: content_type.to_owned(),
            path,
            byte_size: bytes.len() as u64,
        };
        input["file"] = json!({ UPLOAD: 0 });
        let query = "mutation($input: createDocumentInput) { createDocument(input: $input) \
            { document { id } messages { field message } } }";
        let request = Request { uploads: vec![upload], ..self.request(ViewId::V2026, actor) };
        let answer = self.ask(request, query, json!({ "input": input })).await;
        answer["data"]["createDocument"].clone()
    }

    /// A document of a few lines; its id.
    pub async fn document(&self, actor: &Actor, name: &str, mut input: Json) -> String {
        input["display_name"] = name.into();
        // "Hello" and a line's end.
        input["file_string"] = "data:text/plain;base64,SGVsbG8K".into();
        let payload = self.mutate(actor, "createDocument", "document { id }", input).await;
        assert!(payload["messages"].is_null(), "{payload}");
        payload["document"]["id"].as_str().unwrap().to_owned()
    }

    /// A folder; its id.
    pub async fn folder(&self, actor: &Actor, name: &str, mut input: Json) -> String {
        input["name"] = name.into();
        let payload = self.mutate(actor, "createFolder", "folder { id }", input).await;
        assert!(payload["messages"].is_null(), "{payload}");
        payload["folder"]["id"].as_str().unwrap().to_owned()
    }

    /// Titles of the documents that somebody lists, by name.
    pub async fn titles(&self, actor: &Actor, arguments: &str) -> Vec<String> {
        let query = format!("{{ documents{arguments} {{ nodes {{ display_name }} }} }}");
        let data = self.run(actor, &query, json!({})).await;
        let nodes = data["documents"]["nodes"].as_array().unwrap().iter();
        nodes.map(|it| it["display_name"].as_str().unwrap().to_owned()).collect()
    }

    /// A file of somebody's in which something was found, for a purpose; its id.
    pub async fn found_file(&self, owner_id: i64, purpose: &'static str) -> Uuid {
        let org = self.organization.id.0;
        let keys = {
            let mut reader = self.db.read().await.unwrap();
            self.db.keyring().of(&mut reader, org).await.unwrap()
        };
        let begun = blobs::begin(&*self.blobs, &self.instance, &keys, 1 << 20).await;
        let mut upload = begun.unwrap();
        assert!(upload.write(b"of a client").await.unwrap());
        let stored = Arc::new(upload.finish(&keys).await.unwrap());
        let id = stored.id.clone();
        let done = self.db.write(move |tx| {
            let stored = Arc::clone(&stored);
            Box::pin(async move {
                let facts = BlobFacts {
                    unit_id: org,
                    owner_id,
                    purpose: purpose.to_owned(),
                    file_name: format!("of a {purpose}.png"),
                    content_type: "image/png".to_owned(),
                    scan: Some(FileScan::Held),
                    cause: "test".to_owned(),
                };
                blobs::register(tx, &stored, facts, 1 << 30).await?;
                blobs::judge(tx, org, &stored.id, Some("Eicar-Test-Signature")).await
            })
        });
        let was = done.await.unwrap_or_else(|error: StoreError| panic!("{error}"));
        assert_eq!(was, Some(FileScan::Held));
        id
    }

    /// What a stored file holds.
    pub async fn file(&self, id: &str) -> Vec<u8> {
        let org = self.organization.id.0;
        let mut reader = self.db.read().await.unwrap();
        let keys = self.db.keyring().of(&mut reader, org).await.unwrap();
        let found = blobs::find(&mut reader, &keys, &Uuid(id.to_owned())).await.unwrap();
        let blob = found.unwrap();
        let range = 0..u64::try_from(blob.byte_size).unwrap();
        let opened = blobs::open(&*self.blobs, &self.instance, &keys, &blob, range).await;
        let mut opened = opened.unwrap();
        let mut bytes = Vec::new();
        while let Some(chunk) = opened.chunk().await.unwrap() {
            bytes.extend_from_slice(&chunk);
        }
        bytes
    }

    /// How many files are stored, those apart that wait to be cleared away.
    pub async fn files(&self) -> i64 {
        self.number("SELECT COUNT(*) FROM blobs WHERE deleted_at IS NULL").await
    }

    /// Names and changed columns of the domain's events, in order.
    pub async fn events(&self) -> Vec<String> {
        self.events_where("event_type LIKE 'document%' OR event_type LIKE 'folder%'").await
    }
}
