//! SEC-19 and SEC-20 from outside: what is read of a client is in its access log, a file as well,
//! and a file's link opens only while its bearer sees the client.

use ward_tests::people::{self, id};
use ward_tests::{Api, Json, json, until};

use crate::running::running;

const PIXEL: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// A client with a picture.
fn pictured(name: &str) -> String {
    let client = people::client(&running().owner(), name);
    let query =
        "mutation($input: updateUserInput) { updateUser(input: $input) { messages { message } } }";
    let input = json!({"input": {"id": client, "avatar_string": PIXEL}});
    running().owner().ask(query, input).data();
    client
}

/// The path of the link to a client's picture, as somebody gets it.
fn link(api: &Api, client: &str) -> Option<String> {
    let reply = api.ask("query($id: ID) { user(id: $id) { avatar_url } }", json!({"id": client}));
    let link = reply.data()["user"]["avatar_url"].as_str()?.to_owned();
    Some(link[link.find("/files/").unwrap()..].to_owned())
}

/// Paths of the client's log, oldest first.
fn paths(client: &str) -> Vec<(String, String, bool)> {
    let query = "query($id: ID!) { clientAccessLog(client_id: $id) { nodes {
        path credential_kind break_glass } } }";
    let reply = running().owner().ask(query, json!({"id": client}));
    let nodes = reply.data()["clientAccessLog"]["nodes"].as_array().cloned().unwrap();
    let text = |node: &Json, name: &str| node[name].as_str().unwrap().to_owned();
    let path =
        |it: &Json| (text(it, "path"), text(it, "credential_kind"), it["break_glass"] == true);
    nodes.iter().rev().map(path).collect()
}

fn restrict(client: &str) {
    let query = "mutation($id: ID) { updateClient(input: {id: $id, restricted: true}) { messages { message } } }";
    running().owner().ask(query, json!({"id": client})).data();
}

#[test]
fn sec_19_a_chart_read_by_query_by_edge_and_as_a_file_gives_three_entries() {
    let client = pictured("charted");
    let reader = running().server.with(&running().instance.member("support"));
    let path = link(&reader, &client).unwrap();
    let edge = "{ users(keywords: \"charted\", show_all_by_default: true) { total_count }
        organizationMembers { nodes { patients(client_ids: [ID]) { id } } } }";
    let edge = edge.replace("ID", &format!("\"{client}\""));
    reader.ask(&edge, json!({})).data();
    assert_eq!(running().nobody().get(&path).status, 200);
    let wanted = [
        ("createClient.user", "api_key"),
        ("user", "api_key"),
        ("organizationMembers.patients", "api_key"),
        ("files/avatar", "file_link"),
    ];
    // Written soon, by itself.
    until("the entries are there", || (paths(&client).len() >= wanted.len()).then_some(()));
    let wanted = wanted.map(|(path, kind)| (path.to_owned(), kind.to_owned(), false));
    assert_eq!(paths(&client), wanted);
}

#[test]
fn sec_05_a_link_to_a_file_does_not_outlive_the_right_to_see_its_owner() {
    let client = pictured("linked");
    let reader = running().server.with(&running().instance.member("support"));
    let path = link(&reader, &client).unwrap();
    assert_eq!(running().nobody().get(&path).status, 200);
    restrict(&client);
    assert_eq!(running().nobody().get(&path).status, 404);
    assert_eq!(link(&reader, &client), None);
    let own = link(&running().owner(), &client).unwrap();
    assert_eq!(running().nobody().get(&own).status, 200);
}

#[test]
fn sec_20_a_broken_glass_is_told_and_marked_and_ends() {
    let client = pictured("opened");
    restrict(&client);
    let member = running().server.with(&running().instance.member("provider"));
    assert_eq!(link(&member, &client), None);
    let query = "mutation($id: ID!) { createBreakGlassAccess(input: {client_id: $id, reason: \"Collapsed\"}) {
        break_glass_access { id is_active client { id } } messages { field message } } }";
    let opened = member.ask(query, json!({"id": client}));
    let access = id(&opened.data()["createBreakGlassAccess"]["break_glass_access"]);
    assert_eq!(
        opened.json["data"]["createBreakGlassAccess"]["break_glass_access"]["client"]["id"],
        client
    );
    let path = link(&member, &client).unwrap();
    // Watched readings need no waiting: they are written before their answer.
    assert_eq!(running().nobody().get(&path).status, 200);
    let marked: Vec<_> = paths(&client).into_iter().filter(|(_, _, glass)| *glass).collect();
    let read: Vec<&str> = marked.iter().map(|(path, ..)| path.as_str()).collect();
    assert_eq!(
        read,
        [
            "createBreakGlassAccess.break_glass_access, createBreakGlassAccess.break_glass_access.client",
            "user",
            "files/avatar"
        ]
    );
    let mail = until("the owner is told", || {
        let inbox = running().owner().get("/sandbox/v1/inbox?limit=100").text;
        inbox.contains("Emergency access").then_some(inbox)
    });
    let mail: Json = serde_json::from_str(&mail).unwrap();
    let items = mail["items"].as_array().cloned().unwrap();
    let mail = items.iter().find(|it| it.to_string().contains("Emergency access")).unwrap();
    let text = mail.to_string();
    assert!(!text.contains("opened") && !text.contains("Collapsed"), "{text}");
    let end = "mutation($id: ID!) { endBreakGlassAccess(input: {id: $id}) { break_glass_access { is_active } messages { message } } }";
    let ended = member.ask(end, json!({"id": access}));
    assert_eq!(ended.data()["endBreakGlassAccess"]["break_glass_access"]["is_active"], false);
    assert_eq!(link(&member, &client), None);
    assert_eq!(running().nobody().get(&path).status, 404, "its links end with it");
}
