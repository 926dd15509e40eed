//! The texts: marks, links, escaping, subjects.

use serde_json::{Value as Json, json};
use ward_effects::{Content, MAIL_KINDS, RenderError, rendered};
use ward_instance::{Instance, Kind};

use crate::support::{BASE, instance};

fn mail(instance: &Instance, kind: &str, payload: &Json) -> Result<Content, RenderError> {
    rendered(instance, kind, &payload.to_string()).map(|(content, _)| content)
}

fn full() -> Json {
    json!({
        "recipient_name": "Ada",
        "practice_name": "Harbor Practice",
        "inviter_name": "Ben",
        "link": format!("{BASE}/x?a=1&b=2"),
        "code": "123456",
        "minutes": 5,
        "key": "ward_sbx_K7QF2_abcdefgh........",
        "endpoint": "hooks.example.com",
        "webhook": "2000000123",
        "time": "Wednesday, March 4, 2026 at 9:00 AM EST",
        "provider_name": "Grace Hopper",
        "count": "3",
        "finding": "ACCEPTS_FORGERIES",
        "unsubscribe_link": format!("{BASE}/unsubscribe?setting=1&type=messages"),
    })
}

/// Mails that lead nowhere: who is used to links in them follows a stranger's.
const WITHOUT_LINK: [&str; 12] = [
    "contact_message",
    "verification_code",
    "second_factor_changed",
    "email_changed",
    "access_given",
    "key_revoked",
    "file_quarantined",
    "break_glass",
    "webhook_failing",
    "webhook_disabled",
    "webhook_worse",
    "webhook_unfit",
];

/// Mails that one may want no more of, with the way out.
const WITH_WAY_OUT: [&str; 11] = [
    "new_message",
    "client_created",
    "client_assigned",
    "appointment_reminder",
    "new_appointment_request",
    "appointment_booked",
    "appointment_seat_freed",
    "appointment_changed",
    "appointment_cancelled",
    "appointment_part_cancelled",
    "form_requested",
];

/// ISO-24: every template in both environments, and no other host in it.
#[test]
fn links_lead_to_this_instance() {
    for kind in Kind::ALL {
        let (_, _, instance) = instance(kind);
        for name in MAIL_KINDS {
            let mail = mail(&instance, name, &full()).unwrap();
            if WITHOUT_LINK.contains(&name) {
                assert!(!mail.text.contains("://") && !mail.html.contains("href"), "{name}");
                continue;
            }
            for text in [&mail.text, &mail.html] {
                let way_out = text.matches(&format!("{BASE}/unsubscribe?setting=1")).count();
                assert_eq!(way_out, usize::from(WITH_WAY_OUT.contains(&name)), "{name}: {text}");
                assert_eq!(text.matches("://").count(), 1 + way_out, "{name}: {text}");
            }
            assert!(mail.text.contains(&format!("{BASE}/x?a=1&b=2")), "{name}");
            let html = format!("href=\"{BASE}/x?a=1&amp;b=2\"");
            assert!(mail.html.contains(&html), "{name}");
        }
    }
}

#[test]
fn other_links_are_refused() {
    let (_, _, instance) = instance(Kind::Sandbox);
    for link in [
        "https://other.example/x",
        "http://ward.example/x",
        "https://ward.example.other.example/x",
        "https://ward.example@other.example/x",
        "https://ward.example:8443/x",
        "https://ward.example",
        "//other.example/x",
        "https://ward.example//other.example/x",
        "/\\other.example",
        "/x?next=https://other.example",
        "/x\" onclick=\"y",
        "/x y",
        "/x\n",
        "javascript:alert(1)",
        "x",
        "",
    ] {
        for (name, payload) in [
            ("welcome", json!({ "practice_name": "Harbor", "link": link })),
            ("reset_password", json!({ "accounts": [{ "link": link }] })),
        ] {
            let refused = mail(&instance, name, &payload);
            assert_eq!(refused, Err(RenderError::ForeignLink), "{name}: {link:?}");
        }
    }
}

#[test]
fn a_path_gets_the_address_of_the_instance() {
    let (_, _, instance) = instance(Kind::Sandbox);
    let mail = mail(&instance, "confirm_email", &json!({ "link": "/confirm?token=t" })).unwrap();
    assert!(mail.text.contains(&format!("{BASE}/confirm?token=t")));
}

/// ISO-30: a Sandbox's mail says what it is, to people and to machines; Production's says it to
/// machines.
#[test]
fn iso_30_every_mail_is_marked() {
    for kind in Kind::ALL {
        let (_, _, instance) = instance(kind);
        for name in MAIL_KINDS {
            let mail = mail(&instance, name, &full()).unwrap();
            let tag = instance.tag().to_string();
            let visible = format!("[Sandbox {tag}] Simulated message");
            let is_sandbox = kind == Kind::Sandbox;
            assert_eq!(mail.subject.starts_with("[Sandbox] "), is_sandbox);
            assert_eq!(mail.text.starts_with(&visible), is_sandbox);
            assert_eq!(mail.html.contains(&visible), is_sandbox);
            let machine = format!("<meta name=\"x-environment\" content=\"{kind}\">");
            assert!(mail.html.contains(&machine));
            let headers = [("X-Environment", kind.to_string()), ("X-Instance", tag)];
            assert_eq!(mail.headers, headers);
        }
    }
}

#[test]
fn the_whole_text_of_a_mail() {
    let (_, _, instance) = instance(Kind::Production);
    let mail = mail(&instance, "invite", &full()).unwrap();
    assert_eq!(mail.subject, "You are invited to join a team");
    assert_eq!(
        mail.text,
        "Hello Ada,\n\nBen invites you to join the team of Harbor Practice. \
         Choose a password to accept:\n\nhttps://ward.example/x?a=1&b=2\n\n\
         The link works once, within 14 days, and only until a newer invitation is sent."
    );
}

/// Whatever the payload holds, the subject line is the kind's own.
#[test]
fn nothing_gets_into_a_subject_line() {
    let (_, _, instance) = instance(Kind::Production);
    for name in MAIL_KINDS {
        let subject = mail(&instance, name, &full()).unwrap().subject;
        let mut other = full();
        for member in ["recipient_name", "practice_name", "inviter_name", "provider_name", "time"] {
            other[member] = json!("PHQ-9 Oncology\r\nBcc: x@other.example");
        }
        let mail = mail(&instance, name, &other).unwrap();
        assert_eq!(mail.subject, subject);
        assert!(!mail.text.contains("\r") && !mail.text.contains("\nBcc"));
    }
}

/// Names are text: no markup, no links, no lines, no turning around.
#[test]
fn names_are_only_names() {
    let (_, _, instance) = instance(Kind::Sandbox);
    let payload = json!({
        "recipient_name": "<script>alert('x')</script>\u{202e}",
        "practice_name": "See https://other.example/login & \"win\"",
        "link": "/x",
    });
    let named = mail(&instance, "welcome", &payload).unwrap();
    assert!(!named.html.contains("<script") && named.html.contains("&lt;script&gt;"));
    assert!(named.html.contains("&amp; &quot;win&quot;"));
    for text in [&named.text, &named.html] {
        assert!(!text.contains("https://other") && !text.contains('\u{202e}'));
    }
    let long = json!({ "practice_name": "x".repeat(10_000), "link": "/x" });
    assert!(mail(&instance, "welcome", &long).unwrap().text.len() < 1_000);
}

/// One mail, a link for each account of the address, at most eight.
#[test]
fn a_reset_for_several_accounts() {
    let (_, _, instance) = instance(Kind::Sandbox);
    let accounts = |count: usize| {
        let account = |n| json!({ "practice_name": format!("P{n}"), "link": format!("/r?t={n}") });
        json!({ "accounts": (0..count).map(account).collect::<Vec<_>>() })
    };
    let eight = mail(&instance, "reset_password", &accounts(8)).unwrap();
    for n in 0..8 {
        assert!(eight.text.contains(&format!("P{n}: {BASE}/r?t={n}\n")));
        assert!(eight.html.contains(&format!("Set a new password for P{n}</a>")));
    }
    let nine = mail(&instance, "reset_password", &accounts(9));
    assert_eq!(nine, Err(RenderError::TooMany("accounts")));
    let none = mail(&instance, "reset_password", &json!({}));
    assert_eq!(none, Err(RenderError::Missing("accounts")));
}

#[test]
fn what_a_kind_needs() {
    let (_, _, instance) = instance(Kind::Sandbox);
    for (name, payload, lacks) in [
        ("welcome", json!({ "link": "/x" }), "practice_name"),
        ("welcome", json!({ "practice_name": " ", "link": "/x" }), "practice_name"),
        ("welcome", json!({ "practice_name": "P" }), "link"),
        ("invite", json!({ "practice_name": "P" }), "link"),
        ("confirm_email", json!({}), "link"),
        ("verification_code", json!({ "code": "123456" }), "code"),
        ("verification_code", json!({ "minutes": 5 }), "code"),
        ("key_revoked", json!({}), "key"),
        ("file_quarantined", json!({}), "finding"),
    ] {
        assert_eq!(mail(&instance, name, &payload), Err(RenderError::Missing(lacks)), "{name}");
    }
    let code = mail(&instance, "verification_code", &full()).unwrap();
    assert!(code.text.contains("\n123456\n") && code.text.contains("for 5 minutes"));
    assert!(!code.subject.contains("123456"));
    let changed = mail(&instance, "password_changed", &json!({})).unwrap();
    assert!(changed.text.contains("tell your practice"));
    assert_eq!(mail(&instance, "birthday", &json!({})), Err(RenderError::UnknownKind));
}
