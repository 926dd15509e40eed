//! Which rows the domain's lists answer, by their arguments, and in which orders
//! (behaviour 7, 8, 25). Visibility comes on top and is not here.

use ward_engine::{Answer, Args, Kind, Listing, OrderOption, Refused, Request};
use ward_store::{Cond, Entity, Id};

use crate::tables::{CUSTOM_MODULE_FORMS, CUSTOM_MODULES, CustomModuleForm};

/// Arguments of `customModuleForm`.
pub const FORM_ARGS: &[(&str, Kind)] = &[
    ("charting", Kind::Plain),
    ("default", Kind::Plain),
    ("id", Kind::Id(CustomModuleForm::NAME)),
];

/// Arguments of `customModuleForms` and `customModuleFormsCount`.
pub const FORMS_ARGS: &[(&str, Kind)] = &[
    ("active_status", Kind::Plain),
    ("category", Kind::Plain),
    ("include_default_templates", Kind::Plain),
    ("keywords", Kind::Plain),
];

/// What templates can be ordered by.
pub const FORM_ORDERS: &[OrderOption] = &[
    OrderOption { name: "NAME", expression: "{t}.name_fold" },
    OrderOption { name: "CREATED_AT", expression: "{t}.created_at" },
    OrderOption { name: "UPDATED_AT", expression: "{t}.updated_at" },
    OrderOption {
        name: "USER_LAST_NAME",
        expression: "COALESCE((SELECT o.last_name_fold || ' ' || o.first_name_fold FROM users o \
            WHERE o.org_id = {t}.org_id AND o.id = {t}.user_id), '\u{10FFFF}')",
    },
    OrderOption {
        name: "TYPE",
        expression: "CASE WHEN {t}.use_for_charting = TRUE THEN 'charting' \
            WHEN {t}.use_for_program = TRUE THEN 'program' ELSE 'intake' END",
    },
];

/// What questions of a template are ordered by.
pub const BY_PLACE: &[OrderOption] = &[OrderOption { name: "POSITION", expression: "{t}.place" }];
/// What questions of all templates are ordered by.
pub const MADE: &[OrderOption] =
    &[OrderOption { name: "CREATED_AT", expression: "{t}.created_at" }];

/// `customModuleForm`: by its id; without one the newest template for charting, or
/// the newest that came with the instance.
pub fn form(request: &Request, args: &Args) -> Answer<Listing> {
    let id: Option<Id<CustomModuleForm>> = match args.text("id") {
        Some(_) => args.get("id", request)?,
        None => None,
    };
    if let Some(id) = id {
        return Ok(Listing::of(Cond::eq("id", id.0)).public());
    }
    let (charting, default) = (args.flag("charting"), args.flag("default"));
    if !request.actor.is_member() || !(charting || default) {
        return Ok(Listing::none());
    }
    let mut cond = Cond::eq("is_archived", false);
    if charting {
        cond = cond.and(Cond::is_true("use_for_charting"));
    }
    if default {
        cond = cond.and(Cond::is_null("user_id"));
    }
    Ok(Listing::of(cond))
}

/// `customModuleForms` and `customModuleFormsCount`: those in use, unless the
/// archived ones are asked for. There is no list of all practices' templates.
pub fn forms(request: &Request, args: &Args) -> Answer<Listing> {
    let actor = &request.actor;
    let kind = category(args)?;
    if !actor.is_member() && !actor.is_client() {
        return Ok(Listing::none());
    }
    let is_archived = args.bool("active_status") == Some(false);
    let mut cond = Cond::eq("is_archived", is_archived).and(kind);
    if args.bool("include_default_templates") == Some(false) {
        cond = cond.and(Cond::not_null("user_id"));
    }
    let keywords = args.text("keywords");
    Ok(Listing::of(cond).public().searching(&CUSTOM_MODULE_FORMS, request, keywords))
}

fn category(args: &Args) -> Answer<Cond> {
    let flags = |charting: bool, program: bool| {
        Cond::eq("use_for_charting", charting).and(Cond::eq("use_for_program", program))
    };
    match args.text("category") {
        None | Some("all") => Ok(Cond::Always),
        Some("charting") => Ok(Cond::is_true("use_for_charting")),
        Some("program") => Ok(Cond::is_true("use_for_program")),
        Some("intake") => Ok(flags(false, false)),
        Some(_) => {
            Err(Refused::on("category", "category must be all, charting, program or intake"))
        }
    }
}

/// `customModules`: of all templates that a member sees.
pub fn questions(request: &Request, args: &Args) -> Answer<Listing> {
    match request.actor.is_member() {
        true => Ok(Listing::all().searching(&CUSTOM_MODULES, request, args.text("keywords"))),
        false => Ok(Listing::none()),
    }
}

/// Templates that can be asked of a client: in use, and not for charting.
pub fn requestable() -> Cond {
    Cond::sql(
        "{t}.use_for_charting = FALSE AND {t}.use_for_program = FALSE \
         AND {t}.is_archived = FALSE AND EXISTS (SELECT 1 FROM custom_modules q \
         WHERE q.org_id = {t}.org_id AND q.custom_module_form_id = {t}.id \
         AND q.deleted_at IS NULL)",
        [],
    )
}
