//! Forks: private copies of a Sandbox, each on a free port of this machine with the same keys,
//! until their time is over or the server ends.
//!
//! A fork is served by the same process. Its ids come from a slot that the Sandbox itself never
//! uses; its webhooks are switched off until somebody switches one on, there; its stored files are
//! its own, with the Sandbox's behind them.

mod apart;
mod closed;
mod files;
mod making;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::{Span, SpanRelativeTo};
use parking_lot::Mutex;
use serde_json::{Value as Json, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use ward_instance::{IsoError, SandboxWitness, Timestamp};
use ward_store::{Db, StoreError};

use self::closed::Closed;
use crate::admin::Context;
use crate::place::ServerError;
use crate::serve;

pub use files::Layered;
pub use making::open;

/// So many at once.
const MOST: usize = 16;
/// How long a fork lives where nothing is said, and at most; in seconds.
const TTL: u64 = 20 * 60;
const TTL_MOST: u64 = 24 * 3_600;

/// The forks of a running Sandbox.
#[derive(Clone, Default)]
pub struct Forks(Arc<Mutex<Vec<Fork>>>);

/// One that lives, or is about to.
struct Fork {
    /// Which slot of ids it has.
    number: usize,
    /// What was closed in the Sandbox when it was made.
    closed: Closed,
    facts: Option<Facts>,
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

#[derive(Clone)]
struct Facts {
    id: String,
    url: String,
    made_at: Timestamp,
    ends_at: Timestamp,
}

impl Facts {
    fn shown(&self) -> Json {
        json!({
            "id": self.id,
            "url": self.url,
            "graphql_url": format!("{}/graphql", self.url),
            "created_at": self.made_at.to_string(),
            "expires_at": self.ends_at.to_string(),
        })
    }
}

impl Forks {
    /// Whether none lives.
    pub fn is_empty(&self) -> bool {
        self.0.lock().is_empty()
    }

    fn shown(&self) -> Vec<Json> {
        self.0.lock().iter().filter_map(|it| Some(it.facts.as_ref()?.shown())).collect()
    }

    /// Takes the lowest number that is free, for a fork below the Sandbox's directory. Its own is of
    /// this name besides, which is drawn: where a making broke off, a file of before may still be open.
    fn enter(
        &self,
        closed: Closed,
        dir: &Path,
        drawn: &str,
    ) -> Option<(Seat, watch::Receiver<bool>)> {
        let mut all = self.0.lock();
        let number = (0..MOST).find(|number| all.iter().all(|it| it.number != *number))?;
        let (stop, stopped) = watch::channel(false);
        all.push(Fork { number, closed, facts: None, stop, task: None });
        let dir = folder(dir).join(format!("{number}-{drawn}"));
        Some((Seat { forks: self.clone(), number, dir }, stopped))
    }

    fn begun(&self, number: usize, facts: Facts, task: JoinHandle<()>) {
        if let Some(fork) = self.0.lock().iter_mut().find(|it| it.number == number) {
            fork.facts = Some(facts);
            fork.task = Some(task);
        }
    }

    fn leave(&self, number: usize) {
        self.0.lock().retain(|it| it.number != number);
    }

    /// Tells those that fit to end; gives what is waited for.
    fn end(&self, fits: impl Fn(&Fork) -> bool) -> Vec<JoinHandle<()>> {
        let mut all = self.0.lock();
        let ending = all.iter_mut().filter(|fork| fits(fork));
        ending
            .filter_map(|fork| {
                let _ = fork.stop.send(true);
                fork.task.take()
            })
            .collect()
    }

    /// Ends those of before something was closed in the Sandbox.
    pub async fn look(&self, db: &Db) -> Result<(), StoreError> {
        if self.is_empty() {
            return Ok(());
        }
        let closed = Closed::of(db).await?;
        let count = self.end(|fork| closed.is_beyond(&fork.closed)).len();
        // Where less is closed than there was, what is closed next is more all the same.
        self.0.lock().iter_mut().for_each(|fork| fork.closed = fork.closed.least(&closed));
        if count > 0 {
            tracing::warn!(
                count,
                "forks were ended: a key was revoked, a user disabled or a session ended in the Sandbox"
            );
        }
        Ok(())
    }

    /// Ends all, and waits until they are gone, those too that are ending already.
    pub async fn close(&self) {
        for task in self.end(|_| true) {
            let _ = task.await;
        }
        let gone = async {
            while !self.is_empty() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let _ = tokio::time::timeout(serve::GRACE, gone).await;
    }
}

/// The number of a fork that is made or lives, and its directory. Dropped, however the
/// making or the serving ended, nothing of the fork is left, and the next one may have the number.
struct Seat {
    forks: Forks,
    number: usize,
    dir: PathBuf,
}

impl Drop for Seat {
    fn drop(&mut self) {
        // The disk may be full.
        let _ = std::fs::remove_dir_all(&self.dir);
        self.forks.leave(self.number);
    }
}

/// Deletes what forks of a killed process left.
pub fn clear(dir: &Path) {
    let _ = std::fs::remove_dir_all(folder(dir));
}

fn folder(dir: &Path) -> PathBuf {
    dir.join("forks")
}

/// How long a fork is to live, as it was asked for.
pub fn ttl(text: Option<&str>) -> Result<Duration, String> {
    let Some(text) = text else { return Ok(Duration::from_secs(TTL)) };
    let wrong = || "ttl is a time such as 90s, 20m or PT1H, of at most 24 hours".to_owned();
    let span: Span = text.parse().map_err(|_| wrong())?;
    let time = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?;
    let time = Duration::try_from(time).map_err(|_| wrong())?;
    match time.as_secs() {
        1..=TTL_MOST => Ok(time),
        _ => Err(wrong()),
    }
}

/// The forks there are.
pub fn list(context: &Context) -> Result<Json, ServerError> {
    sandbox(context)?;
    let all = context.app.as_ref().map(|app| app.forks.shown()).unwrap_or_default();
    Ok(json!({ "forks": all }))
}

/// Ends one fork, or all.
pub async fn end(context: &Context, id: Option<&str>) -> Result<Json, ServerError> {
    sandbox(context)?;
    let Some(app) = &context.app else { return Err(no_server()) };
    context.check_world()?;
    let fits = |fork: &Fork| match id {
        Some(id) => fork.facts.as_ref().is_some_and(|facts| facts.id == id),
        None => true,
    };
    let ending = app.forks.end(fits);
    if let (true, Some(id)) = (ending.is_empty(), id) {
        return Err(ServerError::Usage(format!(
            "there is no fork {id}; ward sandbox fork --list shows them"
        )));
    }
    let count = ending.len();
    for task in ending {
        let _ = task.await;
    }
    Ok(json!({ "ended": count }))
}

fn sandbox(context: &Context) -> Result<SandboxWitness, ServerError> {
    context.instance.witness().sandbox().ok_or_else(|| {
        IsoError::new(
            "ISO-35",
            "only a Sandbox is forked; this is Production",
            "fork a Sandbox instead",
        )
        .into()
    })
}

fn no_server() -> ServerError {
    ServerError::System(
        "a fork lives in a running server, and none has this directory; start it with ward serve"
            .to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn a_fork_lives_twenty_minutes_or_as_it_is_told() {
        let seconds = |text| ttl(text).map(|time| time.as_secs());
        assert_eq!(seconds(None), Ok(1_200));
        assert_eq!((seconds(Some("90s")), seconds(Some("PT24H"))), (Ok(90), Ok(86_400)));
        for wrong in ["0s", "-5s", "25h", "P1M", "soon", ""] {
            assert!(seconds(Some(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn numbers_are_used_again() {
        let (forks, dir) = (Forks::default(), tempfile::tempdir().unwrap());
        let enter =
            |drawn: &str| forks.enter(Closed::default(), dir.path(), drawn).map(|(seat, _)| seat);
        let mut seats: Vec<_> = (0..MOST + 1).filter_map(|_| enter("first")).collect();
        let numbers: Vec<_> = seats.iter().map(|seat| seat.number).collect();
        assert_eq!(numbers, (0..MOST).collect::<Vec<_>>());
        let before = seats.remove(3).dir.clone();
        let seat = enter("second").unwrap();
        // The number, and none of its files.
        assert_eq!(seat.number, 3);
        assert_ne!(seat.dir, before);
    }

    #[test]
    fn nothing_is_left_of_a_fork_whose_making_breaks_off() {
        let (forks, dir) = (Forks::default(), tempfile::tempdir().unwrap());
        let begin = || {
            let (seat, stop) = forks.enter(Closed::default(), dir.path(), "x").unwrap();
            std::fs::create_dir_all(&seat.dir).unwrap();
            (seat, stop)
        };
        let left = || std::fs::read_dir(folder(dir.path())).unwrap().count();
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _begun = begin();
            panic!("while a fork is made");
        }));
        assert!(panicked.is_err() && forks.is_empty() && left() == 0);
        // Whoever asked has gone.
        let making = async {
            let _begun = begin();
            std::future::pending::<()>().await;
        };
        assert!(making.now_or_never().is_none() && forks.is_empty() && left() == 0);
    }
}
