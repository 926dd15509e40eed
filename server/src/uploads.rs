//! `PUT /files/<link>`: a file that was told of before, by a signed link that ends (behaviour 10.3).

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, Response, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use md5::{Digest, Md5};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use ward_charting::attachment::receive::{self, Awaited, Received};
use ward_charting::attachment::rules::digest_of;
use ward_documents::file::{self, Claim, DOCUMENT_BYTES_MAX};
use ward_documents::name;
use ward_engine::{Refused, Upload};
use ward_identity::picture::{Named, NewFile};
use ward_identity::sealing::{Shelf, sealed_on};
use ward_store::StoreError;

use crate::app::App;
use crate::graphql;
use crate::guard::Facts;
use crate::multipart::incoming_folder;
use crate::respond::{self, refuse};
use crate::tripwire;

/// A file has to be here within this time: 50 MiB by a slow line.
const BODY_TIME: Duration = Duration::from_secs(120);
/// The header by which stores of files are told the MD5.
const CONTENT_MD5: &str = "content-md5";

/// Takes the file that a link awaits. A link of elsewhere, altered or past its time: 403; what nobody
/// waits for any more: 404; a file that is not what was told of it: 400. Sent again, it is here.
pub async fn put(
    State(app): State<Arc<App>>,
    Path(link): Path<String>,
    request: Request,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let facts = parts.extensions.get::<Facts>();
    let facts = facts.map(|facts| (facts.address.clone(), facts.id.clone()));
    let (address, cause) = facts.unwrap_or_default();
    let link = match app.instance.open_upload_link(&link) {
        Ok(link) => link,
        Err(refusal) => {
            let code = refusal.code().unwrap_or("LINK_REFUSED");
            let sentence =
                "This link is not valid here, or its time is over. Ask for another upload URL.";
            return refuse(StatusCode::FORBIDDEN, code, sentence);
        }
    };
    if app.is_quarantined() {
        return not_now();
    }
    if app.admission.is_full() {
        return respond::overloaded();
    }
    if let Err(wait) = app.limiter.take(&address) {
        return graphql::too_many(&app, None, &address, wait);
    }
    // Before whose file it is: what waits for it in a world that comes meanwhile is another one's.
    let world = app.db.world();
    let awaited = match receive::awaited(&app.db, &link).await {
        Ok(Some(awaited)) => awaited,
        Ok(None) => return unwanted(),
        Err(error) => {
            tracing::error!(%error, "what a file is for can't be read");
            return not_now();
        }
    };
    if awaited.row.blob_id.is_some() {
        return here();
    }
    if let Some(response) = told_otherwise(&parts.headers, &awaited) {
        return response;
    }
    match tokio::time::timeout(BODY_TIME, incoming(&app, body, &awaited)).await {
        Err(_) => refuse(
            StatusCode::REQUEST_TIMEOUT,
            "BODY_TIMEOUT",
            "The file did not arrive within 120 seconds; nothing was stored. Send it again.",
        ),
        Ok(Err(response)) => response,
        Ok(Ok(upload)) => {
            if app.is_sandbox()
                && let Some((code, sentence)) = tripwire::of_file(&upload, "file")
            {
                let wall = app.instance.clock().wall();
                app.refusals.note(Some(&awaited.actor), &address, code, wall);
                return refuse(StatusCode::BAD_REQUEST, code, sentence);
            }
            let Some(_inside) = app.admission.enter() else { return respond::overloaded() };
            app.admission.work(store(&app, (&awaited, world), (&upload, &cause))).await
        }
    }
}

/// A header that says something else than what was told.
fn told_otherwise(headers: &HeaderMap, awaited: &Awaited) -> Option<Response<Body>> {
    let sent = headers.get(CONTENT_MD5)?;
    let fits = sent.to_str().is_ok_and(|sent| digest_of(sent) == digest_of(&awaited.row.checksum));
    (!fits)
        .then(|| bad("Content-MD5 is not the checksum that was told; ask for another upload URL."))
}

/// Writes the file down as it arrives; it is gone from there when the request is.
async fn incoming(app: &App, body: Body, awaited: &Awaited) -> Result<Upload, Response<Body>> {
    let row = &awaited.row;
    let size = u64::try_from(row.byte_size).unwrap_or(0);
    let folder = incoming_folder(&app.dir);
    let broken = |_| not_now();
    tokio::fs::create_dir_all(&folder).await.map_err(broken)?;
    let mut upload = Upload {
        file_name: row.file_name.clone(),
        content_type: row.content_type.clone(),
        path: folder.join(app.instance.uuid()),
        byte_size: 0,
    };
    let mut file = tokio::fs::File::create(&upload.path).await.map_err(broken)?;
    let mut digest = Md5::new();
    let mut body = Limited::new(body, usize::try_from(size).unwrap_or(0));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| not_read(&*error))?;
        if let Ok(data) = frame.into_data() {
            digest.update(&data);
            upload.byte_size += data.len() as u64;
            file.write_all(&data).await.map_err(broken)?;
        }
    }
    file.flush().await.map_err(broken)?;
    let found: [u8; 16] = digest.finalize().into();
    if upload.byte_size != size {
        let sentence = format!(
            "The file has {} bytes, and {size} were told of; nothing was stored.",
            upload.byte_size
        );
        return Err(bad(sentence));
    }
    match digest_of(&row.checksum) == Some(found) {
        true => Ok(upload),
        false => Err(bad("The file is not the one whose checksum was told; nothing was stored.")),
    }
}

fn not_read(error: &(dyn Error + 'static)) -> Response<Body> {
    if error.is::<LengthLimitError>() {
        return refuse(
            StatusCode::PAYLOAD_TOO_LARGE,
            "BODY_TOO_LARGE",
            "The file is larger than was told; nothing was stored.",
        );
    }
    bad("The file did not arrive whole; nothing was stored.")
}

/// Examines the file, seals it, and writes down that it is here, where that is still the world in
/// which it was awaited.
async fn store(
    app: &App,
    (awaited, world): (&Awaited, u64),
    (upload, cause): (&Upload, &str),
) -> Response<Body> {
    let file = match sealed(app, awaited, upload).await {
        Ok(file) => file,
        Err(Refused::Problems(problems)) => {
            let sentence = problems.into_iter().next().map(|it| it.message);
            return bad(sentence.unwrap_or_else(|| "The file can't be taken.".to_owned()));
        }
        Err(Refused::Store(error)) => {
            tracing::error!(%error, "a file that was sent can't be stored");
            return not_now();
        }
        Err(_) => return bad("The file can't be taken."),
    };
    match receive::keep(&app.db.in_world(world), awaited, Arc::new(file), cause).await {
        Ok(Received::Now | Received::Before) => here(),
        Ok(Received::Unwanted) | Err(StoreError::OtherWorld) => unwanted(),
        Ok(Received::NoRoom) => bad("The organization has used up its file storage"),
        Err(error) => {
            tracing::error!(%error, "a file that was sent can't be stored");
            not_now()
        }
    }
}

async fn sealed(app: &App, awaited: &Awaited, upload: &Upload) -> Result<NewFile, Refused> {
    const AT: &str = "file";
    let file_name = awaited.row.file_name.as_str();
    if let Some(sentence) = name::wrong_file_name(file_name) {
        return Err(Refused::on(AT, sentence));
    }
    let unreadable = |_| Refused::on(AT, "The file can't be read");
    let mut opened = std::fs::File::open(&upload.path).map_err(unreadable)?;
    let extension = name::extension(file_name);
    let claim = Claim {
        extension: extension.as_deref(),
        content_type: Some(awaited.row.content_type.as_str()),
    };
    let content_type = file::examined(&mut opened, claim).map_err(unreadable)?;
    let content_type = content_type.map_err(|sentence| Refused::on(AT, sentence))?;
    let named = Named { file_name, content_type, at: AT, bytes_max: DOCUMENT_BYTES_MAX };
    let org_id = awaited.row.org_id.0;
    let shelf = Shelf { org_id, db: &app.db, store: &app.blobs };
    sealed_on(&shelf, &mut opened, upload.byte_size, &named).await
}

fn here() -> Response<Body> {
    respond::json(StatusCode::OK, &json!({"message": "The file is here; attach it now."}))
}

fn unwanted() -> Response<Body> {
    refuse(StatusCode::NOT_FOUND, "NOT_FOUND", "Nobody waits for this file any more.")
}

fn not_now() -> Response<Body> {
    respond::unavailable("The file can't be stored now; retry in a moment.")
}

fn bad(sentence: impl Into<String>) -> Response<Body> {
    refuse(StatusCode::BAD_REQUEST, "FILE_REFUSED", sentence)
}
