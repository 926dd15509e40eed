//! The address of a receiver: read as browsers read it (WHATWG), and refused where webhooks can't
//! go by its text alone. Where its name leads is looked at again before each connection.

use std::net::IpAddr;

use url::{Host, Url};
use ward_instance::Instance;

use crate::guard::{self, Openings};

/// Characters of an address.
pub const CHARACTERS_MAX: usize = 2_000;

/// Ports below this serve the system, not webhooks; 443 apart.
const FIRST_FREE_PORT: u16 = 1_024;

/// A receiver's address, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Whether the connection is encrypted.
    pub is_tls: bool,
    /// Name or literal address, as TLS and `Host` name it.
    pub host: String,
    /// The literal address, when it is one.
    pub literal: Option<IpAddr>,
    /// The port.
    pub port: u16,
    /// Path, exactly as it is sent.
    pub path: String,
    /// Query without `?`; empty when there is none.
    pub query: String,
    /// Host and, unless it is the scheme's own, port.
    pub authority: String,
}

impl Address {
    /// Reads a text; the error is one sentence for `messages` (behaviour 13.1).
    pub fn read(text: &str, instance: &Instance) -> Result<Address, &'static str> {
        let own = instance.with_base_url(|base| base.to_string());
        let own = Url::parse(&own).ok().and_then(|url| url.host_str().map(str::to_owned));
        Self::checked(text, Openings::of(instance), own.as_deref())
    }

    /// The same for an instance that is reached at `own`.
    pub fn checked(
        text: &str,
        openings: Openings,
        own: Option<&str>,
    ) -> Result<Address, &'static str> {
        if text.chars().count() > CHARACTERS_MAX {
            return Err("Url is too long (maximum is 2000 characters)");
        }
        let url = Url::parse(text).map_err(|_| "Url is not a valid URL")?;
        let is_tls = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err("Url must begin with https://"),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err("Url must not contain a user name or password");
        }
        let (host, literal) = match url.host() {
            Some(Host::Domain(name)) => (name.to_owned(), None),
            Some(Host::Ipv4(address)) => (address.to_string(), Some(IpAddr::V4(address))),
            Some(Host::Ipv6(address)) => (format!("[{address}]"), Some(IpAddr::V6(address))),
            None => return Err("Url is not a valid URL"),
        };
        let port = url.port_or_known_default().ok_or("Url is not a valid URL")?;
        check_host(&host, literal, openings, own)?;
        let is_near = openings.loopback && is_loopback(&host, literal);
        if !(is_tls || is_near || openings.private) {
            return Err("Url must begin with https://");
        }
        if port != 443 && port < FIRST_FREE_PORT {
            return Err("Url must use port 443 or a port from 1024");
        }
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.clone(),
        };
        let query = url.query().unwrap_or_default().to_owned();
        Ok(Address { is_tls, host, literal, port, path: url.path().to_owned(), query, authority })
    }

    /// What the request line asks for.
    pub fn target(&self) -> String {
        match self.query.is_empty() {
            true => self.path.clone(),
            false => format!("{}?{}", self.path, self.query),
        }
    }
}

const NOT_PUBLIC: &str = "Url must lead to a public address on the internet";

fn check_host(
    host: &str,
    literal: Option<IpAddr>,
    openings: Openings,
    own: Option<&str>,
) -> Result<(), &'static str> {
    if let Some(address) = literal {
        return if guard::allows(address, openings) { Ok(()) } else { Err(NOT_PUBLIC) };
    }
    if is_loopback(host, literal) {
        return if openings.loopback { Ok(()) } else { Err(NOT_PUBLIC) };
    }
    if own.is_some_and(|own| own.eq_ignore_ascii_case(host.trim_end_matches('.'))) {
        return Err("Url must not lead back to this server");
    }
    let is_local = [".local", ".internal", ".home.arpa"].iter().any(|end| host.ends_with(end));
    if (is_local || !host.contains('.')) && !openings.private {
        return Err(NOT_PUBLIC);
    }
    Ok(())
}

fn is_loopback(host: &str, literal: Option<IpAddr>) -> bool {
    let host = host.trim_end_matches('.');
    literal.is_some_and(|address| address.is_loopback())
        || host == "localhost"
        || host.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOSED: Openings = Openings { loopback: false, private: false };
    const LOOPBACK: Openings = Openings { loopback: true, private: false };

    fn read(text: &str, openings: Openings) -> Result<Address, &'static str> {
        Address::checked(text, openings, Some("ehr.example.org"))
    }

    #[test]
    fn what_is_signed_is_what_is_asked_for() {
        let address = read("https://hooks.example.com/a%20b/ü?x=1&y=ä#part", CLOSED).unwrap();
        assert_eq!(address.path, "/a%20b/%C3%BC");
        assert_eq!(address.query, "x=1&y=%C3%A4");
        assert_eq!(address.target(), "/a%20b/%C3%BC?x=1&y=%C3%A4");
        assert_eq!((address.authority.as_str(), address.port), ("hooks.example.com", 443));
        let address = read("https://hooks.example.com:8443", CLOSED).unwrap();
        assert_eq!(
            (address.target().as_str(), address.authority.as_str()),
            ("/", "hooks.example.com:8443")
        );
    }

    #[test]
    fn where_webhooks_do_not_go() {
        for text in [
            "",
            "hooks",
            "/hooks",
            "ftp://hooks.example.com",
            "http://hooks.example.com",
            "https://ada:pw@hooks.example.com",
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://0177.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://169.254.169.254/latest/meta-data",
            "https://10.1.2.3/",
            "https://localhost/",
            "https://hooks.localhost/",
            "https://metadata.google.internal/",
            "https://printer/",
            "https://ehr.example.org/graphql",
            "https://EHR.example.org./graphql",
            "https://hooks.example.com:25/",
            "https://１２７.０.０.１/",
        ] {
            assert!(read(text, CLOSED).is_err(), "{text}");
        }
        assert!(read(&format!("https://hooks.example.com/{}", "a".repeat(2_000)), CLOSED).is_err());
    }

    #[test]
    fn the_sandbox_may_open_this_machine_and_nothing_else() {
        for text in ["http://127.0.0.1:3000/hook", "http://localhost:3000/", "https://[::1]:3000/"]
        {
            assert!(read(text, LOOPBACK).is_ok(), "{text}");
        }
        for text in
            ["http://10.0.0.1:3000/", "http://hooks.example.com/", "https://169.254.169.254/"]
        {
            assert!(read(text, LOOPBACK).is_err(), "{text}");
        }
    }
}
