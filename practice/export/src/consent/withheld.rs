//! What is not in an archive. By the client's access to their record that is counselling notes alone
//! (45 CFR 164.524(a)(1)(i)); an archive that is made by a consent holds what the consent covers, and
//! nothing that tells of the rest: no request for a form that is left out, and no PDF of it (42 CFR
//! 2.13(c)).

use std::collections::BTreeSet;

use ward_charting::tables::Confidentiality;
use ward_clients::export::Row;
use ward_documents::EXPORT_TYPE;
use ward_engine::Answer;
use ward_store::{Reader, Table, Value};

use super::marked::{Marked, Traces, marked};
use super::table::{DISCLOSURE_CONSENTS, DisclosureConsent, DisclosureScope};
use crate::plan::{OF_NOTES, SHARED_NOTES};

/// Besides what is of notes alone: what an archive of counselling notes has.
const WITH_COUNSELLING: [&str; 5] =
    ["users", SHARED_NOTES, "file_attachments", "custom_module_forms", "question_versions"];

/// What an archive of counselling notes says of the client: who they are.
const WHO: [&str; 8] =
    ["id", "org_id", "is_patient", "active", "first_name", "last_name", "legal_name", "dob"];

/// What is left out, and what was found on the way of what is in.
#[derive(Clone, Debug, Default)]
pub struct Withheld {
    scope: Option<DisclosureScope>,
    /// Notes that are left out.
    notes: BTreeSet<i64>,
    /// The counselling notes of whoever asks, by a consent for them.
    counselling: BTreeSet<i64>,
    /// What hangs on the notes that are left out, and what tells of them.
    traces: Traces,
    /// Records of treatment for a substance use disorder.
    part_2: BTreeSet<i64>,
    /// Documents that are left out.
    documents: BTreeSet<i64>,
    /// Rows that are in, by table: what hangs on others is not.
    kept_notes: BTreeSet<i64>,
    kept_entries: BTreeSet<i64>,
    kept_requests: BTreeSet<i64>,
    kept_recurring: BTreeSet<i64>,
    /// So many counselling notes there are: for the client to know, and nobody else.
    pub counted: usize,
    /// Documents that are in and were printed of records of treatment for a substance use disorder.
    pub part_2_papers: BTreeSet<i64>,
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
        let mut traces = Traces::of(reader, org_id, &withheld.notes).await?;
        if scope == Some(DisclosureScope::WithoutPart2) {
            traces = traces.with_forms(reader, org_id, &withheld.notes).await?;
        }
        withheld.traces = traces;
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
        let is_part_2 = |it: &&Marked| it.confidentiality == Confidentiality::Part2;
        let part_2 = ids(marked.iter().filter(is_part_2).collect());
        Withheld { scope, notes, counselling, part_2, counted, ..Withheld::default() }
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
            "entries" => self.kept_entries = kept(),
            "requested_form_completions" => self.kept_requests = kept(),
            "recurring_forms" => self.kept_recurring = kept(),
            "documents" => {
                let told = rows.iter().filter(|row| self.tells_of_part_2(row));
                self.part_2_papers = told.map(Row::id).collect();
            }
            "users" if self.scope == Some(DisclosureScope::CounsellingNotes) => {
                rows.iter_mut().for_each(who);
            }
            // A form is marked today, and what was filled in of it before is not.
            "custom_module_forms" if self.scope == Some(DisclosureScope::WithoutPart2) => {
                rows.iter_mut().for_each(|row| blank(row, "confidentiality"));
            }
            "disclosure_consents" => {
                for row in rows.iter_mut() {
                    if is_in(row, "form_answer_group_id", &self.notes) {
                        blank(row, "form_answer_group_id");
                    }
                }
            }
            _ => {}
        }
    }

    /// So many documents are left out, by the client's access to their record: PDFs of counselling
    /// notes. Whoever else receives records is not to know of any.
    pub fn papers(&self) -> usize {
        if self.scope.is_none() { self.documents.len() } else { 0 }
    }

    fn keeps(&self, row: &Row) -> bool {
        let table = row.table.name;
        if table == SHARED_NOTES {
            return match self.scope {
                Some(DisclosureScope::CounsellingNotes) => self.counselling.contains(&row.id()),
                _ => !self.notes.contains(&row.id()),
            };
        }
        // And of one that was deleted.
        if OF_NOTES.contains(&table) {
            return is_in(row, "form_answer_group_id", &self.kept_notes);
        }
        // What is said of an entry that is not in, or was deleted, says what stood there.
        if table == "comments" {
            return is_in(row, "entry_id", &self.kept_entries);
        }
        // What was made of an answer says what was answered.
        let apart = is_in(row, "form_answer_id", &self.traces.answers)
            || is_in(row, "document_id", &self.documents)
            || (table == "documents" && self.documents.contains(&row.id()));
        // That they were asked for something is the client's to know.
        !apart && (self.scope.is_none() || self.keeps_request(row))
    }

    /// Whether what asks for a form, or tells that one was asked for, tells of none that is left out.
    fn keeps_request(&self, row: &Row) -> bool {
        if is_in(row, "form_answer_group_id", &self.notes) {
            return false;
        }
        let is_free = |column: &str, of: &BTreeSet<i64>| {
            number(row, column).is_none_or(|id| !of.contains(&id))
        };
        let hangs_on = |column: &str, of: &BTreeSet<i64>| {
            number(row, column).is_none_or(|id| of.contains(&id))
        };
        match row.table.name {
            "requested_form_completions" | "recurring_forms" => {
                is_free("custom_module_form_id", &self.traces.forms)
            }
            "completed_onboarding_items" => is_free("onboarding_item_id", &self.traces.items),
            // A step's has the title of the form that it asked for then, which nothing else tells.
            "form_histories" => {
                let is_of_step = number(row, "onboarding_item_id").is_some();
                let may_tell = self.scope != Some(DisclosureScope::WithoutPart2);
                (may_tell || !is_of_step)
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
        // What can't be read is not passed on.
        printed(row).is_none_or(|notes| notes.iter().any(|id| self.notes.contains(id)))
    }

    /// Whether a document was printed of a record of treatment for a substance use disorder.
    fn tells_of_part_2(&self, row: &Row) -> bool {
        printed(row).is_some_and(|notes| notes.iter().any(|id| self.part_2.contains(id)))
    }
}

/// The notes that a document was printed of; nothing where that can't be read.
fn printed(row: &Row) -> Option<Vec<i64>> {
    let Some(text) = row.text("printed_of") else { return Some(Vec::new()) };
    serde_json::from_str(text).ok()
}

/// A number of a column that a table may have.
fn number(row: &Row, column: &str) -> Option<i64> {
    row.table.column(column)?;
    row.int(column)
}

/// Whether a column that a table may have is one of these.
fn is_in(row: &Row, column: &str, of: &BTreeSet<i64>) -> bool {
    number(row, column).is_some_and(|id| of.contains(&id))
}

/// Takes what a column says out of a row.
fn blank(row: &mut Row, column: &str) {
    if let Some(value) = row.table.column(column).and_then(|at| row.values.get_mut(at)) {
        *value = Value::Null;
    }
}

/// Of the client no more than who they are.
fn who(row: &mut Row) {
    for (column, value) in row.table.columns.iter().zip(&mut row.values) {
        if !WHO.contains(&column.name) {
            *value = Value::Null;
        }
    }
}

#[cfg(test)]
mod tests;
