//! Secrets of connectors: read from files that only their owner may read.

use std::path::Path;

use ward_instance::InstanceError;
use zeroize::Zeroizing;

/// The text of a secret's file, without the line's end.
pub(crate) fn read(key: &str, path: &Path) -> Result<Zeroizing<String>, InstanceError> {
    let text = std::fs::read_to_string(path).map(Zeroizing::new).map_err(|error| {
        InstanceError::config(format!("{key}: cannot read {}: {error}", path.display()))
    })?;
    refuse_open(key, path)?;
    let secret = text.trim();
    if secret.is_empty() || secret.contains(['\n', '\r']) {
        let sentence = format!("{key}: {} does not hold one line", path.display());
        return Err(InstanceError::config(sentence));
    }
    Ok(Zeroizing::new(secret.to_owned()))
}

#[cfg(unix)]
fn refuse_open(key: &str, path: &Path) -> Result<(), InstanceError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).map(|it| it.permissions().mode() & 0o077).unwrap_or(0);
    match mode {
        0 => Ok(()),
        _ => Err(InstanceError::config(format!(
            "{key}: others may read {}; run: chmod 600 {}",
            path.display(),
            path.display()
        ))),
    }
}

#[cfg(not(unix))]
fn refuse_open(_: &str, _: &Path) -> Result<(), InstanceError> {
    Ok(())
}
