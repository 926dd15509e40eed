//! Who sees requests (behaviour 24).

use ward_identity::tables::USERS;
use ward_identity::visibility::seen;
use ward_store::{Actor, Cond, Level, Role, Rule};

use crate::visibility::opens_calendars;

/// Requests. A member sees those to them but of a restricted client whom they do not
/// see, and with `can_see_calendar` those of the units from whom they see or nobody
/// knows: a request says as much of a client as the client's own record. Whoever else
/// asks reads what they said in the answer to it.
pub fn requests(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Member => {
            let own = Cond::eq("provider_id", actor.user_id);
            let own = own.and(from_nobody_unseen(actor, " AND seen.restricted = TRUE"));
            Rule::full(match opens_calendars(actor) {
                true => own.or(actor.units("unit_id").and(from_nobody_unseen(actor, ""))),
                false => own,
            })
        }
        Role::Client | Role::Anonymous => Rule::none().public(Cond::is_in("id", &actor.handed)),
    }
}

/// That a request is from no client of a sort, by SQL of `seen`, whom the actor does not
/// see (behaviour 16.2.4).
fn from_nobody_unseen(actor: &Actor, sort: &str) -> Cond {
    let (rule, params) = seen(&USERS, actor, Level::Full, "seen");
    if rule == "TRUE" {
        return Cond::Always;
    }
    Cond::sql(
        format!(
            "NOT EXISTS (SELECT 1 FROM users seen WHERE seen.org_id = {{t}}.org_id \
             AND seen.id = {{t}}.patient_id{sort} AND NOT COALESCE(({rule}), FALSE))"
        ),
        params,
    )
}

/// The times of a request: with it.
pub fn request_slots(actor: &Actor) -> Rule {
    let rule = requests(actor);
    let within = |cond: Cond| match cond {
        Cond::Sql(text, params) => {
            let text = text.replace("{t}", "of");
            Cond::Sql(
                format!(
                    "EXISTS (SELECT 1 FROM appointment_requests of WHERE of.org_id = {{t}}.org_id \
                     AND of.id = {{t}}.appointment_request_id AND of.deleted_at IS NULL \
                     AND ({text}))"
                ),
                params,
            )
        }
        other => other,
    };
    match actor.role {
        Role::System | Role::Member => Rule::full(within(rule.full)),
        Role::Client | Role::Anonymous => {
            Rule::none().public(Cond::is_in("appointment_request_id", &actor.handed))
        }
    }
}
