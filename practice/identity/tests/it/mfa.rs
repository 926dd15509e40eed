//! Second factors: enrolling, the step at sign-in, guessing, resetting.

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use ward_engine::ViewId::V2026;
use ward_identity::admin::{self, Preset};
use ward_identity::totp::{STEP_SECONDS, Secret};
use ward_instance::{Random, Timestamp};
use ward_store::{Query, Sql, Value};

use crate::support::{GOOD, World, member};

const OWNER: &str = "owner@example.com";
const NOT_GOOD: &str = "Verification code is wrong or not valid any more";

async fn sign_in(world: &World, more: &str) -> Json {
    let document = format!(
        r#"mutation {{ signIn(input: {{email: "{OWNER}", password: "{GOOD}"{more}}}) {{
            token api_key blocked_by_2fa blocked_by_2fa_type user {{ id }} messages {{ field message }} }} }}"#
    );
    let answer = world.run("", V2026, &document).await;
    assert_eq!(answer["errors"], Json::Null, "{answer}");
    answer["data"]["signIn"].clone()
}

fn bearer(payload: &Json) -> String {
    format!("Bearer {}", payload["token"].as_str().unwrap_or_else(|| panic!("{payload}")))
}

async fn mutate(world: &World, credential: &str, field: &str, input: &str, select: &str) -> Json {
    let document = format!(
        "mutation {{ {field}(input: {{{input}}}) {{ {select} messages {{ field message }} }} }}"
    );
    let answer = world.run(credential, V2026, &document).await;
    assert_eq!(answer["errors"], Json::Null, "{answer}");
    answer["data"][field].clone()
}

async fn validate(world: &World, credential: &str, code: &str) -> Json {
    let input = format!(r#"verification_code: "{code}""#);
    mutate(world, credential, "validateVerificationToken", &input, "user { id }").await
}

async fn codes(world: &World) -> Vec<String> {
    let org = world.founded.organization.id.0;
    let mails = world.mails(org, OWNER, "verification_code").await;
    mails.iter().map(|mail| mail["code"].as_str().unwrap().to_owned()).collect()
}

/// The code that was mailed since there were so many.
async fn new_code(world: &World, before: &[String]) -> String {
    let mut now = codes(world).await;
    for known in before {
        let at = now.iter().position(|code| code == known).unwrap();
        now.remove(at);
    }
    assert_eq!(now.len(), 1, "one new mail");
    now.remove(0)
}

async fn enroll_email(world: &World) {
    let session = bearer(&sign_in(world, "").await);
    let begun = mutate(world, &session, "enrollMfa", "mfa_type: EMAIL", "mfa_type").await;
    assert_eq!(begun["mfa_type"], "EMAIL", "{begun}");
    let code = codes(world).await.pop().unwrap();
    let input = format!(r#"mfa_type: EMAIL, verification_code: "{code}""#);
    let done = mutate(world, &session, "confirmMfa", &input, "user { mfa_types }").await;
    assert_eq!(done["user"]["mfa_types"], json!(["EMAIL"]), "{done}");
}

/// Enrolls an authenticator app; its key.
async fn enroll_totp(world: &World) -> Secret {
    let session = bearer(&sign_in(world, "").await);
    let select = "mfa_type totp_secret totp_url";
    let begun = mutate(world, &session, "enrollMfa", "mfa_type: TOTP", select).await;
    let text = begun["totp_secret"].as_str().unwrap().to_owned();
    let url = begun["totp_url"].as_str().unwrap();
    assert!(url.starts_with("otpauth://totp/First%20Practice:owner"), "{url}");
    let input = format!(r#"mfa_type: TOTP, verification_code: "{}""#, totp(world, &text, 0));
    let done = mutate(world, &session, "confirmMfa", &input, "user { mfa_types }").await;
    assert_eq!(done["user"]["mfa_types"], json!(["TOTP"]), "{done}");
    Secret::from_base32(&text).unwrap()
}

/// What the app shows so many steps from now.
fn totp(world: &World, secret: &str, steps: i64) -> String {
    let at = world.instance.clock().wall().plus_seconds(steps * STEP_SECONDS as i64);
    let secret = totp_rs::Secret::try_from_base32(secret).unwrap();
    let app = totp_rs::Builder::new().with_secret(secret).build().unwrap();
    app.generate(at.as_seconds().unsigned_abs()).to_string()
}

async fn a_mailed_code_finishes_a_sign_in_once(world: World) {
    enroll_email(&world).await;
    let before = codes(&world).await;
    let blocked = sign_in(&world, "").await;
    assert_eq!(blocked["blocked_by_2fa"], true, "{blocked}");
    assert_eq!(blocked["blocked_by_2fa_type"], "EMAIL");
    assert_eq!(blocked["user"], Json::Null);
    let half = bearer(&blocked);
    let code = new_code(&world, &before).await;
    assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
    let done = validate(&world, &half, &code).await;
    assert_eq!(done["user"]["id"], world.founded.owner.id.to_string(), "{done}");
    let me = world.run(&half, V2026, "{ currentUser { id } }").await;
    assert_eq!(me["data"]["currentUser"]["id"], done["user"]["id"]);
    // The same code again, on a session of another sign-in.
    let other = bearer(&sign_in(&world, "").await);
    let again = validate(&world, &other, &code).await;
    assert_eq!(again["messages"][0], json!({"field": "verification_code", "message": NOT_GOOD}));
}
both!(a_mailed_code_finishes_a_sign_in_once);

async fn a_half_session_opens_nothing_else(world: World) {
    enroll_email(&world).await;
    let half = bearer(&sign_in(&world, "").await);
    let refused = [
        "{ currentUser { id } }",
        "{ organizationMembers { total_count } }",
        "{ validateResetPasswordToken(token: \"x\") }",
        "mutation { createApiKey(input: {user_id: \"1\"}) { api_key } }",
        "mutation { enrollMfa(input: {mfa_type: TOTP}) { totp_secret } }",
        "mutation { resetPassword(input: {email: \"owner@example.com\"}) { messages { message } } }",
        "mutation { signIn(input: {email: \"owner@example.com\", password: \"x\"}) { token } }",
    ];
    for document in refused {
        let answer = world.run(&half, V2026, document).await;
        let code = &answer["errors"][0]["extensions"]["code"];
        assert_eq!(code, "VERIFICATION_REQUIRED", "{document}: {answer}");
    }
    // Nor does showing it at sign-in.
    let token = half.trim_start_matches("Bearer ");
    let shown = format!(
        "mutation {{ signIn(input: {{token: \"{token}\", generate_api_token: true}}) {{ token api_key user {{ id }} messages {{ field }} }} }}"
    );
    let shown = world.run("", V2026, &shown).await["data"]["signIn"].clone();
    assert_eq!(shown["messages"][0]["field"], "token", "{shown}");
    // Introspection asks for nobody's data.
    let bare = world.run(&half, V2026, "{ __typename }").await;
    assert_eq!(bare["data"]["__typename"], "Query", "{bare}");
    let over = mutate(&world, &half, "revokeToken", "", "").await;
    assert_eq!(over["messages"], Json::Null, "{over}");
    assert!(ward_identity::authenticate(&world.db, &half).await.unwrap().is_err());
}
both!(a_half_session_opens_nothing_else);

async fn no_key_comes_before_the_code(world: World) {
    enroll_email(&world).await;
    let kept = world.owner_key().await;
    let blocked = sign_in(&world, ", generate_api_token: true").await;
    assert_eq!((&blocked["api_key"], &blocked["blocked_by_2fa"]), (&Json::Null, &json!(true)));
    assert!(ward_identity::authenticate(&world.db, &kept).await.unwrap().is_ok(), "not replaced");
}
both!(no_key_comes_before_the_code);

/// However many try at once: five tries, then not even the right code.
async fn a_code_has_five_tries(world: World) {
    enroll_email(&world).await;
    let before = codes(&world).await;
    let half = bearer(&sign_in(&world, "").await);
    let code = new_code(&world, &before).await;
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let aliases: String = (0..40)
        .map(|n| {
            format!("a{n}: validateVerificationToken(input: {{verification_code: \"{wrong}\"}}) {{ messages {{ message }} }} ")
        })
        .collect();
    let document = format!("mutation {{ {aliases} }}");
    let parallel = (0..4).map(|_| world.run(&half, V2026, &document));
    let answers = futures_util::future::join_all(parallel).await;
    let looked_at: usize = answers
        .iter()
        .flat_map(|answer| answer["data"].as_object().unwrap().values())
        .filter(|payload| payload["messages"][0]["message"] == NOT_GOOD)
        .count();
    assert_eq!(looked_at, 5, "of 160 tries");
    world.pass(1_000);
    let half_is_over = ward_identity::authenticate(&world.db, &half).await.unwrap();
    assert!(half_is_over.is_err(), "and the session does not wait for ever");
}
both!(a_code_has_five_tries);

async fn a_code_lives_five_minutes_and_until_the_next(world: World) {
    enroll_email(&world).await;
    let before = codes(&world).await;
    let half = bearer(&sign_in(&world, "").await);
    let first = new_code(&world, &before).await;
    let known = codes(&world).await;
    let resent = mutate(&world, &half, "resendVerificationCode", "", "").await;
    assert_eq!(resent["messages"], Json::Null, "{resent}");
    let second = new_code(&world, &known).await;
    if first != second {
        let old = validate(&world, &half, &first).await;
        assert_eq!(old["messages"][0]["message"], NOT_GOOD);
    }
    world.pass(5 * 60);
    let late = validate(&world, &half, &second).await;
    assert_eq!(late["messages"][0]["message"], NOT_GOOD);
    let known = codes(&world).await;
    mutate(&world, &half, "resendVerificationCode", "", "").await;
    let third = new_code(&world, &known).await;
    world.pass(5 * 60 - 1);
    let done = validate(&world, &half, &third).await;
    assert!(done["user"]["id"].is_string(), "{done}");
}
both!(a_code_lives_five_minutes_and_until_the_next);

async fn no_more_than_ten_codes_an_hour(world: World) {
    enroll_email(&world).await;
    let half = bearer(&sign_in(&world, "").await);
    let document =
        "mutation { resendVerificationCode(input: {}) { messages { message } } }".to_owned();
    let mut codes_of_errors = Vec::new();
    for _ in 0..12 {
        let answer = world.run(&half, V2026, &document).await;
        codes_of_errors.push(answer["errors"][0]["extensions"]["code"].clone());
    }
    let refused = codes_of_errors.iter().filter(|code| *code == "TOO_MANY_REQUESTS").count();
    assert_eq!(refused, 4, "1 at enrolling, 1 at sign-in, 8 again: {codes_of_errors:?}");
    assert_eq!(codes(&world).await.len(), 10);
}
both!(no_more_than_ten_codes_an_hour);

async fn a_code_of_an_app_is_good_once(world: World) {
    let secret = enroll_totp(&world).await.base32();
    world.pass(90);
    let half = bearer(&sign_in(&world, "").await);
    let code = totp(&world, &secret, 0);
    let wrong = validate(&world, &half, "12345").await;
    assert_eq!(wrong["messages"][0]["message"], NOT_GOOD);
    let done = validate(&world, &half, &format!("{} {}", &code[..3], &code[3..])).await;
    assert!(done["user"]["id"].is_string(), "{done}");
    assert!(codes(&world).await.is_empty(), "no mail");
    // Replayed within its window, and the one before it.
    let half = bearer(&sign_in(&world, "").await);
    for used in [code, totp(&world, &secret, -1)] {
        let refused = validate(&world, &half, &used).await;
        assert_eq!(refused["messages"][0]["message"], NOT_GOOD);
    }
    world.pass(STEP_SECONDS as i64);
    let done = validate(&world, &half, &totp(&world, &secret, 0)).await;
    assert!(done["user"]["id"].is_string(), "{done}");
}
both!(a_code_of_an_app_is_good_once);

async fn links_do_not_bypass_it(world: World) {
    enroll_email(&world).await;
    let (org, id) = (world.founded.organization.id, world.founded.owner.id);
    let link = world
        .system(org.0, move |scope| {
            Box::pin(async move {
                admin::one_time_link(scope, id, "http://x.test").await.unwrap().to_string()
            })
        })
        .await;
    let token = link.split_once("token=").unwrap().1;
    let document = format!(
        "mutation {{ signIn(input: {{reset_token: \"{token}\"}}) {{ token blocked_by_2fa user {{ id }} }} }}"
    );
    let answer = world.run("", V2026, &document).await["data"]["signIn"].clone();
    assert_eq!((&answer["blocked_by_2fa"], &answer["user"]), (&json!(true), &Json::Null));
    let me = world.run(&bearer(&answer), V2026, "{ currentUser { id } }").await;
    assert_eq!(me["errors"][0]["extensions"]["code"], "VERIFICATION_REQUIRED");
}
both!(links_do_not_bypass_it);

async fn where_no_mail_goes_out_no_code_is_promised_by_it(world: World) {
    world.instance.reach().set_email(false);
    let session = bearer(&sign_in(&world, "").await);
    let refused = mutate(&world, &session, "enrollMfa", "mfa_type: EMAIL", "mfa_type").await;
    assert_eq!(refused["messages"][0]["field"], "mfa_type", "{refused}");
    let app = mutate(&world, &session, "enrollMfa", "mfa_type: TOTP", "totp_secret").await;
    assert!(app["totp_secret"].is_string(), "{app}");
    let signed_in = sign_in(&world, "").await;
    assert_eq!(signed_in["blocked_by_2fa"], false, "what is not confirmed does not count");
}
both!(where_no_mail_goes_out_no_code_is_promised_by_it);

async fn switching_takes_a_fresh_sign_in_and_ends_other_sessions(world: World) {
    let other = bearer(&sign_in(&world, "").await);
    let session = bearer(&sign_in(&world, "").await);
    world.pass(10 * 60);
    let old = mutate(&world, &session, "enrollMfa", "mfa_type: TOTP", "totp_secret").await;
    assert_eq!(old["totp_secret"], Json::Null);
    assert!(old["messages"][0]["message"].as_str().unwrap().starts_with("You signed in more"));
    // A key has not signed in at all, and is not asked.
    let key = world.owner_key().await;
    let by_key = mutate(&world, &key, "enrollMfa", "mfa_type: TOTP", "totp_secret").await;
    assert!(by_key["totp_secret"].is_string(), "{by_key}");
    enroll_email(&world).await;
    assert!(ward_identity::authenticate(&world.db, &other).await.unwrap().is_err());
    let half = bearer(&sign_in(&world, "").await);
    let code = codes(&world).await;
    let mut done = Json::Null;
    for code in code {
        done = validate(&world, &half, &code).await;
        if done["user"]["id"].is_string() {
            break;
        }
    }
    assert!(done["user"]["id"].is_string(), "{done}");
    let off = mutate(&world, &half, "unenrollMfa", "mfa_type: EMAIL", "user { mfa_types }").await;
    assert_eq!(off["user"]["mfa_types"], json!([]), "{off}");
    assert_eq!(sign_in(&world, "").await["blocked_by_2fa"], false);
    let org = world.founded.organization.id.0;
    assert_eq!(world.mails(org, OWNER, "second_factor_changed").await.len(), 2);
}
both!(switching_takes_a_fresh_sign_in_and_ends_other_sessions);

async fn resetting_is_for_who_edits_members_and_is_no_weaker(world: World) {
    enroll_email(&world).await;
    let second = world.practice("second@example.com").await;
    let (org, owner) = (world.founded.organization.id, world.founded.owner.id);
    let people = world
        .system(org.0, move |scope| {
            Box::pin(async move {
                let mut ids = Vec::new();
                for (n, preset) in [Preset::Administrator, Preset::Support].into_iter().enumerate()
                {
                    let member = member("Meret", &format!("m{n}@example.com"));
                    ids.push(admin::create_user(scope, org, preset, &member).await.unwrap().0.id);
                }
                ids
            })
        })
        .await;
    let reset = |id: i64| {
        format!(
            "mutation {{ resetMfa(input: {{id: \"{id}\"}}) {{ messages {{ field message }} }} }}"
        )
    };
    let administrator = world.key(org.0, people[0].0).await;
    let support = world.key(org.0, people[1].0).await;
    let stranger = world.key(second.organization.id.0, second.owner.id.0).await;
    for (who, key, code) in [
        ("an administrator", &administrator, "PERMISSION_DENIED"),
        ("support", &support, "PERMISSION_DENIED"),
    ] {
        let answer = world.run(key, V2026, &reset(owner.0)).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{who}: {answer}");
    }
    let foreign = world.run(&stranger, V2026, &reset(owner.0)).await;
    let nobody = world.run(&stranger, V2026, &reset(owner.0 + 5_000)).await;
    assert_eq!(foreign, nobody);
    assert_eq!(foreign["data"]["resetMfa"]["messages"][0]["message"], "Object not found");
    assert_eq!(sign_in(&world, "").await["blocked_by_2fa"], true, "nothing was reset");
    let owner_key = world.owner_key().await;
    let done = world.run(&owner_key, V2026, &reset(owner.0)).await;
    assert_eq!(done["data"]["resetMfa"]["messages"], Json::Null, "{done}");
    assert_eq!(sign_in(&world, "").await["blocked_by_2fa"], false);
    // And the owner resets the administrator.
    let done = world.run(&owner_key, V2026, &reset(people[0].0)).await;
    assert_eq!(done["data"]["resetMfa"]["messages"], Json::Null, "{done}");
    // Only themselves and editors see who has one.
    let seen = format!("{{ user(id: \"{}\") {{ mfa_types }} }}", owner);
    let by_editor = world.run(&administrator, V2026, &seen).await;
    assert_eq!(by_editor["data"]["user"]["mfa_types"], json!([]), "{by_editor}");
    let by_other = world.run(&support, V2026, &seen).await;
    assert_eq!(by_other["data"]["user"]["mfa_types"], Json::Null, "{by_other}");
}
both!(resetting_is_for_who_edits_members_and_is_no_weaker);

/// What opens a second factor is in no table as it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_are_sealed() {
    let world = World::new().await;
    let secret = enroll_totp(&world).await.base32();
    let mut reader = world.db.read().await.unwrap();
    let rows =
        reader.rows(&Sql::fixed("SELECT totp_secret FROM second_factors", [])).await.unwrap();
    let Some(Value::Bytes(sealed)) = rows.scalar() else { panic!("not sealed") };
    let holds = |bytes: &[u8]| bytes.windows(8).any(|part| secret.as_bytes().starts_with(part));
    assert!(!sealed.is_empty() && !holds(sealed));
}

/// The published vectors of RFC 6238 (appendix B, SHA-1), cut to six digits.
#[test]
fn codes_are_those_of_the_rfc() {
    let secret = Secret::from_base32("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").unwrap();
    for (time, code) in [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ] {
        let at = Timestamp::from_seconds(time);
        assert_eq!(secret.step_of(code, at, None), Some(time / 30), "{time}");
        assert_eq!(secret.step_of(code, at, Some(time / 30)), None, "used: {time}");
        let late = Timestamp::from_seconds(time + 90);
        assert_eq!(secret.step_of(code, late, None), None, "too late: {time}");
    }
}

proptest! {
    /// Whatever is typed: no panic, and nothing but six digits fits.
    #[test]
    fn only_six_digits_fit(code in ".{0,12}", seconds in 0_i64..4_000_000_000) {
        let secret = Secret::draw(&Random::seeded(7), "A practice: one", "a@example.com").unwrap();
        let step = secret.step_of(&code, Timestamp::from_seconds(seconds), None);
        let is_shaped = code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit());
        prop_assert!(is_shaped || step.is_none());
    }
}
