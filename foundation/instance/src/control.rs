//! Who speaks on `D/control.sock`, by which commands reach a running server: a line is believed for
//! its MAC under the instance's root key, and never for the path by which it came (ISO-02).
//!
//! The caller says for which kind and instance it comes, and a nonce. The server greets with a nonce
//! of its own and a MAC over all four; before that is right, the caller says no word of its command.
//! Then it sends the command with a MAC over the four and its text. Greeting and command have a MAC
//! under each root that the ring holds, since a rotation may have brought the key file or the server
//! one root further. Each line of the answer has a MAC over the four, its number and its text. So a
//! command does nothing at another instance, nor a second time, and what is answered is the own
//! server's word about this command. All of it is signed and nothing sealed.

use serde::{Deserialize, Serialize};

use crate::kind::{InstanceId, Kind};
use crate::mac;
use crate::random::Random;
use crate::root::{Key, Purpose, ROOTS_MAX, RootRing};
use crate::text::{hex, unhex};

const GREETING: &[u8] = b"ward/control/greeting/v1";
const COMMAND: &[u8] = b"ward/control/command/v1";
const ANSWER: &[u8] = b"ward/control/answer/v1";

type Nonce = [u8; 32];
/// By version of the root.
type Macs = Vec<(u32, String)>;

/// Why a line is not believed, without a word of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unproven {
    /// It has another form: of another version, or of no Ward.
    #[error("it does not have the form of this version")]
    Form,
    /// It names another kind or another instance.
    #[error("it is for another instance")]
    OtherInstance,
    /// No MAC of it is right here, for this exchange.
    #[error("it is not signed with this instance's root key, for this exchange")]
    Unsigned,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HelloLine {
    kind: String,
    instance: String,
    nonce: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GreetingLine {
    nonce: String,
    macs: Macs,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CommandLine {
    command: String,
    macs: Macs,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswerLine {
    root: u32,
    answer: String,
    mac: String,
}

/// What every MAC of one exchange covers.
#[derive(Clone, Debug)]
struct Exchange {
    kind: Kind,
    instance_id: InstanceId,
    server: Nonce,
    caller: Nonce,
}

impl Exchange {
    fn greeting(&self) -> Vec<&[u8]> {
        self.fields(GREETING, &[])
    }

    fn command<'a>(&'a self, command: &'a str) -> Vec<&'a [u8]> {
        self.fields(COMMAND, &[command.as_bytes()])
    }

    fn answer<'a>(&'a self, number: &'a [u8; 8], answer: &'a str) -> Vec<&'a [u8]> {
        self.fields(ANSWER, &[number, answer.as_bytes()])
    }

    fn fields<'a>(&'a self, what: &'a [u8], more: &[&'a [u8]]) -> Vec<&'a [u8]> {
        let kind = self.kind.as_str().as_bytes();
        let mut all: Vec<&[u8]> =
            vec![what, kind, self.instance_id.as_bytes(), &self.server, &self.caller];
        all.extend_from_slice(more);
        all
    }
}

/// The server's side until a command has come: its nonce is good for one.
#[derive(Debug)]
pub struct Greeter {
    exchange: Exchange,
}

impl Greeter {
    /// Begins an exchange with whoever said that it comes for this instance; gives the line to send,
    /// too, by which the server proves itself.
    pub fn greet(
        ring: &RootRing,
        hello: &str,
        random: &Random,
    ) -> Result<(Self, String), Unproven> {
        let said: HelloLine = serde_json::from_str(hello).map_err(|_| Unproven::Form)?;
        let caller: Nonce = unhex(&said.nonce).ok_or(Unproven::Form)?;
        let (kind, instance_id) = (ring.kind(), ring.instance_id());
        if said.kind != kind.as_str() || said.instance != instance_id.to_string() {
            return Err(Unproven::OtherInstance);
        }
        let exchange = Exchange { kind, instance_id, server: drawn(random), caller };
        let macs = signed(ring, &exchange.greeting());
        let line = line(&GreetingLine { nonce: hex(&exchange.server), macs });
        Ok((Self { exchange }, line))
    }

    /// The command of a line that is signed for this exchange under a root that `ring` holds, and
    /// what its answer is signed with.
    pub fn take(self, ring: &RootRing, line: &str) -> Result<(String, Answering), Unproven> {
        let said: CommandLine = serde_json::from_str(line).map_err(|_| Unproven::Form)?;
        let fitting = fitting(ring, &said.macs, &self.exchange.command(&said.command));
        let (root, key) = fitting.ok_or(Unproven::Unsigned)?;
        Ok((said.command, Answering { exchange: self.exchange, root, key, said: 0 }))
    }
}

/// The server's side of an exchange whose caller is known.
#[derive(Debug)]
pub struct Answering {
    exchange: Exchange,
    /// As the caller signed, whatever becomes of the ring meanwhile.
    root: u32,
    key: Key,
    said: u64,
}

impl Answering {
    /// The next line of the answer.
    pub fn line(&mut self, answer: &str) -> String {
        let number = self.said.to_be_bytes();
        self.said += 1;
        let mac = mac::mac(&self.key, &self.exchange.answer(&number, answer));
        line(&AnswerLine { root: self.root, answer: answer.to_owned(), mac: hex(&mac) })
    }
}

/// The caller's side until the server has proven itself.
#[derive(Debug)]
pub struct Hello {
    nonce: Nonce,
}

impl Hello {
    /// Begins an exchange; gives the line that is said first, too.
    pub fn new(ring: &RootRing, random: &Random) -> (Self, String) {
        let nonce = drawn(random);
        let line = line(&HelloLine {
            kind: ring.kind().to_string(),
            instance: ring.instance_id().to_string(),
            nonce: hex(&nonce),
        });
        (Self { nonce }, line)
    }
}

/// The caller's side of an exchange whose server is known.
#[derive(Debug)]
pub struct Asking<'a> {
    ring: &'a RootRing,
    exchange: Exchange,
    heard: u64,
}

impl<'a> Asking<'a> {
    /// Signs a command for the server, when it is the own one that greeted; gives the line to send,
    /// too. The key file is to be read after the greeting, so that it has at least the roots that
    /// the server has.
    pub fn begin(
        ring: &'a RootRing,
        hello: Hello,
        greeting: &str,
        command: &str,
    ) -> Result<(Self, String), Unproven> {
        let said: GreetingLine = serde_json::from_str(greeting).map_err(|_| Unproven::Form)?;
        let server: Nonce = unhex(&said.nonce).ok_or(Unproven::Form)?;
        let (kind, instance_id) = (ring.kind(), ring.instance_id());
        let exchange = Exchange { kind, instance_id, server, caller: hello.nonce };
        fitting(ring, &said.macs, &exchange.greeting()).ok_or(Unproven::Unsigned)?;
        let macs = signed(ring, &exchange.command(command));
        let line = line(&CommandLine { command: command.to_owned(), macs });
        Ok((Self { ring, exchange, heard: 0 }, line))
    }

    /// The text of the next line of the answer, when the own server said it, to this command and
    /// at this place.
    pub fn open(&mut self, line: &str) -> Result<String, Unproven> {
        let said: AnswerLine = serde_json::from_str(line).map_err(|_| Unproven::Form)?;
        let tag: [u8; 32] = unhex(&said.mac).ok_or(Unproven::Form)?;
        let key = self.ring.derive_version(said.root, Purpose::Control);
        let key = key.ok_or(Unproven::Unsigned)?;
        let number = self.heard.to_be_bytes();
        if !mac::verify(&key, &self.exchange.answer(&number, &said.answer), &tag) {
            return Err(Unproven::Unsigned);
        }
        self.heard += 1;
        Ok(said.answer)
    }
}

/// A MAC under each root of the ring.
fn signed(ring: &RootRing, fields: &[&[u8]]) -> Macs {
    let under = |root: u32| {
        let key = ring.derive_version(root, Purpose::Control)?;
        Some((root, hex(&mac::mac(&key, fields))))
    };
    ring.versions().into_iter().filter_map(under).collect()
}

/// A root of the ring under which one of the MACs is right, and its key.
fn fitting(ring: &RootRing, macs: &[(u32, String)], fields: &[&[u8]]) -> Option<(u32, Key)> {
    macs.iter().take(ROOTS_MAX).find_map(|(root, mac)| {
        let key = ring.derive_version(*root, Purpose::Control)?;
        let tag: [u8; 32] = unhex(mac)?;
        mac::verify(&key, fields, &tag).then_some((*root, key))
    })
}

fn drawn(random: &Random) -> Nonce {
    let mut nonce = [0; 32];
    random.fill(&mut nonce);
    nonce
}

/// One line of JSON, without the line feed: no text in it can end it early.
fn line(said: &impl Serialize) -> String {
    serde_json::to_string(said).unwrap_or_default()
}
