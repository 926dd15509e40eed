//! The checks that operations of this domain begin with.

use ward_engine::{Answer, DENIED, Permission, Refused, RequestError};
use ward_store::Actor;

/// The actor is a member of an organization; clients and strangers are told
/// that they lack the permission (behaviour 4.3).
pub fn members_only(actor: &Actor) -> Answer<()> {
    match actor.is_member() {
        true => Ok(()),
        false => Err(Refused::Error(RequestError::coded("PERMISSION_DENIED", DENIED))),
    }
}

/// The actor is themselves: who acts for a client is told whose business it is.
pub fn not_by_proxy(actor: &Actor, what: &str) -> Answer<()> {
    match actor.proxy_id {
        None => Ok(()),
        Some(_) => Err(Refused::base(format!(
            "You act for somebody else here, and {what} is not part of that. Sign in as yourself"
        ))),
    }
}

/// The actor is a member with the permission.
pub fn requires(actor: &Actor, permission: Permission) -> Answer<()> {
    members_only(actor)?;
    match actor.has(permission.flag) {
        true => Ok(()),
        false => Err(Refused::Denied(permission)),
    }
}
