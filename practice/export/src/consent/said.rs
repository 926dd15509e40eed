//! What an archive says of the consent that it was made by: each disclosure goes with a copy of the
//! consent, or a clear explanation of its scope (42 CFR 2.32(b)). Pure.

use serde_json::{Value as Json, json};

use super::table::{DisclosureConsent, DisclosureScope};

/// What is covered, in words. None of them tells whether there are records of the kind that is left
/// out.
pub const fn explained(scope: DisclosureScope) -> &'static str {
    match scope {
        DisclosureScope::AllRecords => {
            "all records of the client, without counselling notes, for which a consent of their own \
             would be needed if there were any"
        }
        DisclosureScope::WithoutPart2 => {
            "the records of the client that are not under 42 CFR part 2, without counselling notes; \
             this says nothing about whether there are any others"
        }
        DisclosureScope::CounsellingNotes => "counselling notes about the client, and nothing else",
    }
}

/// The sentences for people.
pub fn sentence(consent: &DisclosureConsent) -> String {
    let until = consent.expires_on.map_or_else(
        || "It has no last day.".to_owned(),
        |last| format!("Its last day is {last}."),
    );
    format!(
        "Disclosed by the written consent {} of the client, signed on {}. To: {}. For: {}. It covers \
         {}. {until}",
        consent.id,
        consent.signed_on,
        consent.recipient,
        consent.purpose,
        explained(consent.scope)
    )
}

/// The same for programs.
pub fn json(consent: &DisclosureConsent) -> Json {
    json!({
        "id": consent.id.to_string(),
        "recipient": consent.recipient,
        "purpose": consent.purpose,
        "scope": consent.scope.as_str(),
        "scope_explained": explained(consent.scope),
        "signed_on": consent.signed_on.to_string(),
        "expires_on": consent.expires_on.map(|day| day.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use ward_instance::Timestamp;
    use ward_store::{Day, Id};

    use super::*;

    fn consent(scope: DisclosureScope, expires_on: Option<Day>) -> DisclosureConsent {
        DisclosureConsent {
            id: Id::new(7),
            org_id: Id::new(1),
            unit_id: Id::new(1),
            user_id: Id::new(3),
            recipient: "Dr. Ada Bell".to_owned(),
            purpose: "Further treatment".to_owned(),
            scope,
            signed_on: Day(date(2026, 1, 5)),
            expires_on,
            form_answer_group_id: None,
            revoked_at: None,
            revoked_by_id: None,
            version: 1,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
        }
    }

    #[test]
    fn dom_31_an_archive_explains_its_consent() {
        let ends = consent(DisclosureScope::AllRecords, Some(Day(date(2026, 6, 30))));
        let said = sentence(&ends);
        for part in ["Dr. Ada Bell", "Further treatment", "2026-01-05", "2026-06-30", "all records"]
        {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert_eq!(json(&ends)["expires_on"], "2026-06-30");
        let open = consent(DisclosureScope::CounsellingNotes, None);
        assert!(sentence(&open).ends_with("It has no last day."));
        assert!(json(&open)["expires_on"].is_null());
        assert_eq!(json(&open)["scope"], "COUNSELLING_NOTES");
    }
}
