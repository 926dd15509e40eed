//! Confirming a new e-mail address, and the queries behind one-time links.

use serde_json::{Value as Json, json};
use ward_engine::ViewId::{Baseline, V2026};
use ward_identity::admin::{self, Preset};
use ward_identity::confirm_email::confirm_by_link;
use ward_identity::tables::{LinkPurpose, User};
use ward_identity::{account, confirm_email, link};
use ward_store::Query;

use crate::support::{GOOD, World, member};

const OLD: &str = "owner@example.com";
const NEW: &str = "new@example.com";
const NOT_GOOD: &str = "This link is not valid any more. Ask for a new one";

/// What `updateUser` does with a new address of one's own; the link's token.
async fn ask(world: &World, address: &'static str) -> String {
    let (org, id) = (world.founded.organization.id, world.founded.owner.id);
    world
        .system(org.0, move |scope| {
            Box::pin(async move {
                let before: User = scope.find(id).await.unwrap().unwrap();
                let after = User { unconfirmed_email: Some(address.to_owned()), ..before.clone() };
                account::update(scope, &before, &after).await.unwrap();
                confirm_email::ask(scope, &after, address, "test").await.unwrap();
            })
        })
        .await;
    let mails = world.mails(org.0, address, "confirm_email").await;
    let link = mails.last().unwrap()["link"].as_str().unwrap().to_owned();
    link.strip_prefix("/confirm-email?token=").unwrap().to_owned()
}

async fn token(world: &World, purpose: LinkPurpose) -> String {
    let (org, id) = (world.founded.organization.id, world.founded.owner.id);
    world
        .system(org.0, move |scope| {
            Box::pin(async move {
                let user: User = scope.find(id).await.unwrap().unwrap();
                link::issue(scope, &user, purpose).await.unwrap().text.to_string()
            })
        })
        .await
}

async fn sign_in(world: &World, email: &str) -> Json {
    let document = format!(
        r#"mutation {{ signIn(input: {{email: "{email}", password: "{GOOD}"}}) {{ token user {{ email }} messages {{ message }} }} }}"#
    );
    world.run("", V2026, &document).await["data"]["signIn"].clone()
}

async fn the_new_address_counts_once_it_is_confirmed(world: World) {
    let session = sign_in(&world, OLD).await["token"].as_str().unwrap().to_owned();
    let reset = token(&world, LinkPurpose::Reset).await;
    let confirm = ask(&world, NEW).await;
    assert!(sign_in(&world, NEW).await["token"].is_null(), "not before");
    assert!(sign_in(&world, OLD).await["token"].is_string());
    assert_eq!(confirm_by_link(&world.db, &confirm, "test").await.unwrap(), Ok(()));
    assert!(sign_in(&world, OLD).await["token"].is_null());
    assert_eq!(sign_in(&world, NEW).await["user"]["email"], NEW);
    let alive = ward_identity::authenticate(&world.db, &session).await.unwrap();
    assert!(alive.is_err(), "sessions end");
    let answer = ward_identity::set_password_by_link(&world.db, &reset, GOOD).await.unwrap();
    assert_eq!(answer, Err(vec![NOT_GOOD.to_owned()]), "links end");
    let again = confirm_by_link(&world.db, &confirm, "test").await.unwrap();
    assert_eq!(again, Err(vec![NOT_GOOD.to_owned()]), "once");
    let mut reader = world.db.read().await.unwrap();
    let sql = ward_store::Sql::fixed("SELECT standing FROM logins", []);
    let standing = reader.rows(&sql).await.unwrap();
    assert_eq!(standing.scalar().and_then(|it| it.text()), Some("proven"));
    let org = world.founded.organization.id.0;
    assert_eq!(world.mails(org, OLD, "email_changed").await.len(), 1, "the old one is told");
}
both!(the_new_address_counts_once_it_is_confirmed);

async fn a_link_confirms_the_address_it_was_sent_to(world: World) {
    let first = ask(&world, NEW).await;
    let second = ask(&world, "other@example.com").await;
    let refused = confirm_by_link(&world.db, &first, "test").await.unwrap();
    assert_eq!(refused, Err(vec![NOT_GOOD.to_owned()]), "void after a newer one");
    // A password of its own in between voids it too.
    let (org, id) = (world.founded.organization.id, world.founded.owner.id);
    world
        .system(org.0, move |scope| {
            Box::pin(async move {
                let before = scope.find(id).await.unwrap().unwrap();
                let after = User { password_hash: Some("$other".to_owned()), ..before.clone() };
                account::update(scope, &before, &after).await.map(drop).unwrap();
            })
        })
        .await;
    let refused = confirm_by_link(&world.db, &second, "test").await.unwrap();
    assert_eq!(refused, Err(vec![NOT_GOOD.to_owned()]));
    let late = ask(&world, NEW).await;
    world.pass(24 * 3_600);
    let refused = confirm_by_link(&world.db, &late, "test").await.unwrap();
    assert_eq!(refused, Err(vec![NOT_GOOD.to_owned()]));
}
both!(a_link_confirms_the_address_it_was_sent_to);

/// A link of one kind opens nothing of another (SEC-11).
async fn links_are_not_exchanged(world: World) {
    let reset = token(&world, LinkPurpose::Reset).await;
    let confirm = ask(&world, NEW).await;
    let refused = Err(vec![NOT_GOOD.to_owned()]);
    assert_eq!(confirm_by_link(&world.db, &reset, "test").await.unwrap(), refused);
    let set = ward_identity::set_password_by_link(&world.db, &confirm, GOOD).await.unwrap();
    assert_eq!(set, refused);
    let document = format!(
        "mutation {{ signIn(input: {{reset_token: \"{confirm}\"}}) {{ token messages {{ message }} }} }}"
    );
    let answer = world.run("", V2026, &document).await;
    assert_eq!(answer["data"]["signIn"]["messages"][0]["message"], NOT_GOOD, "{answer}");
    // Asking for an address leaves the other link good, and the reverse.
    let again = token(&world, LinkPurpose::Reset).await;
    assert_eq!(confirm_by_link(&world.db, &confirm, "test").await.unwrap(), Ok(()));
    let late = ward_identity::set_password_by_link(&world.db, &again, GOOD).await.unwrap();
    assert_eq!(late, refused, "but a new address ends it");
}
both!(links_are_not_exchanged);

async fn an_address_that_somebody_got_meanwhile_is_refused(world: World) {
    let confirm = ask(&world, NEW).await;
    let org = world.founded.organization.id;
    world
        .system(org.0, move |scope| {
            Box::pin(async move {
                let who = member("Nora", NEW);
                admin::create_user(scope, org, Preset::Support, &who).await.map(drop).unwrap();
            })
        })
        .await;
    let refused = confirm_by_link(&world.db, &confirm, "test").await.unwrap().unwrap_err();
    assert_eq!(refused, ["This e-mail address belongs to another account of the practice"]);
    assert!(sign_in(&world, OLD).await["token"].is_string(), "nothing changed");
    // Another practice's account with the address does not matter (SEC-02).
    world.practice("elsewhere@example.com").await;
    let elsewhere = ask(&world, "elsewhere@example.com").await;
    assert_eq!(confirm_by_link(&world.db, &elsewhere, "test").await.unwrap(), Ok(()));
}
both!(an_address_that_somebody_got_meanwhile_is_refused);

async fn what_the_pages_behind_links_ask(world: World) {
    let ask = |token: &str| {
        format!(
            "{{ validateResetPasswordToken(token: \"{token}\") validateSignupToken(token: \"{token}\")
                basicUserInfoFromToken(token: \"{token}\") {{ id first_name last_name full_name email
                    is_patient phone_number is_owner organization {{ id }} timezone }} }}"
        )
    };
    let shown = json!({
        "id": world.founded.owner.id.to_string(), "first_name": "Olga", "last_name": "Testcase",
        "full_name": "Olga Testcase", "email": OLD, "is_patient": false, "phone_number": null,
        "is_owner": null, "organization": null, "timezone": null,
    });
    let nothing = json!({"validateResetPasswordToken": false, "validateSignupToken": false,
        "basicUserInfoFromToken": null});
    for view in [Baseline, V2026] {
        let reset = token(&world, LinkPurpose::Reset).await;
        for _ in 0..2 {
            let answer = world.run("", view, &ask(&reset)).await;
            assert_eq!(answer["data"]["validateResetPasswordToken"], true, "{answer}");
            assert_eq!(answer["data"]["validateSignupToken"], false);
            assert_eq!(answer["data"]["basicUserInfoFromToken"], shown);
        }
        let invite = token(&world, LinkPurpose::Invite).await;
        let answer = world.run("", view, &ask(&invite)).await;
        assert_eq!(answer["data"]["validateSignupToken"], true, "{answer}");
        assert_eq!(answer["data"]["basicUserInfoFromToken"], shown);
        for dead in [reset.as_str(), "nonsense", ""] {
            assert_eq!(world.run("", view, &ask(dead)).await["data"], nothing, "{dead}");
        }
        // Looking at it did not use it up.
        ward_identity::set_password_by_link(&world.db, &invite, GOOD).await.unwrap().unwrap();
        assert_eq!(world.run("", view, &ask(&invite)).await["data"], nothing, "used");
        let late = token(&world, LinkPurpose::Reset).await;
        world.pass(24 * 3_600);
        assert_eq!(world.run("", view, &ask(&late)).await["data"], nothing, "late");
    }
}
both!(what_the_pages_behind_links_ask);
