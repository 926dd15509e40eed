//! SEC-21: a sealed value opens in its own row, column, table, organization
//! and instance, and is reported and not served anywhere else.

use futures_util::FutureExt;
use ward_instance::Kind;
use ward_store::system::EffectClass;
use ward_store::{Cond, EffectIntent, Engine, Id, Select, Sql, StoreError, read_selected};

use crate::services_tables::{PERSONS, Person, member, person};
use crate::support::{self, World};

async fn filled(w: &World, org: i64) {
    w.act(&member(org), move |mut scope| {
        async move {
            for n in [5, 6] {
                let mut new = person(scope.tx, org, org + n, "Ada");
                new.note = Some(format!("note {n}"));
                new.ssn = Some(format!("ssn {n}"));
                scope.create(&new).await?;
            }
            Ok(())
        }
        .boxed()
    })
    .await
    .unwrap();
}

/// What the row says, by both ways of reading: for rules and for answers.
async fn note_of(w: &World, org: i64, n: i64) -> Result<Option<String>, StoreError> {
    let by_rule = w
        .act(&member(org), move |mut scope| {
            async move { scope.find(Id::<Person>::new(org + n)).await }.boxed()
        })
        .await;
    let actor = member(org);
    let columns: Vec<usize> =
        ["id", "org_id", "note"].iter().map(|name| PERSONS.column(name).unwrap()).collect();
    let mut select = Select::new(&PERSONS, &actor);
    select.columns = columns;
    select.filter = Cond::eq("id", org + n);
    let mut reader = w.db.read().await?;
    let answered = read_selected(&mut reader, &w.db, &select).await;
    assert_eq!(
        by_rule.is_ok(),
        answered.is_ok(),
        "one way of reading opens what the other refuses"
    );
    let by_rule = by_rule?.and_then(|row| row.note);
    let answered = answered?.row(0).get(2).and_then(|note| note.text()).map(str::to_owned);
    assert_eq!(by_rule, answered);
    Ok(answered)
}

async fn assert_refused(w: &World, org: i64, what: &str) {
    let error = note_of(w, org, 5).await.expect_err(what);
    assert!(matches!(error, StoreError::Corrupt { table: "persons", .. }), "{what}: {error}");
    let said = error.to_string();
    assert!(said.contains("note"), "{what}: the column is not named: {said}");
    assert!(!said.contains("note 6") && !said.contains("ssn"), "{what}: {said}");
    // The row beside it is served as before.
    assert_eq!(note_of(w, org, 6).await.unwrap().as_deref(), Some("note 6"), "{what}");
}

async fn sec_21_swapped_ciphertexts_open_nothing(w: World) {
    let (org, other) = (w.organization(1).await, w.organization(2).await);
    filled(&w, org).await;
    filled(&w, other).await;
    w.act(&member(org), move |mut scope| {
        let intent = EffectIntent {
            class: EffectClass::Email,
            kind: "welcome",
            to: "ada@example.org".into(),
            payload: serde_json::json!({}),
            subject_client: None,
            recipient: None,
            cause: "request 1".into(),
            idempotency_key: "welcome 1".into(),
            not_before: None,
            expires_at: None,
        };
        async move { scope.intend(intent).await }.boxed()
    })
    .await
    .unwrap();
    assert_eq!(note_of(&w, org, 5).await.unwrap().as_deref(), Some("note 5"));
    let here = format!("WHERE id = {}", org + 5);
    let places = [
        ("another row", format!("(SELECT note FROM persons WHERE id = {})", org + 6)),
        ("another column", "ssn".to_owned()),
        ("another table", "(SELECT payload FROM effect_intents LIMIT 1)".to_owned()),
        ("another organization", format!("(SELECT note FROM persons WHERE id = {})", other + 5)),
    ];
    w.tamper(&format!("CREATE TABLE kept AS SELECT note FROM persons {here}")).await;
    for (what, value) in places {
        w.tamper(&format!("UPDATE persons SET note = {value} {here}")).await;
        assert_refused(&w, org, what).await;
        w.tamper(&format!("UPDATE persons SET note = (SELECT note FROM kept) {here}")).await;
        assert_eq!(note_of(&w, org, 5).await.unwrap().as_deref(), Some("note 5"), "{what}");
    }
    // One bit of it, another algorithm, a data key that there is not.
    let sql = Sql::fixed("SELECT note FROM kept", []);
    let note = w.rows(sql).await.scalar().unwrap().bytes().unwrap().to_vec();
    for (what, at) in [("one bit", 40), ("another algorithm", 0), ("another data key", 4)] {
        let mut changed = note.clone();
        changed[at] ^= 0x40;
        put(&w, org, changed).await;
        assert_refused(&w, org, what).await;
    }
    put(&w, org, note).await;
    assert_eq!(note_of(&w, org, 5).await.unwrap().as_deref(), Some("note 5"));
}

both!(sec_21_swapped_ciphertexts_open_nothing);

async fn put(w: &World, org: i64, note: Vec<u8>) {
    let sql = Sql::fixed(
        "UPDATE persons SET note = $1 WHERE org_id = $2 AND id = $3",
        [note.into(), org.into(), (org + 5).into()],
    );
    assert_eq!(w.execute(sql).await.unwrap(), 1);
}

/// The same row of the same organization of two instances of one kind.
async fn between_instances(engine: Engine) {
    let (send, receive) = tokio::sync::oneshot::channel();
    support::run(engine, Kind::Sandbox, |w| async move {
        let org = w.organization(1).await;
        filled(&w, org).await;
        let sql = Sql::fixed("SELECT note FROM persons ORDER BY id LIMIT 1", []);
        let note = w.rows(sql).await.scalar().unwrap().bytes().unwrap().to_vec();
        send.send(note).unwrap();
    })
    .await;
    // No server to test on.
    let Ok(foreign) = receive.await else { return };
    support::run(engine, Kind::Sandbox, |w| async move {
        let org = w.organization(1).await;
        filled(&w, org).await;
        put(&w, org, foreign).await;
        assert_refused(&w, org, "another instance").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_21_another_instances_ciphertext_sqlite() {
    between_instances(Engine::Lite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_21_another_instances_ciphertext_postgres() {
    between_instances(Engine::Pg).await;
}
