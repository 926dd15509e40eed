//! Signals that a run gets and its command is meant to get.

use rustix::process::{Signal as Number, getpgrp};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::failure::{Done, Failure};

/// The signals that are passed on.
pub struct Forwarded {
    interrupt: Signal,
    quit: Signal,
    term: Signal,
    hangup: Signal,
    one: Signal,
    two: Signal,
}

impl Forwarded {
    /// Takes them over from now on.
    pub fn new() -> Done<Self> {
        let of = |kind| {
            signal(kind)
                .map_err(|error| Failure::unavailable(format!("cannot take signals: {error}")))
        };
        Ok(Forwarded {
            interrupt: of(SignalKind::interrupt())?,
            quit: of(SignalKind::quit())?,
            term: of(SignalKind::terminate())?,
            hangup: of(SignalKind::hangup())?,
            one: of(SignalKind::user_defined1())?,
            two: of(SignalKind::user_defined2())?,
        })
    }

    /// The number of the next one. What a terminal's key sends has reached a command that runs
    /// already, since it is in the same group, and is left out then.
    pub async fn next(&mut self, runs: bool) -> i32 {
        loop {
            let number = tokio::select! {
                _ = self.interrupt.recv() => Number::INT,
                _ = self.quit.recv() => Number::QUIT,
                _ = self.term.recv() => Number::TERM,
                _ = self.hangup.recv() => Number::HUP,
                _ = self.one.recv() => Number::USR1,
                _ = self.two.recv() => Number::USR2,
            };
            let by_key = runs && matches!(number, Number::INT | Number::QUIT) && is_in_front();
            if !by_key {
                return number.as_raw();
            }
        }
    }
}

/// Whether a terminal sends its keys' signals to this process group.
fn is_in_front() -> bool {
    let terminal = std::fs::File::open("/dev/tty");
    terminal.is_ok_and(|tty| rustix::termios::tcgetpgrp(tty).is_ok_and(|it| it == getpgrp()))
}
