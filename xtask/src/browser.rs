//! A Chromium for the browser tests: the machine's, else the system's package.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

/// The variable that tells the tests where the browser is.
pub const BROWSER: &str = "WARD_TEST_CHROMIUM";

/// Finds a browser, or installs the system's package when run as root.
pub fn find() -> Result<PathBuf> {
    if let Some(found) = installed() {
        return Ok(found);
    }
    eprintln!("No Chromium found: installing the system's package.");
    for arguments in [&["update"][..], &["install", "-y", "chromium"]] {
        let status = Command::new("apt-get")
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdout(std::process::Stdio::null())
            .status()?;
        if !status.success() {
            bail!("apt-get {} failed", arguments.join(" "));
        }
    }
    match installed() {
        Some(found) => Ok(found),
        None => bail!("apt-get brought no Chromium"),
    }
}

fn installed() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    std::env::split_paths(&path)
        .flat_map(|directory| names.map(|name| directory.join(name)))
        .find(|candidate| candidate.is_file())
}
