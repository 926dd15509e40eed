//! What a credential is, by its text alone.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ward_identity::authenticate::{Claim, classify, credential_in};
use ward_instance::Kind;
use ward_instance::api_key::KeyRole;
use ward_instance::token::TokenPurpose;

use crate::support::instance;

#[test]
fn all_spellings_of_a_header_are_one_credential() {
    let key = "ward_sbx_ABCDE_xyz";
    let pair = STANDARD.encode(format!("{key}:"));
    let reversed = STANDARD.encode(format!("api:{key}"));
    for text in [
        key.to_owned(),
        format!("Basic {key}"),
        format!("  bearer   {key} "),
        format!("Basic {pair}"),
        format!("Basic {reversed}"),
    ] {
        assert_eq!(credential_in(&text).as_deref(), Some(key), "{text}");
    }
    for text in ["", "  ", "Basic", "Bearer  "] {
        assert_eq!(credential_in(text), None, "{text:?}");
    }
    assert_eq!(credential_in("Basic dXNlcjpwYXNz").as_deref(), Some("dXNlcjpwYXNz"));
}

#[test]
fn a_key_names_its_environment_before_anything_is_looked_up() {
    let (here, ..) = instance(Kind::Sandbox);
    let (sibling, ..) = instance(Kind::Sandbox);
    let (live, ..) = instance(Kind::Production);
    let own = here.mint_key(KeyRole::User).unwrap();
    assert!(
        matches!(classify(&here, &own.text), Ok(Some(Claim::Key { kid, .. })) if kid == own.kid)
    );
    let foreign = classify(&here, &live.mint_key(KeyRole::User).unwrap().text).unwrap_err();
    assert_eq!(foreign.code, "WRONG_ENVIRONMENT_KEY");
    assert_eq!(
        foreign.message,
        "API Key is Invalid: Production key, this server is Sandbox; nothing was executed; \
         treat this key as exposed, rotate it"
    );
    let other = classify(&here, &sibling.mint_key(KeyRole::User).unwrap().text).unwrap_err();
    assert_eq!(other.code, "WRONG_INSTANCE_KEY");
    for text in ["gh_sbox_1234", "Bearer nonsense", &"x".repeat(5_000)] {
        let refused = classify(&here, text).unwrap_err();
        assert_eq!((refused.code, &*refused.message), ("UNAUTHENTICATED", "API Key is Invalid"));
    }
}

#[test]
fn a_session_token_names_its_environment_too() {
    let (here, ..) = instance(Kind::Sandbox);
    let (live, ..) = instance(Kind::Production);
    let own = here.mint_token(TokenPurpose::Session);
    assert!(
        matches!(classify(&here, &own.text), Ok(Some(Claim::Session { lookup })) if lookup == own.lookup)
    );
    let foreign = classify(&here, &live.mint_token(TokenPurpose::Session).text).unwrap_err();
    assert_eq!(foreign.code, "WRONG_ENVIRONMENT_TOKEN");
    assert!(foreign.message.starts_with("API Key is Invalid"));
    let reset = classify(&here, &here.mint_token(TokenPurpose::Reset).text).unwrap_err();
    assert_eq!(reset.code, "UNAUTHENTICATED");
}
