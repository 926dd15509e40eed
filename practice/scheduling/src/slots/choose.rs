//! With whom, where several could: one slot of each time (behaviour 22). Pure.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;

use super::diary::Diary;
use super::found::Slot;
use crate::availability::wall::day_of;

/// Of the slots of one time, the one of the provider who is booked first: the highest
/// `scheduling_priority`, then the fewest appointments on the day on their own clock,
/// then the lowest id.
pub fn unique(slots: Vec<Slot>, diaries: &[Diary]) -> Vec<Slot> {
    let loads: HashMap<i64, Load<'_>> =
        diaries.iter().map(|diary| (diary.provider.id, Load::of(diary))).collect();
    let rank = |slot: &Slot| {
        let load = loads.get(&slot.provider);
        let priority = load.map_or(0, |load| load.diary.provider.priority);
        (Reverse(priority), load.map_or(0, |load| load.on(slot)), slot.provider)
    };
    let mut chosen: BTreeMap<_, Slot> = BTreeMap::new();
    for slot in slots {
        match chosen.get(&slot.start) {
            Some(other) if rank(other) <= rank(&slot) => {}
            _ => drop(chosen.insert(slot.start, slot)),
        }
    }
    chosen.into_values().collect()
}

/// How many appointments a provider has on each day.
struct Load<'a> {
    diary: &'a Diary,
    days: HashMap<Date, usize>,
}

impl<'a> Load<'a> {
    fn of(diary: &'a Diary) -> Self {
        let mut days = HashMap::new();
        for it in &diary.busy {
            if let Some(day) = day_of(&diary.provider.zone, it.start) {
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
