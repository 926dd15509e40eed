//! With whom, where several could: one slot of each time (behaviour 22). Pure.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;
use ward_instance::Timestamp;

use super::diary::Diary;
use super::found::Slot;
use crate::availability::wall::day_of;

/// Who is booked first has the lowest: the highest `scheduling_priority`, then the
/// fewest appointments on the day on their own clock, then the lowest id.
type Rank = (Reverse<i64>, usize, i64);

/// Of the slots of one time, the one of the provider who is booked first, chosen while
/// they are found: no more are kept than there are times.
#[derive(Default)]
pub struct Choice(BTreeMap<Timestamp, (Rank, Slot)>);

impl Choice {
    /// The slots of one provider.
    pub fn offer(&mut self, diary: &Diary, slots: impl Iterator<Item = Slot>) {
        let load = Load::of(diary);
        for slot in slots {
            let rank = (Reverse(diary.provider.priority), load.on(&slot), slot.provider);
            match self.0.get(&slot.start) {
                Some((other, _)) if *other <= rank => {}
                _ => drop(self.0.insert(slot.start, (rank, slot))),
            }
        }
    }

    /// How many times there are.
    pub fn times(&self) -> usize {
        self.0.len()
    }

    /// What is chosen, in order.
    pub fn into_slots(self) -> Vec<Slot> {
        self.0.into_values().map(|(_, slot)| slot).collect()
    }
}

/// How many appointments a provider has on each day.
struct Load<'a> {
    diary: &'a Diary,
    days: HashMap<Date, usize>,
}

impl<'a> Load<'a> {
    fn of(diary: &'a Diary) -> Self {
        let mut days = HashMap::new();
        for start in &diary.begins {
            if let Some(day) = day_of(&diary.provider.zone, *start) {
                *days.entry(day).or_default() += 1;
            }
        }
        Load { diary, days }
    }

    fn on(&self, slot: &Slot) -> usize {
        let day = day_of(&self.diary.provider.zone, slot.start);
        day.and_then(|day| self.days.get(&day).copied()).unwrap_or(0)
    }
}
