//! Who may have a type and who gives it: groups of clients, and providers
//! (behaviour 21).

use std::collections::BTreeSet;

use ward_clients::tables::UserGroup;
use ward_clients::{access, group};
use ward_engine::{Answer, Call, Given, Refused};
use ward_identity::id_or_blank::IdOrBlank;
use ward_identity::tables::{Organization, User};
use ward_store::{Cond, Id};

use crate::id_list::{AllOr, IdList};
use crate::tables::{AppointmentType, AppointmentTypeGroup, ProviderApptTypeConnection};

/// So many groups, or providers, a type can name.
pub const NAMED_MAX: usize = 500;

/// The group that clients of a unit join by booking; a blank id is none.
pub async fn joined(
    call: &mut Call<'_>,
    unit: Id<Organization>,
    given: &IdOrBlank<UserGroup>,
) -> Answer<Option<Id<UserGroup>>> {
    match given.0 {
        Some(id) => Ok(Some(of_unit(call, unit, id, "user_group_id").await?)),
        None => Ok(None),
    }
}

/// A group in which clients of the unit can be: the unit's own or the root's.
async fn of_unit(
    call: &mut Call<'_>,
    unit: Id<Organization>,
    id: Id<UserGroup>,
    at: &str,
) -> Answer<Id<UserGroup>> {
    let group = group::seen(call, id, at).await?;
    match group.unit_id == unit || group.unit_id == group.org_id {
        true => Ok(group.id),
        false => Err(Refused::on(at, "The group belongs to another organization than the type")),
    }
}

/// Replaces the groups whose clients may book.
pub async fn write_groups(
    call: &mut Call<'_>,
    of: &AppointmentType,
    given: &Given<AllOr<UserGroup>>,
) -> Answer<()> {
    const AT: &str = "bookable_group_ids";
    let wanted: BTreeSet<Id<UserGroup>> = match given {
        Given::Absent => return Ok(()),
        Given::Null | Given::Value(AllOr::All) => BTreeSet::new(),
        Given::Value(AllOr::Listed(ids)) => ids.iter().copied().collect(),
    };
    bounded(wanted.len(), AT)?;
    let of_type = Cond::eq("appointment_type_id", of.id.0);
    let old: Vec<AppointmentTypeGroup> = call.list(of_type, &[]).await?;
    for row in old.iter().filter(|row| !wanted.contains(&row.user_group_id)) {
        call.destroy(row).await?;
    }
    let known: BTreeSet<Id<UserGroup>> = old.iter().map(|row| row.user_group_id).collect();
    for id in wanted.difference(&known) {
        let user_group_id = of_unit(call, of.unit_id, *id, AT).await?;
        let row = AppointmentTypeGroup {
            org_id: of.org_id,
            appointment_type_id: of.id,
            user_group_id,
            created_at: call.now(),
        };
        call.create(&row).await?;
    }
    Ok(())
}

/// Replaces the providers who offer the type.
pub async fn write_providers(
    call: &mut Call<'_>,
    of: &AppointmentType,
    given: &Given<IdList<User>>,
) -> Answer<()> {
    const AT: &str = "provider_ids_for_appt_type_connections";
    if !given.is_given() {
        return Ok(());
    }
    let wanted = given.value().map(|list| list.0.as_slice()).unwrap_or_default();
    let wanted: BTreeSet<Id<User>> = wanted.iter().copied().collect();
    bounded(wanted.len(), AT)?;
    let of_type = Cond::eq("appointment_type_id", of.id.0);
    let old: Vec<ProviderApptTypeConnection> = call.list(of_type, &[]).await?;
    for row in old.iter().filter(|row| !wanted.contains(&row.user_id)) {
        call.destroy(row).await?;
    }
    let known: BTreeSet<Id<User>> = old.iter().map(|row| row.user_id).collect();
    for id in wanted.difference(&known) {
        let provider = access::primary_provider(call, *id, AT).await?;
        if provider.unit_id != of.unit_id {
            return Err(Refused::not_found(AT));
        }
        let row = ProviderApptTypeConnection {
            id: call.next_id().await?,
            org_id: of.org_id,
            appointment_type_id: of.id,
            user_id: provider.id,
            created_at: call.now(),
        };
        call.create(&row).await?;
    }
    Ok(())
}

fn bounded(count: usize, at: &str) -> Answer<()> {
    match count > NAMED_MAX {
        true => Err(Refused::on(at, format!("At most {NAMED_MAX} can be named"))),
        false => Ok(()),
    }
}
