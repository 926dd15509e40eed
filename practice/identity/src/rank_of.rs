//! Who is stronger than whom: nobody acts on an account with more rights than
//! their own (SEC-04).

use ward_store::Actor;

use crate::grant;
use crate::person::Person;

/// Whether an account is a member's, of a unit that the actor sees, and in no
/// way stronger than the actor.
pub fn is_no_stronger(actor: &Actor, target: &Person) -> bool {
    let is_weaker = grant::is_covered(actor, target).is_ok();
    let is_near = actor.is_at_root() || actor.unit_id == target.user.unit_id.0;
    is_weaker && is_near && !target.user.is_patient && target.user.org_id.0 == actor.org_id
}
