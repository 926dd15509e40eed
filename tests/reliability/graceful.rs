//! REL-14: told to stop, a server finishes what it has begun and takes nothing new; told twice,
//! it ends at once.

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};

use ward_tests::{Engine, Instance, Kind, Server, V2026, people, raw, tell, until};

const HELD: usize = 16;
const WRITERS: usize = 8;

fn body(name: &str) -> String {
    let variables = people::new_client(name);
    ward_tests::json!({"query": people::CREATE_CLIENT, "variables": variables}).to_string()
}

fn refuses_connections(server: &Server) -> bool {
    raw::connect(server.port).is_err()
}

#[test]
fn rel_14_requests_in_flight_finish() {
    for engine in Engine::available("REL-14") {
        let instance = Instance::birth(Kind::Production, engine);
        let key = instance.owner_key();
        let mut server = instance.serve();
        let held: Vec<_> = (0..HELD)
            .map(|number| {
                let body = body(&format!("held{number}"));
                (raw::hold(server.port, &key, &body), body)
            })
            .collect();
        let stopped = AtomicBool::new(false);
        let api = server.with(&key);
        let acknowledged: Vec<String> = std::thread::scope(|scope| {
            // Load beside them: what it is told is done, is done.
            let (api, stopped) = (&api, &stopped);
            let writers: Vec<_> = (0..WRITERS)
                .map(|writer| {
                    scope.spawn(move || {
                        let mut done = Vec::new();
                        for number in 0.. {
                            let input = people::new_client(&format!("w{writer}n{number}"));
                            let asked = api.try_gql(V2026, people::CREATE_CLIENT, input);
                            let Ok(reply) = asked else { break };
                            done.push(people::id(&reply.data()["createClient"]["user"]));
                            if stopped.load(Ordering::Relaxed) {
                                break;
                            }
                        }
                        done
                    })
                })
                .collect();
            until("the writers write", || {
                (instance.database().number("SELECT COUNT(*) FROM users") > 20).then_some(())
            });
            server.terminate();
            until("nothing new is taken", || refuses_connections(&server).then_some(()));
            stopped.store(true, Ordering::Relaxed);
            assert!(server.ended().is_none(), "it did not wait for what is in flight");
            let mut done = Vec::new();
            for (mut stream, body) in held {
                stream.write_all(body.as_bytes()).unwrap();
                let answer = raw::read(&mut stream);
                assert_eq!(answer.status, 200, "cut off: {}{}", answer.head, answer.body);
                done.push(people::id(&answer.json()["data"]["createClient"]["user"]));
            }
            done.extend(writers.into_iter().flat_map(|writer| writer.join().unwrap()));
            done
        });
        let status = server.wait();
        assert_eq!(status.code(), Some(0), "not a clean stop: {}", server.logs());
        let stored = instance.database().rows("SELECT id FROM users");
        let stored: Vec<String> =
            stored.into_iter().filter_map(|row| row.into_iter().next()?).collect();
        let lost: Vec<_> = acknowledged.iter().filter(|id| !stored.contains(id)).collect();
        assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
        let leases = instance.database().number("SELECT COUNT(*) FROM jobs WHERE state = 'leased'");
        assert_eq!(leases, 0, "a lease is held after a clean stop");
        let (intact, said) = instance.verify_audit();
        assert!(intact, "{said}");
        tell(
            "REL-14",
            format_args!(
                "{engine:?}: {HELD} requests in flight finished, {} acknowledged in all, 0 lost, exit 0",
                acknowledged.len()
            ),
        );
    }
}

#[test]
fn rel_14_second_signal_ends_at_once() {
    for engine in Engine::available("REL-14") {
        let instance = Instance::birth(Kind::Sandbox, engine);
        let key = instance.owner_key();
        let mut server = instance.serve();
        let body = body("never");
        let mut stream = raw::hold(server.port, &key, &body);
        server.terminate();
        until("nothing new is taken", || refuses_connections(&server).then_some(()));
        assert!(server.ended().is_none(), "it did not wait for what is in flight");
        server.terminate();
        let status = server.wait();
        let answer = raw::read(&mut stream);
        assert_eq!(answer.status, 0, "a request without a body was answered: {}", answer.body);
        // It is as well as after SIGKILL.
        let server = instance.serve();
        assert!(server.is_ready());
        people::client(&server.with(&key), "afterwards");
        tell(
            "REL-14",
            format_args!(
                "{engine:?}: ended by the second signal, with {status}, while a request was in flight"
            ),
        );
    }
}
