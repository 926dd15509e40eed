//! Backing up and restoring an instance, and losing it.

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::database::Place;
use crate::instance::Instance;
use crate::postgres;
use crate::program::Output;

impl Instance {
    /// Where a backup of this instance is put: beside its directory.
    pub fn backup_file(&self, name: &str) -> PathBuf {
        self.dir.with_file_name(format!("{name}.backup"))
    }

    /// `ward backup`, which has to succeed; the file, and what it answered.
    #[track_caller]
    pub fn backup(&self, name: &str) -> (PathBuf, Json) {
        let file = self.backup_file(name);
        let answer = self.ward(&["backup", file.to_str().unwrap()], &[]).json();
        (file, answer)
    }

    /// `ward restore FILE REST`.
    pub fn restore(&self, file: &Path, rest: &[&str]) -> Output {
        self.ward(&["restore", file.to_str().unwrap()], rest)
    }

    /// Takes the database away, as a broken disk would.
    pub fn lose_database(&self) {
        match self.database() {
            Place::File(path) => {
                std::fs::remove_file(path).unwrap();
                for ending in ["db-wal", "db-shm"] {
                    let _ = std::fs::remove_file(path.with_extension(ending));
                }
            }
            Place::Server(address) => {
                drop(postgres::query(address, "DROP SCHEMA public CASCADE; CREATE SCHEMA public"))
            }
        }
    }
}
