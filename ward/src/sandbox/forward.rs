//! Signals that a run gets and its command is meant to get.

use std::future::poll_fn;
use std::task::Poll;

use rustix::process::{Signal as Number, getpgrp};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::failure::{Done, Failure};

/// What is passed on.
const PASSED: [Number; 6] =
    [Number::INT, Number::QUIT, Number::TERM, Number::HUP, Number::USR1, Number::USR2];

/// The signals that are passed on.
pub struct Forwarded(Vec<(Number, Signal)>);

/// A signal that has come.
pub struct Got {
    /// Its number.
    pub number: i32,
    /// It may be a terminal's key that sent it: to all of this process's group.
    pub by_key: bool,
}

impl Forwarded {
    /// Takes them over from now on, but for those that this process was told to ignore, as `nohup`
    /// tells it: the command ignores them too.
    pub fn new() -> Done<Self> {
        let ignored = ignored();
        let wanted = PASSED.into_iter().filter(|it| !is_in(ignored, *it));
        let of = |number: Number| {
            signal(SignalKind::from_raw(number.as_raw()))
                .map(|stream| (number, stream))
                .map_err(|error| Failure::unavailable(format!("cannot take signals: {error}")))
        };
        wanted.map(of).collect::<Done<_>>().map(Forwarded)
    }

    /// The next one.
    pub async fn next(&mut self) -> Got {
        let number = poll_fn(|context| {
            let mut all = self.0.iter_mut();
            match all.find_map(|(number, signal)| {
                signal.poll_recv(context).is_ready().then_some(*number)
            }) {
                Some(number) => Poll::Ready(number),
                None => Poll::Pending,
            }
        })
        .await;
        let by_key = matches!(number, Number::INT | Number::QUIT) && is_in_front();
        Got { number: number.as_raw(), by_key }
    }
}

/// Whether a terminal sends its keys' signals to this process group.
fn is_in_front() -> bool {
    let terminal = std::fs::File::open("/dev/tty");
    terminal.is_ok_and(|tty| rustix::termios::tcgetpgrp(tty).is_ok_and(|it| it == getpgrp()))
}

/// The signals that this process was started with as ignored, a bit each from the first; where the
/// system does not tell, none.
fn ignored() -> u64 {
    let status = std::fs::read("/proc/self/status").unwrap_or_default();
    let status = String::from_utf8_lossy(&status).into_owned();
    let bits = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    bits.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok()).unwrap_or_default()
}

fn is_in(bits: u64, number: Number) -> bool {
    u32::try_from(number.as_raw() - 1).is_ok_and(|bit| bits.checked_shr(bit).unwrap_or(0) & 1 == 1)
}
