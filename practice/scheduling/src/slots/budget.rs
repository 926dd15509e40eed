//! How much one request may ask of slots, all its fields together: a document has room
//! for hundreds of questions, and each may be a large one.

use ward_engine::{Answer, Refused, Request};
use ward_store::Role;

/// So much a request of somebody who is signed in may cost: about so many starts that
/// are looked at.
pub const UNITS_MAX: i64 = 1_000_000;
/// So much a visitor's request may cost.
pub const UNITS_OF_VISITOR_MAX: i64 = 150_000;
/// What a question costs, whatever it finds.
pub const QUESTION: i64 = 500;
/// What a day of a provider costs.
pub const PROVIDER_DAY: i64 = 10;
/// What a slot costs besides that is answered.
pub const ANSWERED: i64 = 5;

/// Spends of the request's budget, or refuses.
pub fn spend(request: &Request, units: i64) -> Answer<()> {
    let most = match request.actor.role {
        Role::Anonymous => UNITS_OF_VISITOR_MAX,
        _ => UNITS_MAX,
    };
    match request.work.add(units) > most {
        true => Err(too_much()),
        false => Ok(()),
    }
}

/// How much a number of things costs.
pub fn units(count: usize, each: i64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX).saturating_mul(each)
}

/// More than one question, or one request, may ask.
pub fn too_much() -> Refused {
    Refused::on("end_date", "That is too much at once: ask for fewer days or fewer providers")
}
