//! `GET /rooms/<link>`: the way into the room of a video call, from a mail; and the page that stands
//! for a room in a Sandbox.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Response, StatusCode, header};
use ward_scheduling::appointment::video::link;
use ward_store::StoreError;

use crate::app::App;
use crate::files;
use crate::guard::Facts;
use crate::password_page::{NOT_NOW, page};

const TITLE: &str = "Video call";

/// Leads to where the room is now. A link of elsewhere or altered: 403; of an appointment that has no
/// room any more, or is not theirs: 404; not made yet: 409.
pub async fn enter(
    State(app): State<Arc<App>>,
    Path(text): Path<String>,
    request: Option<Extension<Facts>>,
) -> Response<Body> {
    let said = |status, sentence: &str| page(&app, TITLE, status, &format!("<p>{sentence}</p>"));
    let Ok(link) = app.instance.open_room_link(&text) else {
        return said(StatusCode::FORBIDDEN, "This link is not valid here.");
    };
    let facts = request.map(|Extension(facts)| facts);
    let opened = async {
        let moments = (app.instance.now(), app.instance.clock().wall());
        let opened = link::open(&app.db, &link, moments).await?;
        for read in opened.iter().flat_map(|it| &it.reads) {
            let by = ("room_link", "rooms");
            files::log(&app, &read.actor, facts.as_ref(), by, (read.client, read.watch)).await?;
        }
        Ok::<_, StoreError>(opened)
    };
    let url = match opened.await {
        Ok(Some(opened)) => opened.join_url,
        Ok(None) => return said(StatusCode::NOT_FOUND, "There is no such call any more."),
        Err(error) => {
            tracing::error!(%error, "a room can't be looked up");
            return page(&app, TITLE, StatusCode::SERVICE_UNAVAILABLE, NOT_NOW);
        }
    };
    let Some(url) = url.and_then(|url| HeaderValue::from_str(&url).ok()) else {
        return said(StatusCode::CONFLICT, "The room is not there yet. Try again in a minute.");
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, url);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// A Sandbox's room, where who attends comes in. Nobody is there.
pub async fn simulated(State(app): State<Arc<App>>, Path(meeting): Path<String>) -> Response<Body> {
    shown(&app, &meeting, "")
}

/// The same, by another door: the host's, or one that does not open.
pub async fn simulated_door(
    State(app): State<Arc<App>>,
    Path((meeting, door)): Path<(String, String)>,
) -> Response<Body> {
    shown(&app, &meeting, &door)
}

fn shown(app: &App, meeting: &str, door: &str) -> Response<Body> {
    let is_meeting = meeting.len() == 11 && meeting.bytes().all(|byte| byte.is_ascii_digit());
    let (status, sentence) = match door {
        _ if !is_meeting => (StatusCode::NOT_FOUND, "There is no such room."),
        "" => (StatusCode::OK, "A simulated room: you would be in the call now."),
        "host" => (StatusCode::OK, "A simulated room: you would be its host now."),
        "join-fail" => (StatusCode::BAD_GATEWAY, "A simulated failure: the call can't be joined."),
        "token-expired" => {
            (StatusCode::UNAUTHORIZED, "A simulated failure: the host's address has expired.")
        }
        _ => (StatusCode::NOT_FOUND, "There is no such room."),
    };
    let meeting = if is_meeting { meeting } else { "" };
    page(app, TITLE, status, &format!("<p>{sentence}</p><p>Meeting {meeting}</p>"))
}
