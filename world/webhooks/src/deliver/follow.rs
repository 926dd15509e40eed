//! On SQLite: deliveries are made and claimed in the commit of their events, and the next are
//! claimed in the commit that writes down how the last ended.
//!
//! There an event waits for no commit but its own, where two more would come behind all writes that
//! queued up meanwhile. It is a short cut: what it leaves, because there was no room or it failed,
//! the engine's next turn does.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::mpsc;
use ward_instance::crash;
use ward_store::{Followed, StoreError, Tx};

use crate::deliver::record::Attempt;
use crate::deliver::{Engine, Seated, claim, feed, relay};

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
            move |claimed: Vec<Seated>| {
                if claimed.is_empty() {
                    return;
                }
                crash::point("webhook.claimed");
                // There may be more than one commit takes.
                engine.woken.notify_one();
                for seated in claimed {
                    engine.start(&runtime, seated, results.clone());
                }
            },
        )
    }

    /// Hands events on and claims what is due, within the room of now.
    async fn go_on(&self, tx: &mut Tx) -> Result<Vec<Seated>, StoreError> {
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
            true => Ok(self.seat(claim::claim(tx, &self.epoch, room).await?)),
            false => Ok(Vec::new()),
        }
    }
}
