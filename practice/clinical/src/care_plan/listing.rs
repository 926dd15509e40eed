//! Which care plans the queries answer, by their arguments, and in which orders (behaviour 7, 8,
//! 29). Visibility comes on top and is not here.

use ward_engine::{Answer, Args, Kind, Listing, OrderOption, Request};
use ward_identity::id_or_blank::IdOrBlank;
use ward_identity::tables::{USERS, User};
use ward_store::{Cond, Entity, Id};

use super::table::{CARE_PLANS, CarePlan};

const USER: Kind = Kind::Id(User::NAME);

/// Arguments of `carePlan`.
pub const ONE_ARGS: &[(&str, Kind)] =
    &[("id", Kind::Id(CarePlan::NAME)), ("is_managing_templates", Kind::Plain)];
/// Arguments of `carePlans`.
pub const LIST_ARGS: &[(&str, Kind)] = &[
    ("patient_id", USER),
    ("template_search_keywords", Kind::Plain),
    ("templates_only", Kind::Plain),
];
/// Arguments of `carePlansCount`.
pub const COUNT_ARGS: &[(&str, Kind)] = &[("patient_id", USER)];
/// Arguments of `carePlansTemplatesCount`.
pub const TEMPLATES_ARGS: &[(&str, Kind)] = &[("keywords", Kind::Plain)];
/// Arguments of `care_plan_recommendation_categories`.
pub const CATEGORIES_ARGS: &[(&str, Kind)] =
    &[("active", Kind::Plain), ("only_active", Kind::Plain)];

/// 0 for a plan that is active, 1 for another.
const STATUS: &str = "(CASE WHEN {t}.is_on = TRUE OR ({t}.patient_id IS NOT NULL AND EXISTS \
     (SELECT 1 FROM group_care_plan_user_connections l WHERE l.org_id = {t}.org_id \
     AND l.care_plan_id = {t}.id AND l.user_id = {t}.patient_id AND l.active = TRUE \
     AND l.deleted_at IS NULL)) THEN 0 ELSE 1 END)";
/// 0 for a plan that is not active, 1 for one that is.
const ACTIVATED: &str = "(CASE WHEN {t}.is_on = TRUE OR ({t}.patient_id IS NOT NULL AND EXISTS \
     (SELECT 1 FROM group_care_plan_user_connections l WHERE l.org_id = {t}.org_id \
     AND l.care_plan_id = {t}.id AND l.user_id = {t}.patient_id AND l.active = TRUE \
     AND l.deleted_at IS NULL)) THEN 1 ELSE 0 END)";
/// The first name of a plan's client.
const FIRST_NAME: &str = "COALESCE((SELECT p.first_name_fold FROM users p \
     WHERE p.org_id = {t}.org_id AND p.id = {t}.patient_id), '')";

/// What plans can be ordered by, also by the older words of `sort_by` (behaviour 7).
pub const ORDERS: &[OrderOption] = &[
    OrderOption { name: "CREATED_AT", expression: "{t}.created_at" },
    OrderOption { name: "NAME", expression: "{t}.name_fold" },
    OrderOption { name: "STATUS", expression: STATUS },
    OrderOption { name: "CLIENT_FIRST_NAME", expression: FIRST_NAME },
    OrderOption { name: "DEACTIVATED", expression: STATUS },
    OrderOption { name: "ACTIVATED", expression: ACTIVATED },
    OrderOption { name: "CLIENT_NAME", expression: FIRST_NAME },
    OrderOption { name: "NEWEST", expression: "(0 - {t}.created_at)" },
    OrderOption { name: "OLDEST", expression: "{t}.created_at" },
];
/// Recommendations and parts as they were added.
pub const ADDED: &[OrderOption] =
    &[OrderOption { name: "CREATED_AT", expression: "{t}.created_at" }];
/// Documents by name.
pub const BY_NAME: &[OrderOption] =
    &[OrderOption { name: "NAME", expression: "{t}.display_name_fold" }];
/// Categories by name.
pub const CATEGORY_ORDERS: &[OrderOption] =
    &[OrderOption { name: "NAME", expression: "{t}.name_fold" }];

/// An argument that is an id; a blank one says nothing.
fn id<R: Entity>(args: &Args, name: &str, request: &Request) -> Answer<Option<Id<R>>> {
    Ok(args.get::<IdOrBlank<R>>(name, request)?.and_then(|id| id.0))
}

/// `carePlan`; while templates are managed, a template.
pub fn one(request: &Request, args: &Args) -> Answer<Listing> {
    let Some(id) = id::<CarePlan>(args, "id", request)? else { return Ok(Listing::none()) };
    let named = Cond::eq("id", id.0);
    Ok(Listing::of(match args.flag("is_managing_templates") {
        true => named.and(Cond::is_true("is_template")),
        false => named,
    }))
}

/// Plans that are no templates: a client's with those of their group, or all.
fn plans(request: &Request, args: &Args) -> Answer<Listing> {
    let no_template = Cond::eq("is_template", false);
    let Some(client) = id::<User>(args, "patient_id", request)? else {
        return Ok(Listing::of(no_template));
    };
    let own = Cond::sql(
        "({t}.patient_id = ? OR {t}.user_group_id = (SELECT p.user_group_id FROM users p \
         WHERE p.org_id = {t}.org_id AND p.id = ?))",
        [client.0.into(), client.0.into()],
    );
    // Which group a client is in is told to who sees the client.
    let seen = ward_identity::visibility::sees_user(&request.actor, client);
    Ok(Listing::of(no_template.and(own).and(seen)).naming(&USERS, vec![client.0]))
}

/// `carePlans`.
pub fn many(request: &Request, args: &Args) -> Answer<Listing> {
    match args.flag("templates_only") {
        true => Ok(Listing::of(Cond::is_true("is_template")).searching(
            &CARE_PLANS,
            request,
            args.text("template_search_keywords"),
        )),
        false => plans(request, args),
    }
}

/// `carePlansCount`.
pub fn count(request: &Request, args: &Args) -> Answer<Listing> {
    plans(request, args)
}

/// `carePlansTemplatesCount`.
pub fn templates(request: &Request, args: &Args) -> Answer<Listing> {
    let templates = Listing::of(Cond::is_true("is_template"));
    Ok(templates.searching(&CARE_PLANS, request, args.text("keywords")))
}

/// Categories; only those that are offered for new recommendations, if that is asked for.
pub fn categories(_: &Request, args: &Args) -> Answer<Listing> {
    let only = args.flag("active") || args.flag("only_active");
    Ok(Listing::of(if only { Cond::is_true("is_active") } else { Cond::Always }))
}

/// As much of a row as a client sees of whoever made it.
pub fn public(_: &Request, _: &Args) -> Answer<Listing> {
    Ok(Listing::all().public())
}
