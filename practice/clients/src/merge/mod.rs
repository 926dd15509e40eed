//! `mergeClients`: two records of one client become one (behaviour 18.3,
//! DOM-37). Nothing brings the second back.

pub mod plan;
pub mod sweep;

use ward_engine::{Answer, Bindings, Call, Payload, Problems, Refused, Returns, input, op};
use ward_identity::account::{self, is_client_taken, lock_address};
use ward_identity::flags::{CAN_MERGE_CLIENTS, CAN_RESTRICT_CLIENTS};
use ward_identity::proxy::grant;
use ward_identity::tables::{CareTeamMember, USERS, User};
use ward_store::{Cond, Id, StoreError};

use crate::access::{self, IdOrBlank};
use crate::client::{self, set_active};
use crate::create_client::team_member;
use crate::events;
use crate::merge::sweep::{Way, hold_wholes, sweep};
use crate::rules;

input! {
    /// `mergeClientsInput`.
    pub struct MergeClients {
        ids: Vec<Id<User>>,
        target_user_id: IdOrBlank<User>,
        target_email: String,
    }
}

/// Binds the mutation.
pub fn bind(b: &mut Bindings) {
    const USER: &[(&str, Returns)] = &[("user", Returns::One(&USERS))];
    b.mutation("mergeClients", USER, op!(merge));
}

/// Merges a client into another: all that points at the one points at the other
/// from then on, whose profile and group stay. What other clients open of either
/// ends, and so do the one's sign-ins, links and keys; its id is not found any more, by anybody, and names the other in
/// the row that is kept.
pub async fn merge(call: &mut Call<'_>, input: &MergeClients) -> Answer<Payload> {
    access::requires(call.actor, CAN_MERGE_CLIENTS)?;
    let mut problems = Problems::new();
    rules::email("target_email", &input.target_email, &mut problems);
    problems.check()?;
    let (target, source) = both(call, input).await?;
    // The care team and the authorizations of each come to see the other's chart.
    if target.restricted || source.restricted {
        access::requires(call.actor, CAN_RESTRICT_CLIENTS)?;
    }
    let email = input.target_email.trimmed().map(rules::kept_email);
    if email.is_some() {
        access::may_redirect(call.actor, &target, email.as_deref())?;
    }
    call.scope.subject_id = Some(target.id.0);
    close(call, &source, &target).await?;
    let way = Way { org_id: target.org_id.0, from: source.id.0, to: target.id.0 };
    sweep(call, way).await?;
    join_team(call, &source, &target).await?;
    // As the sweep left it.
    let target = call.find(target.id).await?.ok_or(StoreError::Conflict)?;
    let mut after = target.clone();
    // Whoever may not see the one's chart must not see it in the other's.
    after.restricted |= source.restricted;
    // Nor does anybody write to who has died, by whichever record it is known.
    after.deceased_on = after.deceased_on.or(source.deceased_on);
    if email.is_some() {
        after.email = email;
        after.unconfirmed_email = None;
        lock_address(&mut call.scope, after.email.as_deref()).await?;
        if is_client_taken(&mut call.scope, &after, Some(after.id)).await? {
            return Err(Refused::on("target_email", "Email has already been taken"));
        }
    }
    client::save(call, &target, after, &[]).await?;
    call.emit(events::patient_merged(&source, &target));
    Ok(Payload::new().one("user", target.id.0))
}

/// The client who stays and the one who is merged into them, both locked.
async fn both(call: &mut Call<'_>, input: &MergeClients) -> Answer<(User, User)> {
    let mut ids: Vec<Id<User>> = input.ids.value().cloned().unwrap_or_default();
    ids.sort_unstable();
    ids.dedup();
    let [first, second] = ids[..] else {
        return Err(Refused::on("ids", "Two clients are merged at a time: send two ids"));
    };
    // What they take part in is held before the clients are, as whoever changes who takes
    // part does it.
    hold_wholes(call, &[first.0, second.0]).await?;
    // In the order of ids, so that two merges never wait for each other.
    let first = access::client_to_change(call, first, "ids").await?;
    let second = access::client_to_change(call, second, "ids").await?;
    let target = input.target_user_id.value().and_then(|id| id.0);
    let target =
        target.ok_or_else(|| Refused::on("target_user_id", "Target user can't be blank"))?;
    let (target, source) = match target {
        id if id == first.id => (first, second),
        id if id == second.id => (second, first),
        _ => return Err(Refused::on("target_user_id", "Target user must be one of the two")),
    };
    if !target.active || !source.active {
        return Err(Refused::on("ids", "Both clients must be active to be merged"));
    }
    if target.unit_id != source.unit_id {
        let message = "Both clients must belong to the same organization: give one of them a \
                       provider of the other's first";
        return Err(Refused::on("ids", message));
    }
    Ok((target, source))
}

/// Ends the account, and leaves a row that only says who it is now.
async fn close(call: &mut Call<'_>, source: &User, target: &User) -> Answer<()> {
    let mut gone = User {
        merged_into_id: Some(target.id),
        deleted_at: Some(call.now()),
        dietitian_id: None,
        user_group_id: None,
        ..source.clone()
    };
    set_active(&mut gone, false, call.now());
    account::close(&mut call.scope, source, &gone).await?;
    // Whoever opened the one's record would open the other's in it.
    grant::end_of_client(&mut call.scope, target.id).await?;
    Ok(())
}

/// Who was the one's primary provider joins the other's care team, if they may;
/// who is the other's leaves it.
async fn join_team(call: &mut Call<'_>, source: &User, target: &User) -> Answer<()> {
    client::leave_team(call, target).await?;
    let Some(primary) = source.dietitian_id.filter(|id| Some(*id) != target.dietitian_id) else {
        return Ok(());
    };
    let Some(provider) = call.find::<User>(primary).await? else { return Ok(()) };
    let Some(membership) = access::membership(call, &provider).await? else { return Ok(()) };
    let there = Cond::eq("patient_id", target.id.0).and(Cond::eq("user_id", primary.0));
    let is_there = call.find_by::<CareTeamMember>(there).await?.is_some();
    if !is_there && access::may_join_care_teams(call, &membership).await? {
        let row = team_member(call, target, &provider);
        call.create(&row).await?;
    }
    Ok(())
}
