//! What is not in an archive. By the client's access to their record that is counselling notes alone
//! (45 CFR 164.524(a)(1)(i)); an archive that is made by a consent holds what the consent covers, and
//! nothing that tells of the rest: no request for a form that is left out, and no PDF of it (42 CFR
//! 2.13(c)).

use std::collections::BTreeSet;

use ward_charting::tables::Confidentiality;
use ward_clients::export::Row;
use ward_documents::EXPORT_TYPE;
use ward_engine::Answer;
use ward_store::{Query, Reader, Sql, Table, Value};

use super::table::{DISCLOSURE_CONSENTS, DisclosureConsent, DisclosureScope};
use crate::plan::{OF_NOTES, SHARED_NOTES};

/// Besides what is of notes alone: what an archive of counselling notes has.
const WITH_COUNSELLING: [&str; 5] =
    ["users", SHARED_NOTES, "file_attachments", "custom_module_forms", "question_versions"];

/// What an archive of counselling notes says of the client: who they are.
const WHO: [&str; 8] =
    ["id", "org_id", "is_patient", "active", "first_name", "last_name", "legal_name", "dob"];

/// A note about the client that is confidential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marked {
    /// Its id.
    pub id: i64,
    /// How confidential it is.
    pub confidentiality: Confidentiality,
    /// Who wrote it.
    pub filler_id: Option<i64>,
    /// Whether it was deleted: what was made of it may be there still.
    pub is_deleted: bool,
}

/// What is left out, and what was found on the way of what is in.
#[derive(Clone, Debug, Default)]
pub struct Withheld {
    scope: Option<DisclosureScope>,
    /// Notes that are left out.
    notes: BTreeSet<i64>,
    /// The counselling notes of whoever asks, by a consent for them.
    counselling: BTreeSet<i64>,
    /// Forms that are for records of treatment for a substance use disorder, and steps that ask for one.
    forms: BTreeSet<i64>,
    items: BTreeSet<i64>,
    /// Documents that are left out.
    documents: BTreeSet<i64>,
    /// Rows that are in, by table: what hangs on others is not.
    kept_notes: BTreeSet<i64>,
    kept_requests: BTreeSet<i64>,
    kept_recurring: BTreeSet<i64>,
    /// So many counselling notes there are: for the client to know, and nobody else.
    pub counted: usize,
}

impl Withheld {
    /// What an archive for the client leaves out, or one that is made by a consent and asked for by
    /// this member.
    pub async fn read(
        reader: &mut Reader,
        (org_id, client_id): (i64, i64),
        asker: i64,
        consent: Option<&DisclosureConsent>,
    ) -> Answer<Self> {
        let marked = marked(reader, org_id, client_id).await?;
        let scope = consent.map(|it| it.scope);
        let mut withheld = Withheld::of(scope, asker, &marked);
        if scope == Some(DisclosureScope::WithoutPart2) {
            withheld.forms = ids(
                reader,
                &Sql::fixed(
                    "SELECT f.id FROM custom_module_forms f \
                     WHERE f.org_id = $1 AND f.confidentiality <> $2",
                    [org_id.into(), Confidentiality::Normal.as_str().into()],
                ),
            )
            .await?;
            withheld.items = ids(
                reader,
                &Sql::fixed(
                    "SELECT i.id FROM onboarding_items i JOIN custom_module_forms f \
                     ON f.org_id = i.org_id AND f.id = i.custom_module_form_id \
                     WHERE i.org_id = $1 AND f.confidentiality <> $2",
                    [org_id.into(), Confidentiality::Normal.as_str().into()],
                ),
            )
            .await?;
        }
        Ok(withheld)
    }

    fn of(scope: Option<DisclosureScope>, asker: i64, marked: &[Marked]) -> Self {
        let is_counselling = |it: &&Marked| it.confidentiality == Confidentiality::CounsellingNotes;
        let alive = |it: &&Marked| !it.is_deleted;
        let ids =
            |notes: Vec<&Marked>| -> BTreeSet<i64> { notes.into_iter().map(|it| it.id).collect() };
        let counted = marked.iter().filter(is_counselling).filter(alive).count();
        let notes = match scope {
            None | Some(DisclosureScope::AllRecords) => {
                ids(marked.iter().filter(is_counselling).collect())
            }
            // Nothing else is in at all.
            Some(DisclosureScope::CounsellingNotes) => BTreeSet::new(),
            Some(DisclosureScope::WithoutPart2) => ids(marked.iter().collect()),
        };
        let counselling = match scope {
            Some(DisclosureScope::CounsellingNotes) => {
                let own = |it: &&Marked| it.filler_id == Some(asker);
                ids(marked.iter().filter(is_counselling).filter(alive).filter(own).collect())
            }
            _ => BTreeSet::new(),
        };
        Withheld { scope, notes, counselling, counted, ..Withheld::default() }
    }

    /// Whether anything of a table can be in.
    pub fn takes(&self, table: &Table) -> bool {
        match self.scope {
            None => true,
            // To whom else records go is nothing to whoever receives these.
            Some(_) if table.name == DISCLOSURE_CONSENTS.name => false,
            Some(DisclosureScope::CounsellingNotes) => {
                WITH_COUNSELLING.contains(&table.name) || OF_NOTES.contains(&table.name)
            }
            Some(_) => true,
        }
    }

    /// Leaves out of the rows of a table what is not to be in. Tables come in the order of the plan, so
    /// that what others hang on stands before them.
    pub fn sift(&mut self, table: &Table, rows: &mut Vec<Row>) {
        if table.name == "documents" {
            let gone = rows.iter().filter(|row| self.is_apart(row));
            self.documents = gone.map(Row::id).collect();
        }
        rows.retain(|row| self.keeps(row));
        let kept = || -> BTreeSet<i64> { rows.iter().map(Row::id).collect() };
        match table.name {
            SHARED_NOTES => self.kept_notes = kept(),
            "requested_form_completions" => self.kept_requests = kept(),
            "recurring_forms" => self.kept_recurring = kept(),
            "users" if self.scope == Some(DisclosureScope::CounsellingNotes) => {
                rows.iter_mut().for_each(who);
            }
            _ => {}
        }
    }

    fn keeps(&self, row: &Row) -> bool {
        let table = row.table.name;
        let is_in = |column: &str, of: &BTreeSet<i64>| {
            number(row, column).is_some_and(|id| of.contains(&id))
        };
        if table == SHARED_NOTES {
            return match self.scope {
                Some(DisclosureScope::CounsellingNotes) => self.counselling.contains(&row.id()),
                _ => !self.notes.contains(&row.id()),
            };
        }
        // And of one that was deleted.
        if OF_NOTES.contains(&table) {
            return is_in("form_answer_group_id", &self.kept_notes);
        }
        if is_in("form_answer_group_id", &self.notes) || is_in("document_id", &self.documents) {
            return false;
        }
        if table == "documents" && self.documents.contains(&row.id()) {
            return false;
        }
        self.scope != Some(DisclosureScope::WithoutPart2) || self.keeps_request(row)
    }

    /// Whether what asks for a form, or tells that one was asked for, tells of none that is left out.
    fn keeps_request(&self, row: &Row) -> bool {
        let is_free = |column: &str, of: &BTreeSet<i64>| {
            number(row, column).is_none_or(|id| !of.contains(&id))
        };
        let hangs_on = |column: &str, of: &BTreeSet<i64>| {
            number(row, column).is_none_or(|id| of.contains(&id))
        };
        match row.table.name {
            "requested_form_completions" | "recurring_forms" => {
                is_free("custom_module_form_id", &self.forms)
            }
            "completed_onboarding_items" => is_free("onboarding_item_id", &self.items),
            "form_histories" => {
                is_free("onboarding_item_id", &self.items)
                    && hangs_on("requested_form_completion_id", &self.kept_requests)
            }
            "recurring_form_recipients" => hangs_on("recurring_form_id", &self.kept_recurring),
            _ => true,
        }
    }

    /// Whether a document is left out: one that was printed of a note that is; and of former archives
    /// who receives this one is not to know.
    fn is_apart(&self, row: &Row) -> bool {
        if self.scope.is_some() && row.text("file_content_type") == Some(EXPORT_TYPE) {
            return true;
        }
        let Some(text) = row.text("printed_of") else { return false };
        // What can't be read is not passed on.
        let Ok(notes) = serde_json::from_str::<Vec<i64>>(text) else { return true };
        notes.iter().any(|id| self.notes.contains(id))
    }
}

/// A number of a column that a table may have.
fn number(row: &Row, column: &str) -> Option<i64> {
    row.table.column(column)?;
    row.int(column)
}

/// Of the client no more than who they are.
fn who(row: &mut Row) {
    for (column, value) in row.table.columns.iter().zip(&mut row.values) {
        if !WHO.contains(&column.name) {
            *value = Value::Null;
        }
    }
}

async fn ids(reader: &mut Reader, sql: &Sql) -> Answer<BTreeSet<i64>> {
    let found = reader.rows(sql).await?;
    Ok(found.iter().filter_map(|row| row.first()?.int()).collect())
}

/// The confidential notes about the client, those of groups and those that were deleted as well.
async fn marked(reader: &mut Reader, org_id: i64, client_id: i64) -> Answer<Vec<Marked>> {
    let sql = Sql::fixed(
        "SELECT g.id, g.confidentiality, g.filler_id, g.deleted_at FROM form_answer_groups g \
         WHERE g.org_id = $1 AND (g.user_id = $2 OR g.id IN (SELECT own.form_answer_group_id \
         FROM individual_client_notes own WHERE own.org_id = $1 AND own.user_id = $2)) \
         AND g.confidentiality <> $3",
        [org_id.into(), client_id.into(), Confidentiality::Normal.as_str().into()],
    );
    let found = reader.rows(&sql).await?;
    let marked = |row: &[Value]| {
        let said = row.get(1).and_then(Value::text).and_then(Confidentiality::from_text);
        Some(Marked {
            id: row.first()?.int()?,
            // What nobody knows is kept closest.
            confidentiality: said.unwrap_or(Confidentiality::CounsellingNotes),
            filler_id: row.get(2).and_then(Value::int),
            is_deleted: row.get(3).is_some_and(|it| !it.is_null()),
        })
    };
    Ok(found.iter().filter_map(marked).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ward_charting::filled::tables::{FORM_ANSWER_GROUPS, FORM_ANSWERS};
    use ward_charting::request::tables::{FORM_HISTORIES, REQUESTED_FORM_COMPLETIONS};
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

    fn sifted(
        withheld: &mut Withheld,
        table: &'static Table,
        rows: &[&[(&str, Value)]],
    ) -> Vec<i64> {
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
        let of = |note: i64| {
            [("id", Value::Int(note + 100)), ("form_answer_group_id", Value::Int(note))]
        };
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
        let of = |id: i64, document: i64| {
            [("id", Value::Int(id)), ("document_id", Value::Int(document))]
        };
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
        withheld.forms = BTreeSet::from([70]);
        withheld.items = BTreeSet::from([80]);
        let of = |id: i64, form: i64| {
            [("id", Value::Int(id)), ("custom_module_form_id", Value::Int(form))]
        };
        let filled = [("id", Value::Int(33)), ("form_answer_group_id", Value::Int(12))];
        let (open, closed) = (of(31, 71), of(32, 70));
        let rows: [&[(&str, Value)]; 3] = [&open, &closed, &filled];
        assert_eq!(sifted(&mut withheld, &REQUESTED_FORM_COMPLETIONS, &rows), [31]);
        let told = |id: i64, column: &'static str, of: i64| {
            [("id", Value::Int(id)), (column, Value::Int(of))]
        };
        let request = "requested_form_completion_id";
        let all = [
            told(41, request, 31),
            told(42, request, 32),
            told(43, "onboarding_item_id", 80),
            told(44, "onboarding_item_id", 81),
        ];
        let rows: Vec<&[(&str, Value)]> = all.iter().map(|it| &it[..]).collect();
        assert_eq!(sifted(&mut withheld, &FORM_HISTORIES, &rows), [41, 44]);
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
}
