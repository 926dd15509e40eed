//! Who sees which flows and steps, and what clients have done of them (behaviour 3.4, 16.2,
//! 27).

use ward_clients::feature_toggle::{Switch, is_on_for};
use ward_identity::visibility::{of_user, seen};
use ward_store::{Actor, Cond, Level, Role, Rule};

use super::due;
use super::tables::{ONBOARDING_FLOWS, ONBOARDING_ITEMS};
use crate::proxy::{named, open_form, open_group};

/// SQL: that a row is of an organization that is open.
const OPEN: &str = "EXISTS (SELECT 1 FROM organizations place WHERE place.org_id = {t}.org_id \
     AND place.id = {t}.unit_id AND place.is_active = TRUE)";

/// For who acts for a client, steps that ask for no form which is confidential: they know of none,
/// neither that it is asked for nor that it was filled in (DOM-35).
fn asks_openly(actor: &Actor) -> Cond {
    open_form(actor, "custom_module_form_id")
}

/// The same of a step that was done, and of what was filled in for it, which stays as it was when the
/// form says otherwise.
fn done_openly(actor: &Actor) -> Cond {
    let asked = named(asks_openly(actor), "onboarding_item_id", ONBOARDING_ITEMS.name);
    asked.and(open_group(actor, "form_answer_group_id"))
}

/// Flows: of a member's units, and as much as clients see of those of the own one and of the
/// whole; a client their own, while their feature toggle shows forms at all (behaviour 19).
pub fn flows(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Member => {
            let near = Cond::eq("unit_id", actor.unit_id).or(Cond::eq("unit_id", actor.org_id));
            Rule::full(actor.units("unit_id")).public(near)
        }
        Role::Client => {
            let sights = due::SIGHTS;
            let own = Cond::sql(
                format!(
                    "{{t}}.id IN (SELECT s.onboarding_flow_id FROM {sights} s \
                     WHERE s.org_id = ? AND s.lens = ?)"
                ),
                [actor.org_id.into(), actor.user_id.into()],
            );
            Rule::none().public(own.and(is_on_for(actor, Switch::Forms)))
        }
        Role::Anonymous => Rule::none(),
    }
}

/// Steps, as their flow is seen. What a step asks for is no secret of a practice that is open
/// before strangers (behaviour 3.4).
pub fn items(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Member => {
            Rule::full(of_flow(actor, Level::Full)).public(of_flow(actor, Level::Public))
        }
        Role::Client => {
            let seen = of_flow(actor, Level::Public).and(asks_openly(actor));
            Rule::none().public(seen.and(is_on_for(actor, Switch::Forms)))
        }
        Role::Anonymous => Rule::none().public(Cond::sql(OPEN, [])),
    }
}

fn of_flow(actor: &Actor, least: Level) -> Cond {
    let (rule, params) = seen(&ONBOARDING_FLOWS, actor, least, "own");
    Cond::sql(
        format!(
            "EXISTS (SELECT 1 FROM onboarding_flows own WHERE own.org_id = {{t}}.org_id \
             AND own.id = {{t}}.onboarding_flow_id AND own.deleted_at IS NULL AND ({rule}))"
        ),
        params,
    )
}

/// What a client has done: whoever sees the client in full, and the client.
pub fn completed(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Member => Rule::full(of_user(actor, Level::Full)),
        Role::Client => {
            let own = Cond::eq("user_id", actor.user_id);
            Rule::full(own.and(done_openly(actor)).and(is_on_for(actor, Switch::Forms)))
        }
        Role::Anonymous => Rule::none(),
    }
}
