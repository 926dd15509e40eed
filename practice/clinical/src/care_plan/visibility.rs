//! Who sees care plans and what belongs to them (behaviour 16.2, 19, 29).

use ward_clients::feature_toggle::{Switch, is_on_for};
use ward_identity::visibility::{of_user, of_user_in, seen};
use ward_store::{Actor, Cond, Level, Role, Rule};

use super::table::CARE_PLANS;

/// SQL: the connection by which a plan is active for a client. One of a group's plan holds while
/// the client is in the group.
pub const ACTIVE: &str = "(SELECT l.org_id, l.care_plan_id, l.user_id, l.user_group_id \
     FROM group_care_plan_user_connections l JOIN users lu ON lu.org_id = l.org_id \
     AND lu.id = l.user_id WHERE l.active = TRUE AND l.deleted_at IS NULL \
     AND (l.user_group_id IS NULL OR l.user_group_id = lu.user_group_id))";

/// Plans: a client's are seen by who sees the client in full, templates, groups' and those of
/// nobody by the staff of the unit; by clients their own and the one that is active for them, if
/// it is not hidden, while their feature toggle shows care plans at all.
pub fn plans(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Member => {
            let nobodys = Cond::is_null("patient_id").and(actor.units("unit_id"));
            Rule::full(nobodys.or(of_user_in(actor, "patient_id", Level::Full)))
        }
        Role::Client => {
            let own = Cond::sql(
                format!(
                    "({{t}}.is_hidden = FALSE AND {{t}}.is_template = FALSE \
                     AND ({{t}}.patient_id = ? OR {{t}}.id IN (SELECT a.care_plan_id \
                     FROM {ACTIVE} a WHERE a.org_id = ? AND a.user_id = ?)))"
                ),
                [actor.user_id.into(), actor.org_id.into(), actor.user_id.into()],
            );
            Rule::full(own.and(is_on_for(actor, Switch::CarePlans)))
        }
        Role::Anonymous => Rule::none(),
    }
}

/// What belongs to a plan is seen as the plan is, while it is there.
pub fn parts(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Anonymous => Rule::none(),
        Role::Member | Role::Client => Rule::full(of_plan(actor)),
    }
}

fn of_plan(actor: &Actor) -> Cond {
    let (rule, params) = seen(&CARE_PLANS, actor, Level::Full, "held");
    Cond::sql(
        format!(
            "EXISTS (SELECT 1 FROM care_plans held WHERE held.org_id = {{t}}.org_id \
             AND held.id = {{t}}.care_plan_id AND held.deleted_at IS NULL AND ({rule}))"
        ),
        params,
    )
}

/// For whom a plan is active: who sees both the client and the plan; a client of themselves.
pub fn connections(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Anonymous => Rule::none(),
        Role::Member => Rule::full(of_user(actor, Level::Full).and(of_plan(actor))),
        Role::Client => Rule::full(Cond::eq("user_id", actor.user_id).and(of_plan(actor))),
    }
}

/// Categories are words of a practice, which its clients read on recommendations.
pub fn categories(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Anonymous => Rule::none(),
        Role::Member => Rule::full(actor.units("unit_id").or(Cond::eq("unit_id", actor.org_id))),
        Role::Client => {
            let own = Cond::eq("unit_id", actor.unit_id);
            Rule::full(own.or(Cond::eq("unit_id", actor.org_id)))
        }
    }
}
