//! Bands become pages, and pages a file.

use krilla::color::rgb;
use krilla::configure::{Accessibility, ConfigurationBuilder, PdfVersion};
use krilla::destination::XyzDestination;
use krilla::geom::{PathBuilder, Point, Rect, Transform};
use krilla::metadata::{DateTime, Metadata};
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::Fill;
use krilla::surface::Surface;
use krilla::tagging::{Artifact, ArtifactType, ContentTag, Identifier, SpanTag};
use krilla::{Document, SerializeSettings};

use crate::flow::{Band, Laid};
use crate::font::{Faces, Hand};
use crate::{PAGES_MAX, Paper, Unprinted};

/// Letter paper, in points.
const PAPER: (f32, f32) = (612.0, 792.0);
const LEFT: f32 = 54.0;
const TOP: f32 = 76.0;
/// Where text can be.
pub const WIDTH: f32 = PAPER.0 - 2.0 * LEFT;
/// So much of a page is for text.
pub const HEIGHT: f32 = 648.0;
/// Head and foot.
const SMALL: f32 = 8.5;
const HEAD: f32 = 46.0;
const FOOT: f32 = 752.0;
/// Bands that one after another want to be with the next.
const KEPT_MAX: usize = 12;

const BLACK: (u8, u8, u8) = (20, 20, 20);
const GREY: (u8, u8, u8) = (90, 90, 90);
const PALE: (u8, u8, u8) = (236, 236, 236);

/// Where each page's bands begin and end.
fn pages(bands: &[Band]) -> Result<Vec<std::ops::Range<usize>>, Unprinted> {
    let mut pages = Vec::new();
    let (mut start, mut used) = (0, 0.0_f32);
    for (at, band) in bands.iter().enumerate() {
        let space = if at == start { 0.0 } else { band.space };
        let full = used + space + wanted(bands, at) > HEIGHT;
        if at > start && (band.new_page || full) {
            pages.push(start..at);
            (start, used) = (at, band.height);
        } else {
            used += space + band.height;
        }
        if pages.len() >= PAGES_MAX {
            return Err(Unprinted::TooLong);
        }
    }
    pages.push(start..bands.len());
    Ok(pages)
}

/// The height of a band with those that it must be with.
fn wanted(bands: &[Band], at: usize) -> f32 {
    let mut height = 0.0;
    for (index, band) in bands.iter().skip(at).take(KEPT_MAX).enumerate() {
        height += band.height + if index == 0 { 0.0 } else { band.space };
        if !band.keep {
            break;
        }
    }
    height
}

/// Writes the file.
pub fn draw(paper: &Paper, faces: &Faces, laid: &Laid) -> Result<Vec<u8>, Unprinted> {
    let pages = pages(&laid.bands)?;
    let configuration = ConfigurationBuilder::new()
        .with_version(PdfVersion::Pdf17)
        .with_accessibility_validator(Accessibility::UA1)
        .finish()
        .map_err(|error| Unprinted::Library(format!("{error:?}")))?;
    let settings = SerializeSettings { configuration, ..SerializeSettings::default() };
    let mut document = Document::new_with(settings);
    document.set_metadata(metadata(paper, faces));
    document.set_outline(outline(paper, faces, laid, &pages));
    let mut texts = Vec::new();
    for (index, range) in pages.iter().enumerate() {
        let settings = PageSettings::from_wh(PAPER.0, PAPER.1)
            .ok_or_else(|| Unprinted::Library("the size of its pages".to_owned()))?;
        let mut page = document.start_page_with(settings);
        let mut surface = page.surface();
        let mut pen = Pen { surface: &mut surface, faces };
        pen.frame(paper, (index + 1, pages.len()));
        pen.bands(laid.bands.get(range.clone()).unwrap_or_default(), &mut texts);
        surface.finish();
        page.finish();
    }
    document.set_tag_tree(laid.pieces.tree(texts));
    document.finish().map_err(|error| Unprinted::Library(format!("{error:?}")))
}

/// What the file is called; never nothing.
fn title(paper: &Paper, faces: &Faces) -> String {
    let title = faces.clean(&paper.title).trim().to_owned();
    if title.is_empty() { "Document".to_owned() } else { title }
}

fn metadata(paper: &Paper, faces: &Faces) -> Metadata {
    let at = paper.made_at;
    let part = |number: i8| u8::try_from(number).unwrap_or(0);
    let made = DateTime::new(u16::try_from(at.year()).unwrap_or(0))
        .month(part(at.month()))
        .day(part(at.day()))
        .hour(part(at.hour()))
        .minute(part(at.minute()))
        .second(part(at.second()))
        .utc_offset_hour(0)
        .utc_offset_minute(0);
    let title = title(paper, faces);
    let marked = paper.mark.as_ref().map(|mark| format!("{} ({})", title, faces.clean(&mark.line)));
    Metadata::new()
        .title(marked.unwrap_or(title))
        .authors(vec![faces.clean(&paper.practice)])
        .language("en".to_owned())
        .producer("Ward".to_owned())
        .creation_date(made)
}

/// The parts, each with its page; at least the document itself.
fn outline(paper: &Paper, faces: &Faces, laid: &Laid, pages: &[std::ops::Range<usize>]) -> Outline {
    let mut outline = Outline::new();
    let mut is_empty = true;
    for (index, range) in pages.iter().enumerate() {
        let bands = laid.bands.get(range.clone()).unwrap_or_default();
        for entry in bands.iter().filter_map(|band| band.entry.as_ref()) {
            let to = XyzDestination::new(index, Point::from_xy(0.0, 0.0));
            outline.push_child(OutlineNode::new(entry.clone(), to));
            is_empty = false;
        }
    }
    if is_empty {
        let to = XyzDestination::new(0, Point::from_xy(0.0, 0.0));
        outline.push_child(OutlineNode::new(title(paper, faces), to));
    }
    outline
}

/// Draws on one page.
struct Pen<'a, 's> {
    surface: &'a mut Surface<'s>,
    faces: &'a Faces,
}

impl Pen<'_, '_> {
    /// What is on every page: head, foot, mark.
    fn frame(&mut self, paper: &Paper, (number, of): (usize, usize)) {
        if let Some(mark) = &paper.mark {
            self.watermark(&mark.word);
        }
        let half = WIDTH / 2.0 - 8.0;
        self.surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(ArtifactType::Header)));
        self.at_left(&paper.practice, HEAD, true, half);
        self.at_right(&paper.about, HEAD, false, half);
        self.line(HEAD + 6.0);
        self.surface.end_tagged();
        self.surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(ArtifactType::Footer)));
        self.at_left(&paper.made, FOOT, false, WIDTH - 100.0);
        self.at_right(&format!("Page {number} of {of}"), FOOT, false, 92.0);
        if let Some(mark) = &paper.mark {
            self.at_left(&mark.line, FOOT + 12.0, true, WIDTH);
        }
        self.surface.end_tagged();
    }

    fn bands(&mut self, bands: &[Band], texts: &mut Vec<(usize, Identifier)>) {
        let mut top = TOP;
        for (index, band) in bands.iter().enumerate() {
            let space = if index == 0 { 0.0 } else { band.space };
            if band.rule {
                let kind = Artifact::with_kind(ArtifactType::Layout);
                self.surface.start_tagged(ContentTag::Artifact(kind));
                self.line(top + space / 2.0);
                self.surface.end_tagged();
            }
            top += space;
            for run in &band.runs {
                let id = self.surface.start_tagged(ContentTag::Span(SpanTag::empty()));
                let at = Point::from_xy(LEFT + run.x, top + band.height * 0.75);
                self.text(&run.text, at, self.faces.hand(run.bold), (run.size, BLACK));
                self.surface.end_tagged();
                texts.push((run.piece, id));
            }
            top += band.height;
        }
    }

    fn watermark(&mut self, word: &str) {
        let word = self.faces.clean(word);
        let hand = self.faces.hand(true);
        let wide = hand.width(&word).max(0.1);
        let size = (560.0 / wide).min(160.0);
        let kind = Artifact::with_kind(ArtifactType::Watermark);
        self.surface.start_tagged(ContentTag::Artifact(kind));
        let (x, y) = (PAPER.0 / 2.0, PAPER.1 / 2.0);
        self.surface.push_transform(&Transform::from_rotate_at(-52.0, x, y));
        let at = Point::from_xy(x - wide * size / 2.0, y + size * 0.35);
        self.text(&word, at, hand, (size, PALE));
        self.surface.pop();
        self.surface.end_tagged();
    }

    fn at_left(&mut self, text: &str, y: f32, bold: bool, width: f32) {
        let (text, hand) = (self.shortened(text, bold, width), self.faces.hand(bold));
        self.text(&text, Point::from_xy(LEFT, y), hand, (SMALL, GREY));
    }

    fn at_right(&mut self, text: &str, y: f32, bold: bool, width: f32) {
        let (text, hand) = (self.shortened(text, bold, width), self.faces.hand(bold));
        let x = LEFT + WIDTH - hand.width(&text) * SMALL;
        self.text(&text, Point::from_xy(x, y), hand, (SMALL, GREY));
    }

    /// A line of head or foot, cut where there is no more place.
    fn shortened(&self, text: &str, bold: bool, width: f32) -> String {
        // So much is never wider than a page is needed to be measured.
        let text: String = text.chars().take(300).collect();
        let text = self.faces.clean(&text);
        let hand = self.faces.hand(bold);
        if hand.width(&text) * SMALL <= width {
            return text;
        }
        let at = hand.fitting(&text, width / SMALL - 1.0);
        format!("{}…", text.get(..at).unwrap_or_default())
    }

    fn text(&mut self, text: &str, at: Point, hand: &Hand, (size, ink): (f32, (u8, u8, u8))) {
        let glyphs = hand.glyphs(text);
        if glyphs.is_empty() {
            return;
        }
        self.surface.set_fill(Some(fill(ink)));
        self.surface.draw_glyphs(at, &glyphs, hand.font.clone(), text, size, false);
    }

    /// A thin line across the page.
    fn line(&mut self, y: f32) {
        let mut path = PathBuilder::new();
        let Some(rect) = Rect::from_xywh(LEFT, y, WIDTH, 0.5) else { return };
        path.push_rect(rect);
        let Some(path) = path.finish() else { return };
        self.surface.set_fill(Some(fill(GREY)));
        self.surface.draw_path(&path);
    }
}

fn fill((red, green, blue): (u8, u8, u8)) -> Fill {
    Fill { paint: rgb::Color::new(red, green, blue).into(), ..Fill::default() }
}
