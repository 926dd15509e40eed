//! ISO-02: commands reach the server of their own instance or none, whatever `control.sock` leads
//! to, and a server does what its own instance's root key has signed, once.

mod unproven;

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::symlink;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use ward_tests::database::{Dump, Entry};
use ward_tests::instance::OWNER;
use ward_tests::wait::PATIENCE;
use ward_tests::{Engine, Instance, Json, Kind, Output, Server, json, people, tell, until};

/// Commands of both kinds that a running server is asked to do.
const COMMANDS: [(&[&str], &[&str]); 8] = [
    (&["key", "create"], &["--user", OWNER]),
    (&["key", "list"], &[]),
    (&["key", "rotate-root"], &[]),
    (&["user", "list"], &[]),
    (&["user", "link"], &["--user", OWNER]),
    (&["user", "disable"], &["--user", OWNER]),
    (&["attest"], &["--reason", "none"]),
    (&["status"], &[]),
];

/// What somebody who can't sign would have done.
fn unsigned() -> [Json; 7] {
    [
        json!({"command": "status"}),
        json!({"command": "user_list"}),
        json!({"command": "key_create", "user": OWNER, "name": "stolen"}),
        json!({"command": "user_link", "user": OWNER}),
        json!({"command": "user_disable", "user": OWNER}),
        json!({"command": "key_rotate_root", "leave_damaged": false}),
        json!({"command": "attest", "base_url": null, "reason": "none", "by": []}),
    ]
}

/// An instance that serves.
struct Running {
    instance: Instance,
    server: Server,
    key: String,
}

impl Running {
    fn new(kind: Kind) -> Running {
        let instance = Instance::birth(kind, Engine::Sqlite);
        let key = instance.owner_key();
        let server = instance.serve();
        Running { instance, server, key }
    }

    fn socket(&self) -> PathBuf {
        self.instance.dir.join("control.sock")
    }

    /// What it holds, and its audit log.
    fn held(&self) -> (Dump, Vec<Entry>) {
        (self.instance.settled_dump(), self.instance.audit_entries())
    }

    #[track_caller]
    fn assert_untouched(&self, before: &(Dump, Vec<Entry>), what: &str) {
        let (dump, audit) = self.held();
        dump.assert_unchanged_since(&before.0, what);
        assert_eq!(audit, before.1, "{what} is in the audit log");
    }

    /// Waits until the log tells of a refused command, and looks that it tells nothing of what
    /// was asked.
    fn assert_warned(&self) {
        let refused = "a command on control.sock was refused";
        until(refused, || self.server.logs().contains(refused).then_some(()));
        for line in self.server.logs().lines().filter(|line| line.contains(refused)) {
            assert!(!line.contains(OWNER) && !line.contains("key_create"), "{line}");
        }
    }

    /// A command reaches it, and its owner's key is good.
    fn assert_well(&self) {
        drop(self.instance.ward(&["user", "list"], &[]).ok());
        people::current_user(&self.server.with(&self.key));
    }
}

/// One end of a connection over which lines go.
struct Wire {
    read: BufReader<UnixStream>,
    write: UnixStream,
}

impl Wire {
    fn of(stream: UnixStream) -> Wire {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Wire { read: BufReader::new(stream.try_clone().unwrap()), write: stream }
    }

    fn to(path: &Path) -> Wire {
        Wire::of(UnixStream::connect(path).unwrap())
    }

    fn say(&mut self, line: &str) {
        self.write.write_all(line.as_bytes()).unwrap();
    }

    /// The next line with its line feed; nothing at the end.
    fn hear(&mut self) -> String {
        let mut line = String::new();
        self.read.read_line(&mut line).unwrap();
        line
    }

    /// Asserts that the answer is a refusal, and the last that is said.
    #[track_caller]
    fn assert_refused(&mut self, what: &str) {
        let answer = self.hear();
        let told: Json = answer.parse().unwrap_or_default();
        assert!(told["refused"].is_string(), "{what}: {answer}");
        assert_eq!(self.hear(), "", "{what}");
    }
}

#[test]
fn iso_02_a_socket_that_leads_to_another_instance_is_refused() {
    let (s, p) = (Running::new(Kind::Sandbox), Running::new(Kind::Production));
    let another = Running::new(Kind::Production);
    let mut refused = 0;
    for (from, to) in [(&s, &p), (&p, &s), (&another, &p)] {
        let before = (from.held(), to.held());
        let kept = from.instance.dir.join("kept.sock");
        std::fs::rename(from.socket(), &kept).unwrap();
        symlink(to.socket(), from.socket()).unwrap();
        refused += refuse_all(from, "is a link");
        std::fs::remove_file(from.socket()).unwrap();
        // Nothing about the file tells whose it is.
        std::fs::hard_link(to.socket(), from.socket()).unwrap();
        refused += refuse_all(from, "leads to another instance");
        to.assert_warned();
        std::fs::remove_file(from.socket()).unwrap();
        std::fs::rename(&kept, from.socket()).unwrap();
        to.assert_untouched(&before.1, "a command for another instance");
        from.assert_untouched(&before.0, "a command that went astray");
    }
    for side in [&s, &p, &another] {
        side.assert_well();
    }
    tell("ISO-02", format_args!("{refused} commands at another instance's socket refused"));
}

/// Every command of an instance whose socket leads elsewhere is refused; how many.
fn refuse_all(from: &Running, why: &str) -> usize {
    let assert_refused = |output: Output| {
        let line = output.refused("ISO-02");
        assert!(line.contains("control.sock") && line.contains(why), "{line}");
        assert_eq!(output.stdout, "", "{line}");
    };
    for (words, rest) in COMMANDS {
        assert_refused(from.instance.ward(words, rest));
    }
    if from.instance.kind == Kind::Sandbox {
        assert_refused(from.instance.sandbox("reset", &[]));
    }
    // The doctor looks at everything else, too, and says it beside the rest.
    let doctor = from.instance.ward(&["doctor"], &[]);
    assert_eq!(doctor.code, Some(1), "{doctor:?}");
    assert!(doctor.stdout.contains("E-ISO-02"), "{doctor:?}");
    COMMANDS.len()
}

/// A process of the same user that finds the way to the socket by itself, and has no root key.
#[test]
fn iso_02_a_command_that_is_not_signed_does_nothing() {
    for kind in Kind::BOTH {
        let it = Running::new(kind);
        let before = it.held();
        for command in unsigned() {
            // As before there were signatures: without waiting for anything.
            let mut wire = Wire::to(&it.socket());
            wire.say(&format!("{command}\n"));
            wire.assert_refused(&command.to_string());
            // And with everything in its form but the key.
            let mut wire = Wire::to(&it.socket());
            wire.say(&hello(&it.instance));
            let greeting: Json = wire.hear().parse().unwrap();
            assert!(greeting["macs"].is_array(), "{greeting}");
            let zeros = "00".repeat(32);
            let forged = json!({"command": command.to_string(), "macs": [[1, zeros]]});
            wire.say(&format!("{forged}\n"));
            wire.assert_refused(&forged.to_string());
        }
        it.assert_warned();
        it.assert_untouched(&before, "an unsigned command");
        it.assert_well();
    }
    tell(
        "ISO-02",
        format_args!("2 kinds: {} commands without signature refused", unsigned().len()),
    );
}

/// The instance's id, from the second line of its key file.
fn id(instance: &Instance) -> String {
    let text = std::fs::read_to_string(instance.dir.join("root.key")).unwrap();
    let line = text.lines().nth(1).and_then(|line| line.strip_prefix("instance "));
    line.expect("the key file names the instance").to_owned()
}

/// What a caller says first, which anybody can.
fn hello(instance: &Instance) -> String {
    let (kind, nonce) = (instance.kind.word(), "00".repeat(32));
    format!("{}\n", json!({"kind": kind, "instance": id(instance), "nonce": nonce}))
}

/// What was said over the socket, as somebody in between hears it.
struct Heard {
    hello: String,
    greeting: String,
    command: String,
    answers: Vec<String>,
}

/// Passes lines on between a command and its server, the answers as they are changed on the way.
fn between(mut client: Wire, server: &Path, changed: impl Fn(&str) -> String) -> Heard {
    let mut server = Wire::to(server);
    let (hello, greeting, command) = met_by(&mut client, &mut server);
    server.say(&command);
    let mut answers = Vec::new();
    loop {
        let answer = server.hear();
        if answer.is_empty() {
            return Heard { hello, greeting, command, answers };
        }
        client.say(&changed(&answer));
        answers.push(answer);
    }
}

/// Passes both greetings on; they, and the command, which goes no further.
fn met_by(client: &mut Wire, server: &mut Wire) -> (String, String, String) {
    let hello = client.hear();
    server.say(&hello);
    let greeting = server.hear();
    client.say(&greeting);
    (hello, greeting, client.hear())
}

/// Runs a command while somebody else listens where its server did; what came of it, and to them.
fn met<T: Send>(
    of: &Running,
    (words, rest): (&[&str], &[&str]),
    listen: impl FnOnce(Wire) -> T + Send,
) -> (Output, T) {
    let listener = UnixListener::bind(of.socket()).unwrap();
    listener.set_nonblocking(true).unwrap();
    let heard = std::thread::scope(|scope| {
        let listening = scope.spawn(|| {
            let (stream, _) = until("a command comes", || listener.accept().ok());
            stream.set_nonblocking(false).unwrap();
            listen(Wire::of(stream))
        });
        let output = match words {
            ["sandbox", word] => of.instance.sandbox(word, rest),
            _ => of.instance.ward(words, rest),
        };
        (output, listening.join().unwrap())
    });
    std::fs::remove_file(of.socket()).unwrap();
    heard
}

#[test]
fn iso_02_what_was_recorded_counts_no_second_time() {
    let p = Running::new(Kind::Production);
    let real = p.instance.dir.join("real.sock");
    std::fs::rename(p.socket(), &real).unwrap();
    let keys = || p.instance.database().number("SELECT COUNT(*) FROM api_keys");
    let (create, own) = (COMMANDS[0], keys());
    let (made, heard) = met(&p, create, |client| between(client, &real, str::to_owned));
    drop(made.ok());
    assert_eq!(keys(), own + 1, "the command that was recorded");
    let before = p.held();
    // The command again, at the server.
    let mut wire = Wire::to(&real);
    wire.say(&heard.hello);
    assert_ne!(wire.hear(), heard.greeting, "a nonce came twice");
    wire.say(&heard.command);
    wire.assert_refused("a recorded command");
    p.assert_warned();
    // The server again, to another command, which it does not hear.
    let (output, command) = met(&p, create, |mut client| {
        client.hear();
        client.say(&heard.greeting);
        client.hear()
    });
    output.refused("ISO-02");
    assert_eq!((output.stdout.as_str(), command.as_str()), ("", ""));
    // The server itself, and then somebody who answers as it did then, or only says that it is done,
    // or that it was refused.
    let done = format!("{}\n", json!({"outcome": "done", "answer": {}}));
    let not_yours = format!("{}\n", json!({"refused": "so it is"}));
    for (answer, why) in [
        (&heard.answers[0], "is not signed"),
        (&done, "is not signed"),
        (&not_yours, "did not accept this command"),
    ] {
        let (output, ()) = met(&p, create, |mut client| {
            let mut server = Wire::to(&real);
            met_by(&mut client, &mut server);
            client.say(answer);
        });
        let line = output.refused("ISO-02");
        assert!(line.contains(why), "{line}");
        assert_eq!(output.stdout, "");
    }
    // The server itself, and its word is changed on the way.
    let change = |answer: &str| {
        let changed = answer.replace(OWNER, "other@practice.example");
        assert_ne!(changed, answer);
        changed
    };
    let list: (&[&str], &[&str]) = (&["user", "list"], &[]);
    let (output, _) = met(&p, list, |client| between(client, &real, change));
    output.refused("ISO-02");
    assert_eq!(output.stdout, "");
    p.assert_untouched(&before, "what was recorded");
    std::fs::rename(&real, p.socket()).unwrap();
    p.assert_well();
    tell("ISO-02", "a recorded command and server, 3 answers of others and a changed one refused");
}
