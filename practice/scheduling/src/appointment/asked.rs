//! Whom a question for appointments names, and whom its keywords find.

use ward_engine::{Answer, Args, Request};
use ward_identity::tables::{USERS, User};
use ward_store::{Cond, Keywords, Level};

use crate::listing::{id, ids};
use crate::tables::APPOINTMENT_TYPES;

/// People whom a member asks about: of the clients among them the answer tells, even when
/// it is empty.
pub(super) fn named(request: &Request, args: &Args) -> Answer<Vec<i64>> {
    if !request.actor.is_member() {
        return Ok(Vec::new());
    }
    let mut named = ids::<User>(args, "attendee_ids", request)?.unwrap_or_default();
    named.extend(id::<User>(args, "user_id", request)?.map(|id| id.0));
    if args.bool("use_provider_inclusions").unwrap_or(true) {
        named.extend(ids::<User>(args, "provider_ids", request)?.unwrap_or_default());
        named.extend(id::<User>(args, "provider_id", request)?.map(|id| id.0));
    }
    named.retain(|id| *id != request.actor.user_id);
    named.sort_unstable();
    named.dedup();
    Ok(named)
}

/// Appointments of which a client who attends and whom the member sees is found by the
/// keywords, or the type (behaviour 8). Clients find the type only.
pub(super) fn found_by(request: &Request, args: &Args) -> Cond {
    let Some(text) = args.text("keywords") else { return Cond::Always };
    let org = request.actor.org_id;
    let of_type = match Keywords::new(&APPOINTMENT_TYPES, org, text).cond() {
        Cond::Sql(text, params) => Cond::Sql(
            format!(
                "{{t}}.appointment_type_id IN (SELECT of.id FROM appointment_types of \
                 WHERE of.org_id = ? AND {})",
                text.replace("{t}", "of")
            ),
            std::iter::once(org.into()).chain(params).collect(),
        ),
        other => return other,
    };
    if !request.actor.is_member() {
        return of_type;
    }
    let seen = (USERS.visible)(&request.actor).at_least(Level::Full);
    let known = Keywords::new(&USERS, org, text).cond().and(seen);
    let Cond::Sql(text, params) = known else { return of_type };
    of_type.or(Cond::Sql(
        format!(
            "{{t}}.id IN (SELECT comes.appointment_id FROM users client \
             JOIN appointment_inclusions comes ON comes.org_id = client.org_id \
             AND comes.user_id = client.id WHERE client.org_id = ? \
             AND client.is_patient = TRUE AND client.deleted_at IS NULL AND {})",
            text.replace("{t}", "client")
        ),
        std::iter::once(org.into()).chain(params).collect(),
    ))
}
