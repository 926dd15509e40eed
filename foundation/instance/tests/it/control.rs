//! ISO-02: on the control socket a command is done, and an answer believed, only by the instance's
//! own root key and once.

use proptest::prelude::*;
use ward_instance::control::{Answering, Asking, Greeter, Unproven};
use ward_instance::{Kind, Random, RootRing};

use crate::{ring, vector_ring};

const COMMAND: &str = r#"{"command":"key_create","user":"owner@practice.example"}"#;

/// A command signed by one ring, at a server of another; what came of it.
fn presented(caller: &RootRing, server: &RootRing) -> Result<String, Unproven> {
    let greeter = Greeter::new(&Random::seeded(1));
    let (_, line) = Asking::begin(caller, &greeter.line(), COMMAND, &Random::seeded(2)).unwrap();
    greeter.take(server, &line).map(|(command, _)| command)
}

/// An exchange up to where the server answers; the line that was sent, too.
fn begun<'a>(caller: &'a RootRing, server: &RootRing) -> (Asking<'a>, Answering, String) {
    let greeter = Greeter::new(&Random::os());
    let (asking, line) = Asking::begin(caller, &greeter.line(), COMMAND, &Random::os()).unwrap();
    let (command, answering) = greeter.take(server, &line).unwrap();
    assert_eq!(command, COMMAND);
    (asking, answering, line)
}

#[test]
fn a_command_and_its_answers_arrive() {
    for kind in Kind::ALL {
        let own = ring(kind, 1);
        let (mut asking, mut answering, line) = begun(&own, &own);
        assert!(!line.contains('\n'), "{line}");
        for answer in ["{}", "", "two\nlines", "“quoted”"] {
            let line = answering.line(answer);
            assert!(!line.contains('\n'), "{line}");
            assert_eq!(asking.open(&line).as_deref(), Ok(answer));
        }
    }
}

#[test]
fn iso_02_a_command_for_another_instance_is_not_taken() {
    let own = ring(Kind::Production, 1);
    // Of the other environment, of another instance, and of one that only the kind tells apart.
    assert_eq!(presented(&ring(Kind::Sandbox, 2), &own), Err(Unproven::OtherInstance));
    assert_eq!(presented(&ring(Kind::Production, 2), &own), Err(Unproven::OtherInstance));
    let (s, p) = (vector_ring(Kind::Sandbox), vector_ring(Kind::Production));
    assert_eq!(presented(&s, &p), Err(Unproven::OtherInstance));
    assert_eq!(presented(&p, &p).as_deref(), Ok(COMMAND));
}

#[test]
fn iso_02_what_only_calls_itself_so_is_not_taken() {
    let own = ring(Kind::Production, 1);
    // The same kind and instance, with a root of its own.
    let forged = RootRing::generate(own.kind(), own.instance_id(), &Random::seeded(9));
    assert_eq!(presented(&forged, &own), Err(Unproven::Unsigned));
    // Another instance's line with the names exchanged.
    let other = ring(Kind::Sandbox, 2);
    let greeter = Greeter::new(&Random::seeded(1));
    let (_, line) = Asking::begin(&other, &greeter.line(), COMMAND, &Random::seeded(2)).unwrap();
    let renamed = line
        .replace("sandbox", "production")
        .replace(&other.instance_id().to_string(), &own.instance_id().to_string());
    assert_ne!(renamed, line);
    assert_eq!(greeter.take(&own, &renamed).map(|_| ()), Err(Unproven::Unsigned));
}

#[test]
fn iso_02_the_protocol_of_before_is_not_taken() {
    let own = ring(Kind::Production, 1);
    for line in [COMMAND, "", "\n", "null", "[]", "{}", "{\"nonce\":\"\"}"] {
        let taken = Greeter::new(&Random::seeded(1)).take(&own, line);
        assert_eq!(taken.map(|_| ()), Err(Unproven::Form), "{line}");
        let greeted = Asking::begin(&own, line, COMMAND, &Random::seeded(2));
        assert_eq!(greeted.map(|_| ()), Err(Unproven::Form), "{line}");
    }
    // No MAC at all.
    let greeter = Greeter::new(&Random::seeded(1));
    let line = format!(
        r#"{{"kind":"production","instance":"{}","nonce":"{}","command":"{{}}","macs":[]}}"#,
        own.instance_id(),
        "00".repeat(32)
    );
    assert_eq!(greeter.take(&own, &line).map(|_| ()), Err(Unproven::Unsigned));
}

#[test]
fn iso_02_a_command_is_taken_once() {
    let own = ring(Kind::Production, 1);
    let (_, _, line) = begun(&own, &own);
    // The next connection has another nonce.
    let again = Greeter::new(&Random::os()).take(&own, &line);
    assert_eq!(again.map(|_| ()), Err(Unproven::Unsigned));
}

#[test]
fn iso_02_an_answer_is_the_own_servers_to_this_command() {
    let (own, other) = (ring(Kind::Sandbox, 1), ring(Kind::Sandbox, 2));
    let (mut asking, mut answering, _) = begun(&own, &own);
    let (_, mut of_another, _) = begun(&other, &other);
    let (mut next, mut of_before, _) = begun(&own, &own);
    let refused = Err(Unproven::Unsigned);
    // Another server's; one to another command; one of the protocol of before.
    assert_eq!(asking.open(&of_another.line("{}")), refused);
    assert_eq!(asking.open(&of_before.line("{}")), refused);
    let before = r#"{"outcome":"done","answer":{}}"#;
    assert_eq!(asking.open(before), Err(Unproven::Form));
    // Out of turn, and twice.
    let (first, second) = (answering.line("first"), answering.line("second"));
    assert_eq!(asking.open(&second), refused);
    assert_eq!(asking.open(&first).as_deref(), Ok("first"));
    assert_eq!(asking.open(&first), refused);
    assert_eq!(asking.open(&second).as_deref(), Ok("second"));
    assert_eq!(next.open(&second), refused);
}

/// A greeting that was recorded, with the answer to what was asked then.
#[test]
fn iso_02_a_recorded_server_is_not_believed() {
    let own = ring(Kind::Sandbox, 1);
    let greeter = Greeter::new(&Random::seeded(1));
    let greeting = greeter.line();
    let ask = |seed| Asking::begin(&own, &greeting, COMMAND, &Random::seeded(seed)).unwrap();
    let ((mut then, line), (mut now, _)) = (ask(2), ask(3));
    let (_, mut answering) = greeter.take(&own, &line).unwrap();
    let answer = answering.line("done");
    assert_eq!(now.open(&answer), Err(Unproven::Unsigned));
    assert_eq!(then.open(&answer).as_deref(), Ok("done"));
}

/// The key file and the memory of the server are one step of a rotation apart.
#[test]
fn a_rotation_under_way_stops_no_command() {
    let before = RootRing::clone(&ring(Kind::Production, 1));
    let mut both = before.clone();
    both.add_root(&Random::seeded(3)).unwrap();
    let mut after = both.clone();
    assert!(after.drop_root(1));
    for (caller, server) in
        [(&before, &both), (&both, &before), (&both, &both), (&both, &after), (&after, &both)]
    {
        let (mut asking, mut answering, _) = begun(caller, server);
        assert_eq!(asking.open(&answering.line("done")).as_deref(), Ok("done"));
    }
    assert_eq!(presented(&before, &after), Err(Unproven::Unsigned));
}

proptest! {
    #[test]
    fn an_altered_line_is_not_believed(at in any::<prop::sample::Index>(), to in "[ -~]") {
        let own = ring(Kind::Production, 1);
        let greeter = Greeter::new(&Random::seeded(1));
        let greeting = greeter.line();
        let (mut asking, line) =
            Asking::begin(&own, &greeting, COMMAND, &Random::seeded(2)).unwrap();
        let altered = |line: &str| {
            let mut letters: Vec<String> = line.chars().map(String::from).collect();
            let at = at.index(letters.len());
            letters[at] = to.clone();
            letters.concat()
        };
        let (command, mut answering) = greeter.take(&own, &line).unwrap();
        prop_assert_eq!(command, COMMAND);
        // The same greeter again: the alteration is all that is wrong.
        let again = Greeter::new(&Random::seeded(1)).take(&own, &altered(&line));
        prop_assert!(altered(&line) == line || again.is_err());
        let answer = answering.line("done");
        let wrong = altered(&answer);
        prop_assert!(wrong == answer || asking.open(&wrong).is_err());
        prop_assert_eq!(asking.open(&answer), Ok("done".to_owned()));
    }

    #[test]
    fn any_line_gets_an_answer(line in "\\PC*") {
        let own = ring(Kind::Production, 1);
        prop_assert!(Greeter::new(&Random::seeded(1)).take(&own, &line).is_err());
    }
}
