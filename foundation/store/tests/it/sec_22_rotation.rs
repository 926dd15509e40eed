//! SEC-22: the root is rotated while the instance works; afterwards the old
//! one opens nothing, whatever happened in between.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures_util::FutureExt;
use ward_instance::{Kind, RootRing};
use ward_store::blobs::BlobStore;
use ward_store::rotation::{End, Phase, Progress, Rotation};
use ward_store::verify::{Verdict, verify};
use ward_store::{Engine, Sql};

use crate::sec_22_world::{
    FEW, PEOPLE, assert_old_opens_nothing, assert_readable, blob_store, create, download, fill,
    found, go_on, older_values, reopened, rotation, rotation_with, upload,
};
use crate::support::{self, World};

async fn sec_22_everything_comes_under_the_new_root(w: World) {
    let filled = fill(&w, PEOPLE).await;
    let old = Arc::clone(&w.ring);
    assert_eq!(older_values(&w, 1).await, []);
    // Twice, so that what stays of the first root is wrapped a second time.
    for version in [2, 3] {
        let before = w.instance.ring();
        let end = rotation(&w).await.run(&go_on).await.unwrap();
        let End::Done(progress) = end else { panic!("{end:?}") };
        assert_eq!((progress.from.as_slice(), progress.to), (&[version - 1][..], version));
        assert!(progress.changed as i64 > PEOPLE, "{progress:?}");
        assert_readable(&w, &filled, PEOPLE).await;
        assert_old_opens_nothing(&w, &before, &filled).await;
        let again = reopened(&w).await;
        assert_readable(&again, &filled, PEOPLE).await;
        again.db.shutdown().await;
    }
    assert_old_opens_nothing(&w, &old, &filled).await;
    // What was written says so in the audit log of the instance.
    let acts = "SELECT COUNT(*) FROM audit_events WHERE org_id = 0 AND event_type = 'ADMIN'";
    assert_eq!(w.number(acts).await, 4);
}

both!(sec_22_everything_comes_under_the_new_root);

/// Who has the old root and a copy of the database from then knows its data
/// keys: what they seal with them is not taken.
async fn sec_22_old_data_keys_open_audit_entries_only(w: World) {
    let filled = fill(&w, PEOPLE).await;
    let org = filled.org;
    let sql = "SELECT note FROM persons ORDER BY id LIMIT 1";
    let before = w.rows(Sql::fixed(sql, [])).await.scalar().unwrap().bytes().unwrap().to_vec();
    assert!(matches!(rotation(&w).await.run(&go_on).await.unwrap(), End::Done(_)));
    let put = Sql::fixed(
        "UPDATE persons SET note = $1 WHERE org_id = $2 AND id = $3",
        [before.into(), org.into(), (org + 10).into()],
    );
    w.execute(put).await.unwrap();
    let error = found(&w, org, 10).await.unwrap_err().to_string();
    assert!(error.contains("sealed under key version 1"), "{error}");
}

both!(sec_22_old_data_keys_open_audit_entries_only);

/// Cut off at each step in turn; a new process goes on.
async fn cut_off_everywhere(engine: Engine) {
    let mut steps = 0;
    loop {
        let finished = Arc::new(AtomicBool::new(false));
        let ran = Arc::new(AtomicBool::new(false));
        let (told, began) = (Arc::clone(&finished), Arc::clone(&ran));
        support::run(engine, Kind::Sandbox, move |w| async move {
            began.store(true, Ordering::SeqCst);
            told.store(cut_off_after(&w, steps).await, Ordering::SeqCst);
        })
        .await;
        if finished.load(Ordering::SeqCst) || !ran.load(Ordering::SeqCst) {
            break;
        }
        // A world takes long on PostgreSQL; what is done between two steps is the same there.
        steps += if engine == Engine::Pg { 3 } else { 1 };
    }
    println!("SEC-22: cut off in {steps} steps on {engine:?}");
    assert!(steps == 0 || steps > 15, "only {steps} steps");
}

/// Whether the rotation was finished before that many steps.
async fn cut_off_after(w: &World, steps: usize) -> bool {
    let filled = fill(w, FEW).await;
    let old = Arc::clone(&w.ring);
    let taken = AtomicUsize::new(0);
    let watch = |_: &Progress| match taken.fetch_add(1, Ordering::SeqCst) < steps {
        true => ControlFlow::Continue(()),
        false => ControlFlow::Break(()),
    };
    if let End::Done(_) = rotation(w).await.run(&watch).await.unwrap() {
        return true;
    }
    // As after SIGKILL: what was begun is left as it is.
    let again = reopened(w).await;
    create(&again, filled.org, 10 + FEW).await.unwrap();
    assert_readable(&again, &filled, FEW + 1).await;
    let under_way = Rotation::is_under_way(&again.db);
    assert_eq!(under_way, steps > 0, "after {steps} steps");
    let end = rotation(&again).await.run(&go_on).await.unwrap();
    assert!(matches!(end, End::Done(_)), "after {steps} steps: {end:?}");
    assert_readable(&again, &filled, FEW + 1).await;
    assert_old_opens_nothing(&again, &old, &filled).await;
    again.db.shutdown().await;
    false
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_22_cut_off_at_every_step_sqlite() {
    cut_off_everywhere(Engine::Lite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_22_cut_off_at_every_step_postgres() {
    cut_off_everywhere(Engine::Pg).await;
}

/// Eight writers, uploads and readers all the while: what was acknowledged is
/// there, and under the new root.
async fn sec_22_rotates_under_load(w: World) {
    let filled = fill(&w, PEOPLE).await;
    let org = filled.org;
    let old = Arc::clone(&w.ring);
    let stop = Arc::new(AtomicBool::new(false));
    let mut writers = tokio::task::JoinSet::new();
    let store = Arc::new(blob_store(&w).await);
    for writer in 0..8_i64 {
        let (w, stop) = (w.clone(), Arc::clone(&stop));
        writers.spawn(async move {
            let mut done = Vec::new();
            for number in 0..90 {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                let n = 100 + writer * 100 + number;
                create(&w, org, n).await.unwrap();
                done.push(n);
                // What was just written, and what was there before, are read.
                for n in [n, 10 + number % PEOPLE] {
                    let read = found(&w, org, n).await.unwrap().unwrap();
                    assert_eq!(read.note, Some(format!("note {n}")));
                }
            }
            done
        });
    }
    let uploads = {
        let (w, stop, filled) = (w.clone(), Arc::clone(&stop), filled.clone());
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let mut done = Vec::new();
            while !stop.load(Ordering::SeqCst) && done.len() < 40 {
                done.push(upload(&w, &*store, org, &filled.bytes).await);
                let bytes = download(&w, &*store, org, &filled.blob).await.unwrap();
                assert_eq!(bytes, filled.bytes);
            }
            done
        })
    };
    let mut rotations = 0;
    while rotations < 3 {
        let blobs: Arc<dyn BlobStore> = Arc::clone(&store) as Arc<dyn BlobStore>;
        let rotation = rotation_with(&w, blobs);
        let end = rotation.run(&go_on).await.unwrap();
        assert!(matches!(end, End::Done(_)), "{end:?}");
        rotations += 1;
    }
    stop.store(true, Ordering::SeqCst);
    let mut acknowledged = Vec::new();
    while let Some(done) = writers.join_next().await {
        acknowledged.extend(done.unwrap());
    }
    let uploads = uploads.await.unwrap();
    assert!(acknowledged.len() > 8, "hardly anything was written");
    println!(
        "SEC-22: {:?}: {} rows and {} files acknowledged during {rotations} rotations",
        w.db.engine(),
        acknowledged.len(),
        uploads.len()
    );
    let again = reopened(&w).await;
    assert_readable(&again, &filled, PEOPLE).await;
    for n in acknowledged {
        let read = found(&again, org, n).await.unwrap().unwrap();
        assert_eq!(read.ssn, Some(format!("ssn {n}")));
    }
    for id in uploads {
        assert_eq!(download(&again, &*store, org, &id).await.unwrap(), filled.bytes);
    }
    assert_old_opens_nothing(&again, &old, &filled).await;
    again.db.shutdown().await;
}

both!(sec_22_rotates_under_load);

/// Values that somebody damaged are named, and the old root stays until it is
/// said that they may be left.
async fn sec_22_damaged_values_are_named(w: World) {
    let filled = fill(&w, PEOPLE).await;
    let org = filled.org;
    w.tamper(&format!(
        "UPDATE persons SET note = (SELECT note FROM persons WHERE id = {}) WHERE id = {}",
        org + 11,
        org + 10,
    ))
    .await;
    w.tamper(&format!("UPDATE events SET resource_id = 7 WHERE resource_id = {}", org + 12)).await;
    let end = rotation(&w).await.run(&go_on).await.unwrap();
    let End::Damaged(progress) = end else { panic!("{end:?}") };
    let named: Vec<String> = progress.damaged.iter().map(ToString::to_string).collect();
    assert!(named.contains(&format!("persons.note of row {}", org + 10)), "{named:?}");
    assert!(named.iter().any(|it| it.starts_with("events.row_mac of row ")), "{named:?}");
    assert_eq!(named.len(), 2);
    assert!(Rotation::is_under_way(&w.db));
    assert_eq!(RootRing::load(&w.directory.join("root.key")).unwrap().versions(), [1, 2]);
    let rotation = Rotation { leave_damaged: true, ..rotation(&w).await };
    let end = rotation.run(&go_on).await.unwrap();
    assert!(matches!(end, End::Done(_)), "{end:?}");
    assert_eq!(RootRing::load(&w.directory.join("root.key")).unwrap().versions(), [2]);
}

both!(sec_22_damaged_values_are_named);

/// The audit log is proved across the rotation, and an entry that somebody
/// makes with the old root is found.
async fn sec_22_the_old_root_writes_no_audit_entries(w: World) {
    let filled = fill(&w, PEOPLE).await;
    let org = filled.org;
    assert!(matches!(rotation(&w).await.run(&go_on).await.unwrap(), End::Done(_)));
    create(&w, org, 10 + PEOPLE).await.unwrap();
    w.sequence().await;
    // A link of an old entry, which verifies by itself, stands after a new one.
    w.tamper(&format!(
        "UPDATE audit_events SET chain = (SELECT o.chain FROM audit_events o WHERE o.org_id = {org} AND o.seq = 1) \
         WHERE org_id = {org} AND seq = {}",
        PEOPLE + 1
    ))
    .await;
    let verdict = verify(&w.db, None).await.unwrap();
    let Verdict::Broken(bad) = verdict else { panic!("{verdict:?}") };
    assert_eq!((bad.org_id, bad.seq), (org, Some(PEOPLE + 1)));
}

both!(sec_22_the_old_root_writes_no_audit_entries);

/// While another node lives, its writes might be under older keys.
async fn sec_22_refused_beside_another_node(w: World) {
    let filled = fill(&w, FEW).await;
    w.db.write(|tx| ward_store::nodes::beat(tx, "elsewhere").boxed()).await.unwrap();
    let end = rotation(&w).await.run(&go_on).await.unwrap();
    assert!(matches!(end, End::NotAlone(_)), "{end:?}");
    assert_eq!(RootRing::load(&w.directory.join("root.key")).unwrap().versions(), [1]);
    assert!(!Rotation::is_under_way(&w.db));
    // A process that did not hear of the new root can't write any more.
    let stale = reopened(&w).await;
    w.db.write(|tx| ward_store::nodes::leave(tx, "elsewhere").boxed()).await.unwrap();
    assert!(matches!(rotation(&w).await.run(&go_on).await.unwrap(), End::Done(_)));
    let error = create(&stale, filled.org, 99).await.unwrap_err();
    assert!(error.to_string().contains("its root key was rotated since"), "{error}");
    stale.db.shutdown().await;
}

only!(Pg, sec_22_refused_beside_another_node);

/// The phases are told in their order.
async fn sec_22_progress_is_told(w: World) {
    fill(&w, PEOPLE).await;
    let told = std::sync::Mutex::new(Vec::new());
    let watch = |progress: &Progress| {
        let mut told = told.lock().unwrap();
        if told.last() != Some(&progress.phase) {
            told.push(progress.phase);
        }
        ControlFlow::Continue(())
    };
    assert!(matches!(rotation(&w).await.run(&watch).await.unwrap(), End::Done(_)));
    assert_eq!(told.into_inner().unwrap(), Phase::ALL);
}

both!(sec_22_progress_is_told);
