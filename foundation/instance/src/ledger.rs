//! `D/ids.ledger`: which id slots a Sandbox has used, and what its snapshots contained.
//!
//! The file is never part of a snapshot, restore or backup, so going back in time cannot hand an
//! id out twice. Three lines: a title, JSON, and `mac <root version> <hex>` under purpose `ledger`.
//! Production has the file too, with no slots in it.

mod record;
mod steps;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::RwLock;

use crate::clock::Timestamp;
use crate::error::InstanceError;
use crate::files;
use crate::ids::{IdCodec, SLOTS, Stale, first_slot};
use crate::kind::{InstanceId, Kind};
use crate::root::RootRing;
use record::{
    Body, Mark, Restoring, alive, brought_back, go_back, known, learn, learn_used, opened, prepare,
    retire, taken, text_of,
};

pub use record::{Facts, Heads, Slot};

/// A snapshot that the ledger knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marked {
    /// Its name.
    pub name: String,
    /// When it was taken.
    pub taken_at: Timestamp,
    /// What it is of.
    pub facts: Facts,
}

/// The ledger of one instance. Every change is on disk before the call returns.
#[derive(Debug)]
pub struct Ledger {
    path: Option<PathBuf>,
    ring: Arc<RootRing>,
    body: Body,
    stale: Arc<RwLock<Stale>>,
    is_fork: bool,
}

impl Ledger {
    /// Makes `path` for a new instance: a Sandbox takes the slot of its id.
    pub fn create(
        path: &Path,
        ring: &Arc<RootRing>,
        now: Timestamp,
    ) -> Result<Self, InstanceError> {
        Self::create_in(path, ring, first_slot(&ring.instance_id()), now)
    }

    /// The same with a given slot, for Sandboxes in which one seed has to give one set of ids.
    pub fn create_in(
        path: &Path,
        ring: &Arc<RootRing>,
        slot: u16,
        now: Timestamp,
    ) -> Result<Self, InstanceError> {
        let ledger = Self::new(Some(path), ring, slot % SLOTS, now);
        files::create_private(path, ledger.to_text()?.as_bytes())?;
        Ok(ledger)
    }

    /// A ledger without a file that starts at `slot`, for Sandboxes that live in memory.
    pub fn in_memory(ring: &Arc<RootRing>, slot: u16, now: Timestamp) -> Self {
        Self::new(None, ring, slot % SLOTS, now)
    }

    fn new(path: Option<&Path>, ring: &Arc<RootRing>, slot: u16, now: Timestamp) -> Self {
        let slots = match ring.kind() {
            Kind::Sandbox => vec![taken(slot, now, None)],
            Kind::Production => Vec::new(),
        };
        let body = Body {
            kind: ring.kind().as_str().to_owned(),
            instance: ring.instance_id().to_string(),
            slots,
            heads: Heads::new(),
            marks: BTreeMap::new(),
            gaps: BTreeMap::new(),
            restoring: None,
            going: None,
            stepped: Some(String::new()),
            forks: Vec::new(),
        };
        Self::of(path, ring, body)
    }

    /// Reads `path`; refuses one of another instance (ISO-02) or changed by hand (ISO-06).
    pub fn load(path: &Path, ring: &Arc<RootRing>) -> Result<Self, InstanceError> {
        let body = opened(&files::read(path)?, ring, &path.display().to_string())?;
        Ok(Self::of(Some(path), ring, body))
    }

    /// Reads the text of a ledger that is kept elsewhere, for example in a table.
    pub fn from_text(text: &str, ring: &Arc<RootRing>) -> Result<Self, InstanceError> {
        Ok(Self::of(None, ring, opened(text, ring, "the id ledger")?))
    }

    /// The sealed text, as it stands in the file.
    pub fn to_text(&self) -> Result<String, InstanceError> {
        text_of(&self.body, &self.ring)
    }

    fn of(path: Option<&Path>, ring: &Arc<RootRing>, body: Body) -> Self {
        let path = path.map(Path::to_owned);
        let ledger =
            Self { path, ring: Arc::clone(ring), body, stale: Arc::default(), is_fork: false };
        ledger.publish();
        ledger
    }

    /// The codec that follows this ledger.
    pub fn codec(&self) -> IdCodec {
        IdCodec::new(self.ring.kind(), Arc::clone(&self.stale))
    }

    /// The kind of the instance.
    pub fn kind(&self) -> Kind {
        self.ring.kind()
    }

    /// The instance whose ledger this is.
    pub fn instance_id(&self) -> InstanceId {
        self.ring.instance_id()
    }

    /// Every slot ever taken, in order.
    pub fn slots(&self) -> &[Slot] {
        &self.body.slots
    }

    /// Slots that were never taken: each is a reset or an overflow that is still possible.
    pub fn slots_left(&self) -> u16 {
        let used = self.body.slots.len() + self.body.forks.len();
        let used = u16::try_from(used).unwrap_or(SLOTS);
        SLOTS.saturating_sub(used)
    }

    /// The slot in which new objects of all types get their ids; `None` in Production.
    pub fn current_slot(&self) -> Option<u16> {
        let shared = self.body.slots.iter().rev();
        shared.filter(|slot| slot.overflow_of.is_none() && !slot.read_only).find_map(alive)
    }

    /// The slot in which new objects of `type_name` get theirs: its overflow slot, if it has one.
    pub fn slot_for(&self, type_name: &str) -> Option<u16> {
        let own = self.body.slots.iter().rev();
        own.filter(|slot| slot.overflow_of.as_deref() == Some(type_name) && !slot.read_only)
            .find_map(alive)
            .or_else(|| self.current_slot())
    }

    /// The highest id of `type_name` known to have been given out; the next one must be above it.
    pub fn head(&self, type_name: &str) -> Option<i64> {
        self.body.heads.get(type_name).copied()
    }

    /// Retires all slots in use and takes the next unused one (a reset). Gives the new slot.
    pub fn retire_and_advance(&mut self, now: Timestamp) -> Result<u16, InstanceError> {
        self.sandbox_only()?;
        let slot = self.next_unused()?;
        self.change(|body| {
            retire(body, now, |_| true);
            body.heads.clear();
            body.slots.push(taken(slot, now, None));
        })?;
        Ok(slot)
    }

    /// Takes the next unused slot for a type that has filled its own. Gives the new slot.
    pub fn take_overflow(&mut self, type_name: &str, now: Timestamp) -> Result<u16, InstanceError> {
        self.sandbox_only()?;
        let slot = self.next_unused()?;
        let owner = Some(type_name.to_owned());
        self.change(|body| body.slots.push(taken(slot, now, owner)))?;
        Ok(slot)
    }

    /// Writes down what a snapshot called `name` contains.
    pub fn mark_snapshot(
        &mut self,
        name: &str,
        heads: Heads,
        facts: Facts,
        now: Timestamp,
    ) -> Result<(), InstanceError> {
        self.sandbox_only()?;
        self.change(|body| {
            let slots = body.slots.iter().filter_map(alive).collect();
            let gaps = body.gaps.clone();
            let mark = Mark { taken_at: now.0, slots, heads, gaps, facts };
            body.marks.insert(name.to_owned(), mark);
        })
    }

    /// The snapshots, by name.
    pub fn snapshots(&self) -> Vec<Marked> {
        let marked = |(name, mark): (&String, &Mark)| Marked {
            name: name.clone(),
            taken_at: Timestamp(mark.taken_at),
            facts: mark.facts.clone(),
        };
        self.body.marks.iter().map(marked).collect()
    }

    /// Forgets a snapshot that was deleted.
    pub fn forget_snapshot(&mut self, name: &str) -> Result<(), InstanceError> {
        self.change(|body| {
            body.marks.remove(name);
        })
    }

    /// Goes back to a snapshot: ids given out since become stale and are never given out again.
    /// `today` are the highest ids before going back. A snapshot from before a reset brings its
    /// slots back to read. Gives the slot for new ids, which is today's.
    pub fn restored(
        &mut self,
        name: &str,
        today: &Heads,
        now: Timestamp,
    ) -> Result<u16, InstanceError> {
        self.sandbox_only()?;
        let mark =
            self.body.marks.get(name).cloned().ok_or_else(|| {
                InstanceError::config("the id ledger does not know this snapshot")
            })?;
        let current = self.current_slot().ok_or_else(no_slot)?;
        self.change(|body| {
            if let Some(going) = body.going.take() {
                body.stepped = Some(going.token);
            }
            go_back(body, &mark, today, now);
        })?;
        Ok(current)
    }

    /// A ledger in memory for the fork with this number, counted from 0: what is good here is good
    /// there, and its new ids come from a slot that no instance but a fork of this number has.
    pub fn fork(&mut self, number: usize, now: Timestamp) -> Result<Self, InstanceError> {
        self.sandbox_only()?;
        if self.is_fork {
            return Err(InstanceError::config("a fork is not forked; fork the Sandbox itself"));
        }
        while self.body.forks.len() <= number {
            let slot = self.next_unused()?;
            self.change(|body| body.forks.push(slot))?;
        }
        let mut body = self.body.clone();
        body.slots.iter_mut().for_each(|slot| slot.read_only = true);
        body.slots.push(taken(body.forks[number], now, None));
        body.heads.clear();
        body.marks.clear();
        body.going = None;
        Ok(Self { is_fork: true, ..Self::of(None, &self.ring, body) })
    }

    /// Whether it is a fork's.
    pub fn is_fork(&self) -> bool {
        self.is_fork
    }

    /// Before a backup with these slots and highest ids takes the database's place: new ids come
    /// from a fresh slot from now on, and what was handed out since the backup is known as stale
    /// once [`Ledger::settle_restore`] sees the new epoch. Nothing that the present database holds
    /// is refused meanwhile. Production has no slots.
    pub fn prepare_restore(
        &mut self,
        epoch: i64,
        slots: Vec<u16>,
        heads: Heads,
        now: Timestamp,
    ) -> Result<(), InstanceError> {
        if self.ring.kind() == Kind::Production {
            return Ok(());
        }
        let mut known = self.body.clone();
        learn(&mut known, &slots, now);
        let fresh = next_unused(&known)?;
        let (gaps, facts) = (BTreeMap::new(), Facts::default());
        let mark = Mark { taken_at: now.0, slots, heads, gaps, facts };
        let restoring = Restoring { epoch, mark, fresh };
        self.change(|body| {
            *body = known;
            prepare(body, restoring, now);
        })
    }

    /// Ends what [`Ledger::prepare_restore`] began, when the database has this restore epoch: the
    /// backup is in its place, or never came there.
    pub fn settle_restore(&mut self, epoch: i64, now: Timestamp) -> Result<(), InstanceError> {
        let Some(restoring) = self.body.restoring.clone() else { return Ok(()) };
        self.change(|body| {
            body.restoring = None;
            if restoring.epoch == epoch {
                brought_back(body, &restoring, now);
            }
        })
    }

    /// Every slot that ids were or will be given out of here, forks' included.
    pub fn used_slots(&self) -> Vec<u16> {
        let own = self.body.slots.iter().map(|slot| slot.slot);
        own.chain(self.body.forks.iter().copied()).collect()
    }

    /// Takes these slots as used up, if nothing is known of them: a ledger that was made anew gives
    /// no id out of them again.
    pub fn learn_used(&mut self, slots: &[u16], now: Timestamp) -> Result<(), InstanceError> {
        if self.ring.kind() == Kind::Production {
            return Ok(());
        }
        self.change(|body| learn_used(body, slots, now))
    }

    /// The slots whose ids are good.
    pub fn living_slots(&self) -> Vec<u16> {
        self.body.slots.iter().filter_map(alive).collect()
    }

    /// Re-signs the ledger with a rotated ring.
    pub fn resign(&mut self, ring: &Arc<RootRing>) -> Result<(), InstanceError> {
        self.ring = Arc::clone(ring);
        self.change(|_| ())
    }

    fn next_unused(&self) -> Result<u16, InstanceError> {
        if self.is_fork {
            return Err(InstanceError::config(
                "a fork has one slot of ids; end it and fork the Sandbox again",
            ));
        }
        next_unused(&self.body)
    }

    fn sandbox_only(&self) -> Result<(), InstanceError> {
        match self.ring.kind() {
            Kind::Sandbox => Ok(()),
            Kind::Production => Err(InstanceError::config("only a Sandbox has id slots")),
        }
    }

    /// Applies `edit` to a copy, writes it, and only then makes it the truth in memory.
    fn change(&mut self, edit: impl FnOnce(&mut Body)) -> Result<(), InstanceError> {
        let mut body = self.body.clone();
        edit(&mut body);
        if let Some(path) = &self.path {
            files::write_atomically(path, text_of(&body, &self.ring)?.as_bytes())?;
        }
        self.body = body;
        self.publish();
        Ok(())
    }

    fn publish(&self) {
        let mut stale = self.stale.write();
        let slots = self.body.slots.iter();
        stale.slots =
            slots.filter_map(|slot| Some((slot.slot, Timestamp(slot.retired_at?)))).collect();
        stale.gaps =
            self.body.gaps.iter().map(|(name, gaps)| (name.clone(), known(gaps))).collect();
    }
}

fn next_unused(body: &Body) -> Result<u16, InstanceError> {
    let start = body.slots.first().map(|slot| slot.slot).unwrap_or_default();
    (0..SLOTS)
        .map(|step| (start + step) % SLOTS)
        .filter(|slot| !body.forks.contains(slot))
        .find(|slot| body.slots.iter().all(|used| used.slot != *slot))
        .ok_or_else(no_slot)
}

fn no_slot() -> InstanceError {
    InstanceError::config(
        "this Sandbox has used all 147 id slots; make a new one with `ward init --kind sandbox`",
    )
}
