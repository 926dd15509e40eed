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
    /// a database has before the first one and when a backup took its place. A ledger that says nothing
    /// of it is taken at its word.
    pub fn is_abreast_of(&self, token: Option<&str>) -> bool {
        match (token, &self.body.stepped) {
            (Some(token), Some(own)) => token == own.as_str(),
            _ => true,
        }
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
