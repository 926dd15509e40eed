//! Who sees whom (behaviour 16.2, 3.4): one predicate a table, used by every
//! read: single objects, lists, counts, search and links between objects.

use ward_store::{Actor, Cond, Id, Level, Role, Rule, Table, Value};

use crate::flags;
use crate::restricted;
use crate::tables::{USERS, User};

/// Users. A member sees themselves, the staff of the units they may see and the
/// clients that are theirs or that their flags open; a client themselves and,
/// in public, their care team and for whom they may act; a stranger the public part of active providers.
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
            let others = match actor.is_owner {
                true => other_clients(actor),
                false => other_clients(actor).or(restricted::seen_by(actor)),
            };
            Rule::full(own.or(colleagues).or(others.and(units)))
        }
        Role::Client => {
            let carers = staff.and(Cond::is_true("active")).and(in_care_team("id", actor));
            Rule::full(Cond::eq("id", actor.user_id)).public(carers.or(acted_for(actor)))
        }
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

/// Clients for whom the client who asks may act. Who acts already knows of nobody else.
fn acted_for(actor: &Actor) -> Cond {
    if actor.proxy_id.is_some() {
        return Cond::Never;
    }
    Cond::sql(
        "({t}.is_patient = TRUE AND {t}.id IN (SELECT g.user_id FROM client_proxies g \
         WHERE g.org_id = ? AND g.proxy_id = ? AND g.ended_at IS NULL))",
        [actor.org_id.into(), actor.user_id.into()],
    )
}

/// Clients whose primary provider or care-team member the actor is, restricted
/// or not (behaviour 16.2.2, 16.2.4).
pub(crate) fn cares_for(actor: &Actor) -> Cond {
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

/// Whether the actor sees this user in full; the same for every row.
pub fn sees_user(actor: &Actor, user: Id<User>) -> Cond {
    let (rule, params) = match users(actor).at_least(Level::Full) {
        Cond::Sql(text, params) => (text.replace("{t}", "seen"), params),
        Cond::Always => ("TRUE".to_owned(), Vec::new()),
        Cond::Never => return Cond::Never,
    };
    let who = [actor.org_id.into(), user.0.into()];
    Cond::sql(
        format!(
            "EXISTS (SELECT 1 FROM users seen WHERE seen.org_id = ? AND seen.id = ? \
             AND seen.deleted_at IS NULL AND ({rule}))"
        ),
        who.into_iter().chain(params),
    )
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

/// Permission templates: a unit's own and its root's, for members
/// (behaviour 15); from the root, those of all units.
pub fn permission_templates(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Member => Rule::full(actor.units("unit_id").or(Cond::eq("unit_id", actor.org_id))),
        Role::Client | Role::Anonymous => Rule::none(),
    }
}

/// Members see the groups of their organization; a client the name of the own.
pub fn user_groups(actor: &Actor) -> Rule {
    if actor.is_member() {
        return Rule::full(actor.units("unit_id"));
    }
    if !actor.is_client() {
        return Rule::none();
    }
    let own = "EXISTS (SELECT 1 FROM users self WHERE self.org_id = {t}.org_id \
               AND self.id = ? AND self.user_group_id = {t}.id)";
    Rule::none().public(Cond::sql(own, [actor.user_id.into()]))
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

/// Addresses: whoever sees the user sees the user's, as much of them; an
/// organization's own are everybody's to know, its further ones its members'.
pub fn locations(actor: &Actor) -> Rule {
    let own = match actor.is_member() {
        true => Cond::is_null("user_id").and(actor.units("unit_id")),
        false => Cond::Never,
    };
    Rule::full(of_user(actor, Level::Full).or(own))
        .limited(of_user(actor, Level::Limited))
        .public(Cond::not_null("organization_id"))
}

/// Rows whose `user_id` is a user whom the actor sees at `least` so much.
pub fn of_user(actor: &Actor, least: Level) -> Cond {
    of_user_in(actor, "user_id", least)
}

/// The same of another column. The user is looked up for each row: SQLite would list all whom the
/// actor sees once for each row of `IN (SELECT ...)`.
pub fn of_user_in(actor: &Actor, column: &str, least: Level) -> Cond {
    if (USERS.visible)(actor).at_least(least).is_never() {
        return Cond::Never;
    }
    let (rule, params) = seen(&USERS, actor, least, "seen");
    Cond::sql(
        format!(
            "EXISTS (SELECT 1 FROM users seen WHERE seen.org_id = {{t}}.org_id \
             AND seen.id = {{t}}.{column} AND ({rule}))"
        ),
        params,
    )
}

/// What belongs to one person of the staff and says no more of them than their
/// profile does: as much of it as of the person.
pub fn of_staff(actor: &Actor) -> Rule {
    Rule::full(of_user(actor, Level::Full))
        .limited(of_user(actor, Level::Limited))
        .public(of_user(actor, Level::Public))
}

/// Numbers that payers know a member by: for who sees the member in full.
pub fn other_id_numbers(actor: &Actor) -> Rule {
    match actor.is_member() {
        true => Rule::full(of_user(actor, Level::Full)),
        false => Rule::none(),
    }
}

/// What an organization is to payers: its members'.
pub fn organization_infos(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Member => Rule::full(actor.units("unit_id")),
        Role::Client | Role::Anonymous => Rule::none(),
    }
}

/// Brands: how a practice looks is everybody's to see, but a
/// sub-organization's is nothing to those beside it.
pub fn brands(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Member => Rule::full(actor.units("unit_id"))
            .public(Cond::eq("unit_id", actor.unit_id).or(Cond::eq("unit_id", actor.org_id))),
        Role::Client | Role::Anonymous => Rule::none().public(Cond::Always),
    }
}

/// API keys: a developer's organization's, else one's own (behaviour 17); of a client's none for
/// who acts for them.
pub fn api_keys(actor: &Actor) -> Rule {
    let own = Cond::eq("user_id", actor.user_id);
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Member if actor.has(flags::IS_DEVELOPER.flag) => {
            Rule::full(own.or(actor.units("unit_id")))
        }
        Role::Client if actor.proxy_id.is_some() => Rule::none(),
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
/// concerned, the client that is the record, and the client who did it. Who did it
/// for the client concerned is no secret of theirs: it is that client's to know of.
fn of_seen_clients(actor: &Actor) -> Cond {
    let concerned = is_seen(actor, "{t}.subject_id");
    // Users are known by number; others may have any text, which is not read.
    let record = is_seen(
        actor,
        "CASE WHEN {t}.resource_name = 'USER' THEN CAST({t}.resource_id AS BIGINT) END",
    );
    let author = is_seen(
        actor,
        "CASE WHEN {t}.actor_kind = 'client' AND NOT EXISTS (SELECT 1 FROM client_proxies g \
         WHERE g.org_id = {t}.org_id AND g.user_id = {t}.subject_id \
         AND g.proxy_id = {t}.actor_id) THEN {t}.actor_id END",
    );
    concerned.and(record).and(author)
}

/// That a row of a table, called `alias`, is seen at `least` so much, as SQL
/// and its parameters: for conditions that name a row of another table.
pub fn seen(
    table: &'static Table,
    actor: &Actor,
    least: Level,
    alias: &str,
) -> (String, Vec<Value>) {
    match (table.visible)(actor).at_least(least) {
        Cond::Always => ("TRUE".to_owned(), Vec::new()),
        Cond::Never => ("FALSE".to_owned(), Vec::new()),
        Cond::Sql(text, params) => (text.replace("{t}", alias), params),
    }
}

/// `id`, an expression, is NULL, no client or a client that the actor sees. Who
/// was merged into another is seen by who sees the other.
pub fn is_seen(actor: &Actor, id: &str) -> Cond {
    let (rule, params) = seen(&USERS, actor, Level::Full, "seen");
    Cond::sql(
        format!(
            "({id} IS NULL OR EXISTS (SELECT 1 FROM users seen WHERE seen.org_id = ? \
             AND seen.id = COALESCE((SELECT gone.merged_into_id FROM users gone \
             WHERE gone.org_id = {{t}}.org_id AND gone.id = {id}), {id}) AND (seen.is_patient = FALSE OR ({rule}))))"
        ),
        [actor.org_id.into()].into_iter().chain(params),
    )
}
