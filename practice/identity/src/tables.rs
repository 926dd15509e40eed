//! The tables of this domain: who exists, where they belong, what they may do
//! and how they prove who they are.

mod account;
mod key;
mod location;
mod membership;
mod organization;
mod permission_use;
mod profile;
mod restriction;
mod second_factor;
mod session;
mod template;
mod user;
mod user_group;

use ward_store::{Entity, Table};

pub use account::{
    INVITE_CODES, InviteCode, InviteKind, LOGINS, Login, LoginStanding, invite_codes, logins,
};
pub use key::{
    API_KEYS, ApiKey, CredentialClass, REVOKED_KEYS, RevokedKey, api_keys, revoked_keys,
};
pub use location::{LOCATIONS, Location, ReferringPhysicianRef, locations};
pub(crate) use membership::blank_membership;
pub use membership::{
    CARE_TEAM_MEMBERS, CareTeamMember, ORGANIZATION_MEMBERSHIPS, OrgRole, OrganizationMembership,
    care_team_members, organization_memberships,
};
pub use organization::{ORGANIZATIONS, Organization, UploadScan, organizations};
pub use permission_use::{PERMISSION_USES, PermissionUse, permission_uses};
pub use profile::{
    BRANDS, Brand, ORGANIZATION_INFOS, OTHER_ID_NUMBERS, OrganizationInfo, OtherIdNumber,
    PROFESSIONS, PROVIDER_BIOS, Profession, ProviderBio, SPECIALTIES, STATE_LICENSES, Specialty,
    StateLicense, brands, organization_infos, other_id_numbers, professions, provider_bios,
    specialties, state_licenses,
};
pub use restriction::{
    BREAK_GLASS_ACCESSES, BreakGlassAccess, CLIENT_RESTRICTION_AUTHORIZATIONS,
    ClientRestrictionAuthorization, break_glass_accesses, client_restriction_authorizations,
};
pub use second_factor::{
    CodePurpose, FactorKind, SECOND_FACTORS, SecondFactor, VERIFICATION_CODES, VerificationCode,
    second_factors, verification_codes,
};
pub use session::{
    AttemptScope, LINK_TOKENS, LinkPurpose, LinkToken, SESSIONS, SIGN_IN_ATTEMPTS, Session,
    SignInAttempt, link_tokens, sessions, sign_in_attempts,
};
pub(crate) use template::TEMPLATE_FLAG_COLUMNS;
pub use template::{PERMISSION_TEMPLATES, PermissionTemplate, permission_templates};
pub use user::{DefaultBillingType, PasswordSetBy, USERS, User, users};
pub use user_group::{USER_GROUPS, UserGroup, user_groups};

/// All accounts of one e-mail address within one root organization
/// (behaviour 15; never across root organizations). Has no row of its own.
#[derive(Clone, Copy, Debug)]
pub struct Human;

impl Entity for Human {
    const NAME: &'static str = "Human";
}

/// Every table of this domain.
pub fn tables() -> Vec<&'static Table> {
    vec![
        &ORGANIZATIONS,
        &USERS,
        &USER_GROUPS,
        &PERMISSION_TEMPLATES,
        &ORGANIZATION_MEMBERSHIPS,
        &CARE_TEAM_MEMBERS,
        &CLIENT_RESTRICTION_AUTHORIZATIONS,
        &BREAK_GLASS_ACCESSES,
        &API_KEYS,
        &REVOKED_KEYS,
        &crate::proxy::CLIENT_PROXIES,
        &SESSIONS,
        &LINK_TOKENS,
        &SECOND_FACTORS,
        &VERIFICATION_CODES,
        &SIGN_IN_ATTEMPTS,
        &LOGINS,
        &INVITE_CODES,
        &LOCATIONS,
        &BRANDS,
        &STATE_LICENSES,
        &PROFESSIONS,
        &SPECIALTIES,
        &PROVIDER_BIOS,
        &OTHER_ID_NUMBERS,
        &ORGANIZATION_INFOS,
        &PERMISSION_USES,
        &crate::push_device::PUSH_DEVICES,
    ]
}
