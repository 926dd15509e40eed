//! The events of this domain (behaviour 14).

use ward_store::events::Event;

use crate::tables::{OrganizationMembership, User};

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
