//! The one font: which characters it has, and how wide words are.

use std::sync::LazyLock;

use krilla::text::{Font, GlyphId, KrillaGlyph};
use rustybuzz::{Direction, Face, UnicodeBuffer};
use unicode_normalization::UnicodeNormalization;

use crate::Unprinted;

static REGULAR: &[u8] = include_bytes!("../fonts/NotoSans-Regular.ttf");
static BOLD: &[u8] = include_bytes!("../fonts/NotoSans-Bold.ttf");
static FACES: LazyLock<Option<Faces>> =
    LazyLock::new(|| Some(Faces { regular: Hand::read(REGULAR)?, bold: Hand::read(BOLD)? }));

/// What stands for a character that the font lacks.
pub const LACKING: char = '\u{fffd}';

/// Both weights.
pub struct Faces {
    regular: Hand,
    bold: Hand,
}

/// One weight: as it is written into files, and as it is measured.
pub struct Hand {
    /// For the file.
    pub font: Font,
    face: Face<'static>,
    unit: f32,
}

/// Both weights; they are part of the program.
pub fn faces() -> Result<&'static Faces, Unprinted> {
    FACES.as_ref().ok_or_else(|| Unprinted::Library("its font is not readable".to_owned()))
}

impl Faces {
    /// One weight.
    pub fn hand(&self, bold: bool) -> &Hand {
        match bold {
            true => &self.bold,
            false => &self.regular,
        }
    }

    /// A text as it can be written: composed, on one line, without what has no shape, with
    /// a visible character for what the font lacks.
    pub fn clean(&self, text: &str) -> String {
        let mut clean = String::with_capacity(text.len());
        for it in text.nfc().filter(|it| !is_unseen(*it)) {
            match it {
                it if it.is_whitespace() => clean.push(' '),
                it if self.has(it) => clean.push(it),
                it => match said_otherwise(it) {
                    Some(words) => clean.push_str(words),
                    None => clean.push(LACKING),
                },
            }
        }
        clean
    }

    fn has(&self, it: char) -> bool {
        let in_hand = |hand: &Hand| hand.face.glyph_index(it).is_some_and(|glyph| glyph.0 != 0);
        in_hand(&self.regular) && in_hand(&self.bold) && !is_private(it)
    }
}

/// Signs of everyday notes that the font lacks, in signs that it has and that mean the same.
fn said_otherwise(it: char) -> Option<&'static str> {
    Some(match it {
        '\u{2264}' => "<=",
        '\u{2265}' => ">=",
        '\u{2260}' => "=/=",
        '\u{2248}' => "~",
        '\u{2192}' => "->",
        '\u{2190}' => "<-",
        '\u{2191}' => "(up)",
        '\u{2193}' => "(down)",
        '\u{2713}' | '\u{2714}' | '\u{2611}' | '\u{2612}' => "[x]",
        '\u{2610}' => "[ ]",
        _ => return None,
    })
}

/// Characters that only steer others, or that a PDF can't say.
fn is_unseen(it: char) -> bool {
    let steers = matches!(it, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}');
    let joins = matches!(it, '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}');
    steers || joins || (it.is_control() && !it.is_whitespace())
}

/// Characters that mean nothing outside one's own program.
fn is_private(it: char) -> bool {
    matches!(it, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..)
}

impl Hand {
    fn read(bytes: &'static [u8]) -> Option<Self> {
        let font = Font::new(bytes.to_vec().into(), 0)?;
        let face = Face::from_slice(bytes, 0)?;
        let unit = face.units_per_em() as f32;
        (unit > 0.0).then_some(Self { font, face, unit })
    }

    /// The glyphs of a text, from left to right; the text is clean.
    pub fn glyphs(&self, text: &str) -> Vec<KrillaGlyph> {
        let mut buffer = UnicodeBuffer::new();
        buffer.push_str(text);
        buffer.guess_segment_properties();
        buffer.set_direction(Direction::LeftToRight);
        let shaped = rustybuzz::shape(&self.face, &[], buffer);
        let infos = shaped.glyph_infos();
        let mut end = text.len();
        let mut next = text.len();
        let mut glyphs: Vec<KrillaGlyph> = infos
            .iter()
            .zip(shaped.glyph_positions())
            .rev()
            .map(|(info, position)| {
                let start = (info.cluster as usize).min(text.len());
                // Glyphs of one cluster stand for the same characters.
                if start != next {
                    (end, next) = (next, start);
                }
                KrillaGlyph::new(
                    GlyphId::new(info.glyph_id),
                    position.x_advance as f32 / self.unit,
                    position.x_offset as f32 / self.unit,
                    position.y_offset as f32 / self.unit,
                    position.y_advance as f32 / self.unit,
                    start..end.max(start),
                    None,
                )
            })
            .collect();
        glyphs.reverse();
        glyphs
    }

    /// How wide a text is, for a size of 1.
    pub fn width(&self, text: &str) -> f32 {
        self.glyphs(text).iter().map(|it| it.x_advance).sum()
    }

    /// So many bytes of a text, of whole clusters, fit into a width for a size of 1; at least
    /// one cluster.
    pub fn fitting(&self, text: &str, width: f32) -> usize {
        let mut wide = 0.0;
        for glyph in self.glyphs(text) {
            wide += glyph.x_advance;
            if wide > width && glyph.text_range.start > 0 {
                return glyph.text_range.start;
            }
        }
        text.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_font_has_what_people_write() {
        let faces = faces().unwrap();
        let text = "Zoë Müller-Šťastná, 5 µg ± 38.5 °C ½ – “naïve” • Ελλάδα Київ €";
        assert_eq!(faces.clean(text), text);
        assert_ne!(faces.regular.face.glyph_index(LACKING).map_or(0, |it| it.0), 0);
    }

    #[test]
    fn what_the_font_lacks_is_seen() {
        let faces = faces().unwrap();
        assert_eq!(faces.clean("a\u{4e2d}b\u{1f600}\u{e000}"), "a\u{fffd}b\u{fffd}\u{fffd}");
        assert_eq!(faces.clean("a\u{0}\u{feff}\u{202e}\tb\u{a0}c"), "a b c");
        assert_eq!(faces.clean("e\u{301}"), "é");
        assert_eq!(faces.clean("BP ≤ 120, ✓"), "BP <= 120, [x]");
    }

    #[test]
    fn what_fits_ends_between_clusters() {
        let hand = faces().unwrap().hand(false);
        let width = hand.width("mm");
        assert_eq!(hand.fitting("mmmm", width + 0.01), 2);
        assert_eq!(hand.fitting("mmmm", 0.0), 1);
        assert_eq!(hand.fitting("", 1.0), 0);
    }
}
