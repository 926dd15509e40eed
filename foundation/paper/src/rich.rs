//! The HTML of rich text becomes blocks: paragraphs, lists, bold words. Whatever else it says
//! about looks is dropped, its words are not.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

use crate::{Block, Span};

/// Lists stand in lists no deeper.
const DEPTH_MAX: usize = 6;

/// Elements that say that a text is HTML.
const KNOWN: [&str; 18] = [
    "</p>",
    "<p>",
    "<p ",
    "</div>",
    "<br",
    "</b>",
    "</strong>",
    "</i>",
    "</em>",
    "</u>",
    "</span>",
    "</li>",
    "</ul>",
    "</ol>",
    "</a>",
    "</h",
    "</td>",
    "<img",
];

/// The blocks of an answer: of its HTML, or of its lines where it has none.
pub fn blocks(text: &str) -> Vec<Block> {
    let small = text.to_ascii_lowercase();
    if !KNOWN.iter().any(|it| small.contains(it)) {
        let text = text.trim_end();
        return if text.is_empty() { Vec::new() } else { vec![Block::text(text)] };
    }
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(text));
    let sink = Sink { state: RefCell::new(State::default()) };
    let tokenizer = Tokenizer::new(sink, TokenizerOpts::default());
    // A script would stop it; nothing is run, and it goes on.
    while !input.is_empty() {
        let _ = tokenizer.feed(&input);
    }
    tokenizer.end();
    let mut state = tokenizer.sink.state.take();
    state.end_block();
    state.blocks
}

struct Sink {
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    blocks: Vec<Block>,
    spans: Vec<Span>,
    bold: usize,
    /// The lists that are open: the number of the last entry of those that count.
    lists: Vec<Option<u32>>,
    /// What stands before the entry that is open.
    entry: Option<(u8, String)>,
    /// Inside an element whose text nobody reads.
    unread: usize,
}

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        let mut state = self.state.borrow_mut();
        match token {
            Token::CharacterTokens(text) => state.say(&text),
            Token::TagToken(tag) => return state.tag(&tag),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl State {
    fn say(&mut self, text: &str) {
        if self.unread > 0 || text.is_empty() {
            return;
        }
        // Line feeds of the source are spaces.
        let text: String = text
            .chars()
            .map(|it| if matches!(it, '\n' | '\r' | '\t') { ' ' } else { it })
            .collect();
        self.add(text);
    }

    fn add(&mut self, text: String) {
        let bold = self.bold > 0;
        match self.spans.last_mut().filter(|it| it.bold == bold) {
            Some(span) => span.text.push_str(&text),
            None => self.spans.push(Span { text, bold }),
        }
    }

    fn tag(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name: &str = &tag.name;
        let is_start = tag.kind == TagKind::StartTag;
        match name {
            "script" | "style" | "title" => return self.unread(is_start),
            "br" => self.add("\n".to_owned()),
            "img" if is_start => self.add(" [picture] ".to_owned()),
            "b" | "strong" => self.weigh(is_start),
            "th" | "td" if !is_start => self.add(" | ".to_owned()),
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.end_block();
                self.weigh(is_start);
            }
            "ul" | "ol" => {
                self.end_block();
                self.list(is_start, name == "ol");
            }
            "li" => {
                self.end_block();
                if is_start {
                    self.begin_entry();
                } else {
                    self.entry = None;
                }
            }
            "p" | "div" | "blockquote" | "pre" | "tr" | "table" | "hr" | "section" | "article"
            | "dt" | "dd" | "dl" => self.end_block(),
            _ => {}
        }
        TokenSinkResult::Continue
    }

    fn unread(&mut self, is_start: bool) -> TokenSinkResult<()> {
        if !is_start {
            self.unread = self.unread.saturating_sub(1);
            return TokenSinkResult::Continue;
        }
        self.unread += 1;
        TokenSinkResult::RawData(RawKind::Rawtext)
    }

    fn weigh(&mut self, is_start: bool) {
        self.bold = if is_start { self.bold + 1 } else { self.bold.saturating_sub(1) };
    }

    fn list(&mut self, is_start: bool, counts: bool) {
        if is_start {
            self.lists.push(counts.then_some(0));
        } else {
            self.lists.pop();
        }
    }

    fn begin_entry(&mut self) {
        let depth = self.lists.len().clamp(1, DEPTH_MAX) - 1;
        let mark = match self.lists.last_mut() {
            Some(Some(number)) => {
                *number = number.saturating_add(1);
                format!("{number}.")
            }
            _ => "•".to_owned(),
        };
        self.entry = Some((u8::try_from(depth).unwrap_or(0), mark));
    }

    /// What was said until now is a block of its own.
    fn end_block(&mut self) {
        let spans = std::mem::take(&mut self.spans);
        if spans.iter().all(|it| it.text.trim().is_empty()) {
            return;
        }
        match self.entry.as_mut() {
            Some((depth, mark)) => {
                // Further paragraphs of an entry have no mark.
                self.blocks.push(Block::Item(*depth, std::mem::take(mark), spans));
            }
            None => self.blocks.push(Block::Paragraph(spans)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_becomes_paragraphs_lists_and_bold_words() {
        let text = "<p>Slept <b>badly</b> &amp; late.</p><ul><li>Tea<ol><li>green</li></ol></li><li><p>Rest</p></li></ul>End<br>line";
        assert_eq!(
            blocks(text),
            [
                Block::Paragraph(vec![
                    Span::plain("Slept "),
                    Span::bold("badly"),
                    Span::plain(" & late."),
                ]),
                Block::Item(0, "•".into(), vec![Span::plain("Tea")]),
                Block::Item(1, "1.".into(), vec![Span::plain("green")]),
                Block::Item(0, "•".into(), vec![Span::plain("Rest")]),
                Block::text("End\nline"),
            ]
        );
    }

    #[test]
    fn a_text_that_is_no_html_stays_as_it_is() {
        assert_eq!(
            blocks("pH <7 and >6\n a < b &amp; c"),
            [Block::text("pH <7 and >6\n a < b &amp; c")]
        );
        assert_eq!(blocks("  \n"), []);
        assert_eq!(blocks("if x<y then <5"), [Block::text("if x<y then <5")]);
    }

    #[test]
    fn nobody_reads_scripts() {
        let text = "<script>if (a<b) p('</p>')</script><style>p{}</style><p>Seen</p>";
        assert_eq!(blocks(text), [Block::text("Seen")]);
    }

    #[test]
    fn what_is_broken_still_says_its_words() {
        assert_eq!(
            blocks("</li></ul><li>One<p>Two"),
            [
                Block::Item(0, "•".into(), vec![Span::plain("One")]),
                Block::Item(0, String::new(), vec![Span::plain("Two")]),
            ]
        );
    }
}
