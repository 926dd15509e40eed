//! Steps at which a test can end the process (REL-02): in debug builds only, and only when
//! `TESTED_CRASH` names a file that says which.
//!
//! Not the `fail` crate: its points need a feature, and so a second build of everything that the
//! tests run; these are in the one build that they already have, and in no release.

#![allow(clippy::disallowed_methods, reason = "the variable is a test's, not a configuration")]

/// Ends the process at once, as a power cut would, if this is the step that a test waits for.
#[cfg(debug_assertions)]
pub fn point(step: &str) {
    use std::path::PathBuf;
    use std::sync::LazyLock;

    static WANTED: LazyLock<Option<PathBuf>> =
        LazyLock::new(|| std::env::var_os("TESTED_CRASH").map(PathBuf::from));
    if let Some(file) = &*WANTED
        && std::fs::read_to_string(file).is_ok_and(|wanted| wanted == step)
    {
        std::process::abort();
    }
}

/// Does nothing: this is a release.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub const fn point(_: &str) {}
