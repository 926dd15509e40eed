//! What came of a request, for who wants to know: what it left behind, and why it was refused. No
//! value of anybody's is in it but ids.

use parking_lot::Mutex;
use ward_store::Left;

use crate::call::Request;
use crate::engine::{Executed, Halt};
use crate::outcome::{FieldProblem, RequestError};

/// So many of each are noted.
const NOTED_MAX: usize = 200;

/// Notes of a request while it is answered.
#[derive(Debug, Default)]
pub struct Trail(Mutex<Noted>);

/// What was noted of a request.
#[derive(Debug, Default)]
pub struct Noted {
    /// What its committed transactions left behind.
    pub left: Vec<Left>,
    /// How much more they left.
    pub more: usize,
    /// Problems of mutations, by their names: Ward's own sentences.
    pub problems: Vec<(String, FieldProblem)>,
    /// Errors of its answer.
    pub errors: Vec<RequestError>,
}

impl Trail {
    /// Takes what was noted so far.
    pub fn take(&self) -> Noted {
        std::mem::take(&mut *self.0.lock())
    }

    pub(crate) fn left(&self, left: Vec<Left>) {
        let mut noted = self.0.lock();
        let room = NOTED_MAX.saturating_sub(noted.left.len());
        noted.more += left.len().saturating_sub(room);
        noted.left.extend(left.into_iter().take(room));
    }

    pub(crate) fn problems(&self, mutation: &str, problems: &[FieldProblem]) {
        let named = problems.iter().map(|problem| (mutation.to_owned(), problem.clone()));
        self.0.lock().problems.extend(named.take(NOTED_MAX));
    }
}

/// Notes the errors that a request ended with.
pub(crate) fn noted(request: &Request, executed: Result<Executed, Halt>) -> Result<Executed, Halt> {
    if let Some(trail) = &request.trail
        && let Ok(Executed { errors, .. }) | Err(Halt::Errors(errors)) = &executed
    {
        trail.0.lock().errors.extend(errors.iter().take(NOTED_MAX).cloned());
    }
    executed
}
