//! `ward scan`.

use std::fs;

use serde_json::json;
use tempfile::TempDir;
use ward_instance::api_key::{ApiKey, KeyRole};
use ward_instance::{InstanceId, Kind, Random};

use crate::ward::ward;

#[test]
fn a_leaked_key_is_found_and_never_printed() {
    let random = Random::seeded(11);
    let tag = InstanceId::draw(&random).tag();
    let minted = ApiKey::mint(Kind::Production, &tag, KeyRole::User, &random).unwrap();
    let key = minted.text.as_str();
    let place = TempDir::new().unwrap();
    fs::create_dir_all(place.path().join("app/.git/objects")).unwrap();
    fs::write(place.path().join("app/.env"), format!("# local\nKEY={key}\n")).unwrap();
    fs::write(place.path().join("app/.git/objects/x"), key).unwrap();
    let large = [&[0; 6 * 1024 * 1024][..], key.as_bytes()].concat();
    fs::write(place.path().join("app/large.bin"), large).unwrap();
    let path = place.path().to_str().unwrap();
    let found = ward(&["scan", path, "--json"]).ends(1);
    let report = found.json();
    assert_eq!(
        report["found"],
        json!([{
            "file": place.path().join("app/.env").display().to_string(), "line": 2,
            "environment": "production", "instance": tag.as_str(), "class": "user",
            "kid": minted.kid,
        }])
    );
    assert_eq!(report["skipped"], 1);
    let secret = &key[key.len() - 38..];
    let human = ward(&["scan", path]).ends(1);
    assert!(human.stdout.contains(".env:2: production"), "{}", human.stdout);
    for text in [&found.stdout, &found.stderr, &human.stdout, &human.stderr] {
        assert!(!text.contains(secret) && !text.contains(&secret[..32]));
    }
}

#[test]
fn a_wrong_checksum_is_no_key() {
    let random = Random::seeded(12);
    let tag = InstanceId::draw(&random).tag();
    let minted = ApiKey::mint(Kind::Sandbox, &tag, KeyRole::User, &random).unwrap();
    let mut key = minted.text.to_string();
    let last = if key.ends_with('a') { 'b' } else { 'a' };
    key.pop();
    key.push(last);
    let place = TempDir::new().unwrap();
    fs::write(place.path().join("notes.txt"), key).unwrap();
    let ran = ward(&["scan", place.path().to_str().unwrap(), "--json"]).ends(0);
    assert_eq!(ran.json()["found"], json!([]));
}
