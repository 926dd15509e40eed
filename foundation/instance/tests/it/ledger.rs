//! The id ledger: resets, overflow, snapshots, and a file that cannot be edited.

use std::sync::Arc;

use proptest::prelude::*;
use ward_instance::ids::{IdRefusal, SLOTS, slot_range};
use ward_instance::ledger::{Facts, Heads};
use ward_instance::{Certificate, Clock, Instance, InstanceError, Kind, Ledger, Random, RootRing};

use crate::{NOW, ring, vector_ring};

fn heads(pairs: &[(&str, i64)]) -> Heads {
    pairs.iter().map(|(name, id)| ((*name).to_owned(), *id)).collect()
}

#[test]
fn a_new_sandbox_starts_in_the_slot_of_its_id_and_survives_reloading() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ids.ledger");
    let ring = vector_ring(Kind::Sandbox);
    let mut ledger = Ledger::create(&path, &ring, NOW).unwrap();
    assert_eq!(ledger.current_slot(), Some(143));
    assert_eq!(ledger.retire_and_advance(NOW).unwrap(), 144);
    let again = Ledger::load(&path, &ring).unwrap();
    assert_eq!(again.current_slot(), Some(144));
    assert_eq!(again.slots(), ledger.slots());
    let stale = again.codec().check(slot_range(143).0).unwrap_err();
    assert_eq!(stale, IdRefusal::StaleEpoch { reset_at: Some(NOW) });
    assert_eq!(stale.code(), Some("STALE_EPOCH_ID"));
    assert!(stale.message().contains("2023-11-14T22:13:20Z"));
    assert!(Ledger::create(&path, &ring, NOW).is_err(), "a ledger is never made anew");
}

#[test]
fn fifty_resets_alias_nothing_and_147_slots_end_clearly() {
    let mut ledger = Ledger::in_memory(&ring(Kind::Sandbox, 3), 140, NOW);
    let codec = ledger.codec();
    let mut seen = vec![ledger.current_slot().unwrap()];
    while let Ok(slot) = ledger.retire_and_advance(NOW) {
        assert!(!seen.contains(&slot));
        for old in &seen {
            assert!(matches!(codec.check(slot_range(*old).0), Err(IdRefusal::StaleEpoch { .. })));
        }
        assert!(codec.check(slot_range(slot).1).is_ok());
        seen.push(slot);
    }
    assert_eq!(seen.len(), usize::from(SLOTS));
    assert_eq!(ledger.slots_left(), 0);
    let error = ledger.retire_and_advance(NOW).unwrap_err();
    assert_eq!(error.exit_code(), 78);
    assert!(error.to_string().contains("147 id slots"));
}

#[test]
fn an_overflow_slot_serves_one_type() {
    let mut ledger = Ledger::in_memory(&ring(Kind::Sandbox, 3), 10, NOW);
    assert_eq!(ledger.take_overflow("Entry", NOW).unwrap(), 11);
    assert_eq!((ledger.slot_for("Entry"), ledger.slot_for("User")), (Some(11), Some(10)));
    assert!(ledger.codec().check(slot_range(10).0).is_ok());
    assert_eq!(ledger.retire_and_advance(NOW).unwrap(), 12);
    assert_eq!(ledger.slot_for("Entry"), Some(12));
    assert!(ledger.codec().check(slot_range(11).0).is_err());
}

#[test]
fn a_step_back_that_was_cut_off_is_ended_by_what_the_database_says() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ids.ledger");
    let ring = vector_ring(Kind::Sandbox);
    let mut ledger = Ledger::create_in(&path, &ring, 5, NOW).unwrap();
    let (first, _) = slot_range(5);
    ledger.mark_snapshot("a", heads(&[("User", first + 10)]), Facts::default(), NOW).unwrap();
    let today = heads(&[("User", first + 20)]);
    let codec = |ledger: &Ledger| ledger.codec();
    // A return.
    ledger.begin_return("a", "one").unwrap();
    let mut again = Ledger::load(&path, &ring).unwrap();
    assert_eq!(again.step(), Some("one"));
    again.settle_step(None, NOW).unwrap();
    assert!(again.step().is_none() && codec(&again).check_of("User", first + 15).is_ok());
    assert!(again.is_abreast_of(None) && !again.is_abreast_of(Some("one")), "it was not done");
    again.begin_return("a", "two").unwrap();
    again.settle_step(Some(&today), NOW).unwrap();
    assert!(codec(&again).check_of("User", first + 15).is_err());
    assert!(codec(&again).check_of("User", first + 21).is_ok());
    assert!(again.is_abreast_of(Some("two")) && !ledger.is_abreast_of(Some("two")));
    // A reset that did not come about: ids of before are good, and new ones are of its slot.
    assert_eq!(again.begin_reset("three", NOW).unwrap(), 6);
    assert!(codec(&again).check_of("User", first + 5).is_err());
    again.settle_step(None, NOW).unwrap();
    assert!(codec(&again).check_of("User", first + 5).is_ok());
    assert!(codec(&again).check_of("User", first + 15).is_err(), "what was undone stays so");
    assert_eq!(again.current_slot(), Some(6));
    // And one that did.
    assert_eq!(again.begin_reset("four", NOW).unwrap(), 7);
    again.settle_step(Some(&Heads::new()), NOW).unwrap();
    let mut again = Ledger::load(&path, &ring).unwrap();
    assert_eq!((again.step(), again.living_slots()), (None, vec![7]));
    assert!(again.is_abreast_of(Some("four")) && !again.is_abreast_of(Some("three")));
    again.mark_snapshot("b", Heads::new(), Facts::default(), NOW).unwrap();
    again.begin_return("b", "five").unwrap();
    again.restored("b", &Heads::new(), NOW).unwrap();
    assert!(again.is_abreast_of(Some("five")), "a return that was not cut off");
}

#[test]
fn going_back_makes_later_ids_stale_and_never_reuses_them() {
    let mut ledger = Ledger::in_memory(&ring(Kind::Sandbox, 3), 0, NOW);
    let (first, _) = slot_range(0);
    ledger.mark_snapshot("a", heads(&[("User", first + 10)]), Facts::default(), NOW).unwrap();
    let later = NOW.plus_seconds(60);
    for step in 0..20 {
        let today = heads(&[("User", first + 20 + step), ("Entry", first + 5 + step)]);
        assert_eq!(ledger.restored("a", &today, later).unwrap(), 0);
    }
    let codec = ledger.codec();
    assert_eq!(codec.check_of("User", first + 10), Ok(first + 10));
    assert_eq!(codec.check_of("User", first + 11), Err(IdRefusal::Undone { at: later }));
    assert!(codec.check_of("User", first + 39).is_err());
    assert_eq!(codec.check_of("User", first + 40), Ok(first + 40));
    assert!(codec.check_of("Entry", first).is_err(), "the snapshot had no entry at all");
    assert_eq!(ledger.head("User"), Some(first + 39));
    let text = ledger.to_text().unwrap();
    assert_eq!(text.matches("\"first\"").count(), 2, "gaps merge: {text}");
}

#[test]
fn a_snapshot_from_before_a_reset_is_read_and_new_ids_come_from_elsewhere() {
    let mut ledger = Ledger::in_memory(&ring(Kind::Sandbox, 3), 0, NOW);
    let (first, last) = slot_range(0);
    let marked = heads(&[("User", first + 10)]);
    ledger.mark_snapshot("old", marked, Facts::default(), NOW).unwrap();
    ledger.retire_and_advance(NOW).unwrap();
    let (next, _) = slot_range(1);
    // However often: no slot is used up by it.
    for step in 0..SLOTS.into() {
        let today = heads(&[("User", next + 5 + step)]);
        assert_eq!(ledger.restored("old", &today, NOW).unwrap(), 1);
    }
    let codec = ledger.codec();
    assert!(codec.check_of("User", first + 10).is_ok());
    assert!(codec.check_of("User", first + 11).is_err());
    assert!(codec.check_of("User", last).is_err());
    assert!(codec.check_of("User", next).is_err());
    let head = ledger.head("User").unwrap();
    assert!(codec.check_of("User", head).is_err() && codec.check_of("User", head + 1).is_ok());
    assert_eq!(ledger.slot_for("User"), Some(1));
    // And on to what came after the reset: the slot of before it is closed again.
    ledger.mark_snapshot("new", heads(&[("User", head + 9)]), Facts::default(), NOW).unwrap();
    ledger.retire_and_advance(NOW).unwrap();
    assert!(codec.check_of("User", first + 10).is_err());
    ledger.restored("new", &Heads::new(), NOW).unwrap();
    assert!(codec.check_of("User", first + 10).is_ok());
    assert!(codec.check_of("User", head + 9).is_ok() && codec.check_of("User", head).is_err());
}

#[test]
fn each_of_two_branches_has_its_own_ids() {
    let mut ledger = Ledger::in_memory(&ring(Kind::Sandbox, 3), 0, NOW);
    let (first, _) = slot_range(0);
    let mark = |ledger: &mut Ledger, name: &str, head: i64| {
        ledger.mark_snapshot(name, heads(&[("User", head)]), Facts::default(), NOW).unwrap();
    };
    let is_good = |ledger: &Ledger, id: i64| match ledger.codec().check_of("User", id) {
        Ok(_) => true,
        Err(refusal) => {
            assert_eq!(refusal, IdRefusal::Undone { at: NOW });
            false
        }
    };
    mark(&mut ledger, "trunk", first + 10);
    mark(&mut ledger, "left", first + 20);
    ledger.restored("trunk", &heads(&[("User", first + 20)]), NOW).unwrap();
    assert!(is_good(&ledger, first + 10) && !is_good(&ledger, first + 20));
    mark(&mut ledger, "right", first + 30);
    assert!(is_good(&ledger, first + 30));
    ledger.restored("left", &heads(&[("User", first + 30)]), NOW).unwrap();
    assert!(is_good(&ledger, first + 20) && !is_good(&ledger, first + 30));
    ledger.restored("right", &heads(&[("User", first + 40)]), NOW).unwrap();
    assert!(is_good(&ledger, first + 30) && !is_good(&ledger, first + 20));
    assert!(!is_good(&ledger, first + 40) && is_good(&ledger, first + 41));
    assert_eq!(ledger.snapshots().len(), 3);
}

#[test]
fn a_forks_ids_are_never_this_instances() {
    let mut ledger = Ledger::in_memory(&ring(Kind::Sandbox, 3), 145, NOW);
    let slots: Vec<u16> =
        [0, 2, 0].map(|it| ledger.fork(it, NOW).unwrap().current_slot().unwrap()).into();
    assert_eq!(slots, [146, 1, 146]);
    let mut fork = ledger.fork(1, NOW).unwrap();
    assert_eq!((fork.current_slot(), fork.is_fork()), (Some(0), true));
    assert!(fork.codec().check_of("User", slot_range(145).0).is_ok(), "what it was made of");
    assert!(fork.retire_and_advance(NOW).is_err() && fork.fork(0, NOW).is_err());
    assert_eq!(ledger.retire_and_advance(NOW).unwrap(), 2);
    assert_eq!(ledger.slots_left(), SLOTS - 5);
}

#[test]
fn an_unknown_snapshot_and_production_are_refused() {
    let mut ledger = Ledger::in_memory(&ring(Kind::Sandbox, 3), 0, NOW);
    assert!(ledger.restored("none", &Heads::new(), NOW).is_err());
    let mut ledger = Ledger::in_memory(&ring(Kind::Production, 3), 0, NOW);
    assert_eq!(ledger.current_slot(), None);
    assert!(ledger.retire_and_advance(NOW).is_err());
    assert!(ledger.codec().check(1_000_000).is_ok());
}

#[test]
fn a_ledger_of_another_instance_is_refused() {
    let text = Ledger::in_memory(&ring(Kind::Sandbox, 3), 0, NOW).to_text().unwrap();
    for other in [ring(Kind::Sandbox, 4), ring(Kind::Production, 3)] {
        let error = Ledger::from_text(&text, &other).unwrap_err();
        assert!(error.to_string().starts_with("E-ISO-02: "), "{error}");
    }
}

#[test]
fn a_failed_write_changes_nothing_in_memory() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("gone").join("ids.ledger");
    std::fs::create_dir(path.parent().unwrap()).unwrap();
    let ring = vector_ring(Kind::Sandbox);
    let mut ledger = Ledger::create(&path, &ring, NOW).unwrap();
    std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
    assert!(matches!(ledger.retire_and_advance(NOW), Err(InstanceError::Io { .. })));
    assert_eq!(ledger.current_slot(), Some(143));
    assert!(ledger.codec().check(slot_range(143).0).is_ok());
}

#[test]
fn a_rotated_ring_re_signs() {
    let mut ring = RootRing::clone(&ring(Kind::Sandbox, 3));
    let mut ledger = Ledger::in_memory(&Arc::new(ring.clone()), 0, NOW);
    let old = ledger.to_text().unwrap();
    ring.add_root(&Random::seeded(9)).unwrap();
    let both = Arc::new(ring.clone());
    assert!(Ledger::from_text(&old, &both).is_ok());
    ledger.resign(&both).unwrap();
    ring.drop_root(1);
    let newest = Arc::new(ring);
    assert!(Ledger::from_text(&ledger.to_text().unwrap(), &newest).is_ok());
    assert!(Ledger::from_text(&old, &newest).is_err());
}

#[test]
fn the_instance_hands_its_ledger_to_the_codec() {
    let ring = ring(Kind::Sandbox, 3);
    let certificate = Certificate::new(&ring, NOW, "http://localhost:4100", "v.a");
    let ledger = Ledger::in_memory(&ring, 7, NOW);
    let instance =
        Instance::assemble(ring, &certificate, ledger, Clock::manual(NOW), Random::seeded(1))
            .unwrap();
    let id = slot_range(7).0;
    assert!(instance.ids().check(id).is_ok());
    instance.ledger().retire_and_advance(instance.now()).unwrap();
    assert!(instance.ids().check(id).is_err());
}

proptest! {
    #[test]
    fn no_edited_character_is_accepted(at in any::<prop::sample::Index>(), with in any::<u8>()) {
        let ring = vector_ring(Kind::Sandbox);
        let text = Ledger::in_memory(&ring, 9, NOW).to_text().unwrap();
        // The last character is the line's end, which carries nothing.
        let position = at.index(text.len() - 1);
        let mut bytes = text.clone().into_bytes();
        bytes[position] = with;
        if let Ok(edited) = String::from_utf8(bytes) && edited != text {
            prop_assert!(Ledger::from_text(&edited, &ring).is_err(), "{}", edited);
        }
    }
}

/// ISO-21: what a backup brings back is known, and what was handed out since is never handed out
/// again, wherever the restore was cut off.
#[test]
fn iso_21_a_restored_backup_never_aliases() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ids.ledger");
    let ring = vector_ring(Kind::Sandbox);
    let mut ledger = Ledger::create(&path, &ring, NOW).unwrap();
    let old = ledger.current_slot().unwrap();
    assert_eq!(ledger.take_overflow("Entry", NOW).unwrap(), old + 1);
    let (slots, marked) = (ledger.living_slots(), slot_range(old).0 + 99);
    let (before, since) = (marked - 1, marked + 1);
    ledger.prepare_restore(1, slots.clone(), heads(&[("User", marked)]), NOW).unwrap();
    // Cut off here, the present database goes on with all its ids; new ones are from elsewhere.
    let mut ledger = Ledger::load(&path, &ring).unwrap();
    for id in [before, since] {
        assert!(ledger.codec().parse_of("User", &id.to_string()).is_ok(), "{id}");
    }
    let fresh = ledger.current_slot().unwrap();
    assert!(!slots.contains(&fresh));
    assert_eq!((ledger.slot_for("User"), ledger.slot_for("Entry")), (Some(fresh), Some(fresh)));
    // The database did not become the backup's.
    ledger.settle_restore(0, NOW).unwrap();
    assert!(ledger.codec().parse_of("User", &since.to_string()).is_ok());
    ledger.settle_restore(1, NOW).unwrap();
    assert!(ledger.codec().parse_of("User", &since.to_string()).is_ok(), "settled twice");
    // It did, after a reset that came behind the backup.
    let gone = ledger.retire_and_advance(NOW).unwrap();
    ledger.prepare_restore(1, slots.clone(), heads(&[("User", marked)]), NOW).unwrap();
    let mut ledger = Ledger::load(&path, &ring).unwrap();
    ledger.settle_restore(1, NOW).unwrap();
    let codec = Ledger::load(&path, &ring).unwrap().codec();
    assert!(codec.parse_of("User", &before.to_string()).is_ok());
    let undone = codec.parse_of("User", &since.to_string());
    assert!(matches!(undone, Err(IdRefusal::Undone { .. })), "{undone:?}");
    for id in [slot_range(gone).0, slot_range(fresh).0] {
        let stale = codec.parse_of("User", &id.to_string());
        assert!(matches!(stale, Err(IdRefusal::StaleEpoch { .. })), "{id}: {stale:?}");
    }
    let now = ledger.current_slot().unwrap();
    assert!(![old, old + 1, gone, fresh].contains(&now));
    // A ledger that was lost with the directory learns what the backup knows.
    let mut made_anew = Ledger::in_memory(&ring, old, NOW);
    // Of a reset and of a fork: known as used, neither good nor given out again.
    let used = [old + 1, old + 2, old + 3];
    made_anew.learn_used(&used[1..], NOW).unwrap();
    made_anew.learn_used(&used[1..], NOW).unwrap();
    assert_eq!(made_anew.used_slots(), [old, old + 2, old + 3]);
    made_anew.prepare_restore(1, slots.clone(), heads(&[("User", marked)]), NOW).unwrap();
    made_anew.settle_restore(1, NOW).unwrap();
    let now = made_anew.current_slot().unwrap();
    assert!(!slots.contains(&now) && !used.contains(&now), "{now}");
    let of_the_fork = slot_range(old + 3).0.to_string();
    let stale = made_anew.codec().parse_of("User", &of_the_fork);
    assert!(matches!(stale, Err(IdRefusal::StaleEpoch { .. })), "{stale:?}");
}
