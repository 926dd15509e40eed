//! The export of a population at work: one client a step, by the job that asked for it, which is
//! given back behind each of them. What a step made and how far it is are written in one
//! transaction, so a kill repeats the last client and no other.

use std::sync::Arc;

use ward_engine::{Answer, Call, Refused, Request, errands};
use ward_instance::text::hex;
use ward_store::blobs::{self, DEFAULT_QUOTA_BYTES};
use ward_store::jobs::Job;
use ward_store::{Actor, Cond, Db, Id, Json, Level, Query, Scope, StoreError, Tx};

use ward_documents::tables::Folder;

use super::course::Course;
use super::{Place, Seen, job, keep, manifest, pack, population, seen_by};

/// The way of the access log.
const PATH: &str = "exportPopulationEhi";
/// So much room an export leaves in the storage of an organization: it is not to be what stops the
/// practice from working.
const ROOM_BYTES: i64 = 256 << 20;
/// Why an export ends early.
pub(crate) const NO_ROOM: &str = "The organization's file storage is nearly used up";

/// Why there is no archive of a client at whom every attempt but the last one failed.
const NOT_MADE: &str = "The archive could not be made";

/// Takes the next step: the archive of a client, or the manifest behind the last one. The asker may
/// what they may at this moment.
pub(crate) async fn step(
    db: &Db,
    job: &Job,
    as_asker: &(impl Fn(Actor) -> Request + Sync),
) -> Answer<()> {
    let course = Course::of(job)?;
    let asker = job::asker(db, job.org_id, course.asker).await?;
    let Some(asker) = asker.filter(|it| population::may(it).is_ok()) else {
        // They may not have it any more: nothing further is made or told.
        return errands::ended(db, job).await;
    };
    let request = Arc::new(as_asker(asker));
    if room(&request).await? <= 0 {
        return manifest::finish(db, job, (course, Some(NO_ROOM)), request).await;
    }
    match next(&request, &course).await? {
        // Nobody behind a client waits for ever because of theirs.
        Some(client) if job.attempts >= job.max_attempts - 1 => {
            goes_on(db, job, course.without(client.id.0, NOT_MADE.to_owned())).await
        }
        Some(client) => one(db, job, course, (request, client)).await,
        None => manifest::finish(db, job, (course, None), request).await,
    }
}

/// How many bytes more the organization may store.
async fn room(request: &Request) -> Result<i64, StoreError> {
    room_of(&mut request.db.read().await?, request.actor.org_id).await
}

/// The same before it is begun.
pub(crate) async fn room_of(q: &mut impl Query, org_id: i64) -> Result<i64, StoreError> {
    let used = blobs::used_bytes(q, org_id).await?;
    Ok(DEFAULT_QUOTA_BYTES.saturating_sub(ROOM_BYTES).saturating_sub(used))
}

/// Whose turn it is.
async fn next(request: &Request, course: &Course) -> Answer<Option<Seen>> {
    let behind = Cond::sql("{t}.id > ?", [course.after.into()]);
    let which = population::clients(course.archived).and(behind);
    seen_by(&mut request.db.read().await?, &request.actor, which).await
}

async fn one(
    db: &Db,
    job: &Job,
    course: Course,
    (request, client): (Arc<Request>, Seen),
) -> Answer<()> {
    let file = match pack::archive(&request, client.id.0, None).await {
        Ok(file) => file,
        Err(refused @ Refused::Store(_)) => return Err(refused),
        Err(refused) => {
            let why = job::said(&refused);
            return goes_on(db, job, course.without(client.id.0, why)).await;
        }
    };
    if room(&request).await? < file.file.byte_size() {
        return goes_on(db, job, course.without(client.id.0, NO_ROOM.to_owned())).await;
    }
    job::log(&request, PATH, client).await?;
    let (file, job) = (Arc::new(file), job.clone());
    let kept = db.write(move |tx| {
        let (request, file) = (request.clone(), file.clone());
        let (course, job) = (course.clone(), job.clone());
        Box::pin(async move { written(tx, &request, (client, &*file), (course, &job)).await })
    });
    kept.await
}

/// The archive among the documents of whoever asked, and the job behind this client. Where the folder
/// was deleted, nothing is wanted any more.
async fn written(
    tx: &mut Tx,
    request: &Request,
    (client, file): (Seen, &pack::Packed),
    (course, job): (Course, &Job),
) -> Answer<()> {
    let mut call = Call { scope: Scope::new(tx, &request.actor), request };
    let Some(course) = with_folder(&mut call, course).await? else {
        return errands::end(call.scope.tx, job).await;
    };
    let said = serde_json::json!({
        "population_export": course.folder.to_string(),
        "sha256": hex(&file.file.stored().sha256),
    });
    let place = Place {
        folder: Some(Id::new(course.part)),
        metadata: Some(Json(said.to_string())),
        consent: None,
    };
    keep(&mut call, client, file, place).await?;
    errands::go_on(call.scope.tx, job, &course.with(client.id.0).json()).await
}

/// The course with a folder that has room; nothing where its first one is not there any more.
async fn with_folder(call: &mut Call<'_>, course: Course) -> Answer<Option<Course>> {
    let first = Id::<Folder>::new(course.folder);
    // Held, so that nobody deletes them while something is put into them.
    let Some((first, _)) = call.visible_for_update(first, Level::Full).await? else {
        return Ok(None);
    };
    let part = Id::<Folder>::new(course.part);
    let is_there = part == first.id || call.visible_for_update(part, Level::Full).await?.is_some();
    if course.is_part_full() || !is_there {
        let name = format!("{}, part {}", first.name, course.parts + 1);
        let part = population::folder(call, name, Some(first.id)).await?;
        return Ok(Some(course.in_part(part.id.0)));
    }
    Ok(Some(course))
}

/// Goes on behind a client of whom there is no archive.
async fn goes_on(db: &Db, job: &Job, course: Course) -> Answer<()> {
    let (job, payload) = (job.clone(), course.json());
    let done = db.write(move |tx| {
        let (job, payload) = (job.clone(), payload.clone());
        Box::pin(async move { errands::go_on(tx, &job, &payload).await })
    });
    done.await
}
