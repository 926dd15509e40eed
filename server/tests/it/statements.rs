//! Every statement that the store generates for the instance's tables is
//! prepared on both engines, and binds its tenant.

use std::path::Path;

use ward_instance::Kind;
use ward_server::{Hold, Newborn, Opened};
use ward_store::{Query, Sql, Tx, checks};

#[test]
fn every_tenant_statement_binds_its_organization() {
    let tables = ward_server::assemble::tables();
    let statements = checks::registered_statements(&tables);
    assert!(statements.len() > tables.len());
    let unbound = checks::without_tenant(&tables, &statements);
    assert!(unbound.is_empty(), "these statements do not bind org_id: {unbound:?}");
    let leaks = checks::leaks(&tables);
    assert!(leaks.is_empty(), "{leaks:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_is_prepared_on_sqlite() {
    let dir = tempfile::tempdir().unwrap();
    let opened = born(dir.path(), None, &[]).await;
    prepare_all(&opened).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_is_prepared_on_postgres() {
    let Ok(server) = std::env::var("WARD_TEST_POSTGRES") else {
        assert!(std::env::var("WARD_REQUIRE_ALL").is_err(), "PostgreSQL is required");
        println!("NOT RUN: PostgreSQL");
        return;
    };
    let name = format!("sandbox_statements_{}", std::process::id());
    let address = server.rsplit_once('/').map(|(host, _)| format!("{host}/{name}")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let env = [("WARD_SANDBOX_DB".to_owned(), address)];
    let opened = born(dir.path(), Some("WARD_SANDBOX_DB"), &env).await;
    prepare_all(&opened).await;
    opened.db.shutdown().await;
    drop(opened);
    let (client, connection) =
        tokio_postgres::connect(&server, tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    client.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
    drop(client);
    connection.await.unwrap().unwrap();
}

async fn born(dir: &Path, database_env: Option<&str>, env: &[(String, String)]) -> Opened {
    let newborn = Newborn {
        kind: Kind::Sandbox,
        base_url: "http://127.0.0.1:4100".to_owned(),
        database_env: database_env.map(str::to_owned),
        database: None,
        sign_up_open: false,
        loopback_webhooks: false,
        passing: false,
    };
    ward_server::birth(dir, &newborn, env).await.unwrap();
    ward_server::open(dir, Kind::Sandbox, Hold::Exclusive, "test", env).await.unwrap()
}

/// Asks the engine how it would run each statement: it is parsed, its tables
/// and columns are found, and nothing is done.
async fn prepare_all(opened: &Opened) {
    let statements = checks::registered_statements(opened.db.tables());
    let count = statements.len();
    let refused: Vec<String> = opened
        .db
        .write(move |tx: &mut Tx| {
            let statements = statements.clone();
            Box::pin(async move {
                let mut refused = Vec::new();
                for (name, sql) in &statements {
                    let text: &'static str = format!("EXPLAIN {}", sql.text()).leak();
                    let asked = Sql::fixed(text, sql.params().iter().cloned());
                    if let Err(error) = tx.rows(&asked).await {
                        refused.push(format!("{name}: {error}"));
                    }
                }
                Ok::<_, ward_store::StoreError>(refused)
            })
        })
        .await
        .unwrap();
    assert!(refused.is_empty(), "of {count} statements: {refused:#?}");
    println!("{count} statements prepared");
}
