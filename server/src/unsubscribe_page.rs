//! `/unsubscribe?setting=…&type=…`: the way out of notices, from each of their mails,
//! without signing in. Opening it does nothing: mail scanners open every link.

use std::sync::Arc;

use axum::Form;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{Response, StatusCode};
use serde::Deserialize;

use crate::app::App;
use crate::password_page::{NOT_NOW, escaped, page, problems_html, quarantined};

const TITLE: &str = "No more mails like this";

/// The link's parameters, and the form's fields.
#[derive(Deserialize)]
pub struct Link {
    #[serde(default)]
    setting: String,
    #[serde(default, rename = "type")]
    what: String,
}

/// The question.
pub async fn form(State(app): State<Arc<App>>, Query(link): Query<Link>) -> Response<Body> {
    let html = format!(
        "<form method=\"post\" action=\"/unsubscribe\">\
         <input type=\"hidden\" name=\"setting\" value=\"{}\">\
         <input type=\"hidden\" name=\"type\" value=\"{}\">\
         <p>You can switch them on again in your settings.</p>\
         <p><button>Send me no more of these</button></p></form>",
        escaped(&link.setting),
        escaped(&link.what)
    );
    page(&app, TITLE, StatusCode::OK, &html)
}

/// Switches the notice off.
pub async fn submit(State(app): State<Arc<App>>, Form(link): Form<Link>) -> Response<Body> {
    if let Some(quarantined) = quarantined(&app, TITLE) {
        return quarantined;
    }
    match ward_messaging::notices::settings::switch_off_by_link(&app.db, &link.setting, &link.what)
        .await
    {
        Ok(Ok(())) => page(&app, TITLE, StatusCode::OK, "<p>You get no more of these.</p>"),
        Ok(Err(problems)) => {
            page(&app, TITLE, StatusCode::UNPROCESSABLE_ENTITY, &problems_html(&problems))
        }
        Err(error) => {
            tracing::error!(%error, "a notice could not be switched off");
            page(&app, TITLE, StatusCode::SERVICE_UNAVAILABLE, NOT_NOW)
        }
    }
}
