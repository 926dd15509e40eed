//! A client's row before anything is known of them, and what changes of a
//! client mean to others.

use ward_engine::{Answer, Call};
use ward_identity::account;
pub use ward_identity::care::{leave_team, remove_from_team};
use ward_identity::tables::{CareTeamMember, Human, User};
use ward_instance::Timestamp;
use ward_store::{Cond, Id};

use crate::access;
use crate::create_client::team_member;
use crate::events;

/// A client of a provider, of whom nothing else is known yet.
pub fn blank_client(id: Id<User>, provider: &User, human_id: Id<Human>, now: Timestamp) -> User {
    let blank = User::blank(id, provider.org_id, provider.unit_id, human_id, now);
    User {
        is_patient: true,
        namespace: provider.namespace.clone(),
        dietitian_id: Some(provider.id),
        ..blank
    }
}

/// Archives or unarchives (behaviour 18.2, 18.3).
pub fn set_active(user: &mut User, active: bool, now: Timestamp) {
    if user.active != active {
        user.active = active;
        user.archived_at = (!active).then_some(now);
    }
}

/// Writes a changed user and what follows from it: the sign-in line, the human
/// of a new e-mail, the event of a client. `also` are changed facts that are
/// not columns of the row.
pub async fn save(
    call: &mut Call<'_>,
    before: &User,
    after: User,
    also: &[&'static str],
) -> Answer<()> {
    let is_patient = after.is_patient;
    let (id, unit_id) = (after.id.0, after.unit_id.0);
    let columns = save_silently(call, before, after, also).await?;
    if is_patient && !columns.is_empty() {
        call.emit(events::patient_updated(id, unit_id, &columns));
    }
    Ok(())
}

/// The same without the event; the columns that it would name.
pub async fn save_silently(
    call: &mut Call<'_>,
    before: &User,
    mut after: User,
    also: &[&'static str],
) -> Answer<Vec<&'static str>> {
    if before.email != after.email && after.is_patient {
        let (space, email) = (after.namespace.clone(), after.email.clone());
        after.human_id = account::human_of(&mut call.scope, &space, email.as_deref(), true).await?;
    }
    let changes = account::update(&mut call.scope, before, &after).await?;
    let mut columns = told(&changes.columns);
    columns.extend(also);
    Ok(columns)
}

/// Changed columns that an event may name: not those of credentials.
fn told(columns: &[&'static str]) -> Vec<&'static str> {
    columns.iter().copied().filter(|name| !name.starts_with("password_")).collect()
}

/// Refuses providers whom a client's care team does not have yet, where the actor
/// may not entrust the client to others.
pub async fn may_join(call: &mut Call<'_>, client: &User, team: &[User]) -> Answer<()> {
    if !client.restricted {
        return Ok(());
    }
    let cond = Cond::eq("patient_id", client.id.0);
    let old: Vec<CareTeamMember> = call.list(cond, &[]).await?;
    let is_there = |member: &User| old.iter().any(|row| row.user_id == member.id);
    match team.iter().all(|member| Some(member.id) == client.dietitian_id || is_there(member)) {
        true => Ok(()),
        false => access::may_entrust(call, client).await,
    }
}

/// Replaces a client's care team; whether that changed it (behaviour 18.2).
pub async fn replace_team(call: &mut Call<'_>, client: &User, team: &[User]) -> Answer<bool> {
    let cond = Cond::eq("patient_id", client.id.0);
    let old: Vec<CareTeamMember> = call.list(cond, &[]).await?;
    let mut changed = false;
    for row in old.iter().filter(|row| team.iter().all(|member| member.id != row.user_id)) {
        call.destroy(row).await?;
        changed = true;
    }
    let added = add_to_team(call, client, team).await?;
    Ok(changed || added)
}

/// Adds providers to a client's care team, but for the primary one; whether that
/// changed it.
pub async fn add_to_team(call: &mut Call<'_>, client: &User, team: &[User]) -> Answer<bool> {
    let cond = Cond::eq("patient_id", client.id.0);
    let old: Vec<CareTeamMember> = call.list(cond, &[]).await?;
    let mut changed = false;
    for member in team.iter().filter(|member| Some(member.id) != client.dietitian_id) {
        if old.iter().all(|row| row.user_id != member.id) {
            let row = team_member(call, client, member);
            call.create(&row).await?;
            changed = true;
        }
    }
    Ok(changed)
}
