//! Making the database of a new instance, and looking into one before there is
//! an instance.

use std::path::Path;

use deadpool_postgres::tokio_postgres;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Config, NoTls};
use ward_instance::{Certificate, IsoError, Kind, RootRing, Timestamp};

use crate::db::Place;
use crate::driver::lite::{self, Access, Durability, Lite};
use crate::driver::pg::{self, Tables};
use crate::driver::pg_error::{self, RuleNames};
use crate::driver::text;
use crate::error::StoreError;
use crate::migrate::{self, Migration};
use crate::query::Engine;
use crate::table::Table;
use crate::value::{Sql, Value};
use crate::{audit, certificate, core_tables, ddl};

/// What a database is born with.
pub struct Birth<'a> {
    /// The instance's keys: they sign the certificate.
    pub ring: &'a RootRing,
    /// The certificate, as made for this birth.
    pub certificate: &'a Certificate,
    /// All tables.
    pub tables: &'a [&'static Table],
    /// All migrations of this version; the tables are already as they leave them.
    pub migrations: &'a [Migration],
    /// Now.
    pub now: Timestamp,
}

impl Birth<'_> {
    /// Makes the database. Refuses a place where there is one.
    pub(crate) async fn run(&self, place: &Place) -> Result<(), StoreError> {
        place.fits(self.certificate.kind)?;
        match place {
            Place::Lite { path } => self.make_lite(path, Durability::Kept),
            Place::Passing { path } => self.make_lite(path, Durability::Passing),
            Place::Pg { url } => self.make_pg(url).await,
            Place::Staged { .. } => Err(StoreError::internal("nothing is born in a restore")),
        }
    }

    /// Every statement of a birth.
    pub(crate) fn statements(&self, engine: Engine) -> Result<(Vec<String>, Vec<Sql>), StoreError> {
        let kind = self.certificate.kind;
        let tables = ddl::ddl(engine, kind, self.tables)?;
        let checksum = migrate::checksum(&tables.statements.join(";\n"));
        let mut statements = core_tables::ddl(engine, kind);
        statements.extend(tables.statements);
        if self.tables.iter().any(|table| table.name == crate::system::AUDIT_EVENTS.name) {
            statements.extend(audit::guards(engine));
        }
        let mut signed = self.certificate.clone();
        signed.schema_epoch = migrate::newest(self.migrations);
        signed.sign(self.ring);
        let mut rows = vec![certificate::insert(&signed)];
        rows.push(migrate::record(1, "birth", &checksum, kind, self.now));
        for step in self.migrations {
            let checksum = step.checksum(engine);
            rows.push(migrate::record(step.number, step.name, &checksum, kind, self.now));
        }
        Ok((statements, rows))
    }

    pub(crate) fn make_lite(&self, path: &Path, durability: Durability) -> Result<(), StoreError> {
        let (statements, rows) = self.statements(Engine::Lite)?;
        lite::create_file(path)?;
        let made = self.fill_lite((path, durability), &statements, &rows);
        if made.is_err() {
            // Half a database would look like one.
            let _ = std::fs::remove_file(path);
        }
        made
    }

    fn fill_lite(
        &self,
        (path, durability): (&Path, Durability),
        ddl: &[String],
        rows: &[Sql],
    ) -> Result<(), StoreError> {
        let mut lite = Lite::open_for(path, Access::Create, durability)?;
        let id = self.certificate.kind.sqlite_application_id();
        // Before the write-ahead log is switched on: the header must say it.
        lite.batch(&format!("PRAGMA application_id = {id}"))?;
        lite.batch("BEGIN IMMEDIATE")?;
        for statement in ddl {
            lite.batch(statement)?;
        }
        for row in rows {
            lite.execute(row)?;
        }
        lite.batch("COMMIT")
    }

    async fn make_pg(&self, url: &str) -> Result<(), StoreError> {
        let config = pg::config(url, self.certificate.kind, Tables::Own)?;
        let (statements, rows) = self.statements(Engine::Pg)?;
        let client = connect_or_create(&config).await?;
        let texts: Vec<String> =
            rows.iter().map(|sql| text::rewrite(Engine::Pg, sql.text())).collect();
        let filled = async {
            client.batch_execute("BEGIN").await?;
            client.batch_execute(&statements.join(";\n")).await?;
            for (text, sql) in texts.iter().zip(&rows) {
                let params: Vec<_> = sql.params().iter().map(as_parameter).collect();
                client.execute(text.as_str(), &params).await?;
            }
            client.batch_execute("COMMIT").await
        };
        filled.await.map_err(|error| match error.code() {
            Some(&SqlState::DUPLICATE_TABLE) => {
                StoreError::Unavailable("there is a database already".into())
            }
            _ => pg_error::map(&error, &RuleNames::new()),
        })
    }
}

fn as_parameter(value: &Value) -> &(dyn tokio_postgres::types::ToSql + Sync) {
    value
}

pub(crate) async fn connect(
    config: &Config,
) -> Result<tokio_postgres::Client, tokio_postgres::Error> {
    let (client, connection) = config.connect(NoTls).await?;
    // Ends when the client is dropped; what breaks it, its next call tells.
    tokio::spawn(async move { drop(connection.await) });
    Ok(client)
}

pub(crate) async fn connect_or_create(
    config: &Config,
) -> Result<tokio_postgres::Client, StoreError> {
    let unreachable = |error: &tokio_postgres::Error| match error.as_db_error() {
        Some(_) => pg_error::map(error, &RuleNames::new()),
        None => StoreError::Unavailable("the server can't be reached".into()),
    };
    match connect(config).await {
        Ok(client) => return Ok(client),
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_DATABASE) => {}
        Err(error) => return Err(unreachable(&error)),
    }
    let name = config.get_dbname().unwrap_or_default().replace('"', "\"\"");
    let mut server = config.clone();
    server.dbname("postgres");
    let client = connect(&server).await.map_err(|error| unreachable(&error))?;
    client
        .batch_execute(&format!("CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING 'UTF8'"))
        .await
        .map_err(|error| unreachable(&error))?;
    connect(config).await.map_err(|error| unreachable(&error))
}

/// The certificate at a place, unverified: for the agreement of command line,
/// key file and database, before there is an instance.
pub(crate) async fn read_certificate(place: &Place, kind: Kind) -> Result<Certificate, StoreError> {
    match place {
        Place::Lite { path } | Place::Passing { path } => {
            check_application_id(path, None)?;
            let mut lite = Lite::open(path, Access::Read)?;
            certificate::decode(&lite.rows(&certificate::select())?)
        }
        Place::Pg { .. } | Place::Staged { .. } => {
            let (url, tables) = place.address()?;
            let config = pg::config(url, kind, tables)?;
            let client = connect(&config).await.map_err(|error| match error.as_db_error() {
                Some(_) => pg_error::map(&error, &RuleNames::new()),
                None => StoreError::Unavailable("the server can't be reached".into()),
            })?;
            pg::read_certificate(&client).await
        }
    }
}

/// Refuses a file whose header is not of this kind (any of ours, when none is
/// given), before it is opened as a database.
pub(crate) fn check_application_id(path: &Path, kind: Option<Kind>) -> Result<(), StoreError> {
    let found = lite::application_id(path)?;
    let found = found.and_then(|id| Kind::from_application_id(id.cast_signed()));
    let (sentence, fix) = match (found, kind) {
        (Some(found), Some(kind)) if found != kind => (
            format!("the database file is a {}'s and this is {}", found.title(), kind.title()),
            "put back the database file that belongs to this directory",
        ),
        (None, _) => (
            "the database file is not one of this system".to_owned(),
            "put back the database file that belongs to this directory",
        ),
        _ => return Ok(()),
    };
    Err(StoreError::Foreign(IsoError::new("ISO-02", sentence, fix)))
}
