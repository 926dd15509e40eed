//! Operations through a scope: rows, versions, sealed columns, audit, events.

use futures_util::FutureExt;
use ward_store::system::AUDIT_EVENTS;
use ward_store::{Cond, Id, Level, Query, Sql, StoreError, Value, codec};

use crate::services_tables::{Label, PERSONS, Person, member, person};
use crate::support::World;

/// The log of an organization: type, resource, changes as JSON.
async fn log(w: &World, org_id: i64) -> Vec<(String, String, String)> {
    let mut sql = Sql::fixed("SELECT ", [org_id.into()]);
    let columns: Vec<_> = AUDIT_EVENTS.columns.iter().map(|column| column.name).collect();
    sql.push(&columns.join(", "));
    sql.push(" FROM audit_events WHERE org_id = $1 ORDER BY seq, written_at, id");
    let mut reader = w.db.read().await.unwrap();
    let keys = w.db.keyring().of(&mut reader, org_id).await.unwrap();
    let rows = reader.rows(&sql).await.unwrap();
    let decode = |row: &[Value]| {
        let row: ward_store::system::AuditRow = codec::open_record(&keys, row).unwrap();
        (row.event_type.to_string(), row.resource_name, row.changes)
    };
    rows.iter().map(decode).collect()
}

/// A row's life, and what the log says of it.
async fn a_life_is_logged_without_secrets(w: World) {
    let org = w.organization(1).await;
    w.act(&member(org), move |mut scope| {
        async move {
            let mut new = person(scope.tx, org, org + 5, "Ada");
            new.note = Some("likes tea".into());
            new.ssn = Some("123-45-6789".into());
            new.password_hash = Some("$argon2id$x".into());
            scope.create(&new).await
        }
        .boxed()
    })
    .await
    .unwrap();
    w.sequence().await;
    let changes = w
        .act(&member(org), move |mut scope| {
            async move {
                let before = scope.find(Id::<Person>::new(org + 5)).await?.unwrap();
                assert_eq!(before.note.as_deref(), Some("likes tea"));
                assert_eq!(before.ssn.as_deref(), Some("123-45-6789"));
                let mut after = before.clone();
                after.name = "Ada Ahlgren".into();
                after.note = None;
                after.ssn = Some("987-65-4321".into());
                after.active = false;
                after.updated_at = ward_instance::Timestamp(1);
                scope.update(&before, &after).await
            }
            .boxed()
        })
        .await
        .unwrap();
    assert_eq!(changes.columns, ["name", "note", "ssn", "active"]);
    assert_eq!(changes.version, Some(2));
    w.sequence().await;
    w.act(&member(org), move |mut scope| {
        async move {
            let before = scope.find(Id::<Person>::new(org + 5)).await?.unwrap();
            assert_eq!((before.version, before.active, before.note.clone()), (2, false, None));
            assert!(before.updated_at > ward_instance::Timestamp(1));
            Ok(())
        }
        .boxed()
    })
    .await
    .unwrap();
    w.act(&member(org), move |mut scope| {
        async move {
            let before = scope.find(Id::<Person>::new(org + 5)).await?.unwrap();
            scope.destroy(&before).await?;
            assert!(scope.find(Id::<Person>::new(org + 5)).await?.is_none());
            let gone = scope.find_deleted_too(Id::<Person>::new(org + 5)).await?.unwrap();
            assert_eq!(gone.deleted_at, Some(scope.now()));
            Ok(())
        }
        .boxed()
    })
    .await
    .unwrap();
    w.sequence().await;
    let log = log(&w, org).await;
    let kinds: Vec<_> =
        log.iter().map(|(kind, resource, _)| (kind.as_str(), resource.as_str())).collect();
    assert_eq!(kinds, [("CREATE", "PERSON"), ("UPDATE", "PERSON"), ("DESTROY", "PERSON")]);
    assert_eq!(
        log[1].2,
        r#"[{"field":"name","before":"Ada","after":"Ada Ahlgren"},{"field":"note","before":"[redacted]","after":null},{"field":"ssn","before":"[redacted]","after":"[redacted]"},{"field":"active","before":"true","after":"false"}]"#
    );
    for (_, _, changes) in &log {
        for secret in ["tea", "123-45", "987-65", "argon2id"] {
            assert!(!changes.contains(secret), "{changes}");
        }
    }
}

both!(a_life_is_logged_without_secrets);

/// Nothing changed: nothing is written, nothing is logged.
async fn an_update_of_nothing_writes_nothing(w: World) {
    let org = w.organization(1).await;
    w.act(&member(org), move |mut scope| {
        async move {
            let one = person(scope.tx, org, org + 5, "Ada");
            scope.create(&one).await?;
            let mut same = one.clone();
            same.updated_at = ward_instance::Timestamp(5);
            let changes = scope.update(&one, &same).await?;
            assert!(changes.is_empty());
            Ok(())
        }
        .boxed()
    })
    .await
    .unwrap();
    assert_eq!(log(&w, org).await.len(), 1);
    assert_eq!(w.number("SELECT version FROM persons").await, 1);
}

both!(an_update_of_nothing_writes_nothing);

/// Of two that read the same version, one wins.
async fn a_stale_version_is_a_conflict(w: World) {
    let org = w.organization(1).await;
    let error = w
        .act(&member(org), move |mut scope| {
            async move {
                let one = person(scope.tx, org, org + 5, "Ada");
                scope.create(&one).await?;
                let mut first = one.clone();
                first.name = "Bea".into();
                scope.update(&one, &first).await?;
                let mut second = one.clone();
                second.name = "Cleo".into();
                scope.update(&one, &second).await.map(drop)
            }
            .boxed()
        })
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Conflict), "{error}");
    assert_eq!(w.number("SELECT COUNT(*) FROM persons").await, 0);
    assert_eq!(w.number("SELECT COUNT(*) FROM audit_events").await, 0);
}

both!(a_stale_version_is_a_conflict);

/// Without a column `deleted_at` the row goes, and its grams with it.
async fn a_hard_delete_leaves_no_gram(w: World) {
    let org = w.organization(1).await;
    w.act(&member(org), move |mut scope| {
        async move {
            let id = scope.next_id::<Label>().await?;
            let label = Label { id, org_id: Id::new(org), name: "Important".into() };
            scope.create(&label).await?;
            let found: Vec<Label> = scope.list(Cond::eq("name", "Important"), &[]).await?;
            assert_eq!(found, std::slice::from_ref(&label));
            scope.destroy(&label).await
        }
        .boxed()
    })
    .await
    .unwrap();
    assert_eq!(w.number("SELECT COUNT(*) FROM labels").await, 0);
    assert_eq!(w.number("SELECT COUNT(*) FROM search_grams").await, 0);
    let log = log(&w, org).await;
    assert_eq!(log.len(), 2);
}

both!(a_hard_delete_leaves_no_gram);

/// A row of another tenant can't be written, nor found.
async fn tenants_are_apart(w: World) {
    let (one, two) = (w.organization(1).await, w.organization(2).await);
    let error = w
        .act(&member(one), move |mut scope| {
            async move {
                let other = person(scope.tx, two, two + 5, "Ada");
                scope.create(&other).await
            }
            .boxed()
        })
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Internal { .. }), "{error}");
    w.act(&member(two), move |mut scope| {
        async move {
            let own = person(scope.tx, two, two + 5, "Ada");
            scope.create(&own).await
        }
        .boxed()
    })
    .await
    .unwrap();
    w.act(&member(one), move |mut scope| {
        async move {
            let id = Id::<Person>::new(two + 5);
            assert!(scope.find(id).await?.is_none());
            assert!(scope.visible(id, Level::Public).await?.is_none());
            assert!(scope.list::<Person>(Cond::Always, &[]).await?.is_empty());
            Ok(())
        }
        .boxed()
    })
    .await
    .unwrap();
}

both!(tenants_are_apart);

#[test]
fn every_column_has_a_position() {
    assert_eq!(PERSONS.columns[crate::services_tables::persons::note].name, "note");
}
