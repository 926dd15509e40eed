//! Which filled forms and notes the lists answer, by their arguments, and in which orders
//! (behaviour 6, 8, 26). Visibility comes on top and is not here.

use jiff::ToSpan;
use ward_clients::tables::Tag;
use ward_engine::{Answer, Args, FromIn, Kind, Listing, OrderOption, Refused, Request, moment};
use ward_identity::tables::{USERS, User};
use ward_instance::Timestamp;
use ward_store::{Cond, Entity, Id};

use super::tables::{FORM_ANSWER_GROUPS, FormAnswerGroup};
use crate::group_note::visibility::{filed_under, in_chart};
use crate::tables::{CustomModule, CustomModuleForm};

const GROUP: Kind = Kind::Id(FormAnswerGroup::NAME);
const FORM: Kind = Kind::Id(CustomModuleForm::NAME);
const USER: Kind = Kind::Id(User::NAME);

/// Arguments of `formAnswerGroup`.
pub const ONE_ARGS: &[(&str, Kind)] = &[
    ("appointment_form_answer_group_connection_id", GROUP),
    ("external_id", Kind::Plain),
    ("id", GROUP),
    ("track_opened_event", Kind::Plain),
];

/// Arguments of `formAnswerGroups`.
pub const GROUPS_ARGS: &[(&str, Kind)] = &[
    ("custom_module_form_id", FORM),
    ("date", Kind::Plain),
    ("filler_id", USER),
    ("form_answer_group_id", GROUP),
    ("ids", Kind::Ids(FormAnswerGroup::NAME)),
    ("include_group_notes", Kind::Plain),
    ("locked_status", Kind::Plain),
    ("name", Kind::Plain),
    ("signed_status", Kind::Plain),
    ("updated_after", Kind::Plain),
    ("updated_before", Kind::Plain),
    ("use_for_charting", Kind::Plain),
    ("user_id", USER),
];

/// Arguments of `formAnswerGroupsCount`.
pub const COUNT_ARGS: &[(&str, Kind)] = &[
    ("date", Kind::Plain),
    ("filler_id", USER),
    ("form_answer_group_id", GROUP),
    ("ids", Kind::Ids(FormAnswerGroup::NAME)),
    ("locked_status", Kind::Plain),
    ("name", Kind::Plain),
    ("signed_status", Kind::Plain),
    ("updated_after", Kind::Plain),
    ("updated_before", Kind::Plain),
    ("user_id", USER),
];

/// Arguments of `chartNotes`.
pub const NOTES_ARGS: &[(&str, Kind)] = &[
    ("chart_note_status", Kind::Plain),
    ("custom_module_form_ids", Kind::Ids(CustomModuleForm::NAME)),
    ("end_date", Kind::Plain),
    ("exclude_requested_and_intake_flow_forms", Kind::Plain),
    ("provider_ids", Kind::Ids(User::NAME)),
    ("start_date", Kind::Plain),
    ("tag_ids", Kind::Ids(Tag::NAME)),
    ("user_id", USER),
];

/// Arguments of `chartingItems` and `chartingItemsCount`.
pub const ITEMS_ARGS: &[(&str, Kind)] = &[
    ("custom_module_form_id", FORM),
    ("date", Kind::Plain),
    ("end_date", Kind::Plain),
    ("filler_id", USER),
    ("form_answer_group_id", GROUP),
    ("keywords", Kind::Plain),
    ("name", Kind::Plain),
    ("start_date", Kind::Plain),
    ("user_id", USER),
];

/// What they can be ordered by: `CREATED_AT` is the date of service.
pub const ORDERS: &[OrderOption] = &[
    OrderOption { name: "CREATED_AT", expression: "{t}.served_at" },
    OrderOption { name: "RECORD_CREATED_AT", expression: "{t}.created_at" },
    OrderOption { name: "UPDATED_AT", expression: "{t}.updated_at" },
];

/// Answers in the order of their questions.
pub const BY_PLACE: &[OrderOption] = &[OrderOption { name: "PLACE", expression: "{t}.place" }];

/// An argument that is an id; a blank one says nothing.
pub(crate) fn id<R: Entity>(args: &Args, name: &str, request: &Request) -> Answer<Option<Id<R>>> {
    match args.text(name) {
        Some(_) => args.get(name, request),
        None => Ok(None),
    }
}

/// Ids, where the argument was sent at all; null says nothing.
fn ids<R>(args: &Args, name: &str, request: &Request) -> Answer<Option<Vec<i64>>>
where
    R: Entity,
    Vec<Id<R>>: FromIn,
{
    let ids: Option<Vec<Id<R>>> = args.get(name, request)?;
    Ok(ids.map(|ids| ids.iter().map(|id| id.0).collect()))
}

/// That the question names a client: so many of theirs, or none, tells something of them
/// (SEC-19).
fn naming(listing: Listing, request: &Request, args: &Args) -> Answer<Listing> {
    let client = id::<User>(args, "user_id", request)?.map(|id| id.0);
    Ok(listing.naming(&USERS, client.into_iter().collect()))
}

/// Everything that is finished.
fn finished() -> Cond {
    Cond::is_true("finished")
}

/// `formAnswerGroup`: a draft, too; by its own id or the caller's.
pub fn one(request: &Request, args: &Args) -> Answer<Listing> {
    if let Some(id) = id::<FormAnswerGroup>(args, "id", request)? {
        return Ok(Listing::of(Cond::eq("id", id.0)));
    }
    let connection = "appointment_form_answer_group_connection_id";
    if let Some(id) = id::<FormAnswerGroup>(args, connection, request)? {
        let is_connected = Cond::not_null("appointment_id");
        return Ok(Listing::of(Cond::eq("id", id.0).and(is_connected)));
    }
    Ok(match args.text("external_id") {
        Some(text) => Listing::of(Cond::eq("external_id", text)),
        None => Listing::none(),
    })
}

/// `formAnswerGroups`: what is finished; of a client with `include_group_notes` also the group notes
/// that have an individual note of theirs.
pub fn groups(request: &Request, args: &Args) -> Answer<Listing> {
    let of_client = |client: i64| match args.flag("include_group_notes") {
        true => in_chart(&request.actor, client),
        false => filed_under(&request.actor, client),
    };
    let mut cond = finished().and(named(request, args, of_client)?);
    if let Some(ids) = ids::<FormAnswerGroup>(args, "ids", request)? {
        cond = cond.and(Cond::is_in("id", &ids));
    }
    if let Some(is_locked) = args.bool("locked_status") {
        cond = cond.and(locked(is_locked));
    }
    if let Some(is_signed) = args.bool("signed_status") {
        let text = if is_signed { "{t}.signings_count > 0" } else { "{t}.signings_count = 0" };
        cond = cond.and(Cond::sql(text, []));
    }
    if let Some(after) = args.moment("updated_after", request)? {
        cond = cond.and(Cond::sql("{t}.updated_at >= ?", [after.0.into()]));
    }
    if let Some(before) = args.moment("updated_before", request)? {
        cond = cond.and(Cond::sql("{t}.updated_at <= ?", [before.0.into()]));
    }
    if let Some(is_for_charting) = args.bool("use_for_charting") {
        cond = cond.and(Cond::eq("use_for_charting", is_for_charting));
    }
    let listing = Listing::of(cond).searching(&FORM_ANSWER_GROUPS, request, args.text("name"));
    naming(listing, request, args)
}

/// The arguments that several lists have alike, and what is a client's.
fn named(request: &Request, args: &Args, of_client: impl Fn(i64) -> Cond) -> Answer<Cond> {
    let mut cond = Cond::Always;
    if let Some(id) = id::<CustomModuleForm>(args, "custom_module_form_id", request)? {
        cond = cond.and(Cond::eq("custom_module_form_id", id.0));
    }
    if let Some(id) = id::<User>(args, "user_id", request)? {
        cond = cond.and(of_client(id.0));
    }
    if let Some(id) = id::<User>(args, "filler_id", request)? {
        cond = cond.and(Cond::eq("filler_id", id.0));
    }
    if let Some(id) = id::<FormAnswerGroup>(args, "form_answer_group_id", request)? {
        cond = cond.and(Cond::eq("id", id.0));
    }
    if args.text("date").is_some() {
        let (from, to) = (day(request, args, "date", 0)?, day(request, args, "date", 1)?);
        cond = cond.and(since(from)).and(until(to));
    }
    Ok(cond)
}

fn locked(is_locked: bool) -> Cond {
    match is_locked {
        true => Cond::not_null("locked_at"),
        false => Cond::is_null("locked_at"),
    }
}

/// The midnight, in the caller's zone, so many days after the day of an argument.
fn day(request: &Request, args: &Args, name: &str, later: i64) -> Answer<Option<Timestamp>> {
    let Some(text) = args.text(name) else { return Ok(None) };
    let wrong = || Refused::on(name, format!("{name} must be a date such as 2026-03-04"));
    // A moment is the day that it falls on there.
    let at = moment::instant(text, &request.zone).ok_or_else(wrong)?;
    let at = jiff::Timestamp::from_microsecond(at.0).map_err(|_| wrong())?;
    let date = request.zone.to_datetime(at).date();
    let date = date.checked_add(later.days()).map_err(|_| wrong())?;
    let midnight = date.to_datetime(jiff::civil::Time::midnight());
    let zoned =
        request.zone.to_ambiguous_zoned_datetime(midnight).compatible().map_err(|_| wrong())?;
    Ok(Some(Timestamp(zoned.timestamp().as_microsecond())))
}

fn since(at: Option<Timestamp>) -> Cond {
    at.map_or(Cond::Always, |at| Cond::sql("{t}.served_at >= ?", [at.0.into()]))
}

fn until(at: Option<Timestamp>) -> Cond {
    at.map_or(Cond::Always, |at| Cond::sql("{t}.served_at < ?", [at.0.into()]))
}

/// From the day of one argument to that of the other, both included.
fn between(request: &Request, args: &Args) -> Answer<Cond> {
    let from = day(request, args, "start_date", 0)?;
    let to = day(request, args, "end_date", 1)?;
    Ok(since(from).and(until(to)))
}

/// `chartNotes`: what is finished, by where it is in its work; for members. A group note is of each
/// of its clients.
pub fn notes(request: &Request, args: &Args) -> Answer<Listing> {
    if !request.actor.is_member() {
        return Ok(Listing::none());
    }
    let mut cond = finished().and(between(request, args)?);
    if let Some(id) = id::<User>(args, "user_id", request)? {
        cond = cond.and(in_chart(&request.actor, id.0));
    }
    if let Some(ids) = ids::<User>(args, "provider_ids", request)?.filter(|it| !it.is_empty()) {
        cond = cond.and(Cond::is_in("filler_id", &ids));
    }
    if let Some(ids) = ids::<CustomModuleForm>(args, "custom_module_form_ids", request)?
        .filter(|it| !it.is_empty())
    {
        cond = cond.and(Cond::is_in("custom_module_form_id", &ids));
    }
    if let Some(ids) = ids::<Tag>(args, "tag_ids", request)?.filter(|it| !it.is_empty()) {
        cond = cond.and(tagged(&ids));
    }
    if args.flag("exclude_requested_and_intake_flow_forms") {
        cond = cond.and(Cond::is_true("use_for_charting"));
    }
    if let Some(status) = args.text("chart_note_status") {
        cond = cond.and(in_status(status));
    }
    naming(Listing::of(cond), request, args)
}

/// Of a client who has one of the tags; notes of a group have none.
fn tagged(ids: &[i64]) -> Cond {
    let Cond::Sql(text, params) = Cond::is_in("tag_id", ids) else { return Cond::Never };
    let text = text.replace("{t}", "tag");
    Cond::sql(
        format!(
            "{{t}}.is_group_appt_note = FALSE AND EXISTS (SELECT 1 FROM applied_tags tag \
             WHERE tag.org_id = {{t}}.org_id AND tag.user_id = {{t}}.user_id \
             AND tag.deleted_at IS NULL AND {text})"
        ),
        params,
    )
}

/// `chart_note_status` of so many signatures, locked or not.
pub fn status(signings: i64, is_locked: bool) -> &'static str {
    match (signings, is_locked) {
        (0, false) => "CREATED",
        (0, true) => "LOCKED",
        (1, false) => "SIGNED",
        (1, true) => "SIGNED_AND_LOCKED",
        (_, false) => "CO_SIGNED",
        (_, true) => "CO_SIGNED_AND_LOCKED",
    }
}

fn in_status(status: &str) -> Cond {
    let signed = match status {
        "CREATED" | "LOCKED" => "{t}.signings_count = 0",
        "SIGNED" | "SIGNED_AND_LOCKED" => "{t}.signings_count = 1",
        _ => "{t}.signings_count > 1",
    };
    Cond::sql(signed, []).and(locked(status.ends_with("LOCKED")))
}

/// `chartingItems`: all of a client's chart that is finished, notes and forms, notes of a group
/// too.
pub fn items(request: &Request, args: &Args) -> Answer<Listing> {
    let of_client = |client: i64| in_chart(&request.actor, client);
    let cond = finished().and(named(request, args, of_client)?).and(between(request, args)?);
    let words = args.text("keywords").or(args.text("name"));
    let listing = Listing::of(cond).searching(&FORM_ANSWER_GROUPS, request, words);
    naming(listing, request, args)
}

/// `form_answers`: those that are asked; all where somebody is to edit them, who can: a
/// client what they began themselves, while it is open.
pub fn answers(request: &Request, args: &Args) -> Answer<Listing> {
    let asked = Cond::eq("hidden", false);
    let mut cond = match args.flag("is_for_editing") {
        true if request.actor.is_member() => Cond::Always,
        true => asked.or(Cond::sql(
            "EXISTS (SELECT 1 FROM form_answer_groups g WHERE g.org_id = {t}.org_id \
             AND g.id = {t}.form_answer_group_id AND g.filler_id = ? AND g.locked_at IS NULL)",
            [request.actor.user_id.into()],
        )),
        false => asked,
    };
    if let Some(ids) = ids::<CustomModule>(args, "custom_module_ids", request)? {
        cond = cond.and(Cond::is_in("custom_module_id", &ids));
    }
    Ok(Listing::of(cond))
}

/// `form_answer_groups` of a client or a template: what is finished.
pub fn of_parent(_: &Request, _: &Args) -> Answer<Listing> {
    Ok(Listing::of(finished()))
}

/// What is left of somebody who was deleted, as the caller sees people.
pub fn left(_: &Request, _: &Args) -> Answer<Listing> {
    Ok(Listing { deleted: true, ..Listing::all().public() })
}

/// What something was filled in with, whatever became of it: deleted, archived, or not for
/// this client any more. Whoever sees what was filled in sees what was asked.
pub fn template(request: &Request, args: &Args) -> Answer<Listing> {
    Ok(Listing { shown: true, ..left(request, args)? })
}

/// The question of an answer, as it was when it was answered (DOM-13).
pub fn asked(request: &Request, args: &Args) -> Answer<Listing> {
    Ok(Listing { instead: THEN, ..template(request, args)? })
}

/// What a version of a question has of it.
const THEN: &[&str] =
    &["mod_type", "label", "sublabel", "options", "required", "place", "parent_custom_module_id"];

/// What is listed as it was made: signatures, addenda, the history.
pub const MADE: &[OrderOption] =
    &[OrderOption { name: "CREATED_AT", expression: "{t}.created_at" }];

/// `chartingNoteAddendum`.
pub fn addendum(request: &Request, args: &Args) -> Answer<Listing> {
    let id = id::<super::tables::ChartingNoteAddendum>(args, "id", request)?;
    Ok(id.map_or_else(Listing::none, |id| Listing::of(Cond::eq("id", id.0))))
}
