//! `GET /files/<link>`: a stored file by a signed link that ends.

use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Response, StatusCode, header};
use futures_util::stream;
use ward_charting::attachment;
use ward_charting::attachment::tables::FILE_ATTACHMENTS;
use ward_documents::tables::DOCUMENTS;
use ward_documents::viewing;
use ward_identity::authenticate;
use ward_identity::tables::USERS;
use ward_instance::token::FileLink;
use ward_messaging::attachments;
use ward_messaging::tables::NOTES;
use ward_store::access::AccessEntry;
use ward_store::blobs::{self, Download, FileScan};
use ward_store::{Actor, Cond, Query, Reader, Scope, Select, Sql, StoreError, Uuid, Value, Watch};

use crate::app::App;
use crate::guard::Facts;
use crate::respond::{self, refuse};

/// Serves the file that a link names. A link of elsewhere, altered or past its
/// time: 403; a file that is gone: 404 (behaviour 10).
pub async fn get(
    State(app): State<Arc<App>>,
    Path(link): Path<String>,
    request: Option<Extension<Facts>>,
) -> Response<Body> {
    let request = request.map(|Extension(facts)| facts);
    let link = match app.instance.open_file_link(&link) {
        Ok(link) => link,
        Err(refusal) => {
            let code = refusal.code().unwrap_or("LINK_REFUSED");
            return refuse(
                StatusCode::FORBIDDEN,
                code,
                "This link is not valid here, or its time is over. Ask for the object again to get a new one.",
            );
        }
    };
    let found = find(&app, &link, request.as_ref()).await;
    let (content_type, download) = match found {
        Ok(Found::Open(content_type, download)) => (content_type, download),
        Ok(Found::Gone) => {
            return refuse(StatusCode::NOT_FOUND, "NOT_FOUND", "The file is no longer there.");
        }
        Ok(Found::Held) => {
            return refuse(
                StatusCode::CONFLICT,
                "FILE_PENDING",
                "The file is being checked for malware and can't be read before; try again in a moment.",
            );
        }
        Ok(Found::Quarantined(threat)) => {
            return refuse(
                StatusCode::FORBIDDEN,
                "FILE_QUARANTINED",
                format!(
                    "The virus scanner found {threat} in this file; it is kept, but not handed out. \
                     Delete it, and ask whoever sent it for a clean one."
                ),
            );
        }
        Err(error @ (StoreError::Unavailable(_) | StoreError::Conflict)) => {
            tracing::error!(%error, "a stored file is not to be had");
            return respond::unavailable("The file can't be read now; retry in a moment.");
        }
        Err(error) => {
            tracing::error!(%error, "a stored file does not open");
            return refuse(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "Internal server error");
        }
    };
    let content_type = HeaderValue::from_static(safe_type(&content_type));
    let chunks = stream::unfold(download, |mut download| async move {
        match download.chunk().await {
            Ok(Some(chunk)) => Some((Ok::<Bytes, std::io::Error>(chunk.into()), download)),
            Ok(None) => None,
            Err(error) => {
                tracing::error!(%error, "a stored file does not open");
                Some((Err(std::io::Error::other("the file is damaged")), download))
            }
        }
    });
    let mut response = Response::new(Body::from_stream(chunks));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; sandbox"),
    );
    response
}

/// What shows a file to whoever sees it: the document that it is, the message that it
/// came with, the answer or question that it is attached to, else the person whose it is.
fn holder<'a>(purpose: &str, owner_id: i64, blob: &str, actor: &'a Actor) -> Select<'a> {
    let (table, filter) = match purpose {
        attachments::PURPOSE => (&NOTES, attachments::holds(blob)),
        viewing::PURPOSE => (&DOCUMENTS, viewing::holds(blob)),
        attachment::PURPOSE => (&FILE_ATTACHMENTS, attachment::holds(blob)),
        _ => (&USERS, Cond::eq("id", owner_id)),
    };
    let mut select = Select::new(table, actor);
    select.columns = ["id", "unit_id"].iter().filter_map(|name| table.column(name)).collect();
    select.filter = filter;
    select
}

/// What a link leads to.
enum Found {
    /// A file: its media type and its bytes.
    Open(String, Box<Download>),
    /// Nothing, or nothing that the person sees.
    Gone,
    /// A file that nobody reads until it was looked at.
    Held,
    /// A file that nobody reads, and what was found in it.
    Quarantined(String),
}

/// The file that a link names, if the person for whom the link was made sees
/// its holder at this moment (SEC-05): a link does not outlive the right. What the look for
/// malware came to is told to who could read it otherwise, and to nobody else.
async fn find(app: &App, link: &FileLink, facts: Option<&Facts>) -> Result<Found, StoreError> {
    let mut reader = app.db.read().await?;
    let sql = Sql::fixed(
        "SELECT org_id, owner_id, purpose FROM blobs WHERE id = $1 AND deleted_at IS NULL",
        [link.blob.as_str().into()],
    );
    let rows = reader.rows(&sql).await?;
    let [Value::Int(org_id), Value::Int(owner_id), Value::Text(purpose)] = rows.row(0) else {
        return Ok(Found::Gone);
    };
    let Some(actor) = viewer(app, &mut reader, link, *org_id).await? else {
        return Ok(Found::Gone);
    };
    let mut select = holder(purpose, *owner_id, &link.blob, &actor);
    select.org_id = Some(*org_id);
    select.with_subject = true;
    let holder = reader.rows(&select.sql()).await?;
    let [id, unit_id, client, watch, _] = holder.row(0) else { return Ok(Found::Gone) };
    let opened = id.int().zip(unit_id.int()).filter(|_| **purpose == *viewing::PURPOSE);
    let read = client.int().map(|client| (client, watch.int()));
    let keys = app.db.keyring().of(&mut reader, *org_id).await?;
    let Some(blob) = blobs::find(&mut reader, &keys, &Uuid(link.blob.clone())).await? else {
        return Ok(Found::Gone);
    };
    drop(reader);
    match blob.scan {
        Some(FileScan::Held) => return Ok(Found::Held),
        Some(FileScan::Found) => {
            return Ok(Found::Quarantined(blob.threat.unwrap_or_else(|| "something".to_owned())));
        }
        Some(FileScan::Pending | FileScan::Clean) | None => {}
    }
    if let Some((client, watch)) = read {
        let path = format!("files/{purpose}");
        let watch = watch.map_or(Watch::BrokenGlass, Watch::from_number);
        log(app, &actor, facts, ("file_link", &path), (client, watch)).await?;
    }
    if let Some((id, unit_id)) = opened {
        note_viewing(app, &actor, (id, unit_id), read.map(|(client, _)| client)).await?;
    }
    let range = 0..u64::try_from(blob.byte_size).unwrap_or(0);
    let download = blobs::open(app.blobs.as_ref(), &app.instance, &keys, &blob, range).await?;
    Ok(Found::Open(blob.content_type, Box::new(download)))
}

/// Notes that a document was opened, before its first byte leaves.
async fn note_viewing(
    app: &App,
    actor: &Actor,
    (id, unit_id): (i64, i64),
    client: Option<i64>,
) -> Result<(), StoreError> {
    let actor = Arc::new(actor.clone());
    app.db
        .write(move |tx| {
            let actor = actor.clone();
            Box::pin(async move {
                let mut scope = Scope { subject_id: client, ..Scope::new(tx, &actor) };
                viewing::record(&mut scope, id, unit_id).await
            })
        })
        .await
}

/// The person for whom the link was made, with what they may do now.
async fn viewer(
    app: &App,
    reader: &mut Reader,
    link: &FileLink,
    org_id: i64,
) -> Result<Option<Actor>, StoreError> {
    let glass_at = app.instance.clock().wall();
    let actor = match link.user_id {
        0 => Some(Actor::anonymous()),
        user_id => {
            let (who, now) = ((user_id, link.proxy_id), app.instance.now());
            authenticate::actor_of_link(reader, org_id, who, now).await?
        }
    };
    Ok(actor.map(|actor| Actor { glass_at, ..actor }))
}

/// Tells the access log that a client's data was read by a link.
pub(crate) async fn log(
    app: &App,
    actor: &Actor,
    facts: Option<&Facts>,
    (kind, path): (&'static str, &str),
    (client, watch): (i64, Watch),
) -> Result<(), StoreError> {
    let entry = AccessEntry {
        org_id: actor.org_id,
        actor_id: actor.doer(),
        actor_kind: if actor.is_client() { "client" } else { "member" },
        credential: None,
        credential_kind: kind,
        request_id: facts.map(|facts| facts.id.as_str()).unwrap_or_default().into(),
        path: path.into(),
        clients: vec![client],
        watch,
        occurred_at: app.instance.now(),
        wall_at: app.instance.clock().wall(),
    };
    app.db.access_log().log(&app.db, vec![entry]).await
}

/// Pictures and recordings are shown as what they are; everything else is only bytes.
fn safe_type(claimed: &str) -> &'static str {
    let shown = [
        "image/png",
        "image/jpeg",
        "image/gif",
        "image/webp",
        "application/pdf",
        "audio/mpeg",
        "audio/mp4",
        "audio/ogg",
        "audio/wav",
        "audio/webm",
    ];
    shown.into_iter().find(|known| *known == claimed).unwrap_or("application/octet-stream")
}
