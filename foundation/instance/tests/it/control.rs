//! ISO-02: on the control socket a command is done, and an answer believed, only by the instance's
//! own root key and once.

use proptest::prelude::*;
use ward_instance::control::{Answering, Asking, Greeter, Hello, Unproven};
use ward_instance::{Kind, Random, RootRing};

use crate::{ring, vector_ring};

const COMMAND: &str = r#"{"command":"key_create","user":"owner@practice.example"}"#;

/// A command signed by one ring, at a server of another; what came of it.
fn presented(caller: &RootRing, server: &RootRing) -> Result<String, Unproven> {
    let (hello, line) = Hello::new(caller, &Random::seeded(2));
    let (greeter, greeting) = Greeter::greet(server, &line, &Random::seeded(1))?;
    let (_, line) = Asking::begin(caller, hello, &greeting, COMMAND)?;
    greeter.take(server, &line).map(|(command, _)| command)
}

/// An exchange up to where the server answers; the line with the command, too.
fn begun<'a>(caller: &'a RootRing, server: &RootRing) -> (Asking<'a>, Answering, String) {
    let (hello, line) = Hello::new(caller, &Random::os());
    let (greeter, greeting) = Greeter::greet(server, &line, &Random::os()).unwrap();
    assert!(!line.contains('\n') && !greeting.contains('\n'), "{line} {greeting}");
    let (asking, line) = Asking::begin(caller, hello, &greeting, COMMAND).unwrap();
    let (command, answering) = greeter.take(server, &line).unwrap();
    assert_eq!(command, COMMAND);
    (asking, answering, line)
}

/// What a server with these numbers greets.
fn greeted(server: &RootRing, hello: &str) -> (Greeter, String) {
    Greeter::greet(server, hello, &Random::seeded(1)).unwrap()
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
    // The same kind and instance, with a root of its own: the caller hears it by the greeting, and
    // the server by the command of a caller that goes on all the same.
    let forged = RootRing::generate(own.kind(), own.instance_id(), &Random::seeded(9));
    assert_eq!(presented(&forged, &own), Err(Unproven::Unsigned));
    let (hello, line) = Hello::new(&forged, &Random::seeded(2));
    let (greeter, (_, greeting)) = (greeted(&own, &line).0, greeted(&forged, &line));
    let (_, line) = Asking::begin(&forged, hello, &greeting, COMMAND).unwrap();
    assert_eq!(greeter.take(&own, &line).map(|_| ()), Err(Unproven::Unsigned));
    // Another instance's caller, with the names exchanged.
    let other = ring(Kind::Sandbox, 2);
    let (hello, line) = Hello::new(&other, &Random::seeded(2));
    let renamed = line
        .replace("sandbox", "production")
        .replace(&other.instance_id().to_string(), &own.instance_id().to_string());
    assert_ne!(renamed, line);
    let (greeter, (_, greeting)) = (greeted(&own, &renamed).0, greeted(&other, &line));
    let (_, line) = Asking::begin(&other, hello, &greeting, COMMAND).unwrap();
    assert_eq!(greeter.take(&own, &line).map(|_| ()), Err(Unproven::Unsigned));
}

/// A caller signs nothing for whoever greets with anything but the own root, in this exchange.
#[test]
fn iso_02_a_server_that_is_not_proven_gets_no_command() {
    let own = ring(Kind::Production, 1);
    let forged = RootRing::generate(own.kind(), own.instance_id(), &Random::seeded(9));
    let begin = |seed, greeting: &str| {
        let (hello, _) = Hello::new(&own, &Random::seeded(seed));
        Asking::begin(&own, hello, greeting, COMMAND).map(|_| ())
    };
    let (_, line) = Hello::new(&own, &Random::seeded(2));
    let (_, greeting) = greeted(&own, &line);
    assert_eq!(begin(2, &greeting), Ok(()));
    // One that was recorded, one of another root, one without any.
    assert_eq!(begin(3, &greeting), Err(Unproven::Unsigned));
    assert_eq!(begin(2, &greeted(&forged, &line).1), Err(Unproven::Unsigned));
    let none = format!(r#"{{"nonce":"{}","macs":[]}}"#, "00".repeat(32));
    assert_eq!(begin(2, &none), Err(Unproven::Unsigned));
    // The greeting is no command, nor an answer, though it is signed.
    assert_eq!(greeted(&own, &line).0.take(&own, &greeting).map(|_| ()), Err(Unproven::Form));
}

#[test]
fn iso_02_the_protocol_of_before_is_not_taken() {
    let own = ring(Kind::Production, 1);
    let (_, hello) = Hello::new(&own, &Random::seeded(2));
    let nonce = format!(r#"{{"nonce":"{}"}}"#, "00".repeat(32));
    for line in [COMMAND, "", "\n", "null", "[]", "{}", "{\"nonce\":\"\"}", nonce.as_str()] {
        let met = Greeter::greet(&own, line, &Random::seeded(1));
        assert_eq!(met.map(|_| ()), Err(Unproven::Form), "{line}");
        let taken = greeted(&own, &hello).0.take(&own, line);
        assert_eq!(taken.map(|_| ()), Err(Unproven::Form), "{line}");
        let (caller, _) = Hello::new(&own, &Random::seeded(2));
        let begun = Asking::begin(&own, caller, line, COMMAND);
        assert_eq!(begun.map(|_| ()), Err(Unproven::Form), "{line}");
    }
    // No MAC at all.
    let taken = greeted(&own, &hello).0.take(&own, r#"{"command":"{}","macs":[]}"#);
    assert_eq!(taken.map(|_| ()), Err(Unproven::Unsigned));
}

#[test]
fn iso_02_a_command_is_taken_once() {
    let own = ring(Kind::Production, 1);
    let (_, _, line) = begun(&own, &own);
    // The next connection has another nonce of the server's, whatever the caller says.
    for _ in 0..2 {
        let (_, hello) = Hello::new(&own, &Random::seeded(2));
        let (greeter, _) = Greeter::greet(&own, &hello, &Random::os()).unwrap();
        assert_eq!(greeter.take(&own, &line).map(|_| ()), Err(Unproven::Unsigned));
    }
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
        let altered = |line: &str| {
            let mut letters: Vec<String> = line.chars().map(String::from).collect();
            let at = at.index(letters.len());
            letters[at] = to.clone();
            letters.concat()
        };
        let begin = |greeting: &str| {
            let (hello, _) = Hello::new(&own, &Random::seeded(2));
            Asking::begin(&own, hello, greeting, COMMAND)
        };
        let (_, hello) = Hello::new(&own, &Random::seeded(2));
        let (greeter, greeting) = greeted(&own, &hello);
        // What is greeted to another nonce is no greeting for this one.
        let wrong = altered(&hello);
        let met = Greeter::greet(&own, &wrong, &Random::seeded(1));
        prop_assert!(wrong == hello || met.is_err() || met.is_ok_and(|(_, to)| begin(&to).is_err()));
        let wrong = altered(&greeting);
        prop_assert!(wrong == greeting || begin(&wrong).is_err());
        let (mut asking, line) = begin(&greeting).unwrap();
        let (command, mut answering) = greeter.take(&own, &line).unwrap();
        prop_assert_eq!(command, COMMAND);
        // The same greeter again: the alteration is all that is wrong.
        let wrong = altered(&line);
        prop_assert!(wrong == line || greeted(&own, &hello).0.take(&own, &wrong).is_err());
        let answer = answering.line("done");
        let wrong = altered(&answer);
        prop_assert!(wrong == answer || asking.open(&wrong).is_err());
        prop_assert_eq!(asking.open(&answer), Ok("done".to_owned()));
    }

    #[test]
    fn any_line_gets_an_answer(line in "\\PC*") {
        let own = ring(Kind::Production, 1);
        prop_assert!(Greeter::greet(&own, &line, &Random::seeded(1)).is_err());
        let (caller, hello) = Hello::new(&own, &Random::seeded(2));
        prop_assert!(greeted(&own, &hello).0.take(&own, &line).is_err());
        prop_assert!(Asking::begin(&own, caller, &line, COMMAND).is_err());
    }
}
