//! REL-11: the largest requests that are legal, in little memory.

use std::io::Write as _;

use ward_tests::{Api, Engine, Instance, Kind, Server, V2026, json, people, raw, tell};

/// What a small machine has for it.
const MEMORY_MIB: u64 = 256;
const CLIENTS: u64 = 300;
const READERS: usize = 4;

/// The most memory that the process has had in use so far.
fn peak_mib(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() / 1024
}

/// As much as the limits allow: each of a page of clients, with everybody of their group.
fn worst_query() -> String {
    let inner = "id first_name last_name email phone_number created_at updated_at full_name";
    format!(
        "{{ users(first: 100, show_all_by_default: true) {{ nodes {{ user_group {{ users {{ {inner} }} }} }} }} }}"
    )
}

/// A multipart body of 100 MiB whose file is never held whole by whoever sends it.
fn upload(server: &Server, key: &str, mebibytes: usize) -> raw::Answer {
    const BOUNDARY: &str = "ward-memory";
    let query = "mutation($avatar: Upload) { updateUser(input: {avatar: $avatar}) { user { id } messages { message } } }";
    let operations = json!({"query": query, "variables": {"avatar": null}}).to_string();
    let part = |name: &str, more: &str| {
        format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n")
    };
    let before = [
        part("operations", ""),
        operations,
        "\r\n".to_owned(),
        part("map", ""),
        r#"{"0":["variables.avatar"]}"#.to_owned(),
        "\r\n".to_owned(),
        part("0", "; filename=\"big.png\"\r\nContent-Type: image/png"),
    ]
    .concat();
    let after = format!("\r\n--{BOUNDARY}--\r\n");
    let length = before.len() + mebibytes * 1024 * 1024 + after.len();
    let head = format!(
        "POST /graphql HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAuthorization: Basic {key}\r\n\
         Healthie-GraphQL-API-Version: {V2026}\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{before}",
        server.port
    );
    let mut stream = raw::connect(server.port).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    let chunk = vec![0x5a; 1024 * 1024];
    for _ in 0..mebibytes {
        // It may have refused by now.
        if stream.write_all(&chunk).is_err() {
            break;
        }
    }
    let _ = stream.write_all(after.as_bytes());
    raw::read(&mut stream)
}

#[test]
fn rel_11_the_largest_requests_fit_into_256_mib() {
    let instance = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let key = instance.owner_key();
    let mut server = instance.serve();
    let api: Api = server.with(&key);
    let made = api.ask(
        "mutation { createGroup(input: {name: \"All\"}) { user_group { id } messages { message } } }",
        json!({}),
    );
    let group = people::id(&made.data()["createGroup"]["user_group"]);
    for number in 0..CLIENTS {
        let mut input = people::new_client(&format!("m{number}"));
        input["client"]["user_group_id"] = group.as_str().into();
        api.ask(people::CREATE_CLIENT, input).data();
    }
    let idle = peak_mib(&server);
    let worst = worst_query();
    let answers: Vec<usize> = std::thread::scope(|scope| {
        let (api, worst) = (&api, &worst);
        let readers: Vec<_> = (0..READERS)
            .map(|_| {
                scope.spawn(move || {
                    let reply = api.ask(worst, json!({}));
                    reply.data();
                    reply.text.len()
                })
            })
            .collect();
        readers.into_iter().map(|reader| reader.join().unwrap()).collect()
    });
    let after_queries = peak_mib(&server);
    // A picture may not be so large: it is refused, but first it has to be read.
    let refused = upload(&server, &key, 99);
    assert!(refused.json()["data"]["updateUser"]["user"].is_null(), "{}", refused.body);
    let after_upload = peak_mib(&server);
    let data_url = format!("data:image/png;base64,{}", "A".repeat(30 * 1024 * 1024));
    let input = json!({"input": {"avatar_string": data_url}});
    let reply = api.ask("mutation($input: updateUserInput) { updateUser(input: $input) { user { id } messages { message } } }", input);
    assert!(
        reply.status < 500 && reply.json["data"]["updateUser"]["user"].is_null(),
        "{}",
        reply.status
    );
    let peak = peak_mib(&server);
    assert!(server.ended().is_none() && server.is_ready());
    assert!(
        peak < MEMORY_MIB,
        "{peak} MiB: {idle} idle, {after_queries} after queries, {after_upload} after the upload"
    );
    tell(
        "REL-11",
        format_args!(
            "peak {peak} MiB: {READERS} answers of {} KiB at once {after_queries}, a 99 MiB upload {after_upload}, a 30 MiB data URL {peak}",
            answers[0] / 1024
        ),
    );
    server.stop();
}
