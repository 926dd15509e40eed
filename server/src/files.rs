//! `GET /files/<link>`: a stored file by a signed link that ends.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Response, StatusCode, header};
use futures_util::stream;
use ward_identity::link_reader::may_see_user;
use ward_instance::token::FileLink;
use ward_store::blobs::{self, Download};
use ward_store::{Query, Sql, StoreError, Uuid, Value};

use crate::app::App;
use crate::respond::refuse;

/// Serves the file that a link names. A link of elsewhere, altered or past its
/// time, or whose person may not see the file any more: 403; a file that is gone: 404
/// (behaviour 10).
pub async fn get(State(app): State<Arc<App>>, Path(link): Path<String>) -> Response<Body> {
    let link = match app.instance.open_file_link(&link) {
        Ok(link) => link,
        Err(refusal) => return refused(refusal.code().unwrap_or(LINK_REFUSED)),
    };
    let (content_type, download) = match find(&app, &link).await {
        Ok(Found::File(content_type, download)) => (content_type, download),
        Ok(Found::Hidden) => return refused(LINK_REFUSED),
        Ok(Found::Gone) => {
            return refuse(StatusCode::NOT_FOUND, "NOT_FOUND", "The file is no longer there.");
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

const LINK_REFUSED: &str = "LINK_REFUSED";

fn refused(code: &str) -> Response<Body> {
    let sentence = "This link is not valid here, or its time is over. Ask for the object again to get a new one.";
    refuse(StatusCode::FORBIDDEN, code, sentence)
}

/// What a link leads to.
enum Found {
    File(String, Download),
    /// There is a file, and the link's person may not see whose it is.
    Hidden,
    Gone,
}

/// The file that a link names: no credential is asked for, and whom the link was made for has to
/// see the file's owner still.
async fn find(app: &App, link: &FileLink) -> Result<Found, StoreError> {
    let mut reader = app.db.read().await?;
    let sql = Sql::fixed(
        "SELECT org_id FROM blobs WHERE id = $1 AND deleted_at IS NULL",
        [link.blob.as_str().into()],
    );
    let Some(org_id) = reader.rows(&sql).await?.scalar().and_then(Value::int) else {
        return Ok(Found::Gone);
    };
    let keys = app.db.keyring().of(&mut reader, org_id).await?;
    let Some(blob) = blobs::find(&mut reader, &keys, &Uuid(link.blob.clone())).await? else {
        return Ok(Found::Gone);
    };
    if !may_see_user(&mut reader, link.user_id, blob.owner_id).await? {
        return Ok(Found::Hidden);
    }
    let range = 0..u64::try_from(blob.byte_size).unwrap_or(0);
    let download = blobs::open(app.blobs.as_ref(), &app.instance, &keys, &blob, range).await?;
    Ok(Found::File(blob.content_type, download))
}

/// Pictures are shown as what they are; everything else is only bytes.
fn safe_type(claimed: &str) -> &'static str {
    let shown = ["image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf"];
    shown.into_iter().find(|known| *known == claimed).unwrap_or("application/octet-stream")
}
