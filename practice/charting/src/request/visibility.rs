//! Who sees which requests, what is asked again and again, and what became of them (behaviour
//! 16.2, 28).

use ward_clients::feature_toggle::{Switch, is_on_for};
use ward_identity::tables::USERS;
use ward_identity::visibility::{of_user_in, seen};
use ward_store::{Actor, Cond, Level, Role, Rule};

use crate::proxy::{open_form, open_group};

/// Requests: whoever sees the client in full, and the client, while their feature toggle shows
/// forms at all (behaviour 19).
pub fn requests(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Member => Rule::full(of_user_in(actor, "recipient_id", Level::Full)),
        Role::Client => {
            let own = Cond::eq("recipient_id", actor.user_id);
            let theirs = own.and(of_open_form(actor));
            Rule::full(theirs.and(is_on_for(actor, Switch::Forms)))
        }
        Role::Anonymous => Rule::none(),
    }
}

/// For who acts for a client, requests of forms that are not confidential, and were not filled in as
/// if they were.
fn of_open_form(actor: &Actor) -> Cond {
    open_form(actor, "custom_module_form_id").and(open_group(actor, "form_answer_group_id"))
}

/// What is asked again and again: of a member's units what they ask themselves, and what is asked
/// of groups and of clients whom they see in full.
pub fn recurring(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Member => {
            let (rule, params) = seen(&USERS, actor, Level::Full, "seen");
            let of_seen = Cond::sql(
                format!(
                    "EXISTS (SELECT 1 FROM recurring_form_recipients r \
                     WHERE r.org_id = {{t}}.org_id AND r.recurring_form_id = {{t}}.id \
                     AND (r.user_group_id IS NOT NULL OR EXISTS (SELECT 1 FROM users seen \
                     WHERE seen.org_id = r.org_id AND seen.id = r.user_id AND ({rule}))))"
                ),
                params,
            );
            let recurs = Cond::not_null("frequency").and(actor.units("unit_id"));
            Rule::full(recurs.and(Cond::eq("user_id", actor.user_id).or(of_seen)))
        }
        Role::Client | Role::Anonymous => Rule::none(),
    }
}

/// What became of them is the staff's to read, of clients whom they see in full.
pub fn histories(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Member => Rule::full(of_user_in(actor, "patient_id", Level::Full)),
        Role::Client | Role::Anonymous => Rule::none(),
    }
}
