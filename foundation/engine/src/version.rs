//! Versions of the contract and the two views that serve them (behaviour 5).

use jiff::civil::Date;
use serde_json::{Value, json};

use crate::outcome::RequestError;

/// A view of the one schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ViewId {
    /// 2024-06-01, served when no version is asked for.
    Baseline,
    /// 2026-01-01.
    V2026,
}

impl ViewId {
    /// Both.
    pub const ALL: [ViewId; 2] = [ViewId::Baseline, ViewId::V2026];

    /// The date that names it.
    pub const fn date(self) -> &'static str {
        match self {
            ViewId::Baseline => "2024-06-01",
            ViewId::V2026 => LATEST,
        }
    }
}

/// The newest version.
pub const LATEST: &str = "2026-01-01";

/// Every published version; dates before 2025-10-15 get the baseline view.
pub const PUBLISHED: [&str; 12] = [
    "2024-06-01",
    "2024-07-01",
    "2024-10-01",
    "2024-10-20",
    "2024-11-01",
    "2025-01-01",
    "2025-04-01",
    "2025-05-15",
    "2025-07-31",
    "2025-10-15",
    "2025-11-30",
    "2026-01-01",
];

/// The view that a request gets, and the warnings that go with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Chosen {
    /// The view.
    pub view: ViewId,
    /// For `extensions.warnings`.
    pub warnings: Vec<Value>,
}

/// Reads the version header. `sunset` is the operator's date after which old
/// versions are rejected; `today` is the real clock's day.
pub fn choose(
    header: Option<&str>,
    sunset: Option<Date>,
    today: Date,
) -> Result<Chosen, RequestError> {
    let asked = header.map(str::trim).filter(|text| !text.is_empty());
    let version = asked.unwrap_or(PUBLISHED[0]);
    let unsupported = |minimum: &str| {
        let message = format!(
            "API version {version} is not supported. Send Healthie-GraphQL-API-Version: {LATEST}, or one of the published versions from {minimum} on."
        );
        RequestError::coded("UNSUPPORTED_API_VERSION", message)
            .with("requested_version", version)
            .with("minimum_supported_version", minimum)
            .with("latest_version", LATEST)
    };
    let ended = sunset.is_some_and(|date| today >= date);
    if !PUBLISHED.contains(&version) {
        return Err(unsupported(if ended { LATEST } else { PUBLISHED[0] }));
    }
    if ended && asked.is_none() {
        let message = format!(
            "Send the header Healthie-GraphQL-API-Version: {LATEST}; requests without it are no longer served."
        );
        return Err(RequestError::coded("MISSING_API_VERSION_HEADER", message)
            .with("latest_version", LATEST));
    }
    if ended && version != LATEST {
        return Err(unsupported(LATEST));
    }
    let view = if version >= "2025-10-15" { ViewId::V2026 } else { ViewId::Baseline };
    Ok(Chosen { view, warnings: warnings(asked, version, sunset) })
}

fn warnings(asked: Option<&str>, version: &str, sunset: Option<Date>) -> Vec<Value> {
    let mut warnings = Vec::new();
    if asked.is_none() {
        warnings.push(json!({
            "code": "MISSING_API_VERSION_HEADER",
            "message": format!("No Healthie-GraphQL-API-Version header was sent, so version {version} answers. Send the version that your client was written for."),
            "latest_version": LATEST,
        }));
    }
    if version != LATEST {
        let mut warning = json!({
            "code": "API_VERSION_SUNSET_WARNING",
            "message": format!("API version {version} is deprecated. Move to {LATEST}."),
            "requested_version": version,
        });
        if let Some(date) = sunset {
            warning["sunset_date"] = date.to_string().into();
        }
        warning["latest_version"] = LATEST.into();
        warnings.push(warning);
    }
    warnings
}
