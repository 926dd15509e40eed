//! Who sees which flows and steps, and what clients have done of them (behaviour 3.4, 16.2,
//! 27).

use ward_clients::feature_toggle::{Switch, is_on_for};
use ward_identity::visibility::{of_user, seen};
use ward_store::{Actor, Cond, Level, Role, Rule};

use super::due;
use super::tables::ONBOARDING_FLOWS;
use crate::tables::Confidentiality;

/// SQL: that a row is of an organization that is open.
const OPEN: &str = "EXISTS (SELECT 1 FROM organizations place WHERE place.org_id = {t}.org_id \
     AND place.id = {t}.unit_id AND place.is_active = TRUE)";

/// SQL: that a step asks for a form which is more confidential than `?`.
const ASKS: &str = "EXISTS (SELECT 1 FROM custom_module_forms f WHERE f.org_id = {t}.org_id \
     AND f.id = {t}.custom_module_form_id AND f.confidentiality <> ?)";
/// The same of a step that was done.
const ASKED: &str = "EXISTS (SELECT 1 FROM onboarding_items i JOIN custom_module_forms f \
     ON f.org_id = i.org_id AND f.id = i.custom_module_form_id WHERE i.org_id = {t}.org_id \
     AND i.id = {t}.onboarding_item_id AND f.confidentiality <> ?)";
/// And of what was filled in for it, which stays as it was when the form says otherwise.
const FILLED: &str = "EXISTS (SELECT 1 FROM form_answer_groups g WHERE g.org_id = {t}.org_id \
     AND g.id = {t}.form_answer_group_id AND g.confidentiality <> ?)";

/// Who acts for a client knows of no form that is confidential: neither that it is asked for nor
/// that it was filled in (DOM-35).
fn open_to_proxy(actor: &Actor, is_confidential: &str) -> Cond {
    match actor.proxy_id {
        None => Cond::Always,
        Some(_) => {
            let normal = Confidentiality::Normal.as_str();
            Cond::sql(format!("NOT {is_confidential}"), [normal.into()])
        }
    }
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
            let seen = of_flow(actor, Level::Public).and(open_to_proxy(actor, ASKS));
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
            let own = own.and(open_to_proxy(actor, ASKED)).and(open_to_proxy(actor, FILLED));
            Rule::full(own.and(is_on_for(actor, Switch::Forms)))
        }
        Role::Anonymous => Rule::none(),
    }
}
