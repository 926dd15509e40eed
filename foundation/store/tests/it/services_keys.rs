//! Data keys and what they seal.

use futures_util::FutureExt;
use ward_store::{Id, StoreError};

use crate::services_tables::{Person, member, person};
use crate::support::World;

async fn read_five(w: &World, org: i64) -> Result<Option<Person>, StoreError> {
    w.act(&member(org), move |mut scope| {
        async move { scope.find(Id::<Person>::new(org + 5)).await }.boxed()
    })
    .await
}

/// A sealed value opens in its own row and column only.
async fn a_sealed_column_does_not_open_elsewhere(w: World) {
    let org = w.organization(1).await;
    w.act(&member(org), move |mut scope| {
        async move {
            for n in [5, 6] {
                let mut new = person(scope.tx, org, org + n, "Ada");
                new.note = Some(format!("note {n}"));
                new.ssn = Some("123".into());
                scope.create(&new).await?;
            }
            Ok(())
        }
        .boxed()
    })
    .await
    .unwrap();
    assert!(read_five(&w, org).await.unwrap().is_some());
    w.tamper(&format!(
        "UPDATE persons SET note = (SELECT note FROM persons WHERE id = {}) WHERE id = {}",
        org + 6,
        org + 5,
    ))
    .await;
    let error = read_five(&w, org).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { table: "persons", .. }), "{error}");
    assert!(!error.to_string().contains("note 6"));
    w.tamper(&format!("UPDATE persons SET note = ssn WHERE id = {}", org + 5)).await;
    assert!(matches!(read_five(&w, org).await.unwrap_err(), StoreError::Corrupt { .. }));
    w.tamper(&format!("UPDATE persons SET note = NULL WHERE id = {}", org + 5)).await;
    assert!(read_five(&w, org).await.unwrap().is_some());
}

both!(a_sealed_column_does_not_open_elsewhere);

/// Keys of a transaction that was rolled back are not remembered.
async fn keys_of_a_rolled_back_organization_are_forgotten(w: World) {
    let org = w.org_id() + 77_000;
    let failed: Result<(), _> =
        w.db.write(move |tx| {
            async move {
                ward_store::keyring::create_for(tx, org).await?;
                let new = Person { note: Some("x".into()), ..person(tx, org, org + 1, "Ada") };
                ward_store::Scope::new(tx, &member(org)).create(&new).await?;
                Err(StoreError::Conflict)
            }
            .boxed()
        })
        .await;
    assert!(matches!(failed, Err(StoreError::Conflict)));
    assert!(w.db.keyring().held(org).is_none());
    let mut reader = w.db.read().await.unwrap();
    assert!(w.db.keyring().of(&mut reader, org).await.is_err());
}

both!(keys_of_a_rolled_back_organization_are_forgotten);
