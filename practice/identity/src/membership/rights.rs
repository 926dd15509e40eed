//! Who may change what of a member (behaviour 16.1, trust SEC-04).

use ward_engine::{Answer, Refused};
use ward_store::Actor;

use crate::flags::CAN_EDIT_MEMBERS;
use crate::grant;
use crate::permit::requires;
use crate::person::Person;
use crate::tables::OrganizationMembership;

/// What those are told who try to change what they may do themselves.
pub const OWN: &str =
    "You can't change your own role, permissions or status. Ask another administrator";

/// Whether something changes in what the member may do.
pub fn changes_power(before: &OrganizationMembership, after: &OrganizationMembership) -> bool {
    before.flags() != after.flags()
        || before.org_role != after.org_role
        || before.active != after.active
        || before.permission_template_applied_at != after.permission_template_applied_at
}

/// Whether the actor may turn one state of the target's membership into the
/// other.
pub fn check(
    actor: &Actor,
    target: &Person,
    before: &OrganizationMembership,
    after: &OrganizationMembership,
) -> Answer<()> {
    let is_self = target.user.id.0 == actor.user_id;
    let changes_power = changes_power(before, after);
    if is_self && changes_power {
        return Err(Refused::base(OWN));
    }
    let place = |it: &OrganizationMembership| (it.position, it.scheduling_priority);
    if before.title != after.title || place(before) != place(after) {
        requires(actor, CAN_EDIT_MEMBERS)?;
    }
    if changes_power {
        grant::may_rule(actor, target)?;
        grant::may_grant(actor, before.flags(), after.flags())?;
    }
    // Whoever wakes an account up gives away all that it holds.
    if after.active && !before.active {
        grant::is_covered(actor, target)?;
    }
    Ok(())
}
