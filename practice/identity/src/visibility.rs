//! Who sees whom (behaviour 16.2, 3.4): one predicate a table, used by every
//! read: single objects, lists, counts, search and links between objects.

use ward_store::{Actor, Cond, Level, Role, Rule};

use crate::flags;
use crate::tables::USERS;

/// Users. A member sees themselves, the staff of the units they may see and the
/// clients that are theirs or that their flags open; a client themselves and,
/// in public, their care team; a stranger the public part of active providers.
pub fn users(actor: &Actor) -> Rule {
    let staff = Cond::sql("{t}.is_patient = FALSE", []);
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        // Everybody is staff or a client, and the owner sees both.
        Role::Member if actor.is_owner && actor.is_at_root() => Rule::full(Cond::Always),
        Role::Member => {
            let units = actor.units("unit_id");
            let own = Cond::eq("id", actor.user_id).or(cares_for(actor));
            let colleagues = staff.and(units.clone());
            Rule::full(own.or(colleagues).or(other_clients(actor).and(units)))
        }
        Role::Client => Rule::full(Cond::eq("id", actor.user_id))
            .public(staff.and(Cond::is_true("active")).and(in_care_team("id", actor))),
        Role::Anonymous => Rule::none().public(
            staff.and(Cond::sql("{t}.active = TRUE AND {t}.is_integration = FALSE", [])).and(
                Cond::sql(
                    "EXISTS (SELECT 1 FROM organization_memberships m \
                     WHERE m.org_id = {t}.org_id AND m.user_id = {t}.id \
                     AND m.active = TRUE AND m.is_provider = TRUE)",
                    [],
                ),
            ),
        ),
    }
}

/// Clients whose primary provider or care-team member the actor is, restricted
/// or not (behaviour 16.2.2, 16.2.4).
fn cares_for(actor: &Actor) -> Cond {
    Cond::eq("dietitian_id", actor.user_id).or(Cond::sql(
        "{t}.id IN (SELECT c.patient_id FROM care_team_members c WHERE c.org_id = ? AND c.user_id = ?)",
        [actor.org_id.into(), actor.user_id.into()],
    ))
}

/// Clients that the actor sees without caring for them, before units.
fn other_clients(actor: &Actor) -> Cond {
    let clients = Cond::sql("{t}.is_patient = TRUE", []);
    if actor.is_owner {
        return clients;
    }
    let opens = [flags::IS_ADMIN, flags::CAN_SEE_CLIENTS, flags::SEES_ALL_CLIENTS];
    match opens.iter().any(|permission| actor.has(permission.flag)) {
        true => clients.and(Cond::sql("{t}.restricted = FALSE", [])),
        false => Cond::Never,
    }
}

/// `{t}.column` is the primary provider or a care-team member of the client
/// who asks.
fn in_care_team(column: &str, actor: &Actor) -> Cond {
    Cond::sql(
        format!(
            "({{t}}.{column} IN (SELECT p.dietitian_id FROM users p WHERE p.org_id = ? AND p.id = ?) \
             OR {{t}}.{column} IN (SELECT c.user_id FROM care_team_members c \
             WHERE c.org_id = ? AND c.patient_id = ?))"
        ),
        [actor.org_id.into(), actor.user_id.into(), actor.org_id.into(), actor.user_id.into()],
    )
}

/// Organizations. A member sees their own and, from the root, the
/// sub-organizations; of the root a sub-organization's member sees what a
/// stranger sees: name, contact, location.
pub fn organizations(actor: &Actor) -> Rule {
    let near = || Cond::eq("id", actor.unit_id).or(Cond::eq("id", actor.org_id));
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Member => Rule::full(actor.units("id")).public(near()),
        Role::Client => Rule::none().public(near()),
        Role::Anonymous => Rule::none().public(Cond::is_true("is_active")),
    }
}

/// Memberships: of the units that a member may see; for others the public part
/// of providers' (behaviour 3.4: basic member info only).
pub fn memberships(actor: &Actor) -> Rule {
    let providers = || Cond::sql("{t}.active = TRUE AND {t}.is_provider = TRUE", []);
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Member => Rule::full(actor.units("unit_id").or(Cond::eq("user_id", actor.user_id))),
        Role::Client => Rule::none().public(providers().and(in_care_team("user_id", actor))),
        Role::Anonymous => Rule::none().public(providers()),
    }
}

/// Care teams, for the members of the organization. Read through the users on
/// either side, which have their own rule.
pub fn care_team(actor: &Actor) -> Rule {
    match actor.role {
        Role::System | Role::Member => Rule::full(Cond::Always),
        Role::Client => Rule::full(Cond::eq("patient_id", actor.user_id)),
        Role::Anonymous => Rule::none(),
    }
}

/// API keys: a developer's organization's, else one's own (behaviour 17).
pub fn api_keys(actor: &Actor) -> Rule {
    let own = Cond::eq("user_id", actor.user_id);
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Member if actor.has(flags::IS_DEVELOPER.flag) => {
            Rule::full(own.or(actor.units("unit_id")))
        }
        Role::Member | Role::Client => Rule::full(own),
        Role::Anonymous => Rule::none(),
    }
}

/// The audit log: for those who may view it; a parent's includes its
/// sub-organizations' (behaviour 43).
pub fn audit_log(actor: &Actor) -> Rule {
    let may = actor.is_member() && actor.has(flags::CAN_VIEW_AUDIT_LOG.flag);
    match may {
        false => Rule::none(),
        true if actor.is_owner => Rule::full(actor.units("unit_id")),
        true => Rule::full(actor.units("unit_id").and(of_seen_clients(actor))),
    }
}

/// Audit entries of no client, and of clients that the actor sees: the client
/// concerned, the client that is the record, and the client who did it.
fn of_seen_clients(actor: &Actor) -> Cond {
    let concerned = is_seen(actor, "{t}.subject_id");
    // Users are known by number; others may have any text, which is not read.
    let record = is_seen(
        actor,
        "CASE WHEN {t}.resource_name = 'USER' THEN CAST({t}.resource_id AS BIGINT) END",
    );
    let author = is_seen(actor, "CASE WHEN {t}.actor_kind = 'client' THEN {t}.actor_id END");
    concerned.and(record).and(author)
}

/// `id`, an expression, is NULL, no client or a client that the actor sees.
fn is_seen(actor: &Actor, id: &str) -> Cond {
    let (rule, params) = match (USERS.visible)(actor).at_least(Level::Full) {
        Cond::Always => ("TRUE".to_owned(), Vec::new()),
        Cond::Never => ("FALSE".to_owned(), Vec::new()),
        Cond::Sql(text, params) => (text.replace("{t}", "seen"), params),
    };
    Cond::sql(
        format!(
            "({id} IS NULL OR EXISTS (SELECT 1 FROM users seen WHERE seen.org_id = ? \
             AND seen.id = {id} AND (seen.is_patient = FALSE OR ({rule}))))"
        ),
        [actor.org_id.into()].into_iter().chain(params),
    )
}
