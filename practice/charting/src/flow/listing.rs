//! Which flows, steps and what was done the queries answer, by their arguments, and in which
//! orders (behaviour 7, 8, 27). Visibility comes on top and is not here.
//!
//! Whoever of the staff asks in a client's light sees the client in full, else there is
//! nothing; a client asks in their own.

use ward_engine::{Answer, Args, Kind, Listing, OrderOption, Request};
use ward_identity::tables::{USERS, User};
use ward_identity::visibility::sees_user;
use ward_store::{Cond, Entity, Id};

use super::due;
use super::tables::{CompletedOnboardingItem, ONBOARDING_FLOWS, OnboardingFlow, OnboardingItem};
use crate::filled::listing::id;

const USER: Kind = Kind::Id(User::NAME);

/// Arguments of `onboardingFlow`.
pub const FLOW_ARGS: &[(&str, Kind)] = &[("id", Kind::Id(OnboardingFlow::NAME)), ("user_id", USER)];
/// Arguments of `onboardingFlows`.
pub const FLOWS_ARGS: &[(&str, Kind)] = &[("keywords", Kind::Plain)];
/// Arguments of `onboardingItem`.
pub const ITEM_ARGS: &[(&str, Kind)] = &[
    ("id", Kind::Id(OnboardingItem::NAME)),
    ("track_opened_event", Kind::Plain),
    ("user_id", USER),
];
/// Arguments of `completedOnboardingItem`.
pub const COMPLETED_ARGS: &[(&str, Kind)] = &[("id", Kind::Id(CompletedOnboardingItem::NAME))];
/// The argument of what is asked of a client.
pub const OF_CLIENT_ARGS: &[(&str, Kind)] = &[("user_id", USER)];
/// Arguments of `onboarding_items`, and of what is said of their order.
pub const ITEMS_ARGS: &[(&str, Kind)] = &[("custom_module_forms_only", Kind::Plain)];

/// What flows can be ordered by.
pub const FLOW_ORDERS: &[OrderOption] = &[
    OrderOption { name: "NAME", expression: "{t}.name_fold" },
    OrderOption { name: "CREATED_AT", expression: "{t}.created_at" },
    OrderOption {
        name: "FORMS_COUNT",
        expression: "(SELECT COUNT(*) FROM onboarding_items o WHERE o.org_id = {t}.org_id \
            AND o.onboarding_flow_id = {t}.id AND o.deleted_at IS NULL)",
    },
];
/// Steps in the order in which they are taken.
pub const BY_PLACE: &[OrderOption] = &[OrderOption { name: "PLACE", expression: "{t}.place" }];
/// In a client's light before nobody's.
pub const BY_LENS: &[OrderOption] = &[OrderOption { name: "LENS", expression: "j.lens" }];
/// What was done, as it was done.
pub const DONE: &[OrderOption] =
    &[OrderOption { name: "CREATED_AT", expression: "{t}.created_at" }];

/// In whose light a row is read.
enum Light {
    /// Nobody's.
    Nobodys,
    /// That of a client whom the caller may ask of.
    Clients(i64),
}

/// The light that is asked for: a client's own, whatever they say.
fn light(request: &Request, args: &Args) -> Answer<Light> {
    if request.actor.is_client() {
        return Ok(Light::Clients(request.actor.user_id));
    }
    match id::<User>(args, "user_id", request)? {
        Some(client) if request.actor.is_member() => Ok(Light::Clients(client.0)),
        _ => Ok(Light::Nobodys),
    }
}

/// Rows in a client's light.
fn of_client(request: &Request, client: i64) -> Listing {
    let own = Cond::sql("j.lens = ?", [client.into()]);
    let cond = match request.actor.is_client() {
        true => own,
        false => own.and(sees_user(&request.actor, Id::new(client))),
    };
    let listing = Listing { instead: due::FLOW_LENS, ..Listing::of(cond) };
    listing.public().naming(&USERS, vec![client])
}

/// `onboardingFlow`: a flow by its id, a client's, or both.
pub fn flow(request: &Request, args: &Args) -> Answer<Listing> {
    let flow: Option<Id<OnboardingFlow>> = id(args, "id", request)?;
    let named = || flow.map_or(Cond::Always, |id| Cond::eq("id", id.0));
    Ok(match (light(request, args)?, flow) {
        (Light::Clients(client), _) => {
            let listing = of_client(request, client);
            Listing { filter: listing.filter.clone().and(named()), ..listing }
        }
        // As the flow itself keeps it.
        (Light::Nobodys, Some(id)) if request.actor.is_member() => {
            Listing::of(named().and(Cond::sql("j.lens = ?", [(-id.0).into()]))).public()
        }
        (Light::Nobodys, _) => Listing::none(),
    })
}

/// `onboardingFlows` and `onboardingFlowsCount`: for the staff.
pub fn flows(request: &Request, args: &Args) -> Answer<Listing> {
    match request.actor.is_member() {
        true => {
            Ok(Listing::all().public().searching(&ONBOARDING_FLOWS, request, args.text("keywords")))
        }
        false => Ok(Listing::none()),
    }
}

/// `onboardingItem`: by its id, for strangers, too (behaviour 3.4).
pub fn item(request: &Request, args: &Args) -> Answer<Listing> {
    let (item, light) = (id::<OnboardingItem>(args, "id", request)?, light(request, args)?);
    let Some(item) = item else { return Ok(Listing::none()) };
    let named = Cond::eq("id", item.0);
    Ok(match light {
        Light::Clients(client) => {
            let listing = of_client(request, client);
            let filter = named.and(listing.filter.clone());
            Listing { filter, instead: due::ITEM_LENS, ..listing }
        }
        Light::Nobodys => Listing::of(named.and(Cond::sql("j.lens < 0", []))).public(),
    })
}

/// What hangs on a row in its light: the flow of a step.
pub fn flow_in_light(_: &Request, _: &Args) -> Answer<Listing> {
    Ok(Listing { instead: due::FLOW_LENS, ..Listing::all().public() })
}

/// Steps: of a flow, of a client, the next one.
pub fn items_in_light(_: &Request, args: &Args) -> Answer<Listing> {
    let cond = match args.flag("custom_module_forms_only") {
        true => Cond::not_null("custom_module_form_id"),
        false => Cond::Always,
    };
    Ok(Listing { instead: due::ITEM_LENS, ..Listing::of(cond).public() })
}

/// What clients see of it, too.
pub fn public(_: &Request, _: &Args) -> Answer<Listing> {
    Ok(Listing::all().public())
}

/// What became of a step, which may have been taken out.
pub fn left(_: &Request, _: &Args) -> Answer<Listing> {
    Ok(Listing { deleted: true, shown: true, ..Listing::all().public() })
}

/// `completedOnboardingItem`.
pub fn completed(request: &Request, args: &Args) -> Answer<Listing> {
    let id = id::<CompletedOnboardingItem>(args, "id", request)?;
    Ok(id.map_or_else(Listing::none, |id| Listing::of(Cond::eq("id", id.0))))
}

/// `unassociatedCompletedOnboardingItems`: what a client has done of flows that are not
/// theirs any more, and of steps that were taken out of theirs.
pub fn unassociated(request: &Request, args: &Args) -> Answer<Listing> {
    let Light::Clients(client) = light(request, args)? else { return Ok(Listing::none()) };
    let steps = due::STEPS;
    let former = Cond::sql(
        format!(
            "NOT EXISTS (SELECT 1 FROM {steps} mine WHERE mine.org_id = {{t}}.org_id \
             AND mine.lens = ? AND mine.onboarding_item_id = {{t}}.onboarding_item_id)"
        ),
        [client.into()],
    );
    let listing = Listing::of(Cond::eq("user_id", client).and(former));
    Ok(listing.naming(&USERS, vec![client]))
}

/// `intakeFlow`: the client whose it is.
pub fn client(request: &Request, args: &Args) -> Answer<Listing> {
    let Light::Clients(client) = light(request, args)? else { return Ok(Listing::none()) };
    let cond = Cond::eq("id", client).and(Cond::is_true("is_patient"));
    Ok(Listing { least: ward_store::Level::Full, ..Listing::of(cond) })
}

/// Those that are due.
pub fn due_steps(_: &Request, _: &Args) -> Answer<Listing> {
    Ok(Listing { instead: due::ITEM_LENS, ..Listing::of(due::is_due()).public() })
}

/// Those that are done, or skipped.
pub fn done_steps(_: &Request, _: &Args) -> Answer<Listing> {
    Ok(Listing { instead: due::ITEM_LENS, ..Listing::of(due::is_done()).public() })
}
