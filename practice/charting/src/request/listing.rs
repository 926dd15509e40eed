//! Which requests, recurring forms and deeds the queries answer, by their arguments (behaviour 8,
//! 28). Visibility comes on top and is not here.

use ward_engine::{Answer, Args, Kind, Listing, OrderOption, Refused, Request};
use ward_identity::tables::{USERS, User, UserGroup};
use ward_store::{Cond, Entity, Id, Keywords};

use super::input::{Named, connected};
use super::tables::{RequestedFormCompletion, Status};
use crate::filled::listing::id;
use crate::flow::tables::OnboardingItem;
use crate::tables::CUSTOM_MODULE_FORMS;

const REQUEST: Kind = Kind::Id(RequestedFormCompletion::NAME);
const USER: Kind = Kind::Id(User::NAME);

/// Arguments of `requestedFormCompletion`.
pub const ONE_ARGS: &[(&str, Kind)] = &[("id", REQUEST), ("track_opened_event", Kind::Plain)];
/// Arguments of `requestedFormCompletions`.
pub const ALL_ARGS: &[(&str, Kind)] =
    &[("keywords", Kind::Plain), ("status", Kind::Plain), ("user_id", USER)];
/// Arguments of `formHistories` and `formHistoriesCount`.
pub const HISTORY_ARGS: &[(&str, Kind)] =
    &[("patient_id", USER), ("sourceable_id", REQUEST), ("sourceable_type", Kind::Plain)];
/// Arguments of `recurringForms`, and of whether somebody is asked.
pub const CONNECTED_ARGS: &[(&str, Kind)] =
    &[("connectable_id", Kind::Id(UserGroup::NAME)), ("connectable_type", Kind::Plain)];

/// The newest first.
pub const MADE: &[OrderOption] =
    &[OrderOption { name: "CREATED_AT", expression: "{t}.created_at" }];

/// `requestedFormCompletion`.
pub fn one(request: &Request, args: &Args) -> Answer<Listing> {
    let id = id::<RequestedFormCompletion>(args, "id", request)?;
    Ok(id.map_or_else(Listing::none, |id| Listing::of(Cond::eq("id", id.0))))
}

/// `requestedFormCompletions`: of a client, by status and the form's name. A client asks of
/// themselves, whomever they name.
pub fn all(request: &Request, args: &Args) -> Answer<Listing> {
    let client = match request.actor.is_client() {
        true => Some(request.actor.user_id),
        false => id::<User>(args, "user_id", request)?.map(|id| id.0),
    };
    let mut cond = client.map_or(Cond::Always, |id| Cond::eq("recipient_id", id));
    if let Some(text) = args.text("status") {
        let Some(status) = Status::meant(text) else {
            let known = Status::TEXTS.join(", ");
            return Err(Refused::on("status", format!("status must be one of {known}")));
        };
        cond = cond.and(Cond::eq("status", status.as_str()));
    }
    if let Some(words) = args.text("keywords") {
        cond = cond.and(of_forms(request, words));
    }
    Ok(Listing::of(cond).naming(&USERS, client.into_iter().collect()))
}

/// Of forms that keywords find.
fn of_forms(request: &Request, words: &str) -> Cond {
    match Keywords::new(&CUSTOM_MODULE_FORMS, request.actor.org_id, words).cond() {
        Cond::Always => Cond::Always,
        Cond::Never => Cond::Never,
        Cond::Sql(text, params) => {
            let text = text.replace("{t}", "asked");
            Cond::sql(
                format!(
                    "{{t}}.custom_module_form_id IN (SELECT asked.id FROM custom_module_forms asked \
                     WHERE asked.org_id = ? AND {text})"
                ),
                std::iter::once(request.actor.org_id.into()).chain(params),
            )
        }
    }
}

/// `formHistories` and `formHistoriesCount`: for the staff.
pub fn histories(request: &Request, args: &Args) -> Answer<Listing> {
    const OF: &str = "sourceable_id";
    if !request.actor.is_member() {
        return Ok(Listing::none());
    }
    let client = id::<User>(args, "patient_id", request)?.map(|id| id.0);
    let mut cond = client.map_or(Cond::Always, |id| Cond::eq("patient_id", id));
    let column = match args.text("sourceable_type") {
        Some("OnboardingItem") => {
            let id = id::<OnboardingItem>(args, OF, request)?;
            cond = cond.and(id.map_or(Cond::Always, |id| Cond::eq("onboarding_item_id", id.0)));
            Some("onboarding_item_id")
        }
        of_type => {
            let id = id::<RequestedFormCompletion>(args, OF, request)?;
            let named =
                |id: Id<RequestedFormCompletion>| Cond::eq("requested_form_completion_id", id.0);
            cond = cond.and(id.map_or(Cond::Always, named));
            of_type.map(|_| "requested_form_completion_id")
        }
    };
    if let Some(column) = column {
        cond = cond.and(Cond::not_null(column));
    }
    Ok(Listing::of(cond).naming(&USERS, client.into_iter().collect()))
}

/// `recurringForms`: of a group or a client, or all.
pub fn recurring(request: &Request, args: &Args) -> Answer<Listing> {
    if !request.actor.is_member() {
        return Ok(Listing::none());
    }
    let ids = request.instance.ids();
    const AT: &str = "connectable_id";
    let of_type = args.text("connectable_type");
    let named = connected(args.text(AT), of_type, AT, ids)?;
    let (cond, client) = match named {
        None => (Cond::Always, None),
        Some(Named::Client(id)) => (asks(request, "user_id", id.0), Some(id.0)),
        Some(Named::Group(id)) => (asks(request, "user_group_id", id.0), None),
    };
    // Whom the caller does not see nothing is told of.
    let seen = client.map_or(Cond::Always, |id| {
        ward_identity::visibility::sees_user(&request.actor, Id::new(id))
    });
    Ok(Listing::of(cond.and(seen)).naming(&USERS, client.into_iter().collect()))
}

fn asks(request: &Request, column: &str, id: i64) -> Cond {
    let text = format!(
        "{{t}}.id IN (SELECT r.recurring_form_id FROM recurring_form_recipients r \
         WHERE r.org_id = ? AND r.{column} = ?)"
    );
    Cond::sql(text, [request.actor.org_id.into(), id.into()])
}
