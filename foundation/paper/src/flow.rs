//! Blocks become bands: lines of text, each with its height and what stands where in it.

use crate::font::{Faces, LACKING};
use crate::page::{HEIGHT, WIDTH};
use crate::tags::{Pieces, Role};
use crate::wrap::{Measure, Part};
use crate::{Block, PAGES_MAX, Span, Unprinted};

/// Sizes in points.
const TEXT: f32 = 10.0;
const SMALL: f32 = 9.0;
/// A line's height, in sizes of its text.
const LEADING: f32 = 1.4;
/// How far an entry of a list is moved in, for each depth.
const INDENT: f32 = 16.0;
/// A list is moved in no further.
const DEPTH_MAX: u8 = 6;
/// A table with more columns is written line by line.
const COLUMNS_MAX: usize = 10;
/// Between two columns.
const GUTTER: f32 = 8.0;
/// Pairs stand in pairs no deeper.
const NESTED_MAX: usize = 8;

/// Some words at a place of a band.
pub struct Run {
    pub x: f32,
    pub text: String,
    pub bold: bool,
    pub size: f32,
    /// The piece that it belongs to.
    pub piece: usize,
}

/// A line across the page.
#[derive(Default)]
pub struct Band {
    pub height: f32,
    /// Free space above, unless it is the first of its page.
    pub space: f32,
    pub runs: Vec<Run>,
    /// Whether there is a line above.
    pub rule: bool,
    /// Whether the next band must be on the same page.
    pub keep: bool,
    /// Whether it begins a page.
    pub new_page: bool,
    /// What the list of contents calls what begins here.
    pub entry: Option<String>,
}

/// All bands.
pub struct Laid {
    pub bands: Vec<Band>,
    pub pieces: Pieces,
}

/// How a paragraph stands.
#[derive(Clone, Copy)]
struct Look {
    x: f32,
    width: f32,
    size: f32,
    space: f32,
}

impl Look {
    const PLAIN: Look = Look { x: 0.0, width: WIDTH, size: TEXT, space: 4.0 };
}

/// Lays out blocks one after another.
pub struct Flow<'a> {
    measure: Measure<'a>,
    bands: Vec<Band>,
    pieces: Pieces,
    height: f32,
    new_page: bool,
    list: Option<usize>,
}

impl<'a> Flow<'a> {
    pub fn new(faces: &'a Faces) -> Self {
        Self {
            measure: Measure::new(faces),
            bands: Vec::new(),
            pieces: Pieces::default(),
            height: 0.0,
            new_page: false,
            list: None,
        }
    }

    /// Lays out some blocks.
    pub fn blocks(&mut self, blocks: &[Block]) -> Result<(), Unprinted> {
        self.nested(blocks, 0)
    }

    /// All bands; where the font lacked characters, a last one says so.
    pub fn finish(mut self) -> Result<Laid, Unprinted> {
        if self.measure.lacking {
            let said = format!(
                "Where it says {LACKING}, this document has no sign for a character; the record has it."
            );
            self.list = None;
            self.paragraph(&[Span::plain(said)], Look { size: SMALL, ..Look::PLAIN })?;
        }
        Ok(Laid { bands: self.bands, pieces: self.pieces })
    }

    fn nested(&mut self, blocks: &[Block], depth: usize) -> Result<(), Unprinted> {
        for block in blocks {
            if !matches!(block, Block::Item(..)) {
                self.list = None;
            }
            self.block(block, depth)?;
        }
        Ok(())
    }

    fn block(&mut self, block: &Block, depth: usize) -> Result<(), Unprinted> {
        match block {
            Block::Heading(level, text) => self.heading(*level, text),
            Block::Paragraph(spans) => self.paragraph(spans, Look::PLAIN),
            Block::Item(depth, mark, spans) => self.item(*depth, mark, spans),
            Block::Pair(question, answer) => self.pair(question, answer, depth),
            Block::Fact(name, value) => {
                let spans = [Span::bold(format!("{name}: ")), Span::plain(value.as_str())];
                self.paragraph(&spans, Look { space: 1.0, ..Look::PLAIN })
            }
            Block::Table(rows) => self.table(rows),
            Block::Notice(text) => self.notice(text),
            Block::NewPage => {
                self.new_page = true;
                Ok(())
            }
        }
    }

    fn heading(&mut self, level: u8, text: &str) -> Result<(), Unprinted> {
        let level = level.clamp(1, 3);
        let size = [15.0, 12.0, 10.5].get(usize::from(level) - 1).copied().unwrap_or(TEXT);
        let text = self.measure.clean(text).trim().to_owned();
        if text.is_empty() {
            return Ok(());
        }
        let piece = self.pieces.add(None, Role::Heading(level, text.clone()));
        let first = self.bands.len();
        let look = Look { size, space: size, ..Look::PLAIN };
        self.lines(&[Span::bold(text.as_str())], look, piece)?;
        for band in self.bands.iter_mut().skip(first) {
            band.keep = true;
        }
        if level == 1
            && let Some(band) = self.bands.get_mut(first)
        {
            band.entry = Some(text);
        }
        Ok(())
    }

    fn paragraph(&mut self, spans: &[Span], look: Look) -> Result<(), Unprinted> {
        let piece = self.pieces.add(None, Role::Paragraph);
        self.lines(spans, look, piece)
    }

    fn pair(&mut self, question: &str, answer: &[Block], depth: usize) -> Result<(), Unprinted> {
        let piece = self.pieces.add(None, Role::Paragraph);
        let first = self.bands.len();
        let look = Look { size: SMALL, space: 8.0, ..Look::PLAIN };
        self.lines(&[Span::bold(question)], look, piece)?;
        // A question may be longer than a page; its last line stays with the answer.
        if let Some(band) = self.bands.iter_mut().skip(first).last() {
            band.keep = true;
        }
        match depth < NESTED_MAX {
            true => self.nested(answer, depth + 1),
            false => Ok(()),
        }
    }

    fn item(&mut self, depth: u8, mark: &str, spans: &[Span]) -> Result<(), Unprinted> {
        let list = match self.list {
            Some(list) => list,
            None => self.pieces.add(None, Role::List),
        };
        self.list = Some(list);
        let item = self.pieces.add(Some(list), Role::Item);
        let label = self.pieces.add(Some(item), Role::Label);
        let body = self.pieces.add(Some(item), Role::Body);
        let x = INDENT * f32::from(depth.min(DEPTH_MAX) + 1);
        let first = self.bands.len();
        self.lines(spans, Look { x, width: WIDTH - x, space: 2.0, ..Look::PLAIN }, body)?;
        let text = self.measure.clean(mark);
        if let Some(band) = self.bands.get_mut(first)
            && !text.trim().is_empty()
        {
            let wide = self.measure.width(&text, false) * TEXT;
            let x = (x - wide - 4.0).max(0.0);
            band.runs.insert(0, Run { x, text, bold: false, size: TEXT, piece: label });
        }
        Ok(())
    }

    fn notice(&mut self, text: &str) -> Result<(), Unprinted> {
        let piece = self.pieces.add(None, Role::Paragraph);
        let first = self.bands.len();
        let look = Look { space: 8.0, ..Look::PLAIN };
        self.lines(&[Span::bold(text)], look, piece)?;
        if let Some(band) = self.bands.get_mut(first) {
            band.rule = true;
        }
        Ok(())
    }

    fn table(&mut self, rows: &[Vec<String>]) -> Result<(), Unprinted> {
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        if columns > COLUMNS_MAX {
            for row in rows {
                self.paragraph(&[Span::plain(row.join(" | "))], Look::PLAIN)?;
            }
            return Ok(());
        }
        if columns == 0 {
            return Ok(());
        }
        let table = self.pieces.add(None, Role::Table);
        for (index, row) in rows.iter().enumerate() {
            self.row(row, (table, index == 0), columns)?;
        }
        Ok(())
    }

    /// A row: as many bands as its longest cell has lines.
    fn row(
        &mut self,
        cells: &[String],
        (table, is_head): (usize, bool),
        columns: usize,
    ) -> Result<(), Unprinted> {
        let row = self.pieces.add(Some(table), Role::Row);
        let wide = WIDTH / columns as f32;
        let mut bands: Vec<Band> = vec![self.band(SMALL, 3.0)];
        for column in 0..columns {
            let role = if is_head { Role::Head } else { Role::Cell };
            let cell = self.pieces.add(Some(row), role);
            let text = cells.get(column).map(String::as_str).unwrap_or_default();
            let span = Span { text: text.to_owned(), bold: is_head || column == 0 };
            let x = wide * column as f32;
            for (line, pieces) in
                self.measure.wrap(&[span], SMALL, wide - GUTTER).into_iter().enumerate()
            {
                if bands.len() <= line {
                    bands.push(self.band(SMALL, 0.0));
                    self.check(bands.len())?;
                }
                if let Some(band) = bands.get_mut(line) {
                    band.runs.extend(self.runs(pieces, x, SMALL, cell));
                }
            }
        }
        for (index, mut band) in bands.into_iter().enumerate() {
            band.rule = index == 0;
            band.keep = is_head && index == 0;
            self.push(band)?;
        }
        Ok(())
    }

    fn lines(&mut self, spans: &[Span], look: Look, piece: usize) -> Result<(), Unprinted> {
        for (index, pieces) in
            self.measure.wrap(spans, look.size, look.width).into_iter().enumerate()
        {
            let mut band = self.band(look.size, if index == 0 { look.space } else { 0.0 });
            band.runs = self.runs(pieces, look.x, look.size, piece);
            self.push(band)?;
        }
        Ok(())
    }

    fn band(&self, size: f32, space: f32) -> Band {
        Band { height: size * LEADING, space, ..Band::default() }
    }

    fn push(&mut self, mut band: Band) -> Result<(), Unprinted> {
        band.new_page = std::mem::take(&mut self.new_page);
        self.height += band.height + band.space;
        self.bands.push(band);
        self.check(0)
    }

    /// Whether so many lines more can still be on the pages.
    fn check(&self, more: usize) -> Result<(), Unprinted> {
        let height = self.height + more as f32 * SMALL * LEADING;
        match height > (PAGES_MAX + 1) as f32 * HEIGHT {
            true => Err(Unprinted::TooLong),
            false => Ok(()),
        }
    }

    fn runs(&mut self, parts: Vec<Part>, x: f32, size: f32, piece: usize) -> Vec<Run> {
        let mut x = x;
        let mut runs = Vec::new();
        for it in parts {
            let wide = self.measure.width(&it.text, it.bold) * size;
            runs.push(Run { x, text: it.text, bold: it.bold, size, piece });
            x += wide;
        }
        runs
    }
}
