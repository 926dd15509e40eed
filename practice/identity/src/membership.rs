//! Members and their places: `createOrganizationMembership`,
//! `updateOrganizationMembership`, `updateOrganizationMember` and
//! `deleteOrganizationMembership` (behaviour 16).

mod create;
mod handover;
mod profile;
mod rights;
mod update;

pub use create::{CreateMembership, create, prepare as prepare_create};
pub(crate) use create::{Newcomer, add_owner, of_role, role, unit_of};
pub use profile::{MemberProfile, PreparedMember, UpdateMember, prepare_member, update_member};
pub use update::{DeleteMembership, MembershipFields, UpdateMembership, delete, update};
