//! A mail server that takes connections and says nothing keeps nobody but its mails waiting.

use std::net::TcpListener;
use std::sync::mpsc;
use std::time::Duration;

use ward_tests::{Engine, Instance, Kind, json, people, tell, until};

/// Listens for ever and never answers; tells of each connection.
fn silent_server() -> (u16, mpsc::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (told, connected) = mpsc::channel();
    std::thread::spawn(move || {
        let mut held = Vec::new();
        for stream in listener.incoming() {
            held.push(stream);
            let _ = told.send(());
        }
    });
    (port, connected)
}

#[test]
fn a_mail_server_that_says_nothing_holds_up_its_mails_alone() {
    for engine in Engine::available("silent mail server") {
        let p = Instance::birth(Kind::Production, engine);
        let (port, connected) = silent_server();
        let config = p.dir.join("ward.toml");
        let text = std::fs::read_to_string(&config).unwrap();
        let mail = format!(
            "smtp_host = \"127.0.0.1\"\nsmtp_port = {port}\nsmtp_from = \"mail@harbor.example\"\n"
        );
        std::fs::write(&config, mail + &text).unwrap();
        let owner = p.owner_key();
        let server = p.serve();
        people::forget_password(&server.api(), ward_tests::instance::OWNER);
        connected.recv_timeout(Duration::from_secs(60)).expect("no mail is sent");
        // Refusals are written and events numbered by who had to wait before.
        people::client(&server.with(&owner), "ada");
        let denied = server.with("nobodys-key").ask("{ currentUser { id } }", json!({}));
        assert_eq!(denied.code(), "UNAUTHENTICATED", "{}", denied.text);
        p.await_refusal("UNAUTHENTICATED");
        let unnumbered = "SELECT COUNT(*) FROM audit_events WHERE seq IS NULL";
        let numbered = || (p.database().number(unnumbered) == 0).then_some(());
        until("the change is in the audit log", numbered);
        // The mail is under way still, and tried again after the next start.
        server.stop();
        tell("REL-14", "a stop does not wait for a mail server that says nothing");
    }
}
