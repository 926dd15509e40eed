//! Who may make whom stronger: nobody makes a member, a template or themselves
//! stronger than they are, and nobody takes over somebody stronger (trust
//! SEC-04). Pure rules; what is compared is always what flags amount to, never
//! what is stored.

use ward_engine::{Answer, Permission, Refused};
use ward_store::{Actor, Flags};

use crate::flags::{self, IS_ADMIN, IS_OWNER};
use crate::person::Person;

/// The first flag that `after` amounts to, `before` does not, and the actor does
/// not hold; `is_admin` before all others, since it stands for many.
pub fn excess(actor: &Actor, before: Flags, after: Flags) -> Option<Permission> {
    let gained = flags::effective(after, false).0 & !flags::effective(before, false).0;
    let lacking = Flags(gained & !actor.flags.0);
    let lines = flags::ALL.iter().map(|line| line.permission);
    std::iter::once(IS_ADMIN).chain(lines).find(|permission| lacking.has(permission.flag))
}

/// Whether the actor may make flags out of flags.
pub fn may_grant(actor: &Actor, before: Flags, after: Flags) -> Answer<()> {
    match excess(actor, before, after) {
        Some(permission) => Err(Refused::Denied(permission)),
        None => Ok(()),
    }
}

/// Whether the actor holds everything that the member's flags amount to. To have
/// the member's account in hand takes more: `rank_of::may_take_over`.
pub fn is_covered(actor: &Actor, target: &Person) -> Answer<()> {
    if target.is_owner && !owns_from_above(actor, target) {
        return Err(Refused::Denied(IS_OWNER));
    }
    may_grant(actor, Flags::default(), stored(target))
}

/// Whether the actor may change what the member may do, or bar them: never an
/// owner, and an administrator only with everything that they hold.
pub fn may_rule(actor: &Actor, target: &Person) -> Answer<()> {
    match target.is_owner || stored(target).has(IS_ADMIN.flag) {
        true => is_covered(actor, target),
        false => Ok(()),
    }
}

/// The owner of the root organization, towards the owner of one below.
fn owns_from_above(actor: &Actor, target: &Person) -> bool {
    actor.is_owner && actor.is_at_root() && target.user.unit_id.0 != actor.unit_id
}

fn stored(target: &Person) -> Flags {
    target.membership.as_ref().map(|membership| membership.flags()).unwrap_or_default()
}
