//! SEC-34: no instance begins with an account that somebody could guess.

use ward_tests::instance::OWNER;
use ward_tests::{Engine, Instance, Kind, json, people, tell};

/// What installers and demonstrations have left behind elsewhere.
const PASSWORDS: [&str; 4] = ["admin", "changeme", "ward", "Password1!"];

#[test]
fn sec_34_no_account_has_a_password_that_nobody_set() {
    let mut tried = 0;
    for kind in Kind::BOTH {
        for engine in Engine::available("SEC-34") {
            let instance = Instance::birth(kind, engine);
            if kind == Kind::Sandbox {
                instance.sandbox("seed", &[]).ok();
            }
            let server = instance.serve();
            for email in [OWNER, "admin"] {
                for password in PASSWORDS {
                    let input = json!({"email": email, "password": password});
                    let reply = people::sign_in(&server.api(), input);
                    assert!(reply.json["data"]["signIn"]["token"].is_null(), "{email} {password}");
                    tried += 1;
                }
            }
            // Guessing is slowed down, so what is stored says more.
            let number = |sql: &str| instance.database().number(sql);
            assert!(number("SELECT COUNT(*) FROM users") > 0);
            assert_eq!(number("SELECT COUNT(*) FROM users WHERE password_hash IS NOT NULL"), 0);
            assert_eq!(number("SELECT COUNT(*) FROM api_keys"), 0, "a key that nobody asked for");
            server.stop();
        }
    }
    tell(
        "SEC-34",
        format_args!("{tried} guesses refused; no password and no key after birth and seed"),
    );
}
