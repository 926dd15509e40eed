//! What is asked of slots costs of a request's budget.

use ward_engine::{Answer, Refused, Request};

/// What a question costs, whatever it finds.
pub const QUESTION: i64 = 500;
/// What a day of a provider costs.
pub const PROVIDER_DAY: i64 = 10;
/// What a slot costs besides that is answered.
pub const ANSWERED: i64 = 5;

/// Spends of the request's budget, or refuses.
pub fn spend(request: &Request, units: i64) -> Answer<()> {
    match request.affords(units) {
        true => Ok(()),
        false => Err(too_much()),
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
