//! What practices and their people show of themselves: brands, licences,
//! professions, and the numbers that payers know them by.

use ward_instance::Timestamp;
use ward_store::{Id, Key, Reference, Uuid, index, record, unique};

use crate::tables::{Location, Organization, User};
use crate::visibility;

record! {
    /// How a practice, or a member with a brand of their own, looks (behaviour
    /// 16.3, `has_own_branding`). The organization's brand is its owner's.
    pub struct Brand in BRANDS, brands {
        id: Id<Brand> [public],
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        /// Whose brand it is.
        user_id: Id<User> [public],
        about_description: Option<String> [public],
        bg_color: Option<String> [public],
        brand_email: Option<String> [public],
        brand_name: Option<String> [public],
        brand_phone: Option<String> [public],
        contact_description: Option<String> [public],
        /// The last step of the practice's own sign-in address, in lower case;
        /// no two brands of the instance have the same.
        custom_sign_in_path: Option<String> [public],
        display_embed_title: bool [public],
        display_name: Option<String> [public],
        display_package_image: bool [public],
        email_background_color: Option<String> [public],
        embed_primary_color: Option<String> [public],
        facebook: Option<String> [public],
        font_color: Option<String> [public],
        instagram: Option<String> [public],
        logo_id: Option<Uuid>,
        logo_file_name: Option<String> [public],
        selected_color: Option<String> [public],
        slogan: Option<String> [public],
        tab_accent_color: Option<String> [public],
        theme_accent_primary: Option<String> [public],
        theme_accent_primary_hover: Option<String> [public],
        theme_background_hover: Option<String> [public],
        theme_background_input: Option<String> [public],
        theme_background_primary: Option<String> [public],
        theme_background_secondary: Option<String> [public],
        theme_background_sidebar: Option<String> [public],
        theme_border_input: Option<String> [public],
        theme_border_primary: Option<String> [public],
        theme_text_sidebar: Option<String> [public],
        theme_text_sidebar_active: Option<String> [public],
        theme_text_sidebar_tab_bar: Option<String> [public],
        titles: Option<String> [public],
        twitter: Option<String> [public],
        website: Option<String> [public],
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
    }
    key: Key::Id,
    indexes: [
        unique(&["org_id", "user_id"]),
        unique(&["custom_sign_in_path"]).only("custom_sign_in_path IS NOT NULL"),
    ],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("BRAND"),
    visible: visibility::brands,
}

record! {
    /// A state that a provider may practise in.
    pub struct StateLicense in STATE_LICENSES, state_licenses {
        id: Id<StateLicense> [public],
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        user_id: Id<User>,
        /// Two letters, such as `NY`.
        state: String [public],
        created_at: Timestamp,
        updated_at: Timestamp,
    }
    key: Key::Id,
    indexes: [
        unique(&["org_id", "user_id", "state"]),
    ],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("STATE_LICENSE"),
    visible: visibility::of_staff,
}

record! {
    /// What a member is by training.
    pub struct Profession in PROFESSIONS, professions {
        id: Id<Profession> [public],
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        user_id: Id<User>,
        profession: String [public],
        profession_category: String [public],
        created_at: Timestamp,
        updated_at: Timestamp,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "user_id"]),
    ],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("PROFESSION"),
    visible: visibility::of_staff,
}

record! {
    /// What a member is especially good at.
    pub struct Specialty in SPECIALTIES, specialties {
        id: Id<Specialty> [public],
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        user_id: Id<User>,
        specialty: String [public],
        specialty_category: String [public],
        created_at: Timestamp,
        updated_at: Timestamp,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "user_id"]),
    ],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("SPECIALTY"),
    visible: visibility::of_staff,
}

record! {
    /// What a provider says of themselves, one a provider.
    pub struct ProviderBio in PROVIDER_BIOS, provider_bios {
        id: Id<ProviderBio> [public],
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        user_id: Id<User>,
        bio: String [public],
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
    }
    key: Key::Id,
    indexes: [
        unique(&["org_id", "user_id"]),
    ],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("PROVIDER_BIO"),
    visible: visibility::of_staff,
}

record! {
    /// A further number that a payer knows a provider by.
    pub struct OtherIdNumber in OTHER_ID_NUMBERS, other_id_numbers {
        id: Id<OtherIdNumber>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        user_id: Id<User>,
        other_id: Option<String>,
        /// The payer's kind of number, such as `G2`.
        other_id_qualifier: Option<String>,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "user_id", "id"]),
    ],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("OTHER_ID_NUMBER"),
    visible: visibility::other_id_numbers,
}

record! {
    /// What an organization is to payers and on bills: name, numbers, address.
    /// Its name and numbers are those of its primary one.
    pub struct OrganizationInfo in ORGANIZATION_INFOS, organization_infos {
        id: Id<OrganizationInfo>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        primary_info: bool,
        name: Option<String> [searched],
        npi: Option<String>,
        tax_id: Option<String>,
        tax_id_type: Option<String>,
        other_id: Option<String>,
        other_id_qual: Option<String>,
        phone_number: Option<String>,
        /// A number that another system knows it by.
        external_id: Option<String>,
        id_number_type: Option<String>,
        location_id: Option<Id<Location>>,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "unit_id", "id"]),
        unique(&["org_id", "unit_id"]).only("primary_info AND deleted_at IS NULL"),
    ],
    references: [
        Reference { columns: &["org_id", "unit_id"], table: "organizations", target: &["org_id", "id"] },
        Reference { columns: &["org_id", "location_id"], table: "locations", target: &["org_id", "id"] },
    ],
    audit: Some("ORGANIZATION_INFO"),
    visible: visibility::organization_infos,
}
