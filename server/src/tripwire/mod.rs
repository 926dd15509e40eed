//! The Sandbox's guard against real people's data: what looks like it is refused before anything
//! is stored. What is found is never repeated, neither to the log nor to who sent it.
//!
//! Three tiers. Hard signs, which made-up data has no reason to have, are refused: numbers that
//! could have been issued, files that say that they are a production's. Of what is probable, such as
//! a private e-mail address with a birthday and a street, a Sandbox takes note, and refuses it where
//! the operator wants that (`tripwire_strict` in `ward.toml`). What is only possible is counted.
//!
//! Well-known made-up numbers pass: the test cards of payment processors, 123-45-6789.

mod alone;
mod files;
mod known;
mod numbers;
mod reach;
mod shape;
mod walk;

pub use walk::arguments;
use ward_engine::{Args, Refused, Request, Upload};

/// What was found, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What it looks like.
    pub what: Sign,
    /// The argument and the fields in it.
    pub place: String,
    /// Whether it is a file that has it.
    pub in_file: bool,
}

/// What something looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sign {
    /// A social security number that could have been issued.
    Ssn,
    /// A card number with a right check digit, of a network's range.
    Card,
    /// A Medicare beneficiary identifier.
    Mbi,
    /// An account beside a routing number with a right check digit.
    BankAccount,
    /// A file of HL7 v2, X12 or FHIR that is not marked as a test.
    ProductionFile,
    /// Somebody's own e-mail address, birthday and street.
    Person,
    /// A telephone number outside of the range that is nobody's (555-0100 to 555-0199).
    Phone,
    /// A number behind words such as MRN in a text.
    Context,
}

impl Sign {
    /// How sure it is.
    pub const fn tier(self) -> Tier {
        match self {
            Sign::Ssn | Sign::Card | Sign::Mbi | Sign::BankAccount | Sign::ProductionFile => {
                Tier::Hard
            }
            Sign::Person | Sign::Phone => Tier::Probable,
            Sign::Context => Tier::Possible,
        }
    }

    /// What it is called in a sentence, and what to send instead.
    const fn told(self) -> (&'static str, &'static str) {
        match self {
            Sign::Ssn => (
                "a social security number of a real person",
                "one that is never issued, such as 900-12-3456",
            ),
            Sign::Card => {
                ("a card number of a real person", "a test card, such as 4242424242424242")
            }
            Sign::Mbi => (
                "a Medicare beneficiary identifier of a real person",
                "the published sample, 1EG4-TE5-MK73",
            ),
            Sign::BankAccount => (
                "a bank account of a real person",
                "a test account, such as routing number 110000000",
            ),
            Sign::ProductionFile => (
                "a file of a production system",
                "one that is marked as a test (MSH-11 T, ISA15 T, or the tag HTEST)",
            ),
            Sign::Person => {
                ("the address and birthday of a real person", "an address @example.com")
            }
            Sign::Phone => ("a telephone number of a real person", "555-0100 to 555-0199"),
            Sign::Context => ("a number of a real person's record", "none in a text"),
        }
    }
}

/// How sure it is that data are real.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// Refused.
    Hard,
    /// Noted, or refused where the operator wants that.
    Probable,
    /// Counted.
    Possible,
}

impl Tier {
    /// Under what it is counted in the audit log.
    pub const fn code(self) -> &'static str {
        match self {
            Tier::Hard => "REAL_DATA_IN_SANDBOX",
            Tier::Probable => "PROBABLY_REAL_DATA",
            Tier::Possible => "POSSIBLY_REAL_DATA",
        }
    }
}

/// With which code and sentence a file is refused that comes outside a mutation.
pub fn of_file(upload: &Upload, place: &str) -> Option<(&'static str, String)> {
    let what = files::sign_in_upload(upload, &mut reach::Reach::default())?;
    let found = Found { what, place: place.to_owned(), in_file: true };
    Some((Tier::Hard.code(), sentence(&found)))
}

/// The guard of a Sandbox's mutations. Every sign is counted, also of what is taken all the same.
pub fn guard(is_strict: bool) -> impl Fn(&Request, &Args) -> Result<(), Refused> + Send + Sync {
    move |request, args| {
        let Some(found) = walk::arguments(args.iter(), &request.uploads) else { return Ok(()) };
        let tier = found.what.tier();
        let is_refused = tier == Tier::Hard || (tier == Tier::Probable && is_strict);
        if !is_refused {
            request.note_refusal(tier.code());
            return Ok(());
        }
        // Counted by its code, which the answer has.
        Err(Refused::Foreign {
            message: sentence(&found),
            argument: found.place,
            code: Tier::Hard.code(),
        })
    }
}

/// Whether a text has a hard sign.
pub fn is_real(text: &str) -> bool {
    numbers::sign_in(text).is_some_and(|sign| sign.tier() == Tier::Hard)
}

/// What, where, and what to send instead.
fn sentence(found: &Found) -> String {
    let (what, instead) = found.what.told();
    let place = &found.place;
    let looks = match found.in_file && found.what != Sign::ProductionFile {
        true => "has what looks like",
        false => "looks like",
    };
    format!(
        "{place} {looks} {what}. A Sandbox takes made-up data only: send {instead}. Nothing was stored."
    )
}

#[cfg(test)]
mod corpus;

#[cfg(test)]
mod tests {
    use super::{Found, Sign, sentence};

    #[test]
    fn what_was_found_is_told_in_a_sentence() {
        for (what, in_file, told) in [
            (Sign::Phone, false, "input.at looks like a telephone number of a real person. A "),
            (Sign::Card, true, "input.at has what looks like a card number of a real person. A "),
            (Sign::ProductionFile, true, "input.at looks like a file of a production system. A "),
        ] {
            let found = Found { what, place: "input.at".to_owned(), in_file };
            assert!(sentence(&found).starts_with(told), "{}", sentence(&found));
        }
    }
}
