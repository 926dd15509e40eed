//! A faulty machine under a server: `machine.c`, and the file that says what it does.

use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use ward_tests::{Instance, Server};

/// What the machine does; the order is that of `machine.c`.
#[derive(Clone, Copy, Debug)]
pub enum Control {
    /// So many syncs fail from now on.
    FailingSyncs,
    /// 1: no file can be written.
    IsFull,
    /// Seconds added to the time of day.
    ClockOffset,
    /// 1: the time of day stands.
    IsFrozen,
    /// How many syncs failed.
    FailedSyncs,
    /// How many writes found no space.
    RefusedWrites,
}

/// A machine for servers to run on.
pub struct Machine {
    files: TempDir,
    control: std::fs::File,
}

impl Machine {
    /// A machine without faults. It takes a C compiler, as the build does.
    pub fn new() -> Machine {
        let files = tempfile::Builder::new().prefix("ward-machine-").tempdir().unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("reliability/machine.c");
        let built = Command::new("cc")
            .args(["-O1", "-Wall", "-shared", "-fPIC", "-o"])
            .arg(files.path().join("machine.so"))
            .arg(source)
            .status();
        assert!(built.is_ok_and(|status| status.success()), "machine.c does not compile");
        let path = files.path().join("control");
        std::fs::write(&path, [0; 48]).unwrap();
        let control = std::fs::File::options().read(true).write(true).open(&path).unwrap();
        Machine { files, control }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    /// Starts an instance's server on it.
    pub fn serve(&self, instance: &mut Instance) -> Server {
        let text = |path: PathBuf| path.to_str().unwrap().to_owned();
        instance.variables.push(("LD_PRELOAD".to_owned(), text(self.path("machine.so"))));
        instance.variables.push(("TESTED_MACHINE".to_owned(), text(self.path("control"))));
        let server = instance.serve();
        // Commands beside the server run on the real machine.
        instance.variables.truncate(instance.variables.len() - 2);
        server
    }

    /// Changes what it does.
    pub fn set(&self, control: Control, value: i64) {
        self.control.write_all_at(&value.to_ne_bytes(), control as u64 * 8).unwrap();
    }

    /// Reads a number of it.
    pub fn get(&self, control: Control) -> i64 {
        let mut bytes = [0; 8];
        self.control.read_exact_at(&mut bytes, control as u64 * 8).unwrap();
        i64::from_ne_bytes(bytes)
    }
}
