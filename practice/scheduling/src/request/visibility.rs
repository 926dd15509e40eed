//! Who sees requests (behaviour 24).

use ward_identity::tables::USERS;
use ward_identity::visibility::seen;
use ward_store::{Actor, Cond, Level, Role, Rule};

use crate::visibility::opens_calendars;

/// Requests. A member sees those to them but of a restricted client whom they do not
/// see, and with `can_see_calendar` those of the units from whom they see or nobody
/// knows: a request says as much of a client as the client's own record. A visitor of
/// whom it is not known which client of an e-mail address they are, or not yet, may be
/// any of them. Whoever else asks reads what they said in the answer to it.
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
/// see (behaviour 16.2.4), and could be from none.
fn from_nobody_unseen(actor: &Actor, sort: &str) -> Cond {
    let (rule, params) = seen(&USERS, actor, Level::Full, "seen");
    if rule == "TRUE" {
        return Cond::Always;
    }
    let is_no = |who: &str| {
        format!(
            "NOT EXISTS (SELECT 1 FROM users seen WHERE seen.org_id = {{t}}.org_id \
             AND {who}{sort} AND NOT COALESCE(({rule}), FALSE))"
        )
    };
    let known = Cond::sql(is_no("seen.id = {t}.patient_id"), params.clone());
    // Of requests that somebody made who signed in it is known whose they are; to who
    // made one it must not tell that somebody has the address whom they do not see.
    let may_be = is_no(
        "seen.email_fold = {t}.email_fold AND seen.unit_id = {t}.unit_id \
         AND seen.is_patient = TRUE AND seen.deleted_at IS NULL",
    );
    let may_be = Cond::sql(
        format!("({{t}}.by_visitor = FALSE OR {{t}}.patient_id IS NOT NULL OR {may_be})"),
        params,
    );
    known.and(may_be)
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
