//! What a process that ended badly leaves behind.

use std::io::Write as _;

use ward_tests::{Engine, Instance, Kind, json, people, raw, until};

/// A reset is one step: cut off in the middle, the Sandbox is as it was, or empty, and serves.
#[test]
fn a_reset_that_is_cut_off_is_whole_or_nothing() {
    for engine in Engine::available("reset") {
        for (step, is_done) in [("commit.before", false), ("commit.after", true)] {
            let mut instance = Instance::birth(Kind::Sandbox, engine);
            let key = instance.owner_key();
            let file = instance.dir.join("crash");
            instance.variables.push(("TESTED_CRASH".to_owned(), file.to_str().unwrap().to_owned()));
            let mut server = instance.serve();
            let api = server.with(&key);
            people::client(&api, "kept");
            std::fs::write(&file, step).unwrap();
            let cut = std::panic::catch_unwind(|| api.post("/sandbox/v1/reset", &json!({})).status);
            assert!(cut.is_err(), "{step}: answered {cut:?}");
            server.wait();
            std::fs::remove_file(&file).unwrap();
            let server = instance.serve();
            let clients =
                instance.database().number("SELECT COUNT(*) FROM users WHERE is_patient = TRUE");
            let owners =
                instance.database().number("SELECT COUNT(*) FROM users WHERE is_patient = FALSE");
            assert!(owners == 1, "{step}: {owners} owners");
            assert!(
                clients == 1 || (is_done && clients == 0),
                "{engine:?} {step}: {clients} clients"
            );
            let key = instance.owner_key();
            people::client(&server.with(&key), "after");
            server.stop();
            assert!(instance.verify_audit().0);
        }
    }
}

/// Uploads that were under way when the process was killed do not stay on the disk.
#[test]
fn a_start_clears_what_uploads_left() {
    let instance = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let key = instance.owner_key();
    let server = instance.serve();
    let mut stream = raw::connect(server.port).unwrap();
    let head = format!(
        "POST /graphql HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAuthorization: Basic {key}\r\n\
         Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 9000000\r\n\r\n\
         --b\r\nContent-Disposition: form-data; name=\"operations\"\r\n\r\n{{\"query\":\"mutation($a: Upload) {{ updateUser(input: {{avatar: $a}}) {{ user {{ id }} }} }}\",\"variables\":{{\"a\":null}}}}\r\n\
         --b\r\nContent-Disposition: form-data; name=\"map\"\r\n\r\n{{\"0\":[\"variables.a\"]}}\r\n\
         --b\r\nContent-Disposition: form-data; name=\"0\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n",
        server.port
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&vec![7; 1_000_000]).unwrap();
    let incoming = instance.dir.join("incoming");
    let files = || std::fs::read_dir(&incoming).map_or(0, Iterator::count);
    until("the upload is on the disk", || (files() > 0).then_some(()));
    server.kill();
    assert!(files() > 0, "there is nothing to clear");
    let server = instance.serve();
    assert_eq!(files(), 0, "it stayed");
    server.stop();
}
