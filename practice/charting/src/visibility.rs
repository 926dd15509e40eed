//! Who sees which templates (behaviour 3.4, 16.3, 25).
//!
//! A template without a question is a draft: its maker's, and of those who edit
//! forms.

use ward_clients::feature_toggle::{Switch, is_on_for};
use ward_identity::flags::{CAN_EDIT_FORMS, IS_ADMIN};
use ward_identity::visibility::seen;
use ward_store::{Actor, Cond, Level, Role, Rule};

use crate::tables::CUSTOM_MODULE_FORMS;

/// SQL: that a template asks something.
const ASKS: &str = "EXISTS (SELECT 1 FROM custom_modules q WHERE q.org_id = {t}.org_id \
     AND q.custom_module_form_id = {t}.id AND q.deleted_at IS NULL)";

/// SQL: that a row is of an organization that is open.
const OPEN: &str = "EXISTS (SELECT 1 FROM organizations place WHERE place.org_id = {t}.org_id \
     AND place.id = {t}.unit_id AND place.is_active = TRUE)";

/// SQL: that it is for whoever comes to the practice, to fill in by themselves.
const INTAKE: &str = "{t}.use_for_charting = FALSE AND {t}.use_for_program = FALSE \
     AND {t}.is_archived = FALSE";

/// Templates. A member sees those of their units; a client those of the own unit and of
/// the whole that clients fill in, while their feature toggle shows forms at all (behaviour 19);
/// a stranger the intake forms of any practice that is open.
pub fn forms(actor: &Actor) -> Rule {
    let asks = || Cond::sql(ASKS, []);
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Member => {
            let units = actor.units("unit_id");
            let edits = [IS_ADMIN, CAN_EDIT_FORMS];
            match actor.is_owner || edits.iter().any(|it| actor.has(it.flag)) {
                true => Rule::full(units),
                false => Rule::full(units.and(Cond::eq("user_id", actor.user_id).or(asks()))),
            }
        }
        Role::Client => {
            let theirs = "{t}.use_for_charting = FALSE AND {t}.is_archived = FALSE";
            let near = Cond::eq("unit_id", actor.unit_id).or(Cond::eq("unit_id", actor.org_id));
            let own = near.and(Cond::sql(theirs, []));
            Rule::none().public(own.and(asks()).and(is_on_for(actor, Switch::Forms)))
        }
        Role::Anonymous => {
            let intake = Cond::sql(INTAKE, []).and(Cond::sql(OPEN, []));
            Rule::none().public(intake.and(asks()))
        }
    }
}

/// What belongs to a template, by `custom_module_form_id`: as the template is seen.
pub fn of_form(actor: &Actor) -> Rule {
    if actor.role == Role::System {
        return Rule::full(Cond::Always);
    }
    let (rule, params) = seen(&CUSTOM_MODULE_FORMS, actor, Level::Public, "f");
    let cond = Cond::sql(
        format!(
            "EXISTS (SELECT 1 FROM custom_module_forms f WHERE f.org_id = {{t}}.org_id \
             AND f.id = {{t}}.custom_module_form_id AND f.deleted_at IS NULL AND ({rule}))"
        ),
        params,
    );
    match actor.is_member() {
        true => Rule::full(cond),
        false => Rule::none().public(cond),
    }
}

/// What only rules read, never an answer.
pub fn of_rules(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        _ => Rule::none(),
    }
}
