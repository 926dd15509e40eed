//! An account is not to be had by ways around its password: the brake on guessing,
//! a colleague's address, a bound key, keys of earlier sign-ins, old requests.

use serde_json::Value as Json;
use ward_engine::ViewId::V2026;
use ward_identity::confirm_email::confirm_by_link;
use ward_identity::flags;
use ward_identity::tables::{FactorKind, OrgRole, SecondFactor, User};
use ward_identity::{account, password};
use ward_store::{Cond, Flags, Id, Uuid};

use crate::members::{Hired, done, hire, number, update};
use crate::support::{GOOD, World};

const OWNER: &str = "owner@example.com";
const THEIRS: &str = "gravel-sonnet-pepper-58";

async fn sign_in(world: &World, address: &str, input: &str) -> Json {
    let document = format!(
        "mutation {{ signIn(input: {{{input}}}) {{ token api_key messages {{ message }} }} }}"
    );
    world.run_from(address, "", V2026, &document).await
}

/// Somebody else's client account with the owner's address and a known password.
async fn impostor(world: &World) {
    let second = world.practice("second@example.com").await;
    let document = format!(
        r#"mutation {{ signUp(input: {{role: "patient", first_name: "Mallory", last_name: "Other",
            email: "{OWNER}", password: "{THEIRS}", dietitian_id: "{}"}}) {{ token messages {{ message }} }} }}"#,
        second.owner.id
    );
    let answer = world.run_from("192.0.2.200", "", V2026, &document).await;
    assert!(answer["data"]["signUp"]["token"].is_string(), "{answer}");
}

/// SEC-13: an account of one's own with the victim's address does not reset the
/// counter of guesses at the victim's.
async fn a_password_of_ones_own_forgives_no_guesses(world: World) {
    impostor(&world).await;
    let credentials = |password: &str| format!(r#"email: "{OWNER}", password: "{password}""#);
    let mut braked = 0;
    for n in 0..24 {
        let password = if n % 5 == 4 { THEIRS } else { "wrong-guess-of-a-stranger" };
        let address = format!("192.0.2.{n}");
        let answer = sign_in(&world, &address, &credentials(password)).await;
        braked += i32::from(answer["errors"][0]["extensions"]["code"] == "TOO_MANY_REQUESTS");
    }
    assert!(braked >= 10, "{braked} of 24 were refused");
    world.pass(3_600);
    let answer = sign_in(&world, "192.0.2.99", &credentials(GOOD)).await;
    assert!(answer["data"]["signIn"]["token"].is_string(), "the owner gets in: {answer}");
}
both!(a_password_of_ones_own_forgives_no_guesses);

/// A network of IPv6 is one guesser, whichever of its addresses it uses.
async fn a_household_of_ipv6_is_one_guesser(world: World) {
    let mut braked = 0;
    for n in 0..40 {
        let input = format!(r#"email: "nobody{n}@example.com", password: "{THEIRS}""#);
        let answer = sign_in(&world, &format!("2001:db8:1:2::{n:x}"), &input).await;
        braked += i32::from(answer["errors"][0]["extensions"]["code"] == "TOO_MANY_REQUESTS");
    }
    assert!(braked > 0);
}
both!(a_household_of_ipv6_is_one_guesser);

/// A restricted client in the care of a provider.
async fn restricted_client(world: &World, provider: Id<User>) {
    let org = world.founded.organization.id;
    world
        .system(org.0, move |scope| {
            Box::pin(async move {
                let id: Id<User> = scope.next_id().await.unwrap();
                let human = account::human_of(scope, "healthie", None, true).await.unwrap();
                let client = User {
                    is_patient: true,
                    first_name: Some("Rita".to_owned()),
                    last_name: Some("Restricted".to_owned()),
                    dietitian_id: Some(provider),
                    restricted: true,
                    ..User::blank(id, org, org, human, scope.now())
                };
                account::create(scope, &client).await.unwrap();
            })
        })
        .await;
}

const UNSEEN: &str =
    "This member looks after clients whom you can't see. Ask the owner of the organization";

/// SEC-04: all the flags of a provider are not all that they see.
async fn nobody_takes_over_who_looks_after_more(world: World) {
    let admin = hire(
        &world,
        "Adam",
        OrgRole::Standard,
        flags::set_of([flags::IS_ADMIN, flags::IS_PROVIDER]),
    )
    .await;
    let provider =
        hire(&world, "Paula", OrgRole::Standard, flags::set_of([flags::IS_PROVIDER])).await;
    let takeovers = [
        (
            "updateOrganizationMember",
            format!(
                r#"updateOrganizationMember(input: {{id: "{}", email: "adam2@example.com"}})"#,
                provider.user
            ),
        ),
        (
            "updateOrganizationMembership",
            format!(
                r#"updateOrganizationMembership(input: {{id: "{}", email: "adam3@example.com"}})"#,
                provider.membership
            ),
        ),
        ("createApiKey", format!(r#"createApiKey(input: {{user_id: "{}"}})"#, provider.user)),
        ("resetMfa", format!(r#"resetMfa(input: {{id: "{}"}})"#, provider.user)),
    ];
    let run = async |key: &str, field: &str| {
        let document = format!("mutation {{ {field} {{ messages {{ field message }} }} }}");
        world.run(key, V2026, &document).await
    };
    restricted_client(&world, provider.user).await;
    for (name, field) in &takeovers {
        let answer = run(&admin.key, field).await;
        assert_eq!(answer["data"][name]["messages"][0]["message"], UNSEEN, "{name}: {answer}");
    }
    assert!(
        world
            .mails(world.founded.organization.id.0, "adam2@example.com", "invite")
            .await
            .is_empty()
    );
    let owner = world.owner_key().await;
    for (name, field) in &takeovers {
        done(&run(&owner, field).await, name);
    }
}
both!(nobody_takes_over_who_looks_after_more);

async fn mutate(world: &World, key: &str, field: &str) -> Json {
    world.run(key, V2026, &format!("mutation {{ {field} }}")).await
}

/// SEC-07: what a key with an end does must not outlast it.
async fn a_bound_key_makes_nothing_that_outlasts_it(world: World) {
    let (owner, me) = (world.owner_key().await, world.founded.owner.id);
    let end = world.instance.clock().wall().plus_seconds(3_600);
    let bound = format!(r#"expires_at: "{end}""#);
    let made = mutate(
            &world,
            &owner,
            &format!(r#"createApiKey(input: {{user_id: "{me}", {bound}}}) {{ api_key api_key_object {{ id }} }}"#),
        )
        .await;
    let key = made["data"]["createApiKey"]["api_key"].as_str().unwrap().to_owned();
    let id = made["data"]["createApiKey"]["api_key_object"]["id"].clone();
    for (name, field) in [
        ("createApiKey", format!(r#"createApiKey(input: {{user_id: "{me}"}})"#)),
        ("rotateApiKey", format!(r#"rotateApiKey(input: {{id: {id}, expires_at: "2099-01-01"}})"#)),
        ("enrollMfa", r#"enrollMfa(input: {mfa_type: TOTP})"#.to_owned()),
        ("unenrollMfa", r#"unenrollMfa(input: {mfa_type: TOTP})"#.to_owned()),
    ] {
        let answer = mutate(&world, &key, &format!("{field} {{ messages {{ message }} }}")).await;
        let told = answer["data"][name]["messages"][0]["message"].as_str().unwrap_or_default();
        assert!(told.starts_with("This API key has an end or addresses"), "{name}: {answer}");
    }
    let own = format!("deleteApiKey(input: {{id: {id}}}) {{ messages {{ message }} }}");
    done(&mutate(&world, &key, &own).await, "deleteApiKey");
}
both!(a_bound_key_makes_nothing_that_outlasts_it);

async fn works(world: &World, key: &str) -> bool {
    ward_identity::authenticate(&world.db, key).await.unwrap().is_ok()
}

/// A key that a sign-in made is a session by another name: a new password ends it.
/// Keys that were made on purpose go on.
async fn a_new_password_ends_the_keys_of_sign_ins(world: World) {
    let on_purpose = world.owner_key().await;
    let input = format!(
        r#"email: "{OWNER}", password: "{GOOD}", generate_api_token: true, allow_multiple_api_keys: true"#
    );
    let answer = sign_in(&world, "203.0.113.7", &input).await;
    let thiefs = answer["data"]["signIn"]["api_key"].as_str().unwrap().to_owned();
    assert!(works(&world, &thiefs).await);
    let hash = password::hash(world.instance.random(), THEIRS).await.unwrap();
    let (org, id) = (world.founded.organization.id, world.founded.owner.id);
    world
        .system(org.0, move |scope| {
            let hash = hash.clone();
            Box::pin(async move {
                let before: User = scope.find(id).await.unwrap().unwrap();
                let after = User { password_hash: Some(hash), ..before.clone() };
                account::update(scope, &before, &after).await.map(drop).unwrap();
            })
        })
        .await;
    assert!(!works(&world, &thiefs).await && works(&world, &on_purpose).await);
}
both!(a_new_password_ends_the_keys_of_sign_ins);

/// Whoever asked for another address of a weak account does not get the strong one
/// that it becomes.
async fn a_request_for_an_address_ends_when_the_account_grows(world: World) {
    let owner = world.owner_key().await;
    let clerk =
        hire(&world, "Cleo", OrgRole::Standard, flags::set_of([flags::CAN_EDIT_MEMBERS])).await;
    let weak: Hired = hire(&world, "Wim", OrgRole::Standard, Flags::default()).await;
    signed_in_before(&world, weak.user).await;
    let fields = r#"email: "cleo2@example.com""#;
    done(
        &update(&world, &clerk.key, weak.membership, fields).await,
        "updateOrganizationMembership",
    );
    let org = world.founded.organization.id.0;
    let mails = world.mails(org, "cleo2@example.com", "confirm_email").await;
    let link = mails[0]["link"].as_str().unwrap();
    let token = link.strip_prefix("/confirm-email?token=").unwrap().to_owned();
    done(
        &update(&world, &owner, weak.membership, "is_admin: true").await,
        "updateOrganizationMembership",
    );
    assert!(confirm_by_link(&world.db, &token, "test").await.unwrap().is_err());
    let taken = "SELECT COUNT(*) FROM users WHERE email = $1";
    assert_eq!(number(&world, taken, vec!["cleo2@example.com".into()]).await, 0);
}
both!(a_request_for_an_address_ends_when_the_account_grows);

/// As if the member had signed in once: the address is in use.
async fn signed_in_before(world: &World, user: Id<User>) {
    let org = world.founded.organization.id.0;
    world
        .system(org, move |scope| {
            Box::pin(async move {
                let before: User = scope.find(user).await.unwrap().unwrap();
                let after = User { last_sign_in_at: Some(scope.now()), ..before.clone() };
                account::update(scope, &before, &after).await.map(drop).unwrap();
            })
        })
        .await;
}

/// SEC-06: who was a person keeps no second factor of what becomes a program, and a
/// program's address changes at once.
async fn a_program_keeps_nothing_of_the_person(world: World) {
    let owner = world.owner_key().await;
    let former = hire(&world, "Xavier", OrgRole::Standard, Flags::default()).await;
    signed_in_before(&world, former.user).await;
    let (org, user) = (world.founded.organization.id, former.user);
    world
        .system(org.0, move |scope| {
            Box::pin(async move {
                let factor = SecondFactor {
                    id: Uuid(scope.uuid().0),
                    org_id: org,
                    unit_id: org,
                    user_id: user,
                    kind: FactorKind::Email,
                    totp_secret: None,
                    last_step: None,
                    tries: 0,
                    confirmed_at: Some(scope.now()),
                    created_at: scope.now(),
                };
                scope.create(&factor).await.unwrap();
            })
        })
        .await;
    let mark = |is: bool| {
        format!(
            r#"setIntegrationUser(input: {{id: "{user}", is_integration: {is}}}) {{ messages {{ message }} }}"#
        )
    };
    done(&mutate(&world, &owner, &mark(true)).await, "setIntegrationUser");
    let left = world
        .system(org.0, move |scope| {
            Box::pin(async move {
                scope.list::<SecondFactor>(Cond::eq("user_id", user.0), &[]).await.unwrap().len()
            })
        })
        .await;
    assert_eq!(left, 0);
    let fields = r#"email: "bridge@example.com""#;
    let answer = update(&world, &owner, former.membership, fields).await;
    let payload = done(&answer, "updateOrganizationMembership");
    assert_eq!(payload["organizationMembership"]["user"]["email"], "bridge@example.com");
    assert!(world.mails(org.0, "bridge@example.com", "invite").await.is_empty());
    done(&mutate(&world, &owner, &mark(false)).await, "setIntegrationUser");
}
both!(a_program_keeps_nothing_of_the_person);

/// Nobody ends the key of somebody stronger.
async fn keys_of_others_end_by_who_could_make_them(world: World) {
    let developer =
        hire(&world, "Dora", OrgRole::Standard, flags::set_of([flags::IS_DEVELOPER])).await;
    let owner = world.owner_key().await;
    let list = "{ apiKeys { nodes { id } } }";
    let listed = world.run(&developer.key, V2026, list).await;
    let ids: Vec<Json> = listed["data"]["apiKeys"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["id"].clone())
        .collect();
    assert_eq!(ids.len(), 2, "{listed}");
    let mut denials = 0;
    for id in &ids {
        let field = format!("deleteApiKey(input: {{id: {id}}}) {{ messages {{ field message }} }}");
        let answer = mutate(&world, &developer.key, &field).await;
        denials += i32::from(answer["errors"][0]["extensions"]["code"] == "PERMISSION_DENIED");
    }
    assert_eq!(denials, 1, "the owner's");
    assert!(works(&world, &owner).await, "the owner's goes on");
    assert!(!works(&world, &developer.key).await, "one's own can always be ended");
}
both!(keys_of_others_end_by_who_could_make_them);
