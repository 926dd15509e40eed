//! Who sees what of a group note: the note whoever sees one of its clients, unless a restricted
//! one is among them whom they do not see (behaviour 16.2.4); of the individual notes those of the
//! clients whom they see. No client sees any of it: a note is shared as a document, on which only
//! their own individual note stands.

use ward_identity::restricted;
use ward_identity::tables::USERS;
use ward_identity::visibility::{of_user, seen, sees_user};
use ward_store::{Actor, Cond, Id, Level, Role, Rule, Select, Sql, Subject, Value};

use crate::filled::visibility::answers;

/// A note's clients, of the row `{t}` of notes.
const CLIENTS: &str = "SELECT 1 FROM individual_client_notes own JOIN users seen \
     ON seen.org_id = own.org_id AND seen.id = own.user_id \
     WHERE own.org_id = {t}.org_id AND own.form_answer_group_id = {t}.id";

/// Group notes that a member sees.
pub fn groups(actor: &Actor) -> Cond {
    let (rule, params) = seen(&USERS, actor, Level::Full, "seen");
    Cond::sql(
        format!(
            "({{t}}.is_group_appt_note = TRUE AND EXISTS ({CLIENTS} AND ({rule})) \
             AND NOT EXISTS ({CLIENTS} AND seen.restricted = TRUE \
             AND NOT COALESCE(({rule}), FALSE)))"
        ),
        params.clone().into_iter().chain(params),
    )
}

/// Individual notes: of notes that the member sees, those of clients whom they see.
pub fn individual(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Member => Rule::full(answers(actor).full.and(of_user(actor, Level::Full))),
        Role::Client | Role::Anonymous => Rule::none(),
    }
}

/// A note's client; the negative of its id where it is of several.
const CLIENT_OF: &str = "CASE WHEN {t}.is_group_appt_note = TRUE THEN -{t}.id ELSE \
     (SELECT wc.id FROM users wc WHERE wc.org_id = {t}.org_id AND wc.id = {t}.user_id \
     AND wc.is_patient = TRUE) END";

/// Whose data forms and notes are: a group note is of all its clients.
pub fn of_clients(actor: &Actor) -> Subject {
    Subject { client: CLIENT_OF, several: Some(clients_of), ..restricted::by_user_id(actor) }
}

/// The clients of these group notes, and how closely they are watched, as far as the actor knows
/// of them.
pub(crate) fn clients_of(actor: &Actor, groups: &[i64]) -> Sql {
    let mut select = Select::new(&USERS, actor);
    select.with_subject = true;
    select.least = Level::Full;
    select.filter = Cond::sql(
        "{t}.id IN (SELECT own.user_id FROM individual_client_notes own \
         WHERE own.org_id = ? AND own.form_answer_group_id IN_LIST(?))",
        [Value::from(actor.org_id), Value::Ints(groups.into())],
    );
    select.sql()
}

/// All in the chart of a client: what was filled in for them, and the group notes that have an
/// individual note of theirs. Whom the actor does not see is in no group, as far as they are told.
pub fn in_chart(actor: &Actor, client: i64) -> Cond {
    let whose = [actor.org_id.into(), client.into()];
    let filed = "SELECT g.id FROM form_answer_groups g WHERE g.org_id = ? AND g.user_id = ? \
         AND g.is_group_appt_note = FALSE AND g.deleted_at IS NULL";
    match sees_user(actor, Id::new(client)) {
        Cond::Sql(seen, params) => Cond::sql(
            format!(
                "{{t}}.id IN ({filed} UNION ALL SELECT own.form_answer_group_id \
                 FROM individual_client_notes own WHERE own.org_id = ? AND own.user_id = ? AND {seen})"
            ),
            whose.clone().into_iter().chain(whose).chain(params),
        ),
        _ => Cond::sql(format!("{{t}}.id IN ({filed})"), whose),
    }
}

/// What is filed under a client; a group note only where the actor sees them.
pub fn filed_under(actor: &Actor, client: i64) -> Cond {
    let single = Cond::eq("is_group_appt_note", false);
    Cond::eq("user_id", client).and(single.or(sees_user(actor, Id::new(client))))
}
