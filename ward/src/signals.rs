//! SIGTERM and Ctrl-C: the first one asks for an orderly stop, the second one
//! ends the process.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::failure::{Done, Failure};

/// Both signals.
pub struct Signals {
    term: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Takes over both signals from now on.
    pub fn new() -> Done<Self> {
        let failed = |error| Failure::unavailable(format!("cannot take signals: {error}"));
        Ok(Signals {
            term: signal(SignalKind::terminate()).map_err(failed)?,
            interrupt: signal(SignalKind::interrupt()).map_err(failed)?,
        })
    }

    /// The next one's exit status, 128 + its number.
    pub async fn next(&mut self) -> i32 {
        tokio::select! {
            _ = self.term.recv() => 143,
            _ = self.interrupt.recv() => 130,
        }
    }
}

/// A receiver that the first signal, or the end of `also`, sets; `told` is
/// said then. The next signal ends the process.
pub fn stop_on_signal(
    told: impl FnOnce() + Send + 'static,
    also: impl Future<Output = ()> + Send + 'static,
) -> Done<watch::Receiver<bool>> {
    let mut signals = Signals::new()?;
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = signals.next() => told(),
            () = also => {}
        }
        let _ = stop.send(true);
        std::process::exit(signals.next().await);
    });
    Ok(stopped)
}
