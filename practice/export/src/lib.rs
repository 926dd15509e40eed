//! `exportClientEhi`: everything that is stored of a client, as one archive among the documents of
//! whoever asked (45 CFR 170.315(b)(10), DOM-39). `plan` says which rows that are, `read` reads
//! them, `bundle` makes resources of FHIR R4 of them, `page` what people and programs read
//! otherwise, `zip` and `pack` put it together.
//!
//! `exportPopulationEhi`: the same of every client, one archive after another: `population` begins
//! it, `course` is how far it is, `walk` takes the next step, `manifest` ends it. `expire` deletes
//! what either made once its time is over.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod bundle;
pub mod course;
pub mod expire;
pub mod job;
mod manifest;
pub mod notice;
pub mod pack;
pub mod page;
pub mod plan;
pub mod population;
mod read;
mod walk;
mod zip;

use std::sync::Arc;

use ward_engine::{Answer, Bindings, Call, Payload, Refused, Request, Returns, input, op};
use ward_identity::flags::CAN_VIEW_REPORTS;
use ward_identity::id_or_blank::{IdOrBlank, named};
use ward_identity::permit::requires;
use ward_identity::picture::{self, NewFile};
use ward_identity::tables::{USERS, User, users};
use ward_store::jobs::{self, NewJob};
use ward_store::{Actor, Cond, Id, Json, Level, Query, Reader, Select, Watch};

use ward_documents::tables::{Document, Folder};
use ward_documents::{events, viewing};

/// What an archive begins to say where it is from with; the environment's word follows.
pub const MARK: &str = "ward-export-environment: ";

/// What the mutation answers.
pub const RETURNS: &[(&str, Returns)] = &[("success_string", Returns::Leaf)];

const AT: &str = "client_id";
const MADE: &str = "The export of the client is among your documents";
const BEGUN: &str = "The export of the client is being made and will be among your documents";

/// Binds the domain's mutations.
pub fn bind(b: &mut Bindings) {
    b.mutation_prepared(
        "exportClientEhi",
        RETURNS,
        |request, input| Box::pin(prepare(request, input)),
        op!(export),
    );
    b.mutation("exportPopulationEhi", population::RETURNS, op!(population::begin));
}

input! {
    /// `exportClientEhiInput`.
    pub struct ExportClientEhi {
        client_id: IdOrBlank<User>,
        should_run_in_job: bool,
    }
}

/// What was done before the transaction.
pub struct Prepared {
    client: Seen,
    /// The archive; none where a job is to make it.
    file: Option<NewFile>,
}

/// A client whom somebody may have an archive of.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    id: Id<User>,
    unit_id: i64,
    watch: Watch,
}

/// Decides whether the caller may have it and, unless a job is to, makes the archive.
pub async fn prepare(request: Arc<Request>, input: ExportClientEhi) -> Answer<Prepared> {
    requires(&request.actor, CAN_VIEW_REPORTS)?;
    let id = named(&input.client_id).ok_or_else(|| Refused::not_found(AT))?;
    // A broken glass opens the chart to be read, not to be carried away.
    let actor = Actor { glass_at: Actor::NO_BREAK_GLASS, ..request.actor.as_ref().clone() };
    let seen = seen(&mut request.db.read().await?, &actor, id).await?;
    let client = seen.ok_or_else(|| Refused::not_found(AT))?;
    let file = match input.should_run_in_job.is_true() {
        true => None,
        false => Some(pack::archive(&request, id.0).await?),
    };
    Ok(Prepared { client, file })
}

/// Puts the archive among the caller's documents, or the job that will.
pub async fn export(call: &mut Call<'_>, prepared: &Prepared) -> Answer<Payload> {
    requires(call.actor, CAN_VIEW_REPORTS)?;
    let client = prepared.client;
    let Some(file) = &prepared.file else {
        let what = serde_json::json!({ "client": client.id.0, "asker": call.actor.user_id });
        // Asked again while it is being made, there is one archive.
        let key = format!("{}-{}", call.actor.user_id, client.id.0);
        let job =
            NewJob { dedupe_key: Some(key), ..NewJob::new(call.actor.org_id, job::KIND, what) };
        jobs::enqueue(call.scope.tx, job).await?;
        return Ok(Payload::new().leaf("success_string", BEGUN));
    };
    keep(call, client, file, Place::default()).await?;
    // Whose data leaves is in the access log before the answer does.
    let watch = client.watch.max(Watch::Restricted);
    call.request.reads.note("exportClientEhi", [(client.id.0, watch)]);
    Ok(Payload::new().leaf("success_string", MADE))
}

/// A client whom the actor sees in full.
async fn seen(reader: &mut Reader, actor: &Actor, id: Id<User>) -> Answer<Option<Seen>> {
    seen_by(reader, actor, Cond::eq("id", id.0).and(Cond::is_true("is_patient"))).await
}

/// The first, by id, of the clients that meet the condition and that the actor sees in full.
async fn seen_by(reader: &mut Reader, actor: &Actor, which: Cond) -> Answer<Option<Seen>> {
    let mut select = Select::new(&USERS, actor).ordered(Vec::new());
    select.columns = vec![users::id, users::unit_id];
    select.least = Level::Full;
    select.filter = which;
    select.with_subject = true;
    select.limit = Some(1);
    let rows = reader.rows(&select.sql()).await?;
    let row = rows.iter().next();
    // The columns, whose row it is and how closely it is watched, the level.
    let found =
        row.and_then(|row| Some((row.first()?.int()?, row.get(1)?.int()?, row.get(3)?.int())));
    Ok(found.map(|(id, unit_id, watch)| Seen {
        id: Id::new(id),
        unit_id,
        watch: watch.map_or(Watch::BrokenGlass, Watch::from_number),
    }))
}

/// Where an archive is kept, and what is said of it for programs.
#[derive(Clone, Debug, Default)]
struct Place {
    folder: Option<Id<Folder>>,
    metadata: Option<Json>,
}

/// The document of an archive: the caller's, about the client, in nobody's chart and shared with
/// nobody.
async fn keep(call: &mut Call<'_>, client: Seen, file: &NewFile, place: Place) -> Answer<()> {
    // Still there, still seen: as `prepare` found it.
    ward_clients::access::seen_user(call, client.id, AT).await?;
    call.scope.subject_id = Some(client.id.0);
    let name = format!("Export of client {}", client.id);
    put(call, file, (client.unit_id, Some(client.id)), (name, place)).await
}

/// A document of the caller's out of a file that was made: of a unit, about a client or nobody, with
/// a name, at a place.
async fn put(
    call: &mut Call<'_>,
    file: &NewFile,
    (unit_id, client): (i64, Option<Id<User>>),
    (display_name, place): (String, Place),
) -> Answer<()> {
    let owner = call.actor.user_id;
    let file_id = picture::register(call, file, unit_id, owner, viewing::PURPOSE).await?;
    let now = call.now();
    let document = Document {
        id: call.next_id().await?,
        org_id: Id::new(call.actor.org_id),
        unit_id: Id::new(unit_id),
        owner_id: Id::new(owner),
        rel_user_id: client,
        folder_id: place.folder,
        file_id,
        display_name,
        file_name: file.file_name.clone(),
        file_content_type: file.content_type().to_owned(),
        byte_size: file.byte_size(),
        description: None,
        internal_notes: None,
        metadata: place.metadata,
        include_in_charting: false,
        shared_on_welcome: false,
        shared_with_dietitians: false,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    call.create(&document).await?;
    call.emit(events::document_created(&document));
    Ok(())
}
