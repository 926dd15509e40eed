//! A running `ward serve`: started, asked, stopped or killed, and everything that it wrote.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{Pid, Signal, kill_process};

use crate::api::Api;
use crate::instance::Kind;
use crate::program;
use crate::wait::{PATIENCE, until, within};
use crate::{janitor, raw};

/// A server process. Dropping it kills it.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// The port that it listens on, on 127.0.0.1.
    pub port: u16,
    output: Arc<Mutex<Vec<u8>>>,
    reaped: bool,
}

/// How a server is started.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// Arguments after the harness's own.
    pub arguments: Vec<String>,
    /// Variables.
    pub variables: Vec<(String, String)>,
    /// The port to listen on; the kernel chooses unless given.
    pub port: u16,
}

impl Start {
    /// The whole command, without a rate limit unless the arguments say one.
    pub fn command(&self, kind: Kind, dir: &Path) -> Command {
        let mut command = program::command();
        command.args(["serve", "--kind", kind.word(), "--dir"]).arg(dir);
        command.args(["--listen", &format!("127.0.0.1:{}", self.port)]);
        if !self.arguments.iter().any(|argument| argument == "--rate-limit") {
            command.args(["--rate-limit", "0"]);
        }
        command.args(&self.arguments);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

impl Server {
    /// Starts one and waits until it says where it listens.
    pub fn start(start: &Start, kind: Kind, dir: &Path) -> Server {
        let mut command = start.command(kind, dir);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        janitor::started(child.id());
        let output = Arc::new(Mutex::new(Vec::new()));
        gather(child.stdout.take().unwrap(), Arc::clone(&output));
        gather(child.stderr.take().unwrap(), Arc::clone(&output));
        let mut server = Server { child, port: 0, output, reaped: false };
        server.port = within(PATIENCE, "the server says where it listens", || {
            if let Some(status) = server.ended() {
                panic!("the server ended with {status} at once: {}", server.logs());
            }
            server.logs().lines().find_map(listening)
        });
        server
    }

    /// Everything that it wrote to its standard output and standard error so far.
    pub fn logs(&self) -> String {
        let output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&output).into_owned()
    }

    /// The API without a credential.
    pub fn api(&self) -> Api {
        Api::at(self.port, None)
    }

    /// The API with a key or a session token.
    pub fn with(&self, credential: &str) -> Api {
        Api::at(self.port, Some(credential))
    }

    /// Sends bytes on a connection of its own, and reads until the server closes it.
    pub fn raw(&self, request: &str) -> raw::Answer {
        raw::exchange(self.port, request)
    }

    /// The process's number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it is `readyz`.
    pub fn is_ready(&self) -> bool {
        self.api().get("/readyz").status == 200
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.child.try_wait().unwrap();
        if status.is_some() && !self.reaped {
            janitor::ended(self.child.id());
            self.reaped = true;
        }
        status
    }

    /// SIGTERM; does not wait.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// SIGKILL, and waits until it is gone.
    pub fn kill(mut self) {
        self.signal(Signal::KILL);
        self.wait();
    }

    /// SIGTERM, and waits for the end, which has to be a clean one. What it wrote.
    pub fn stop(mut self) -> String {
        self.terminate();
        let status = self.wait();
        assert_eq!(status.code(), Some(0), "not a clean stop: {}", self.logs());
        self.logs()
    }

    /// Waits until it has ended.
    pub fn wait(&mut self) -> ExitStatus {
        until("the server has ended", || self.ended())
    }

    fn signal(&self, signal: Signal) {
        if !self.reaped {
            let pid = Pid::from_raw(self.child.id().try_into().unwrap()).unwrap();
            kill_process(pid, signal).unwrap();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.ended().is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
            janitor::ended(self.child.id());
        }
    }
}

fn gather(mut pipe: impl Read + Send + 'static, output: Arc<Mutex<Vec<u8>>>) {
    std::thread::spawn(move || {
        let mut chunk = [0; 16 * 1024];
        while let Ok(count @ 1..) = pipe.read(&mut chunk) {
            let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
            output.extend_from_slice(&chunk[..count]);
        }
    });
}

/// The port in the line that says where the server listens.
fn listening(line: &str) -> Option<u16> {
    let (_, after) = line.split_once("listening on http://")?;
    let (address, _) = after.split_once(' ')?;
    address.rsplit_once(':')?.1.parse().ok()
}
