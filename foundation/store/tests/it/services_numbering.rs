//! The numbers of events and audit entries: without gap, in order.

use futures_util::FutureExt;
use ward_store::verify::verify;
use ward_store::{Actor, Engine, Query, Sql};

use crate::services_tables::{member, person};
use crate::support::World;

/// Numbers have no gap, whoever writes at the same time and whoever is
/// rolled back.
async fn numbering_is_gap_free(w: World) {
    let (one, two) = (w.organization(1).await, w.organization(2).await);
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..8_i64 {
        let w = w.clone();
        tasks.spawn(async move {
            for n in 0..12_i64 {
                let org = if (task + n) % 2 == 0 { one } else { two };
                let fails = n % 3 == 2;
                let result = w
                    .act(&Actor::system(org), move |mut scope| {
                        async move {
                            let new = person(scope.tx, org, org + 10 + task * 20 + n, "Ada");
                            scope.create(&new).await?;
                            scope.emit(ward_store::events::Event::new(
                                "patient.created",
                                "User",
                                n,
                            ));
                            scope.emit(ward_store::events::Event::new("user.created", "User", n));
                            if fails { Err(ward_store::StoreError::Conflict) } else { Ok(()) }
                        }
                        .boxed()
                    })
                    .await;
                assert_eq!(result.is_err(), fails);
                if n % 4 == 0 && task == 0 {
                    w.sequence().await;
                }
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    w.sequence().await;
    for (table, each) in [("audit_events", 1), ("events", 2)] {
        for org in [one, two] {
            let mut sql = Sql::fixed("SELECT seq FROM ", [org.into()]);
            sql.push(table).push(" WHERE org_id = $1 ORDER BY seq");
            let rows = w.db.read().await.unwrap().rows(&sql).await.unwrap();
            let seqs: Vec<_> = rows.iter().map(|row| row[0].int().unwrap()).collect();
            assert_eq!(seqs, (1..=32 * each).collect::<Vec<i64>>(), "{table}");
        }
    }
    assert!(verify(&w.db, None).await.unwrap().is_intact());
    let unnumbered = w.number("SELECT COUNT(*) FROM events WHERE seq IS NULL").await;
    assert_eq!((unnumbered, w.db.engine() == Engine::Lite), (0, w.db.engine() == Engine::Lite));
}

both!(numbering_is_gap_free);

/// What one transaction leaves behind is numbered as it happened.
async fn the_order_within_a_transaction_is_kept(w: World) {
    let org = w.organization(1).await;
    w.act(&member(org), move |mut scope| {
        async move {
            for n in 0..20 {
                let new = person(scope.tx, org, org + 10 + n, "Ada");
                scope.create(&new).await?;
                let event = ward_store::events::Event::new("patient.created", "User", org + 10 + n);
                scope.emit(event);
            }
            Ok(())
        }
        .boxed()
    })
    .await
    .unwrap();
    w.sequence().await;
    let in_order: Vec<i64> = (0..20).map(|n| org + 10 + n).collect();
    let events = w.rows(Sql::fixed("SELECT resource_id FROM events ORDER BY seq", [])).await;
    let ids: Vec<i64> = events.iter().map(|row| row[0].int().unwrap()).collect();
    assert_eq!(ids, in_order);
    let log = w.rows(Sql::fixed("SELECT resource_id FROM audit_events ORDER BY seq", [])).await;
    let ids: Vec<i64> = log.iter().map(|row| row[0].text().unwrap().parse().unwrap()).collect();
    assert_eq!(ids, in_order);
    let taken = w.db.write(|tx| ward_store::events::take_unrelayed(tx, 50).boxed()).await.unwrap();
    let ids: Vec<i64> = taken.iter().map(|event| event.resource_id).collect();
    assert_eq!(ids, in_order);
}

both!(the_order_within_a_transaction_is_kept);

/// A node that lost the role can't number any more.
async fn only_the_holder_of_the_role_numbers(w: World) {
    use ward_store::{nodes, sequencer};
    let org = w.organization(1).await;
    let lease = std::time::Duration::from_secs(60);
    let acquire = |node: &'static str| {
        w.db.write(move |tx| nodes::acquire(tx, sequencer::ROLE, node, lease).boxed())
    };
    let first = acquire("a").await.unwrap().unwrap();
    assert!(acquire("b").await.unwrap().is_none());
    w.act(&member(org), move |mut scope| {
        async move {
            let new = person(scope.tx, org, org + 10, "Ada");
            scope.create(&new).await
        }
        .boxed()
    })
    .await
    .unwrap();
    assert_eq!(sequencer::step(&w.db, &first).await.unwrap(), 1);
    w.execute(Sql::fixed("UPDATE leases SET until_at = 0", [])).await.unwrap();
    acquire("b").await.unwrap().unwrap();
    let error = sequencer::step(&w.db, &first).await.unwrap_err();
    assert!(matches!(error, ward_store::StoreError::Conflict), "{error}");
}

only!(Pg, only_the_holder_of_the_role_numbers);

/// A member that takes the whole group down costs no number.
async fn a_lost_group_leaves_no_gap(w: World) {
    let org = w.organization(1).await;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..24_i64 {
        let w = w.clone();
        tasks.spawn(async move {
            let actor = Actor::system(org);
            w.act(&actor, move |mut scope| {
                async move {
                    let new = person(scope.tx, org, org + 10 + n, "Ada");
                    scope.create(&new).await?;
                    if n % 5 == 4 {
                        scope.tx.execute(&Sql::fixed("ROLLBACK", [])).await?;
                    }
                    Ok(n)
                }
                .boxed()
            })
            .await
        });
    }
    let mut kept = 0;
    while let Some(done) = tasks.join_next().await {
        kept += i64::from(done.unwrap().is_ok());
    }
    assert_eq!(kept, 20);
    let seqs = w.rows(Sql::fixed("SELECT seq FROM audit_events ORDER BY seq", [])).await;
    let seqs: Vec<i64> = seqs.iter().map(|row| row[0].int().unwrap()).collect();
    assert_eq!(seqs, (1..=20).collect::<Vec<i64>>());
    assert!(verify(&w.db, None).await.unwrap().is_intact());
}

only!(Lite, a_lost_group_leaves_no_gap);
