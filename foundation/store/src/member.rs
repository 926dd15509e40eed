//! One waiting write: its body, its result, and who waits for it.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

use crate::error::StoreError;
use crate::outbox;
use crate::tx::Tx;

/// The error of a write's body: the store's own, or one that can carry it.
pub trait Failure: From<StoreError> {
    /// The store's error inside, if that is what happened.
    fn store(&self) -> Option<&StoreError>;
}

impl Failure for StoreError {
    fn store(&self) -> Option<&StoreError> {
        Some(self)
    }
}

/// A member of the writer's groups.
pub(crate) trait Member: Send {
    /// Whether nobody waits for it any more.
    fn is_abandoned(&self) -> bool;
    /// Runs the body and writes what is pending; whether all went well. May be
    /// called again after a failed group.
    fn run(&mut self, tx: &mut Tx) -> bool;
    /// Replaces the result by an error.
    fn fail(&mut self, error: StoreError);
    /// Sends the result to whoever waits.
    fn acknowledge(self: Box<Self>);
}

/// Tells each of a group the error.
pub(crate) fn answer_all(group: Vec<Box<dyn Member>>, error: impl Fn() -> StoreError) {
    for mut member in group {
        member.fail(error());
        member.acknowledge();
    }
}

/// A body with its result.
pub(crate) struct Call<T, E, W> {
    work: W,
    /// The world that it is for, if it is for one.
    of: Option<u64>,
    result: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<T, E, W> Call<T, E, W> {
    pub(crate) fn new(work: W, of: Option<u64>) -> (Self, oneshot::Receiver<Result<T, E>>) {
        let (reply, answer) = oneshot::channel();
        (Call { work, of, result: None, reply }, answer)
    }
}

impl<T, E, W> Member for Call<T, E, W>
where
    T: Send,
    E: Failure + Send,
    W: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send,
{
    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn run(&mut self, tx: &mut Tx) -> bool {
        // What an earlier run holds is let go of first.
        self.result = None;
        let of_now = tx.core.check_world(self.of);
        let result = of_now.map_err(E::from).and_then(|()| run(&self.work, tx));
        let is_good = result.is_ok();
        self.result = Some(result);
        is_good
    }

    fn fail(&mut self, error: StoreError) {
        self.result = Some(Err(E::from(error)));
    }

    fn acknowledge(self: Box<Self>) {
        let result = self.result.unwrap_or_else(|| {
            Err(E::from(StoreError::internal("a write was answered before it ran")))
        });
        if let Err(error) = &result {
            log(error);
        }
        // Who has gone away meanwhile does not want the answer.
        drop(self.reply.send(result));
    }
}

/// Runs a body and writes what is pending.
pub(crate) fn run<T, E, W>(work: &W, tx: &mut Tx) -> Result<T, E>
where
    E: Failure,
    W: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, E>>,
{
    let result = catch_unwind(AssertUnwindSafe(|| {
        let value = ready_at_once(work(tx))??;
        ready_at_once(outbox::flush(tx))??;
        Ok(value)
    }));
    result.unwrap_or_else(|_| Err(panicked()))
}

/// The result of a body that panicked. The panic itself is reported by the
/// process's panic hook.
pub(crate) fn panicked<E: Failure>() -> E {
    E::from(StoreError::internal("a write panicked"))
}

/// Defects and damage are told in the log, wherever the error goes.
pub(crate) fn log<E: Failure>(error: &E) {
    if let Some(error @ (StoreError::Internal { .. } | StoreError::Corrupt { .. })) = error.store()
    {
        tracing::error!(%error, "a write failed");
    }
}

/// On SQLite every statement is done when its future is made, so a body is
/// ready at its first poll; one that waits for anything else must not hold the
/// writer.
fn ready_at_once<F: Future + Unpin>(mut future: F) -> Result<F::Output, StoreError> {
    match Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Ok(output),
        Poll::Pending => {
            Err(StoreError::internal("a write waited for something outside the database"))
        }
    }
}
