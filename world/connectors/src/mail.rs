//! E-mail over SMTP, always inside TLS.

use std::path::Path;
use std::time::Duration;

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message as Mail, Tokio1Executor};
use ward_effects::{Live, Message, Port, Sent};
use ward_instance::config::{Connectors, SmtpTls};
use ward_instance::{InstanceError, ProductionWitness};

use crate::secret;

/// A mail is taken within this time, or it is tried again later. Asked of the whole exchange: the
/// transport's own limit is for the connection alone.
const PATIENCE: Duration = Duration::from_secs(20);

const LATE: &str = "the mail server does not answer in time";

/// Production's mail connector: a server, or the place of one that is not configured.
pub struct LiveMail(Option<Server>);

struct Server {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl LiveMail {
    /// Arms it with the server that the configuration names. Paths are those of the instance's
    /// directory `dir` unless they are absolute.
    pub fn arm(
        _: &ProductionWitness,
        config: &Connectors,
        dir: &Path,
    ) -> Result<Self, InstanceError> {
        let Some(host) = &config.smtp_host else { return Ok(LiveMail(None)) };
        let wrong = |key: &str, what: &str| InstanceError::config(format!("{key}: {what}"));
        let from = config.smtp_from.as_deref().unwrap_or_default();
        let from: Mailbox = from
            .parse()
            .map_err(|_| wrong("smtp_from", "is an address such as Practice <mail@example.org>"))?;
        let mut tls = TlsParameters::builder(host.clone());
        if let Some(file) = &config.smtp_ca {
            let pem = std::fs::read(dir.join(file))
                .map_err(|error| wrong("smtp_ca", &format!("cannot read {file}: {error}")))?;
            let is_one = String::from_utf8_lossy(&pem).contains("BEGIN CERTIFICATE");
            let certificate = Certificate::from_pem(&pem).ok().filter(|_| is_one);
            let none = || wrong("smtp_ca", "is no certificate in PEM");
            tls = tls.add_root_certificate(certificate.ok_or_else(none)?);
        }
        let tls =
            tls.build_rustls().map_err(|_| wrong("smtp_host", "is not the name of a host"))?;
        let (tls, port) = match config.smtp_tls.unwrap_or_default() {
            SmtpTls::Starttls => (Tls::Required(tls), 587),
            SmtpTls::Implicit => (Tls::Wrapper(tls), 465),
        };
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host.clone())
            .port(config.smtp_port.unwrap_or(port))
            .tls(tls)
            .hello_name(ClientId::Domain(from.email.domain().to_owned()))
            .timeout(Some(PATIENCE));
        if let Some(user) = &config.smtp_user {
            let file = config.smtp_password_file.as_deref().unwrap_or_default();
            let password = secret::read("smtp_password_file", &dir.join(file))?;
            transport = transport.credentials(Credentials::new(user.clone(), password.to_string()));
        }
        Ok(LiveMail(Some(Server { transport: transport.build(), from })))
    }
}

impl Port for LiveMail {
    fn is_connected(&self) -> bool {
        self.0.is_some()
    }

    async fn send(&self, message: &Message) -> Sent {
        let Some(server) = &self.0 else { return Sent::NotConnected };
        let mail = match mail(&server.from, message) {
            Ok(mail) => mail,
            Err(reason) => return Sent::Failed { reason: reason.to_owned(), retry: false },
        };
        match tokio::time::timeout(PATIENCE, server.transport.send(mail)).await {
            Ok(Ok(_)) => Sent::Done { reference: message.intent_id.0.clone() },
            Ok(Err(error)) => failed(&error),
            Err(_) => Sent::Failed { reason: LATE.to_owned(), retry: true },
        }
    }
}

impl Live for LiveMail {}

/// The mail. Its `Message-ID` is the intent's, so a server or a mailbox that drops repeated mails
/// drops one that is sent again after a crash.
fn mail(from: &Mailbox, message: &Message) -> Result<Mail, &'static str> {
    let to: Address = message.to.parse().map_err(|_| "the address is not an e-mail address")?;
    let content = &message.content;
    let mut builder = Mail::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(content.subject.clone())
        .message_id(Some(format!("<{}@{}>", message.intent_id, from.email.domain())));
    for (name, value) in &content.headers {
        let name = HeaderName::new_from_ascii_str(name);
        builder = builder.raw_header(HeaderValue::new(name, value.clone()));
    }
    let body = MultiPart::alternative_plain_html(content.text.clone(), content.html.clone());
    builder.multipart(body).map_err(|_| "the mail can't be written")
}

/// Why it was not taken, in words of ours: what a server answers may repeat the address.
fn failed(error: &SmtpError) -> Sent {
    let code = error.status().map(|code| code.to_string());
    let reason = match code {
        Some(code) => format!("the mail server answered {code}"),
        None if error.is_tls() => "the mail server's TLS is refused".to_owned(),
        None if error.is_timeout() => LATE.to_owned(),
        None if error.is_client() => {
            "the mail server offers no TLS, or does not speak SMTP".to_owned()
        }
        None => "the mail server is not reached".to_owned(),
    };
    tracing::debug!(%reason, "a mail was not taken");
    Sent::Failed { reason, retry: !error.is_permanent() }
}
