//! How a command ends when it does not end well: an exit status and one sentence.

use ward_instance::{
    EXIT_BUSY, EXIT_INTERNAL, EXIT_REFUSED, EXIT_UNAVAILABLE, EXIT_USAGE, InstanceError, IsoError,
};
use ward_server::ServerError;
use ward_store::StoreError;

/// What every command gives back.
pub type Done<T = ()> = Result<T, Failure>;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub struct Failure {
    /// The exit status.
    pub code: i32,
    /// One sentence with the fix; empty when the command has said all there is.
    pub sentence: String,
}

impl Failure {
    /// The exit status of a defect of ours.
    pub const INTERNAL: u8 = EXIT_INTERNAL as u8;

    fn new(code: i32, sentence: impl Into<String>) -> Self {
        Failure { code, sentence: sentence.into() }
    }

    /// It ran and the answer is no; the command has printed why.
    pub fn no() -> Self {
        Failure::new(1, "")
    }

    /// It ran and the answer is no, with the reason.
    pub fn said_no(sentence: impl Into<String>) -> Self {
        Failure::new(1, sentence)
    }

    /// Wrong use of the command.
    pub fn usage(sentence: impl Into<String>) -> Self {
        Failure::new(EXIT_USAGE, sentence)
    }

    /// A needed service is not there.
    pub fn unavailable(sentence: impl Into<String>) -> Self {
        Failure::new(EXIT_UNAVAILABLE, sentence)
    }

    /// Locked: try again.
    pub fn busy(sentence: impl Into<String>) -> Self {
        Failure::new(EXIT_BUSY, sentence)
    }

    /// Refused by environment or configuration.
    pub fn refused(sentence: impl Into<String>) -> Self {
        Failure::new(EXIT_REFUSED, sentence)
    }

    /// The status as the system takes it.
    pub fn status(&self) -> u8 {
        u8::try_from(self.code).unwrap_or(Self::INTERNAL)
    }
}

impl From<ServerError> for Failure {
    fn from(error: ServerError) -> Self {
        Failure::new(error.exit_code(), error.to_string())
    }
}

impl From<InstanceError> for Failure {
    fn from(error: InstanceError) -> Self {
        ServerError::from(error).into()
    }
}

impl From<IsoError> for Failure {
    fn from(error: IsoError) -> Self {
        ServerError::from(error).into()
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        ServerError::from(error).into()
    }
}

/// A panic is one sentence with its place, and no trace of the stack.
pub fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map_or_else(String::new, |at| format!(" at {}:{}", at.file(), at.line()));
        let payload = panic.payload();
        let message = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("no message");
        anstream::eprintln!(
            "ward: internal error{place}: {message}; this is a defect of ward, please report it"
        );
    }));
}
