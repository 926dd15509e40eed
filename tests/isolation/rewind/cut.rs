//! ISO-21: a reset or a return to a snapshot that is cut off by a kill.

use std::collections::BTreeSet;

use ward_tests::{Engine, json, tell};

use super::{CHANGE, READ, World, assert_new, assert_there, assert_undone, more, restore, take};

/// Killed between the database and the ledger of ids, the next start knows which world is there.
#[test]
fn iso_21_a_step_back_that_is_cut_off_leaves_no_id_in_doubt() {
    for engine in Engine::available("ISO-21") {
        let World { mut instance, server, keys } = World::of(engine);
        let mut seen = BTreeSet::new();
        let first = more(&server.with(&keys[0]), "first");
        assert_new(&mut seen, &first);
        take(&server.with(&keys[0]), "one");
        server.stop();
        let wanted = instance.dir.join("crash");
        instance.variables.push(("TESTED_CRASH".to_owned(), wanted.to_str().unwrap().to_owned()));
        let cut = |words: &[&str], step: &str| {
            std::fs::write(&wanted, step).unwrap();
            let ended = instance.sandbox(words[0], &words[1..]);
            assert_eq!(ended.code, None, "{step} was not reached: {ended:?}");
            std::fs::remove_file(&wanted).unwrap();
        };
        let mut since = Vec::new();
        for (step, is_back) in [("return.begun", false), ("return.committed", true)] {
            let word = step.replace('.', "");
            let server = instance.serve();
            let made = more(&server.with(&keys[0]), &word);
            assert_new(&mut seen, &made);
            since.extend(made);
            server.stop();
            cut(&["restore", "one"], step);
            let server = instance.serve();
            let api = server.with(&keys[0]);
            assert_there(&api, &first);
            match is_back {
                true => assert_undone(&api, &since),
                false => assert_there(&api, &since),
            }
            let made = more(&api, &format!("{word}after"));
            assert_new(&mut seen, &made);
            assert_there(&api, &made);
            since.extend(made);
            server.stop();
        }
        // A reset that did not come about: the ids of before are good, and new ones come.
        cut(&["reset"], "reset.begun");
        let server = instance.serve();
        let api = server.with(&keys[0]);
        assert_there(&api, &first);
        let changed = api.ask(CHANGE, json!({"id": first[0]}));
        assert_eq!(changed.data()["updateClient"]["user"]["id"], first[0].as_str());
        let made = more(&api, "begun");
        assert_new(&mut seen, &made);
        assert_there(&api, &[first.clone(), made.clone()].concat());
        restore(&api, "one");
        assert_there(&api, &first);
        assert_undone(&api, &made);
        server.stop();
        // One that did: they are stale.
        cut(&["reset"], "reset.committed");
        let server = instance.serve();
        let api = server.with(&instance.owner_key());
        for id in [&first[0], &since[0], &made[0]] {
            let read = api.ask(READ, json!({"id": id}));
            assert_eq!((read.status, read.code()), (200, "STALE_EPOCH_ID"), "{}", read.text);
        }
        assert_new(&mut seen, &more(&api, "new"));
        tell(
            "ISO-21",
            format_args!("{engine:?}: cut off at 4 steps, {} ids, none twice", seen.len()),
        );
    }
}
