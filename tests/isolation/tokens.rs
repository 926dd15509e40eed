//! ISO-15, 25: tokens, links and cursors of one instance open nothing at another.

use ward_tests::instance::{OWNER, link_in};
use ward_tests::schema::Schema;
use ward_tests::{Engine, Instance, Json, Kind, Reply, V2026, json, people, tell};

use crate::pair::{PASSWORD, Side, pair};

const CODE: &str = "WRONG_ENVIRONMENT_TOKEN";

#[track_caller]
fn assert_foreign(reply: &Reply, what: &str) {
    assert_eq!((reply.status, reply.code()), (200, CODE), "{what}: {}", reply.text);
}

#[test]
fn iso_15_tokens_of_the_other_environment_refused() {
    let pair = pair();
    let mut refused = 0;
    for kind in Kind::BOTH {
        let (to, from) = pair.sides(kind);
        let session = from.session();
        people::current_user(&from.server.with(&session));
        let link = from.instance.ward(&["user", "link"], &["--user", OWNER]).json();
        let reset = people::token_in(&link_in(&link).unwrap());
        let before = to.instance.settled_dump();
        // As a credential.
        let reply = to.server.with(&session).ask("{ currentUser { id } }", json!({}));
        assert_foreign(&reply, "a session as credential");
        assert!(reply.json["data"].is_null(), "executed: {}", reply.text);
        // To sign in with.
        let with_reset = json!({"reset_token": reset, "password": PASSWORD});
        for input in [json!({"token": session}), with_reset] {
            let reply = people::sign_in(&to.server.api(), input.clone());
            let payload = &reply.json["data"]["signIn"];
            assert!(payload["user"].is_null() && payload["token"].is_null(), "{}", reply.text);
            assert_foreign(&reply, &format!("signIn with {:?}", keys(&input)));
        }
        // On the screens of a reset or an invitation, as far as they are served.
        let served = Schema::of(&to.server.api(), V2026);
        let screens =
            ["validateResetPasswordToken", "validateSignupToken", "basicUserInfoFromToken"];
        let is_served = |name: &&str| served.roots().iter().any(|(_, field)| field.name == *name);
        for field in screens.into_iter().filter(is_served) {
            refused += 1;
            let selection = if field == "basicUserInfoFromToken" { "{ id }" } else { "" };
            let query = format!("query($token: String) {{ {field}(token: $token) {selection} }}");
            let reply = to.server.api().ask(&query, json!({"token": reset}));
            let answer = &reply.json["data"][field];
            assert!(!answer.is_object() && *answer != Json::Bool(true), "{field}: {}", reply.text);
            assert_foreign(&reply, field);
        }
        let page = to.server.api().post_as(
            "/set-password",
            "application/x-www-form-urlencoded",
            format!("token={reset}&password={PASSWORD}&repeated={PASSWORD}"),
        );
        assert_ne!(page.status, 200, "a foreign link sets a password");
        to.instance.await_refusal(CODE);
        to.instance.settled_dump().assert_unchanged_since(&before, "a foreign token");
        // It was good at home.
        people::set_password(&from.server.api(), &link_in(&link).unwrap(), PASSWORD);
        refused += 4;
    }
    tell("ISO-15", format_args!("{refused} presentations of session and reset tokens refused"));
}

fn keys(json: &Json) -> Vec<&String> {
    json.as_object().into_iter().flat_map(|object| object.keys()).collect()
}

/// A link to a stored file, from an avatar.
#[test]
fn iso_15_file_links_of_the_other_environment_refused() {
    let pair = pair();
    for kind in Kind::BOTH {
        let (to, from) = pair.sides(kind);
        let link = people::avatar(&from.as_provider());
        let path = &link[link.find("/files/").expect("a link to a file")..];
        let own = from.server.api().get(path);
        assert_eq!(own.status, 200, "the link opens nothing at home: {}", own.text);
        let foreign = to.server.api().get(path);
        assert_eq!((foreign.status, foreign.code()), (403, CODE), "{}", foreign.text);
    }
    tell("ISO-15", "2 file links refused");
}

/// A link to a member's calendar.
#[test]
fn iso_15_calendar_links_of_the_other_environment_refused() {
    let pair = pair();
    for kind in Kind::BOTH {
        let (to, from) = pair.sides(kind);
        let query = "{ currentUser { calendar_feed_link } }";
        let answer = from.as_provider().ask(query, json!({}));
        let link = answer.data()["currentUser"]["calendar_feed_link"].as_str().unwrap().to_owned();
        let path = &link[link.find("/calendars/").expect("a link to a calendar")..];
        let own = from.server.api().get(path);
        assert_eq!(own.status, 200, "the link opens nothing at home: {}", own.text);
        assert!(own.text.starts_with("BEGIN:VCALENDAR\r\n"), "{}", own.text);
        let foreign = to.server.api().get(path);
        assert_eq!((foreign.status, foreign.code()), (403, CODE), "{}", foreign.text);
    }
    tell("ISO-15", "2 calendar links refused");
}

/// The cursor at the end of a page of one.
fn cursor(side: &Side, list: &str) -> String {
    let query = format!("{{ {list}(first: 1) {{ page_info {{ end_cursor }} }} }}");
    let reply = side.as_owner().ask(&query, json!({}));
    let cursor = reply.data()[list]["page_info"]["end_cursor"].as_str();
    cursor.unwrap_or_else(|| panic!("{list} has no page: {}", reply.text)).to_owned()
}

const LISTS: [&str; 6] =
    ["users", "organizationMembers", "userGroups", "tagsPaginated", "apiKeys", "auditLog"];

#[test]
fn iso_25_cursors_of_the_other_environment_refused() {
    let pair = pair();
    let another = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let (owner, provider) = (another.owner_key(), another.member("provider"));
    let server = another.serve();
    people::furnish(&server.with(&owner), &server.with(&provider), "another");
    let mut replayed = 0;
    for list in LISTS {
        let query = format!(
            "query($after: String) {{ {list}(first: 1, after: $after) {{ total_count nodes {{ __typename }} }} }}"
        );
        let backwards = query.replace("first: 1, after:", "last: 1, before:");
        for kind in Kind::BOTH {
            let (to, from) = pair.sides(kind);
            let cursor = cursor(from, list);
            let own = from.as_owner().ask(&query, json!({"after": cursor}));
            own.data();
            let reply = to.as_owner().ask(&query, json!({"after": cursor}));
            assert_foreign(&reply, list);
            assert!(reply.json["data"][list].is_null(), "{list}: {}", reply.text);
            let reply = to.as_owner().ask(&backwards, json!({"after": cursor}));
            assert_foreign(&reply, list);
            replayed += 2;
        }
        // Another Sandbox's is as foreign.
        let cursor = cursor(&pair.s, list);
        let reply = server.with(&owner).ask(&query, json!({"after": cursor}));
        assert_foreign(&reply, list);
        replayed += 1;
    }
    tell("ISO-25", format_args!("{replayed} replays of cursors of {} lists refused", LISTS.len()));
}
