//! Why a request has no answer but errors.

use ward_store::StoreError;

use crate::exec::Stop;
use crate::outcome::RequestError;

/// The operation could not be executed at all.
pub(crate) enum Halt {
    Errors(Vec<RequestError>),
    Store(StoreError),
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        Halt::Store(error)
    }
}

impl From<Stop> for Halt {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Store(error) => Halt::Store(error),
            Stop::Refused(error) => Halt::Errors(vec![error]),
        }
    }
}
