//! `createAppointmentRequest`: by a visitor, a client for themselves, or staff for
//! somebody (behaviour 24).

use std::sync::Arc;

use ward_clients::access;
use ward_clients::rules::kept_email;
use ward_engine::{Answer, Call, Payload, Problems, Refused, Request, moment};
use ward_identity::allowance::{self, Allowance, take};
use ward_identity::attempt::network_of;
use ward_identity::email;
use ward_identity::id_or_blank::named;
use ward_identity::tables::{Organization, User};
use ward_store::{Actor, Id, Level, Query, Role, Scope, Sql, Value};

use super::input::{CreateRequest, problems, slots};
use super::matching;
use super::table::{AppointmentRequest, AppointmentRequestSlot, RequestStatus};
use crate::availability::wall::Interval;
use crate::checkout::who;
use crate::events;
use crate::settings::applies::applies;
use crate::slots::ask::Ask;
use crate::slots::reading::{self, visiting};
use crate::tables::AppointmentType;

/// Attempts of visitors from a network.
const OF_NETWORK: Allowance = Allowance { kind: "request_network", most: 30, seconds: 60 };
/// Attempts from a network for one e-mail address.
const OF_ADDRESS: Allowance = Allowance { kind: "request_address", most: 5, seconds: 15 * 60 };
/// What visitors from a network ask of an organization: less than what all may, so that
/// one of them leaves something to the others.
const OF_NETWORK_AND_UNIT: Allowance =
    Allowance { kind: "request_network_unit", most: 5, seconds: 15 * 60 };
/// What visitors ask of an organization.
const OF_UNIT: Allowance = Allowance { kind: "request_unit", most: 40, seconds: 90 };
/// So many open requests of visitors an organization has: whoever keeps within the
/// allowances for weeks fills no list without end.
pub const OPEN_OF_VISITORS_MAX: i64 = 500;
/// What a client asks.
const OF_CLIENT: Allowance = Allowance { kind: "request_client", most: 10, seconds: 15 * 60 };

/// Before the transaction: what is wrong is told, and a visitor's attempt is counted,
/// by their network and the e-mail that they say is theirs, whatever comes of it.
pub async fn prepare(request: Arc<Request>, input: CreateRequest) -> Answer<CreateRequest> {
    let actor = &request.actor;
    let is_visitor = actor.role == Role::Anonymous;
    let is_known = actor.is_client() || named(&input.patient_id).is_some();
    problems(&input, is_known && !is_visitor).check()?;
    if is_visitor {
        let network = network_of(&request.address);
        let address = email::key(input.email.trimmed().unwrap_or_default());
        let of_address = (OF_ADDRESS, format!("{network}\u{1f}{address}"));
        allowance::spend(&request.db, &[of_address, (OF_NETWORK, network)]).await?;
    }
    Ok(input)
}

/// What is asked, of whom and where.
struct Asked {
    org_id: i64,
    unit_id: i64,
    provider: Option<i64>,
    of: Option<AppointmentType>,
}

/// Makes a request. A visitor, or a client, reads what they said and nothing else.
pub async fn create(call: &mut Call<'_>, input: &CreateRequest) -> Answer<Payload> {
    let asked = asked(call, input).await?;
    let request = call.request;
    let actor = visiting(&request.actor, asked.org_id, asked.unit_id);
    let mut inner = Call { scope: Scope::new(&mut *call.scope.tx, &actor), request };
    let call = &mut inner;
    let (provider, unit) = (asked.provider.unwrap_or(0), asked.unit_id);
    let settings = applies(call, asked.of.as_ref(), provider, unit).await?;
    if !settings.enable_appointment_requests || !access::is_open(call, Id::new(unit)).await? {
        return Err(not_taken());
    }
    if actor.is_client() {
        who::may_schedule(call).await?;
    }
    let patient = patient(call, input, unit).await?;
    bounded(call, unit).await?;
    let row = row(call, input, &asked, patient.as_ref()).await?;
    call.scope.subject_id = row.patient_id.map(|id| id.0);
    call.create(&row).await?;
    let zone = moment::zone(&row.timezone).unwrap_or_else(|| call.request.zone.clone());
    for slot in wanted(call, input, &zone)? {
        let slot = AppointmentRequestSlot {
            id: call.next_id().await?,
            org_id: row.org_id,
            unit_id: row.unit_id,
            appointment_request_id: row.id,
            slot_start: slot.start,
            slot_end: slot.end,
            created_at: call.now(),
        };
        call.create(&slot).await?;
    }
    call.emit(events::request_created(&row));
    matching::later(call, &row, is_assigned(input)).await?;
    let payload = Payload::new().one("appointmentRequest", row.id.0);
    Ok(match actor.is_member() {
        true => payload,
        false => payload.seen_by(Actor { handed: vec![row.id.0], ..actor.clone() }),
    })
}

fn not_taken() -> Refused {
    Refused::base("Appointment requests are not taken here")
}

/// Where it is asked: at the provider's, the type's, the organization's, one's own.
async fn asked(call: &mut Call<'_>, input: &CreateRequest) -> Answer<Asked> {
    let ask = Ask {
        provider: named(&input.provider_id).map(|id| id.0),
        type_id: named(&input.appointment_type_id).map(|id| id.0),
        ..Ask::default()
    };
    let request = call.request;
    let own = &request.actor;
    let provider = reading::named(own, call.scope.tx, &ask).await?;
    if ask.provider.is_some() && provider.is_none() {
        return Err(Refused::not_found("provider_id"));
    }
    let of = reading::types(own, call.scope.tx, &ask).await?.into_iter().next();
    if ask.type_id.is_some() && of.is_none() {
        return Err(Refused::not_found("appointment_type_id"));
    }
    let place = provider.as_ref().map(|it| (it.org_id, it.unit_id));
    let of_type = of.as_ref().map(|of| (of.org_id.0, of.unit_id.0));
    if place.is_some_and(|place| of_type.is_some_and(|other| other != place)) {
        return Err(Refused::not_found("appointment_type_id"));
    }
    let named_place = match named(&input.organization_id) {
        Some(id) => Some(organization(call, id).await?),
        None => None,
    };
    let home = (own.org_id != 0).then_some((own.org_id, own.unit_id));
    let (org_id, unit_id) = place.or(of_type).or(named_place).or(home).ok_or_else(|| {
        Refused::on("organization_id", "Organization, provider or appointment type can't be blank")
    })?;
    let is_elsewhere = named_place.is_some_and(|place| place != (org_id, unit_id));
    let is_foreign = own.org_id != 0 && own.org_id != org_id;
    let is_other_branch = own.is_client() && own.unit_id != unit_id;
    match is_elsewhere || is_foreign || is_other_branch {
        true => Err(not_taken()),
        false => Ok(Asked { org_id, unit_id, provider: provider.map(|it| it.id), of }),
    }
}

/// The organization that is named. Whether there is one that takes no requests is not
/// told.
async fn organization(call: &mut Call<'_>, id: Id<Organization>) -> Answer<(i64, i64)> {
    let own = &call.request.actor;
    if own.is_member() {
        let found = call.visible_for_reference(id, Level::Full).await?;
        let found: Option<Organization> = found.map(|(it, _)| it);
        let found = found.ok_or_else(|| Refused::not_found("organization_id"))?;
        return Ok((found.org_id.0, found.id.0));
    }
    let sql = Sql::fixed(
        "SELECT o.org_id, o.id FROM organizations o WHERE o.id = $1 AND o.is_active = TRUE",
        [id.0.into()],
    );
    let rows = call.scope.tx.rows(&sql).await?;
    let place = |row: &[Value]| Some((row.first()?.int()?, row.get(1)?.int()?));
    rows.iter().next().and_then(place).ok_or_else(not_taken)
}

/// The client who asks: oneself, whom staff name, else the one with this e-mail whom the
/// member sees. Whom a visitor is taken for is found out once they have their answer.
async fn patient(call: &mut Call<'_>, input: &CreateRequest, unit: i64) -> Answer<Option<User>> {
    const AT: &str = "patient_id";
    let named = named(&input.patient_id);
    let is_here = |it: &User| it.is_patient && it.unit_id.0 == unit;
    match call.actor.role {
        Role::Client => {
            let own = Id::new(call.actor.user_id);
            if named.is_some_and(|id| id != own) {
                return Err(Refused::not_found(AT));
            }
            let found: Option<User> = call.find(own).await?;
            found.filter(is_here).map(Some).ok_or_else(|| Refused::not_found(AT))
        }
        Role::Anonymous if named.is_some() => Err(Refused::not_found(AT)),
        Role::Anonymous => Ok(None),
        _ => match named {
            Some(id) => {
                let client = access::seen_user(call, id, AT).await?;
                let client = Some(client).filter(is_here).ok_or_else(|| Refused::not_found(AT))?;
                Ok(Some(client))
            }
            None => known(call, input, unit).await,
        },
    }
}

/// The client of the unit who has this e-mail, if the member sees them.
async fn known(call: &mut Call<'_>, input: &CreateRequest, unit: i64) -> Answer<Option<User>> {
    let Some(address) = input.email.trimmed() else { return Ok(None) };
    let name = [&input.first_name, &input.last_name].map(|it| it.trimmed().unwrap_or_default());
    match matching::client_of(call, unit, address, name).await? {
        Some(id) => Ok(call.visible_for_reference(id, Level::Full).await?.map(|(it, _)| it)),
        None => Ok(None),
    }
}

/// Refuses one more of a client, or of visitors at an organization, where there are as
/// many as can be made.
async fn bounded(call: &mut Call<'_>, unit: i64) -> Answer<()> {
    let org = call.actor.org_id;
    let own = call.actor.user_id;
    let network = network_of(&call.request.address);
    let tx = &mut *call.scope.tx;
    let may = match call.scope.actor.role {
        Role::Anonymous => {
            let of_both = format!("{network}\u{1f}{org}\u{1f}{unit}");
            let may = take(tx, &OF_NETWORK_AND_UNIT, &of_both).await?
                && take(tx, &OF_UNIT, &format!("{org}\u{1f}{unit}")).await?;
            // Behind the row of the organization's allowance, so that each counts the others.
            if may && open_of_visitors(call, unit).await? >= OPEN_OF_VISITORS_MAX {
                let sentence = "No more requests can be taken at the moment. Try again later.";
                return Err(Refused::base(sentence));
            }
            may
        }
        Role::Client => take(tx, &OF_CLIENT, &format!("{org}\u{1f}{own}")).await?,
        Role::Member | Role::System => true,
    };
    match may {
        true => Ok(()),
        false => Err(Refused::base("Too much was asked for lately. Try again later.")),
    }
}

/// How many requests of visitors are open at an organization, as far as that matters.
async fn open_of_visitors(call: &mut Call<'_>, unit: i64) -> Answer<i64> {
    let sql = Sql::fixed(
        "SELECT COUNT(*) FROM (SELECT 1 FROM appointment_requests r WHERE r.org_id = $1 \
         AND r.unit_id = $2 AND r.by_visitor = TRUE AND r.current_status = 'OPEN' \
         AND r.deleted_at IS NULL LIMIT CAST($3 AS BIGINT)) AS open",
        [call.actor.org_id.into(), unit.into(), OPEN_OF_VISITORS_MAX.into()],
    );
    Ok(call.scope.tx.rows(&sql).await?.scalar().and_then(Value::int).unwrap_or(0))
}

fn wanted(
    call: &Call<'_>,
    input: &CreateRequest,
    zone: &jiff::tz::TimeZone,
) -> Answer<Vec<Interval>> {
    let mut problems = Problems::new();
    let slots = slots(&input.slots, zone, call.now(), &mut problems);
    problems.check()?;
    Ok(slots)
}

async fn row(
    call: &mut Call<'_>,
    input: &CreateRequest,
    asked: &Asked,
    patient: Option<&User>,
) -> Answer<AppointmentRequest> {
    let text = |sent: Option<&str>, kept: Option<&String>| {
        sent.map(str::to_owned).or_else(|| kept.cloned()).unwrap_or_default()
    };
    let email = input.email.trimmed().map(kept_email);
    let provider_id = match asked.provider {
        Some(id) => Some(Id::new(id)),
        None => match patient.filter(|_| is_assigned(input)) {
            Some(patient) => matching::provider_of(call, patient).await?,
            None => None,
        },
    };
    let timezone = text(input.timezone.trimmed(), None);
    let zone = moment::zone(&timezone).unwrap_or_else(|| call.request.zone.clone());
    let slots = wanted(call, input, &zone)?;
    let now = call.now();
    Ok(AppointmentRequest {
        id: call.next_id().await?,
        org_id: Id::new(asked.org_id),
        unit_id: Id::new(asked.unit_id),
        provider_id,
        patient_id: patient.map(|it| it.id),
        by_visitor: call.actor.role == Role::Anonymous,
        appointment_type_id: asked.of.as_ref().map(|of| of.id),
        first_name: text(input.first_name.trimmed(), patient.and_then(|it| it.first_name.as_ref())),
        last_name: text(input.last_name.trimmed(), patient.and_then(|it| it.last_name.as_ref())),
        email: text(email.as_deref(), patient.and_then(|it| it.email.as_ref())),
        phone: text(input.phone.trimmed(), patient.and_then(|it| it.phone_number.as_ref())),
        timezone,
        reason: text(input.reason.trimmed(), None),
        selected_contact_type: input.selected_contact_type.trimmed().map(str::to_owned),
        selected_state: input
            .selected_state
            .trimmed()
            .and_then(ward_identity::states::code)
            .map(str::to_owned),
        booking_params: input.booking_params.value().map(|it| ward_store::Json(it.0.clone())),
        provider_notes: None,
        current_status: RequestStatus::Open,
        closed_at: None,
        closed_by_id: None,
        first_appointment_id: None,
        requested_at: slots.first().map_or(now, |slot| slot.start),
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    })
}

/// Whether a request to nobody goes to the client's primary provider.
fn is_assigned(input: &CreateRequest) -> bool {
    input.should_assign_provider.value() != Some(&false)
}
