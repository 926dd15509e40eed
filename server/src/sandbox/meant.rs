//! Whether there is what a fault is meant for: one that never hits looks like a program that bears it.

use axum::body::Body;
use axum::http::Response;
use ward_engine::ViewId;
use ward_instance::Fault;
use ward_store::{Query, Sql, StoreError};
use ward_webhooks::catalogue;

use crate::app::App;
use crate::desk::{failed, wrong};

/// Refuses a fault of a key, a webhook or an event that there is none of.
pub async fn check(app: &App, fault: &Fault) -> Result<(), Response<Body>> {
    if let Some(event) = &fault.event
        && let Some(sentence) = no_event(event)
    {
        return Err(wrong(&sentence));
    }
    match missing(app, fault).await {
        Ok(None) => Ok(()),
        Ok(Some(sentence)) => Err(wrong(&sentence)),
        Err(error) => Err(failed(&error)),
    }
}

fn no_event(event: &str) -> Option<String> {
    let known = || catalogue::EVENTS.iter().map(|(name, _)| *name);
    if known().any(|name| name == event) {
        return None;
    }
    Some(format!("there is no event {event}{}", meant(event, known())))
}

async fn missing(app: &App, fault: &Fault) -> Result<Option<String>, StoreError> {
    let mut reader = app.db.read().await?;
    if let Some(key) = &fault.key {
        let sql = Sql::fixed(
            "SELECT 1 FROM api_keys WHERE kid = $1 AND deleted_at IS NULL",
            [key.as_str().into()],
        );
        if reader.rows(&sql).await?.is_empty() {
            return Ok(Some(format!("there is no key {key}; ward key list shows them as kid")));
        }
    }
    if let Some(webhook) = fault.webhook {
        let sql = Sql::fixed(
            "SELECT 1 FROM webhooks WHERE id = $1 AND deleted_at IS NULL",
            [webhook.into()],
        );
        if reader.rows(&sql).await?.is_empty() {
            return Ok(Some(format!("there is no webhook {webhook}")));
        }
    }
    Ok(None)
}

/// What to say where no field has the name that documents are to have: an operation may, since
/// whoever writes it calls it as they like.
pub fn note(app: &App, name: &str) -> Option<String> {
    let schemas: Vec<_> = [ViewId::Baseline, ViewId::V2026]
        .into_iter()
        .filter_map(|view| Some(&app.engine.view(view).ok()?.schema))
        .collect();
    let is_field = schemas.iter().any(|schema| {
        let mut objects = schema.types.values().filter_map(|it| it.as_object());
        objects.any(|object| object.fields.contains_key(name))
    });
    if is_field {
        return None;
    }
    let roots = schemas.iter().flat_map(|schema| {
        ["Query", "Mutation"].into_iter().filter_map(move |root| schema.get_object(root))
    });
    let known: Vec<&str> =
        roots.flat_map(|root| root.fields.keys().map(|field| field.as_str())).collect();
    Some(format!(
        "no field is called {name}: only documents with an operation of this name are hit{}",
        meant(name, known.into_iter())
    ))
}

/// The end of a sentence about a name that is none.
fn meant<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> String {
    nearest(typed, known).map_or_else(String::new, |name| format!("; is {name} meant?"))
}

/// The known name that is nearest, where no more than a quarter of it was mistyped.
fn nearest<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let most = typed.chars().count().div_ceil(4);
    let near = known.map(|name| (distance(typed, name), name));
    near.filter(|(far, _)| *far <= most).min().map(|(_, name)| name)
}

/// How many characters have to be put in, left out or changed.
fn distance(typed: &str, name: &str) -> usize {
    let name: Vec<char> = name.chars().collect();
    let mut row: Vec<usize> = (0..=name.len()).collect();
    for (before, typed) in typed.chars().enumerate() {
        let mut corner = row[0];
        row[0] = before + 1;
        for (at, wanted) in name.iter().enumerate() {
            let above = row[at + 1];
            let changed = corner + usize::from(typed != *wanted);
            row[at + 1] = changed.min(above + 1).min(row[at] + 1);
            corner = above;
        }
    }
    row[name.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_near_or_it_is_not() {
        for (typed, name, far) in [
            ("", "", 0),
            ("", "ab", 2),
            ("ab", "", 2),
            ("kitten", "sitting", 3),
            ("createClinet", "createClient", 2),
            ("é", "e", 1),
        ] {
            assert_eq!(distance(typed, name), far, "{typed} {name}");
            assert_eq!(distance(name, typed), far, "{name} {typed}");
        }
        let known = ["createClient", "createNote", "users"];
        assert_eq!(nearest("createClinet", known.into_iter()), Some("createClient"));
        assert_eq!(nearest("user", known.into_iter()), Some("users"));
        assert_eq!(nearest("somethingElse", known.into_iter()), None);
    }

    #[test]
    fn an_event_is_known_or_corrected() {
        assert_eq!(no_event("patient.created"), None);
        let corrected = "there is no event patient.craeted; is patient.created meant?";
        assert_eq!(no_event("patient.craeted").as_deref(), Some(corrected));
        assert_eq!(no_event("earthquake").as_deref(), Some("there is no event earthquake"));
    }
}
