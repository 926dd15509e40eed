//! Restricted clients (behaviour 16.2.4): who sees them besides those who care
//! for them and the owner, and how closely their reading is watched.

use ward_store::{Actor, Cond, Level, Role, Rule, Subject};

use crate::flags;
use crate::visibility::{is_seen, of_user_in};

/// Clients with an authorization for the actor.
const AUTHORIZED: &str = "{t}.id IN (SELECT ra.client_id FROM client_restriction_authorizations ra \
     WHERE ra.org_id = ? AND ra.provider_id = ? AND ra.deleted_at IS NULL)";

/// Clients for whom the actor's broken glass has not ended.
const OPENED: &str = "{t}.id IN (SELECT bg.client_id FROM break_glass_accesses bg \
     WHERE bg.org_id = ? AND bg.user_id = ? AND bg.expires_at > ? AND bg.ended_at IS NULL)";

/// Restricted clients whom a member sees without caring for them: by an
/// authorization, or by breaking the glass. Both are looked up once a statement,
/// by index.
pub fn seen_by(actor: &Actor) -> Cond {
    let restricted = Cond::sql("{t}.is_patient = TRUE AND {t}.restricted = TRUE", []);
    restricted.and(authorized(actor).or(opened(actor)))
}

/// Clients with an authorization for the actor.
pub(crate) fn authorized(actor: &Actor) -> Cond {
    Cond::sql(AUTHORIZED, [actor.org_id.into(), actor.user_id.into()])
}

fn opened(actor: &Actor) -> Cond {
    if actor.glass_at == Actor::NO_BREAK_GLASS {
        return Cond::Never;
    }
    Cond::sql(OPENED, [actor.org_id.into(), actor.user_id.into(), actor.glass_at.0.into()])
}

/// How closely reading a client is watched, of the row `row` of users: who has
/// broken the glass would not see the client otherwise.
fn watch(actor: &Actor, row: &str) -> Cond {
    let (text, params) = match opened(actor) {
        Cond::Sql(text, params) => (text.replace("{t}", row), params),
        _ => ("FALSE".to_owned(), Vec::new()),
    };
    Cond::Sql(
        format!("CASE WHEN {row}.restricted = FALSE THEN 0 WHEN {text} THEN 2 ELSE 1 END"),
        params,
    )
}

/// Whose data a user is: a client's own.
pub fn of_users(actor: &Actor) -> Subject {
    Subject {
        client: "CASE WHEN {t}.is_patient = TRUE THEN {t}.id END",
        watch: watch(actor, "{t}"),
        several: None,
    }
}

/// Whose data the rows of a table with `client_id` are.
pub fn by_client_id(actor: &Actor) -> Subject {
    Subject { client: "{t}.client_id", watch: watch_of(actor, "client_id"), several: None }
}

/// Whose data the rows of a table with `patient_id` are.
pub fn by_patient_id(actor: &Actor) -> Subject {
    Subject { client: "{t}.patient_id", watch: watch_of(actor, "patient_id"), several: None }
}

/// Whose data the rows of a table with `recipient_id`, a client, are.
pub fn by_recipient_id(actor: &Actor) -> Subject {
    Subject { client: "{t}.recipient_id", watch: watch_of(actor, "recipient_id"), several: None }
}

/// Whose data the rows of a table with `rel_user_id` are: documents and folders.
pub fn by_rel_user_id(actor: &Actor) -> Subject {
    Subject { client: "{t}.rel_user_id", watch: watch_of(actor, "rel_user_id"), several: None }
}

/// Whose data the rows of a table with `user_id` are, which may be staff's.
pub fn by_user_id(actor: &Actor) -> Subject {
    let client = "(SELECT wc.id FROM users wc WHERE wc.org_id = {t}.org_id \
         AND wc.id = {t}.user_id AND wc.is_patient = TRUE)";
    Subject { client, watch: watch_of(actor, "user_id"), several: None }
}

fn watch_of(actor: &Actor, column: &str) -> Cond {
    watch_of_id(actor, &format!("{{t}}.{column}"))
}

/// How closely reading the client is watched whose id the expression gives.
pub fn watch_of_id(actor: &Actor, id: &str) -> Cond {
    match watch(actor, "wu") {
        Cond::Sql(text, params) => Cond::Sql(
            format!(
                "COALESCE((SELECT {text} FROM users wu \
                 WHERE wu.org_id = {{t}}.org_id AND wu.id = {id}), 0)"
            ),
            params,
        ),
        other => other,
    }
}

/// The client whom an entry of the audit log tells of: the one concerned, else
/// the one who is the record, else the one who did it.
const AUDITED: &str = "COALESCE({t}.subject_id, \
     (SELECT wc.id FROM users wc WHERE wc.org_id = {t}.org_id AND wc.is_patient = TRUE \
     AND wc.id = CASE WHEN {t}.resource_name = 'USER' THEN CAST({t}.resource_id AS BIGINT) END), \
     CASE WHEN {t}.actor_kind = 'client' THEN {t}.actor_id END)";

/// Whose data entries of the audit log are. Who was merged into another is
/// watched as the other is.
pub fn of_audit_entries(actor: &Actor) -> Subject {
    let now = format!(
        "(SELECT COALESCE(wm.merged_into_id, wm.id) FROM users wm \
         WHERE wm.org_id = {{t}}.org_id AND wm.id = {AUDITED})"
    );
    Subject { client: AUDITED, watch: watch_of_id(actor, &now), several: None }
}

/// Authorizations: with the client and the provider, for members who see both.
pub fn authorizations(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Member => {
            let seen = |column| of_user_in(actor, column, Level::Full);
            Rule::full(seen("client_id").and(seen("provider_id")))
        }
        Role::Client | Role::Anonymous => Rule::none(),
    }
}

/// Broken glass: one's own, and those of clients whom somebody sees who may
/// view the audit log. The owner sees all of the units.
pub fn break_glass_accesses(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Member => {
            let own = Cond::eq("user_id", actor.user_id);
            let units = actor.units("unit_id");
            Rule::full(match actor.has(flags::CAN_VIEW_AUDIT_LOG.flag) {
                true if actor.is_owner => own.or(units),
                true => own.or(units.and(is_seen(actor, "{t}.client_id"))),
                false => own,
            })
        }
        Role::Client | Role::Anonymous => Rule::none(),
    }
}
