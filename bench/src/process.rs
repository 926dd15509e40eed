//! Server processes under measurement: their port, CPU time and memory.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

/// A running server; stopped on drop.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub port: u16,
}

impl Server {
    /// Starts a program that prints `… 127.0.0.1:PORT …` when it listens. What it says of
    /// errors is shown, unless the command has another place for it.
    pub fn start(command: &mut Command) -> Result<Self> {
        let mut child = command.stdout(Stdio::piped()).spawn().context("cannot start a server")?;
        let out = child.stdout.take().context("no output")?;
        for line in BufReader::new(out).lines() {
            let line = line?;
            let port = line
                .split("127.0.0.1:")
                .nth(1)
                .map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
            if let Some(port) = port.and_then(|port| port.parse().ok()) {
                return Ok(Server { child, port });
            }
        }
        bail!("a server ended before it listened: {:?}", child.wait()?)
    }

    /// CPU time so far, in microseconds: user and system, of all threads.
    pub fn cpu_micros(&self) -> Result<f64> {
        cpu_micros(self.child.id()).context("no CPU time of a server")
    }

    /// Proportional memory, in MiB.
    pub fn memory_mib(&self) -> Result<f64> {
        memory_mib(self.child.id())
    }
}

/// Proportional memory of a process, in MiB.
pub fn memory_mib(pid: u32) -> Result<f64> {
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let kib = rollup
        .lines()
        .find_map(|line| line.strip_prefix("Pss:"))
        .and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<f64>().ok());
    Ok(kib.context("no Pss line")? / 1024.0)
}

/// CPU time of a process: the scheduler's nanoseconds of each thread.
pub fn cpu_micros(pid: u32) -> Option<f64> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    let nanos = threads.flatten().filter_map(|thread| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    });
    Some(nanos.sum::<f64>() / 1000.0)
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}
