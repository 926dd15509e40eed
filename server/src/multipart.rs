//! GraphQL multipart requests: `operations`, `map`, then the files, which go
//! to disk as they arrive (behaviour 10).

use std::path::{Path, PathBuf};

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart};
use axum::http::{Request, Response, StatusCode, header};
use serde_json::Value as Json;
use tokio::io::AsyncWriteExt;
use ward_engine::{Incoming, UPLOAD, Upload};

use crate::app::App;
use crate::graphql;
use crate::respond::refuse;

/// Bytes of a whole multipart request (trust ruling 11).
const MAX_BYTES: u64 = 100 * 1024 * 1024;
/// Bytes of `operations` and of `map`.
const MAX_TEXT: u64 = 1024 * 1024;
/// Files of a request.
const MAX_FILES: usize = 20;

/// Reads a multipart request; its files are in the instance's directory until
/// the request ends.
pub async fn read(
    app: &App,
    content_type: &str,
    body: Body,
) -> Result<(Incoming, Vec<Upload>), Response<Body>> {
    let mut request = Request::new(body);
    if let Ok(value) = content_type.parse() {
        request.headers_mut().insert(header::CONTENT_TYPE, value);
    }
    // The reader counts, and knows more than a sum.
    DefaultBodyLimit::disable().apply(&mut request);
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|_| bad("The multipart body has no boundary."))?;
    let mut reader = Reader { app, left: MAX_BYTES, uploads: Vec::new() };
    let incoming = reader.form(&mut form).await?;
    Ok((incoming, reader.uploads))
}

/// Where files are while their request runs.
pub fn incoming_folder(dir: &Path) -> PathBuf {
    dir.join("incoming")
}

struct Reader<'a> {
    app: &'a App,
    left: u64,
    uploads: Vec<Upload>,
}

impl Reader<'_> {
    async fn form(&mut self, form: &mut Multipart) -> Result<Incoming, Response<Body>> {
        let mut operations: Option<Json> = None;
        let mut map: Option<serde_json::Map<String, Json>> = None;
        while let Some(field) =
            form.next_field().await.map_err(|_| bad("The multipart body is malformed."))?
        {
            let name = field.name().unwrap_or_default().to_owned();
            match (name.as_str(), &operations, &map) {
                ("operations", None, _) => operations = Some(self.json(field).await?),
                ("map", Some(_), None) => match self.json(field).await? {
                    Json::Object(object) => map = Some(object),
                    _ => {
                        return Err(bad(
                            "\"map\" is a JSON object of file names to lists of places.",
                        ));
                    }
                },
                (_, Some(operations_json), Some(places)) if places.contains_key(&name) => {
                    let _ = operations_json;
                    let number = self.uploads.len();
                    let upload = self.file(field).await?;
                    self.uploads.push(upload);
                    if let Some(json) = &mut operations {
                        mark(json, &places[&name], number)?;
                    }
                }
                _ => {
                    return Err(bad(
                        "A multipart request is \"operations\", then \"map\", then the files that \"map\" names.",
                    ));
                }
            }
        }
        let operations =
            operations.ok_or_else(|| bad("The multipart request has no \"operations\"."))?;
        graphql::from_json(operations)
    }

    async fn json(
        &mut self,
        mut field: axum::extract::multipart::Field<'_>,
    ) -> Result<Json, Response<Body>> {
        let mut bytes = Vec::new();
        while let Some(chunk) =
            field.chunk().await.map_err(|_| bad("The multipart body is malformed."))?
        {
            bytes.extend_from_slice(&chunk);
            if bytes.len() as u64 > MAX_TEXT {
                return Err(large());
            }
        }
        self.left = self.left.checked_sub(bytes.len() as u64).ok_or_else(large)?;
        serde_json::from_slice(&bytes).map_err(|_| bad("\"operations\" and \"map\" are JSON."))
    }

    async fn file(
        &mut self,
        mut field: axum::extract::multipart::Field<'_>,
    ) -> Result<Upload, Response<Body>> {
        if self.uploads.len() >= MAX_FILES {
            return Err(bad("A request holds at most 20 files."));
        }
        // One more than a name may have: a longer one is refused where it matters, not cut.
        let file_name = field.file_name().unwrap_or("file").chars().take(256).collect();
        let content_type = field.content_type().unwrap_or("application/octet-stream").to_owned();
        let folder = incoming_folder(&self.app.dir);
        let broken = |_| {
            refuse(
                StatusCode::SERVICE_UNAVAILABLE,
                "UNAVAILABLE",
                "The file can't be stored now; nothing was executed.",
            )
        };
        tokio::fs::create_dir_all(&folder).await.map_err(broken)?;
        let path = folder.join(self.app.instance.uuid());
        let mut upload = Upload { file_name, content_type, path, byte_size: 0 };
        let mut file = tokio::fs::File::create(&upload.path).await.map_err(broken)?;
        while let Some(chunk) =
            field.chunk().await.map_err(|_| bad("The multipart body is malformed."))?
        {
            upload.byte_size += chunk.len() as u64;
            self.left = self.left.checked_sub(chunk.len() as u64).ok_or_else(large)?;
            file.write_all(&chunk).await.map_err(broken)?;
        }
        file.flush().await.map_err(broken)?;
        Ok(upload)
    }
}

/// Puts the file's mark at the places that `map` names.
fn mark(operations: &mut Json, places: &Json, number: usize) -> Result<(), Response<Body>> {
    for place in places.as_array().into_iter().flatten() {
        let pointer = format!("/{}", place.as_str().unwrap_or_default().replace('.', "/"));
        match operations.pointer_mut(&pointer) {
            Some(slot @ Json::Null) => *slot = serde_json::json!({ UPLOAD: number }),
            _ => return Err(bad("\"map\" names a place that is not null in \"operations\".")),
        }
    }
    Ok(())
}

fn bad(message: &str) -> Response<Body> {
    refuse(StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
}

fn large() -> Response<Body> {
    refuse(
        StatusCode::PAYLOAD_TOO_LARGE,
        "BODY_TOO_LARGE",
        "The request is larger than 100 MiB; nothing was executed.",
    )
}
