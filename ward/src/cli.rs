//! The commands and their options. A secret is never one of them: keys come
//! from `WARD_API_KEY`, a file or standard input, database addresses with a
//! password from a variable.

mod backup;
mod conformance;
mod effects;
mod files;
mod json;
mod people;
mod requests;
mod sandbox;
mod trust;
mod webhooks;

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use ward_instance::Kind;

pub use backup::{AttestArgs, BackupArgs, RestoreArgs};
pub use conformance::{ConformanceCommand, IsolationArgs};
pub use effects::EffectsCommand;
pub use files::FilesCommand;
pub use json::JsonWanted;
pub use people::{KeyCommand, UserCommand};
pub use requests::{RequestsArgs, RequestsCommand};
pub use sandbox::{
    ClockCommand, FaultArgs, FaultsCommand, ForkArgs, InboxArgs, KeeperArgs, MakerArgs, PacksArgs,
    PoolArgs, RunArgs, SandboxCommand, SnapshotArgs, Wanted, Which,
};
pub use trust::TrustArgs;
pub use webhooks::{EventsCommand, ListenArgs, ReplayArgs, WebhooksCommand};

/// An API-first practice platform for digital health. One binary, run as two separate instances: a Sandbox (synthetic data, simulated effects) and a Production (live patients).
#[derive(Parser)]
#[command(
    name = "ward",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    max_term_width = 110
)]
#[command(after_help = AFTER_HELP)]
pub struct Cli {
    /// Answer with JSON, alone on standard output
    #[arg(long, global = true, action = ArgAction::SetTrue, value_parser = JsonWanted::flag)]
    pub json: JsonWanted,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

const AFTER_HELP: &str = "\
First steps:
  ward tour      the story of the two instances, acted out in a minute
  ward dev       a Sandbox on port 4100 and a Production on port 4200, ready to call

Which instance:
  --kind K --dir D          its directory, whether it runs or not
  --url U --key-file F|-    a running one (default: WARD_URL and WARD_API_KEY)

Exit status: 0 done; 1 it ran and the answer is no; 2 wrong use; 69 a needed service is not there;
70 internal; 75 locked or busy, try again; 78 refused by environment or configuration.";

/// What to do.
#[derive(Subcommand)]
pub enum Command {
    /// Run a Sandbox and a Production on this machine, born on first run
    Dev(DevArgs),
    #[command(hide = true)]
    DevChild(DevChildArgs),
    /// Act out what the two instances keep apart, step by step, in a temporary directory
    Tour,
    /// Make a new instance; Sandbox or Production, for ever
    Init(InitArgs),
    /// Serve an instance until Ctrl-C or SIGTERM
    Serve(ServeArgs),
    /// How an instance is
    Status(Here),
    /// Check everything about an instance and say what to do
    Doctor(Here),
    /// API keys
    Key {
        /// What to do
        #[command(subcommand)]
        command: KeyCommand,
    },
    /// The staff of the founding organization
    User {
        /// What to do
        #[command(subcommand)]
        command: UserCommand,
    },
    /// The audit log
    Audit {
        /// What to do
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Say that a moved, copied or restored instance is meant to be where it is; ends quarantine
    Attest(AttestArgs),
    /// Write everything that an instance knows into one sealed file, whether it runs or not
    Backup(BackupArgs),
    /// Bring a backup of this instance back; a Production is quarantined by it
    Restore(RestoreArgs),
    /// Bring the database to this version's schema
    Migrate(MigrateArgs),
    /// Stored files
    Files {
        /// What to do
        #[command(subcommand)]
        command: FilesCommand,
    },
    /// Only where mistakes are free: run, seed, reset, inbox, clock
    Sandbox {
        /// What to do
        #[command(subcommand)]
        command: SandboxCommand,
    },
    /// Simulated messages of a Sandbox (the same as `ward sandbox inbox`)
    Inbox(InboxArgs),
    /// Which effects happen: mails, SMS; what waits, and what failed
    Effects {
        /// What to do
        #[command(subcommand)]
        command: EffectsCommand,
    },
    /// What was asked of a Sandbox, how it was answered and what it caused
    Requests {
        /// What to do
        #[command(subcommand)]
        command: RequestsCommand,
    },
    /// What was sent to webhooks; send it again; cause it
    Events {
        /// What to do
        #[command(subcommand)]
        command: EventsCommand,
    },
    /// Check a webhook's request that arrived
    Webhooks {
        /// What to do
        #[command(subcommand)]
        command: WebhooksCommand,
    },
    /// Forward a Sandbox's events to a program of yours, until Ctrl-C
    Listen(ListenArgs),
    /// Find leaked keys in files; prints where, never the key
    Scan(ScanArgs),
    /// What Ward promises of security and reliability, and what a test run found
    Trust(TrustArgs),
    /// Try what keeps the two instances apart, and report it signed
    Conformance {
        /// What to do
        #[command(subcommand)]
        command: ConformanceCommand,
    },
}

/// An instance's directory.
#[derive(Args, Clone, Debug)]
pub struct Here {
    /// What the instance must be; there is no default
    #[arg(long, value_name = "sandbox|production")]
    pub kind: Kind,
    /// The instance's directory
    #[arg(long)]
    pub dir: PathBuf,
}

/// A running instance.
#[derive(Args, Clone, Debug)]
pub struct There {
    /// Its address; WARD_URL unless given
    #[arg(long)]
    pub url: Option<String>,
    /// File with an API key, `-` for standard input; WARD_API_KEY unless given
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<String>,
}

/// `ward dev`
#[derive(Args, Clone, Debug)]
pub struct DevArgs {
    /// Where both live: `sandbox` and `production` inside
    #[arg(long, default_value = ".ward")]
    pub dir: PathBuf,
    /// Port of the Sandbox
    #[arg(long, default_value_t = 4100)]
    pub sandbox_port: u16,
    /// Port of Production
    #[arg(long, default_value_t = 4200)]
    pub production_port: u16,
}

/// `ward dev-child`
#[derive(Args, Clone, Debug)]
pub struct DevChildArgs {
    /// The instance
    #[command(flatten)]
    pub here: Here,
    /// The port; 0 takes a free one
    #[arg(long)]
    pub port: u16,
}

/// Whether strangers may found organizations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SignUp {
    /// Anybody may
    Open,
    /// Only the operator
    Closed,
}

/// `ward init`
#[derive(Args, Clone, Debug)]
pub struct InitArgs {
    /// The new instance
    #[command(flatten)]
    pub here: Here,
    /// Where it will be reached, for example https://ehr.example.org
    #[arg(long, value_name = "URL")]
    pub base_url: String,
    /// Address of the first organization's owner
    #[arg(long, value_name = "EMAIL")]
    pub owner_email: String,
    /// Name of the first organization
    #[arg(long, default_value = "Practice", value_name = "NAME")]
    pub organization: String,
    /// PostgreSQL address without a password; SQLite in the directory unless given
    #[arg(long, value_name = "URL", conflicts_with = "database_env")]
    pub database: Option<String>,
    /// Name of the variable that holds the PostgreSQL address
    #[arg(long, value_name = "NAME")]
    pub database_env: Option<String>,
    /// Whether strangers may found organizations
    #[arg(long, value_enum, default_value_t = SignUp::Closed)]
    pub sign_up: SignUp,
}

/// `ward serve`
#[derive(Args, Clone, Debug)]
pub struct ServeArgs {
    /// The instance
    #[command(flatten)]
    pub here: Here,
    /// Address and port to listen on; `listen` of ward.toml, or a loopback base URL's port, unless given
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<String>,
    /// Not in this version: TLS is terminated by a proxy
    #[arg(long, value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// Not in this version: TLS is terminated by a proxy
    #[arg(long, value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// Network whose proxies terminate TLS and are believed about the caller's address
    #[arg(long, value_name = "CIDR")]
    pub trusted_proxy: Option<String>,
    /// Requests a second for each caller; 0 is off
    #[arg(long, value_name = "N")]
    pub rate_limit: Option<u32>,
    /// Address and port for metrics
    #[arg(long, value_name = "ADDR")]
    pub private_listen: Option<String>,
    /// Webhooks may go to this machine (Sandbox only)
    #[arg(long)]
    pub allow_loopback_webhooks: bool,
    /// Webhooks may go to private networks (Sandbox only)
    #[arg(long)]
    pub allow_private_webhooks: bool,
    /// error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL")]
    pub log_level: Option<String>,
}

/// `ward audit …`
#[derive(Subcommand, Clone, Debug)]
pub enum AuditCommand {
    /// Verify every entry, link and number; 0 intact, 1 broken with the first bad entry named
    Verify(Here),
}

/// `ward migrate`
#[derive(Args, Clone, Debug)]
pub struct MigrateArgs {
    /// The instance
    #[command(flatten)]
    pub here: Here,
    /// Only report; status 1 when steps are missing
    #[arg(long)]
    pub check: bool,
}

/// `ward scan`
#[derive(Args, Clone, Debug)]
pub struct ScanArgs {
    /// A file or a directory
    pub path: PathBuf,
}
