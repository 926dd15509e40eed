//! What answers each contract field of entries.

use ward_engine::{Bindings, Link, Listing, Out, Returns, RowView, op};
use ward_identity::tables::USERS;
use ward_store::Value;

use super::table::{ENTRIES, Kind, entries};
use super::{answer, bulk, change, listing, rules, weight};

const OF: &str = "Entry";

/// Binds the fields of entries.
pub fn bind(b: &mut Bindings) {
    weight::bind(b);
    answer::bind(b);
    b.object(OF, &ENTRIES);
    b.cursor(OF);
    b.column(OF, "type", entries::kind);
    b.column(OF, "created_at", entries::noted_at);
    b.column(OF, "record_created_at", entries::created_at);
    b.column(OF, "metric_stat_string", entries::metric_stat);
    b.computed(OF, "metric_stat", &[entries::metric_stat], |_, row, _| {
        number(row, entries::metric_stat)
    });
    b.computed(OF, "percieved_hungriness", &[entries::percieved_hungriness], |_, row, _| {
        number(row, entries::percieved_hungriness)
    });
    // A metric is called by its category; nothing else that is kept has a name.
    b.computed(OF, "name", &[entries::kind, entries::category], |_, row, _| {
        let is_metric = row.text(entries::kind) == Some(Kind::Metric.as_str());
        row.text(entries::category).filter(|_| is_metric).into()
    });
    b.one(OF, "poster", &USERS, Link::Key(entries::user_id));
    // Whoever wrote it, in public to the client.
    b.one(OF, "added_by_user", &USERS, Link::Key(entries::added_by_user_id))
        .listing(|_, _| Ok(Listing::all().public()));
    b.query_one("entry", &ENTRIES, listing::one)
        .args(listing::ONE_ARGS)
        .orders(listing::ORDERS, "CREATED_AT_DESC");
    b.query_list("entries", &ENTRIES, listing::many)
        .args(listing::LIST_ARGS)
        .orders(listing::ORDERS, "CREATED_AT_DESC");
    b.query_count("entriesCount", &ENTRIES, listing::many).args(listing::COUNT_ARGS);
    const ENTRY: &[(&str, Returns)] = &[("entry", Returns::One(&ENTRIES))];
    b.mutation("createEntry", ENTRY, op!(change::create));
    const ENTRIES_MADE: &[(&str, Returns)] = &[("entries", Returns::Many(&ENTRIES))];
    b.mutation("bulkCreateEntries", ENTRIES_MADE, op!(bulk::create));
    b.mutation("updateEntry", ENTRY, op!(change::update));
    b.mutation("deleteEntry", ENTRY, op!(change::delete));
}

fn number(row: &RowView<'_>, column: usize) -> Out {
    let text = row.get(column);
    Value::text(text).and_then(rules::number).map_or(Out::Null, Out::Float)
}
