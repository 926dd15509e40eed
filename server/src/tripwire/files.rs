//! Files, however they come: those that say of themselves that they are a production's, and those
//! that are text, which is looked at as texts are.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read as _;

use ward_engine::Upload;
use ward_export::MARK;
use ward_identity::picture::data_url_bytes;
use ward_instance::Kind;

use super::reach::{LOOKED_AT, Reach};
use super::walk::sign_in_text;
use super::{Sign, Tier};

/// Files that say what they are begin so.
const BEGINNINGS: [&[u8]; 4] = [b"MSH", b"ISA", b"PK", b"{"];
/// In so many bytes they say it.
const HEAD: usize = 64 * 1024;
/// So much base64 stands for the bytes that are looked at: whole groups of four characters.
const ENCODED: usize = LOOKED_AT.div_ceil(3) * 4;
/// Types that are text, beside `text/*`; the last two are ends.
const TEXTS: [&str; 3] = ["application/json", "application/xml", "application/csv"];
const TEXT_ENDS: [&str; 2] = ["+json", "+xml"];

/// The hard sign in the beginning of an upload.
pub fn sign_in_upload(upload: &Upload, reach: &mut Reach) -> Option<Sign> {
    let (mut bytes, looked_at) = (Vec::new(), reach.of_file().max(HEAD) as u64);
    let read =
        File::open(&upload.path).and_then(|file| file.take(looked_at).read_to_end(&mut bytes));
    read.ok()?;
    sign_in_bytes(&bytes, &upload.content_type, reach)
}

/// The hard sign in the beginning of a file of which its sender claims a type. What it says of itself
/// is looked for in each, numbers as far as it is in reach.
pub fn sign_in_bytes(bytes: &[u8], claimed: &str, reach: &mut Reach) -> Option<Sign> {
    let head = bytes.get(..HEAD).unwrap_or(bytes);
    let start = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    if BEGINNINGS.iter().any(|it| start.starts_with(it))
        && head_says_production(&String::from_utf8_lossy(start))
    {
        return Some(Sign::ProductionFile);
    }
    let most = reach.of_file();
    let bytes = bytes.get(..most).unwrap_or(bytes);
    let text = text_of(bytes, claimed, most)?;
    reach.take(bytes.len());
    sign_in_text(&text, reach).filter(|sign| sign.tier() == Tier::Hard)
}

/// The file that an argument of this name is as a text: the beginning of its bytes, and its claimed
/// type. A data URL is one anywhere, bare base64 only where a file is meant.
pub fn written<'a>(text: &'a str, name: &str) -> Option<(Vec<u8>, &'a str)> {
    let text = text.trim();
    let (claimed, data) = match text.strip_prefix("data:") {
        Some(rest) => rest.split_once(";base64,")?,
        None if name == "file_string" => ("", text),
        None => return None,
    };
    let data = data.trim_start();
    let head = data.get(..ENCODED.min(data.len()))?;
    Some((data_url_bytes(head)?, claimed))
}

/// What bytes say, if they are text: by themselves, or as their sender says. A PDF may have no byte
/// that text has not, and is none. Where there are the `most` that are looked at, there may be more.
fn text_of<'a>(bytes: &'a [u8], claimed: &str, most: usize) -> Option<Cow<'a, str>> {
    if bytes.starts_with(b"%PDF") || bytes.contains(&0) {
        return None;
    }
    let is_utf8 = match std::str::from_utf8(bytes) {
        Ok(_) => true,
        // The end may cut a character in two.
        Err(error) => bytes.len() >= most && error.error_len().is_none(),
    };
    (is_utf8 || is_text(claimed)).then(|| String::from_utf8_lossy(bytes))
}

fn is_text(claimed: &str) -> bool {
    let claimed = claimed.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    claimed.starts_with("text/")
        || TEXTS.contains(&claimed.as_str())
        || TEXT_ENDS.iter().any(|end| claimed.ends_with(end))
}

/// HL7 v2 by MSH-11, X12 by ISA15, FHIR by a bundle without the tag of tests, an export of ours by
/// its mark (ISO-34).
fn head_says_production(head: &str) -> bool {
    let text = head.trim_start_matches('\u{feff}').trim_start();
    if text.starts_with("MSH") {
        let Some(separator) = text.chars().nth(3) else { return false };
        let segment = text.split(['\r', '\n']).next().unwrap_or_default();
        // The separator itself is MSH-1.
        return segment.split(separator).nth(10).is_some_and(|it| it.starts_with('P'));
    }
    if text.starts_with("ISA") {
        return text.as_bytes().get(102) == Some(&b'P');
    }
    // An archive of a client says in its first entry, which is stored as it is, where it is from.
    if text.starts_with("PK") {
        let mark = format!("{MARK}{}", Kind::Production.as_str());
        return text.contains(&mark);
    }
    text.starts_with('{')
        && text.contains("\"resourceType\"")
        && text.contains("\"Bundle\"")
        && !text.contains("HTEST")
}

#[cfg(test)]
mod tests {
    use super::{
        LOOKED_AT, MARK, Reach, Sign, head_says_production as says, sign_in_bytes, written,
    };

    /// The sign in a file that is sent by itself.
    fn sign(bytes: &[u8], claimed: &str) -> Option<Sign> {
        sign_in_bytes(bytes, claimed, &mut Reach::default())
    }

    #[test]
    fn what_files_say() {
        let hl7 = |kind: &str| {
            format!("MSH|^~\\&|EHR|CLINIC|LAB|LAB|20260304||ADT^A01|42|{kind}|2.5\rPID|1||7")
        };
        assert!(says(&hl7("P")) && !says(&hl7("T")));
        let isa = |kind: &str| {
            format!(
                "ISA*00*          *00*          *ZZ*SUBMITTERID    *ZZ*RECEIVERID     *260304*0930*^*00501*000000905*1*{kind}*:~"
            )
        };
        assert!(says(&isa("P")) && !says(&isa("T")), "{}", isa("P"));
        let fhir = r#"{"resourceType": "Bundle", "type": "collection"}"#;
        assert!(says(fhir));
        assert!(!says(&fhir.replace("collection", "HTEST")));
        let export = |kind: &str| format!("PK\u{3}\u{4}environment.txt{MARK}{kind}\nmade-by: x");
        assert!(says(&export("production")) && !says(&export("sandbox")));
        assert!(!says("PK\u{3}\u{4}readme.txt"));
        assert!(!says("MSH") && !says("") && !says("{}"));
    }

    #[test]
    fn text_is_looked_at_and_what_is_none_is_not() {
        let ssn = "name,ssn\r\nAda,536-90-4399\r\n".as_bytes();
        let latin = b"Andr\xe9,536-90-4399".as_slice();
        let files: &[(&[u8], &str, Option<Sign>)] = &[
            (ssn, "text/csv", Some(Sign::Ssn)),
            (ssn, "", Some(Sign::Ssn)),
            (ssn, "image/png", Some(Sign::Ssn)),
            (latin, "text/plain; charset=iso-8859-1", Some(Sign::Ssn)),
            (latin, "application/fhir+json", Some(Sign::Ssn)),
            (latin, "image/jpeg", None),
            (latin, "", None),
            (b"\xef\xbb\xbf {\"ssn\": \"536904399\"}", "", Some(Sign::Ssn)),
            (b"[\"card\\n4539 5787 6362 1486\"]", "application/json", Some(Sign::Card)),
            (b"MSH|^~\\&|A|B|C|D|20260304||ADT^A01|42|P|2.5\r", "", Some(Sign::ProductionFile)),
            (b"%PDF-1.4 536-90-4399", "application/pdf", None),
            (b"536-90-4399\0", "text/plain", None),
            // What is only probable or possible in a text is nothing in a file.
            (b"MRN 00482913, {\"phone\": \"415-867-5309\"}", "text/plain", None),
            (b"SSN 123-45-6789, 900-12-3456", "text/plain", None),
            (b"", "text/plain", None),
        ];
        for (bytes, claimed, expected) in files {
            assert_eq!(sign(bytes, claimed), *expected, "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn no_more_than_the_beginning_is_looked_at() {
        let long = |before: usize| format!("{}\n536-90-4399\n", "é".repeat(before / 2));
        assert_eq!(sign(long(LOOKED_AT - 20).as_bytes(), ""), Some(Sign::Ssn));
        assert_eq!(sign(long(LOOKED_AT).as_bytes(), ""), None);
        // A character that is cut in two at the end.
        let cut = format!("536-90-4399, {}", long(LOOKED_AT));
        assert_eq!(sign(cut.as_bytes(), ""), Some(Sign::Ssn));
    }

    #[test]
    fn files_that_are_written_as_texts() {
        let of = |text: &str, name: &str| {
            written(text, name).map(|(bytes, claimed)| (bytes, claimed.to_owned()))
        };
        let hi = Some((b"Hi\n".to_vec(), "text/plain".to_owned()));
        assert_eq!(of(" data:text/plain;base64,SGkK ", "any"), hi);
        assert_eq!(of("SGkK", "file_string"), Some((b"Hi\n".to_vec(), String::new())));
        assert_eq!(of("SGkK", "notes"), None);
        assert_eq!(of("data:text/plain,Hi", "file_string"), None);
        assert_eq!(of("data:text/plain;base64,S", "file_string"), None);
        let (bytes, _) = written(&"QUFB".repeat(LOOKED_AT), "file_string").unwrap();
        assert!((LOOKED_AT..LOOKED_AT + 3).contains(&bytes.len()), "{}", bytes.len());
    }

    #[test]
    fn so_much_of_all_files_is_looked_at() {
        let of = |first: &str| format!("{first}\n{}", "é".repeat(LOOKED_AT / 2)).into_bytes();
        let (full, ssn) = (of(""), of("536-90-4399"));
        let mut reach = Reach::default();
        for _ in 0..3 {
            assert_eq!(sign_in_bytes(&full, "", &mut reach), None);
        }
        // What is no text is not.
        assert_eq!(
            sign_in_bytes(&[b"\0".as_slice(), full.as_slice()].concat(), "", &mut reach),
            None
        );
        let mut others = reach;
        assert_eq!(sign_in_bytes(&ssn, "", &mut reach), Some(Sign::Ssn));
        assert_eq!(sign_in_bytes(&ssn, "", &mut reach), None);
        // Half a file is left, and a character is cut in two at its end.
        others.take(LOOKED_AT / 2 - 1);
        assert_eq!(sign_in_bytes(&ssn, "", &mut others), Some(Sign::Ssn));
        assert_eq!(sign_in_bytes(&ssn, "", &mut others), None);
        // What they say of themselves is looked for in each.
        let hl7 = b"MSH|^~\\&|A|B|C|D|20260304||ADT^A01|42|P|2.5\r";
        assert_eq!(sign_in_bytes(hl7, "", &mut others), Some(Sign::ProductionFile));
    }

    fn base64(text: &str) -> String {
        const LETTERS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let four = |three: &[u8]| {
            let byte = |n: usize| three.get(n).map_or(0, |it| u32::from(*it));
            let bits = (byte(0) << 16) | (byte(1) << 8) | byte(2);
            let letter = |n: usize| match n <= three.len() {
                true => char::from(LETTERS[((bits >> (18 - 6 * n)) & 63) as usize]),
                false => '=',
            };
            (0..4).map(letter).collect::<String>()
        };
        text.as_bytes().chunks(3).map(four).collect()
    }

    /// Arrays in arrays with a file that has such, and so on.
    fn nested(levels: usize) -> String {
        let around = |text: String| {
            let url = format!("data:text/plain;base64,{}", base64(&text));
            format!("{}\"{url}\"{}", "[".repeat(120), "]".repeat(120))
        };
        (0..levels).fold("536-90-4399".to_owned(), |text, _| around(text))
    }

    #[test]
    fn files_in_files_are_looked_into_so_far() {
        assert_eq!(base64("Hi\n"), "SGkK");
        for (levels, expected) in [
            (0, Some(Sign::Ssn)),
            (1, Some(Sign::Ssn)),
            (4, Some(Sign::Ssn)),
            (5, None),
            (19, None),
        ] {
            let file = nested(levels);
            assert!(file.len() < LOOKED_AT, "{}", file.len());
            assert_eq!(sign(file.as_bytes(), "application/json"), expected, "{levels}");
        }
        // JSON in texts of JSON, whose quotes grow.
        let text = |levels: usize| {
            let around = |text: String| serde_json::json!({ "a": [text] }).to_string();
            (0..levels).fold("4539578763621486".to_owned(), |text, _| around(text))
        };
        assert_eq!(sign(text(4).as_bytes(), ""), Some(Sign::Card));
        // Deeper, it is a text like any other.
        assert_eq!(sign(text(9).as_bytes(), ""), Some(Sign::Card));
    }
}
