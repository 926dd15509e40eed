//! The end of a population's export: a list of what is in it and of what is not, written page by page.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use ward_engine::{Answer, Call, Request, errands};
use ward_identity::picture::{Named, NewFile};
use ward_identity::sealing::{Sealing, Shelf};
use ward_identity::tables::USERS;
use ward_instance::Timestamp;
use ward_store::jobs::Job;
use ward_store::{
    Actor, Cond, Db, Id, Level, OrderKey, Query, Reader, Record, Scope, Select, StoreError, Tx,
    Value, read_selected,
};

use ward_documents::tables::{DOCUMENTS, Document, Folder};
use ward_documents::{EXPORT_TYPE, MANIFEST_TYPE};

use super::course::Course;
use super::{Place, population, put};

/// The largest list.
const BYTES_MAX: u64 = 1 << 30;
/// Documents are read so many at a time.
const PAGE_ROWS: i64 = 500;
/// What refusals are told of.
const AT: &str = "base";

/// Writes the manifest and ends the job. `stopped` says why there is not all of it.
pub(crate) async fn finish(
    db: &Db,
    job: &Job,
    (course, stopped): (Course, Option<&'static str>),
    request: Arc<Request>,
) -> Answer<()> {
    let file = Arc::new(written(&request, &course, stopped).await?);
    let (folder, job) = (course.folder, job.clone());
    let kept = db.write(move |tx| {
        let (request, file, job) = (request.clone(), file.clone(), job.clone());
        Box::pin(async move { kept(tx, &request, (&*file, folder), &job).await })
    });
    kept.await
}

async fn kept(
    tx: &mut Tx,
    request: &Request,
    (file, folder): (&NewFile, i64),
    job: &Job,
) -> Answer<()> {
    let mut call = Call { scope: Scope::new(tx, &request.actor), request };
    let folder = call.visible_for_update(Id::<Folder>::new(folder), Level::Full).await?;
    // Without its folder it is not wanted any more.
    if let Some((folder, _)) = folder {
        let unit_id = call.actor.unit_id;
        let place = Place { folder: Some(folder.id), ..Place::default() };
        put(&mut call, file, (unit_id, None), ("manifest.json".to_owned(), place)).await?;
    }
    errands::end(call.scope.tx, job).await
}

/// The list as a file, sealed as it is written: what lies in memory is a page of it.
async fn written(request: &Request, course: &Course, stopped: Option<&str>) -> Answer<NewFile> {
    let named = Named {
        file_name: "manifest.json",
        content_type: MANIFEST_TYPE,
        at: AT,
        bytes_max: BYTES_MAX,
    };
    let mut out = Sealing::begin(&Shelf::of(request, AT)?, 0, &named).await?;
    let mut reader = request.db.snapshot().await?;
    let unseen = unseen(&mut reader, request, course).await?;
    let head = pretty(&head(request, course, stopped, unseen))?;
    let head = head.trim_end().trim_end_matches('}').trim_end();
    out.write(format!("{head},\n  \"archives\": [").as_bytes()).await?;
    let mut after = 0;
    let mut comma = "";
    loop {
        let documents = page(&mut reader, request, course, after).await?;
        for document in &documents {
            if let Some(line) = line(document, course.folder) {
                out.write(format!("{comma}\n    {line}").as_bytes()).await?;
                comma = ",";
            }
        }
        match documents.last() {
            Some(last) => after = last.id.0,
            None => break,
        }
    }
    out.write(b"\n  ]\n}\n").await?;
    out.finish().await
}

fn pretty(json: &Json) -> Answer<String> {
    let text = serde_json::to_string_pretty(json);
    Ok(text.map_err(|error| StoreError::internal(error.to_string()))?)
}

/// All but the archives. Of clients whom the asker does not see there is a number, and no name.
fn head(request: &Request, course: &Course, stopped: Option<&str>, unseen: i64) -> Json {
    let left_out = course.left_out.iter();
    let left_out = left_out.map(|(id, why)| json!({ "client_id": id.to_string(), "reason": why }));
    json!({
        "environment": request.instance.kind().as_str(),
        "made_by": request.base_url,
        "begun_at": Timestamp(course.began).to_string(),
        "made_at": request.now.to_string(),
        "includes_archived_clients": course.archived,
        "is_complete": stopped.is_none() && course.left_out.is_empty(),
        "stopped": stopped,
        "archives_made": course.made,
        "left_out": left_out.collect::<Vec<Json>>(),
        "more_left_out": course.more_left_out,
        "clients_not_seen_by_the_asker": unseen,
    })
}

/// An archive, unless it is of another export.
fn line(document: &Document, folder: i64) -> Option<Json> {
    let said = document.metadata.as_ref()?;
    let said: Json = serde_json::from_str(&said.0).ok()?;
    if said["population_export"].as_str() != Some(folder.to_string().as_str()) {
        return None;
    }
    Some(json!({
        "client_id": document.rel_user_id?.to_string(),
        "document_id": document.id.to_string(),
        "byte_size": document.byte_size,
        "sha256": said["sha256"],
        "made_at": document.created_at.to_string(),
    }))
}

/// The next archives of the asker's that are not older than this export.
async fn page(
    reader: &mut Reader,
    request: &Request,
    course: &Course,
    after: i64,
) -> Answer<Vec<Document>> {
    let width = DOCUMENTS.columns.len();
    let mut select = Select::new(&DOCUMENTS, &request.actor);
    select.columns = (0..width).collect();
    select.least = Level::Full;
    let behind = Cond::sql("{t}.id > ?", [after.into()]);
    let since = Cond::sql("{t}.created_at >= ?", [course.began.into()]);
    let own = Cond::eq("owner_id", course.asker).and(Cond::eq("file_content_type", EXPORT_TYPE));
    select.filter = own.and(since).and(behind);
    select.order = vec![OrderKey::column("id", false)];
    select.limit = Some(PAGE_ROWS);
    let rows = read_selected(reader, &request.db, &select).await?;
    let record = |row: &[Value]| {
        let values = row.get(..width).unwrap_or_default();
        Document::from_values(values).map_err(|column| StoreError::corrupt("documents", column))
    };
    Ok(rows.iter().map(record).collect::<Result<_, StoreError>>()?)
}

/// How many clients of the asker's units there are whom the asker does not see.
async fn unseen(reader: &mut Reader, request: &Request, course: &Course) -> Answer<i64> {
    let actor = &*request.actor;
    let system = Actor::system(actor.org_id);
    let clients = population::clients(course.archived);
    let mut seen = Select::new(&USERS, actor);
    seen.least = Level::Full;
    seen.filter = clients.clone();
    let mut all = Select::new(&USERS, &system);
    all.filter = clients.and(actor.units("unit_id"));
    let mut counts = [0; 2];
    for (count, select) in counts.iter_mut().zip([&seen, &all]) {
        let rows = reader.rows(&select.count_sql()).await?;
        *count = rows.scalar().and_then(Value::int).unwrap_or_default();
    }
    let [seen, all] = counts;
    Ok((all - seen).max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The head ends where the archives begin.
    #[test]
    fn the_head_goes_on() {
        let head = pretty(&json!({ "a": { "b": 1 }, "c": [] })).unwrap();
        let head = head.trim_end().trim_end_matches('}').trim_end();
        let whole = format!("{head},\n  \"archives\": [\n  ]\n}}\n");
        let read: Json = serde_json::from_str(&whole).unwrap();
        assert_eq!(read, json!({ "a": { "b": 1 }, "c": [], "archives": [] }));
    }
}
