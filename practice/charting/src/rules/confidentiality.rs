//! How confidential a form or note is, and what it takes to make it another (DOM-31). Pure.
//!
//! Records of treatment for a substance use disorder are passed on with a notice (42 CFR 2.32).
//! Psychotherapy notes (45 CFR 164.501) and counselling notes of such treatment (42 CFR 2.11) are
//! kept apart from the rest of the record: nobody but their author reads them, and neither the
//! client's access to the record nor what else may be passed on covers them (45 CFR
//! 164.508(a)(2), 164.524(a)(1)(i); 42 CFR 2.31).

use crate::tables::Confidentiality;

/// The short statement of 42 CFR 2.32(a)(2), as it reads since 2024.
pub const PART_2_NOTICE: &str =
    "42 CFR part 2 prohibits unauthorized use or disclosure of these records.";

/// What counselling notes say of themselves on paper.
pub const COUNSELLING_NOTICE: &str = "Counselling notes, kept apart from the rest of the record: using \
     or disclosing them takes the client's written permission for these notes (45 CFR 164.508(a)(2)). \
     If they are of treatment for a substance use disorder: 42 CFR part 2 prohibits unauthorized use or \
     disclosure of these records.";

/// Only staff writes notes.
pub const FOR_NOTES: &str =
    "Counselling notes are what staff write; use a form for charting (use_for_charting: true)";

/// What is less confidential than its template.
pub const LOOSER: &str =
    "The form that this is begun with is more confidential; leave confidentiality out";

/// What it takes to make what is filled in more or less confidential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// No more than changing it.
    Nothing,
    /// Having written it: nobody else would read it from then on.
    Author,
    /// Having written it, or deciding on forms: it is less protected from then on.
    AuthorOrEditor,
}

impl Confidentiality {
    /// The stricter, the higher.
    const fn rank(self) -> u8 {
        match self {
            Confidentiality::Normal => 0,
            Confidentiality::Part2 => 1,
            Confidentiality::CounsellingNotes => 2,
        }
    }

    /// What whoever receives it is told.
    pub const fn notice(self) -> Option<&'static str> {
        match self {
            Confidentiality::Normal => None,
            Confidentiality::Part2 => Some(PART_2_NOTICE),
            Confidentiality::CounsellingNotes => Some(COUNSELLING_NOTICE),
        }
    }
}

/// How confidential what is begun is: as its template says, or stricter.
pub fn begun(
    template: Confidentiality,
    wanted: Option<Confidentiality>,
) -> Result<Confidentiality, &'static str> {
    match wanted {
        Some(wanted) if wanted.rank() < template.rank() => Err(LOOSER),
        Some(wanted) => Ok(wanted),
        None => Ok(template),
    }
}

/// What it takes to make another of what is there.
pub fn takes(now: Confidentiality, wanted: Confidentiality) -> Takes {
    match wanted {
        wanted if wanted == now => Takes::Nothing,
        Confidentiality::CounsellingNotes => Takes::Author,
        wanted if wanted.rank() > now.rank() => Takes::Nothing,
        _ => Takes::AuthorOrEditor,
    }
}

#[cfg(test)]
mod tests {
    use super::Confidentiality::{CounsellingNotes, Normal, Part2};
    use super::*;

    const ALL: [Confidentiality; 3] = [Normal, Part2, CounsellingNotes];

    #[test]
    fn dom_31_what_is_begun_is_never_looser_than_its_form() {
        for template in ALL {
            assert_eq!(begun(template, None), Ok(template));
            for wanted in ALL {
                let is_strict = wanted.rank() >= template.rank();
                let expected = if is_strict { Ok(wanted) } else { Err(LOOSER) };
                assert_eq!(begun(template, Some(wanted)), expected, "{template} {wanted}");
            }
        }
    }

    #[test]
    fn dom_31_what_another_confidentiality_takes() {
        for now in ALL {
            assert_eq!(takes(now, now), Takes::Nothing);
        }
        assert_eq!(takes(Normal, Part2), Takes::Nothing);
        assert_eq!(takes(Normal, CounsellingNotes), Takes::Author);
        assert_eq!(takes(Part2, CounsellingNotes), Takes::Author);
        assert_eq!(takes(Part2, Normal), Takes::AuthorOrEditor);
        assert_eq!(takes(CounsellingNotes, Part2), Takes::AuthorOrEditor);
        assert_eq!(takes(CounsellingNotes, Normal), Takes::AuthorOrEditor);
    }

    #[test]
    fn dom_31_what_is_passed_on_says_so() {
        assert_eq!(Normal.notice(), None);
        assert_eq!(Part2.notice(), Some(PART_2_NOTICE));
        // A counselling note of such treatment is a record of it, too.
        assert!(COUNSELLING_NOTICE.ends_with(PART_2_NOTICE));
    }
}
