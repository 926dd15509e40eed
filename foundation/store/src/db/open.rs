//! Opening a SQLite file.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;

use super::{Backend, Db};
use crate::certificate;
use crate::core::Core;
use crate::driver::lite::{Access, Durability, Lite};
use crate::error::StoreError;
use crate::reader::LitePool;
use crate::writer::{self, Writer};

impl Db {
    pub(super) fn open_lite(
        core: &Arc<Core>,
        path: PathBuf,
        durability: Durability,
    ) -> Result<Backend, StoreError> {
        let file = File::open(&path).map_err(|error| {
            StoreError::Unavailable(format!("the file can't be opened: {error}"))
        })?;
        let mut lite = writer::open_lite(&path, durability)?;
        let certificate = certificate::decode(&lite.rows(&certificate::select())?)?;
        certificate.verify(&core.instance.ring()).map_err(StoreError::Foreign)?;
        let writer = Writer::start(core, lite, &path, durability)?;
        let readers = LitePool::new(path.clone());
        Ok(Backend::Lite { readers, writer, path, file: Mutex::new(file) })
    }

    /// Each connection reads the definitions of all tables first: the first reader does it beside
    /// the writer, since somebody waits for a passing database.
    pub(super) async fn open_passing(
        core: &Arc<Core>,
        path: PathBuf,
    ) -> Result<Backend, StoreError> {
        let beside = path.clone();
        let reader = tokio::task::spawn_blocking(move || Lite::open(&beside, Access::Read));
        let backend = Self::open_lite(core, path, Durability::Passing);
        // It is closed before whatever was refused is told.
        let opened = reader.await;
        let reader = opened.unwrap_or_else(|_| Err(StoreError::internal("no reader was opened")));
        let backend = backend?;
        let refused = match reader {
            Ok(lite) => {
                if let Backend::Lite { readers, .. } = &backend {
                    readers.keep(lite);
                }
                return Ok(backend);
            }
            Err(error) => error,
        };
        // The writer's thread has begun; it ends before anybody removes the file.
        Db { core: Arc::clone(core), backend: Arc::new(backend), of: None }.shutdown().await;
        Err(refused)
    }
}
