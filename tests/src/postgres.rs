//! Databases on the PostgreSQL server that the run is given.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

/// Rows as text.
pub type Rows = Vec<Vec<Option<String>>>;

/// The server's address, with the right to make databases. Without one this says NOT RUN, or
/// fails where everything is required.
pub fn server(row: &str) -> Option<String> {
    let given = std::env::var("WARD_TEST_POSTGRES").ok().filter(|address| !address.is_empty());
    if given.is_none() {
        let required = std::env::var("WARD_REQUIRE_ALL").is_ok_and(|value| value == "1");
        assert!(!required, "{row}: WARD_TEST_POSTGRES is not set, and WARD_REQUIRE_ALL=1");
        println!("NOT RUN: {row} on PostgreSQL: WARD_TEST_POSTGRES is not set");
    }
    given
}

/// A new database; it is dropped with this.
#[derive(Debug)]
pub struct Database {
    server: String,
    /// Its name, which begins with the kind.
    pub name: String,
    /// Its address.
    pub url: String,
}

impl Database {
    /// Makes an empty one, named after a kind.
    pub fn create(server: &str, kind: &str) -> Database {
        let number = RandomState::new().build_hasher().finish();
        let name = format!("{kind}_{number:016x}");
        query(server, &format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"));
        let url = with_database(server, &name);
        Database { server: server.to_owned(), name, url }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        if let Err(error) = try_query(&self.server, &sql) {
            eprintln!("{} is left behind: {error}", self.name);
        }
    }
}

/// The same address with another database.
pub fn with_database(address: &str, name: &str) -> String {
    let (rest, options) = address.split_once('?').unwrap_or((address, ""));
    let (_, after) = rest.split_once("://").unwrap_or(("", rest));
    let start = match after.find('/') {
        Some(slash) => &rest[..rest.len() - after.len() + slash],
        None => rest,
    };
    let options = if options.is_empty() { String::new() } else { format!("?{options}") };
    format!("{start}/{name}{options}")
}

/// Host and port of an address.
pub fn host_and_port(address: &str) -> String {
    let config: tokio_postgres::Config = address.parse().unwrap();
    let host = match config.get_hosts().first() {
        Some(tokio_postgres::config::Host::Tcp(host)) => host.clone(),
        _ => panic!("the tests need a PostgreSQL on TCP"),
    };
    format!("{host}:{}", config.get_ports().first().copied().unwrap_or(5432))
}

/// The same address with another host and port.
pub fn with_host_and_port(address: &str, host_and_port: &str) -> String {
    let (scheme, after) = address.split_once("://").unwrap();
    let (authority, path) = after.split_once('/').unwrap_or((after, ""));
    let user = authority.rsplit_once('@').map(|(user, _)| format!("{user}@")).unwrap_or_default();
    format!("{scheme}://{user}{host_and_port}/{path}")
}

/// Runs statements; the rows of all of them.
pub fn query(address: &str, sql: &str) -> Rows {
    try_query(address, sql).unwrap_or_else(|error| panic!("{error} in {sql}"))
}

/// Runs statements on a server that may refuse them.
pub fn try_query(address: &str, sql: &str) -> Result<Rows, tokio_postgres::Error> {
    Session::open(address)?.try_rows(sql)
}

/// A connection, for several queries.
pub struct Session {
    client: Client,
    /// Drives the connection while an answer is awaited.
    runtime: Runtime,
}

impl Session {
    /// Connects.
    pub fn open(address: &str) -> Result<Session, tokio_postgres::Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let client = runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(address, NoTls).await?;
            tokio::spawn(connection);
            Ok::<_, tokio_postgres::Error>(client)
        })?;
        Ok(Session { client, runtime })
    }

    /// Runs statements; the rows of all of them.
    pub fn rows(&self, sql: &str) -> Rows {
        self.try_rows(sql).unwrap_or_else(|error| panic!("{error} in {sql}"))
    }

    fn try_rows(&self, sql: &str) -> Result<Rows, tokio_postgres::Error> {
        let answered = self.runtime.block_on(self.client.simple_query(sql))?;
        let rows = answered.into_iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect())
            }
            _ => None,
        });
        Ok(rows.collect())
    }
}
