//! Who sees which types, settings and prices (behaviour 3.4, 16.3, 21).

use ward_identity::flags::{
    CAN_EDIT_APPOINTMENT_TYPES, CAN_MANAGE_OTHERS_AVAILABILITY, CAN_SEE_CALENDAR, IS_ADMIN,
};
use ward_identity::restricted;
use ward_identity::tables::USERS;
use ward_identity::visibility::{of_user, seen};
use ward_store::{Actor, Cond, Level, Role, Rule, Select, Sql, Subject, Value};

/// SQL: that the type `$t` is shared with the whole organization: by whoever holds
/// `share_appointment_types`, an administrator or the owner; or is nobody's.
macro_rules! shared {
    ($t:literal) => {
        concat!(
            "(",
            $t,
            ".user_id IS NULL OR EXISTS (SELECT 1 FROM organization_memberships maker \
             JOIN organizations place ON place.org_id = maker.org_id AND place.id = maker.unit_id \
             WHERE maker.org_id = ",
            $t,
            ".org_id AND maker.user_id = ",
            $t,
            ".user_id AND (maker.share_appointment_types = TRUE OR maker.is_admin = TRUE \
             OR place.owner_id = maker.user_id)))"
        )
    };
}
pub(crate) use shared;

/// SQL: that the member `gives` offers the type `$t`: their own or a shared one,
/// unless others are named for it (behaviour 21).
macro_rules! offered_by {
    ($t:literal) => {
        concat!(
            "gives.is_patient = FALSE AND gives.unit_id = ",
            $t,
            ".unit_id AND (",
            $t,
            ".user_id = gives.id OR ",
            $crate::visibility::shared!($t),
            ") AND (",
            $t,
            ".require_specific_providers = FALSE OR EXISTS (SELECT 1 \
             FROM provider_appt_type_connections named WHERE named.org_id = ",
            $t,
            ".org_id AND named.appointment_type_id = ",
            $t,
            ".id AND named.user_id = gives.id))"
        )
    };
}
pub(crate) use offered_by;

/// Types that their maker shares (`SHARE_APPOINTMENT_TYPES`).
pub const SHARED: &str = shared!("{t}");

/// SQL: that a row is of an organization that is open.
pub(crate) const OPEN: &str = "EXISTS (SELECT 1 FROM organizations place WHERE place.org_id = {t}.org_id \
     AND place.id = {t}.unit_id AND place.is_active = TRUE)";

/// Types that a client may book, by the client's group, which the SQL `group`
/// gives or NULL (behaviour 21).
fn bookable(group: &str) -> String {
    format!(
        "{{t}}.clients_can_book = TRUE AND CASE WHEN {group} IS NULL \
         THEN {{t}}.bookable_without_group ELSE {{t}}.bookable_by_groups = TRUE AND \
         ({{t}}.specific_groups = FALSE OR EXISTS (SELECT 1 FROM appointment_type_groups may \
         WHERE may.org_id = {{t}}.org_id AND may.appointment_type_id = {{t}}.id \
         AND may.user_group_id = {group})) END"
    )
}

/// Types. A member sees their own, the shared ones, and with the right to edit
/// types all of their units; a client those of the own unit that they may book; a
/// stranger those that a new client could book.
pub fn appointment_types(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Member => {
            let edits = [IS_ADMIN, CAN_EDIT_APPOINTMENT_TYPES];
            let units = actor.units("unit_id");
            if actor.is_owner || edits.iter().any(|it| actor.has(it.flag)) {
                return Rule::full(units);
            }
            let own = Cond::eq("user_id", actor.user_id);
            Rule::full(units.and(own.or(Cond::sql(SHARED, []))))
        }
        Role::Client => {
            let group = "(SELECT self.user_group_id FROM users self \
                 WHERE self.org_id = {t}.org_id AND self.id = ?)";
            let own = actor.user_id;
            let may = Cond::sql(bookable(group), [own.into(), own.into()]);
            Rule::none().public(Cond::eq("unit_id", actor.unit_id).and(may))
        }
        Role::Anonymous => {
            let may = "{t}.clients_can_book = TRUE AND {t}.bookable_without_group = TRUE";
            Rule::none().public(Cond::sql(may, []).and(Cond::sql(OPEN, [])))
        }
    }
}

/// Settings: of one's units. Whoever books has to know them (behaviour 3.4): clients
/// of their own unit, strangers of all, of providers and types that they know of.
pub fn settings(actor: &Actor) -> Rule {
    let place = match actor.role {
        Role::System => return Rule::full(Cond::Always),
        Role::Member => return Rule::full(actor.units("unit_id")),
        Role::Client => Cond::eq("unit_id", actor.unit_id),
        Role::Anonymous => Cond::sql(OPEN, []),
    };
    let (type_rule, params) = seen(&crate::tables::APPOINTMENT_TYPES, actor, Level::Public, "o");
    let of_type = Cond::sql(
        format!(
            "EXISTS (SELECT 1 FROM appointment_types o WHERE o.org_id = {{t}}.org_id \
             AND o.id = {{t}}.appointment_type_id AND o.deleted_at IS NULL AND ({type_rule}))"
        ),
        params,
    );
    let whose = Cond::is_null("user_id").or(of_user(actor, Level::Public));
    let which = Cond::is_null("appointment_type_id").or(of_type);
    Rule::none().public(place.and(whose).and(which))
}

/// Who offers a type: as much as of the type and of the provider.
pub fn connections(actor: &Actor) -> Rule {
    let (type_rule, type_params) =
        seen(&crate::tables::APPOINTMENT_TYPES, actor, Level::Public, "o");
    let (user_rule, user_params) = seen(&USERS, actor, Level::Public, "w");
    let cond = Cond::sql(
        format!(
            "EXISTS (SELECT 1 FROM appointment_types o WHERE o.org_id = {{t}}.org_id \
             AND o.id = {{t}}.appointment_type_id AND ({type_rule})) \
             AND EXISTS (SELECT 1 FROM users w WHERE w.org_id = {{t}}.org_id \
             AND w.id = {{t}}.user_id AND ({user_rule}))"
        ),
        type_params.into_iter().chain(user_params),
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

/// Feeds: one's own, and an administrator's of the units.
pub fn calendar_feeds(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Member => {
            let own = Cond::eq("user_id", actor.user_id);
            match actor.is_owner || actor.has(IS_ADMIN.flag) {
                true => Rule::full(own.or(of_user(actor, Level::Full))),
                false => Rule::full(own),
            }
        }
        Role::Client | Role::Anonymous => Rule::none(),
    }
}

/// Prices and credits: members see those of whom they see in full, clients their own.
pub fn prices(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Member => Rule::full(of_user(actor, Level::Full)),
        Role::Client => Rule::full(Cond::eq("user_id", actor.user_id)),
        Role::Anonymous => Rule::none(),
    }
}

/// Availability: one's own; with the right to see calendars, or to manage others'
/// availability, that of the units. Of the rest whoever books knows that it is
/// there, and learns of it as slots (behaviour 3.4).
pub fn availabilities(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Member => {
            let own = Cond::eq("user_id", actor.user_id);
            let opens = [CAN_SEE_CALENDAR, CAN_MANAGE_OTHERS_AVAILABILITY, IS_ADMIN];
            match actor.is_owner || opens.iter().any(|it| actor.has(it.flag)) {
                true => Rule::full(own.or(actor.units("unit_id"))),
                false => Rule::full(own).public(actor.units("unit_id")),
            }
        }
        Role::Client => Rule::none().public(of_user(actor, Level::Public)),
        Role::Anonymous => {
            Rule::none().public(of_user(actor, Level::Public).and(Cond::sql(OPEN, [])))
        }
    }
}

/// SQL: that the member takes part in the appointment whose id the expression
/// gives: as its main or a further provider, or as somebody who attends and has not
/// called that off.
fn takes_part(actor: &Actor, id: &str) -> Cond {
    let who = || [Value::from(actor.org_id), actor.user_id.into()];
    Cond::sql(
        format!(
            "({id} IN (SELECT also.appointment_id FROM appointment_providers also \
             WHERE also.org_id = ? AND also.user_id = ?) OR {id} IN (SELECT comes.appointment_id \
             FROM appointment_inclusions comes WHERE comes.org_id = ? AND comes.user_id = ? \
             AND comes.cancelled = FALSE))"
        ),
        who().into_iter().chain(who()),
    )
}

/// That no restricted client attends whom the actor does not see (behaviour
/// 16.2.4): what such a client has is nobody's who does not see them.
fn no_restricted_hidden(actor: &Actor, id: &str) -> Cond {
    let (rule, params) = seen(&USERS, actor, Level::Full, "seen");
    if rule == "TRUE" {
        return Cond::Always;
    }
    Cond::sql(
        format!(
            "NOT EXISTS (SELECT 1 FROM appointment_inclusions hides JOIN users seen \
             ON seen.org_id = hides.org_id AND seen.id = hides.user_id \
             WHERE hides.org_id = {{t}}.org_id AND hides.appointment_id = {id} \
             AND seen.is_patient = TRUE AND seen.restricted = TRUE \
             AND NOT COALESCE(({rule}), FALSE))"
        ),
        params,
    )
}

/// Appointments. A member sees their own and what they booked for others, and with
/// `can_see_calendar` those of the units; a client those that they attend and that are no blockers; nobody those of
/// a restricted client whom they do not see. A visitor knows of what they booked in the answer to it, and a client of what
/// they only wait for.
pub fn appointments(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Member => {
            let own = Cond::eq("provider_id", actor.user_id)
                .or(Cond::eq("initiator_id", actor.user_id))
                .or(takes_part(actor, "{t}.id"));
            let which = match opens_calendars(actor) {
                true => own.or(actor.units("unit_id")),
                false => own,
            };
            Rule::full(which.and(no_restricted_hidden(actor, "{t}.id")))
        }
        Role::Client => Rule::full(Cond::sql(
            "{t}.id IN (SELECT comes.appointment_id FROM appointment_inclusions comes \
             WHERE comes.org_id = ? AND comes.user_id = ?) AND {t}.is_blocker = FALSE",
            [actor.org_id.into(), actor.user_id.into()],
        ))
        .public(Cond::is_in("id", &actor.handed)),
        Role::Anonymous => Rule::none().public(Cond::is_in("id", &actor.handed)),
    }
}

/// An appointment's client; the negative of its id where several attend it.
const CLIENT_OF: &str = "CASE WHEN {t}.is_group = TRUE OR (SELECT COUNT(*) \
     FROM appointment_inclusions comes WHERE comes.org_id = {t}.org_id \
     AND comes.appointment_id = {t}.id) > 1 THEN -{t}.id ELSE \
     (SELECT wc.id FROM users wc WHERE wc.org_id = {t}.org_id AND wc.id = {t}.user_id \
     AND wc.is_patient = TRUE) END";

/// Whose data appointments are: of all clients who attend them.
pub fn of_attendees(actor: &Actor) -> Subject {
    Subject { client: CLIENT_OF, several: Some(attendees_of), ..restricted::by_user_id(actor) }
}

/// The clients of these appointments, as far as the actor knows of them; a client
/// learns of themselves only (DOM-09).
pub(crate) fn attendees_of(actor: &Actor, appointments: &[i64]) -> Sql {
    let mut select = Select::new(&USERS, actor);
    select.with_subject = true;
    select.filter = match actor.is_client() {
        true => Cond::eq("id", actor.user_id),
        false => {
            let list = || [Value::from(actor.org_id), Value::Ints(appointments.into())];
            Cond::sql(
                "{t}.id IN (SELECT comes.user_id FROM appointment_inclusions comes \
                 WHERE comes.org_id = ? AND comes.appointment_id IN_LIST(?) \
                 AND comes.cancelled = FALSE UNION SELECT own.user_id FROM appointments own \
                 WHERE own.org_id = ? AND own.id IN_LIST(?))",
                list().into_iter().chain(list()),
            )
        }
    };
    select.sql()
}

pub(crate) fn opens_calendars(actor: &Actor) -> bool {
    let opens = [CAN_SEE_CALENDAR, IS_ADMIN];
    actor.is_owner || opens.iter().any(|it| actor.has(it.flag))
}

/// Series: seen by who sees an appointment of it.
pub fn series(actor: &Actor) -> Rule {
    match appointments(actor).full {
        Cond::Sql(text, params) => {
            let text = text.replace("{t}", "of");
            Rule::full(Cond::Sql(
                format!(
                    "EXISTS (SELECT 1 FROM appointments of WHERE of.org_id = {{t}}.org_id \
                     AND of.recurring_appointment_id = {{t}}.id AND of.deleted_at IS NULL \
                     AND ({text}))"
                ),
                params,
            ))
        }
        other => Rule::full(other),
    }
}

/// Who waits for a seat: as who attends.
pub fn waitlist(actor: &Actor) -> Rule {
    inclusions(actor)
}

/// Who attends: to members with the appointment, to clients the own part alone.
pub fn inclusions(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Member => match appointments(actor).full {
            Cond::Sql(text, params) => {
                let text = text.replace("{t}", "of");
                Rule::full(Cond::Sql(
                    format!(
                        "EXISTS (SELECT 1 FROM appointments of WHERE of.org_id = {{t}}.org_id \
                         AND of.id = {{t}}.appointment_id AND of.deleted_at IS NULL AND ({text}))"
                    ),
                    params,
                ))
            }
            other => Rule::full(other),
        },
        Role::Client => Rule::full(Cond::eq("user_id", actor.user_id)),
        Role::Anonymous => Rule::none(),
    }
}
