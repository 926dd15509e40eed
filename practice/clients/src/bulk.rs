//! `bulkUpdateClients`: one kind of change for many clients (behaviour 18.2).

use ward_engine::{Answer, Bindings, Call, Given, Payload, Refused, Returns, input, op};
use ward_identity::flags::CAN_REMOVE_CLIENT;
use ward_identity::tables::{USERS, User, users};
use ward_store::{Cond, Id, Level, OrderKey, Query, Select, Value};

use crate::access::members_only;
use crate::access::{self, IdOrBlank};
use crate::client::{self, set_active};
use crate::events;
use crate::group;
use crate::tables::UserGroup;

/// So many clients can be changed in one call: all of them in one transaction,
/// with an audit entry and an event each.
pub const CLIENTS_OF_A_CALL_MAX: usize = 1_000;

/// And so many places in care teams: clients times providers.
pub const PLACES_OF_A_CALL_MAX: usize = 2_000;

input! {
    /// `bulkUpdateClientsInput`.
    pub struct BulkUpdateClients {
        ids: Vec<Id<User>>,
        select_all_status: String,
        select_all_excluded_ids: Vec<Id<User>>,
        user_group_id: IdOrBlank<UserGroup>,
        active_status: bool,
        other_provider_ids: Vec<Id<User>>,
        provider_ids_to_remove: Vec<Id<User>>,
        suppress_patient_updated_webhooks: bool,
    }
}

/// The one kind of change.
enum Change {
    /// Into a group, or out of any.
    Group(Option<UserGroup>),
    /// Archived or not.
    Active(bool),
    /// Into the care team.
    AddToTeam(Vec<User>),
    /// Out of the care team.
    RemoveFromTeam(Vec<Id<User>>),
}

/// Binds the mutation.
pub fn bind(b: &mut Bindings) {
    const MANY: &[(&str, Returns)] = &[("users", Returns::Many(&USERS))];
    b.mutation("bulkUpdateClients", MANY, op!(update));
}

/// Changes many clients in one way: all of them, or none when one is unknown.
pub async fn update(call: &mut Call<'_>, input: &BulkUpdateClients) -> Answer<Payload> {
    members_only(call.actor)?;
    let change = change(call, input).await?;
    check_excluded(call, input).await?;
    let ids = addressed(call, input).await?;
    check_places(&change, ids.len())?;
    let tells = !input.suppress_patient_updated_webhooks.is_true();
    for id in &ids {
        let client = access::client_to_change(call, *id, "ids").await?;
        call.scope.subject_id = Some(client.id.0);
        let (client_id, unit_id) = (client.id.0, client.unit_id.0);
        let columns = apply(call, client, &change).await?;
        if !columns.is_empty() {
            call.emit(events::patient_updated(client_id, unit_id, &columns).told(tells));
        }
    }
    Ok(Payload::new().many("users", ids.iter().map(|id| id.0).collect()))
}

/// The one kind of change that is done: with both group and status the status is
/// ignored (behaviour 18.2), and so it is with providers.
async fn change(call: &mut Call<'_>, input: &BulkUpdateClients) -> Answer<Change> {
    if let Given::Value(IdOrBlank(id)) = &input.user_group_id {
        let Some(id) = id else { return Ok(Change::Group(None)) };
        return Ok(Change::Group(Some(group::seen(call, *id, "user_group_id").await?)));
    }
    if let Some(ids) = input.other_provider_ids.value().filter(|ids| !ids.is_empty()) {
        let team = access::care_team(call, ids, "other_provider_ids").await?;
        return Ok(Change::AddToTeam(team));
    }
    if let Some(ids) = input.provider_ids_to_remove.value().filter(|ids| !ids.is_empty()) {
        if ids.len() > access::CARE_TEAM_MAX {
            let message =
                format!("At most {} providers can be removed at once", access::CARE_TEAM_MAX);
            return Err(Refused::on("provider_ids_to_remove", message));
        }
        for id in ids {
            access::seen_user(call, *id, "provider_ids_to_remove").await?;
        }
        return Ok(Change::RemoveFromTeam(ids.clone()));
    }
    if let Some(active) = input.active_status.value() {
        access::requires(call.actor, CAN_REMOVE_CLIENT)?;
        return Ok(Change::Active(*active));
    }
    Err(Refused::base("Nothing to change: send a group, a status or providers"))
}

/// Bounds what one call writes of care teams.
fn check_places(change: &Change, clients: usize) -> Answer<()> {
    let (at, providers) = match change {
        Change::AddToTeam(team) => ("other_provider_ids", team.len()),
        Change::RemoveFromTeam(ids) => ("provider_ids_to_remove", ids.len()),
        Change::Group(_) | Change::Active(_) => return Ok(()),
    };
    if clients.saturating_mul(providers) > PLACES_OF_A_CALL_MAX {
        let message =
            format!("Clients times providers can be at most {PLACES_OF_A_CALL_MAX} at once");
        return Err(Refused::on(at, message));
    }
    Ok(())
}

/// Whoever is excluded is somebody whom the caller sees, as everybody named is.
async fn check_excluded(call: &mut Call<'_>, input: &BulkUpdateClients) -> Answer<()> {
    let field = "select_all_excluded_ids";
    let excluded = input.select_all_excluded_ids.value().map(Vec::as_slice).unwrap_or_default();
    if excluded.len() > CLIENTS_OF_A_CALL_MAX {
        return Err(too_many(field));
    }
    for id in excluded {
        access::seen_user(call, *id, field).await?;
    }
    Ok(())
}

/// The clients that the call is about, in ascending order: those that are named
/// or, with `select_all_status`, all whom the caller sees but the excluded.
async fn addressed(call: &mut Call<'_>, input: &BulkUpdateClients) -> Answer<Vec<Id<User>>> {
    let Some(status) = input.select_all_status.trimmed() else {
        let mut ids: Vec<Id<User>> = input.ids.value().cloned().unwrap_or_default();
        ids.sort_unstable();
        ids.dedup();
        return match ids.len() {
            0 => Err(Refused::on("ids", "Ids can't be blank")),
            1..=CLIENTS_OF_A_CALL_MAX => Ok(ids),
            _ => Err(too_many("ids")),
        };
    };
    let mut select = Select::new(&USERS, call.scope.actor);
    select.columns = vec![users::id];
    select.least = Level::Full;
    select.filter = Cond::is_true("is_patient").and(of_status(status)?);
    let excluded: Vec<i64> =
        input.select_all_excluded_ids.value().into_iter().flatten().map(|id| id.0).collect();
    select.filter = select.filter.and(Cond::is_in("id", &excluded).negated());
    select.order = vec![OrderKey::column("id", false)];
    select.limit = i64::try_from(CLIENTS_OF_A_CALL_MAX + 1).ok();
    let rows = call.scope.tx.rows(&select.sql()).await?;
    if rows.len() > CLIENTS_OF_A_CALL_MAX {
        return Err(too_many("select_all_status"));
    }
    Ok(rows.iter().filter_map(|row| row.first().and_then(Value::int)).map(Id::new).collect())
}

/// Which list is meant, in the words of `users(active_status:)`.
fn of_status(status: &str) -> Answer<Cond> {
    match status.to_ascii_lowercase().as_str() {
        "active" => Ok(Cond::is_true("active")),
        "archived" | "inactive" => Ok(Cond::eq("active", false)),
        "all" => Ok(Cond::Always),
        _ => Err(Refused::on(
            "select_all_status",
            "Select all status must be one of active, archived, all",
        )),
    }
}

fn too_many(at: &str) -> Refused {
    Refused::on(at, format!("At most {CLIENTS_OF_A_CALL_MAX} clients can be changed at once"))
}

/// Changes one client; the columns that changed.
async fn apply(call: &mut Call<'_>, before: User, change: &Change) -> Answer<Vec<&'static str>> {
    let mut after = before.clone();
    let team_changed = match change {
        Change::Group(group) => {
            if let Some(group) = group {
                group::check_unit(group, before.unit_id, "user_group_id")?;
            }
            after.user_group_id = group.as_ref().map(|group| group.id);
            false
        }
        Change::Active(active) => {
            set_active(&mut after, *active, call.now());
            false
        }
        Change::AddToTeam(team) => {
            client::may_join(call, &before, team).await?;
            client::add_to_team(call, &before, team).await?
        }
        Change::RemoveFromTeam(ids) => client::remove_from_team(call, &before, ids).await?,
    };
    let also: &[&str] = if team_changed { &["other_provider_ids"] } else { &[] };
    client::save_silently(call, &before, after, also).await
}
