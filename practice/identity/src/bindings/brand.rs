//! `Brand`: how a practice looks, for everybody (behaviour 3.4); and what
//! `User` tells of it.

use std::collections::HashMap;

use ward_engine::{
    Answer, Args, Bindings, Kind, Link, Listing, Out, Request, Returns, RowView, op, parse_id,
};
use ward_store::{Cond, Entity, Id, Join, Query, Role, Sql, Value};

use crate::bindings::user::{file_url, keys_of};
use crate::bindings::user_flags::any_held;
use crate::brand;
use crate::flags;
use crate::tables::{BRANDS, Brand, USERS, User, brands as at, users};

/// The brand that somebody sees: of a member their own while they may have one,
/// else their organization's, else the root organization's; of a client their
/// primary provider's.
const SHOWN: &str = "(SELECT s.org_id, s.id AS user_id, (SELECT b.id FROM users p \
     JOIN organizations o ON o.org_id = p.org_id AND o.id = p.unit_id \
     JOIN organizations r ON r.org_id = p.org_id AND r.id = p.org_id \
     LEFT JOIN organization_memberships m ON m.org_id = p.org_id AND m.user_id = p.id \
     JOIN brands b ON b.org_id = p.org_id AND (b.user_id = o.owner_id OR b.user_id = r.owner_id \
     OR (b.user_id = p.id AND m.has_own_branding = TRUE)) \
     WHERE p.org_id = s.org_id \
     AND p.id = (CASE WHEN s.is_patient = TRUE THEN s.dietitian_id ELSE s.id END) \
     ORDER BY CASE WHEN b.user_id = p.id THEN 0 WHEN b.user_id = o.owner_id THEN 1 ELSE 2 END \
     LIMIT 1) AS brand_id FROM users s)";
const SHOWN_LINK: Link =
    Link::Join { parent: users::id, join: Join { table: SHOWN, to: "brand_id", from: "user_id" } };

/// Registers the type, its query, its mutations and the fields of `User`.
pub fn bind(b: &mut Bindings) {
    const BRAND: &[(&str, Returns)] = &[("brand", Returns::One(&BRANDS))];
    b.object("Brand", &BRANDS);
    b.one("Brand", "brand_owner", &USERS, Link::Key(at::user_id)).public();
    b.computed("Brand", "logo_url", &[at::logo_id], |request, row, _| {
        file_url(request, row.text(at::logo_id))
    })
    .public();
    // No style sheet is generated and no analytics are loaded.
    for field in ["embeddable_layout_css_url", "main_layout_css_url", "ga_id", "gtm_id"] {
        b.computed("Brand", field, &[], |_, _, _| Out::Null).public();
    }
    b.query_one("brand", &BRANDS, one)
        .args(&[
            ("id", Kind::Id(Brand::NAME)),
            ("provider_id", Kind::Id(User::NAME)),
            ("custom_sign_in_path", Kind::Plain),
            ("locationString", Kind::Plain),
        ])
        .public();
    b.query_one("brandFromCustomSignInPath", &BRANDS, |_, args| {
        Ok(args.text("custom_sign_in_path").map_or_else(Listing::none, of_path))
    })
    .args(&[("custom_sign_in_path", Kind::Plain)])
    .public();
    b.mutation_prepared(
        "createBrand",
        BRAND,
        |request, input| Box::pin(brand::prepare_create(request, input)),
        op!(brand::create),
    );
    b.mutation_prepared(
        "updateBrand",
        BRAND,
        |request, input| Box::pin(brand::prepare(request, input)),
        op!(brand::update),
    );
    bind_users(b);
}

fn bind_users(b: &mut Bindings) {
    const NEEDS: &[usize] = &[users::id, users::org_id, users::unit_id];
    b.one("User", "displayed_brand", &BRANDS, SHOWN_LINK)
        .listing(|_, _| Ok(Listing::all().public()))
        .public();
    b.one("User", "brand", &BRANDS, SHOWN_LINK)
        .args(&[("is_for_editing", Kind::Plain)])
        .listing(|_, args| {
            let own = Cond::sql("{t}.user_id = j.user_id", []);
            let cond = if args.flag("is_for_editing") { own } else { Cond::Always };
            Ok(Listing::of(cond).public())
        })
        .public();
    b.batch("User", "brand_name", NEEDS, |_, conn, rows, _| {
        Box::pin(async move { Ok(of_rows(&rows, &shown(conn, &rows).await?, |it| it.name.into())) })
    })
    .public();
    b.batch("User", "brand_logo_url", NEEDS, |request, conn, rows, _| {
        Box::pin(async move {
            let shown = shown(conn, &rows).await?;
            Ok(of_rows(&rows, &shown, |it| file_url(request, it.logo_id.as_deref())))
        })
    })
    .public();
    b.batch("User", "branded_name", NEEDS, |_, conn, rows, _| {
        Box::pin(async move {
            let shown = shown(conn, &rows).await?;
            Ok(of_rows(&rows, &shown, |it| it.display_name.or(it.name).or(it.organization).into()))
        })
    })
    .public();
    for field in ["can_edit_brand", "show_brand_tab"] {
        b.batch("User", field, NEEDS, |_, conn, rows, _| {
            Box::pin(any_held(conn, rows, &[flags::HAS_OWN_BRANDING, flags::CAN_EDIT_SETTINGS]))
        });
    }
}

/// What a person's brand says, and the organization's name.
#[derive(Clone, Debug, Default)]
struct Shown {
    name: Option<String>,
    display_name: Option<String>,
    logo_id: Option<String>,
    organization: Option<String>,
}

async fn shown(conn: &mut dyn Query, rows: &[RowView<'_>]) -> Answer<HashMap<i64, Shown>> {
    let (orgs, ids) = keys_of(rows);
    let mut sql = Sql::new();
    sql.push("SELECT u.id, b.brand_name, b.display_name, b.logo_id, o.name FROM users u ");
    sql.push("LEFT JOIN organizations o ON o.org_id = u.org_id AND o.id = u.unit_id LEFT JOIN ");
    sql.push(SHOWN).push(" j ON j.org_id = u.org_id AND j.user_id = u.id ");
    sql.push("LEFT JOIN brands b ON b.org_id = u.org_id AND b.id = j.brand_id WHERE u.org_id");
    sql.bind_in(orgs).push(" AND u.id").bind_in(ids);
    let text = |value: Option<&Value>| value.and_then(Value::text).map(str::to_owned);
    let found = conn.rows(&sql).await?;
    let of = |row: &[Value]| {
        let shown = Shown {
            name: text(row.get(1)),
            display_name: text(row.get(2)),
            logo_id: text(row.get(3)),
            organization: text(row.get(4)),
        };
        Some((row.first()?.int()?, shown))
    };
    Ok(found.iter().filter_map(of).collect())
}

fn of_rows(
    rows: &[RowView<'_>],
    shown: &HashMap<i64, Shown>,
    out: impl Fn(Shown) -> Out,
) -> Vec<Out> {
    let of = |row: &RowView<'_>| {
        let id = row.get(users::id).int().unwrap_or_default();
        out(shown.get(&id).cloned().unwrap_or_default())
    };
    rows.iter().map(of).collect()
}

/// `brand`: by id, path, provider, or the address of the page that asks; else
/// the caller's.
fn one(request: &Request, args: &Args) -> Answer<Listing> {
    if let Some(id) = args.get::<Id<Brand>>("id", request)? {
        return Ok(Listing::of(Cond::eq("id", id.0)).public());
    }
    if let Some(path) = args.text("custom_sign_in_path") {
        return Ok(of_path(path));
    }
    if let Some(id) = args.get::<Id<User>>("provider_id", request)? {
        return Ok(of_member(id.0));
    }
    if let Some(address) = args.text("locationString") {
        return of_address(request, address);
    }
    Ok(match request.actor.role {
        Role::Client | Role::Member => of_person(request.actor.user_id),
        Role::Anonymous | Role::System => Listing::none(),
    })
}

fn of_path(path: &str) -> Listing {
    Listing::of(Cond::eq("custom_sign_in_path", path.trim().to_lowercase())).public()
}

fn of_person(user_id: i64) -> Listing {
    let cond = format!("{{t}}.id = (SELECT w.brand_id FROM {SHOWN} w WHERE w.user_id = ?)");
    Listing::of(Cond::sql(cond, [user_id.into()])).public()
}

/// A member's; whose provider somebody is, is not to be found out this way.
fn of_member(user_id: i64) -> Listing {
    let mut listing = of_person(user_id);
    listing.filter = listing.filter.and(Cond::sql(
        "EXISTS (SELECT 1 FROM users pm WHERE pm.org_id = {t}.org_id AND pm.id = ? \
         AND pm.is_patient = FALSE)",
        [user_id.into()],
    ));
    listing
}

/// The brand that a page's address names: by the provider in its query
/// (`dietitian_id`, `provider_id`), else by the last step of its path.
fn of_address(request: &Request, address: &str) -> Answer<Listing> {
    let address = address.split('#').next().unwrap_or_default();
    let (path, query) = address.split_once('?').unwrap_or(match address.contains('=') {
        true => ("", address),
        false => (address, ""),
    });
    let named = query.split('&').filter_map(|pair| pair.split_once('=')).find(|(name, value)| {
        ["dietitian_id", "provider_id", "provider_ids"].contains(name) && !value.is_empty()
    });
    if let Some((_, id)) = named {
        let id = id.split([',', '%']).next().unwrap_or_default();
        return Ok(of_member(parse_id::<User>(id, "locationString", request.instance.ids())?.0));
    }
    let step = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    Ok(if step.is_empty() { Listing::none() } else { of_path(step) })
}
