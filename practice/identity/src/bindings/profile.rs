//! What practices and members show of themselves: licences, professions,
//! further numbers, the organization towards payers.

use ward_engine::{Answer, Args, Bindings, Kind, Link, Listing, Out, Request, Returns, op};
use ward_store::{Cond, Entity, Id, Level, Role, Value, search};

use crate::organization_info;
use crate::states;
use crate::tables::{
    ORGANIZATION_INFOS, ORGANIZATIONS, OTHER_ID_NUMBERS, OrganizationInfo, OtherIdNumber,
    PROFESSIONS, PROVIDER_BIOS, SPECIALTIES, STATE_LICENSES, USERS, User, organization_infos,
    organizations, other_id_numbers, state_licenses, users,
};
use crate::visibility;

const USER: Kind = Kind::Id(User::NAME);
const OF_USER: Link = Link::Column { parent: users::id, child: "user_id" };
const OF_UNIT: Link = Link::Column { parent: organizations::id, child: "unit_id" };

/// Registers the types and their queries.
pub fn bind(b: &mut Bindings) {
    bind_licenses(b);
    bind_words(b);
    bind_numbers(b);
    bind_infos(b);
    b.query_one("provider", &USERS, provider).args(&[
        ("id", USER),
        ("client_id", USER),
        ("organization_info_id", Kind::Id(OrganizationInfo::NAME)),
    ]);
}

fn bind_licenses(b: &mut Bindings) {
    b.object("StateLicense", &STATE_LICENSES);
    b.computed("StateLicense", "full_state_name", &[state_licenses::state], |_, row, _| {
        row.text(state_licenses::state).and_then(states::name).into()
    })
    .public();
    b.many("User", "state_licenses", &STATE_LICENSES, OF_USER);
    b.query_list("stateLicenses", &STATE_LICENSES, |request, args| {
        let mut ids: Vec<Id<User>> = args.get("provider_ids", request)?.unwrap_or_default();
        ids.extend(args.get::<Id<User>>("provider_id", request)?);
        let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
        Ok(Listing::of(if ids.is_empty() { Cond::Always } else { Cond::is_in("user_id", &ids) }))
    })
    .args(&[("provider_id", USER), ("provider_ids", Kind::Ids(User::NAME))]);
    b.batch(
        "Organization",
        "state_licenses",
        &[organizations::id, organizations::org_id],
        |_, conn, rows, _| Box::pin(super::organization::licensed_states(conn, rows)),
    );
}

fn bind_words(b: &mut Bindings) {
    b.object("Profession", &PROFESSIONS);
    b.many("User", "professions", &PROFESSIONS, OF_USER);
    b.object("Specialty", &SPECIALTIES);
    b.many("User", "specialties", &SPECIALTIES, OF_USER);
    b.object("ProviderBio", &PROVIDER_BIOS);
    b.one("User", "provider_bio", &PROVIDER_BIOS, OF_USER)
        .listing(|_, _| Ok(Listing::all().public()))
        .public();
}

fn bind_numbers(b: &mut Bindings) {
    const LABEL: &[usize] = &[other_id_numbers::other_id, other_id_numbers::other_id_qualifier];
    b.object("OtherIdNumber", &OTHER_ID_NUMBERS);
    b.column("OtherIdNumber", "organization_id", other_id_numbers::unit_id);
    b.one("OtherIdNumber", "organization", &ORGANIZATIONS, Link::Key(other_id_numbers::unit_id));
    b.one("OtherIdNumber", "user", &USERS, Link::Key(other_id_numbers::user_id));
    b.computed("OtherIdNumber", "label", LABEL, |_, row, _| {
        let texts =
            [row.text(other_id_numbers::other_id_qualifier), row.text(other_id_numbers::other_id)];
        let label = crate::account::joined(texts);
        if label.is_empty() { Out::Null } else { label.into() }
    });
    b.many("User", "other_id_numbers", &OTHER_ID_NUMBERS, OF_USER);
    b.one("User", "other_id_number", &OTHER_ID_NUMBERS, OF_USER)
        .args(&[("id", Kind::Id(OtherIdNumber::NAME))])
        .listing(by_id::<OtherIdNumber>);
    b.query_one("otherIdNumber", &OTHER_ID_NUMBERS, |request, args| {
        match args.get::<Id<OtherIdNumber>>("id", request)? {
            Some(id) => Ok(Listing::of(Cond::eq("id", id.0))),
            None => Ok(Listing::none()),
        }
    })
    .args(&[("id", Kind::Id(OtherIdNumber::NAME))]);
    b.query_list("otherIdNumbers", &OTHER_ID_NUMBERS, |request, args| {
        let user = args.get::<Id<User>>("user_id", request)?;
        Ok(Listing::of(user.map_or(Cond::Always, |id| Cond::eq("user_id", id.0))))
    })
    .args(&[("user_id", USER)]);
}

fn by_id<R: Entity>(request: &Request, args: &Args) -> Answer<Listing> {
    let id = args.get::<Id<R>>("id", request)?;
    Ok(Listing::of(id.map_or(Cond::Always, |id| Cond::eq("id", id.0))))
}

fn bind_infos(b: &mut Bindings) {
    const GONE: &[(&str, Returns)] = &[("organizationInfo", Returns::One(&ORGANIZATION_INFOS))];
    const INFO_ARGS: &[(&str, Kind)] =
        &[("id", Kind::Id(OrganizationInfo::NAME)), ("keywords", Kind::Plain)];
    b.object("OrganizationInfo", &ORGANIZATION_INFOS);
    b.column("OrganizationInfo", "primary", organization_infos::primary_info);
    b.one(
        "OrganizationInfo",
        "organization",
        &ORGANIZATIONS,
        Link::Key(organization_infos::unit_id),
    );
    b.one("Organization", "organization_info", &ORGANIZATION_INFOS, OF_UNIT)
        .listing(|_, _| Ok(Listing::of(Cond::is_true("primary_info"))));
    b.many("Organization", "organization_infos", &ORGANIZATION_INFOS, OF_UNIT)
        .args(INFO_ARGS)
        .listing(infos);
    b.count("Organization", "organization_infos_count", &ORGANIZATION_INFOS, OF_UNIT);
    b.query_one("organizationInfo", &ORGANIZATION_INFOS, |request, args| {
        Ok(Listing::of(match args.get::<Id<OrganizationInfo>>("id", request)? {
            Some(id) => Cond::eq("id", id.0),
            None => Cond::is_true("primary_info").and(Cond::eq("unit_id", request.actor.unit_id)),
        }))
    })
    .args(&[("id", Kind::Id(OrganizationInfo::NAME))]);
    b.mutation("deleteOrganizationInfo", GONE, op!(organization_info::delete));
}

fn infos(request: &Request, args: &Args) -> Answer<Listing> {
    let mut listing = by_id::<OrganizationInfo>(request, args)?;
    if let Some(keywords) = args.text("keywords") {
        let found = search::keyword_cond(&ORGANIZATION_INFOS, request.actor.org_id, keywords);
        listing.filter = listing.filter.and(found);
    }
    Ok(listing)
}

/// `provider`: by id, as a client's primary one, or as the owner of the
/// organization that an info is of; else the caller, if they are a member.
fn provider(request: &Request, args: &Args) -> Answer<Listing> {
    let actor = &request.actor;
    if actor.role == Role::Anonymous {
        return Ok(Listing::none());
    }
    let staff = Cond::eq("is_patient", false);
    if let Some(id) = args.get::<Id<User>>("id", request)? {
        return Ok(Listing::of(staff.and(Cond::eq("id", id.0))).public());
    }
    if let Some(id) = args.get::<Id<User>>("client_id", request)? {
        // Of a client whom the caller sees.
        let (rule, params) = visibility::seen(&USERS, actor, Level::Full, "c");
        let text = format!(
            "{{t}}.id IN (SELECT c.dietitian_id FROM users c WHERE c.org_id = ? \
             AND c.id = ? AND ({rule}))"
        );
        let whose: [Value; 2] = [actor.org_id.into(), id.0.into()];
        let params: Vec<Value> = whose.into_iter().chain(params).collect();
        return Ok(Listing::of(staff.and(Cond::sql(text, params))).public());
    }
    if let Some(id) = args.get::<Id<OrganizationInfo>>("organization_info_id", request)? {
        let (rule, params) = visibility::seen(&ORGANIZATION_INFOS, actor, Level::Full, "i");
        let text = format!(
            "{{t}}.id IN (SELECT o.owner_id FROM organization_infos i \
             JOIN organizations o ON o.org_id = i.org_id AND o.id = i.unit_id \
             WHERE i.org_id = ? AND i.deleted_at IS NULL AND i.id = ? AND ({rule}))"
        );
        let whose: [Value; 2] = [actor.org_id.into(), id.0.into()];
        let params: Vec<Value> = whose.into_iter().chain(params).collect();
        return Ok(Listing::of(staff.and(Cond::sql(text, params))).public());
    }
    Ok(Listing::of(staff.and(Cond::eq("id", actor.user_id))))
}

/// Users with a licence in one of these states, each by code or name; what is
/// no state matches nobody.
pub fn licensed_in<'a>(given: impl IntoIterator<Item = &'a str>) -> Cond {
    let codes: Vec<Box<str>> = given.into_iter().filter_map(states::code).map(Into::into).collect();
    if codes.is_empty() {
        return Cond::Never;
    }
    Cond::sql(
        "EXISTS (SELECT 1 FROM state_licenses sl WHERE sl.org_id = {t}.org_id \
         AND sl.user_id = {t}.id AND sl.state IN_LIST(?))",
        [Value::Texts(codes.into())],
    )
}
