//! Mail over SMTP: always in TLS, whatever the server says.

use ward_connectors::LiveMail;
use ward_effects::{Port, Report, Sent};
use ward_instance::config::{Connectors, SmtpTls};

use crate::authority::Authority;
use crate::sink::{Manners, mail_server};
use crate::world::{World, message};

fn config(port: u16) -> Connectors {
    Connectors {
        smtp_host: Some("localhost".to_owned()),
        smtp_port: Some(port),
        smtp_user: Some("ward".to_owned()),
        smtp_password_file: Some("password".to_owned()),
        smtp_from: Some("Harbor Practice <mail@harbor.example>".to_owned()),
        smtp_ca: Some("ca.pem".to_owned()),
        ..Connectors::default()
    }
}

/// The whole way, both ways of beginning TLS: intent, dispatcher, server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_arrives() {
    for implicit in [false, true] {
        let authority = Authority::new();
        authority.secret("password", "hunter2hunter2\n");
        let manners = Manners { implicit, ..Manners::GOOD };
        let (port, kept) = mail_server(authority.acceptor("localhost"), manners).await;
        let w = World::new().await;
        let tls = if implicit { SmtpTls::Implicit } else { SmtpTls::Starttls };
        let config = Connectors { smtp_tls: Some(tls), ..config(port) };
        let dispatcher = w.dispatcher(&config, authority.files.path()).unwrap();
        let (report, stands) = w.mail(&dispatcher).await;
        assert_eq!((report.done, stands.as_str()), (1, "done sent -"), "implicit: {implicit}");
        let mails = kept.lock().unwrap().clone();
        assert_eq!(mails.len(), 1, "{mails:?}");
        for part in [
            "AUTH PLAIN AHdhcmQAaHVudGVyMmh1bnRlcjI=",
            "MAIL FROM:<mail@harbor.example>",
            "RCPT TO:<ada@harbor.example>",
            "Subject: Set a new password",
            "X-Environment: production",
            "Message-ID: <",
            "multipart/alternative",
            "text/plain",
            "text/html",
        ] {
            assert!(mails[0].contains(part), "no {part} in {}", mails[0]);
        }
    }
}

/// A server that offers no TLS gets nothing, not even an address; so does one of another name, and
/// one whose authority nobody knows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_said_without_tls() {
    let authority = Authority::new();
    authority.secret("password", "hunter2hunter2");
    let plain = Manners { offers_tls: false, ..Manners::GOOD };
    let other = Manners::GOOD;
    for (name, manners, ca) in [
        ("localhost", plain, true),
        ("elsewhere.example", other.clone(), true),
        ("localhost", other, false),
    ] {
        let (port, kept) = mail_server(authority.acceptor(name), manners).await;
        let w = World::new().await;
        let mut config = config(port);
        if !ca {
            config.smtp_ca = None;
        }
        let dispatcher = w.dispatcher(&config, authority.files.path()).unwrap();
        let (report, stands) = w.mail(&dispatcher).await;
        assert_eq!(report, Report { retried: 1, ..Report::default() }, "{name}: {stands}");
        assert!(stands.starts_with("queued - "), "{stands}");
        assert!(kept.lock().unwrap().is_empty());
    }
}

/// What the server says decides: later, or never. Its words are not kept.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals() {
    let told = [
        ("451 ada@harbor.example is busy", 1, 0, "queued - the mail server answered 451"),
        ("554 no ada@harbor.example here", 0, 1, "failed - the mail server answered 554"),
    ];
    for (verdict, retried, failed, expected) in told {
        let authority = Authority::new();
        authority.secret("password", "hunter2hunter2");
        let manners = Manners { verdict, ..Manners::GOOD };
        let (port, _) = mail_server(authority.acceptor("localhost"), manners).await;
        let w = World::new().await;
        let dispatcher = w.dispatcher(&config(port), authority.files.path()).unwrap();
        let (report, stands) = w.mail(&dispatcher).await;
        assert_eq!((report.retried, report.failed), (retried, failed), "{verdict}");
        assert_eq!(stands, expected);
    }
}

#[tokio::test]
async fn without_a_server_mails_wait() {
    let w = World::new().await;
    let none = LiveMail::arm(&w.witness(), &Connectors::default(), "/".as_ref()).unwrap();
    assert!(!none.is_connected());
    assert_eq!(none.send(&message("x")).await, Sent::NotConnected);
}

/// A secret is in a file of its owner's, and said nowhere.
#[tokio::test]
async fn a_password_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let (authority, w) = (Authority::new(), World::new().await);
    let path = authority.secret("password", "hunter2hunter2");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let refused = |config: &Connectors| {
        let armed = LiveMail::arm(&w.witness(), config, authority.files.path());
        armed.err().unwrap().to_string()
    };
    let said = refused(&config(1));
    assert!(said.contains("others may read") && !said.contains("hunter2"), "{said}");
    authority.secret("password", "");
    assert!(refused(&config(1)).contains("does not hold one line"));
    authority.secret("password", "hunter2hunter2");
    let from = Connectors { smtp_from: Some("nobody".to_owned()), ..config(1) };
    assert!(refused(&from).contains("smtp_from"));
    let ca = Connectors { smtp_ca: Some("password".to_owned()), ..config(1) };
    assert!(refused(&ca).contains("smtp_ca"));
}
