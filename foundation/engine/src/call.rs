//! What an operation gets: the request it serves and the transaction it is in.

use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::sync::Arc;

use jiff::tz::TimeZone;
use parking_lot::Mutex;
use ward_instance::{Instance, Timestamp};
use ward_store::blobs::BlobStore;
use ward_store::{Actor, Db, Role, Scope, Uuid};

use crate::reads::Reads;
use crate::trail::Trail;
use crate::version::ViewId;
use crate::work::Work;

/// A file that came with the request, already on disk; gone from there when
/// the request is, however that ends.
#[derive(Debug)]
pub struct Upload {
    /// The name its sender gave it; never used as a path.
    pub file_name: String,
    /// The type its sender claims.
    pub content_type: String,
    /// Where its bytes are, until the request ends.
    pub path: PathBuf,
    /// How many bytes.
    pub byte_size: u64,
}

impl Drop for Upload {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// One request: who asks, which view, and the instance that answers.
pub struct Request {
    /// The instance.
    pub instance: Arc<Instance>,
    /// The store, for what must happen before a transaction.
    pub db: Db,
    /// File contents.
    pub blobs: Option<Arc<dyn BlobStore>>,
    /// Who asks.
    pub actor: Arc<Actor>,
    /// The view of the schema that was asked for.
    pub view: ViewId,
    /// The instance's logical time when the request came.
    pub now: Timestamp,
    /// The time zone of the answer.
    pub zone: TimeZone,
    /// Files that came with it.
    pub uploads: Vec<Upload>,
    /// Its number, on the answer and in the logs.
    pub request_id: String,
    /// `Idempotency-Key`, when sent.
    pub idempotency_key: Option<String>,
    /// The event that made the caller ask: `X-Causation-Id`, when sent.
    pub caused_by: Option<Uuid>,
    /// The caller's address, for back-off and refusals.
    pub address: String,
    /// The session that the credential is, if it is one.
    pub session: Option<String>,
    /// Whether new organizations may sign up.
    pub sign_up_open: bool,
    /// Whether nothing may be written, as while the instance is quarantined: what follows from
    /// reading is not written either.
    pub read_only: bool,
    /// The instance's public address, without trailing slash.
    pub base_url: String,
    /// Which clients its answer has read so far.
    pub reads: Reads,
    /// What was refused in `messages`, where no error code tells of it.
    pub refused: RefusedCodes,
    /// What it has cost so far, where fields do not tell.
    pub work: Work,
    /// What came of it, where somebody wants to know.
    pub trail: Option<Trail>,
}

/// Refusals that an operation wants in the audit log, each by its code.
#[derive(Debug, Default)]
pub struct RefusedCodes(Mutex<Vec<&'static str>>);

impl RefusedCodes {
    /// Takes what was noted.
    pub fn take(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.0.lock())
    }
}

impl Request {
    /// Whether the credential is a session that still awaits its second factor:
    /// a session of nobody in particular yet (behaviour 3.2).
    pub fn awaits_code(&self) -> bool {
        self.actor.role == Role::Anonymous && self.session.is_some()
    }

    /// Notes a refusal that the audit log is to tell of, though the answer says it
    /// in `messages` and has no error code: a wrong password.
    pub fn note_refusal(&self, code: &'static str) {
        self.refused.0.lock().push(code);
    }
}

impl Request {
    /// The same request as another person's: who just signed in reads the answer
    /// with their own eyes, whoever asked. Without its files and its key.
    pub fn seen_by(&self, actor: &Actor) -> Request {
        Request {
            instance: self.instance.clone(),
            db: self.db.clone(),
            blobs: self.blobs.clone(),
            actor: Arc::new(actor.clone()),
            view: self.view,
            now: self.now,
            zone: self.zone.clone(),
            uploads: Vec::new(),
            request_id: self.request_id.clone(),
            idempotency_key: None,
            caused_by: None,
            address: self.address.clone(),
            session: self.session.clone(),
            sign_up_open: self.sign_up_open,
            read_only: self.read_only,
            base_url: self.base_url.clone(),
            reads: Reads::default(),
            refused: RefusedCodes::default(),
            work: Work::default(),
            trail: None,
        }
    }
}

/// A mutation at work: its request, and the scope of its transaction.
pub struct Call<'a> {
    /// The transaction with its actor.
    pub scope: Scope<'a>,
    /// The request.
    pub request: &'a Request,
}

impl<'a> Deref for Call<'a> {
    type Target = Scope<'a>;
    fn deref(&self) -> &Scope<'a> {
        &self.scope
    }
}

impl DerefMut for Call<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.scope
    }
}
