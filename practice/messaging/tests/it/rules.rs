//! Rules without a database.

use proptest::prelude::*;
use ward_messaging::attachments::audio_type;
use ward_messaging::html::{SENT_CHARS_MAX, TAGS_MAX, Unfit, is_blank, plain};
use ward_messaging::listing::Status;
use ward_messaging::participants::{Named, named};

fn cleaned(text: &str) -> String {
    ward_messaging::html::cleaned(text).unwrap()
}

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

/// Bold type that nobody ends, each a little different, with a paragraph.
fn never_ended(pairs: usize) -> String {
    (0..pairs).map(|n| format!("<b a={n}><p>")).collect()
}

#[test]
fn what_is_kept_grows_with_what_was_sent_and_not_by_its_square() {
    // A parser left alone makes 80,200 elements of these 800 tags.
    let kept = cleaned(&never_ended(400)).matches('<').count();
    assert!(kept < 10_000, "{kept} tags");
    let refused = ward_messaging::html::cleaned;
    assert_eq!(refused(&never_ended(4_000)), Err(Unfit::TooManyTags));
    assert_eq!(cleaned(&"a<br>".repeat(TAGS_MAX)).matches("<br>").count(), TAGS_MAX);
    assert_eq!(refused(&"<br>".repeat(TAGS_MAX + 1)), Err(Unfit::TooManyTags));
    // However it is dressed, what is read is bounded before it is parsed.
    assert_eq!(refused(&" ".repeat(SENT_CHARS_MAX + 1)), Err(Unfit::TooLong));
    assert_eq!(refused(&"x".repeat(50_001)), Err(Unfit::TooLong));
    assert_eq!(cleaned(&"x".repeat(50_000)).len(), 50_000);
    let dressed = format!("<p style=\"{}\">x</p>", "a:b;".repeat(40_000));
    assert_eq!(cleaned(&dressed), "<p>x</p>");
}

#[test]
fn tags_are_read_as_a_browser_reads_them() {
    for (sent, kept) in [
        ("<P CLASS=a>x</P >", "<p>x</p>"),
        ("<b title=\"a>b\">x</b>", "<b>x</b>"),
        ("<!-- <b> -->x<!>y<?z?>", "xy"),
        (
            "<a href='https://a.example/?\"'>x</a>",
            "<a href=\"https://a.example/?&quot;\" rel=\"noopener noreferrer\">x</a>",
        ),
        (
            "<a href=https://a.example href=https://b.example>x</a>",
            "<a href=\"https://a.example\" rel=\"noopener noreferrer\">x</a>",
        ),
        ("<SCRIPT>a</scripty></script\n>b", "b"),
        ("<font><b>x</b></font>", "<b>x</b>"),
        ("1 < 2 <3", "1 &lt; 2 &lt;3"),
        ("one<br/>two", "one<br>two"),
        // Nothing that was written is lost with a tag that has no end.
        ("a <b and c", "a &lt;b and c"),
        (
            "<iframe><a href=\"</iframe><b x=1>\">",
            "<iframe><a href=\"&lt;/iframe>&lt;b x=1>\"></iframe>",
        ),
    ] {
        assert_eq!(cleaned(sent), kept, "{sent}");
    }
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

    /// Whatever tags are put together, and however they are left open.
    #[test]
    fn no_message_makes_many_elements_of_few(
        tags in prop::collection::vec(
            ("(</?)", "(a|b|em|i|u|strong|font|nobr|p|li|ul|br|iframe|table|td|object|svg)", "( x=[0-9]{1,3})?"),
            1..120,
        ),
    ) {
        let text: String =
            tags.iter().map(|(open, tag, attribute)| format!("{open}{tag}{attribute}>x")).collect();
        let made = cleaned(&text).matches('<').count();
        prop_assert!(made <= 40 * tags.len(), "{} of {}", made, tags.len());
        prop_assert_eq!(cleaned(&cleaned(&text)), cleaned(&text));
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
