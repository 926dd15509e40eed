//! `exportClientEhi`: everything that is stored of a client, as one archive among the documents of
//! whoever asked (45 CFR 170.315(b)(10), DOM-39). `plan` says which rows that are, `read` reads
//! them, `bundle` makes resources of FHIR R4 of them, `page` what people and programs read
//! otherwise, `zip` and `pack` put it together.
//!
//! `exportPopulationEhi`: the same of every client, one archive after another: `population` begins
//! it, `course` is how far it is, `walk` takes the next step, `manifest` ends it. `expire` deletes
//! what either made once its time is over, `quarantine` what may hold a file in which malware was
//! found. `consent` is what clients have consented to: an archive that is made by one is for its
//! recipient.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod bundle;
pub mod consent;
pub mod course;
pub mod expire;
pub mod job;
mod manifest;
pub mod notice;
pub mod pack;
pub mod page;
pub mod plan;
pub mod population;
pub mod quarantine;
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
use ward_store::jobs;
use ward_store::{Actor, Cond, Id, Json, Level, Query, Reader, Select, Table, Watch};

use ward_documents::tables::{Document, Folder};
use ward_documents::{events, viewing};

use self::consent::grant;
use self::consent::table::{DISCLOSURE_CONSENTS, DisclosureConsent};

/// What an archive begins to say where it is from with; the environment's word follows.
pub const MARK: &str = "ward-export-environment: ";

/// What the mutation answers.
pub const RETURNS: &[(&str, Returns)] = &[("success_string", Returns::Leaf)];

const AT: &str = "client_id";
const MADE: &str = "The export of the client is among your documents";
const FOUND: &str =
    "Malware was found in a file of the client while the export was made; ask for it again";
const BEGUN: &str = "The export of the client is being made and will be among your documents";

/// The tables of the domain.
pub fn tables() -> Vec<&'static Table> {
    vec![&DISCLOSURE_CONSENTS]
}

/// Binds the domain's fields.
pub fn bind(b: &mut Bindings) {
    b.mutation_prepared(
        "exportClientEhi",
        RETURNS,
        |request, input| Box::pin(prepare(request, input)),
        op!(export),
    );
    b.mutation("exportPopulationEhi", population::RETURNS, op!(population::begin));
    consent::bindings::bind(b);
}

input! {
    /// `exportClientEhiInput`.
    pub struct ExportClientEhi {
        client_id: IdOrBlank<User>,
        should_run_in_job: bool,
        /// An addition: for whom the archive is, and what is in it.
        disclosure_consent_id: IdOrBlank<DisclosureConsent>,
    }
}

/// What was done before the transaction.
pub struct Prepared {
    client: Seen,
    /// By which the archive is disclosed; none where it is for the client.
    consent: Option<DisclosureConsent>,
    /// The archive; none where a job is to make it.
    file: Option<pack::Packed>,
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
    let consent = match grant::named(&input.disclosure_consent_id)? {
        Some(consent) => Some(grant::granted(&request, &actor, client.id, consent).await?),
        None => None,
    };
    let file = match input.should_run_in_job.is_true() {
        true => None,
        false => Some(pack::archive(&request, id.0, consent.as_ref()).await?),
    };
    Ok(Prepared { client, consent, file })
}

/// Puts the archive among the caller's documents, or the job that will.
pub async fn export(call: &mut Call<'_>, prepared: &Prepared) -> Answer<Payload> {
    requires(call.actor, CAN_VIEW_REPORTS)?;
    let (client, consent) = (prepared.client, prepared.consent.as_ref());
    if let Some(consent) = consent {
        grant::still_granted(call, client.id, consent.id).await?;
    }
    let Some(file) = &prepared.file else {
        jobs::enqueue(call.scope.tx, job::asked(call.actor, client.id, consent)).await?;
        return Ok(Payload::new().leaf("success_string", BEGUN));
    };
    keep(call, client, file, Place::by(consent)).await?;
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

/// Where an archive is kept, what is said of it for programs, and by which consent it was made.
#[derive(Clone, Debug, Default)]
struct Place<'a> {
    folder: Option<Id<Folder>>,
    metadata: Option<Json>,
    consent: Option<&'a DisclosureConsent>,
}

impl<'a> Place<'a> {
    /// In no folder, by this consent or by none.
    fn by(consent: Option<&'a DisclosureConsent>) -> Self {
        let said = |it: &DisclosureConsent| {
            Json(serde_json::json!({ "disclosure_consent": it.id.to_string() }).to_string())
        };
        Place { folder: None, metadata: consent.map(said), consent }
    }
}

/// The document of an archive: the caller's, about the client, in nobody's chart and shared with
/// nobody.
async fn keep(
    call: &mut Call<'_>,
    client: Seen,
    packed: &pack::Packed,
    place: Place<'_>,
) -> Answer<()> {
    // Still there, still seen: as `prepare` found it.
    let user = ward_clients::access::seen_user(call, client.id, AT).await?;
    // What was found in a file meanwhile is found before this or behind it, and then deletes it.
    let org_id = call.actor.org_id;
    if quarantine::is_found(call.scope.tx, org_id, &packed.unlooked).await? {
        return Err(Refused::on(AT, FOUND));
    }
    call.scope.subject_id = Some(client.id.0);
    let consent = place.consent;
    let name = match consent {
        Some(consent) => format!("Records of client {} by consent {}", client.id, consent.id),
        None => format!("Export of client {}", client.id),
    };
    let document =
        put(call, &packed.file, (client.unit_id, Some(client.id)), (name, place)).await?;
    if let Some(consent) = consent {
        grant::account(call, &user, consent, document.0);
    }
    Ok(())
}

/// A document of the caller's out of a file that was made: of a unit, about a client or nobody, with
/// a name, at a place.
async fn put(
    call: &mut Call<'_>,
    file: &NewFile,
    (unit_id, client): (i64, Option<Id<User>>),
    (display_name, place): (String, Place<'_>),
) -> Answer<Id<Document>> {
    let owner = call.actor.user_id;
    let file_id = picture::register_made(call, file, (unit_id, owner), viewing::PURPOSE).await?;
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
        printed_of: None,
        printed_confidential: None,
        disclosure_consent_id: place.consent.map(|it| Id::new(it.id.0)),
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
    Ok(document.id)
}
