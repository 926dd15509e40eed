//! Trust ruling 0.9: an address may be of accounts in several organizations, and none of them
//! opens, takes over or crowds out another.

use ward_tests::instance::OWNER;
use ward_tests::{Api, Engine, Instance, Json, Kind, Server, json, people, tell};

const OWNERS: [(&str, &str); 2] =
    [(OWNER, "turnip-harbour-quilt-94"), ("b@other.example", "orchid-basement-clover-31")];
const PLANTED: &str = "gravel-sonnet-pepper-58";

/// Two practices in one instance; their owners' sessions and ids.
fn two(instance: &Instance, server: &Server) -> [(String, String); 2] {
    people::set_password(&server.api(), &instance.owner_link, OWNERS[0].1);
    let (session, id) = opened(&server.api(), OWNERS[0].0, OWNERS[0].1).unwrap();
    let input = json!({"role": "dietitian", "email": OWNERS[1].0, "password": OWNERS[1].1,
        "first_name": "Berta", "last_name": "Second", "legal_name": "Second Practice"});
    let query = "mutation($input: signUpInput) { signUp(input: $input) {
        token user { id } messages { field message } } }";
    let reply = server.api().ask(query, json!({"input": input}));
    let founded = &reply.data()["signUp"];
    let other = founded["token"].as_str().unwrap().to_owned();
    [(session, id), (other, people::id(&founded["user"]))]
}

/// Signs in: the session and whose it is.
fn opened(api: &Api, email: &str, password: &str) -> Option<(String, String)> {
    let reply = people::sign_in(api, json!({"email": email, "password": password}));
    let payload = &reply.json["data"]["signIn"];
    let token = payload["token"].as_str()?.to_owned();
    Some((token, people::id(&payload["user"])))
}

/// A client of somebody, with an address and a password that staff choose.
fn plant(api: &Api, name: &str, email: &str) -> String {
    let create = json!({"client": {"first_name": name, "last_name": "Planted", "email": email,
        "dont_send_welcome": true}});
    let id = people::id(&api.ask(people::CREATE_CLIENT, create).data()["createClient"]["user"]);
    let update = "mutation($input: updateClientInput!) {
        updateClient(input: $input) { user { id } messages { field message } } }";
    let input = json!({"id": id, "password": PLANTED});
    api.ask(update, json!({"input": input})).data();
    id
}

#[test]
fn accounts_of_one_address_stay_apart_both_ways() {
    let mut planted = 0;
    for engine in Engine::available("ruling 9") {
        let instance = Instance::birth(Kind::Sandbox, engine);
        let server = instance.serve();
        let owners = two(&instance, &server);
        for (attacker, victim) in [(0, 1), (1, 0)] {
            let (session, attacker_id) = &owners[attacker];
            let (victim_email, victim_password) = OWNERS[victim];
            let victim_id = &owners[victim].1;
            let client = plant(&server.with(session), "Mallory", victim_email);
            // The password that staff gave opens their client and nothing of the victim's.
            let (got, who) = opened(&server.api(), victim_email, PLANTED).expect("their client");
            assert_eq!(who, client);
            let seen = server.with(&got).ask(
                "query($id: ID) { currentUser { id is_patient } user(id: $id) { id }
                   organizationMembers { total_count } }",
                json!({"id": victim_id}),
            );
            assert_eq!(seen.data()["currentUser"]["is_patient"], true);
            assert_eq!(seen.data()["user"], Json::Null, "{}", seen.text);
            // A staff password is no key to the client's other door either.
            assert_eq!(opened(&server.api(), victim_email, victim_password).unwrap().1, *victim_id);
            for n in 0..8 {
                plant(&server.with(session), &format!("Crowd{n}"), victim_email);
                planted += 1;
            }
            let still = opened(&server.api(), victim_email, victim_password);
            assert_eq!(still.expect("crowded out").1, *victim_id);
            // And the owner of that organization is who they were.
            let me = server.with(session).ask("{ currentUser { id is_patient } }", json!({}));
            assert_eq!(people::id(&me.data()["currentUser"]), *attacker_id);
            resets_stay_apart(&instance, &server, victim_email, [session, &owners[victim].0]);
        }
    }
    tell("ruling 9", format_args!("{planted} accounts planted, each opens itself"));
}

/// A reset mails each organization's links on their own, so neither reads the other's.
fn resets_stay_apart(instance: &Instance, server: &Server, email: &str, sessions: [&String; 2]) {
    people::forget_password(&server.api(), email);
    drop(instance.settled_dump());
    let links = sessions.map(|session| {
        let inbox = server.with(session).get(&format!("/sandbox/v1/inbox?to={email}&limit=200"));
        let mails = inbox.json["items"].as_array().unwrap_or_else(|| panic!("{}", inbox.text));
        let mail = mails.iter().find(|mail| mail["kind"] == "reset_password");
        let text = mail.unwrap_or_else(|| panic!("no mail: {}", inbox.text))["text"].to_string();
        text.split("token=").skip(1).map(|rest| rest[..50].to_owned()).collect::<Vec<_>>()
    });
    assert!(links.iter().all(|links| !links.is_empty()));
    assert!(links[0].iter().all(|link| !links[1].contains(link)), "{links:?}");
    assert!(links[0].len() + links[1].len() <= 8, "{links:?}");
}
