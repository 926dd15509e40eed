//! The version header (behaviour 5).

use expect_test::{Expect, expect};
use jiff::civil::date;
use ward_engine::{LATEST, PUBLISHED, ViewId, choose};

fn told(header: Option<&str>, sunset: Option<&str>, today: &str) -> String {
    let day = |text: &str| text.parse::<jiff::civil::Date>().unwrap();
    match choose(header, sunset.map(day), day(today)) {
        Ok(chosen) => {
            let warnings: Vec<String> = chosen.warnings.iter().map(ToString::to_string).collect();
            format!("{:?} {}", chosen.view, warnings.join("\n"))
        }
        Err(error) => error.to_json().to_string(),
    }
}

#[test]
fn every_published_version_has_its_view() {
    assert_eq!(PUBLISHED.last(), Some(&LATEST));
    assert!(PUBLISHED.is_sorted());
    for version in PUBLISHED {
        let chosen = choose(Some(version), None, date(2026, 3, 1)).unwrap();
        let new = ["2025-10-15", "2025-11-30", "2026-01-01"].contains(&version);
        let expected = if new { ViewId::V2026 } else { ViewId::Baseline };
        assert_eq!(chosen.view, expected, "{version}");
        // Only the newest does not warn, and only of its age.
        let codes: Vec<_> = chosen.warnings.iter().map(|it| it["code"].as_str().unwrap()).collect();
        let expected: &[&str] =
            if version == LATEST { &[] } else { &["API_VERSION_SUNSET_WARNING"] };
        assert_eq!(codes, expected, "{version}");
    }
    assert_eq!(ViewId::ALL.map(ViewId::date), ["2024-06-01", "2026-01-01"]);
}

#[test]
fn a_version_has_to_be_published_exactly() {
    for version in [
        "2026-07-01",
        "2024-05-31",
        "2025-10-14",
        "2026-1-1",
        "latest",
        "2026-01-01T00:00:00Z",
        "20260101",
        "v1",
        "2026-01-01, 2024-06-01",
        "9999-99-99",
        "２０２６-01-01",
    ] {
        let error = choose(Some(version), None, date(2026, 3, 1)).unwrap_err();
        assert_eq!(error.extensions["code"], "UNSUPPORTED_API_VERSION", "{version}");
        assert_eq!(error.extensions["requested_version"], version);
        assert_eq!(error.extensions["minimum_supported_version"], PUBLISHED[0]);
        assert_eq!(error.extensions["latest_version"], LATEST);
    }
    // Blank is missing; white space around a version is nothing.
    for blank in [None, Some(""), Some("  ")] {
        assert_eq!(choose(blank, None, date(2026, 3, 1)).unwrap().view, ViewId::Baseline);
    }
    let padded = choose(Some(" 2026-01-01 "), None, date(2026, 3, 1)).unwrap();
    assert_eq!((padded.view, padded.warnings.len()), (ViewId::V2026, 0));
}

#[test]
fn warnings_and_rejections_have_their_words() {
    const OLD: Option<&str> = Some("2024-06-01");
    const SUNSET: Option<&str> = Some("2027-01-31");
    let cases: [(Option<&str>, Option<&str>, &str, Expect); 9] = [
        (
            None,
            None,
            "2026-03-01",
            expect![[r#"
            Baseline {"code":"MISSING_API_VERSION_HEADER","message":"No Healthie-GraphQL-API-Version header was sent, so version 2024-06-01 answers. Send the version that your client was written for.","latest_version":"2026-01-01"}
            {"code":"API_VERSION_SUNSET_WARNING","message":"API version 2024-06-01 is deprecated. Move to 2026-01-01.","requested_version":"2024-06-01","latest_version":"2026-01-01"}"#]],
        ),
        (
            OLD,
            None,
            "2026-03-01",
            expect![[
                r#"Baseline {"code":"API_VERSION_SUNSET_WARNING","message":"API version 2024-06-01 is deprecated. Move to 2026-01-01.","requested_version":"2024-06-01","latest_version":"2026-01-01"}"#
            ]],
        ),
        // The date is named once it is set, and acts on its day.
        (
            OLD,
            SUNSET,
            "2027-01-30",
            expect![[
                r#"Baseline {"code":"API_VERSION_SUNSET_WARNING","message":"API version 2024-06-01 is deprecated. Move to 2026-01-01.","requested_version":"2024-06-01","sunset_date":"2027-01-31","latest_version":"2026-01-01"}"#
            ]],
        ),
        (
            None,
            SUNSET,
            "2027-01-30",
            expect![[r#"
            Baseline {"code":"MISSING_API_VERSION_HEADER","message":"No Healthie-GraphQL-API-Version header was sent, so version 2024-06-01 answers. Send the version that your client was written for.","latest_version":"2026-01-01"}
            {"code":"API_VERSION_SUNSET_WARNING","message":"API version 2024-06-01 is deprecated. Move to 2026-01-01.","requested_version":"2024-06-01","sunset_date":"2027-01-31","latest_version":"2026-01-01"}"#]],
        ),
        (
            OLD,
            SUNSET,
            "2027-01-31",
            expect![[
                r#"{"message":"API version 2024-06-01 is not supported. Send Healthie-GraphQL-API-Version: 2026-01-01, or one of the published versions from 2026-01-01 on.","extensions":{"code":"UNSUPPORTED_API_VERSION","requested_version":"2024-06-01","minimum_supported_version":"2026-01-01","latest_version":"2026-01-01"}}"#
            ]],
        ),
        (
            Some("2025-11-30"),
            SUNSET,
            "2027-02-01",
            expect![[
                r#"{"message":"API version 2025-11-30 is not supported. Send Healthie-GraphQL-API-Version: 2026-01-01, or one of the published versions from 2026-01-01 on.","extensions":{"code":"UNSUPPORTED_API_VERSION","requested_version":"2025-11-30","minimum_supported_version":"2026-01-01","latest_version":"2026-01-01"}}"#
            ]],
        ),
        (
            None,
            SUNSET,
            "2027-01-31",
            expect![[
                r#"{"message":"Send the header Healthie-GraphQL-API-Version: 2026-01-01; requests without it are no longer served.","extensions":{"code":"MISSING_API_VERSION_HEADER","latest_version":"2026-01-01"}}"#
            ]],
        ),
        (Some(LATEST), SUNSET, "2027-01-31", expect!["V2026 "]),
        (
            Some("nonsense"),
            SUNSET,
            "2027-01-31",
            expect![[
                r#"{"message":"API version nonsense is not supported. Send Healthie-GraphQL-API-Version: 2026-01-01, or one of the published versions from 2026-01-01 on.","extensions":{"code":"UNSUPPORTED_API_VERSION","requested_version":"nonsense","minimum_supported_version":"2026-01-01","latest_version":"2026-01-01"}}"#
            ]],
        ),
    ];
    for (header, sunset, today, expected) in cases {
        expected.assert_eq(&told(header, sunset, today));
    }
}

/// However late it is: without a configured date nothing ends.
#[test]
fn nothing_ends_by_itself() {
    for version in PUBLISHED.map(Some).into_iter().chain([None]) {
        assert!(choose(version, None, date(2099, 1, 1)).is_ok());
    }
}
