//! What answers each field of referring providers and referrals.

use std::collections::HashMap;

use ward_engine::{
    Answer, Args, Bindings, Kind, Link, Listing, OrderOption, Out, Request, Returns, RowView, op,
};
use ward_identity::account::joined;
use ward_identity::tables::{USERS, User, users};
use ward_store::search::keyword_cond;
use ward_store::{Cond, Entity, Join, Level, Query, Select, Table, Value, read_selected};

use crate::listing::id;
use crate::referral::tables::{referrals as referral_at, referring_physicians as at};
use crate::referral::{REFERRALS, REFERRING_PHYSICIANS, ReferringPhysician, physician, referrals};
use crate::tables::LOCATIONS;

const PHYSICIAN: Kind = Kind::Id(ReferringPhysician::NAME);

/// Referrals that were not removed.
const REFERRED: &str = "(SELECT DISTINCT r.org_id, r.referring_physician_id, r.user_id \
     FROM referrals r WHERE r.deleted_at IS NULL)";
/// From a client to those who referred them.
const PHYSICIANS_OF: Link = Link::Join {
    parent: users::id,
    join: Join { table: REFERRED, to: "referring_physician_id", from: "user_id" },
};

/// What referring providers can be ordered by: never how many clients the
/// caller may not see, nor what is sealed.
const ORDERS: &[OrderOption] = &[
    OrderOption { name: "NAME", expression: "({t}.last_name_fold || ' ' || {t}.first_name_fold)" },
    OrderOption { name: "BUSINESS_NAME", expression: "{t}.business_name_fold" },
    OrderOption { name: "SPECIALITY", expression: "{t}.speciality_fold" },
];

/// Binds the types, their queries and mutations, and the fields of clients.
pub fn bind(b: &mut Bindings) {
    queries(b);
    mutations(b);
    physician_fields(b);
    referral_fields(b);
    user_fields(b);
}

fn queries(b: &mut Bindings) {
    b.query_one("referral", &REFERRALS, |request, args| {
        Ok(match id::<crate::referral::Referral>(args, "id", request)? {
            Some(id) => Listing::of(Cond::eq("id", id.0)),
            None => Listing::none(),
        })
    })
    .args(&[("id", Kind::Id("Referral"))]);
    b.query_one("referringPhysician", &REFERRING_PHYSICIANS, one).args(&[
        ("id", PHYSICIAN),
        ("user_id", Kind::Id(User::NAME)),
        ("has_fax_number", Kind::Plain),
    ]);
    b.query_list("referringPhysicians", &REFERRING_PHYSICIANS, many)
        .args(&[("has_fax_number", Kind::Plain), ("keywords", Kind::Plain)])
        .orders(ORDERS, "NAME_ASC");
    b.query_count("referringPhysiciansCount", &REFERRING_PHYSICIANS, many);
}

fn mutations(b: &mut Bindings) {
    const REFERRAL: &[(&str, Returns)] = &[("referral", Returns::One(&REFERRALS))];
    const ADDED: &[(&str, Returns)] = &[
        ("referring_physician", Returns::One(&REFERRING_PHYSICIANS)),
        ("duplicated_physician", Returns::One(&REFERRING_PHYSICIANS)),
    ];
    const CHANGED: &[(&str, Returns)] =
        &[("referring_physician", Returns::One(&REFERRING_PHYSICIANS))];
    const GONE: &[(&str, Returns)] = &[("referringPhysician", Returns::One(&REFERRING_PHYSICIANS))];
    b.mutation("createReferral", REFERRAL, op!(referrals::create));
    b.mutation("updateReferral", REFERRAL, op!(referrals::update));
    b.mutation("deleteReferral", REFERRAL, op!(referrals::delete));
    b.mutation("createReferringPhysician", ADDED, op!(physician::create));
    b.mutation("updateReferringPhysician", CHANGED, op!(physician::update));
    b.mutation("deleteReferringPhysician", GONE, op!(physician::delete));
}

fn physician_fields(b: &mut Bindings) {
    const REFERRALS_OF: Link = Link::Column { parent: at::id, child: "referring_physician_id" };
    b.object("ReferringPhysician", &REFERRING_PHYSICIANS);
    b.cursor("ReferringPhysician");
    b.computed("ReferringPhysician", "full_name", &[at::first_name, at::last_name], |_, row, _| {
        joined([row.text(at::first_name), row.text(at::last_name)]).into()
    });
    b.one("ReferringPhysician", "provider", &USERS, Link::Key(at::provider_id));
    b.one("ReferringPhysician", "location", &LOCATIONS, Link::Key(at::location_id));
    b.many("ReferringPhysician", "referrals", &REFERRALS, REFERRALS_OF);
    b.count("ReferringPhysician", "referrals_count", &REFERRALS, REFERRALS_OF);
}

fn referral_fields(b: &mut Bindings) {
    b.object("Referral", &REFERRALS);
    // Whoever referred the client did so, on the list or not any more.
    b.one(
        "Referral",
        "referring_physician",
        &REFERRING_PHYSICIANS,
        Link::Key(referral_at::referring_physician_id),
    )
    .listing(|_, _| Ok(Listing { deleted: true, ..Listing::all() }));
    b.one("Referral", "user", &USERS, Link::Key(referral_at::user_id));
}

fn user_fields(b: &mut Bindings) {
    const OF_CLIENT: Link = Link::Column { parent: users::id, child: "user_id" };
    b.many("User", "referrals", &REFERRALS, OF_CLIENT);
    b.many("User", "referring_physicians", &REFERRING_PHYSICIANS, PHYSICIANS_OF)
        .orders(ORDERS, "NAME_ASC");
    b.batch("User", "referring_provider_id", &[users::id], |request, q, rows, _| {
        Box::pin(latest(request, q, rows, |physician| physician.id.to_string()))
    });
    b.batch("User", "referring_provider_name", &[users::id], |request, q, rows, _| {
        Box::pin(latest(request, q, rows, |physician| physician.name.clone()))
    });
    b.batch("User", "referring_provider_npi", &[users::id], |request, q, rows, _| {
        Box::pin(latest(request, q, rows, |physician| physician.npi.clone().unwrap_or_default()))
    });
}

fn one(request: &Request, args: &Args) -> Answer<Listing> {
    let by_id = id::<ReferringPhysician>(args, "id", request)?;
    let by_client = id::<User>(args, "user_id", request)?;
    if by_id.is_none() && by_client.is_none() {
        return Ok(Listing::none());
    }
    let mut cond = with_fax(args);
    if let Some(id) = by_id {
        cond = cond.and(Cond::eq("id", id.0));
    }
    if let Some(client) = by_client {
        cond = cond.and(referrers_of(request, client.0));
    }
    Ok(Listing::of(cond))
}

/// Those who referred a client, if the caller sees the client.
fn referrers_of(request: &Request, client: i64) -> Cond {
    let start = "{t}.id IN (SELECT r.referring_physician_id FROM referrals r \
                 WHERE r.org_id = ? AND r.deleted_at IS NULL AND r.user_id = ?";
    let whose: [Value; 2] = [request.actor.org_id.into(), client.into()];
    match (REFERRALS.visible)(&request.actor).at_least(Level::Full) {
        Cond::Never => Cond::Never,
        Cond::Always => Cond::sql(format!("{start})"), whose),
        Cond::Sql(text, params) => {
            let params = whose.into_iter().chain(params);
            Cond::sql(format!("{start} AND ({}))", text.replace("{t}", "r")), params)
        }
    }
}

fn many(request: &Request, args: &Args) -> Answer<Listing> {
    let keywords = args.text("keywords").unwrap_or_default();
    let found = keyword_cond(&REFERRING_PHYSICIANS, request.actor.org_id, keywords);
    Ok(Listing::of(found.and(with_fax(args))))
}

fn with_fax(args: &Args) -> Cond {
    if args.flag("has_fax_number") { Cond::not_null("fax_number") } else { Cond::Always }
}

/// A referring provider in short.
struct Short {
    id: i64,
    name: String,
    npi: Option<String>,
}

/// Of each client's newest referral: something of the referring provider.
async fn latest(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    tell: impl Fn(&Short) -> String + Send,
) -> Answer<Vec<Out>> {
    let clients: Vec<i64> = rows.iter().filter_map(|row| row.get(users::id).int()).collect();
    let columns = vec![referral_at::referring_physician_id, referral_at::user_id];
    let found = seen(request, q, &REFERRALS, columns, Cond::is_in("user_id", &clients)).await?;
    // In the order of ids, so the newest of each client stays.
    let newest: HashMap<i64, i64> =
        found.iter().filter_map(|row| Some((row.get(1)?.int()?, row.first()?.int()?))).collect();
    let mut ids: Vec<i64> = newest.values().copied().collect();
    ids.sort_unstable();
    ids.dedup();
    let columns = vec![at::id, at::first_name, at::last_name, at::npi];
    let found = seen(request, q, &REFERRING_PHYSICIANS, columns, Cond::is_in("id", &ids)).await?;
    let short = |row: &Vec<Value>| {
        let text = |at: usize| row.get(at).and_then(Value::text);
        let id = row.first()?.int()?;
        let npi = text(3).map(str::to_owned);
        Some((id, Short { id, name: joined([text(1), text(2)]), npi }))
    };
    let shorts: HashMap<i64, Short> = found.iter().filter_map(short).collect();
    let told = |row: &RowView<'_>| {
        let physician = row.get(users::id).int().and_then(|client| newest.get(&client));
        let text = physician.and_then(|id| shorts.get(id)).map(&tell);
        text.filter(|text| !text.is_empty()).into()
    };
    Ok(rows.iter().map(told).collect())
}

async fn seen(
    request: &Request,
    q: &mut dyn Query,
    table: &'static Table,
    columns: Vec<usize>,
    filter: Cond,
) -> Answer<Vec<Vec<Value>>> {
    if filter.is_never() {
        return Ok(Vec::new());
    }
    let mut select = Select::new(table, &request.actor);
    select.columns = columns;
    select.deleted = std::ptr::eq(table, &REFERRING_PHYSICIANS);
    select.filter = filter;
    let rows = read_selected(q, &request.db, &select.ordered(Vec::new())).await?;
    Ok(rows.iter().map(<[Value]>::to_vec).collect())
}
