//! Running the binary.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value as Json;
use tempfile::TempDir;

/// What a run of `ward` gave.
pub struct Ran {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran {
            status: output.status.code().unwrap(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// Standard output, which holds one JSON document and nothing else.
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|_| panic!("no JSON: {}{}", self.stdout, self.stderr))
    }

    #[track_caller]
    pub fn ends(self, status: i32) -> Self {
        assert_eq!(self.status, status, "{}{}", self.stdout, self.stderr);
        assert!(!self.stderr.contains("panicked") && !self.stderr.contains("stack backtrace"));
        self
    }
}

/// The binary, with none of this process's variables but the path.
pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ward"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).stdin(Stdio::null());
    command
}

pub fn ward(args: &[&str]) -> Ran {
    Ran::of(command().args(args).output().unwrap())
}

pub fn ward_with(env: &[(&str, &str)], args: &[&str]) -> Ran {
    Ran::of(command().envs(env.iter().copied()).args(args).output().unwrap())
}

/// A new instance in a directory that goes with this value.
pub struct Instance {
    pub kind: &'static str,
    pub born: Json,
    dir: TempDir,
}

impl Instance {
    pub fn new(kind: &'static str) -> Self {
        let dir = TempDir::new().unwrap();
        let at = dir.path().join("i");
        let born = ward(&[
            "init",
            "--json",
            "--kind",
            kind,
            "--dir",
            at.to_str().unwrap(),
            "--base-url",
            "http://127.0.0.1:4100",
            "--owner-email",
            "owner@practice.example",
        ])
        .ends(0)
        .json();
        Instance { kind, born, dir }
    }

    pub fn dir(&self) -> PathBuf {
        self.dir.path().join("i")
    }

    pub fn path(&self) -> String {
        self.dir().display().to_string()
    }

    /// A command on this instance.
    pub fn ward(&self, args: &[&str]) -> Ran {
        self.ward_as(self.kind, args)
    }

    /// A command that takes this instance for another kind.
    pub fn ward_as(&self, kind: &str, args: &[&str]) -> Ran {
        let mut all = args.to_vec();
        let path = self.path();
        all.extend(["--kind", kind, "--dir", &path]);
        ward(&all)
    }
}

/// Whether a directory holds a file.
pub fn holds(dir: &Path, name: &str) -> bool {
    dir.join(name).exists()
}
