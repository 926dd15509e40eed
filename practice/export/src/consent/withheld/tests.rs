//! What is sifted out of the rows, by scope.

use super::*;
use ward_charting::filled::tables::{FORM_ANSWER_GROUPS, FORM_ANSWERS};
use ward_charting::request::tables::{FORM_HISTORIES, REQUESTED_FORM_COMPLETIONS};
use ward_charting::tables::CUSTOM_MODULE_FORMS;
use ward_clinical::comment::table::COMMENTS;
use ward_clinical::entry::table::ENTRIES;
use ward_documents::tables::{DOCUMENT_VIEWINGS, DOCUMENTS};
use ward_identity::tables::USERS;

const ASKER: i64 = 5;

fn marked() -> Vec<Marked> {
    let note = |id, confidentiality, filler, is_deleted| Marked {
        id,
        confidentiality,
        filler_id: Some(filler),
        is_deleted,
    };
    vec![
        note(12, Confidentiality::Part2, 6, false),
        note(13, Confidentiality::CounsellingNotes, ASKER, false),
        note(14, Confidentiality::CounsellingNotes, 6, false),
        note(15, Confidentiality::CounsellingNotes, ASKER, true),
    ]
}

fn row(table: &'static Table, values: &[(&str, Value)]) -> Row {
    let mut all = vec![Value::Null; table.columns.len()];
    for (name, value) in values {
        all[table.column(name).unwrap()] = value.clone();
    }
    Row { table, values: all }
}

fn sifted(withheld: &mut Withheld, table: &'static Table, rows: &[&[(&str, Value)]]) -> Vec<i64> {
    let mut rows: Vec<Row> = rows.iter().map(|values| row(table, values)).collect();
    withheld.sift(table, &mut rows);
    rows.iter().map(Row::id).collect()
}

fn notes(withheld: &mut Withheld) -> Vec<i64> {
    let all = [11, 12, 13, 14].map(|id| [("id", Value::Int(id))]);
    let rows: Vec<&[(&str, Value)]> = all.iter().map(|it| &it[..]).collect();
    sifted(withheld, &FORM_ANSWER_GROUPS, &rows)
}

fn answers(withheld: &mut Withheld) -> Vec<i64> {
    let of =
        |note: i64| [("id", Value::Int(note + 100)), ("form_answer_group_id", Value::Int(note))];
    let all = [11, 12, 13, 14].map(of);
    let rows: Vec<&[(&str, Value)]> = all.iter().map(|it| &it[..]).collect();
    sifted(withheld, &FORM_ANSWERS, &rows)
}

#[test]
fn dom_31_an_archive_holds_what_its_consent_covers() {
    for (scope, expected) in [
        (None, vec![11, 12]),
        (Some(DisclosureScope::AllRecords), vec![11, 12]),
        (Some(DisclosureScope::WithoutPart2), vec![11]),
        (Some(DisclosureScope::CounsellingNotes), vec![13]),
    ] {
        let mut withheld = Withheld::of(scope, ASKER, &marked());
        assert_eq!(notes(&mut withheld), expected, "{scope:?}");
        let of_them: Vec<i64> = expected.iter().map(|id| id + 100).collect();
        assert_eq!(answers(&mut withheld), of_them, "{scope:?}");
        assert_eq!(withheld.counted, 2, "{scope:?}");
        // Other consents are for the client to see.
        assert_eq!(withheld.takes(&DISCLOSURE_CONSENTS), scope.is_none(), "{scope:?}");
        let is_apart = scope == Some(DisclosureScope::CounsellingNotes);
        assert_eq!(withheld.takes(&DOCUMENTS), !is_apart, "{scope:?}");
    }
    let mut nobodys = Withheld::of(Some(DisclosureScope::CounsellingNotes), 7, &marked());
    assert!(notes(&mut nobodys).is_empty());
}

#[test]
fn dom_31_no_pdf_of_what_is_left_out_is_in() {
    let printed = |id: i64, of: &str| [("id", Value::Int(id)), ("printed_of", of.into())];
    let (plain, mixed, broken) = (printed(1, "[11]"), printed(2, "[11,12]"), printed(3, "?"));
    let deleted = printed(5, "[15]");
    let loaded = [("id", Value::Int(4))];
    let rows: [&[(&str, Value)]; 5] = [&plain, &mixed, &broken, &loaded, &deleted];
    let mut withheld = Withheld::of(Some(DisclosureScope::WithoutPart2), ASKER, &marked());
    assert_eq!(sifted(&mut withheld, &DOCUMENTS, &rows), [1, 4]);
    let of =
        |id: i64, document: i64| [("id", Value::Int(id)), ("document_id", Value::Int(document))];
    let (seen, gone) = (of(21, 1), of(22, 2));
    let rows: [&[(&str, Value)]; 2] = [&seen, &gone];
    assert_eq!(sifted(&mut withheld, &DOCUMENT_VIEWINGS, &rows), [21]);
    let mut all = Withheld::of(Some(DisclosureScope::AllRecords), ASKER, &marked());
    let archive = [("id", Value::Int(6)), ("file_content_type", EXPORT_TYPE.into())];
    let rows: [&[(&str, Value)]; 4] = [&plain, &mixed, &deleted, &archive];
    assert_eq!(sifted(&mut all, &DOCUMENTS, &rows), [1, 2]);
    // The client may know to whom else their records went.
    let mut own = Withheld::of(None, ASKER, &marked());
    assert_eq!(sifted(&mut own, &DOCUMENTS, &rows), [1, 2, 6]);
}

#[test]
fn dom_31_no_request_for_what_is_left_out_is_in() {
    let mut withheld = Withheld::of(Some(DisclosureScope::WithoutPart2), ASKER, &marked());
    withheld.traces.forms = BTreeSet::from([70]);
    let of =
        |id: i64, form: i64| [("id", Value::Int(id)), ("custom_module_form_id", Value::Int(form))];
    let filled = [("id", Value::Int(33)), ("form_answer_group_id", Value::Int(12))];
    let (open, closed) = (of(31, 71), of(32, 70));
    let rows: [&[(&str, Value)]; 3] = [&open, &closed, &filled];
    assert_eq!(sifted(&mut withheld, &REQUESTED_FORM_COMPLETIONS, &rows), [31]);
    let told =
        |id: i64, column: &'static str, of: i64| [("id", Value::Int(id)), (column, Value::Int(of))];
    let request = "requested_form_completion_id";
    let all = [
        told(41, request, 31),
        told(42, request, 32),
        // Its title may be that of a form which the step asks for no more.
        told(43, "onboarding_item_id", 80),
    ];
    let rows: Vec<&[(&str, Value)]> = all.iter().map(|it| &it[..]).collect();
    assert_eq!(sifted(&mut withheld, &FORM_HISTORIES, &rows), [41]);
    // With nothing left out but counselling notes, steps are told of.
    let mut all = Withheld::of(Some(DisclosureScope::AllRecords), ASKER, &marked());
    assert_eq!(sifted(&mut all, &FORM_HISTORIES, &rows), [43]);
}

#[test]
fn dom_31_with_counselling_notes_goes_who_the_client_is() {
    let scope = Some(DisclosureScope::CounsellingNotes);
    let mut withheld = Withheld::of(scope, ASKER, &marked());
    let client = row(
        &USERS,
        &[("id", Value::Int(9)), ("last_name", "Bell".into()), ("phone_number", "1".into())],
    );
    let mut rows = vec![client];
    withheld.sift(&USERS, &mut rows);
    assert_eq!((rows[0].id(), rows[0].text("last_name")), (9, Some("Bell")));
    assert!(rows[0].value("phone_number").is_null());
}

/// A metric is in if its answer is, and what is said of it as well; another's never matters.
#[test]
fn dom_31_no_metric_of_an_answer_that_is_left_out_is_in() {
    let scopes = [None, Some(DisclosureScope::AllRecords), Some(DisclosureScope::WithoutPart2)];
    for scope in scopes {
        let mut withheld = Withheld::of(scope, ASKER, &marked());
        withheld.traces.answers = BTreeSet::from([112]);
        let made =
            |id: i64, answer: i64| [("id", Value::Int(id)), ("form_answer_id", Value::Int(answer))];
        let (open, closed, own) = (made(51, 111), made(52, 112), [("id", Value::Int(53))]);
        let said = |id: i64, entry: i64| [("id", Value::Int(id)), ("entry_id", Value::Int(entry))];
        // Of an entry that was taken back there is no row.
        let (heard, whispered, gone) = (said(61, 51), said(62, 52), said(63, 54));
        let rows: [&[(&str, Value)]; 3] = [&open, &closed, &own];
        assert_eq!(sifted(&mut withheld, &ENTRIES, &rows), [51, 53], "{scope:?}");
        let rows: [&[(&str, Value)]; 3] = [&heard, &whispered, &gone];
        assert_eq!(sifted(&mut withheld, &COMMENTS, &rows), [61], "{scope:?}");
    }
}

/// The client is told what they were asked for and what they consented to, as before notes were kept
/// apart; where a consent was signed on a counselling note, not on which.
#[test]
fn dom_31_the_clients_own_archive_tells_of_requests_and_consents() {
    let filled = [("id", Value::Int(33)), ("form_answer_group_id", Value::Int(13))];
    let rows: [&[(&str, Value)]; 1] = [&filled];
    let mut own = Withheld::of(None, ASKER, &marked());
    assert_eq!(sifted(&mut own, &REQUESTED_FORM_COMPLETIONS, &rows), [33]);
    let mut all = Withheld::of(Some(DisclosureScope::AllRecords), ASKER, &marked());
    assert!(sifted(&mut all, &REQUESTED_FORM_COMPLETIONS, &rows).is_empty());
    for (note, is_blank) in [(11, false), (13, true)] {
        let signed = [("id", Value::Int(7)), ("form_answer_group_id", Value::Int(note))];
        let mut consents = vec![row(&DISCLOSURE_CONSENTS, &signed)];
        own.sift(&DISCLOSURE_CONSENTS, &mut consents);
        assert_eq!(consents.len(), 1, "{note}");
        assert_eq!(consents[0].int("form_answer_group_id").is_none(), is_blank, "{note}");
    }
}

/// A form may be marked today of which there is a note that is not: its mark tells of others.
#[test]
fn dom_31_no_form_says_that_it_is_of_records_that_are_left_out() {
    for (scope, is_blank) in
        [(DisclosureScope::AllRecords, false), (DisclosureScope::WithoutPart2, true)]
    {
        let mut withheld = Withheld::of(Some(scope), ASKER, &marked());
        let mark = [("id", Value::Int(70)), ("confidentiality", "PART_2".into())];
        let mut rows = vec![row(&CUSTOM_MODULE_FORMS, &mark)];
        withheld.sift(&CUSTOM_MODULE_FORMS, &mut rows);
        assert_eq!(rows[0].text("confidentiality").is_none(), is_blank, "{scope:?}");
    }
}

/// What is under part 2 is known on paper, too; and how many papers a client does not have.
#[test]
fn dom_31_papers_of_confidential_notes_are_known() {
    let printed = |id: i64, of: &str| [("id", Value::Int(id)), ("printed_of", of.into())];
    let (plain, sober, apart) = (printed(1, "[11]"), printed(2, "[11,12]"), printed(3, "[13]"));
    let rows: [&[(&str, Value)]; 3] = [&plain, &sober, &apart];
    for (scope, papers) in [(None, 1), (Some(DisclosureScope::AllRecords), 0)] {
        let mut withheld = Withheld::of(scope, ASKER, &marked());
        assert_eq!(sifted(&mut withheld, &DOCUMENTS, &rows), [1, 2], "{scope:?}");
        assert_eq!(withheld.part_2_papers, BTreeSet::from([2]), "{scope:?}");
        assert_eq!(withheld.papers(), papers, "{scope:?}");
    }
}
