//! `ward serve`: one instance, until it is told to stop.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;
use ward_instance::{Config, Kind, State};
use ward_server::{App, Hold, Opened, assemble, birthday};
use ward_store::migrate;

use crate::cli::ServeArgs;
use crate::connect;
use crate::failure::{Done, Failure};
use crate::output::Out;
use crate::{confine, logging, signals};

/// `ward serve`.
pub async fn run(args: ServeArgs, out: Out) -> Done {
    if args.tls_cert.is_some() || args.tls_key.is_some() {
        return Err(no_tls());
    }
    let mut opened = connect::open(&args.here, Hold::Serving, "serve").await?;
    match prepare(&mut opened, &args).await {
        Ok(listener) => {
            let told = move || out.say("stopping; once more ends it at once");
            let stop = signals::stop_on_signal(told, std::future::pending())?;
            let ready = |opened: &Opened, at| announce(opened, at, out);
            serve(opened, listener, args.rate_limit, stop, ready, out).await
        }
        Err(failure) => {
            ward_server::leave(&opened.db, &opened.dir).await;
            connect::close(opened).await?;
            Err(failure)
        }
    }
}

/// Configuration, logs, and the address, before anything is served.
async fn prepare(opened: &mut Opened, args: &ServeArgs) -> Done<TcpListener> {
    configure(&mut opened.config, args)?;
    logging::start(args.log_level.as_deref(), opened.config.log_level.as_deref())?;
    if opened.config.tls_cert.is_some() {
        return Err(no_tls());
    }
    let address = listen_address(&opened.config)?;
    refuse_open_http(&address, &opened.config)?;
    Ok(ward_server::listen(&address).await?)
}

/// Serves an opened instance on a bound listener: migrations first, then
/// `ready`, which is told the address, then requests until `stop`.
pub async fn serve(
    mut opened: Opened,
    listener: TcpListener,
    rate_limit: Option<u32>,
    stop: watch::Receiver<bool>,
    ready: impl FnOnce(&Opened, SocketAddr) -> Done,
    out: Out,
) -> Done {
    match begin(&mut opened, &listener, rate_limit, &stop, ready, out).await {
        Ok(app) => Ok(ward_server::serve(opened, app, listener, stop).await?),
        Err(failure) => {
            ward_server::leave(&opened.db, &opened.dir).await;
            Err(failure)
        }
    }
}

async fn begin(
    opened: &mut Opened,
    listener: &TcpListener,
    rate_limit: Option<u32>,
    stop: &watch::Receiver<bool>,
    ready: impl FnOnce(&Opened, SocketAddr) -> Done,
    out: Out,
) -> Done<Arc<App>> {
    migrate_first(opened, out).await?;
    if opened.certificate.state == State::Quarantined {
        out.say(connect::quarantined(opened));
    }
    let at = listener
        .local_addr()
        .map_err(|error| Failure::unavailable(format!("cannot listen: {error}")))?;
    opened.instance.listening_on(at.port());
    if opened.instance.base_url().is_loopback() {
        birthday::readdress(&opened.dir, &opened.instance.base_url().to_string())?;
    }
    let app = App::new(opened, rate_limit).await?;
    ward_server::arrive_again(opened).await?;
    if let Some(address) = &opened.config.private_listen {
        let private = ward_server::listen(address).await?;
        tokio::spawn(ward_server::serve_private(app.clone(), private, stop.clone()));
    }
    ready(opened, at)?;
    Ok(app)
}

/// Pending migrations, under the lock, after a copy of a SQLite database.
async fn migrate_first(opened: &mut Opened, out: Out) -> Done {
    let applied = apply_migrations(opened).await?;
    if !applied.is_empty() {
        out.say(format_args!("applied migrations {applied:?}"));
    }
    Ok(())
}

/// Applies what is pending and reads the certificate anew.
pub async fn apply_migrations(opened: &mut Opened) -> Done<Vec<i64>> {
    let pending = migrate::pending(&opened.db, assemble::MIGRATIONS).await?;
    let Some(first) = pending.first() else { return Ok(Vec::new()) };
    let copy = opened.dir.join(format!("ward.db.before-{first}"));
    let applied = migrate::apply(&opened.db, assemble::MIGRATIONS, Some(&copy)).await?;
    opened.certificate = ward_store::read_certificate(&mut opened.db.read().await?).await?;
    Ok(applied)
}

fn announce(opened: &Opened, at: SocketAddr, out: Out) -> Done {
    let (kind, tag) = (opened.instance.kind(), opened.instance.tag());
    let answer = json!({
        "listening": format!("http://{at}"),
        "environment": kind.as_str(),
        "instance": tag.as_str(),
        "base_url": opened.instance.base_url().to_string(),
        "state": opened.certificate.state.as_str(),
        "confined": confine::told(),
    });
    out.answer(&answer, || format!("listening on http://{at} ({kind} {tag})"));
    Ok(())
}

/// Lays the options over the configuration.
fn configure(config: &mut Config, args: &ServeArgs) -> Done {
    let webhooks = args.allow_loopback_webhooks || args.allow_private_webhooks;
    if webhooks && args.here.kind == Kind::Production {
        return Err(Failure::refused(
            "E-ISO-43: Production never sends webhooks to this machine or to private networks; fix: leave --allow-loopback-webhooks and --allow-private-webhooks out",
        ));
    }
    config.allow_loopback_webhooks |= args.allow_loopback_webhooks;
    config.allow_private_webhooks |= args.allow_private_webhooks;
    for (option, setting) in [
        (&args.listen, &mut config.listen),
        (&args.private_listen, &mut config.private_listen),
        (&args.trusted_proxy, &mut config.trusted_proxy),
    ] {
        if option.is_some() {
            setting.clone_from(option);
        }
    }
    match config.trusted_proxy.as_deref() {
        Some(network) if !is_network(network) => {
            Err(Failure::usage("the trusted proxy is an address or a network such as 10.0.0.0/8"))
        }
        _ => Ok(()),
    }
}

fn is_network(text: &str) -> bool {
    let (address, bits) =
        text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    let most = if address.is_ipv4() { 32 } else { 128 };
    bits.is_none_or(|bits| bits.parse::<u8>().is_ok_and(|bits| bits <= most))
}

/// Where to listen: said, or a loopback base URL's port on this machine.
fn listen_address(config: &Config) -> Done<String> {
    if let Some(address) = &config.listen {
        return Ok(address.clone());
    }
    let base_url = config.parsed_base_url()?;
    if base_url.is_loopback() {
        let host = if base_url.host().starts_with('[') { "[::1]" } else { "127.0.0.1" };
        return Ok(format!("{host}:{}", base_url.effective_port()));
    }
    Err(Failure::usage(
        "say where to listen with --listen ADDR, for example --listen 127.0.0.1:4200 behind a proxy",
    ))
}

/// Plain HTTP stays on this machine or behind a proxy that terminates TLS.
fn refuse_open_http(address: &str, config: &Config) -> Done {
    let addresses = address.to_socket_addrs().map_err(|error| {
        Failure::usage(format!("--listen {address} is no address with a port: {error}"))
    })?;
    let outside = addresses.into_iter().any(|address| !address.ip().is_loopback());
    if outside && config.trusted_proxy.is_none() {
        return Err(Failure::refused(format!(
            "{address} is reachable from other machines, and plain HTTP there would show keys and patients; \
             put a proxy that terminates TLS in front and name its network with --trusted-proxy CIDR, or listen on 127.0.0.1"
        )));
    }
    Ok(())
}

fn no_tls() -> Failure {
    Failure::refused(
        "TLS is terminated by a proxy in this version; leave --tls-cert and --tls-key out, put a proxy in front and name its network with --trusted-proxy CIDR",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trusted_proxy_is_an_address_or_a_network() {
        for right in ["10.0.0.0/8", "192.168.1.7", "fd00::/8", "::1"] {
            assert!(is_network(right), "{right}");
        }
        for wrong in ["", "10.0.0.0/33", "10.0.0", "proxy.example", "::1/129", "10.0.0.0/"] {
            assert!(!is_network(wrong), "{wrong}");
        }
    }

    #[test]
    fn plain_http_leaves_the_machine_only_behind_a_proxy() {
        let mut config = Config::new(Kind::Production, &"https://ehr.example.org".parse().unwrap());
        assert!(refuse_open_http("127.0.0.1:0", &config).is_ok());
        assert!(refuse_open_http("[::1]:0", &config).is_ok());
        assert_eq!(refuse_open_http("0.0.0.0:0", &config).unwrap_err().code, 78);
        config.trusted_proxy = Some("10.0.0.0/8".to_owned());
        assert!(refuse_open_http("0.0.0.0:0", &config).is_ok());
    }
}
