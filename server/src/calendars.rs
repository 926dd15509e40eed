//! `GET /calendars/<link>.ics`: appointments for programs that show calendars, by a
//! signed link (behaviour 2).

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Response, StatusCode, header};
use ward_instance::Kind;
use ward_scheduling::calendar_feed::{ics, read};
use ward_store::StoreError;

use crate::app::App;
use crate::files;
use crate::guard::Facts;
use crate::respond::{self, refuse};

/// Serves the calendar that a link opens. A link of elsewhere or altered: 403; one
/// that was taken back, or whose appointment or member is gone: 404.
pub async fn get(
    State(app): State<Arc<App>>,
    Path(file): Path<String>,
    request: Option<Extension<Facts>>,
) -> Response<Body> {
    let facts = request.map(|Extension(facts)| facts);
    let link = file.strip_suffix(".ics").unwrap_or(&file);
    let link = match app.instance.open_calendar_link(link) {
        Ok(link) => link,
        Err(refusal) => {
            let code = refusal.code().unwrap_or("LINK_REFUSED");
            return refuse(StatusCode::FORBIDDEN, code, "This link is not valid here.");
        }
    };
    let opened = async {
        let mut reader = app.db.read().await?;
        let moments = (app.instance.now(), app.instance.clock().wall());
        let opened = read::open(&mut reader, &link, moments).await?;
        drop(reader);
        for read in opened.iter().flat_map(|it| &it.reads) {
            let by = ("calendar_link", "calendars/appointment");
            files::log(&app, &read.actor, facts.as_ref(), by, (read.client, read.watch)).await?;
        }
        Ok::<_, StoreError>(opened)
    };
    let opened = match opened.await {
        Ok(Some(opened)) => opened,
        Ok(None) => {
            return refuse(StatusCode::NOT_FOUND, "NOT_FOUND", "The calendar is no longer there.");
        }
        Err(error) => {
            tracing::error!(%error, "a calendar can't be read");
            return respond::unavailable("The calendar can't be read now; retry in a moment.");
        }
    };
    let mark = match app.instance.kind() {
        Kind::Sandbox => "[Sandbox] ",
        Kind::Production => "",
    };
    let name = format!("{mark}{}", opened.practice);
    let text = ics::calendar(&name, app.instance.base_url().host(), &opened.entries);
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("text/calendar; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    let name = HeaderValue::from_static("attachment; filename=\"calendar.ics\"");
    headers.insert(header::CONTENT_DISPOSITION, name);
    response
}
