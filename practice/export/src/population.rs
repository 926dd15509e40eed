//! `exportPopulationEhi`: asking for an archive of every client (45 CFR 170.315(b)(10), DOM-39). A job
//! makes them, one after another.

use ward_engine::{Answer, Call, Given, Payload, Refused, Returns, input};
use ward_identity::flags::{CAN_VIEW_REPORTS, IS_ADMIN};
use ward_identity::is_admin;
use ward_identity::permit::requires;
use ward_store::jobs::{self, NewJob};
use ward_store::{Actor, Cond, Id, StoreError};

use ward_documents::tables::{FOLDERS, Folder};

use super::course::Course;
use super::walk;

/// The kind of job.
pub const KIND: &str = "export_population";
/// One population of an organization is exported at a time; the next one waits.
const SERIAL: &str = "export_population";

/// What the mutation answers.
pub const RETURNS: &[(&str, Returns)] =
    &[("success_string", Returns::Leaf), ("folder", Returns::One(&FOLDERS))];

const BEGUN: &str = "The export of all clients is being made; its folder is among your documents";
const WAITS: &str = "Another export of all clients is being made. Yours begins when it is done; its folder is among your documents";
const BEING_MADE: &str =
    "The export of all clients that you asked for before is being made; this is its folder";
const ENDS: &str = "Your last export of all clients is ending, since its folder was deleted. Ask again in a minute";

input! {
    /// `exportPopulationEhiInput`.
    pub struct ExportPopulationEhi {
        include_archived: bool,
    }
}

/// Owners and administrators who may export a client.
pub fn may(actor: &Actor) -> Answer<()> {
    requires(actor, CAN_VIEW_REPORTS)?;
    match is_admin(actor) {
        true => Ok(()),
        false => Err(Refused::Denied(IS_ADMIN)),
    }
}

/// The clients whose turn comes: all, or those who are not archived. Whom the asker sees is decided
/// at each one's turn.
pub fn clients(archived: bool) -> Cond {
    let all = Cond::is_true("is_patient");
    if archived { all } else { all.and(Cond::is_true("active")) }
}

/// Makes the folder, and the job that fills it. Asked again by the same member while it is being
/// made, there is one.
pub async fn begin(call: &mut Call<'_>, input: &ExportPopulationEhi) -> Answer<Payload> {
    may(call.actor)?;
    let (org_id, asker) = (call.actor.org_id, call.actor.user_id);
    call.scope.tx.lock(&[KIND, org_id.to_string().as_str()]).await?;
    let key = asker.to_string();
    let live = jobs::live(call.scope.tx, org_id, KIND).await?;
    if let Some((_, payload)) = live.iter().find(|(of, _)| *of == key) {
        return being_made(call, payload).await;
    }
    if walk::room_of(call.scope.tx, org_id).await? <= 0 {
        return Err(Refused::base(format!("{}; delete documents first", walk::NO_ROOM)));
    }
    // All, unless somebody says otherwise: who left is of the population, too.
    let archived = !matches!(input.include_archived, Given::Value(false));
    let now = call.now();
    let day: String = now.to_string().chars().take(10).collect();
    let folder = folder(call, format!("Population export {day}"), None).await?;
    let course = Course::begin(asker, archived, folder.id.0, now);
    let job = NewJob {
        dedupe_key: Some(key),
        serial_key: Some(SERIAL.to_owned()),
        ..NewJob::new(org_id, KIND, course.json())
    };
    if jobs::enqueue(call.scope.tx, job).await?.is_none() {
        return Err(StoreError::Conflict.into());
    }
    let said = if live.is_empty() { BEGUN } else { WAITS };
    Ok(Payload::new().leaf("success_string", said).one("folder", folder.id.0))
}

async fn being_made(call: &mut Call<'_>, payload: &str) -> Answer<Payload> {
    let course = Course::written(payload)?;
    let folder: Option<Folder> = call.find(Id::new(course.folder)).await?;
    let folder = folder.ok_or_else(|| Refused::base(ENDS))?;
    Ok(Payload::new().leaf("success_string", BEING_MADE).one("folder", folder.id.0))
}

/// A folder of the caller's, in another one or in none, which is shared with nobody.
pub(crate) async fn folder(
    call: &mut Call<'_>,
    name: String,
    within: Option<Id<Folder>>,
) -> Answer<Folder> {
    let now = call.now();
    let folder = Folder {
        id: call.next_id().await?,
        org_id: Id::new(call.actor.org_id),
        unit_id: Id::new(call.actor.unit_id),
        owner_id: Id::new(call.actor.user_id),
        rel_user_id: None,
        folder_id: within,
        name,
        shared_on_welcome: false,
        shared_with_dietitians: false,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    call.scope.subject_id = None;
    call.create(&folder).await?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ward_engine::Permission;
    use ward_store::{Flags, Role};

    fn actor(role: Role, is_owner: bool, held: &[Permission]) -> Actor {
        let flags = held.iter().fold(Flags::default(), |all, it| all.with(it.flag));
        Actor { role, is_owner, flags, ..Actor::anonymous() }
    }

    #[test]
    fn who_exports_all_rules_and_may_export_one() {
        for able in [
            actor(Role::Member, true, &[CAN_VIEW_REPORTS]),
            actor(Role::Member, false, &[CAN_VIEW_REPORTS, IS_ADMIN]),
        ] {
            assert!(may(&able).is_ok(), "{able:?}");
        }
        for unable in [
            actor(Role::Member, false, &[CAN_VIEW_REPORTS]),
            actor(Role::Member, false, &[IS_ADMIN]),
            actor(Role::Member, true, &[]),
            actor(Role::Client, true, &[CAN_VIEW_REPORTS, IS_ADMIN]),
            Actor::anonymous(),
        ] {
            assert!(may(&unable).is_err(), "{unable:?}");
        }
    }

    #[test]
    fn archived_clients_take_part_or_not() {
        assert_eq!(clients(true), Cond::is_true("is_patient"));
        assert_ne!(clients(false), clients(true));
    }
}
