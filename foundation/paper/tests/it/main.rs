//! Documents read back from the bytes that were written.

#![allow(clippy::unwrap_used)]

use lopdf::Document;
use proptest::prelude::*;
use ward_paper::{Block, Mark, Paper, Span, Unprinted, draw, rich_text};

fn paper(blocks: Vec<Block>) -> Paper {
    Paper {
        title: "Chart note".to_owned(),
        practice: "Hill Practice".to_owned(),
        about: "Ada Byron".to_owned(),
        made: "Made on Jul 19, 2026".to_owned(),
        made_at: jiff::civil::date(2026, 7, 19).at(10, 44, 0, 0),
        mark: None,
        blocks,
    }
}

/// What each page says, with single spaces.
fn read(bytes: &[u8]) -> Vec<String> {
    let document = Document::load_mem(bytes).unwrap();
    let pages: Vec<u32> = document.get_pages().into_keys().collect();
    let text = |page: &u32| document.extract_text(&[*page]).unwrap();
    let words = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    pages.iter().map(text).map(words).collect()
}

#[test]
fn a_document_says_what_it_was_given() {
    let bytes = draw(&paper(vec![
        Block::Heading(1, "Visit note".into()),
        Block::Fact("Date of service".into(), "Jul 18, 2026".into()),
        Block::Pair(
            "How did you sleep?".into(),
            rich_text("<p>Not <b>well</b> – 5 µg, «très» Ελλάδα.</p><ul><li>late</li></ul>"),
        ),
        Block::Table(vec![vec!["".into(), "Left".into()], vec!["Eye".into(), "20/20".into()]]),
        Block::Notice("Changed after it was signed.".into()),
    ]))
    .unwrap();
    let pages = read(&bytes);
    assert_eq!(pages.len(), 1);
    for words in [
        "Hill Practice",
        "Ada Byron",
        "Made on Jul 19, 2026",
        "Page 1 of 1",
        "Visit note",
        "Date of service: Jul 18, 2026",
        "How did you sleep?",
        "Not well – 5 µg, «très» Ελλάδα.",
        "•",
        "late",
        "Left",
        "Eye",
        "20/20",
        "Changed after it was signed.",
    ] {
        assert!(pages[0].contains(words), "{words} in {}", pages[0]);
    }
    assert!(!pages[0].contains("Sandbox"));
}

#[test]
fn each_page_has_its_number_its_names_and_the_mark() {
    let line = "SANDBOX, synthetic data, tag 7Q2F";
    let mark = Mark { word: "SANDBOX".into(), line: line.into() };
    let blocks = (0..200).map(|at| Block::text(format!("Paragraph number {at}."))).collect();
    let pages = read(&draw(&Paper { mark: Some(mark), ..paper(blocks) }).unwrap());
    assert!(pages.len() > 3);
    for (index, page) in pages.iter().enumerate() {
        assert!(page.contains(&format!("Page {} of {}", index + 1, pages.len())), "{page}");
        assert!(page.contains(line), "{page}");
        assert_eq!(page.matches("SANDBOX").count(), 2, "across the page and at its foot: {page}");
        assert!(page.contains("Hill Practice") && page.contains("Ada Byron"), "{page}");
    }
    let all = pages.join(" ");
    assert!((0..200).all(|at| all.contains(&format!("Paragraph number {at}."))));
}

#[test]
fn a_part_begins_on_a_page_of_its_own() {
    let blocks = vec![
        Block::Heading(1, "First".into()),
        Block::text("one"),
        Block::NewPage,
        Block::Heading(1, "Second".into()),
        Block::text("two"),
    ];
    let bytes = draw(&paper(blocks)).unwrap();
    let pages = read(&bytes);
    assert_eq!(pages.len(), 2);
    assert!(pages[0].contains("one") && !pages[0].contains("Second"), "{pages:?}");
    assert!(pages[1].contains("Second two"), "{pages:?}");
    // Both are in the list of contents, and the file says what each text is.
    let document = Document::load_mem(&bytes).unwrap();
    let catalog = document.catalog().unwrap();
    assert!(catalog.has(b"Outlines") && catalog.has(b"StructTreeRoot"));
}

#[test]
fn a_heading_is_never_the_last_of_a_page() {
    for lines in 30..60 {
        let mut blocks: Vec<Block> = (0..lines).map(|_| Block::text("line")).collect();
        blocks.extend([Block::Heading(2, "Plan".into()), Block::text("rest")]);
        for page in read(&draw(&paper(blocks)).unwrap()) {
            assert_eq!(page.contains("Plan"), page.contains("rest"), "{lines}: {page}");
        }
    }
}

#[test]
fn what_the_font_lacks_is_told() {
    let pages = read(&draw(&paper(vec![Block::text("Name: \u{5f20}\u{4f1f}")])).unwrap());
    assert!(pages[0].contains("Name: \u{fffd}\u{fffd}"), "{pages:?}");
    assert!(pages[0].contains("the record has it"), "{pages:?}");
}

#[test]
fn long_words_and_cells_stay_on_the_page() {
    let word = "x".repeat(5_000);
    let cell = "a long cell ".repeat(300);
    let rows = vec![vec!["h".into(), "i".into()], vec![word.clone(), cell]];
    let pages = read(&draw(&paper(vec![Block::text(word), Block::Table(rows)])).unwrap());
    let count: usize = pages.iter().map(|it| it.matches('x').count()).sum();
    assert_eq!(count, 10_000);
    assert_eq!(pages.iter().map(|it| it.matches("cell").count()).sum::<usize>(), 300);
}

#[test]
fn what_is_too_long_is_one_error() {
    let text = "word\n".repeat(100_000);
    assert_eq!(draw(&paper(vec![Block::text(text)])).unwrap_err(), Unprinted::TooLong);
    let blocks = (0..501).flat_map(|_| [Block::NewPage, Block::text("x")]).collect();
    assert_eq!(draw(&paper(blocks)).unwrap_err(), Unprinted::TooLong);
    assert_eq!(Unprinted::TooLong.to_string(), "This would be more than 500 pages; choose less");
}

#[test]
fn the_same_paper_is_the_same_bytes() {
    let blocks =
        vec![Block::Heading(1, "A".into()), Block::Pair("Q".into(), rich_text("<p>1</p>"))];
    assert_eq!(draw(&paper(blocks.clone())).unwrap(), draw(&paper(blocks)).unwrap());
    // What has no words is a document, too.
    let blank = vec![Block::Heading(1, " \u{200b}".into()), Block::text(""), Block::Table(vec![])];
    for blocks in [Vec::new(), blank] {
        let nothing = Paper { title: " ".into(), ..paper(blocks) };
        assert_eq!(read(&draw(&nothing).unwrap()).len(), 1);
    }
}

fn any_block() -> impl Strategy<Value = Block> {
    let span = (any::<String>(), any::<bool>()).prop_map(|(text, bold)| Span { text, bold });
    let spans = proptest::collection::vec(span, 0..4);
    let rows = proptest::collection::vec(proptest::collection::vec(any::<String>(), 0..14), 0..4);
    let leaf = prop_oneof![
        (any::<u8>(), any::<String>()).prop_map(|(level, text)| Block::Heading(level, text)),
        spans.clone().prop_map(Block::Paragraph),
        (any::<u8>(), ".{0,5}", spans)
            .prop_map(|(depth, mark, spans)| Block::Item(depth, mark, spans)),
        (any::<String>(), any::<String>()).prop_map(|(name, value)| Block::Fact(name, value)),
        rows.prop_map(Block::Table),
        any::<String>().prop_map(Block::Notice),
        Just(Block::NewPage),
    ];
    let html = "[<>/pbuliol &;a-z\u{300}\u{4e2d}\n]{0,60}".prop_map(|text| rich_text(&text));
    prop_oneof![
        leaf,
        (any::<String>(), html).prop_map(|(question, answer)| Block::Pair(question, answer)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_text_becomes_a_document(
        blocks in proptest::collection::vec(any_block(), 0..8),
        texts in (any::<String>(), any::<String>(), any::<String>(), any::<String>()),
    ) {
        let (title, practice, about, word) = texts;
        let mark = Some(Mark { line: word.clone(), word });
        let made = about.clone();
        let bytes = draw(&Paper { title, practice, about, made, mark, ..paper(blocks) }).unwrap();
        prop_assert!(Document::load_mem(&bytes).unwrap().get_pages().len() <= 500);
    }

    #[test]
    fn any_html_keeps_its_words(words in proptest::collection::vec("[a-zA-Z0-9]{1,12}", 1..20)) {
        let text = format!("<p>{}</p>", words.join("</b> <b>"));
        let bytes = draw(&paper(rich_text(&text))).unwrap();
        prop_assert!(read(&bytes).join(" ").contains(&words.join(" ")) || words.join(" ").len() > 60);
    }
}
