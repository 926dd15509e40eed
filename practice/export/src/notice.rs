//! What an archive says of how confidential it is, and of what is kept out of it (DOM-31). Pure.

use std::collections::BTreeMap;

use ward_charting::export::holds_part_2;
use ward_charting::rules::confidentiality::{COUNSELLING_NOTICE, PART_2_NOTICE};
use ward_charting::tables::Confidentiality;
use ward_clients::export::ClientRecord;
use ward_store::blobs::FileScan;

/// Why a file is not passed on.
pub const FOUND: &str = "malware was found in it";
/// Why one is not yet.
pub const HELD: &str = "it has not been checked for malware yet";

/// The sentences; none where there is nothing to say.
pub fn notices(record: &ClientRecord) -> Vec<String> {
    let mut said = Vec::new();
    if holds_part_2(record) || !record.part_2_papers.is_empty() {
        said.push(format!(
            "{PART_2_NOTICE} They are the forms and notes whose confidentiality is PART_2, with all \
             that hangs on them, and the PDFs that were made of them."
        ));
    }
    let apart = Confidentiality::CounsellingNotes.as_str();
    let mut notes = record.of("form_answer_groups").iter();
    if notes.any(|note| note.text("confidentiality") == Some(apart)) {
        said.push(COUNSELLING_NOTICE.to_owned());
    }
    if record.counselling_notes > 0 {
        said.push(format!(
            "Counselling notes about the client that are not in this archive: {}. They are kept apart \
             from the record, and the access to it does not reach them (45 CFR 164.524(a)(1)(i)).",
            record.counselling_notes
        ));
    }
    if record.counselling_papers > 0 {
        said.push(format!(
            "PDFs of counselling notes that are not in this archive: {}.",
            record.counselling_papers
        ));
    }
    said
}

/// Why a file in this state is kept out of an archive; nothing where it is in.
pub fn withheld(scan: FileScan) -> Option<&'static str> {
    match scan {
        FileScan::Found => Some(FOUND),
        FileScan::Held => Some(HELD),
        FileScan::Pending | FileScan::Clean => None,
    }
}

/// What is said of files that are kept out.
pub fn of_files(withheld: &BTreeMap<String, &'static str>) -> Vec<String> {
    let said = |why: &'static str| {
        let count = withheld.values().filter(|it| **it == why).count();
        (count > 0).then(|| format!("Files that are not in this archive because {why}: {count}."))
    };
    [FOUND, HELD].into_iter().filter_map(said).collect()
}

/// The notices as the beginning of the archive's README.
pub fn of_readme(notices: &[String]) -> String {
    notices.iter().map(|it| format!("> {it}\n\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ward_charting::filled::tables::FORM_ANSWER_GROUPS;
    use ward_clients::export::Row;
    use ward_store::Value;

    fn record(confidentiality: &str, counselling_notes: usize) -> ClientRecord {
        let mut values = vec![Value::Null; FORM_ANSWER_GROUPS.columns.len()];
        for (name, value) in [("id", Value::Int(9)), ("confidentiality", confidentiality.into())] {
            values[FORM_ANSWER_GROUPS.column(name).unwrap()] = value;
        }
        let mut record = ClientRecord { counselling_notes, ..ClientRecord::default() };
        let row = Row { table: &FORM_ANSWER_GROUPS, values };
        record.rows.insert("form_answer_groups", vec![row]);
        record
    }

    #[test]
    fn files_that_nobody_reads_are_counted_by_why() {
        assert!(of_files(&BTreeMap::new()).is_empty());
        let why = |scan| withheld(scan).unwrap_or_default();
        let three = [("a", FileScan::Found), ("b", FileScan::Held), ("c", FileScan::Found)];
        let three = three.map(|(id, scan)| (id.to_owned(), why(scan)));
        let said = of_files(&three.into());
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].ends_with("found in it: 2.") && said[1].ends_with("yet: 1."), "{said:?}");
        assert_eq!((why(FileScan::Pending), why(FileScan::Clean)), ("", ""));
    }

    #[test]
    fn dom_31_an_archive_says_what_is_confidential_in_it_and_what_is_not_in_it() {
        assert!(notices(&record("NORMAL", 0)).is_empty());
        let said = notices(&record("PART_2", 2));
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].starts_with(PART_2_NOTICE) && said[1].contains("archive: 2."), "{said:?}");
        assert!(of_readme(&said).starts_with("> 42 CFR part 2 prohibits"));
        assert_eq!(of_readme(&[]), "");
        let papers = ClientRecord { counselling_papers: 3, ..ClientRecord::default() };
        assert!(notices(&papers)[0].ends_with("archive: 3."));
        // A PDF of what is not in as a note, such as one that was deleted.
        let printed = ClientRecord { part_2_papers: [5].into(), ..ClientRecord::default() };
        assert!(notices(&printed)[0].starts_with(PART_2_NOTICE));
        // By a consent for them, they are in.
        assert_eq!(notices(&record("COUNSELLING_NOTES", 0)), [COUNSELLING_NOTICE]);
    }
}
