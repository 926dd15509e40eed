//! Files that say of themselves that they are a production's.

use std::fs::File;
use std::io::Read as _;

use ward_engine::Upload;
use ward_export::MARK;
use ward_instance::Kind;

/// So much of a file is looked at.
const HEAD: u64 = 64 * 1024;

/// Whether the beginning of an upload says so.
pub fn says_production(upload: &Upload) -> bool {
    let mut head = Vec::new();
    let read = File::open(&upload.path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
    read.is_ok() && head_says_production(&String::from_utf8_lossy(&head))
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
    use super::{MARK, head_says_production as says};

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
}
