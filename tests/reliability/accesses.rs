//! The access log through a stop and a kill (SEC-19, trust ruling 13): a graceful stop writes what
//! waits; a watched reading that was answered is on the disk whatever happens.

use ward_tests::{Engine, Instance, Kind, json, people};

const ONE: &str = "query($id: ID) { user(id: $id) { email } }";
const READ: &str = "SELECT COUNT(*) FROM access_log WHERE path = 'user'";

#[test]
fn sec_19_a_graceful_stop_writes_the_readings_that_wait() {
    for engine in Engine::available("SEC-19") {
        let instance = Instance::birth(Kind::Production, engine);
        let key = instance.owner_key();
        let server = instance.serve();
        let api = server.with(&key);
        let client = people::client(&api, "read");
        for _ in 0..20 {
            api.ask(ONE, json!({"id": client})).data();
        }
        server.stop();
        assert_eq!(instance.database().number(READ), 20);
    }
}

#[test]
fn sec_19_a_kill_loses_no_reading_of_a_restricted_client() {
    for engine in Engine::available("SEC-19") {
        let instance = Instance::birth(Kind::Production, engine);
        let key = instance.owner_key();
        let server = instance.serve();
        let api = server.with(&key);
        let client = people::client(&api, "closed");
        let restrict = "mutation($id: ID) { updateClient(input: {id: $id, restricted: true}) { messages { message } } }";
        api.ask(restrict, json!({"id": client})).data();
        for _ in 0..20 {
            api.ask(ONE, json!({"id": client})).data();
        }
        server.kill();
        assert_eq!(instance.database().number(READ), 20);
    }
}
