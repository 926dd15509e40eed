//! Which rows keywords find (behaviour 8), and how few of them are read.
//!
//! What a term means is decided by `search_text` alone. Grams only narrow: a
//! look at how many rows they leave comes first, because a term that most rows
//! contain is answered faster by walking the rows in their order than by
//! gathering and sorting them all.

mod terms;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::cond::Cond;
use crate::error::StoreError;
use crate::query::Query;
use crate::search::{fold, has_grams, is_searched};
use crate::table::Table;
use crate::value::{Sql, Value};

use terms::{Term, Window};

/// Keywords of more terms, or of a longer term, match nothing.
const MAX_TERMS: usize = 40;
const MAX_TERM_CHARS: usize = 500;

/// Windows that are counted before the search.
const COUNTED: usize = 6;
/// Windows of one needle that are counted.
const COUNTED_OF_ONE: usize = 3;

/// When candidates are gathered and when rows are walked.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// A window that leaves so few rows is taken without counting others.
    pub short: i64,
    /// Of a number's window that leaves more, another one is looked at, too.
    pub tiny: i64,
    /// Up to so many candidates are gathered; more are walked.
    pub few: i64,
    /// The same when several terms are frequent, each by itself.
    pub many: i64,
    /// So many candidates show how often frequent terms come together.
    pub sample: i64,
    /// Together in fewer of the sample, they are gathered.
    pub rare: i64,
}

/// Gathering a thousand rows costs as much as walking to a page's worth of
/// matches when one row in a hundred matches.
pub const BOUNDS: Bounds =
    Bounds { short: 200, tiny: 20, few: 1_000, many: 20_000, sample: 200, rare: 10 };

/// Every term has to be part of at least one searched value of a row.
#[derive(Clone, Debug)]
pub struct Keywords {
    table: &'static Table,
    org_id: i64,
    /// None when nothing can match.
    terms: Option<Arc<[Term]>>,
}

/// Rows that a filter and keywords find together.
#[derive(Clone, Debug)]
pub struct Narrowed {
    /// Which rows.
    pub filter: Cond,
    /// Whether the rows are named by their ids.
    pub by_id: bool,
}

/// Windows of which a row that a term finds has at least one: one for each
/// needle; and how many candidates they leave, as far as was counted.
struct Candidates {
    windows: Vec<Window>,
    count: i64,
}

impl Keywords {
    /// The terms of a text. Blank text matches every row; too many or too long
    /// terms match none.
    pub fn new(table: &'static Table, org_id: i64, text: &str) -> Self {
        let with_phones = table.columns.iter().any(|column| column.phone);
        let terms: BTreeSet<String> =
            text.split_whitespace().map(fold).filter(|term| !term.is_empty()).collect();
        let too_much = terms.len() > MAX_TERMS
            || terms.iter().any(|term| term.chars().count() > MAX_TERM_CHARS);
        let terms = (!too_much).then(|| terms.iter().map(|it| Term::new(it, with_phones)));
        Keywords { table, org_id, terms: terms.map(Iterator::collect) }
    }

    /// What decides, with the narrowing that needs no look: where a condition
    /// stands inside another one.
    pub fn cond(&self) -> Cond {
        let Some(terms) = self.terms() else { return self.decides() };
        let longest = terms
            .iter()
            .filter_map(|term| Some((term.chars(), term.windows(1).pop()?)))
            .max_by_key(|(chars, _)| *chars);
        match longest {
            Some((chars, windows)) if chars > 2 => self.among(&[windows]).and(self.decides()),
            _ => self.decides(),
        }
    }

    /// Rows of `filter` that the keywords find: gathered by the grams that leave
    /// fewest rows; when even those leave many, walked in the list's order.
    pub async fn narrowed(
        &self,
        conn: &mut dyn Query,
        filter: Cond,
    ) -> Result<Narrowed, StoreError> {
        self.narrowed_by(conn, filter, BOUNDS).await
    }

    /// The same with other bounds.
    pub async fn narrowed_by(
        &self,
        conn: &mut dyn Query,
        filter: Cond,
        bounds: Bounds,
    ) -> Result<Narrowed, StoreError> {
        let gathered = self.gathered(conn, bounds).await?;
        let Some(all) = gathered else {
            return Ok(Narrowed { filter: filter.and(self.decides()), by_id: false });
        };
        // Without the test, the planner may prefer an index of the filter's columns in the list's
        // order, and read every row.
        let found = filter.as_test().and(self.among(&all)).and(self.decides());
        Ok(Narrowed { filter: found, by_id: true })
    }

    /// The windows to gather rows by, all of which a row has; none when rows are better walked.
    async fn gathered(
        &self,
        conn: &mut dyn Query,
        bounds: Bounds,
    ) -> Result<Option<Vec<Vec<Window>>>, StoreError> {
        let Some(terms) = self.terms() else { return Ok(None) };
        let options = options(terms);
        if let Some(telling) = self.telling(conn, &options, bounds).await? {
            return Ok(Some(telling));
        }
        let options = options.into_iter().map(|(_, choices)| choices).collect();
        let mut candidates = self.counted(conn, options, bounds.few).await?;
        candidates.sort_by_key(|it| it.count);
        match candidates.first() {
            Some(fewest) if fewest.count <= bounds.few => {
                return Ok(Some(vec![fewest.windows.clone()]));
            }
            Some(_) => {}
            None => return Ok(None),
        }
        if terms.len() > 1 && self.are_rare_together(conn, &mut candidates, bounds).await? {
            return Ok(candidates.into_iter().next().map(|fewest| vec![fewest.windows]));
        }
        Ok(None)
    }

    /// The first windows that leave few rows, if any does: most searches name somebody, and one
    /// of the first tells whom.
    async fn telling(
        &self,
        conn: &mut dyn Query,
        options: &[(bool, Vec<Vec<Window>>)],
        bounds: Bounds,
    ) -> Result<Option<Vec<Vec<Window>>>, StoreError> {
        for (is_number, choices) in options {
            for (n, windows) in choices.iter().enumerate() {
                let count = self.left_by(conn, windows, bounds).await?;
                if count > bounds.short {
                    continue;
                }
                let mut taken = vec![windows.clone()];
                // Numbers that begin alike end differently: two windows leave next to nothing,
                // and cost less than reading the rows of one.
                if *is_number
                    && count > bounds.tiny
                    && let Some(other) = choices.get(n + 1)
                    && self.left_by(conn, other, bounds).await? <= bounds.short
                {
                    taken.push(other.clone());
                }
                return Ok(Some(taken));
            }
        }
        Ok(None)
    }

    /// How many rows windows leave, counted a little beyond the short bound.
    async fn left_by(
        &self,
        conn: &mut dyn Query,
        windows: &Vec<Window>,
        bounds: Bounds,
    ) -> Result<i64, StoreError> {
        Ok(self.count(conn, &[windows], bounds.short + 1).await?.into_iter().sum())
    }

    /// The terms, where there are any and grams could narrow them.
    fn terms(&self) -> Option<&[Term]> {
        let terms = self.terms.as_deref()?;
        (!terms.is_empty() && has_grams(self.table)).then_some(terms)
    }

    /// Every term is in the row's text.
    fn decides(&self) -> Cond {
        if !is_searched(self.table) {
            return Cond::Always;
        }
        let Some(terms) = &self.terms else { return Cond::Never };
        terms.iter().fold(Cond::Always, |cond, term| cond.and(term.cond()))
    }

    /// Each term's windows that leave fewest rows, counted up to one more than `most`.
    async fn counted(
        &self,
        conn: &mut dyn Query,
        options: Vec<Vec<Vec<Window>>>,
        most: i64,
    ) -> Result<Vec<Candidates>, StoreError> {
        let flat: Vec<&Vec<Window>> = options.iter().flatten().collect();
        if flat.is_empty() {
            return Ok(Vec::new());
        }
        let counts = self.count(conn, &flat, most + 1).await?;
        let mut counts = counts.into_iter();
        let best = options.into_iter().filter_map(|options| {
            let counted = options.into_iter().zip(counts.by_ref());
            counted.map(|(windows, count)| Candidates { windows, count }).min_by_key(|it| it.count)
        });
        Ok(best.collect())
    }

    /// How many grams begin with one of each windows, counted up to `most` each.
    async fn count(
        &self,
        conn: &mut dyn Query,
        all: &[&Vec<Window>],
        most: i64,
    ) -> Result<Vec<i64>, StoreError> {
        let mut sql = Sql::new();
        for (n, windows) in all.iter().enumerate() {
            sql.push(if n > 0 { ", " } else { "SELECT " });
            for (m, beginning) in windows.iter().flatten().enumerate() {
                sql.push(if m > 0 { " + " } else { "" });
                sql.push("(SELECT COUNT(*) FROM (SELECT 1 FROM search_grams g WHERE ");
                self.begins_with(beginning).write("g", &mut sql);
                sql.push(&format!(" LIMIT {most}) w{n}_{m})"));
            }
        }
        let rows = conn.rows(&sql).await?;
        Ok(rows.row(0).iter().map(|count| count.int().unwrap_or(0)).collect())
    }

    /// Whether frequent terms seldom come together; the candidates that leave
    /// fewest rows are first then.
    async fn are_rare_together(
        &self,
        conn: &mut dyn Query,
        candidates: &mut [Candidates],
        bounds: Bounds,
    ) -> Result<bool, StoreError> {
        let all: Vec<&Vec<Window>> = candidates.iter().map(|it| &it.windows).collect();
        let counts = self.count(conn, &all, bounds.many + 1).await?;
        for (candidates, count) in candidates.iter_mut().zip(counts) {
            candidates.count = count;
        }
        candidates.sort_by_key(|it| it.count);
        let Some(fewest) = candidates.first().filter(|it| it.count <= bounds.many) else {
            return Ok(false);
        };
        let mut sql = Sql::new();
        sql.push("SELECT COUNT(*) FROM (SELECT row_id FROM ");
        self.row_ids(&fewest.windows).write("g", &mut sql);
        sql.push(&format!(
            " ids LIMIT {}) s JOIN {} t ON t.id = s.row_id",
            bounds.sample, self.table.name
        ));
        sql.push(" WHERE t.org_id = ").bind(self.org_id).push(" AND ");
        self.decides().write("t", &mut sql);
        let together = conn.rows(&sql).await?.scalar().and_then(Value::int).unwrap_or(0);
        Ok(together < bounds.rare)
    }

    /// Rows that have a gram of one window of each.
    fn among(&self, all: &[Vec<Window>]) -> Cond {
        let mut text = String::new();
        let mut params = Vec::new();
        for windows in all {
            let Cond::Sql(ids, bounds) = self.row_ids(windows) else { continue };
            // What several have to find is found before rows are read.
            text = match text.is_empty() {
                true => ids,
                false => format!("SELECT f.row_id FROM ({text}) f WHERE f.row_id IN ({ids})"),
            };
            params.extend(bounds);
        }
        Cond::Sql(format!("{{t}}.id IN ({text})"), params)
    }

    /// The statement that answers their ids.
    fn row_ids(&self, windows: &[Window]) -> Cond {
        let mut text = String::new();
        let mut params = Vec::new();
        for (n, beginning) in windows.iter().flatten().enumerate() {
            if let Cond::Sql(range, bounds) = self.begins_with(beginning) {
                text.push_str(if n > 0 { " UNION ALL " } else { "" });
                text.push_str("SELECT g.row_id FROM search_grams g WHERE ");
                text.push_str(&range.replace("{t}", "g"));
                params.extend(bounds);
            }
        }
        Cond::Sql(text, params)
    }

    /// Grams of the table's rows that begin with a text.
    fn begins_with(&self, beginning: &str) -> Cond {
        let end = format!("{beginning}\u{10ffff}");
        Cond::sql(
            "{t}.org_id = ? AND {t}.kind = ? AND {t}.gram >= ? AND {t}.gram < ?",
            [self.org_id.into(), self.table.name.into(), beginning.into(), end.into()],
        )
    }
}

/// Choices of windows for each term, longest terms first, and whether it is a number. Terms without
/// windows, and those beyond what is counted, have none.
fn options(terms: &[Term]) -> Vec<(bool, Vec<Vec<Window>>)> {
    let mut asked: Vec<&Term> = terms.iter().filter(|term| term.chars() > 1).collect();
    asked.sort_by_key(|term| std::cmp::Reverse(term.chars()));
    let mut room = COUNTED;
    let of_term = |term: &Term| {
        let choices = term.windows(COUNTED_OF_ONE.min(room));
        room -= choices.len();
        (term.is_number(), choices)
    };
    asked.into_iter().map(of_term).collect()
}

/// Rows of the table that the keywords find, for a condition inside another.
pub fn keyword_cond(table: &'static Table, org_id: i64, keywords: &str) -> Cond {
    Keywords::new(table, org_id, keywords).cond()
}
