//! Copies of an open SQLite database.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use ward_instance::SandboxWitness;

use crate::db::{Backend, Db};
use crate::driver::lite::{Access, Lite};
use crate::driver::lite_copy;
use crate::error::StoreError;
use crate::space;
use crate::tx::Tx;

impl Db {
    /// Copies a SQLite database, as of now, into a new file. Blocks.
    pub fn copy_to(&self, target: &Path) -> Result<(), StoreError> {
        match &*self.backend {
            Backend::Lite { path, .. } => Lite::open(path, Access::Read)?.copy_to(target),
            Backend::Pg(_) => Ok(()),
        }
    }

    /// The same page by page, which is faster and leaves the file's gaps.
    pub(crate) fn copy_pages_to(&self, target: &Path) -> Result<(), StoreError> {
        match &*self.backend {
            Backend::Lite { path, .. } => lite_copy::copy_pages(path, target, true),
            Backend::Pg(_) => Err(StoreError::internal("no file is copied on PostgreSQL")),
        }
    }

    /// Copies a SQLite database, as of what is committed, into a new file that need not be on the
    /// disk, for somebody who opens it at once: its log may be beside it. The writer waits. A copy
    /// that is served beside its original is a Sandbox's only.
    pub async fn copy_passing(
        &self,
        target: PathBuf,
        _: &SandboxWitness,
    ) -> Result<(), StoreError> {
        let (db, is_begun) = (self.clone(), AtomicBool::new(false));
        self.write(move |_: &mut Tx| {
            // Run again with its group, the copy that is there is its own.
            if is_begun.swap(true, Ordering::Relaxed) {
                lite_copy::remove(&target);
            }
            let copied = match &*db.backend {
                Backend::Lite { path, file, .. } => {
                    lite_copy::copy_files(&file.lock(), path, &target).and_then(|is_copied| {
                        if is_copied { Ok(()) } else { lite_copy::copy_pages(path, &target, false) }
                    })
                }
                Backend::Pg(_) => Err(StoreError::internal("no file is copied on PostgreSQL")),
            };
            Box::pin(async move { copied })
        })
        .await
    }

    /// Refuses where the disk of `folder` has no room for a copy and what is written meanwhile:
    /// a full disk would stop the database itself.
    pub fn check_space(&self, folder: &Path) -> Result<(), StoreError> {
        let Backend::Lite { path, .. } = &*self.backend else { return Ok(()) };
        space::check(path, folder)
    }
}
