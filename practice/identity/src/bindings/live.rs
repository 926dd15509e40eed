//! What a person's own subscription tells (behaviour 12).

use futures_util::FutureExt;
use ward_engine::{Answer, Args, Bindings, Happening, Request};

use crate::tables::{USERS, users};

/// Registers the subscription and its events. What is counted for the person
/// comes from the domains that have something to count.
pub fn bind(b: &mut Bindings) {
    b.column("UserNotificationsCount", "id", users::id);
    b.subscription("userUpdatedSubscription", &USERS, oneself);
    b.feed(
        "userUpdatedSubscription",
        &["patient.updated", "organization_member.updated"],
        |event, _| std::future::ready(Ok(Happening::of_record(event))).boxed(),
    );
}

fn oneself(request: &Request, _: &Args) -> Answer<i64> {
    Ok(request.actor.user_id)
}
