//! The events of this domain (behaviour 14).

use ward_store::events::Event;

use crate::proxy::ClientProxy;
use crate::tables::{Location, OrganizationInfo, OrganizationMembership, OtherIdNumber, User};

/// The kind of event that is about an access that a date of birth has ended.
pub const ACCESS_OVER: &str = "client_proxy.over";

/// A changed date of birth has ended an access. The catalogue of webhooks has no such event: reactions
/// hear it.
pub fn access_over(access: &ClientProxy) -> Event {
    Event::new(ACCESS_OVER, "ClientProxy", access.id.0)
        .of_unit(access.unit_id.0)
        .about(access.user_id.0)
        .told(false)
}

/// A client exists.
pub fn patient_created(client: &User) -> Event {
    Event::new("patient.created", "User", client.id.0).of_unit(client.unit_id.0).about(client.id.0)
}

/// A client's profile changed.
pub fn patient_updated(client: &User, columns: &[&'static str]) -> Event {
    Event::new("patient.updated", "User", client.id.0)
        .changed(columns)
        .of_unit(client.unit_id.0)
        .about(client.id.0)
}

/// Somebody joined an organization.
pub fn membership_created(membership: &OrganizationMembership) -> Event {
    Event::new("organization_membership.created", "OrganizationMembership", membership.id.0)
        .of_unit(membership.unit_id.0)
}

/// What is known of a member as a person changed.
pub fn member_updated(member: &User, columns: &[&'static str]) -> Event {
    let told: Vec<_> =
        columns.iter().copied().filter(|name| !name.starts_with("password_")).collect();
    Event::new("organization_member.updated", "OrganizationMember", member.id.0)
        .changed(&told)
        .of_unit(member.unit_id.0)
}

/// A member's place changed.
pub fn membership_updated(membership: &OrganizationMembership, columns: &[&'static str]) -> Event {
    Event::new("organization_membership.updated", "OrganizationMembership", membership.id.0)
        .changed(columns)
        .of_unit(membership.unit_id.0)
}

/// A member has a further number.
pub fn other_id_number_created(number: &OtherIdNumber) -> Event {
    of_number("other_id_number.created", number)
}

/// A member's further number changed.
pub fn other_id_number_updated(number: &OtherIdNumber, columns: &[&'static str]) -> Event {
    of_number("other_id_number.updated", number).changed(columns)
}

/// A member's further number is gone.
pub fn other_id_number_deleted(number: &OtherIdNumber) -> Event {
    of_number("other_id_number.deleted", number)
}

fn of_number(kind: &'static str, number: &OtherIdNumber) -> Event {
    Event::new(kind, "OtherIdNumber", number.id.0).of_unit(number.unit_id.0)
}

/// An organization has a further name and numbers.
pub fn organization_info_created(info: &OrganizationInfo) -> Event {
    of_info("organization_info.created", info)
}

/// What an organization is to payers changed.
pub fn organization_info_updated(info: &OrganizationInfo, columns: &[&'static str]) -> Event {
    of_info("organization_info.updated", info).changed(columns)
}

/// A further name of an organization is gone.
pub fn organization_info_deleted(info: &OrganizationInfo) -> Event {
    of_info("organization_info.deleted", info)
}

fn of_info(kind: &'static str, info: &OrganizationInfo) -> Event {
    Event::new(kind, "OrganizationInfo", info.id.0).of_unit(info.unit_id.0)
}

/// An address was added.
pub fn location_created(location: &Location) -> Event {
    of_location("location.created", location)
}

/// These columns of an address changed.
pub fn location_updated(location: &Location, columns: &[&'static str]) -> Event {
    of_location("location.updated", location).changed(columns)
}

/// An address was removed.
pub fn location_deleted(location: &Location) -> Event {
    of_location("location.deleted", location)
}

fn of_location(kind: &'static str, location: &Location) -> Event {
    let user_id = location.user_id.map(|id| id.0);
    let event = Event::new(kind, "Location", location.id.0)
        .with("user_id", user_id.map(|id| id.to_string()))
        .of_unit(location.unit_id.0);
    match user_id {
        Some(id) => event.about(id),
        None => event,
    }
}
