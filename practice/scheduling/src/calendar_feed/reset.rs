//! Taking a calendar's link back.

use ward_engine::{Answer, Call, Payload, Refused, input};
use ward_identity::flags::IS_ADMIN;
use ward_identity::id_or_blank::{IdOrBlank, named};
use ward_identity::permit::{members_only, requires};
use ward_identity::tables::User;
use ward_store::{Cond, Id, Level};

use super::table::CalendarFeed;

input! {
    /// `resetCalendarFeedInput`.
    pub struct ResetCalendarFeed { user_id: IdOrBlank<User> }
}

/// Gives a member another link, and the old one opens nothing any more: one's own,
/// or as an administrator a member's who has lost theirs.
pub async fn reset(call: &mut Call<'_>, input: &ResetCalendarFeed) -> Answer<Payload> {
    members_only(call.actor)?;
    let whose = named(&input.user_id).unwrap_or_else(|| Id::new(call.actor.user_id));
    if whose.0 != call.actor.user_id {
        requires(call.actor, IS_ADMIN)?;
    }
    let seen = call.visible_for_reference(whose, Level::Full).await?;
    let member = seen.map(|(user, _): (User, _)| user).filter(|user| !user.is_patient);
    let member = member.ok_or_else(|| Refused::not_found("user_id"))?;
    let now = call.now();
    let before: Option<CalendarFeed> = call.find_by(Cond::eq("user_id", member.id.0)).await?;
    match before {
        Some(before) => {
            let after = CalendarFeed { generation: before.generation + 1, ..before.clone() };
            call.update(&before, &after).await?;
        }
        None => {
            let row = CalendarFeed {
                id: call.next_id().await?,
                org_id: member.org_id,
                user_id: member.id,
                generation: 1,
                version: 1,
                created_at: now,
                updated_at: now,
            };
            call.create(&row).await?;
        }
    }
    Ok(Payload::new().one("user", member.id.0))
}
