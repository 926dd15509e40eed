//! A test's PostgreSQL database, dropped once the test has passed. One that fails keeps it, to be looked
//! at. Tests of other crates have this file by its path.

use tokio_postgres::NoTls;
use ward_store::{Db, Query, Sql};

/// A database that a test has to itself.
pub struct Scratch {
    db: Db,
    server: String,
    name: String,
}

impl Scratch {
    /// The database that is open, on a server.
    pub async fn of(db: &Db, server: &str) -> Scratch {
        let sql = Sql::fixed("SELECT CAST(current_database() AS TEXT)", []);
        let mut reader = db.read().await.expect("the database is open");
        let rows = reader.rows(&sql).await.expect("the database answers");
        let name = rows.scalar().and_then(|it| it.text()).expect("it has a name").to_owned();
        Scratch { db: db.clone(), server: server.to_owned(), name }
    }

    /// Closes and drops it. What can't be dropped is left behind: no test fails by that.
    pub async fn leave(self) {
        let Scratch { db, server, name } = self;
        db.shutdown().await;
        drop(db);
        if let Err(error) = drop_database(&server, &name).await {
            eprintln!("{name} is left behind: {error}");
        }
    }
}

async fn drop_database(server: &str, name: &str) -> Result<(), tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(server, NoTls).await?;
    tokio::spawn(connection);
    client.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await
}
