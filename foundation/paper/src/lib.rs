//! Paper: what is read is laid out on pages and becomes a PDF, with the practice and the client
//! at the head of each page, "page 2 of 5" at its foot, and the mark of an instance that is no
//! Production.
//!
//! Absent on purpose: a clock, randomness, files, the network and other programs. The same
//! [`Paper`] is the same bytes. No input panics; what is too long is one error.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod flow;
mod font;
mod page;
mod rich;
mod tags;
mod wrap;

pub use rich::blocks as rich_text;

/// So many pages a document can have.
pub const PAGES_MAX: usize = 500;

/// A document to be drawn.
#[derive(Debug, Clone)]
pub struct Paper {
    /// What it is called: in the list of a reader's windows, and above the first page.
    pub title: String,
    /// The practice, at the left of each page's head.
    pub practice: String,
    /// Whom it is about, at the right of each page's head.
    pub about: String,
    /// At the left of each page's foot: when it was made.
    pub made: String,
    /// When it was made, in UTC, for the file itself.
    pub made_at: jiff::civil::DateTime,
    /// What every page of an instance bears that is no Production; `None` in Production.
    pub mark: Option<Mark>,
    /// What is on the pages.
    pub blocks: Vec<Block>,
}

/// The mark of an instance that is no Production: nobody takes its pages for real ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The word that lies across each page.
    pub word: String,
    /// The line at each page's foot.
    pub line: String,
}

/// A piece of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// A heading: 1 of a part, 2 and 3 within it.
    Heading(u8, String),
    /// A paragraph; a line feed in it ends a line.
    Paragraph(Vec<Span>),
    /// One entry of a list, at a depth of 0 or more, with what stands before it.
    Item(u8, String, Vec<Span>),
    /// A question, and below it what was answered.
    Pair(String, Vec<Block>),
    /// A line of a name and its value.
    Fact(String, String),
    /// Rows of cells, the first of them heads.
    Table(Vec<Vec<String>>),
    /// What must not be overlooked.
    Notice(String),
    /// What follows begins on a page of its own.
    NewPage,
}

/// Some words in one hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The words.
    pub text: String,
    /// Whether they are bold.
    pub bold: bool,
}

impl Span {
    /// Ordinary words.
    pub fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), bold: false }
    }

    /// Bold words.
    pub fn bold(text: impl Into<String>) -> Self {
        Self { text: text.into(), bold: true }
    }
}

impl Block {
    /// A paragraph of ordinary words.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Paragraph(vec![Span::plain(text)])
    }
}

/// Why there is no document.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Unprinted {
    /// It would have more pages than a document can have.
    #[error("This would be more than {PAGES_MAX} pages; choose less")]
    TooLong,
    /// The library that writes the file refused; a fault of the program.
    #[error("The PDF could not be written: {0}")]
    Library(String),
}

/// Draws a document: the bytes of its PDF.
pub fn draw(paper: &Paper) -> Result<Vec<u8>, Unprinted> {
    let faces = font::faces()?;
    let mut flow = flow::Flow::new(faces);
    flow.blocks(&paper.blocks)?;
    let laid = flow.finish()?;
    page::draw(paper, faces, &laid)
}
