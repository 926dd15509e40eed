//! What is reckoned of goals costs of a request's budget: a question may be about the days of many
//! goals.

use ward_engine::{Answer, Refused, Request};
use ward_store::{Query, Rows, Select};

/// What a question costs, whatever it finds.
pub const QUESTION: i64 = 500;
/// One question reads so many rows at most.
pub const ROWS_MAX: i64 = 200_000;

/// Spends of the request's budget, or refuses.
pub fn spend(request: &Request, units: i64) -> Answer<()> {
    match request.affords(units) {
        true => Ok(()),
        false => Err(too_much()),
    }
}

/// How much a number of things costs.
pub fn units(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Reads the rows of a question, of which each costs one.
pub async fn read(request: &Request, q: &mut dyn Query, mut select: Select<'_>) -> Answer<Rows> {
    spend(request, QUESTION)?;
    select.limit = Some(ROWS_MAX + 1);
    let found = q.rows(&select.sql()).await?;
    let rows = units(found.len());
    if rows > ROWS_MAX {
        return Err(too_much());
    }
    spend(request, rows)?;
    Ok(found)
}

fn too_much() -> Refused {
    Refused::base("That is too much at once: ask for fewer goals or fewer days")
}
