//! ISO-21: who was looked up in another world than the one that is there when their turn comes does
//! nothing in it.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;
use ward_instance::{Kind, SandboxWitness};
use ward_store::{Actor, StoreError};

use crate::admin::{self, Context};
use crate::birthday::{self, Founder};
use crate::credential::Caller;
use crate::test_clock::{Act, ClockError};
use crate::{App, Hold, Newborn, Opened, ServerError, desk, forks, reset, rewind, settle};

/// An instance with a practice, on SQLite.
async fn born(dir: &std::path::Path) -> Opened {
    let newborn = Newborn {
        kind: Kind::Sandbox,
        base_url: "http://127.0.0.1:4100".to_owned(),
        database_env: None,
        database: None,
        sign_up_open: false,
        loopback_webhooks: false,
        passing: false,
    };
    crate::birth(dir, &newborn, &[]).await.unwrap();
    let opened = crate::open(dir, Kind::Sandbox, Hold::Exclusive, "test", &[]).await.unwrap();
    let founder = Founder {
        organization: "Asked Practice".to_owned(),
        owner_email: "owner@asked.example".to_owned(),
        first_name: "Olga".to_owned(),
        last_name: "Owner".to_owned(),
    };
    birthday::found(&opened.db, &founder).await.unwrap();
    opened
}

/// What whoever asks is answered with at the desk.
fn status<T>(done: Result<T, ServerError>) -> Option<StatusCode> {
    match done {
        Ok(_) => None,
        Err(ServerError::Store(error)) => Some(desk::failed(&error).status()),
        Err(error) => panic!("{error}"),
    }
}

async fn clock(
    app: &Arc<App>,
    witness: SandboxWitness,
    actor: &Actor,
    world: u64,
) -> Result<(), ServerError> {
    let caller = Caller { actor: actor.clone(), session: None, world };
    match settle::move_clock(app, witness, &caller, Act::Freeze, false).await {
        Ok(_) => Ok(()),
        Err(ClockError::Store(error)) => Err(error.into()),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn iso_21_who_waited_for_a_reset_does_nothing_behind_it() {
    let dir = tempfile::tempdir().unwrap();
    let opened = born(dir.path()).await;
    let app = App::new(&opened, None).await.unwrap();
    let (now, before) = (Context::of(&app), app.db.world());
    rewind::take(&now, None, "then").await.unwrap();
    let founding = admin::founding(&app.db).await.unwrap().unwrap();
    let actor = Actor::system(founding);
    let late = Context::asked(&app, before);

    // The reset is first in the queue, who was known before it second.
    let turn = app.turn.write().await;
    let (done, restored, ()) = tokio::join!(
        reset::reset(&now, None),
        rewind::restore(&late, Some(actor.clone()), "then"),
        async { drop(turn) }
    );
    done.unwrap();
    assert_ne!(app.db.world(), before);
    assert!(matches!(restored, Err(ServerError::Store(StoreError::OtherWorld))), "{restored:?}");
    let refused = Some(StatusCode::UNAUTHORIZED);
    assert_eq!(status(restored), refused);
    assert_ne!(
        admin::founding(&app.db).await.unwrap(),
        Some(founding),
        "the world of before is back"
    );

    // Nor whatever else waits for its turn.
    let whose = || Some(actor.clone());
    assert_eq!(status(rewind::take(&late, whose(), "late").await), refused);
    assert_eq!(status(rewind::delete(&late, whose(), "then").await), refused);
    let time = Duration::from_secs(60);
    assert_eq!(status(forks::open(&late, whose(), time).await), refused);
    assert_eq!(status(forks::end(&late, None).await), refused);
    assert_eq!(status(reset::reset(&late, None).await), refused);
    let witness = app.instance.witness().sandbox().unwrap();
    assert_eq!(status(clock(&app, witness, &actor, before).await), refused);
    let names = |listed: serde_json::Value| listed["snapshots"][0]["name"].clone();
    let listed = rewind::list(&now).unwrap();
    assert_eq!(listed["snapshots"].as_array().map(Vec::len), Some(1));
    assert_eq!(names(listed), json!("then"));

    // Who was looked up since, does.
    let known = Context::asked(&app, app.db.world());
    rewind::delete(&known, None, "then").await.unwrap();
    let founding = admin::founding(&app.db).await.unwrap().unwrap();
    clock(&app, witness, &Actor::system(founding), app.db.world()).await.unwrap();
}
