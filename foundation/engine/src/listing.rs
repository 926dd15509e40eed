//! What a field asks its table for.

use ward_store::{Cond, Keywords, Level, Table};

use crate::call::Request;

/// Which rows a field answers, beyond what visibility already says.
#[derive(Clone, Debug)]
pub struct Listing {
    /// Which rows.
    pub filter: Cond,
    /// Of these, those that one of the conditions finds ([`ward_store::Select::either`]).
    pub either: Vec<Cond>,
    /// The filter names the rows by their ids ([`ward_store::Select::by_id`]).
    pub by_id: bool,
    /// The least level at which a row counts.
    pub least: Level,
    /// Across tenants: public reads by id.
    pub anywhere: bool,
    /// Deleted rows too.
    pub deleted: bool,
    /// Whoever sees the parent sees the row's public part ([`ward_store::Select::shown`]).
    pub shown: bool,
    /// What the table between has in place of the row's own ([`ward_store::Select::instead`]).
    pub instead: &'static [&'static str],
    /// Keywords that the rows have to match, too.
    pub keywords: Option<Keywords>,
    /// Records of a table that the question names: of the clients among them it tells
    /// something whatever it finds, which the access log knows.
    pub named: Option<(&'static Table, Vec<i64>)>,
}

impl Listing {
    /// Rows that meet the condition and are seen at least in part.
    pub fn of(filter: Cond) -> Self {
        Listing {
            filter,
            either: Vec::new(),
            by_id: false,
            least: Level::Limited,
            anywhere: false,
            deleted: false,
            shown: false,
            instead: &[],
            keywords: None,
            named: None,
        }
    }

    /// Every visible row.
    pub fn all() -> Self {
        Self::of(Cond::Always)
    }

    /// No row.
    pub fn none() -> Self {
        Self::of(Cond::Never)
    }

    /// Rows whose public part is enough.
    #[must_use]
    pub fn public(mut self) -> Self {
        self.least = Level::Public;
        self
    }

    /// A question that names these records.
    #[must_use]
    pub fn naming(mut self, table: &'static Table, ids: Vec<i64>) -> Self {
        self.named = (!ids.is_empty()).then_some((table, ids));
        self
    }

    /// Of these, the rows of the table that the keywords find (behaviour 8);
    /// without keywords, all.
    #[must_use]
    pub fn searching(
        mut self,
        table: &'static Table,
        request: &Request,
        keywords: Option<&str>,
    ) -> Self {
        self.keywords = keywords.map(|text| Keywords::new(table, request.actor.org_id, text));
        self
    }
}
