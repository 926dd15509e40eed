//! The address of an instance: scheme, host, port, nothing else.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A base URL such as `https://ward.example` or `http://127.0.0.1:4100`, without a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    secure: bool,
    host: String,
    port: Option<u16>,
}

/// A text that is no base URL. The text itself is not repeated: it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a base URL is http:// or https://, a host and perhaps a port, with no path, query or user"
)]
pub struct NotABaseUrl;

impl BaseUrl {
    /// Whether it begins with `https`.
    pub const fn is_secure(&self) -> bool {
        self.secure
    }

    /// The host, lower-case; an IPv6 address stays in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port written in the URL, if any.
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// The port that a client connects to.
    pub const fn effective_port(&self) -> u16 {
        match (self.port, self.secure) {
            (Some(port), _) => port,
            (None, true) => 443,
            (None, false) => 80,
        }
    }

    /// Whether only this machine can reach it.
    pub fn is_loopback(&self) -> bool {
        is_loopback_host(&self.host)
    }

    /// The same address on another port.
    pub fn with_port(&self, port: u16) -> Self {
        Self { port: Some(port), ..self.clone() }
    }

    /// What counts for the host binding: for loopback neither name nor port, since development
    /// servers take whatever port is free.
    pub fn identity(&self) -> String {
        if self.is_loopback() {
            return "loopback".to_owned();
        }
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}:{}", self.host, self.effective_port())
    }
}

/// Whether a host name or bracketed address means this machine: `localhost`, `*.localhost`,
/// 127.0.0.0/8 and `[::1]`.
pub fn is_loopback_host(host: &str) -> bool {
    let name = host.to_ascii_lowercase();
    let bare = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(&name);
    let address = bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    address || name == "localhost" || name.ends_with(".localhost")
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.secure { "https" } else { "http" }, self.host)?;
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

impl FromStr for BaseUrl {
    type Err = NotABaseUrl;

    fn from_str(text: &str) -> Result<Self, NotABaseUrl> {
        let (scheme, rest) = text.split_once("://").ok_or(NotABaseUrl)?;
        let secure = match scheme {
            "http" => false,
            "https" => true,
            _ => return Err(NotABaseUrl),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = split_port(authority)?;
        if !is_host(host) {
            return Err(NotABaseUrl);
        }
        Ok(Self { secure, host: host.to_ascii_lowercase(), port })
    }
}

fn split_port(authority: &str) -> Result<(&str, Option<u16>), NotABaseUrl> {
    match authority.rsplit_once(':') {
        Some((host, digits)) if !digits.ends_with(']') => {
            let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
            let port = digits.parse().ok().filter(|port| plain && *port > 0).ok_or(NotABaseUrl)?;
            Ok((host, Some(port)))
        }
        _ => Ok((authority, None)),
    }
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    host.len() <= 253 && host.split('.').all(label)
}
