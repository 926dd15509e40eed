//! Tokens, file links and cursors: bound to the instance, to the purpose, to the list.

use proptest::prelude::*;
use ward_instance::calendar_link::{Calendar, CalendarLink, calendar_link, open_calendar_link};
use ward_instance::room_link::{RoomLink, open_room_link, room_link};
use ward_instance::token::{self, CursorRefusal, FileLink, LinkRefusal, TokenClass, TokenPurpose};
use ward_instance::upload_link::{UploadLink, open_upload_link, upload_link};
use ward_instance::{Kind, Random, RootRing};

use crate::{NOW, ring, vector_ring};

#[test]
fn a_minted_token_is_found_by_its_digest_and_by_nothing_else() {
    for kind in Kind::ALL {
        for purpose in TokenPurpose::ALL {
            let here = ring(kind, 1);
            let minted = token::mint(&here, purpose, &Random::seeded(5));
            let class = token::classify(&here, purpose, &minted.text);
            assert_eq!(class, TokenClass::Ours { lookup: minted.lookup });
            let there = ring(kind.other(), 1);
            let class = token::classify(&there, purpose, &minted.text);
            assert_eq!(class, TokenClass::WrongEnvironment(kind, here.tag()));
            assert_eq!(class.code(), Some("WRONG_ENVIRONMENT_TOKEN"));
            let class = token::classify(&ring(kind, 2), purpose, &minted.text);
            assert_eq!(class, TokenClass::WrongInstance(here.tag()));
            for other in TokenPurpose::ALL.into_iter().filter(|other| *other != purpose) {
                let class = token::classify(&here, other, &minted.text);
                assert_eq!(class, TokenClass::WrongPurpose(purpose));
            }
        }
    }
}

#[test]
fn tokens_of_an_old_root_end_with_it() {
    let mut ring = RootRing::clone(&ring(Kind::Sandbox, 1));
    let minted = token::mint(&ring, TokenPurpose::Session, &Random::seeded(5));
    ring.add_root(&Random::seeded(6)).unwrap();
    let TokenClass::Ours { lookup } = token::classify(&ring, TokenPurpose::Session, &minted.text)
    else {
        panic!("the text still names this instance");
    };
    assert_ne!(lookup, minted.lookup);
}

fn link() -> FileLink {
    FileLink {
        blob: "blob-1".to_owned(),
        user_id: 2_000_000_001,
        proxy_id: 2_000_000_002,
        expires: NOW.plus_seconds(60),
    }
}

#[test]
fn a_file_link_opens_until_it_expires() {
    let here = ring(Kind::Sandbox, 1);
    let text = token::file_link(&here, &link());
    assert_eq!(token::open_file_link(&here, &text, NOW), Ok(link()));
    assert_eq!(token::open_file_link(&here, &text, link().expires), Ok(link()));
    let after = link().expires.plus_micros(1);
    assert_eq!(token::open_file_link(&here, &text, after), Err(LinkRefusal::Expired));
}

#[test]
fn a_calendar_link_opens_what_it_was_made_for_and_nothing_of_elsewhere() {
    let here = ring(Kind::Sandbox, 1);
    for calendar in [
        Calendar::Appointment { id: 2_000_000_001, user_id: 2_000_000_002 },
        Calendar::Member { user_id: 2_000_000_001, generation: 3 },
    ] {
        let link = CalendarLink { org_id: 2_000_000_000, calendar };
        let text = calendar_link(&here, &link);
        assert_eq!(open_calendar_link(&here, &text), Ok(link));
        let refusal = open_calendar_link(&ring(Kind::Production, 1), &text).unwrap_err();
        assert_eq!(refusal, LinkRefusal::WrongEnvironment(Kind::Sandbox, here.tag()));
        let refusal = open_calendar_link(&ring(Kind::Sandbox, 2), &text).unwrap_err();
        assert_eq!(refusal, LinkRefusal::WrongInstance(here.tag()));
        // One that opens files opens no calendar, whatever its text begins with.
        let file = token::file_link(&here, &self::link()).replacen("wtu_", "wtl_", 1);
        assert_eq!(open_calendar_link(&here, &file), Err(LinkRefusal::Forged));
        assert!(token::open_file_link(&here, &text, NOW).is_err());
    }
}

#[test]
fn a_room_link_opens_that_room_here_and_no_calendar_does() {
    let here = ring(Kind::Sandbox, 1);
    let link =
        RoomLink { org_id: 2_000_000_000, appointment_id: 2_000_000_001, user_id: 2_000_000_002 };
    let text = room_link(&here, &link);
    assert_eq!(open_room_link(&here, &text), Ok(link));
    let refusal = open_room_link(&ring(Kind::Production, 1), &text).unwrap_err();
    assert_eq!(refusal, LinkRefusal::WrongEnvironment(Kind::Sandbox, here.tag()));
    let refusal = open_room_link(&ring(Kind::Sandbox, 2), &text).unwrap_err();
    assert_eq!(refusal, LinkRefusal::WrongInstance(here.tag()));
    // A calendar is handed to programs of others: its link is none, whatever its text begins with.
    let calendar = Calendar::Member { user_id: 2_000_000_002, generation: 2_000_000_001 };
    let calendar = calendar_link(&here, &CalendarLink { org_id: 2_000_000_000, calendar });
    assert_eq!(open_room_link(&here, &calendar), Err(LinkRefusal::Malformed));
    let forged = calendar.replacen("wtl_", "wtv_", 1);
    assert_eq!(open_room_link(&here, &forged), Err(LinkRefusal::Forged));
}

#[test]
fn an_upload_link_takes_one_file_here_until_its_time_and_reads_none() {
    let here = ring(Kind::Sandbox, 1);
    let link = UploadLink { org_id: 1, upload_id: 2, user_id: 3, proxy_id: 4, expires: NOW };
    let text = upload_link(&here, &link);
    assert_eq!(open_upload_link(&here, &text, NOW), Ok(link));
    let refusal = open_upload_link(&here, &text, NOW.plus_micros(1)).unwrap_err();
    assert_eq!(refusal, LinkRefusal::Expired);
    let refusal = open_upload_link(&ring(Kind::Sandbox, 2), &text, NOW).unwrap_err();
    assert_eq!(refusal, LinkRefusal::WrongInstance(here.tag()));
    // The two are signed with one key, and neither is the other.
    let read = text.replacen("wtp_", "wtu_", 1);
    assert_eq!(token::open_file_link(&here, &read, NOW), Err(LinkRefusal::Forged));
    let sent = token::file_link(&here, &self::link()).replacen("wtu_", "wtp_", 1);
    assert_eq!(open_upload_link(&here, &sent, NOW), Err(LinkRefusal::Forged));
}

#[test]
fn a_file_link_of_elsewhere_is_named() {
    let text = token::file_link(&ring(Kind::Sandbox, 1), &link());
    let refusal = token::open_file_link(&ring(Kind::Production, 1), &text, NOW).unwrap_err();
    assert_eq!(refusal.code(), Some("WRONG_ENVIRONMENT_TOKEN"));
    let refusal = token::open_file_link(&ring(Kind::Sandbox, 2), &text, NOW).unwrap_err();
    assert_eq!(refusal, LinkRefusal::WrongInstance(ring(Kind::Sandbox, 1).tag()));
}

#[test]
fn a_cursor_with_a_missing_or_cut_mac_is_malformed() {
    let here = vector_ring(Kind::Sandbox);
    // {"k":["1"]}, {"k":["1"],"m":""}, {"k":["1"],"m":"AAAA"}, [], "" and no base64.
    for text in [
        "eyJrIjpbIjEiXX0=",
        "eyJrIjpbIjEiXSwibSI6IiJ9",
        "eyJrIjpbIjEiXSwibSI6IkFBQUEifQ==",
        "W10=",
        "",
        "%%%",
    ] {
        assert_eq!(token::cursor_decode(&here, "s", text), Err(CursorRefusal::Malformed), "{text}");
    }
    let long = "A".repeat(token::CURSOR_CHARACTERS_MAX + 4);
    assert_eq!(token::cursor_decode(&here, "s", &long), Err(CursorRefusal::Malformed));
}

#[test]
fn moving_characters_between_keys_breaks_the_mac() {
    use base64::Engine as _;
    let here = vector_ring(Kind::Sandbox);
    let some = |text: &str| Some(text.to_owned());
    let text = token::cursor_encode(&here, "s", &[some("ab"), some("c")]);
    let engine = base64::engine::general_purpose::STANDARD;
    let json = String::from_utf8(engine.decode(text).unwrap()).unwrap();
    for forged in [r#"["a","bc"]"#, r#"["ab","c",null]"#, r#"["ab",null]"#, r#"["ab"]"#, "[]"] {
        let moved = engine.encode(json.replace(r#"["ab","c"]"#, forged));
        assert_eq!(token::cursor_decode(&here, "s", &moved), Err(CursorRefusal::WrongEnvironment));
    }
}

fn keys() -> impl Strategy<Value = Vec<Option<String>>> {
    prop::collection::vec(prop::option::of(".{0,20}"), 0..4)
}

proptest! {
    #[test]
    fn cursors_come_back_here_and_only_here(keys in keys(), scope in "[a-z:]{0,12}") {
        let here = ring(Kind::Sandbox, 1);
        let text = token::cursor_encode(&here, &scope, &keys);
        prop_assert_eq!(token::cursor_decode(&here, &scope, &text), Ok(keys));
        for other in [ring(Kind::Production, 1), ring(Kind::Sandbox, 2)] {
            let refusal = token::cursor_decode(&other, &scope, &text).unwrap_err();
            prop_assert_eq!(refusal.code(), Some("WRONG_ENVIRONMENT_TOKEN"));
        }
        let elsewhere = format!("{scope}x");
        prop_assert_eq!(
            token::cursor_decode(&here, &elsewhere, &text),
            Err(CursorRefusal::WrongEnvironment)
        );
    }

    #[test]
    fn any_text_gets_an_answer(text in "(wt[srifcu]_(sbx|live)_)?\\PC*") {
        let here = vector_ring(Kind::Sandbox);
        for purpose in TokenPurpose::ALL {
            let ours = matches!(token::classify(&here, purpose, &text), TokenClass::Ours { .. });
            prop_assert!(!ours);
        }
        prop_assert!(token::open_file_link(&here, &text, NOW).is_err());
        prop_assert!(token::cursor_decode(&here, "s", &text).is_err());
    }

    #[test]
    fn a_corrupted_token_or_link_never_opens(
        at in any::<prop::sample::Index>(), letter in prop::sample::select(&ward_instance::text::BASE62[..])
    ) {
        let here = vector_ring(Kind::Sandbox);
        let minted = token::mint(&here, TokenPurpose::Reset, &Random::seeded(5));
        let signed = token::file_link(&here, &link());
        for text in [minted.text.as_str(), signed.as_str()] {
            let mut bytes = text.as_bytes().to_vec();
            let position = at.index(bytes.len());
            bytes[position] = letter;
            let changed = String::from_utf8(bytes).unwrap();
            if changed != text {
                let class = token::classify(&here, TokenPurpose::Reset, &changed);
                prop_assert_eq!(class, TokenClass::Malformed);
                prop_assert!(token::open_file_link(&here, &changed, NOW).is_err());
            }
        }
    }
}
