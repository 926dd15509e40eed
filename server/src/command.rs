//! The commands of the command line, as they go over `D/control.sock`.

use serde::{Deserialize, Serialize};

use crate::packs::Pack;

/// One thing to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// Makes an API key; the answer is the only place that shows it.
    KeyCreate {
        /// E-mail or id of its user.
        user: String,
        /// What it is for.
        name: String,
        /// When it ends by itself; a time of the instance's zone UTC.
        #[serde(default)]
        expires_at: Option<String>,
        /// The addresses and networks that it may be used from.
        #[serde(default)]
        allowed_addresses: Vec<String>,
    },
    /// The keys, without their secrets.
    KeyList,
    /// Revokes a key, by its kid or id.
    KeyDelete {
        /// The kid or id.
        key: String,
    },
    /// Rotates the root key. A server begins and answers at once; without one
    /// it is done when this answers.
    KeyRotateRoot {
        /// Drop the old root although damaged values are left.
        leave_damaged: bool,
    },
    /// How far the rotation of the root key is.
    Rotation,
    /// Makes a user.
    UserCreate {
        /// `owner` is made at birth; here `provider`, `support` or `integration`.
        role: String,
        /// Its address.
        email: String,
        /// First name.
        first_name: String,
        /// Last name.
        last_name: String,
    },
    /// The staff.
    UserList,
    /// Stops a user's sign-in and keys.
    UserDisable {
        /// E-mail or id.
        user: String,
    },
    /// Takes a user's second factors away.
    UserResetMfa {
        /// E-mail or id.
        user: String,
    },
    /// A one-time link to set a password.
    UserLink {
        /// E-mail or id.
        user: String,
    },
    /// Ends quarantine, or records a deliberate move.
    Attest {
        /// The address from now on.
        base_url: Option<String>,
        /// Why, for the audit log.
        reason: String,
        /// Names of those who attest.
        by: Vec<String>,
    },
    /// Writes down that a backup was made.
    BackupMade {
        /// Of which moment, microseconds since 1970.
        made_at: i64,
        /// Who made it.
        by: String,
    },
    /// Fills the Sandbox with synthetic data.
    SandboxSeed {
        /// The same seed gives the same data.
        seed: u64,
        /// Which world; the standard one unless said.
        #[serde(default)]
        pack: Pack,
        /// So many clients; as many as the pack has unless said.
        clients: Option<u32>,
    },
    /// Empties the Sandbox; ids move to a fresh slot.
    SandboxReset {
        /// Seed it again.
        seed: Option<u64>,
        /// With this world.
        #[serde(default)]
        pack: Pack,
    },
    /// Takes a snapshot of the Sandbox.
    SandboxSnapshot {
        /// What it is called.
        name: String,
    },
    /// The snapshots there are.
    SandboxSnapshots,
    /// Deletes a snapshot.
    SandboxSnapshotDelete {
        /// Which.
        name: String,
    },
    /// Goes back to a snapshot.
    SandboxRestore {
        /// Which.
        name: String,
    },
    /// Makes a fork of the Sandbox, in the server that runs.
    SandboxFork {
        /// How long it is to live.
        ttl: Option<String>,
    },
    /// The forks there are.
    SandboxForks,
    /// Ends a fork, or all.
    SandboxForkEnd {
        /// Which; all without.
        id: Option<String>,
    },
    /// How the instance is.
    Status,
}
