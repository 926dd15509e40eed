//! Where a database is.

use std::path::PathBuf;

use ward_instance::Kind;

use crate::driver::pg::Tables;
use crate::error::StoreError;
use crate::query::Engine;

/// Where a database is.
#[derive(Clone)]
pub enum Place {
    /// A SQLite file, on a local file system.
    Lite {
        /// The file.
        path: PathBuf,
    },
    /// A SQLite file that is deleted when its process ends, so nothing waits for the disk: after
    /// a power cut it may be damaged.
    Passing {
        /// The file.
        path: PathBuf,
    },
    /// A PostgreSQL database.
    Pg {
        /// Its address; may hold a password and is never shown.
        url: String,
    },
    /// The tables of a backup that is being brought back into a PostgreSQL database, beside its own.
    Staged {
        /// The database's address.
        url: String,
    },
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::Lite { path } => write!(f, "Lite({})", path.display()),
            Place::Passing { path } => write!(f, "Passing({})", path.display()),
            Place::Pg { .. } => f.write_str("Pg(address hidden)"),
            Place::Staged { .. } => f.write_str("Staged(address hidden)"),
        }
    }
}

impl Place {
    /// The engine there.
    pub fn engine(&self) -> Engine {
        match self {
            Place::Lite { .. } | Place::Passing { .. } => Engine::Lite,
            Place::Pg { .. } | Place::Staged { .. } => Engine::Pg,
        }
    }

    /// The address of a PostgreSQL database, and which of its tables are meant.
    pub(crate) fn address(&self) -> Result<(&str, Tables), StoreError> {
        match self {
            Place::Pg { url } => Ok((url, Tables::Own)),
            Place::Staged { url } => Ok((url, Tables::Staged)),
            Place::Lite { .. } | Place::Passing { .. } => {
                Err(StoreError::internal("a file has no address"))
            }
        }
    }

    /// Refuses what a power cut may damage to all but a Sandbox.
    pub(crate) fn fits(&self, kind: Kind) -> Result<(), StoreError> {
        match (self, kind) {
            (Place::Passing { .. }, Kind::Production) => {
                Err(StoreError::internal("a passing database is a Sandbox's only"))
            }
            _ => Ok(()),
        }
    }
}
