//! Roles of which there is one holder.

use std::time::Duration;

use futures_util::FutureExt;
use ward_store::{StoreError, nodes};

use crate::support::World;

const LEASE: Duration = Duration::from_secs(60);

/// On SQLite every role is ours; on PostgreSQL it is the first one's.
async fn a_role_has_one_holder(w: World) {
    let is_lite = w.db.engine() == ward_store::Engine::Lite;
    w.db.write(move |tx| {
        async move {
            nodes::beat(tx, "a").await?;
            nodes::beat(tx, "a").await?;
            // On SQLite nobody else has the file.
            assert_eq!(nodes::others_in(tx, "a").await?, 0);
            assert_eq!(nodes::others_in(tx, "b").await?, i64::from(!is_lite));
            let held = nodes::acquire(tx, "sequencer", "a", LEASE).await?.unwrap();
            assert!(nodes::renew(tx, &held, LEASE).await?);
            nodes::prove(tx, &held).await?;
            let other = nodes::acquire(tx, "sequencer", "b", LEASE).await?;
            assert_eq!(other.is_some(), is_lite);
            nodes::leave(tx, "a").await?;
            let taken = nodes::acquire(tx, "sequencer", "b", LEASE).await?.unwrap();
            if !is_lite {
                assert!(taken.number > held.number);
                assert!(!nodes::renew(tx, &held, LEASE).await?);
                assert!(matches!(nodes::prove(tx, &held).await, Err(StoreError::Conflict)));
            }
            assert_eq!(nodes::living(tx, 0).await?, 0);
            Ok::<_, StoreError>(())
        }
        .boxed()
    })
    .await
    .unwrap();
}

both!(a_role_has_one_holder);
