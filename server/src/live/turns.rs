//! One task for each organization that has something to be told: what one of
//! them takes long for is waited for by nobody else.

use std::collections::HashMap;
use std::future::Future;

use tokio::task::{Id, JoinSet};

/// The tasks of the organizations.
#[derive(Default)]
pub struct Turns {
    working: JoinSet<()>,
    of: HashMap<Id, i64>,
}

impl Turns {
    /// Whether an organization has its task.
    pub fn is_busy(&self, org_id: i64) -> bool {
        self.of.values().any(|known| *known == org_id)
    }

    /// Gives an organization its task.
    pub fn begin(&mut self, org_id: i64, work: impl Future<Output = ()> + Send + 'static) {
        let id = self.working.spawn(work).id();
        self.of.insert(id, org_id);
    }

    /// The next one whose task is over, and whether it came to its end; never
    /// while there is none.
    pub async fn ended(&mut self) -> (i64, bool) {
        loop {
            let (id, is_whole) = match self.working.join_next_with_id().await {
                Some(Ok((id, ()))) => (id, true),
                Some(Err(error)) => (error.id(), false),
                None => std::future::pending().await,
            };
            if let Some(org_id) = self.of.remove(&id) {
                return (org_id, is_whole);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nobody_waits_for_another() {
        let mut turns = Turns::default();
        turns.begin(1, std::future::pending());
        turns.begin(2, async {});
        assert_eq!(turns.ended().await, (2, true));
        assert!(turns.is_busy(1) && !turns.is_busy(2));
        turns.begin(3, async { panic!("on purpose") });
        assert_eq!(turns.ended().await, (3, false));
    }
}
