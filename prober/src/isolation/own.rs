//! A pair of one's own: two children of the program `ward`, in a folder that is gone afterwards.
//! They stop when this process ends, however it ends: their standard input does.

use std::cell::RefCell;
use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::failure::Failure;
use crate::kind::Kind;
use crate::pair::Pair;
use crate::side::{Given, Side};
use crate::wire::{Ask, Door, Trust};

/// A start that is refused has ended by then.
const STARTS: Duration = Duration::from_secs(60);

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status; none when it had to be killed.
    pub code: Option<i32>,
    /// What it answered.
    pub stdout: String,
    /// What it said.
    pub stderr: String,
}

impl Ended {
    /// The answer of a command that had to succeed.
    pub fn json(&self, what: &str) -> Result<Json, Failure> {
        let parsed = serde_json::from_str(&self.stdout).ok().filter(|_| self.code == Some(0));
        parsed.ok_or_else(|| {
            Failure::unavailable(format!(
                "{what} did not succeed ({:?}): {}",
                self.code,
                self.stderr.trim()
            ))
        })
    }
}

/// The program, and the instances that it runs for this suite.
pub struct Own {
    ward: PathBuf,
    folder: PathBuf,
    dirs: [PathBuf; 2],
    children: RefCell<Vec<Running>>,
}

struct Running {
    child: Child,
    output: Arc<Mutex<Vec<u8>>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        // First by the end of its input, as when this process ends; then not so gently.
        drop(self.child.stdin.take());
        for _ in 0..100 {
            if self.child.try_wait().is_ok_and(|ended| ended.is_some()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Own {
    /// Makes both and starts them.
    pub fn start(ward: &Path, folder: &Path) -> Result<(Own, Pair), Failure> {
        let dirs = Kind::BOTH.map(|kind| folder.join(kind.word()));
        let own = Own {
            ward: ward.to_owned(),
            folder: folder.to_owned(),
            dirs,
            children: RefCell::new(Vec::new()),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = Rc::new(runtime.map_err(|error| Failure::internal(error.to_string()))?);
        let mut sides = Vec::new();
        for kind in Kind::BOTH {
            let given = own.child(kind)?;
            let side = Side::new(kind, given, &Trust::default(), Rc::clone(&runtime))?;
            furnish(&side)?;
            sides.push(side);
        }
        let [s, p]: [Side; 2] =
            sides.try_into().map_err(|_| Failure::internal("not two instances"))?;
        Ok((own, Pair::own(s, p)))
    }

    /// An instance's directory.
    pub fn dir(&self, kind: Kind) -> &Path {
        &self.dirs[kind as usize]
    }

    /// A new place in the folder.
    pub fn place(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Everything that the running instances wrote.
    pub fn logs(&self) -> String {
        let children = self.children.borrow();
        let texts = children.iter().map(|it| {
            let output = it.output.lock().unwrap_or_else(PoisonError::into_inner);
            String::from_utf8_lossy(&output).into_owned()
        });
        texts.collect()
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.ward);
        let kept = ["PATH", "HOME", "TMPDIR", "TZ"];
        let kept = kept.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
        command.env_clear().envs(kept).env("NO_COLOR", "1");
        command
    }

    fn child(&self, kind: Kind) -> Result<Given, Failure> {
        let dir = self.dir(kind);
        let mut command = self.command();
        command.args(["dev-child", "--json", "--port", "0", "--kind", kind.word(), "--dir"]);
        command.arg(dir).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Nothing but the ids and keys that are tried may be a reason to refuse.
        for (name, value) in [("RATE_LIMIT", "0"), ("SIGN_UP", "open")] {
            command.env(format!("WARD_{}_{name}", kind.word().to_uppercase()), value);
        }
        let mut child = command.spawn().map_err(|error| self.not_there(&error))?;
        let output = Arc::new(Mutex::new(Vec::new()));
        if let Some(stderr) = child.stderr.take() {
            gather(stderr, Arc::clone(&output));
        }
        let mut first = String::new();
        if let Some(stdout) = child.stdout.take() {
            let mut stdout = BufReader::new(stdout);
            let _ = stdout.read_line(&mut first);
            gather(stdout, Arc::clone(&output));
        }
        self.children.borrow_mut().push(Running { child, output });
        let told: Json = serde_json::from_str(&first).unwrap_or(Json::Null);
        let text = std::fs::read_to_string(dir.join("dev-credentials.json")).unwrap_or_default();
        let credentials: Json = serde_json::from_str(&text).unwrap_or(Json::Null);
        let users = credentials["users"].as_array().map(Vec::as_slice).unwrap_or_default();
        let owner = users.iter().find(|user| user["role"] == "owner");
        let of = |name: &str| owner.and_then(|user| user[name].as_str()).map(str::to_owned);
        match (told["url"].as_str(), of("api_key")) {
            (Some(url), Some(key)) => {
                // Without one the row of sessions would have less to try and hold all the same.
                let session = session(url, owner).ok_or_else(|| {
                    Failure::unavailable(format!("nobody can sign in to the {}", kind.title()))
                })?;
                Ok(Given { url: url.to_owned(), key, session: Some(session) })
            }
            _ => Err(Failure::unavailable(format!(
                "the {} did not start: {}",
                kind.title(),
                self.logs().trim()
            ))),
        }
    }

    fn not_there(&self, error: &std::io::Error) -> Failure {
        Failure::unavailable(format!("{} cannot be started: {error}", self.ward.display()))
    }

    /// Runs a command to its end; a server that starts after all is killed.
    pub fn run(&self, words: &[&str], dir: &Path, more: &[&str]) -> Result<Ended, Failure> {
        self.run_with(words, dir, more, &[])
    }

    /// The same with variables.
    pub fn run_with(
        &self,
        words: &[&str],
        dir: &Path,
        more: &[&str],
        variables: &[(&str, &str)],
    ) -> Result<Ended, Failure> {
        let mut command = self.command();
        command.args(words).arg("--dir").arg(dir).args(more);
        command.envs(variables.iter().copied());
        self.finish(command)
    }

    /// Runs a command against a running instance, with a key.
    pub fn there(&self, words: &[&str], side: &Side, key: &str) -> Result<Ended, Failure> {
        let port = side.door.url.port_or_known_default().unwrap_or_default();
        let mut command = self.command();
        command.args(words).env("WARD_URL", format!("http://127.0.0.1:{port}"));
        command.env("WARD_API_KEY", key);
        self.finish(command)
    }

    /// `ward scan`.
    pub fn scan(&self, folder: &Path) -> Result<Ended, Failure> {
        let mut command = self.command();
        command.arg("scan").arg(folder);
        self.finish(command)
    }

    fn finish(&self, mut command: Command) -> Result<Ended, Failure> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| self.not_there(&error))?;
        let outputs = [Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new()))];
        let mut readers = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            readers.push(gather(stdout, Arc::clone(&outputs[0])));
        }
        if let Some(stderr) = child.stderr.take() {
            readers.push(gather(stderr, Arc::clone(&outputs[1])));
        }
        let code = end(&mut child, &outputs);
        for reader in readers {
            let _ = reader.join();
        }
        let text = |output: &Arc<Mutex<Vec<u8>>>| {
            let output = output.lock().unwrap_or_else(PoisonError::into_inner);
            String::from_utf8_lossy(&output).into_owned()
        };
        Ok(Ended { code, stdout: text(&outputs[0]), stderr: text(&outputs[1]) })
    }

    /// `ward init`: an instance that does not run. Its directory.
    pub fn birth(&self, kind: Kind, name: &str) -> Result<PathBuf, Failure> {
        let dir = self.place(name);
        let base = format!("http://{}.localhost:4100", kind.word());
        let more = ["--base-url", &base, "--owner-email", "owner@practice.example", "--json"];
        self.run(&["init", "--kind", kind.word()], &dir, &more)?.json("ward init")?;
        Ok(dir)
    }
}

/// The exit status; a server that starts after all is killed, and has none.
fn end(child: &mut Child, outputs: &[Arc<Mutex<Vec<u8>>>; 2]) -> Option<i32> {
    let steps = STARTS.as_millis() / 20;
    for _ in 0..steps {
        if let Ok(Some(status)) = child.try_wait() {
            return status.code();
        }
        let serves = outputs.iter().any(|output| {
            let output = output.lock().unwrap_or_else(PoisonError::into_inner);
            String::from_utf8_lossy(&output).contains("listening on")
        });
        if serves {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    let _ = child.wait();
    None
}

fn gather(
    mut pipe: impl Read + Send + 'static,
    output: Arc<Mutex<Vec<u8>>>,
) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let mut chunk = [0; 16 * 1024];
        while let Ok(count @ 1..) = pipe.read(&mut chunk) {
            let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
            output.extend_from_slice(chunk.get(..count).unwrap_or_default());
        }
    })
}

/// A session of the owner, by the password that a development instance has.
fn session(url: &str, owner: Option<&Json>) -> Option<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let door = Door::new(url, &Trust::default(), Rc::new(runtime)).ok()?;
    let query = "mutation($input: signInInput) { signIn(input: $input) { token } }";
    let owner = owner?;
    let input = json!({"email": owner["email"], "password": owner["password"]});
    let answer =
        door.ask(&Side::question(crate::side::VIEW, query, &json!({"input": input}))).ok()?;
    answer.json["data"]["signIn"]["token"].as_str().map(str::to_owned)
}

/// What the checks want to see: a client, a webhook, a link; and a clock that stands still, so
/// that nothing becomes due while "nothing changed" is asserted.
fn furnish(side: &Side) -> Result<(), Failure> {
    if side.kind == Kind::Sandbox {
        let freeze = Ask::post("/sandbox/v1/clock/freeze", &json!({}));
        let answer = side.ask(&freeze.with("authorization", format!("Basic {}", side.key)))?;
        if answer.status != 200 {
            return Err(Failure::unavailable("the Sandbox's clock cannot be stopped"));
        }
    }
    const MADE: [&str; 5] = [
        "mutation { createClient(input: {first_name: \"Conformance\", last_name: \"Tester\",
            email: \"conformance@client.example\", dont_send_welcome: true}) { user { id } messages { message } } }",
        "mutation { createGroup(input: {name: \"Conformance\"}) { user_group { id } messages { message } } }",
        "mutation { createTag(input: {name: \"Conformance\"}) { tag { id } messages { message } } }",
        "mutation { resetCalendarFeed(input: {}) { user { id } messages { message } } }",
        "mutation { createWebhook(input: {url: \"https://receiver.invalid/hook\",
            webhook_events: [{event_type: LOCATION_CREATED}]}) { webhook { id } messages { message } } }",
    ];
    for made in MADE {
        let answer = side.graphql(crate::side::VIEW, made, &json!({}))?;
        let payload = answer.json["data"].as_object().and_then(|data| data.values().next());
        let is_made = payload.is_some_and(|it| it.is_object() && it["messages"].is_null());
        if !is_made {
            return Err(Failure::unavailable(format!(
                "the {} does not make what is to be tried: {}",
                side.kind.title(),
                crate::text::shown(&answer.text)
            )));
        }
    }
    Ok(())
}
