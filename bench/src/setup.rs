//! A small world for what asks Ward alone: a stopped Sandbox of a hundred
//! clients, and how it is asked.

use std::path::PathBuf;

use anyhow::Result;
use serde_json::Value as Json;
use tempfile::TempDir;

use crate::load;
use crate::process::Server;
use crate::world::{self, Program};

/// A prepared instance.
pub struct World {
    /// The binary.
    pub ward: PathBuf,
    /// The owner's key.
    pub key: String,
    program: Program,
    /// Holds everything.
    _folder: TempDir,
}

impl World {
    /// The instance's directory.
    pub fn dir(&self) -> PathBuf {
        self.program.dir.clone()
    }

    /// A new key of a user.
    pub fn key_of(&self, user: &str) -> Result<String> {
        self.program.key(user)
    }

    /// Runs a command on the instance; what it answers.
    pub fn run(&self, arguments: &[&str]) -> Result<Json> {
        self.program.run(arguments)
    }

    /// Starts Ward on the instance.
    pub fn serve(&self) -> Result<Server> {
        self.program.serve()
    }

    /// The same with further options.
    pub fn serve_with(&self, options: &[&str]) -> Result<Server> {
        self.program.serve_with(options)
    }

    /// The same with a variable of the environment.
    pub fn serve_in(&self, variable: (&str, &str)) -> Result<Server> {
        self.program.serve_in(variable)
    }
}

/// Builds the release binary and prepares the world.
pub async fn world() -> Result<World> {
    world_of(100).await
}

/// The same with so many clients.
pub async fn world_of(clients: usize) -> Result<World> {
    let ward = world::release()?;
    let folder = tempfile::tempdir()?;
    let program = Program::sandbox(&ward, &folder.path().join("sandbox"), None);
    let key = program.found(clients)?;
    Ok(World { ward, key, program, _folder: folder })
}

/// Asks Ward once.
pub async fn ask(server: &Server, key: &str, query: &str, variables: Json) -> Result<Json> {
    load::ask(server.port, key, query, &variables).await
}
