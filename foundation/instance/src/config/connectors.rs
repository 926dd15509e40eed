//! What Production's live connectors are configured with. A Sandbox has no such keys (ISO-05), and
//! only Production's witness opens what is read.

use serde::{Deserialize, Serialize};

use super::CONFIG_FILE;
use crate::error::InstanceError;

/// How a connection to a mail server is encrypted; there is none that is not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmtpTls {
    /// The connection begins in the clear and nothing but the switch to TLS is said there.
    #[default]
    Starttls,
    /// From the first byte.
    Implicit,
}

/// Servers, and the files of their secrets; no secret itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connectors {
    /// Name of the mail server; absent: mails wait.
    pub smtp_host: Option<String>,
    /// Its port; 587, or 465 with `implicit`, unless given.
    pub smtp_port: Option<u16>,
    /// How the connection is encrypted.
    pub smtp_tls: Option<SmtpTls>,
    /// Name to sign in with; absent: without signing in.
    pub smtp_user: Option<String>,
    /// File with its password.
    pub smtp_password_file: Option<String>,
    /// Whom mails come from: `Practice <mail@example.org>`.
    pub smtp_from: Option<String>,
    /// File with a further root certificate (PEM) that the server may have.
    pub smtp_ca: Option<String>,
    /// File with the token that whoever tells of bounces and complaints has.
    pub smtp_callback_token_file: Option<String>,
    /// Where SMS are posted to (https); absent: SMS wait.
    pub sms_url: Option<String>,
    /// File with the provider's token.
    pub sms_token_file: Option<String>,
    /// Whom SMS come from: a number or a name.
    pub sms_from: Option<String>,
    /// File with a further root certificate (PEM) that the provider may have.
    pub sms_ca: Option<String>,
    /// File with the token that the provider has to tell what became of an SMS.
    pub sms_callback_token_file: Option<String>,
    /// Where notifications to apps are posted to (https); absent: they wait.
    pub push_url: Option<String>,
    /// File with the push service's token.
    pub push_token_file: Option<String>,
    /// File with a further root certificate (PEM) that the push service may have.
    pub push_ca: Option<String>,
    /// Where rooms for video calls are ordered (https); absent: orders wait.
    pub video_url: Option<String>,
    /// File with the video service's token.
    pub video_token_file: Option<String>,
    /// File with a further root certificate (PEM) that the video service may have.
    pub video_ca: Option<String>,
    /// The Unix socket of clamd, which looks at stored files for malware; absent: looks wait.
    pub scan_socket: Option<String>,
    /// Where an S3-compatible store is (https); absent: stored files are in the directory.
    pub s3_endpoint: Option<String>,
    /// Its bucket.
    pub s3_bucket: Option<String>,
    /// Its region; `us-east-1` unless given.
    pub s3_region: Option<String>,
    /// What names of objects begin with; absent: the instance has the whole bucket.
    pub s3_prefix: Option<String>,
    /// Name of the key that requests are signed with.
    pub s3_access_key: Option<String>,
    /// File with the key's secret.
    pub s3_secret_key_file: Option<String>,
    /// File with a further root certificate (PEM) that the store may have.
    pub s3_ca: Option<String>,
}

impl Connectors {
    /// The files that keys name: by the keys' endings, so that no later key is forgotten.
    pub(super) fn files_named(&self) -> Vec<String> {
        let keys = toml::Table::try_from(self).unwrap_or_default();
        let is_file = |key: &str| key.ends_with("_file") || key.ends_with("_ca");
        let files = keys.into_iter().filter(|(key, _)| is_file(key));
        files.filter_map(|(_, name)| name.as_str().map(str::to_owned)).collect()
    }

    /// Whether what belongs together is there together.
    pub(super) fn check(&self) -> Result<(), InstanceError> {
        let s3 = [
            &self.s3_endpoint,
            &self.s3_bucket,
            &self.s3_region,
            &self.s3_prefix,
            &self.s3_access_key,
            &self.s3_secret_key_file,
            &self.s3_ca,
        ];
        let s3 = s3.into_iter().any(Option::is_some);
        let needs = [
            ("smtp_host", self.smtp_host.is_some(), "smtp_from", self.smtp_from.is_some()),
            ("smtp_from", self.smtp_from.is_some(), "smtp_host", self.smtp_host.is_some()),
            (
                "smtp_user",
                self.smtp_user.is_some(),
                "smtp_password_file",
                self.smtp_password_file.is_some(),
            ),
            ("sms_url", self.sms_url.is_some(), "sms_token_file", self.sms_token_file.is_some()),
            ("sms_url", self.sms_url.is_some(), "sms_from", self.sms_from.is_some()),
            (
                "push_url",
                self.push_url.is_some(),
                "push_token_file",
                self.push_token_file.is_some(),
            ),
            (
                "video_url",
                self.video_url.is_some(),
                "video_token_file",
                self.video_token_file.is_some(),
            ),
            (
                "smtp_callback_token_file",
                self.smtp_callback_token_file.is_some(),
                "smtp_host",
                self.smtp_host.is_some(),
            ),
            (
                "sms_callback_token_file",
                self.sms_callback_token_file.is_some(),
                "sms_url",
                self.sms_url.is_some(),
            ),
            ("s3_bucket", s3, "s3_endpoint", self.s3_endpoint.is_some()),
            ("s3_endpoint", s3, "s3_bucket", self.s3_bucket.is_some()),
            ("s3_bucket", s3, "s3_access_key", self.s3_access_key.is_some()),
            ("s3_bucket", s3, "s3_secret_key_file", self.s3_secret_key_file.is_some()),
        ];
        match needs.into_iter().find(|(_, is_there, _, has_other)| *is_there && !has_other) {
            None => Ok(()),
            Some((key, _, other, _)) => {
                Err(InstanceError::config(format!("{CONFIG_FILE}: {key} needs {other}")))
            }
        }
    }
}
