//! Who is told what, in which order, by which process.

use ward_tests::socket::{cable, channel, listen, subscribe, transport};
use ward_tests::{Engine, Instance, json, people};

use crate::practice::{MINE, Practice, rename, told};

/// Everybody hears of their own; nobody of another's, of another organization's least of all.
#[test]
fn sec_01_nobody_is_told_of_others() {
    for engine in Engine::available("SEC-01") {
        let practice = Practice::open(engine, &[]);
        let colleague = practice.instance.member("provider");
        let colleague_id = people::current_user(&practice.server.with(&colleague));
        let mut mine = cable(practice.server.port, &practice.key);
        let mut theirs = cable(practice.server.port, &colleague);
        listen(&mut mine, &channel("1"), MINE);
        listen(&mut theirs, &channel("1"), MINE);
        rename(&practice.server.with(&colleague), "Colleague");
        assert_eq!(theirs.message()["message"]["result"], told(&colleague_id));
        mine.is_silent();
        rename(&practice.owner(), "Owner");
        assert_eq!(mine.message()["message"]["result"], told(&practice.me));
        theirs.is_silent();
    }
}

/// Two processes on one database: what either commits, subscribers of both hear, once and in order.
#[test]
fn two_processes_tell_what_either_commits() {
    if !Engine::available("two processes").contains(&Engine::Postgres) {
        return;
    }
    let practice = Practice::open(Engine::Postgres, &[]);
    let copy: Instance = practice.instance.copied();
    let other = copy.serve();
    let mut here = cable(practice.server.port, &practice.key);
    let mut there = transport(other.port, &practice.key);
    listen(&mut here, &channel("1"), MINE);
    subscribe(&mut there, "1", MINE);
    const EACH: usize = 10;
    for n in 0..EACH {
        rename(&practice.owner(), &format!("Here {n}"));
        rename(&other.with(&practice.key), &format!("There {n}"));
    }
    for _ in 0..2 * EACH {
        assert_eq!(here.message()["message"]["result"], told(&practice.me));
        assert_eq!(there.message()["payload"], told(&practice.me));
    }
    here.is_silent();
    there.is_silent();
    // Numbers are given once and without a gap, whoever gives them.
    let gaps = "SELECT COUNT(*) FROM (SELECT org_id FROM events WHERE seq IS NOT NULL \
                GROUP BY org_id HAVING COUNT(*) <> MAX(seq)) AS gaps";
    assert_eq!(practice.instance.database().number(gaps), 0);
}

/// Many changes at once: every subscriber hears of each.
#[test]
fn none_is_lost_under_load() {
    for engine in Engine::available("subscriptions under load") {
        let practice = Practice::open(engine, &[]);
        let mut sockets: Vec<_> = (0..20)
            .map(|_| {
                let mut socket = transport(practice.server.port, &practice.key);
                subscribe(&mut socket, "1", MINE);
                socket
            })
            .collect();
        const THREADS: usize = 4;
        const EACH: usize = 10;
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let api = practice.owner();
                scope.spawn(move || {
                    for n in 0..EACH {
                        rename(&api, &format!("{thread}-{n}"));
                    }
                });
            }
        });
        for socket in &mut sockets {
            for _ in 0..THREADS * EACH {
                assert_eq!(
                    socket.message(),
                    json!({"id": "1", "type": "next", "payload": told(&practice.me)})
                );
            }
            socket.is_silent();
        }
    }
}
