//! `/set-password?token=…` and `/confirm-email?token=…`: where one-time links
//! lead. Plain HTML without script, marked with the environment.
//!
//! Opening a page does nothing: mail scanners open every link.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{Response, StatusCode, header};
use axum::{Extension, Form};
use serde::Deserialize;

use crate::app::App;
use crate::explorer;
use crate::guard::Facts;

const PASSWORD: &str = "Set password";
const ADDRESS: &str = "Confirm e-mail address";
pub(crate) const NOT_NOW: &str =
    "<p>This can't be done now. Nothing was changed; try again in a moment.</p>";

/// The link's parameter.
#[derive(Deserialize)]
pub struct Link {
    #[serde(default)]
    token: String,
}

/// The form's fields.
#[derive(Deserialize)]
pub struct Chosen {
    #[serde(default)]
    token: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    repeated: String,
}

/// The form.
pub async fn form(State(app): State<Arc<App>>, Query(link): Query<Link>) -> Response<Body> {
    page(&app, PASSWORD, StatusCode::OK, &form_html(&link.token, &[]))
}

/// The question whether an address is the reader's.
pub async fn confirm_form(State(app): State<Arc<App>>, Query(link): Query<Link>) -> Response<Body> {
    let html = format!(
        "<form method=\"post\" action=\"/confirm-email\"><input type=\"hidden\" name=\"token\" value=\"{}\">\
         <p>From then on you sign in with this address, and are signed out everywhere.</p>\
         <p><button>This address is mine</button></p></form>",
        escaped(&link.token)
    );
    page(&app, ADDRESS, StatusCode::OK, &html)
}

/// Makes the address count if the link is good, once.
pub async fn confirm(
    State(app): State<Arc<App>>,
    Extension(facts): Extension<Facts>,
    Form(link): Form<Link>,
) -> Response<Body> {
    if let Some(quarantined) = quarantined(&app, ADDRESS) {
        return quarantined;
    }
    let confirmed =
        ward_identity::confirm_email::confirm_by_link(&app.db, &link.token, &facts.id).await;
    match confirmed {
        Ok(Ok(())) => {
            let html = "<p>Your e-mail address is confirmed. Sign in with it from now on.</p>";
            page(&app, ADDRESS, StatusCode::OK, html)
        }
        Ok(Err(problems)) => {
            page(&app, ADDRESS, StatusCode::UNPROCESSABLE_ENTITY, &problems_html(&problems))
        }
        Err(error) => {
            tracing::error!(%error, "an address could not be confirmed");
            page(&app, ADDRESS, StatusCode::SERVICE_UNAVAILABLE, NOT_NOW)
        }
    }
}

pub(crate) fn quarantined(app: &App, title: &str) -> Option<Response<Body>> {
    let html = "<p>This instance is quarantined; nothing can be changed now.</p>";
    app.is_quarantined().then(|| page(app, title, StatusCode::SERVICE_UNAVAILABLE, html))
}

/// Sets the password if the link is good, once.
pub async fn submit(State(app): State<Arc<App>>, Form(chosen): Form<Chosen>) -> Response<Body> {
    if let Some(quarantined) = quarantined(&app, PASSWORD) {
        return quarantined;
    }
    if chosen.password != chosen.repeated {
        return page(
            &app,
            PASSWORD,
            StatusCode::UNPROCESSABLE_ENTITY,
            &form_html(&chosen.token, &["The two passwords differ.".to_owned()]),
        );
    }
    match ward_identity::set_password_by_link(&app.db, &chosen.token, &chosen.password).await {
        Ok(Ok(())) => {
            let html = "<p>Your password is set. You can sign in now.</p>";
            page(&app, PASSWORD, StatusCode::OK, html)
        }
        Ok(Err(problems)) => {
            let html = form_html(&chosen.token, &problems);
            page(&app, PASSWORD, StatusCode::UNPROCESSABLE_ENTITY, &html)
        }
        Err(error) => {
            tracing::error!(%error, "a password could not be set");
            page(&app, PASSWORD, StatusCode::SERVICE_UNAVAILABLE, NOT_NOW)
        }
    }
}

pub(crate) fn problems_html(problems: &[String]) -> String {
    let problems: String =
        problems.iter().map(|problem| format!("<li>{}</li>", escaped(problem))).collect();
    if problems.is_empty() { problems } else { format!("<ul role=\"alert\">{problems}</ul>") }
}

fn form_html(token: &str, problems: &[String]) -> String {
    let problems = problems_html(problems);
    format!(
        "{problems}<form method=\"post\" action=\"/set-password\"><input type=\"hidden\" name=\"token\" value=\"{}\">\
         <p><label>New password, at least 10 characters<br><input type=\"password\" name=\"password\" autocomplete=\"new-password\" required minlength=\"10\" maxlength=\"128\"></label></p>\
         <p><label>The same again<br><input type=\"password\" name=\"repeated\" autocomplete=\"new-password\" required></label></p>\
         <p><button>Set password</button></p></form>",
        escaped(token)
    )
}

pub(crate) fn page(app: &App, title: &str, status: StatusCode, inner: &str) -> Response<Body> {
    let kind = app.instance.kind();
    let tag = app.instance.tag();
    let what = kind.words();
    let html = format!(
        "<!doctype html><html lang=\"en\" data-environment=\"{kind}\" data-instance=\"{tag}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>[{}] {title}</title></head><body><header><strong>{what}, tag {tag}</strong></header><main><h1>{title}</h1>{inner}</main><footer>{what}, tag {tag}</footer></body></html>",
        kind.title()
    );
    let mut response = explorer::page_of(html);
    *response.status_mut() = status;
    let policy = axum::http::HeaderValue::from_static(
        "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    );
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
