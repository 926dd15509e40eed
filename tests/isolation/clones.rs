//! ISO-09: a directory that was copied, keys and all.

use ward_tests::instance::OWNER;
use ward_tests::{Api, Engine, Instance, Kind, Server, json, people, tell, until};

const LIST: &str = "{ users(first: 10) { total_count nodes { id } } }";

/// Makes what was sent due again, as if the server had been stopped before it sent.
pub fn make_due(instance: &Instance) -> i64 {
    let place = instance.database();
    place.execute(
        "UPDATE effect_intents SET state = 'queued', attempts = 0, done_at = NULL;
         DELETE FROM simulated_messages;
         UPDATE jobs SET state = 'ready', visible_at = 0, attempts = 0, lease_token = NULL,
           lease_until = NULL WHERE kind LIKE 'effect%';",
    );
    place.number("SELECT COUNT(*) FROM effect_intents WHERE state = 'queued'")
}

fn waiting(instance: &Instance) -> i64 {
    instance
        .database()
        .number("SELECT COUNT(*) FROM effect_intents WHERE state = 'queued' AND attempts = 0")
}

fn sent(instance: &Instance) -> i64 {
    instance.database().number("SELECT COUNT(*) FROM simulated_messages")
}

/// Lets the background worker run at least once: it writes refusals down once a second, before
/// it looks for what is due.
fn let_work(server: &Server, instance: &Instance) {
    for (code, credential) in
        [("UNAUTHENTICATED", "nonsense"), ("WRONG_INSTANCE_KEY", &another_key())]
    {
        server.with(credential).ask("{ currentUser { id } }", json!({}));
        instance.await_refusal(code);
    }
}

/// A client who is asked for a form; the request.
fn asked(api: &Api, client: &str) -> String {
    let form = api.ask(
        "mutation($input: createCustomModuleFormInput) { createCustomModuleForm(input: $input) { customModuleForm { id } } }",
        json!({"input": {"name": "Copied"}}),
    );
    let form = people::id(&form.data()["createCustomModuleForm"]["customModuleForm"]);
    let question = api.ask(
        "mutation($input: createCustomModuleInput) { createCustomModule(input: $input) { customModule { id } } }",
        json!({"input": {"custom_module_form_id": form, "mod_type": "text", "label": "Q"}}),
    );
    people::id(&question.data()["createCustomModule"]["customModule"]);
    let asked = api.ask(
        "mutation($input: createRequestedFormInput) { createRequestedFormCompletion(input: $input) { requestedFormCompletion { id } } }",
        json!({"input": {"form": form, "recipient_id": client, "skip_notification_email": true}}),
    );
    people::id(&asked.data()["createRequestedFormCompletion"]["requestedFormCompletion"])
}

fn another_key() -> String {
    Instance::birth(Kind::Sandbox, Engine::Sqlite).owner_key()
}

#[test]
fn iso_09_copied_directory_is_quarantined() {
    let s = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let (owner, provider) = (s.owner_key(), s.member("provider"));
    let server = s.serve();
    let client = people::client(&server.with(&provider), "copied");
    let request = asked(&server.with(&owner), &client);
    people::forget_password(&server.api(), OWNER);
    s.settled_dump();
    let port = server.port;
    server.stop();
    let due = make_due(&s);
    assert!(due > 0, "nothing is due");
    let copy = s.copied();
    let before = copy.logical_dump();
    // Under the address that what is due names.
    let server = copy.serve_on(port);
    // Health and every answer say so.
    let ready = server.api().get("/readyz");
    assert_eq!((ready.status, &ready.json["quarantined"]), (503, &json!(true)), "{}", ready.text);
    assert_eq!(server.api().get("/healthz").header("x-quarantined"), "true");
    assert!(server.logs().contains("quarantined"), "the operator is not told: {}", server.logs());
    // Administrators read.
    let read = server.with(&owner).ask(LIST, json!({}));
    assert_eq!(read.data()["users"]["nodes"][0]["id"], client.as_str(), "{}", read.text);
    // That they read something writes nothing, even where they ask for that.
    let deeds = || copy.database().number("SELECT COUNT(*) FROM form_histories");
    let noted = deeds();
    let read = server.with(&owner).ask(
        "query($id: ID) { requestedFormCompletion(id: $id, track_opened_event: true) { id } }",
        json!({"id": request}),
    );
    assert_eq!(read.data()["requestedFormCompletion"]["id"], request.as_str(), "{}", read.text);
    assert_eq!(deeds(), noted, "an opening was noted in quarantine");
    // Nobody else does, and nobody writes, however the document is written.
    let refused = |who: &str, query: &str, variables| {
        let reply = server.with(who).ask(query, variables);
        assert_eq!(reply.code(), "QUARANTINED_INSTANCE", "{query}: {}", reply.text);
        assert!(reply.json["data"].is_null(), "{query}: {}", reply.text);
    };
    refused(&provider, LIST, json!({}));
    refused(&owner, people::CREATE_CLIENT, people::new_client("quarantined"));
    refused(
        &owner,
        "# a comment\n mutation A { createTag(input: {name: \"a\"}) { tag { id } } }",
        json!({}),
    );
    let anonymous = people::sign_in(&server.api(), json!({"email": OWNER, "password": "x"}));
    assert_eq!(anonymous.code(), "QUARANTINED_INSTANCE", "{}", anonymous.text);
    let_work(&server, &copy);
    // Commands that write are refused as well; those that read are not.
    let refused = copy.ward(&["key", "create"], &["--user", OWNER]);
    assert!(matches!(refused.code, Some(2 | 78)), "{refused:?}");
    let refused = copy.sandbox("reset", &[]);
    assert!(matches!(refused.code, Some(2 | 78)), "{refused:?}");
    copy.ward(&["status"], &[]).ok();
    assert_eq!(waiting(&copy), due, "an effect left a quarantined copy");
    assert_eq!(sent(&copy), 0, "a quarantined copy sent mail");
    let after = copy.logical_dump();
    // What is written in quarantine: the certificate's state.
    let state = copy.database().one("SELECT state FROM instance");
    assert_eq!(state, "quarantined");
    assert_eq!(after.size(), before.size(), "a quarantined copy took something");
    // A restart does not end it.
    server.stop();
    let server = copy.serve_on(port);
    assert_eq!(server.api().get("/readyz").status, 503);
    // One person does, in a Sandbox, with a reason.
    let silent = copy.ward(&["attest"], &["--reason", " ", "--by", OWNER]);
    assert_ne!(silent.code, Some(0), "attested without a reason");
    copy.ward(&["attest"], &["--reason", "the practice's laptop", "--by", OWNER]).ok();
    until("the copy serves", || server.is_ready().then_some(()));
    assert_eq!(server.api().get("/healthz").header("x-quarantined"), "");
    people::client(&server.with(&provider), "afterwards");
    until("what was due is done", || (sent(&copy) == due).then_some(()));

    let told = copy.audit_entries().iter().any(|entry| entry.event_type == "ADMIN");
    assert!(told, "the attestation is not in the audit log");
    server.stop();
    // The original was never in doubt.
    let server = s.serve_on(port);
    assert!(server.is_ready(), "the original is quarantined");
    until("the original sends", || (sent(&s) == due).then_some(()));
    tell(
        "ISO-09",
        format_args!(
            "a copy with {due} due effects sent 0 in quarantine and {due} after attesting"
        ),
    );
}

#[test]
fn iso_09_production_is_attested_by_two() {
    let p = Instance::birth(Kind::Production, Engine::Sqlite);
    p.ward(
        &["user", "create"],
        &[
            "--role",
            "administrator",
            "--email",
            "second@practice.example",
            "--first-name",
            "Second",
            "--last-name",
            "Admin",
        ],
    )
    .ok();
    let (owner, provider) = (p.owner_key(), p.member("provider"));
    let copy = p.copied();
    let server = copy.serve();
    assert_eq!(server.api().get("/readyz").status, 503);
    server.with(&owner).ask(LIST, json!({})).data();
    let one = copy.ward(&["attest"], &["--reason", "moved", "--by", OWNER]);
    assert_ne!(one.code, Some(0), "one of two administrators was enough: {one:?}");
    let twice = copy.ward(&["attest"], &["--reason", "moved", "--by", OWNER, "--by", OWNER]);
    assert_ne!(twice.code, Some(0), "one person counts twice: {twice:?}");
    let stranger = copy.ward(
        &["attest"],
        &["--reason", "moved", "--by", OWNER, "--by", "provider@practice.example"],
    );
    assert_ne!(stranger.code, Some(0), "somebody who is no administrator counts: {stranger:?}");
    assert_eq!(server.api().get("/readyz").status, 503);
    copy.ward(
        &["attest"],
        &["--reason", "moved", "--by", OWNER, "--by", "second@practice.example"],
    )
    .ok();
    until("the copy serves", || server.is_ready().then_some(()));
    people::client(&server.with(&provider), "afterwards");
    tell("ISO-09", "a Production's copy: 3 attestations of fewer than two administrators refused");
}

/// Whoever owns another organization of the instance has no say in it.
#[test]
fn iso_09_other_organizations_do_not_attest() {
    let p = Instance::birth(Kind::Production, Engine::Sqlite);
    let server = p.serve();
    let sign_up = "mutation($input: signUpInput) {
      signUp(input: $input) { user { id } messages { field message } }
    }";
    for name in ["first", "second"] {
        let input = json!({"role": "dietitian", "first_name": "Another", "last_name": "Owner",
            "email": format!("{name}@elsewhere.example"), "password": crate::pair::PASSWORD});
        server.api().ask(sign_up, json!({"input": input})).data();
    }
    server.stop();
    let copy = p.copied();
    let server = copy.serve();
    let strangers = [
        "--reason",
        "moved",
        "--by",
        "first@elsewhere.example",
        "--by",
        "second@elsewhere.example",
    ];
    let attested = copy.ward(&["attest"], &strangers);
    assert_ne!(attested.code, Some(0), "owners of other organizations attested: {attested:?}");
    assert_eq!(server.api().get("/readyz").status, 503);
    // One administrator is all that the founding organization has.
    copy.ward(&["attest"], &["--reason", "moved", "--by", OWNER]).ok();
    until("the copy serves", || server.is_ready().then_some(()));
    tell("ISO-09", "2 owners of other organizations cannot attest, and are not needed");
}

/// What happens every day is no move.
#[test]
fn iso_09_restarts_are_no_copies() {
    let mut restarts = 0;
    for kind in Kind::BOTH {
        let instance = Instance::birth(kind, Engine::Sqlite);
        for _ in 0..5 {
            let server = instance.serve();
            assert!(server.is_ready(), "quarantined by a restart");
            server.stop();
            let server = instance.serve();
            assert!(server.is_ready(), "quarantined by a restart after a clean stop");
            server.kill();
            restarts += 2;
        }
        // A volume that is mounted elsewhere, or renamed, is the same volume.
        let elsewhere = instance.dir.with_extension("renamed");
        std::fs::rename(&instance.dir, &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &instance.dir).unwrap();
        assert!(instance.serve().is_ready(), "quarantined by a renamed directory");
        restarts += 1;
    }
    tell("ISO-09", format_args!("{restarts} restarts, half of them after SIGKILL: no quarantine"));
}
