//! The store: one table definition, one SQL text and one transaction type for
//! SQLite and PostgreSQL; migrations, jobs, outbox, idempotency, audit chain.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod access;
mod access_rows;
mod actor;
pub mod audit;
mod birth;
mod blob_directory;
pub mod blobs;
mod bulk;
mod certificate;
pub mod chain_heads;
mod changes;
pub mod checks;
pub mod codec;
mod cond;
mod core;
mod core_tables;
mod counts;
mod db;
pub mod ddl;
mod driver;
pub mod due;
mod epochs;
mod error;
pub mod events;
mod exercised;
mod id_blocks;
pub mod idempotency;
pub mod intents;
pub mod jobs;
pub mod keyring;
pub mod keywords;
mod member;
pub mod migrate;
pub mod nodes;
pub mod outbox;
mod query;
mod read;
mod reader;
mod refusals;
mod retired;
pub mod rotation;
mod scope;
pub mod search;
mod select;
pub mod sequencer;
mod stamp;
mod statements;
pub mod system;
mod table;
pub mod test_clock;
mod tx;
mod types;
mod value;
pub mod verify;
mod writer;

pub use actor::{Actor, Flag, Flags, Level, Role, Rule};
pub use birth::Birth;
pub use blob_directory::BlobDirectory;
pub use certificate::{read_certificate, write_certificate};
pub use changes::Changes;
pub use cond::Cond;
pub use core::Hint;
pub use db::{Db, Place};
pub use error::StoreError;
pub use events::Event;
pub use exercised::Exercised;
pub use intents::EffectIntent;
pub use keywords::Keywords;
pub use member::Failure;
pub use query::{Engine, Query};
pub use read::read_selected;
pub use reader::Reader;
pub use refusals::Refusals;
pub use scope::Scope;
pub use select::{Join, OrderKey, Select};
pub use table::{
    Column, ColumnKind, Index, Key, Record, Reference, Stored, Subject, Table, Watch, index, unique,
};
pub use tx::Tx;
pub use types::{Day, Entity, Id, Json, Uuid, table_of};
pub use value::{Rows, Sql, Value};
pub use writer::WriterStats;
