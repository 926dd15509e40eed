//! What follows from events, done in the commit that writes them.
//!
//! On SQLite there is one writer. Work that events cause and that would come in a commit of its
//! own waits there behind everything that queued up meanwhile; as the last member of the events'
//! own group it waits for nothing, and costs no further sync of the disk.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::core::Core;
use crate::db::Db;
use crate::error::StoreError;
use crate::member::{self, Member};
use crate::query::Engine;
use crate::tx::Tx;

/// Makes the member that is run behind a group.
pub(crate) trait Follower: Send + Sync {
    /// A new one, for one commit.
    fn member(self: Arc<Self>) -> Box<dyn Member>;
}

/// What is done, and what becomes of its result once it is committed.
pub(crate) struct Follow<T, W> {
    pub(crate) work: W,
    pub(crate) done: Box<dyn Fn(T) + Send + Sync>,
}

/// While this lives, something is done behind each group of writes that left
/// [`crate::Hint::Events`] or [`crate::Hint::Deliveries`].
pub struct Followed {
    core: Arc<Core>,
}

impl Followed {
    pub(crate) fn by(core: &Arc<Core>, follower: Arc<dyn Follower>) -> Self {
        *core.follower.lock() = Some(follower);
        Followed { core: Arc::clone(core) }
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        // Let go of outside of the lock: it may hold what holds the store.
        let follower = self.core.follower.lock().take();
        drop(follower);
    }
}

impl<T, W> Follower for Follow<T, W>
where
    T: Send + 'static,
    W: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + Sync + 'static,
{
    fn member(self: Arc<Self>) -> Box<dyn Member> {
        Box::new(Following { follow: self, result: None })
    }
}

impl Db {
    /// Does `work` behind every group of writes that left [`Hint::Events`] or
    /// [`Hint::Deliveries`], in the same commit, and hands the result to `done` when it is on the
    /// disk: on the writer's thread, which waits for it. Until what is returned is dropped; it
    /// takes the place of what followed before. `None` on PostgreSQL, where everybody commits for
    /// themselves.
    pub fn follow<T, W>(
        &self,
        work: W,
        done: impl Fn(T) + Send + Sync + 'static,
    ) -> Option<Followed>
    where
        W: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + Sync + 'static,
        T: Send + 'static,
    {
        let follow = Follow { work, done: Box::new(done) };
        (self.engine() == Engine::Lite).then(|| Followed::by(self.core(), Arc::new(follow)))
    }
}

struct Following<T, W> {
    follow: Arc<Follow<T, W>>,
    result: Option<Result<T, StoreError>>,
}

impl<T, W> Member for Following<T, W>
where
    T: Send,
    W: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + Sync,
{
    fn is_abandoned(&self) -> bool {
        false
    }

    fn run(&mut self, tx: &mut Tx) -> bool {
        self.result = None;
        let result = member::run(&self.follow.work, tx);
        let is_good = result.is_ok();
        self.result = Some(result);
        is_good
    }

    fn fail(&mut self, error: StoreError) {
        self.result = Some(Err(error));
    }

    fn acknowledge(self: Box<Self>) {
        match self.result {
            Some(Ok(value)) => (self.follow.done)(value),
            Some(Err(error)) => tracing::error!(%error, "what follows from events failed"),
            None => {}
        }
    }
}
