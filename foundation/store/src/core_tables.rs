//! Tables that the store itself stands on, made by hand because they exist
//! before any table definition is read: the birth certificate, applied
//! migrations, id blocks, nodes, leases, keys of roots that were dropped, and the
//! course of a Sandbox's clock.

use ward_instance::Kind;

use crate::query::Engine;

/// Their DDL. The kind is pinned by literals, so no UPDATE can convert an
/// instance (ISO-06).
pub(crate) fn ddl(engine: Engine, kind: Kind) -> Vec<String> {
    let (int, text, bytes, end) = match engine {
        Engine::Lite => ("INTEGER", "TEXT", "BLOB", " STRICT"),
        Engine::Pg => ("BIGINT", "TEXT COLLATE \"C\"", "BYTEA", ""),
    };
    vec![
        format!(
            "CREATE TABLE instance (
  only_row {int} NOT NULL PRIMARY KEY CHECK (only_row = 1),
  kind {text} NOT NULL CHECK (kind = '{kind}'),
  instance_id {text} NOT NULL CHECK (length(instance_id) = 32),
  tag {text} NOT NULL,
  born_at {int} NOT NULL,
  base_url {text} NOT NULL,
  schema_epoch {int} NOT NULL,
  restore_epoch {int} NOT NULL,
  id_epoch {int} NOT NULL,
  host_binding {text} NOT NULL,
  state {text} NOT NULL CHECK (state IN ('active', 'quarantined')),
  root_version {int} NOT NULL,
  mac {bytes} NOT NULL
){end}"
        ),
        format!(
            "CREATE TABLE schema_migrations (
  number {int} NOT NULL PRIMARY KEY,
  name {text} NOT NULL,
  checksum {text} NOT NULL,
  kind {text} NOT NULL CHECK (kind = '{kind}'),
  applied_at {int} NOT NULL
){end}"
        ),
        format!(
            "CREATE TABLE id_blocks (
  entity {text} NOT NULL PRIMARY KEY,
  next_id {int} NOT NULL,
  last_id {int} NOT NULL
){end}"
        ),
        format!(
            "CREATE TABLE nodes (
  node {text} NOT NULL PRIMARY KEY,
  started_at {int} NOT NULL,
  beat_at {int} NOT NULL
){end}"
        ),
        format!(
            "CREATE TABLE leases (
  role {text} NOT NULL PRIMARY KEY,
  node {text} NOT NULL,
  fence {int} NOT NULL,
  until_at {int} NOT NULL
){end}"
        ),
        format!(
            "CREATE TABLE retired_keys (
  purpose {text} NOT NULL,
  root_version {int} NOT NULL,
  kind {text} NOT NULL CHECK (kind = '{kind}'),
  wrapped {bytes} NOT NULL,
  retired_at {int} NOT NULL,
  PRIMARY KEY (purpose, root_version)
){end}"
        ),
        format!(
            "CREATE TABLE test_clock (
  only_row {int} NOT NULL PRIMARY KEY CHECK (only_row = 1),
  kind {text} NOT NULL CHECK (kind = '{kind}'),
  wall_at {int} NOT NULL,
  logical_at {int} NOT NULL,
  rate {int} NOT NULL CHECK (rate >= 0)
){end}"
        ),
        format!(
            "CREATE TABLE faults (
  only_row {int} NOT NULL PRIMARY KEY CHECK (only_row = 1),
  kind {text} NOT NULL CHECK (kind = '{kind}'),
  revision {int} NOT NULL,
  last_id {int} NOT NULL,
  active {text} NOT NULL
){end}"
        ),
    ]
}
