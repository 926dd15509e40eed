//! Rules without a database.

use proptest::prelude::*;
use ward_messaging::attachments::audio_type;
use ward_messaging::html::{cleaned, is_blank, plain};
use ward_messaging::listing::Status;
use ward_messaging::participants::{Named, named};

#[test]
fn only_a_safe_subset_of_html_is_kept() {
    let kept = [
        "<p>Hi <b>bold</b> <i>it</i> <u>under</u></p>",
        "<ul><li>one</li></ul><ol><li>two</li></ol>",
        "<iframe src=\"https://www.youtube.com/embed/x1\"></iframe>",
        "<img src=\"https://files.example/a.png\" alt=\"a\">",
    ];
    for html in kept {
        assert_eq!(cleaned(html), html);
    }
    let link = cleaned("<a href=\"https://a.example\" onclick=\"x()\">a</a>");
    assert_eq!(link, "<a href=\"https://a.example\" rel=\"noopener noreferrer\">a</a>");
    for (sent, kept) in [
        ("<script>alert(1)</script>ok", "ok"),
        ("<img src=x onerror=alert(1)>", "<img>"),
        ("<img src=\"http://tracker.example/a.png\">", "<img>"),
        ("<iframe src=\"https://evil.example/embed/\"></iframe>", "<iframe></iframe>"),
        ("<div style=\"position:fixed\"><p>x</p></div>", "<p>x</p>"),
        ("<svg onload=alert(1)>", ""),
    ] {
        assert_eq!(cleaned(sent), kept);
    }
    let trapped = cleaned("<a href=\"javascript:alert(1)\">x</a>");
    assert!(!trapped.contains("javascript"), "{trapped}");
}

#[test]
fn a_line_break_breaks_the_line() {
    assert_eq!(cleaned("one\ntwo\r\n\nthree"), "one<br>two<br><br>three");
    assert_eq!(cleaned("<p>one</p>\n<p>two</p>"), "<p>one</p>\n<p>two</p>");
}

#[test]
fn what_shows_nothing_is_blank() {
    for blank in ["", " \n ", "<p></p>", "<p> <br> </p>", "&nbsp;", "<script>x</script>"] {
        assert!(is_blank(&cleaned(blank)), "{blank}");
    }
    for full in ["a", "<p>a</p>", "<img src=\"https://a.example/a.png\">"] {
        assert!(!is_blank(&cleaned(full)), "{full}");
    }
}

#[test]
fn a_preview_is_text() {
    assert_eq!(plain(&cleaned("<p>1 < 2 &amp;amp; <b>3</b></p>")), "1 < 2 &amp; 3");
}

#[test]
fn participants_are_named_by_kind() {
    let expected = [Named::User("4"), Named::Group("2"), Named::User("7")];
    assert_eq!(named(" user-4,, group-2 ,7"), expected);
    assert!(named(" , ").is_empty());
}

#[test]
fn words_of_a_status() {
    assert_eq!(Status::of(None), Status::Active);
    assert_eq!(Status::of(Some("ARCHIVED")), Status::Archived);
    assert_eq!(Status::of(Some("closed")), Status::Closed);
    assert_eq!(Status::of(Some("whatever")), Status::Active);
}

#[test]
fn recordings_are_known_by_their_bytes() {
    assert_eq!(audio_type(b"ID3\x04"), Some("audio/mpeg"));
    assert_eq!(audio_type(b"RIFF\0\0\0\0WAVEfmt "), Some("audio/wav"));
    assert_eq!(audio_type(b"RIFF\0\0\0\0WEBP"), None);
    assert_eq!(audio_type(b"<html>"), None);
}

proptest! {
    /// What was cleaned once is clean: nothing new appears.
    #[test]
    fn cleaning_twice_is_cleaning_once(text in ".{0,200}") {
        let once = cleaned(&text);
        prop_assert_eq!(cleaned(&once), once);
    }

    #[test]
    fn nothing_that_runs_survives(
        tag in "(script|style|iframe|object|embed|svg|img|a|p|b)",
        attribute in "(onload|onerror|onclick|style|srcdoc)",
        rest in "[a-z()1-9 ]{0,20}",
    ) {
        let html = cleaned(&format!("<{tag} {attribute}=\"{rest}\">x</{tag}>"));
        prop_assert!(!html.contains(&attribute), "{}", html);
        prop_assert!(!html.contains("<script"), "{}", html);
    }

    #[test]
    fn a_list_names_as_many_as_it_has_entries(ids in prop::collection::vec(1_u32..9_999, 0..20)) {
        let list: Vec<String> = ids.iter().map(|id| format!("user-{id}")).collect();
        prop_assert_eq!(named(&list.join(",")).len(), ids.len());
    }
}
