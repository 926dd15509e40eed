//! Who sees what was filled in (behaviour 16.2, 26): of the staff who sees the client, of
//! the clients the client, but never a note about them.

use ward_clients::feature_toggle::{Switch, is_on_for};
use ward_identity::tables::USERS;
use ward_identity::visibility::{of_user, seen};
use ward_store::{Actor, Cond, Level, Role, Rule};

use super::confidentiality::{in_record, readable};
use super::tables::FORM_ANSWER_GROUPS;
use crate::group_note::visibility as group_note;
use crate::proxy;

/// Forms and notes. A client sees what is for clients to fill in: their own drafts, and
/// whatever is finished, while their feature toggle shows forms at all (behaviour 19).
/// Notes are shared with them as documents only. A group note is seen as its clients are.
pub fn groups(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        // Of counselling notes that is their author alone, whatever others may (DOM-31).
        Role::Member => {
            let of_one = of_user(actor, Level::Full).and(Cond::eq("is_group_appt_note", false));
            Rule::full(of_one.or(group_note::groups(actor)).and(readable(actor)))
        }
        Role::Client => {
            let own = Cond::eq("user_id", actor.user_id).and(Cond::eq("use_for_charting", false));
            let theirs = Cond::is_true("finished").or(Cond::eq("filler_id", actor.user_id));
            let theirs = theirs.and(in_record()).and(proxy::open(actor));
            Rule::full(own.and(theirs).and(is_on_for(actor, Switch::Forms)))
        }
        Role::Anonymous => Rule::none(),
    }
}

/// What belongs to a form or note, by `form_answer_group_id`: as that is seen.
pub fn answers(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => return Rule::full(Cond::Always),
        Role::Anonymous => return Rule::none(),
        Role::Member | Role::Client => {}
    }
    let (rule, params) = seen(&FORM_ANSWER_GROUPS, actor, Level::Full, "g");
    Rule::full(Cond::sql(
        format!(
            "EXISTS (SELECT 1 FROM form_answer_groups g WHERE g.org_id = {{t}}.org_id \
             AND g.id = {{t}}.form_answer_group_id AND g.deleted_at IS NULL AND ({rule}))"
        ),
        params,
    ))
}

/// What is added to notes: the staff's.
pub fn added(actor: &Actor) -> Rule {
    match actor.role {
        Role::System | Role::Member => answers(actor),
        Role::Client | Role::Anonymous => Rule::none(),
    }
}

/// The history of notes: the staff's. Each step names who took it, so that who does not see
/// them, staff of a parent for one, sees the note without the step.
pub fn history(actor: &Actor) -> Rule {
    if actor.role != Role::Member {
        return added(actor);
    }
    let (rule, params) = seen(&USERS, actor, Level::Public, "committer");
    let committed = Cond::sql(
        format!(
            "EXISTS (SELECT 1 FROM users committer WHERE committer.org_id = {{t}}.org_id \
             AND committer.id = {{t}}.committed_by_id AND ({rule}))"
        ),
        params,
    );
    Rule::full(answers(actor).full.and(committed))
}
