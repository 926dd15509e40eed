//! The world that is measured: a Sandbox with a thousand clients, and a copy
//! of its database for the limit programs.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value as Json;
use tempfile::TempDir;

use crate::load;
use crate::process::Server;

/// Clients made besides the seeded ones.
const CLIENTS: u64 = 1_000;

/// A prepared instance.
pub struct World {
    /// Holds everything.
    pub folder: TempDir,
    /// The binary.
    pub ward: PathBuf,
    /// The owner's key.
    pub key: String,
    /// One client's id.
    pub client_id: String,
}

impl World {
    /// The instance's directory.
    pub fn dir(&self) -> PathBuf {
        self.folder.path().join("sandbox")
    }

    /// The copy for the limit programs.
    pub fn limit_database(&self) -> PathBuf {
        self.folder.path().join("limit.db")
    }

    /// Starts Ward on the instance.
    pub fn serve(&self) -> Result<Server> {
        let mut command = Command::new(&self.ward);
        command
            .args([
                "serve",
                "--kind",
                "sandbox",
                "--listen",
                "127.0.0.1:0",
                "--rate-limit",
                "0",
                "--dir",
            ])
            .arg(self.dir());
        Server::start(&mut command)
    }
}

/// Builds the release binary and prepares the world.
pub async fn world() -> Result<World> {
    let built = Command::new("cargo")
        .args(["build", "--release", "--package", "ward", "--quiet"])
        .status()?;
    if !built.success() {
        bail!("the release build failed");
    }
    let ward = Path::new("target/release/ward").canonicalize()?;
    let folder = tempfile::tempdir()?;
    let dir = folder.path().join("sandbox");
    let run = |arguments: &[&str]| -> Result<Json> {
        // `ward sandbox …` has no kind to choose.
        let kind: &[&str] = if arguments[0] == "sandbox" { &[] } else { &["--kind", "sandbox"] };
        let out = Command::new(&ward)
            .args(arguments)
            .args(kind)
            .arg("--dir")
            .arg(&dir)
            .arg("--json")
            .output()?;
        if !out.status.success() {
            bail!("ward {arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
        }
        Ok(serde_json::from_slice(&out.stdout).unwrap_or(Json::Null))
    };
    run(&["init", "--base-url", "http://127.0.0.1:4100", "--owner-email", "owner@example.com"])?;
    run(&["sandbox", "seed", "--seed", "1"])?;
    let made = run(&["key", "create", "--user", "owner@example.com", "--name", "bench"])?;
    let key = made["api_key"].as_str().context("no key")?.to_owned();
    let mut world = World { folder, ward, key, client_id: String::new() };
    let server = world.serve()?;
    fill(&mut world, &server).await?;
    drop(server);
    std::fs::copy(world.dir().join("ward.db"), world.limit_database())?;
    Ok(world)
}

/// Asks Ward once.
pub async fn ask(server: &Server, key: &str, query: &str, variables: Json) -> Result<Json> {
    let body = serde_json::json!({"query": query, "variables": variables}).to_string();
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", server.port)).await?;
    tokio::io::AsyncWriteExt::write_all(
        &mut stream,
        &load::post(server.port, "/graphql", Some(key), &body),
    )
    .await?;
    let mut buffer = Vec::new();
    load::answer(&mut stream, &mut buffer).await?;
    let at = buffer.windows(4).position(|window| window == b"\r\n\r\n").context("an answer")? + 4;
    let json: Json = serde_json::from_slice(&buffer[at..])?;
    if json.get("errors").is_some() {
        bail!("{json}");
    }
    Ok(json)
}

async fn fill(world: &mut World, server: &Server) -> Result<()> {
    let groups = ask(server, &world.key, "{ userGroups { id } tags { id } }", Json::Null).await?;
    let ids = |name: &str| -> Vec<String> {
        groups["data"][name]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|row| row["id"].as_str().map(str::to_owned))
            .collect()
    };
    let (groups, tags) = (ids("userGroups"), ids("tags"));
    for n in 0..CLIENTS {
        let group = groups.get(n as usize % groups.len().max(1));
        let input = serde_json::json!({"first_name": format!("Client{n}"), "last_name": format!("Bench{}", n % 97), "email": format!("client{n}@example.com"),
            "phone_number": "212-555-0100", "dob": "1980-05-17", "user_group_id": group, "dont_send_welcome": true});
        let made = ask(server, &world.key, "mutation($input: createClientInput) { createClient(input: $input) { user { id } messages { message } } }", serde_json::json!({"input": input})).await?;
        let id = made["data"]["createClient"]["user"]["id"]
            .as_str()
            .with_context(|| made.to_string())?
            .to_owned();
        if !tags.is_empty() {
            let applied: Vec<&String> = tags.iter().cycle().skip(n as usize).take(2).collect();
            ask(server, &world.key, "mutation($ids: [ID], $id: ID) { bulkApply(input: {ids: $ids, taggable_user_id: $id}) { messages { message } } }", serde_json::json!({"ids": applied, "id": id})).await?;
        }
        world.client_id = id;
    }
    Ok(())
}
