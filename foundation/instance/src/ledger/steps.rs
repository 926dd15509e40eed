//! A reset or a return to a snapshot, which the database takes in a transaction of its own: the ledger
//! knows before that it is on its way, and learns afterwards whether it happened.

use super::Ledger;
use super::record::{Going, Heads, go_back, retire, revive, taken};
use crate::clock::Timestamp;
use crate::error::InstanceError;

impl Ledger {
    /// Retires all slots in use and takes the next unused one, for a reset whose transaction is still
    /// to come: [`Ledger::settle_step`] ends it, by what the database has of `token`. Gives the new slot.
    pub fn begin_reset(&mut self, token: &str, now: Timestamp) -> Result<u16, InstanceError> {
        self.sandbox_only()?;
        let slot = self.next_unused()?;
        let going = Going { token: token.to_owned(), to: None, retired: self.living_slots() };
        self.change(|body| {
            retire(body, now, |_| true);
            body.heads.clear();
            body.slots.push(taken(slot, now, None));
            body.going = Some(going);
        })?;
        Ok(slot)
    }

    /// Before the transaction that goes back to a snapshot. [`Ledger::restored`] ends it, or
    /// [`Ledger::settle_step`] by what the database has of `token`.
    pub fn begin_return(&mut self, name: &str, token: &str) -> Result<(), InstanceError> {
        self.sandbox_only()?;
        let to = Some(name.to_owned());
        let going = Going { token: token.to_owned(), to, retired: Vec::new() };
        self.change(|body| body.going = Some(going))
    }

    /// The token of a step that was begun and not ended.
    pub fn step(&self) -> Option<&str> {
        self.body.going.as_ref().map(|going| going.token.as_str())
    }

    /// Whether the last step that the database has is the last one that was done here; so is none, which
    /// a database has before the first one and when a backup took its place. One that was begun here is
    /// not done. A ledger that says nothing of it is taken at its word.
    pub fn is_abreast_of(&self, token: Option<&str>) -> bool {
        match (token, &self.body.stepped) {
            (Some(token), Some(own)) => token == own.as_str(),
            _ => true,
        }
    }

    /// Has a ledger that says nothing of steps, an older version's, know of the last one that the database
    /// has: the next one that it does not hear of is noticed.
    pub fn adopt_step(&mut self, token: Option<&str>) -> Result<(), InstanceError> {
        if self.body.stepped.is_some() {
            return Ok(());
        }
        let last = token.unwrap_or_default().to_owned();
        self.change(|body| body.stepped = Some(last))
    }

    /// Ends a step that was begun. `today` are the highest ids before it, where the database has it;
    /// where it does not, the step was not committed, and all is as it was before.
    pub fn settle_step(
        &mut self,
        today: Option<&Heads>,
        now: Timestamp,
    ) -> Result<(), InstanceError> {
        let Some(going) = self.body.going.clone() else { return Ok(()) };
        let mark = going.to.as_ref().and_then(|name| self.body.marks.get(name)).cloned();
        self.change(|body| {
            body.going = None;
            if today.is_some() {
                body.stepped = Some(going.token.clone());
            }
            match (today, mark) {
                (Some(today), Some(mark)) => go_back(body, &mark, today, now),
                (Some(_), None) => {}
                (None, _) => revive(body, &going.retired),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::kind::{InstanceId, Kind};
    use crate::random::Random;
    use crate::root::RootRing;

    const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

    /// As a version left it that did not write steps down.
    fn older(path: &Path, ring: &Arc<RootRing>) -> Ledger {
        let mut ledger = Ledger::create_in(path, ring, 5, NOW).unwrap();
        ledger.change(|body| body.stepped = None).unwrap();
        Ledger::load(path, ring).unwrap()
    }

    #[test]
    fn an_older_ledger_notices_the_next_step() {
        let dir = tempfile::tempdir().unwrap();
        let random = Random::os();
        let ring = RootRing::generate(Kind::Sandbox, InstanceId::draw(&random), &random);
        let ring = Arc::new(ring);
        for (name, token) in [("none", None), ("one", Some("one"))] {
            let path = dir.path().join(name);
            let mut ledger = older(&path, &ring);
            assert!(ledger.is_abreast_of(token) && ledger.is_abreast_of(Some("two")));
            ledger.adopt_step(token).unwrap();
            let mut again = Ledger::load(&path, &ring).unwrap();
            assert!(again.is_abreast_of(token) && !again.is_abreast_of(Some("two")));
            // Once: later it says itself what it knows of.
            again.adopt_step(Some("two")).unwrap();
            assert!(!again.is_abreast_of(Some("two")));
            // Nor is what is begun here done.
            again.begin_reset("three", NOW).unwrap();
            assert!(again.is_abreast_of(token) && !again.is_abreast_of(Some("three")));
        }
    }
}
