//! Which notes about a client are confidential, and what hangs on them or tells of them elsewhere: all
//! of it is read by ids before any row is, since the tables of an archive come in an order of their own.

use std::collections::BTreeSet;

use ward_charting::tables::Confidentiality;
use ward_engine::Answer;
use ward_store::{Query, Reader, Sql, Value};

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

/// What hangs on notes that are left out, and what tells of them.
#[derive(Clone, Debug, Default)]
pub struct Traces {
    /// Their answers.
    pub answers: BTreeSet<i64>,
    /// Forms that nobody is told to have been asked for.
    pub forms: BTreeSet<i64>,
    /// Steps of intake flows that ask for one of them, or did.
    pub items: BTreeSet<i64>,
}

impl Traces {
    /// What hangs on these notes.
    pub async fn of(reader: &mut Reader, org_id: i64, notes: &BTreeSet<i64>) -> Answer<Self> {
        let of_notes = ("form_answer_group_id", notes);
        let answers = found(reader, org_id, ("id", "form_answers"), of_notes).await?;
        Ok(Traces { answers, ..Traces::default() })
    }

    /// The same with the forms and steps that tell of records of treatment for a substance use
    /// disorder: those that are marked, and those that these notes are of, whatever they are now.
    pub async fn with_forms(
        mut self,
        reader: &mut Reader,
        org_id: i64,
        notes: &BTreeSet<i64>,
    ) -> Answer<Self> {
        const GROUPS: &str = "form_answer_groups";
        let marked = Sql::fixed(
            "SELECT f.id FROM custom_module_forms f WHERE f.org_id = $1 AND f.confidentiality <> $2",
            [org_id.into(), Confidentiality::Normal.as_str().into()],
        );
        let mut forms = ids(reader, &marked).await?;
        let named = ("id", notes);
        forms.extend(found(reader, org_id, ("custom_module_form_id", GROUPS), named).await?);
        let of_forms = ("custom_module_form_id", &forms);
        let mut items = found(reader, org_id, ("id", "onboarding_items"), of_forms).await?;
        items.extend(found(reader, org_id, ("onboarding_item_id", GROUPS), named).await?);
        let done = ("onboarding_item_id", "completed_onboarding_items");
        let of_notes = ("form_answer_group_id", notes);
        items.extend(found(reader, org_id, done, of_notes).await?);
        self.forms = forms;
        self.items = items;
        Ok(self)
    }
}

/// What a column of a table says where another one is any of these.
async fn found(
    reader: &mut Reader,
    org_id: i64,
    (column, table): (&str, &str),
    (by, of): (&str, &BTreeSet<i64>),
) -> Answer<BTreeSet<i64>> {
    if of.is_empty() {
        return Ok(BTreeSet::new());
    }
    let mut sql = Sql::new();
    sql.push(&format!("SELECT t.{column} FROM {table} t WHERE t.org_id = ")).bind(org_id);
    sql.push(&format!(" AND t.{by}")).bind_in(of.iter().copied().collect::<Vec<i64>>());
    ids(reader, &sql).await
}

async fn ids(reader: &mut Reader, sql: &Sql) -> Answer<BTreeSet<i64>> {
    let found = reader.rows(sql).await?;
    Ok(found.iter().filter_map(|row| row.first()?.int()).collect())
}

/// The confidential notes about the client, those of groups and those that were deleted as well.
pub async fn marked(reader: &mut Reader, org_id: i64, client_id: i64) -> Answer<Vec<Marked>> {
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
