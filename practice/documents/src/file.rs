//! What a file is, by its bytes: pure rules (SEC-29). What its sender says of it, by
//! its name's end and its claimed type, has to be true.

use std::io::{Read, Seek, SeekFrom};

use ward_identity::picture::picture_type;

use crate::archive::{self, DOCX, PPTX, XLSX};

/// The largest document.
pub const DOCUMENT_BYTES_MAX: u64 = 50 << 20;
/// Pictures of more pixels are refused: they would fill the memory of who opens them.
const PIXELS_MAX: u64 = 120_000_000;
/// So many bytes at the start and at the end are looked at.
const LOOKED_AT: usize = 64 << 10;

/// One sort of file.
#[derive(Debug, PartialEq, Eq)]
pub struct Sort {
    /// Media type.
    pub content_type: &'static str,
    /// As lists filter by it, and as people are told.
    pub family: &'static str,
    /// Ends of names that claim to be one.
    ends: &'static [&'static str],
    /// Other media types that claim to be one.
    aliases: &'static [&'static str],
}

impl Sort {
    /// Whether a list means it by this word: its family, an end of its names, its type.
    pub fn is_called(&self, word: &str) -> bool {
        self.family == word || self.ends.contains(&word) || self.content_type == word
    }
}

const fn sort(
    content_type: &'static str,
    family: &'static str,
    ends: &'static [&'static str],
    aliases: &'static [&'static str],
) -> Sort {
    Sort { content_type, family, ends, aliases }
}

/// Any bytes that no known sort has.
pub const BYTES: &str = "application/octet-stream";

/// The sorts that are told apart.
pub static SORTS: &[Sort] = &[
    sort("application/pdf", "pdf", &["pdf"], &["application/x-pdf"]),
    sort("image/png", "image", &["png"], &[]),
    sort("image/jpeg", "image", &["jpg", "jpeg", "jpe"], &["image/jpg"]),
    sort("image/gif", "image", &["gif"], &[]),
    sort("image/webp", "image", &["webp"], &[]),
    sort("image/tiff", "image", &["tif", "tiff"], &[]),
    sort("image/heic", "image", &["heic", "heif"], &["image/heif"]),
    sort("video/mp4", "video", &["mp4", "m4v"], &["video/x-m4v"]),
    sort("video/quicktime", "video", &["mov", "qt"], &[]),
    sort("audio/mp4", "audio", &["m4a"], &["audio/x-m4a", "audio/m4a"]),
    sort("audio/mpeg", "audio", &["mp3"], &["audio/mp3"]),
    sort("audio/ogg", "audio", &["ogg", "oga", "opus"], &["application/ogg"]),
    sort("audio/wav", "audio", &["wav"], &["audio/x-wav", "audio/wave"]),
    sort("video/webm", "video", &["webm"], &["audio/webm"]),
    sort(
        "application/msword",
        "document",
        &["doc", "xls", "ppt"],
        &["application/vnd.ms-excel", "application/vnd.ms-powerpoint"],
    ),
    sort(DOCX, "document", &["docx"], &[]),
    sort(XLSX, "spreadsheet", &["xlsx"], &[]),
    sort(PPTX, "presentation", &["pptx"], &[]),
    sort("application/rtf", "document", &["rtf"], &["text/rtf"]),
    sort("text/xml", "text", &["xml", "cda", "ccda"], &["application/xml", "application/cda+xml"]),
    sort("text/csv", "spreadsheet", &["csv"], &["application/csv"]),
    sort("text/plain", "text", &["txt", "text", "log", "md"], &[]),
];

/// The sort with this media type.
pub fn sort_of(content_type: &str) -> Option<&'static Sort> {
    SORTS.iter().find(|it| it.content_type == content_type)
}

/// Of which family a media type is: `other` for bytes.
pub fn family(content_type: &str) -> &'static str {
    sort_of(content_type).map_or("other", |it| it.family)
}

fn claimed_by_end(end: &str) -> Option<&'static Sort> {
    SORTS.iter().find(|it| it.ends.contains(&end))
}

fn claimed_by_type(claimed: &str) -> Option<&'static Sort> {
    let claimed = claimed.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    SORTS.iter().find(|it| it.content_type == claimed || it.aliases.contains(&claimed.as_str()))
}

/// What a sender says of a file.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// The end of its name, if it has one.
    pub extension: Option<&'a str>,
    /// Its media type, if one was sent.
    pub content_type: Option<&'a str>,
}

/// What a file is, or in one sentence why it is not taken.
pub fn examined(
    file: &mut (impl Read + Seek),
    claim: Claim<'_>,
) -> std::io::Result<Result<&'static str, String>> {
    let size = file.seek(SeekFrom::End(0))?;
    if size == 0 {
        return Ok(Err("The file is empty: send one with content".to_owned()));
    }
    if size > DOCUMENT_BYTES_MAX {
        return Ok(Err(format!("The file must be at most {} MiB", DOCUMENT_BYTES_MAX >> 20)));
    }
    file.seek(SeekFrom::Start(0))?;
    let mut start = Vec::new();
    file.by_ref().take(LOOKED_AT as u64).read_to_end(&mut start)?;
    file.seek(SeekFrom::Start(size - size.min(LOOKED_AT as u64)))?;
    let mut end = Vec::new();
    file.by_ref().take(LOOKED_AT as u64).read_to_end(&mut end)?;
    let found = match is_archive(&start) {
        true => match archive::contents(file)? {
            Some(contents) if contents.is_bomb(size) => {
                return Ok(Err(
                    "The file unpacks to more than a document can: send it smaller".to_owned()
                ));
            }
            Some(contents) => contents.office().map(|(content_type, _)| content_type),
            None => None,
        },
        false => match type_by_bytes(&start, size, claim) {
            Ok(found) => found,
            Err(sentence) => return Ok(Err(sentence)),
        },
    };
    file.seek(SeekFrom::Start(0))?;
    Ok(agreed(found, claim).and_then(|content_type| whole(content_type, &start, &end)))
}

fn is_archive(start: &[u8]) -> bool {
    start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06")
}

/// The media type by the first bytes; none when they are of no known sort.
fn type_by_bytes(
    start: &[u8],
    size: u64,
    claim: Claim<'_>,
) -> Result<Option<&'static str>, String> {
    if is_program(start) {
        return Err("The file is a program: programs are no documents".to_owned());
    }
    if let Some(picture) = picture_type(start) {
        return Ok(Some(picture));
    }
    Ok(match start {
        [b'%', b'P', b'D', b'F', b'-', ..] => Some("application/pdf"),
        [b'I', b'I', b'*', 0, ..] | [b'M', b'M', 0, b'*', ..] => Some("image/tiff"),
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => Some(by_brand(brand)),
        [b'I', b'D', b'3', ..] | [0xff, 0xfb | 0xf3 | 0xf2, ..] => Some("audio/mpeg"),
        [b'O', b'g', b'g', b'S', ..] => Some("audio/ogg"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => Some("audio/wav"),
        [0x1a, 0x45, 0xdf, 0xa3, ..] => Some("video/webm"),
        [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, ..] => Some("application/msword"),
        [b'{', b'\\', b'r', b't', b'f', ..] => Some("application/rtf"),
        text if is_text(text, size) => Some(text_type(text, claim)?),
        _ => None,
    })
}

fn by_brand(brand: &[u8]) -> &'static str {
    match brand {
        [b'h', b'e', b'i' | b'v', ..] | [b'm', b'i', b'f', b'1', ..] => "image/heic",
        [b'q', b't', b' ', b' ', ..] => "video/quicktime",
        [b'M', b'4', b'A', b' ', ..] => "audio/mp4",
        _ => "video/mp4",
    }
}

fn is_program(start: &[u8]) -> bool {
    // A program of Windows is `MZ` and, where its head says so, `PE`.
    let windows = start.starts_with(b"MZ") && start.iter().take(512).any(|byte| *byte == 0);
    let machine = matches!(
        start,
        [0x7f, b'E', b'L', b'F', ..]
            | [0xcf | 0xce, 0xfa, 0xed, 0xfe, ..]
            | [0xca, 0xfe, 0xba, 0xbe, ..]
    );
    windows || machine || start.starts_with(b"#!")
}

/// UTF-8 without control characters; of a longer one, as far as it was read.
fn is_text(start: &[u8], size: u64) -> bool {
    let text = match std::str::from_utf8(start) {
        Ok(text) => text,
        Err(error) if size > start.len() as u64 && error.error_len().is_none() => {
            std::str::from_utf8(start.get(..error.valid_up_to()).unwrap_or_default())
                .unwrap_or("\0")
        }
        Err(_) => return false,
    };
    !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}'))
}

/// Which text. What a browser would run is none.
fn text_type(text: &[u8], claim: Claim<'_>) -> Result<&'static str, String> {
    if holds_markup(text) {
        return Err("The file is HTML or SVG, which can hold scripts: send it as a PDF".to_owned());
    }
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    if text.trim_ascii_start().starts_with(b"<?xml") || text.starts_with(b"<ClinicalDocument") {
        return Ok("text/xml");
    }
    let says_csv = claim.extension == Some("csv")
        || claim
            .content_type
            .and_then(claimed_by_type)
            .is_some_and(|it| it.content_type == "text/csv");
    Ok(if says_csv { "text/csv" } else { "text/plain" })
}

/// Whether a browser that guesses would take this for a page.
fn holds_markup(bytes: &[u8]) -> bool {
    const STARTS: [&[u8]; 7] =
        [b"<!doctype html", b"<html", b"<script", b"<svg", b"<iframe", b"<body", b"<?php"];
    let begins = |at: usize| {
        STARTS.iter().any(|start| {
            bytes.get(at..at + start.len()).is_some_and(|part| part.eq_ignore_ascii_case(start))
        })
    };
    bytes.iter().enumerate().any(|(at, byte)| *byte == b'<' && begins(at))
}

/// What was claimed has to be what was found.
fn agreed(found: Option<&'static str>, claim: Claim<'_>) -> Result<&'static str, String> {
    let by_end = claim.extension.and_then(claimed_by_end);
    let by_type = claim.content_type.and_then(claimed_by_type);
    for claimed in [by_end, by_type].into_iter().flatten() {
        if found != Some(claimed.content_type) && !is_near(found, claimed) {
            let end = claimed.ends.first().copied().unwrap_or_default();
            return Err(format!(
                "The file is not what it is said to be: it is sent as {end}, and its content is not"
            ));
        }
    }
    if claim.extension.is_some_and(|end| RUNS.contains(&end)) {
        return Err("The file is a program or a page by its name: such are no documents".to_owned());
    }
    Ok(found.unwrap_or(BYTES))
}

/// Ends of names that a machine runs when they are opened.
const RUNS: [&str; 20] = [
    "exe", "com", "bat", "cmd", "scr", "msi", "js", "vbs", "ps1", "jar", "sh", "app", "lnk", "hta",
    "html", "htm", "svg", "xhtml", "php", "apk",
];

/// Texts are told apart by what is said of them alone.
fn is_near(found: Option<&'static str>, claimed: &Sort) -> bool {
    let texts = ["text/plain", "text/csv", "text/xml"];
    let films = ["video/mp4", "video/quicktime", "audio/mp4", "image/heic"];
    let of = |group: &[&str]| {
        found.is_some_and(|it| group.contains(&it)) && group.contains(&claimed.content_type)
    };
    (of(&texts) && claimed.content_type != "text/xml")
        || (of(&films) && claimed.content_type != "image/heic")
}

/// Nothing else may be hidden in what is one thing: no page in a picture, and no
/// picture that fills a memory.
fn whole(content_type: &'static str, start: &[u8], end: &[u8]) -> Result<&'static str, String> {
    let is_picture = content_type.starts_with("image/");
    let has_end = end.windows(22).any(|part| part.starts_with(b"PK\x05\x06"));
    if is_picture && (holds_markup(start) || holds_markup(end) || has_end) {
        return Err(
            "The file is a picture that holds a page or an archive: save it anew as a picture"
                .to_owned(),
        );
    }
    if is_picture && pixels(content_type, start).is_some_and(|count| count > PIXELS_MAX) {
        return Err(format!(
            "The picture has more than {} million pixels: send it smaller",
            PIXELS_MAX / 1_000_000
        ));
    }
    Ok(content_type)
}

/// How many pixels a picture says it has.
fn pixels(content_type: &str, start: &[u8]) -> Option<u64> {
    let big = |at: usize| start.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
    let small = |at: usize| start.get(at..at + 2)?.try_into().ok().map(u16::from_le_bytes);
    match content_type {
        "image/png" => Some(u64::from(big(16)?) * u64::from(big(20)?)),
        "image/gif" => Some(u64::from(small(6)?) * u64::from(small(8)?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::tests::archive;
    use std::io::Cursor;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0";

    fn examine(
        bytes: &[u8],
        end: Option<&str>,
        claimed: Option<&str>,
    ) -> Result<&'static str, String> {
        let claim = Claim { extension: end, content_type: claimed };
        examined(&mut Cursor::new(bytes.to_vec()), claim).unwrap()
    }

    #[test]
    fn files_are_what_their_bytes_say() {
        let word = archive(&[("[Content_Types].xml", 10), ("word/document.xml", 100)]);
        for (bytes, end, wanted) in [
            (b"%PDF-1.4\n".as_slice(), Some("pdf"), "application/pdf"),
            (PNG, Some("png"), "image/png"),
            (b"\xff\xd8\xff\xe0", Some("jpg"), "image/jpeg"),
            (b"a,b\n1,2\n", Some("csv"), "text/csv"),
            ("Café\n".as_bytes(), None, "text/plain"),
            (b"<?xml version=\"1.0\"?><ClinicalDocument/>", Some("xml"), "text/xml"),
            (&word, Some("docx"), DOCX),
            (b"\x01\x02\x03", Some("dcm"), BYTES),
        ] {
            assert_eq!(examine(bytes, end, None), Ok(wanted), "{end:?}");
        }
        // What browsers send for what they do not know says nothing.
        assert_eq!(examine(b"%PDF-1.4\n", None, Some(BYTES)), Ok("application/pdf"));
    }

    #[test]
    fn false_claims_and_bad_files_are_refused() {
        let bomb = archive(&[("[Content_Types].xml", 10), ("word/document.xml", u32::MAX)]);
        let plain_zip = archive(&[("readme.txt", 10)]);
        let mut bombed = PNG.to_vec();
        bombed[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
        let polyglot = [b"GIF89a\x01\0\x01\0".as_slice(), b"<ScRiPt>alert(1)</script>"].concat();
        let zipped = [PNG, &plain_zip].concat();
        for (bytes, end, claimed, said) in [
            (b"".as_slice(), Some("pdf"), None, "is empty"),
            (b"hello", Some("pdf"), None, "is not what it is said to be"),
            (b"hello", None, Some("application/pdf"), "is not what it is said to be"),
            (PNG, Some("pdf"), Some("image/png"), "is not what it is said to be"),
            (&bomb, Some("docx"), None, "unpacks to more"),
            (&plain_zip, Some("docx"), None, "is not what it is said to be"),
            (&polyglot, Some("gif"), None, "holds a page"),
            (&zipped, Some("png"), None, "holds a page or an archive"),
            (&bombed, Some("png"), None, "million pixels"),
            (b"<!DOCTYPE html><p>", Some("txt"), None, "HTML or SVG"),
            (b"<svg onload=\"x()\"/>", None, None, "HTML or SVG"),
            (b"\x7fELF\x02\x01", None, None, "is a program"),
            (b"MZ\x90\0\x03\0", Some("pdf"), None, "is a program"),
            (b"#!/bin/sh\n", Some("txt"), None, "is a program"),
            (b"alert(1)", Some("js"), None, "by its name"),
        ] {
            let sentence = examine(bytes, end, claimed).unwrap_err();
            assert!(sentence.contains(said), "{end:?}: {sentence}");
            assert!(!sentence.contains('\n') && sentence.len() < 160, "{sentence}");
        }
    }

    #[test]
    fn cut_texts_are_texts() {
        let long = "é".repeat(LOOKED_AT);
        assert_eq!(examine(format!("a{long}").as_bytes(), Some("txt"), None), Ok("text/plain"));
    }
}
