//! Tidy: what the repository must not contain, as a command and as a test.
//!
//! Sources (build-machine paths, leftovers, long files, sleeps in tests, rules of who sees what
//! that list again for each row), licences of all dependencies, and which crate may know which.

pub mod correlated;
pub mod crates;
pub mod licences;
pub mod sources;

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Everything that is untidy, one sentence each, in a stable order.
pub fn untidy(repository: &Path) -> Result<Vec<String>> {
    let mut found = sources::check(repository, &files(repository)?)?;
    let metadata = metadata(repository)?;
    let exceptions = std::fs::read_to_string(repository.join(licences::EXCEPTIONS))
        .with_context(|| licences::EXCEPTIONS.to_owned())?;
    found.extend(licences::check(&metadata, &exceptions)?);
    found.extend(crates::check(&metadata, repository)?);
    Ok(found)
}

/// The files that are or would be committed, by path from the root, with `/`.
///
/// In a tree without git (an unpacked archive), all files but those of builds.
pub fn files(repository: &Path) -> Result<Vec<String>> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "-co", "--exclude-standard"])
        .current_dir(repository)
        .output();
    let mut files: Vec<String> = match output {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout)
            .split('\0')
            .filter(|name| !name.is_empty() && repository.join(name).is_file())
            .map(str::to_owned)
            .collect(),
        _ => {
            let mut files = Vec::new();
            walk(repository, "", &mut files)?;
            files
        }
    };
    files.sort();
    files.dedup();
    Ok(files)
}

fn walk(repository: &Path, under: &str, files: &mut Vec<String>) -> Result<()> {
    for entry in std::fs::read_dir(repository.join(under)).with_context(|| under.to_owned())? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if under.is_empty() { name.clone() } else { format!("{under}/{name}") };
        let kind = entry.file_type()?;
        if kind.is_file() {
            files.push(path);
        } else if kind.is_dir() && !["target", ".git", ".ward", "node_modules"].contains(&&*name) {
            walk(repository, &path, files)?;
        }
    }
    Ok(())
}

/// `cargo metadata` of the workspace, from the lock file; offline if that is possible.
pub fn metadata(repository: &Path) -> Result<serde_json::Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let run = |more: &[&str]| {
        let mut command = Command::new(&cargo);
        command.args(["metadata", "--format-version", "1", "--locked"]).args(more);
        command.current_dir(repository).output().context("cargo metadata")
    };
    let mut output = run(&["--offline"])?;
    if !output.status.success() {
        output = run(&[])?;
    }
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).context("cargo metadata")
}
