//! What a mail server and an SMS provider tell later, by the door that they have.

use std::os::unix::fs::PermissionsExt as _;

use ward_tests::{Api, Engine, Instance, Json, Kind, json, people, tell};

use crate::bucket::configure;

const MAIL_TOKEN: &str = "mail-token-0123456789-0123456789-abc";
const SMS_TOKEN: &str = "sms-token-0123456789-0123456789-abcd";

fn secret(instance: &Instance, name: &str, text: &str) {
    let path = instance.dir.join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// A Production with connectors to servers that are not there.
fn production(engine: Engine) -> Instance {
    let p = Instance::birth(Kind::Production, engine);
    secret(&p, "mail-token", MAIL_TOKEN);
    secret(&p, "sms-token", SMS_TOKEN);
    configure(
        &p,
        "smtp_host = \"localhost\"\nsmtp_port = 1\nsmtp_from = \"mail@harbor.example\"\n\
         smtp_callback_token_file = \"mail-token\"\nsms_url = \"https://localhost:1/\"\n\
         sms_from = \"Harbor\"\nsms_token_file = \"sms-token\"\nsms_callback_token_file = \"sms-token\"\n",
    );
    p
}

fn report(nobody: &Api, medium: &str, token: &str, body: &Json) -> u16 {
    let api = nobody.clone().header("Authorization", &format!("Bearer {token}"));
    api.post(&format!("/callbacks/v1/{medium}"), body).status
}

#[test]
fn reports_are_kept_by_weight_and_tell_nothing() {
    for engine in Engine::available("callbacks") {
        let p = production(engine);
        let owner = p.owner_key();
        let server = p.serve();
        people::welcomed_client(&server.with(&owner), "ada");
        let database = p.database();
        let id = database.one("SELECT id FROM effect_intents WHERE kind = 'welcome'");
        let count = |outcome: &str| {
            database
                .number(&format!("SELECT COUNT(*) FROM effect_intents WHERE outcome = '{outcome}'"))
        };
        let nobody = server.api();
        let say = |reference: &str, state: &str| {
            report(&nobody, "email", MAIL_TOKEN, &json!({"reference": reference, "state": state}))
        };
        for (state, then) in [
            ("soft_bounced", "soft_bounced"),
            ("delivered", "delivered"),
            ("soft_bounced", "delivered"),
            ("complained", "complained"),
            ("delivered", "complained"),
            ("complained", "complained"),
        ] {
            assert_eq!(say(&id, state), 204, "{state}");
            assert_eq!(count(then), 1, "{state} does not leave it {then}");
        }
        // As the mail names itself, and of one that does not exist: the same answer.
        let domain = "mail.of-a-practice-with-a-long-name.example";
        assert_eq!(say(&format!("<{id}@{domain}>"), "opted_out"), 204);
        assert_eq!(say("00000000-0000-8000-8000-000000000000", "bounced"), 204);
        assert_eq!((count("bounced"), count("complained")), (0, 1));
        // The other medium's token, and the other medium's messages.
        let body = json!({"reference": id, "state": "delivered"});
        for (medium, token, status) in [
            ("email", SMS_TOKEN, 401),
            ("sms", MAIL_TOKEN, 401),
            ("email", "", 401),
            ("email", owner.as_str(), 401),
            ("push", MAIL_TOKEN, 404),
            ("fax", MAIL_TOKEN, 404),
            ("sms", SMS_TOKEN, 204),
        ] {
            assert_eq!(report(&nobody, medium, token, &body), status, "{medium} {token}");
        }
        assert_eq!(count("complained"), 1);
        for wrong in [
            json!({"reference": id, "state": "sent"}),
            json!({"reference": id}),
            json!({"state": "delivered"}),
            json!({"reference": "x".repeat(65), "state": "delivered"}),
            json!({"reference": "\u{0}", "state": "delivered"}),
            json!([]),
        ] {
            assert_eq!(report(&nobody, "email", MAIL_TOKEN, &wrong), 400, "{wrong}");
        }
        let large = json!({"reference": "x".repeat(5_000), "state": "delivered"});
        assert_eq!(report(&nobody, "email", MAIL_TOKEN, &large), 413);
        let said = server.stop();
        assert!(!said.contains(MAIL_TOKEN) && !said.contains(SMS_TOKEN), "a token is in the log");
        tell(
            "callbacks",
            format_args!("{engine:?}: reports kept by weight, unknown ones not told"),
        );
    }
}

#[test]
fn there_is_no_callback_without_a_token_or_in_a_sandbox() {
    let body = json!({"reference": "x", "state": "delivered"});
    for kind in [Kind::Sandbox, Kind::Production] {
        let instance = Instance::birth(kind, Engine::Sqlite);
        let server = instance.serve();
        assert_eq!(report(&server.api(), "email", MAIL_TOKEN, &body), 404, "{kind:?}");
    }
    let p = production(Engine::Sqlite);
    secret(&p, "mail-token", "short");
    let refused = p.refused_start(&[]);
    assert!(refused.code == Some(78) && refused.stderr.contains("32 characters"), "{refused:?}");
}
