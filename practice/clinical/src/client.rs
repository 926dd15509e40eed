//! Whose list it is: what every operation of the domain begins with.

use ward_clients::access;
use ward_engine::{Answer, Call, Given, Refused};
use ward_identity::id_or_blank::{IdOrBlank, named};
use ward_identity::permit::members_only;
use ward_identity::tables::{Organization, User};
use ward_store::{Entity, Id, Level, Query, Record, Sql, Value};

/// A list has so many entries.
pub const LIST_MAX: i64 = 1_000;

/// A row of one of the lists.
pub trait Entry: Record + Entity + Clone {
    /// The client.
    fn client(&self) -> Id<User>;
    /// Its unit is the one that the client is in by now.
    fn belong(&mut self, unit: Id<Organization>);
}

macro_rules! entries {
    ($($row:ident),*) => {
        $(impl Entry for crate::tables::$row {
            fn client(&self) -> Id<User> {
                self.user_id
            }

            fn belong(&mut self, unit: Id<Organization>) {
                self.unit_id = unit;
            }
        })*
    };
}
entries!(
    Medication,
    AllergySensitivity,
    Immunization,
    HealthConcern,
    Procedure,
    FamilyHistoryCondition,
    SmokingStatus
);

/// The client whom an entry of `R` is added for, whom the member sees in full. They are locked,
/// so that no two calls add the same thing at a time.
pub async fn to_write<R: Entry>(call: &mut Call<'_>, id: &Given<IdOrBlank<User>>) -> Answer<User> {
    members_only(call.actor)?;
    let id = named(id).ok_or_else(|| Refused::not_found("user_id"))?;
    let client = access::client_to_change(call, id, "user_id").await?;
    call.scope.subject_id = Some(client.id.0);
    let mut sql = Sql::new();
    sql.push("SELECT COUNT(*) FROM ").push(R::table().name);
    sql.push(" WHERE org_id = ").bind(client.org_id.0);
    sql.push(" AND user_id = ").bind(client.id.0).push(" AND deleted_at IS NULL");
    let entries = call.tx.rows(&sql).await?.scalar().and_then(Value::int).unwrap_or(0);
    match entries < LIST_MAX {
        true => Ok(client),
        false => {
            let sentence = format!(
                "This list of the client is full: it can have {LIST_MAX} entries; delete one first"
            );
            Err(Refused::base(sentence))
        }
    }
}

/// An entry that the member is to change, locked; the client whose it is was locked before.
pub async fn to_change<R: Entry>(call: &mut Call<'_>, id: &Given<IdOrBlank<R>>) -> Answer<R> {
    members_only(call.actor)?;
    let id = named(id).ok_or_else(|| Refused::not_found("id"))?;
    let found: Option<(R, Level)> = call.visible(id, Level::Full).await?;
    let (seen, _) = found.ok_or_else(|| Refused::not_found("id"))?;
    let client = access::client_to_change(call, seen.client(), "id").await?;
    let found: Option<(R, Level)> = call.visible_for_update(id, Level::Full).await?;
    let (mut entry, _) = found.ok_or_else(|| Refused::not_found("id"))?;
    call.scope.subject_id = Some(client.id.0);
    // The events and the audit entries of it are for those who look after the client now.
    entry.belong(client.unit_id);
    Ok(entry)
}
