//! On SQLite: deliveries are made and claimed in the commit of their events, and the next are
//! claimed in the commit that writes down how the last ended.
//!
//! There the engine has no commits of its own to wait for, each of which would come behind all
//! writes that queued up meanwhile.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::mpsc;
use ward_instance::crash;
use ward_store::{Followed, Hint, StoreError, Tx};

use crate::deliver::claim::{self, Claimed};
use crate::deliver::record::Attempt;
use crate::deliver::{Engine, RECOVERED_TOGETHER, feed, hand_all_on, recover, relay};

impl Engine {
    /// Follows what is written, while what this returns lives; `None` where the database has no
    /// one writer.
    pub(super) fn follow(
        self: &Arc<Self>,
        results: mpsc::Sender<Attempt>,
        is_off: Arc<impl Fn() -> bool + Send + Sync + 'static>,
    ) -> Option<Followed> {
        let (engine, runtime) = (self.clone(), Handle::current());
        let worker = self.clone();
        self.db.follow(
            move |tx: &mut Tx| {
                let (engine, is_off) = (worker.clone(), is_off.clone());
                Box::pin(
                    async move { if is_off() { Ok(Vec::new()) } else { engine.go_on(tx).await } },
                )
            },
            move |claimed: Vec<Claimed>| {
                if claimed.is_empty() {
                    return;
                }
                crash::point("webhook.claimed");
                // There may be more than one commit takes.
                engine.woken.notify_one();
                for claimed in claimed {
                    engine.start(&runtime, claimed, results.clone());
                }
            },
        )
    }

    /// Hands events on and claims what is due, within the room of now.
    async fn go_on(&self, tx: &mut Tx) -> Result<Vec<Claimed>, StoreError> {
        let mut handed_on = 0;
        if relay::anybody_listens(tx).await? {
            handed_on += relay::hand_on(tx).await?;
        }
        if feed::any(tx).await? {
            handed_on += feed::feed(tx).await?;
        }
        if handed_on > 0 {
            crash::point("webhook.handed_on");
        }
        let room = self.room();
        let is_ready =
            room.all > 0 && claim::any_ready(tx, tx.now(), tx.wall(), &room.full()).await?;
        match is_ready {
            true => claim::claim(tx, &self.epoch, room).await,
            false => Ok(Vec::new()),
        }
    }

    /// Lets what follows run, when something is due that no commit has led to: its time has come,
    /// there was no room for it, or it was left over. How many events were handed on.
    pub(super) async fn ring(&self, is_second: bool) -> Result<usize, StoreError> {
        let is_any = self.any_to_hand_on(is_second).await?;
        if !is_any && !self.any_due(&self.room(), is_second).await? {
            return Ok(0);
        }
        let epoch = self.epoch.clone();
        let rung = self.db.write(move |tx: &mut Tx| {
            let epoch = epoch.clone();
            Box::pin(async move {
                let handed_on = if is_any { hand_all_on(tx).await? } else { 0 };
                if is_second {
                    recover::recover(tx, &epoch, RECOVERED_TOGETHER).await?;
                }
                tx.on_commit(Hint::Deliveries);
                Ok::<_, StoreError>(handed_on)
            })
        });
        rung.await
    }
}
