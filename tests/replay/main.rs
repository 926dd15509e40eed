//! Replay of real clients: what public clients were recorded to send, sent again as they send it,
//! to a seeded Sandbox.
//!
//! A query answers data without errors, and every path that it selects is filled in at least one
//! object; a mutation has no messages, and what it did is read back. Parts of a domain that is not
//! built are left out of the document and counted; they return by themselves once they are bound.
//! What does not pass stands in `reasons.txt`, and what stands there does not pass.

#![allow(
    clippy::disallowed_methods,
    reason = "a test reads its environment and waits by the real clock"
)]
#![allow(clippy::unwrap_used)]

mod bookings;
mod charts;
mod forms;
mod intake;
mod judge;
mod notes;
mod openings;
mod papers;
mod read_back;
mod reasons;
mod talks;
mod values;
mod visits;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use ward_tests::{Engine, tell};
use xtask::contract_files::{Domains, VIEWS, contract_sdl, load_usage};
use xtask::{Replay, ReplayView, Usage, replay_documents, repository};

use crate::judge::replay;
use crate::reasons::{OPERATION, Reasons};
use crate::world::World;

/// What a reason is about: the operation, the view, the path.
type Fault = (String, String, String);

#[test]
fn recorded_operations_of_real_clients() {
    let (usage, documents) = documents();
    for engine in Engine::available("replay") {
        let mut world = World::new(engine);
        let mut tally = Tally::default();
        for document in &documents {
            let faults = replay(&mut world, document);
            tally.count(document, &faults.iter().map(|(path, _)| path.clone()).collect());
            for (path, what) in faults {
                let key = (document.op.clone(), document.view.clone(), path);
                tally.faults.insert(key, format!("{}: {what}", document.root_field));
            }
        }
        tally.tell(engine, &usage, &documents);
        Reasons::load().assert_match(&tally.faults);
    }
}

fn documents() -> (Usage, Vec<Replay>) {
    let root = repository();
    let domains = Domains::load(&root).unwrap();
    let usage = load_usage(&root).unwrap();
    let contract = VIEWS.map(|view| contract_sdl(&root, &domains, view).unwrap());
    let served = VIEWS.map(|view| {
        std::fs::read_to_string(root.join(format!("contract/served/{view}.graphql"))).unwrap()
    });
    let views = [0, 1].map(|at| ReplayView {
        date: VIEWS[at],
        contract: &contract[at],
        served: &served[at],
    });
    let mut documents = replay_documents(&usage, &views, &domains).unwrap();
    // Subscriptions are no requests; the live tests hear them.
    documents.retain(|document| document.kind != "subscription");
    assert!(documents.len() > 100, "hardly anything is replayed: {}", documents.len());
    (usage, documents)
}

/// The counts of a run.
#[derive(Default)]
struct Tally {
    faults: BTreeMap<Fault, String>,
    views: BTreeMap<String, Counts>,
    left_out: BTreeMap<String, usize>,
}

#[derive(Default)]
struct Counts {
    replayed: usize,
    passed: usize,
    emptied: usize,
    paths: usize,
    open_paths: usize,
}

impl Tally {
    fn count(&mut self, document: &Replay, faults: &BTreeSet<String>) {
        let counts = self.views.entry(document.view.clone()).or_default();
        counts.replayed += 1;
        counts.passed += usize::from(faults.is_empty());
        counts.emptied += usize::from(document.document.contains("__typename"));
        counts.paths += document.selected.len();
        counts.open_paths += faults.iter().filter(|path| *path != OPERATION).count();
        for (_, owner) in &document.left_out {
            *self.left_out.entry(owner.clone()).or_default() += 1;
        }
    }

    fn tell(&self, engine: Engine, usage: &Usage, documents: &[Replay]) {
        for (view, counts) in &self.views {
            let Counts { replayed, passed, emptied, paths, open_paths } = counts;
            let listed = replayed - passed;
            tell(
                "replay",
                format_args!(
                    "{engine:?}, {view}: {replayed} operations, {passed} pass, {listed} with a \
                     reason; {paths} paths, {open_paths} with a reason; of {emptied} operations \
                     nothing but the object remains"
                ),
            );
        }
        let roots: BTreeSet<&str> = documents.iter().map(|it| it.root_field.as_str()).collect();
        let built: BTreeSet<&str> = documents.iter().map(|it| it.op.as_str()).collect();
        let of_served = usage.root_fields.iter().filter(|(root, _)| roots.contains(root.as_str()));
        let recorded = of_served.flat_map(|(_, usage)| &usage.operations);
        let unbuilt = recorded.clone().filter(|op| !built.contains(op.id.as_str())).count();
        tell(
            "replay",
            format_args!(
                "{} of {} recorded operations on {} served root fields fit a view, {unbuilt} fit \
                 none; parts left out by domain: {:?}",
                built.len(),
                recorded.count(),
                roots.len(),
                self.left_out
            ),
        );
    }
}
