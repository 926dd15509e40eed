//! `D/ward.toml` and the variables that mirror it: `WARD_SANDBOX_*` or `WARD_PRODUCTION_*`.
//!
//! Unknown keys are fatal. A Sandbox has no key for a live connector at all, so any such setting
//! is an unknown one (ISO-05). Both kinds' variables in one process are refused (ISO-04). No key
//! holds a secret: the database's address comes from the variable that `database_env` names.

mod connectors;
mod variables;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml::Table;
use zeroize::Zeroizing;

use crate::base_url::BaseUrl;
use crate::birth::ProductionWitness;
use crate::error::{InstanceError, IsoError};
use crate::files;
use crate::kind::Kind;
pub use connectors::{Connectors, SmtpTls};
use variables::{
    both_kinds, connector_keys, known_keys, mirrors, no_passwords, overlay, own_variables,
};

/// The configuration's file name inside the instance's directory.
pub const CONFIG_FILE: &str = "ward.toml";

/// A Sandbox's clock is left alone for a year at most, in hours.
const CLOCK_IDLE_MOST: u32 = 8_760;

/// Whether strangers may found organizations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SignUp {
    /// Anybody.
    Open,
    /// Nobody: organizations are made by the operator.
    #[default]
    Closed,
}

/// How connections reach PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooler {
    /// Directly, or through a pooler that keeps a session.
    Session,
    /// Through a pooler that changes servers between transactions: each proves the instance.
    Transaction,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum KindWord {
    Sandbox,
    Production,
}

/// The configuration of one instance, without any secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    kind: KindWord,
    /// Where the instance is reached.
    pub base_url: String,
    /// Further host names that it answers to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Address and port to listen on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listen: Option<String>,
    /// Address and port for metrics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_listen: Option<String>,
    /// File with the TLS certificates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_cert: Option<String>,
    /// File with the TLS key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_key: Option<String>,
    /// Network (CIDR) whose proxies are believed about the client's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted_proxy: Option<String>,
    /// Name of the variable that holds the PostgreSQL address; absent: SQLite in the directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database_env: Option<String>,
    /// What stands between the instance and PostgreSQL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pooler: Option<Pooler>,
    /// Whether strangers may found organizations; closed unless said.
    #[serde(default)]
    pub sign_up: SignUp,
    /// Requests a second for each caller; 0 is off, absent is the default of the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<u32>,
    /// Sockets of one person; 0 is off, for their subscriptions and bytes too; absent is the
    /// default of the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sockets_of_person: Option<u32>,
    /// Webhooks may go to this machine; fatal in Production.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_loopback_webhooks: bool,
    /// Webhooks may go to private networks; fatal in Production.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_private_webhooks: bool,
    /// What is probably a real person's is refused, too; in a Sandbox only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tripwire_strict: bool,
    /// After so many hours of real time without a move a Sandbox's clock goes as real time does
    /// (ISO-45); 0 is never, absent is the default of the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_idle_hours: Option<u32>,
    /// Date on which the older contract version ends, as it is announced in answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sunset: Option<String>,
    /// `error`, `warn`, `info`, `debug` or `trace`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_level: Option<String>,
    /// Directory for sealed files; absent: `files` in the instance's directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<String>,
    /// What live connectors are configured with; its witness opens it.
    #[serde(skip)]
    connectors: Connectors,
}

impl Config {
    /// The smallest configuration: a kind and an address.
    pub fn new(kind: Kind, base_url: &BaseUrl) -> Self {
        let kind = match kind {
            Kind::Sandbox => KindWord::Sandbox,
            Kind::Production => KindWord::Production,
        };
        Self {
            kind,
            base_url: base_url.to_string(),
            hosts: Vec::new(),
            listen: None,
            private_listen: None,
            tls_cert: None,
            tls_key: None,
            trusted_proxy: None,
            database_env: None,
            pooler: None,
            sign_up: SignUp::Closed,
            rate_limit: None,
            sockets_of_person: None,
            allow_loopback_webhooks: false,
            allow_private_webhooks: false,
            tripwire_strict: false,
            clock_idle_hours: None,
            sunset: None,
            log_level: None,
            files: None,
            connectors: Connectors::default(),
        }
    }

    /// Reads `dir/ward.toml`, lays the variables of `kind` over it and checks the whole.
    pub fn load(
        dir: &Path,
        kind: Kind,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, InstanceError> {
        Self::from_text(&files::read(&dir.join(CONFIG_FILE))?, kind, env)
    }

    /// [`Config::load`] from the file's text.
    pub fn from_text(
        text: &str,
        kind: Kind,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, InstanceError> {
        let mut table = parse(text)?;
        known_keys(&table, kind)?;
        let own = own_variables(kind, env)?;
        overlay(&mut table, kind, &own)?;
        no_passwords(&table)?;
        let connectors = connector_keys(&mut table);
        let wrong = |wrong: toml::de::Error| {
            InstanceError::config(format!("{CONFIG_FILE}: {}", wrong.message()))
        };
        let mut config: Config = table.try_into().map_err(wrong)?;
        config.connectors = connectors.try_into().map_err(wrong)?;
        config.connectors.check()?;
        config.checked(kind)
    }

    /// Writes `dir/ward.toml`, in one step.
    pub fn write(&self, dir: &Path) -> Result<(), InstanceError> {
        let text = toml::to_string(self)
            .map_err(|_| InstanceError::config("the configuration cannot be written as TOML"))?;
        files::write_atomically(&dir.join(CONFIG_FILE), text.as_bytes())
    }

    /// What Production's live connectors are configured with.
    pub const fn connectors(&self, _: &ProductionWitness) -> &Connectors {
        &self.connectors
    }

    /// The files that keys name and that the process reads, for instance of secrets: their names, not
    /// what they hold. Relative ones are below the instance's directory.
    pub fn files_named(&self, dir: &Path) -> Vec<PathBuf> {
        let tls = [&self.tls_cert, &self.tls_key].into_iter().flatten().cloned();
        tls.chain(self.connectors.files_named()).map(|name| dir.join(name)).collect()
    }

    /// The kind that the file names, which is the one it was loaded for.
    pub const fn kind(&self) -> Kind {
        match self.kind {
            KindWord::Sandbox => Kind::Sandbox,
            KindWord::Production => Kind::Production,
        }
    }

    /// The address, parsed.
    pub fn parsed_base_url(&self) -> Result<BaseUrl, InstanceError> {
        let wrong = |_| InstanceError::config(format!("{CONFIG_FILE}: base_url is not a base URL"));
        self.base_url.parse().map_err(wrong)
    }

    /// The PostgreSQL address out of the variable that `database_env` names; `None` for SQLite.
    pub fn database_url(
        &self,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Option<Zeroizing<String>>, InstanceError> {
        let Some(name) = &self.database_env else {
            return Ok(None);
        };
        let value = env.into_iter().find(|(known, _)| known == name).map(|(_, value)| value);
        match value.filter(|value| !value.is_empty()) {
            Some(value) => Ok(Some(Zeroizing::new(value))),
            None => Err(InstanceError::config(format!(
                "database_env names the variable {name}, which is not set"
            ))),
        }
    }

    fn checked(self, kind: Kind) -> Result<Self, InstanceError> {
        if self.kind() != kind {
            return Err(IsoError::new(
                "ISO-01",
                format!("the command line says {kind}, but {CONFIG_FILE} says {}", self.kind()),
                format!("use --kind {}, or name the {kind} directory", self.kind()),
            )
            .into());
        }
        self.parsed_base_url()?;
        if kind == Kind::Production && (self.allow_loopback_webhooks || self.allow_private_webhooks)
        {
            return Err(IsoError::new(
                "ISO-43",
                "Production never sends webhooks to this machine or to private networks",
                "remove allow_loopback_webhooks and allow_private_webhooks",
            )
            .into());
        }
        if self.clock_idle_hours.is_some_and(|hours| hours > CLOCK_IDLE_MOST) {
            return Err(InstanceError::config(format!(
                "clock_idle_hours is from 1 to {CLOCK_IDLE_MOST} hours; 0 is never"
            )));
        }
        if self.tls_cert.is_some() != self.tls_key.is_some() {
            return Err(InstanceError::config("tls_cert and tls_key go together; one is missing"));
        }
        if let Some(name) = &self.database_env
            && name.starts_with(kind.other().variable_prefix())
        {
            return Err(both_kinds(kind, name));
        }
        Ok(self)
    }
}

/// Whether a variable mirrors a key that an instance of this kind has.
pub fn is_variable(kind: Kind, name: &str) -> bool {
    mirrors(kind, name)
}

/// Refuses a text that holds an address with a password in it; for arguments and file values.
/// `what` names the place; the text is not repeated.
pub fn refuse_password(what: &str, text: &str) -> Result<(), InstanceError> {
    let userinfo = text.split_once("://").and_then(|(_, rest)| {
        let authority = rest.split(['/', '?', '#']).next()?;
        authority.rsplit_once('@').map(|(user, _)| user)
    });
    let in_user = userinfo.is_some_and(|user| user.contains(':'));
    let lower = text.to_ascii_lowercase();
    let in_words = ["password=", "passwd=", "pwd="].iter().any(|word| lower.contains(word));
    if in_user || in_words {
        return Err(InstanceError::config(format!(
            "{what} holds a password; put the address into a variable and name it in database_env"
        )));
    }
    Ok(())
}

fn parse(text: &str) -> Result<Table, InstanceError> {
    // Only the message: the full error quotes the line, which may hold a misplaced secret.
    text.parse().map_err(|wrong: toml::de::Error| {
        InstanceError::config(format!("{CONFIG_FILE}: {}", wrong.message()))
    })
}
