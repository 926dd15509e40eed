//! The two processes of the tour, and commands of this binary beside them.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value as Json;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use ward_instance::Kind;

use super::text;
use crate::dev;
use crate::http::Api;

/// A birth takes a second or two; a slow machine may take longer.
const BIRTH: Duration = Duration::from_secs(120);

/// A running instance.
pub struct Player {
    kind: Kind,
    dir: PathBuf,
    url: String,
    tag: String,
    child: Child,
    credentials: Json,
}

/// Both.
pub struct Cast {
    /// The Sandbox.
    pub sandbox: Player,
    /// Production.
    pub production: Player,
}

/// Starts both at once and waits until they are ready.
pub async fn births(stage: &Path) -> Result<(Cast, String), String> {
    let (sandbox, production) =
        tokio::join!(Player::start(stage, Kind::Sandbox), Player::start(stage, Kind::Production));
    let cast = Cast { sandbox: sandbox?, production: production? };
    let seen = format!("{}\n{}", cast.sandbox.introduced(), cast.production.introduced());
    Ok((cast, seen))
}

impl Cast {
    /// Stops both.
    pub async fn leave(mut self) {
        tokio::join!(dev::end(&mut self.sandbox.child), dev::end(&mut self.production.child));
    }
}

impl Player {
    async fn start(stage: &Path, kind: Kind) -> Result<Self, String> {
        let dir = stage.join(kind.as_str());
        let mut command = this_binary()?;
        command
            .arg("dev-child")
            .args(["--json", "--port", "0", "--kind", kind.as_str(), "--dir"])
            .arg(&dir);
        dev::isolate(&mut command, kind);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .map_err(|error| format!("{} cannot be started: {error}", kind.title()))?;
        let stdout = child.stdout.take().ok_or("a child without standard output")?;
        let mut line = String::new();
        let read = tokio::time::timeout(BIRTH, BufReader::new(stdout).read_line(&mut line)).await;
        let ready: Json = match read {
            Ok(Ok(length)) if length > 0 => serde_json::from_str(&line)
                .map_err(|_| format!("{} said something else than where it is", kind.title()))?,
            Ok(_) => return Err(last_words(child, kind).await),
            Err(_) => {
                return Err(format!("{} was not ready within {} s", kind.title(), BIRTH.as_secs()));
            }
        };
        let credentials = std::fs::read(dir.join("dev-credentials.json"))
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .ok_or("no dev-credentials.json")?;
        let told = |path: &str| text(&ready, path).unwrap_or_default().to_owned();
        Ok(Player { kind, dir, url: told("/url"), tag: told("/instance"), child, credentials })
    }

    fn introduced(&self) -> String {
        format!("{} {} at {}", self.kind.title(), self.tag, self.url)
    }

    /// The API, called with the key of the person of this role.
    pub fn api(&self, key: &str) -> Result<Api, String> {
        Api::new(&self.url, key).map_err(|failure| failure.sentence)
    }

    /// The API, called without a credential.
    pub fn visited(&self) -> Result<Api, String> {
        Api::visitor(&self.url).map_err(|failure| failure.sentence)
    }

    /// The key of the person of this role.
    pub fn key(&self, role: &str) -> Result<String, String> {
        let users = self.credentials["users"].as_array().map(Vec::as_slice).unwrap_or_default();
        let user = users
            .iter()
            .find(|user| user["role"] == role)
            .ok_or_else(|| format!("{} has no {role}", self.kind.title()))?;
        text(user, "/api_key").map(str::to_owned).ok_or_else(|| format!("the {role} has no key"))
    }

    /// A command of this binary on the directory, while the server runs. Gives
    /// whether it ended well, and its JSON.
    pub async fn ward(&self, command: &[&str]) -> Result<(bool, Json), String> {
        let mut process = this_binary()?;
        process
            .args(command)
            .args(["--json", "--kind", self.kind.as_str(), "--dir"])
            .arg(&self.dir);
        dev::isolate(&mut process, self.kind);
        let output =
            process.stderr(Stdio::null()).output().await.map_err(|error| error.to_string())?;
        Ok((output.status.success(), serde_json::from_slice(&output.stdout).unwrap_or(Json::Null)))
    }
}

fn this_binary() -> Result<Command, String> {
    std::env::current_exe()
        .map(Command::new)
        .map_err(|error| format!("this binary is not found: {error}"))
}

/// What a child said before it ended.
async fn last_words(child: Child, kind: Kind) -> String {
    let said = child
        .wait_with_output()
        .await
        .map(|output| String::from_utf8_lossy(&output.stderr).trim().to_owned());
    format!("{} did not start: {}", kind.title(), said.unwrap_or_default())
}
