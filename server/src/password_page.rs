//! `/set-password?token=…`: where one-time links lead. Plain HTML without
//! script, marked with the environment.

use std::sync::Arc;

use axum::Form;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{Response, StatusCode, header};
use serde::Deserialize;

use crate::app::App;
use crate::explorer;

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
    page(&app, StatusCode::OK, &form_html(&link.token, &[]))
}

/// Sets the password if the link is good, once.
pub async fn submit(State(app): State<Arc<App>>, Form(chosen): Form<Chosen>) -> Response<Body> {
    if app.is_quarantined() {
        return page(
            &app,
            StatusCode::SERVICE_UNAVAILABLE,
            "<p>This instance is quarantined; nothing can be changed now.</p>",
        );
    }
    if chosen.password != chosen.repeated {
        return page(
            &app,
            StatusCode::UNPROCESSABLE_ENTITY,
            &form_html(&chosen.token, &["The two passwords differ.".to_owned()]),
        );
    }
    match ward_identity::set_password_by_link(&app.db, &chosen.token, &chosen.password).await {
        Ok(Ok(())) => {
            page(&app, StatusCode::OK, "<p>Your password is set. You can sign in now.</p>")
        }
        Ok(Err(problems)) => {
            page(&app, StatusCode::UNPROCESSABLE_ENTITY, &form_html(&chosen.token, &problems))
        }
        Err(error) => {
            tracing::error!(%error, "a password could not be set");
            page(
                &app,
                StatusCode::SERVICE_UNAVAILABLE,
                "<p>This can't be done now. Nothing was changed; try again in a moment.</p>",
            )
        }
    }
}

fn form_html(token: &str, problems: &[String]) -> String {
    let problems: String =
        problems.iter().map(|problem| format!("<li>{}</li>", escaped(problem))).collect();
    let problems = if problems.is_empty() {
        String::new()
    } else {
        format!("<ul role=\"alert\">{problems}</ul>")
    };
    format!(
        "{problems}<form method=\"post\" action=\"/set-password\"><input type=\"hidden\" name=\"token\" value=\"{}\">\
         <p><label>New password, at least 10 characters<br><input type=\"password\" name=\"password\" autocomplete=\"new-password\" required minlength=\"10\" maxlength=\"128\"></label></p>\
         <p><label>The same again<br><input type=\"password\" name=\"repeated\" autocomplete=\"new-password\" required></label></p>\
         <p><button>Set password</button></p></form>",
        escaped(token)
    )
}

fn page(app: &App, status: StatusCode, inner: &str) -> Response<Body> {
    let kind = app.instance.kind();
    let tag = app.instance.tag();
    let what =
        if app.is_sandbox() { "SANDBOX, synthetic data" } else { "PRODUCTION, live patients" };
    let html = format!(
        "<!doctype html><html lang=\"en\" data-environment=\"{kind}\" data-instance=\"{tag}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>[{}] Set password</title></head><body><header><strong>{what}, tag {tag}</strong></header><main><h1>Set password</h1>{inner}</main><footer>{what}, tag {tag}</footer></body></html>",
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

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
