//! Referrals inside `updateClient` (behaviour 18.2): which referring providers a
//! client has, and new ones on the way.

use ward_engine::{Answer, Call, Given, Problems, Refused, input};
use ward_identity::flags::CAN_EDIT_SETTINGS;
use ward_identity::tables::User;

use crate::access::{self, IdOrBlank};
use crate::location::ClientLocation;
use crate::referral::address::{self, PhysicianLocation};
use crate::referral::details::{Details, details};
use crate::referral::referrals::{self, REFERRALS_OF_A_CALL_MAX};
use crate::referral::{Referral, ReferringPhysician, physician};

input! {
    /// `ReferralInput`.
    pub struct ClientReferral {
        id: IdOrBlank<Referral>,
        _destroy: bool,
        referring_physician_id: IdOrBlank<ReferringPhysician>,
        referring_physician: ClientPhysician,
    }
}

input! {
    /// `ReferringPhysicianInput`: without `id` a new one; with it, changes.
    pub struct ClientPhysician {
        id: IdOrBlank<ReferringPhysician>,
        first_name: String,
        last_name: String,
        npi: String,
        email: String,
        phone_number: String,
        fax_number: String,
        location: ClientLocation,
    }
}

impl ClientPhysician {
    fn details(&self) -> Details {
        details!(self; first_name, last_name, npi, email, phone_number, fax_number)
    }

    fn address(&self) -> Option<PhysicianLocation> {
        self.location.value().map(address::of_client)
    }
}

/// Problems of the referrals inside a client's input.
pub fn check_all(list: &Given<Vec<ClientReferral>>, problems: &mut Problems) {
    let list = list.value().map(Vec::as_slice).unwrap_or_default();
    if list.len() > REFERRALS_OF_A_CALL_MAX {
        let message = format!("At most {REFERRALS_OF_A_CALL_MAX} referrals can be sent at once");
        problems.add("referrals", message);
    }
    for physician in list.iter().filter_map(|referral| referral.referring_physician.value()) {
        physician.details().check(problems);
        if let Some(address) = physician.address() {
            address::check(&address, problems);
        }
    }
}

/// Referrals inside a client's input: without `id` one is added, with `id`
/// changed, with `_destroy` removed. Each must be the client's.
pub async fn write_all(call: &mut Call<'_>, client: &User, list: &[ClientReferral]) -> Answer<()> {
    for input in list {
        let Some(id) = input.id.value().and_then(|id| id.0) else {
            if !input._destroy.is_true() {
                let physician = named(call, input).await?;
                let physician = physician.ok_or_else(|| Refused::not_found("referrals"))?;
                referrals::add(call, &physician, client, &Given::Absent, &Given::Absent).await?;
            }
            continue;
        };
        let before = referrals::to_change(call, Some(id), "referrals").await?;
        if before.user_id != client.id {
            return Err(Refused::not_found("referrals"));
        }
        if input._destroy.is_true() {
            referrals::remove(call, &before).await?;
        } else if let Some(physician) = named(call, input).await? {
            let after = Referral { referring_physician_id: physician.id, ..before.clone() };
            referrals::save(call, &before, &after).await?;
        }
    }
    Ok(())
}

/// The referring provider that an input names, changes or makes. The last two
/// are changes of the organization's settings.
async fn named(call: &mut Call<'_>, input: &ClientReferral) -> Answer<Option<ReferringPhysician>> {
    let nested = input.referring_physician.value();
    let nested_id = nested.and_then(|it| it.id.value()).and_then(|id| id.0);
    let id = nested_id.or(input.referring_physician_id.value().and_then(|id| id.0));
    let details = nested.map(ClientPhysician::details).unwrap_or_default();
    let address = nested.and_then(ClientPhysician::address);
    let writes = details.says_anything() || address.is_some();
    if writes {
        access::requires(call.actor, CAN_EDIT_SETTINGS)?;
    }
    match id {
        Some(id) if writes => {
            let before = physician::to_change(call, Some(id), "referrals").await?;
            physician::change(call, &before, &details, address.as_ref()).await.map(Some)
        }
        Some(id) => physician::seen(call, Some(id), "referrals").await.map(Some),
        None if writes => physician::add(call, &details, address.as_ref()).await.map(Some),
        None => Ok(None),
    }
}
