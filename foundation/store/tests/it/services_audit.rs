//! The audit chain finds what was done to the log behind the store's back.

use futures_util::FutureExt;
use ward_store::chain_heads::{read_heads, write_heads};
use ward_store::verify::{BadEntry, Damage, Verdict, verify};
use ward_store::{Refusals, Sql};

use crate::services_tables::{member, person};
use crate::support::World;

/// Two organizations with `n` entries each, numbered, and the file of heads.
async fn logged(w: &World, n: i64) -> (i64, i64) {
    let (one, two) = (w.organization(1).await, w.organization(2).await);
    for org in [one, two] {
        for n in 0..n {
            w.act(&member(org), move |mut scope| {
                async move {
                    let new = person(scope.tx, org, org + 5 + n, "Ada");
                    scope.create(&new).await
                }
                .boxed()
            })
            .await
            .unwrap();
            w.sequence().await;
        }
    }
    let written = write_heads(&w.db, &w.directory.join("chain.heads")).await.unwrap();
    assert_eq!((written.organizations, written.contradicted.len()), (2, 0));
    (one, two)
}

async fn verdict(w: &World) -> Verdict {
    verify(&w.db, Some(&w.directory.join("chain.heads"))).await.unwrap()
}

async fn damage(w: &World) -> (i64, Option<i64>, Damage) {
    match verdict(w).await {
        Verdict::Broken(BadEntry { org_id, seq, damage, .. }) => (org_id, seq, damage),
        intact => panic!("{intact:?}"),
    }
}

/// A log as it was written.
async fn an_untouched_log_is_intact(w: World) {
    logged(&w, 4).await;
    assert_eq!(verdict(&w).await, Verdict::Intact { entries: 8, unnumbered: 0, organizations: 2 });
}

both!(an_untouched_log_is_intact);

/// An entry's text changed.
async fn an_edit_is_found(w: World) {
    let (_, two) = logged(&w, 4).await;
    w.tamper(&format!("UPDATE audit_events SET actor_id = 7 WHERE org_id = {two} AND seq = 3"))
        .await;
    assert_eq!(damage(&w).await, (two, Some(3), Damage::Edited));
}

both!(an_edit_is_found);

/// An entry taken out of the middle.
async fn a_deletion_is_found(w: World) {
    let (one, _) = logged(&w, 4).await;
    w.tamper(&format!("DELETE FROM audit_events WHERE org_id = {one} AND seq = 2")).await;
    assert_eq!(damage(&w).await, (one, Some(3), Damage::Missing));
    w.tamper(&format!("UPDATE audit_events SET seq = seq - 1 WHERE org_id = {one} AND seq > 2"))
        .await;
    assert_eq!(damage(&w).await, (one, Some(2), Damage::Reordered));
}

both!(a_deletion_is_found);

/// Two entries change places.
async fn a_reordering_is_found(w: World) {
    let (one, _) = logged(&w, 4).await;
    for (from, to) in [(2, 99), (3, 2), (99, 3)] {
        w.tamper(&format!(
            "UPDATE audit_events SET seq = {to} WHERE org_id = {one} AND seq = {from}"
        ))
        .await;
    }
    assert_eq!(damage(&w).await, (one, Some(2), Damage::Reordered));
}

both!(a_reordering_is_found);

/// Entries cut off at the end are missed by the file, whatever follows.
async fn a_truncation_is_found(w: World) {
    let (one, two) = logged(&w, 4).await;
    let file = w.directory.join("chain.heads");
    w.tamper(&format!("DELETE FROM audit_events WHERE org_id = {one} AND seq >= 3")).await;
    assert_eq!(damage(&w).await, (one, Some(2), Damage::Truncated));
    assert!(verify(&w.db, None).await.unwrap().is_intact());
    let written = write_heads(&w.db, &file).await.unwrap();
    assert_eq!(written.contradicted, [one]);
    assert_eq!(damage(&w).await, (one, Some(2), Damage::Truncated));
    w.tamper(&format!("DELETE FROM audit_events WHERE org_id = {one}")).await;
    assert_eq!(damage(&w).await, (one, Some(0), Damage::Truncated));
    let heads = read_heads(&w.ring, &file).unwrap().unwrap().heads;
    assert_eq!(heads.keys().collect::<Vec<_>>(), [&one, &two]);
    // The file itself can't be changed by hand.
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace(&format!("\n{one} 4 "), &format!("\n{one} 2 "))).unwrap();
    assert!(verify(&w.db, Some(&file)).await.is_err());
}

both!(a_truncation_is_found);

/// After a restore, what the file knew of before counts no more, and the certificate says that it
/// was one; a database that was put back without is found.
async fn heads_of_before_a_restore_count_no_more(w: World) {
    let (one, _) = logged(&w, 4).await;
    let file = w.directory.join("chain.heads");
    w.tamper(&format!("DELETE FROM audit_events WHERE org_id = {one} AND seq >= 3")).await;
    assert_eq!(damage(&w).await, (one, Some(2), Damage::Truncated));
    let epoch = |to: i64| {
        let ring = w.ring.clone();
        w.db.write(move |tx| {
            let ring = ring.clone();
            async move {
                let mut certificate = ward_store::read_certificate(tx).await?;
                certificate.restore_epoch = to;
                certificate.sign(&ring);
                ward_store::write_certificate(tx, &certificate).await
            }
            .boxed()
        })
    };
    epoch(1).await.unwrap();
    assert!(verdict(&w).await.is_intact());
    assert!(write_heads(&w.db, &file).await.unwrap().contradicted.is_empty());
    let known = read_heads(&w.ring, &file).unwrap().unwrap();
    assert_eq!((known.epoch, known.heads[&one].seq), (1, 2));
    w.tamper(&format!("DELETE FROM audit_events WHERE org_id = {one} AND seq >= 2")).await;
    assert_eq!(damage(&w).await, (one, Some(1), Damage::Truncated));
    // The number of the restore can't be put back to hide it.
    epoch(0).await.unwrap();
    assert_eq!(damage(&w).await, (one, Some(1), Damage::Truncated));
}

both!(heads_of_before_a_restore_count_no_more);

/// A chain moved into another organization.
async fn a_moved_log_is_found(w: World) {
    let (one, two) = logged(&w, 2).await;
    w.tamper(&format!(
        "DELETE FROM audit_events WHERE org_id = {two}; \
         UPDATE audit_events SET org_id = {two} WHERE org_id = {one}"
    ))
    .await;
    assert_eq!(damage(&w).await.2, Damage::Truncated);
    assert!(!verify(&w.db, None).await.unwrap().is_intact());
}

both!(a_moved_log_is_found);

/// Ordinary statements can neither change nor remove an entry.
async fn the_database_itself_refuses_changes(w: World) {
    let (one, _) = logged(&w, 2).await;
    for text in [
        "UPDATE audit_events SET actor_id = 7",
        "UPDATE audit_events SET seq = seq + 100",
        "DELETE FROM audit_events",
    ] {
        assert!(w.execute(Sql::fixed(text, [])).await.is_err(), "{text}");
    }
    assert!(verdict(&w).await.is_intact(), "{one}");
}

both!(the_database_itself_refuses_changes);

/// Entries that the sequencer has not reached are checked by their MAC.
async fn unnumbered_entries_are_not_broken(w: World) {
    let (one, _) = logged(&w, 2).await;
    w.act(&member(one), move |mut scope| {
        async move {
            let new = person(scope.tx, one, one + 50, "Ada");
            scope.create(&new).await
        }
        .boxed()
    })
    .await
    .unwrap();
    assert_eq!(verdict(&w).await, Verdict::Intact { entries: 4, unnumbered: 1, organizations: 2 });
    w.tamper("UPDATE audit_events SET actor_id = 7 WHERE seq IS NULL").await;
    assert_eq!(damage(&w).await, (one, None, Damage::Edited));
}

only!(Pg, unnumbered_entries_are_not_broken);

/// Refusals are counted, and written as few entries as there are counters.
async fn refusals_are_counted(w: World) {
    let org = w.organization(1).await;
    let refusals = Refusals::new();
    let wall = w.instance.clock().wall();
    for _ in 0..50 {
        refusals.note(None, "203.0.113.7", "UNAUTHENTICATED", wall);
        refusals.note(Some(&member(org)), "kid12345", "FORBIDDEN", wall);
    }
    assert_eq!(refusals.flush(&w.db, false).await.unwrap(), 2);
    refusals.note(None, "203.0.113.7", "UNAUTHENTICATED", wall);
    assert_eq!(refusals.flush(&w.db, true).await.unwrap(), 1);
    assert!(refusals.is_empty());
    w.sequence().await;
    let rows = w.rows(Sql::fixed(
        "SELECT org_id, resource_name, resource_id FROM audit_events WHERE event_type = 'REFUSED' ORDER BY org_id, seq", [],
    )).await;
    assert_eq!(rows.len(), 3);
    assert_eq!(rows.row(2), [org.into(), "FORBIDDEN".into(), "kid12345".into()]);
    let verdict = verify(&w.db, None).await.unwrap();
    assert_eq!(verdict, Verdict::Intact { entries: 3, unnumbered: 0, organizations: 2 });
    for n in 0..20_000 {
        refusals.note(None, &format!("host {n}"), "UNAUTHENTICATED", wall);
    }
    assert!(refusals.len() <= 10_001, "{}", refusals.len());
}

both!(refusals_are_counted);
