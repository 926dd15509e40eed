//! The place-of-service code set of the Centers for Medicare & Medicaid
//! Services ("Place of Service Codes for Professional Claims"), which claims
//! name (CMS-1500 item 24B). Codes that are unassigned are not here.
//!
//! It is the same for everybody and changes with a release, so it is a list in
//! the text of a statement and no rows of a database. An object's id is the
//! number of its code.

use ward_engine::{Bindings, Given, Link, Listing, Problems};
use ward_store::{Actor, Column, Cond, Entity, Id, Key, Role, Rule, Table};

use crate::tables::locations;

/// A kind of place where care is given.
#[derive(Clone, Copy, Debug)]
pub struct PlaceOfService;

impl Entity for PlaceOfService {
    const NAME: &'static str = "PlaceOfService";
}

macro_rules! code_set {
    ($first:literal $first_name:literal $( $code:literal $name:literal )*) => {
        /// The codes.
        pub const CODES: &[&str] = &[$first, $( $code ),*];

        const ROWS: &str = concat!(
            "(SELECT CAST(", $first, " AS BIGINT) AS id, '", $first, "' AS code, '",
            $first_name, "' AS name, '", $first, " - ", $first_name, "' AS code_name",
            $( " UNION ALL SELECT ", $code, ", '", $code, "', '", $name, "', '", $code, " - ", $name, "'" ),*,
            ")"
        );
    };
}

code_set! {
    "01" "Pharmacy"
    "02" "Telehealth Provided Other than in Patient''s Home"
    "03" "School"
    "04" "Homeless Shelter"
    "05" "Indian Health Service Free-standing Facility"
    "06" "Indian Health Service Provider-based Facility"
    "07" "Tribal 638 Free-standing Facility"
    "08" "Tribal 638 Provider-based Facility"
    "09" "Prison/Correctional Facility"
    "10" "Telehealth Provided in Patient''s Home"
    "11" "Office"
    "12" "Home"
    "13" "Assisted Living Facility"
    "14" "Group Home"
    "15" "Mobile Unit"
    "16" "Temporary Lodging"
    "17" "Walk-in Retail Health Clinic"
    "18" "Place of Employment - Worksite"
    "19" "Off Campus - Outpatient Hospital"
    "20" "Urgent Care Facility"
    "21" "Inpatient Hospital"
    "22" "On Campus - Outpatient Hospital"
    "23" "Emergency Room - Hospital"
    "24" "Ambulatory Surgical Center"
    "25" "Birthing Center"
    "26" "Military Treatment Facility"
    "27" "Outreach Site/Street"
    "31" "Skilled Nursing Facility"
    "32" "Nursing Facility"
    "33" "Custodial Care Facility"
    "34" "Hospice"
    "41" "Ambulance - Land"
    "42" "Ambulance - Air or Water"
    "49" "Independent Clinic"
    "50" "Federally Qualified Health Center"
    "51" "Inpatient Psychiatric Facility"
    "52" "Psychiatric Facility - Partial Hospitalization"
    "53" "Community Mental Health Center"
    "54" "Intermediate Care Facility/Individuals with Intellectual Disabilities"
    "55" "Residential Substance Abuse Treatment Facility"
    "56" "Psychiatric Residential Treatment Center"
    "57" "Non-residential Substance Abuse Treatment Facility"
    "58" "Non-residential Opioid Treatment Facility"
    "60" "Mass Immunization Center"
    "61" "Comprehensive Inpatient Rehabilitation Facility"
    "62" "Comprehensive Outpatient Rehabilitation Facility"
    "65" "End-Stage Renal Disease Treatment Facility"
    "66" "Programs of All-Inclusive Care for the Elderly (PACE) Center"
    "71" "Public Health Clinic"
    "72" "Rural Health Clinic"
    "81" "Independent Laboratory"
    "99" "Other Place of Service"
}

/// The code set as a table to read.
pub static PLACES_OF_SERVICE: Table = Table {
    name: ROWS,
    entity: "PlaceOfService",
    columns: &[
        Column::of::<Id<PlaceOfService>>("id").public(),
        Column::of::<String>("code").public(),
        Column::of::<String>("name").public(),
        Column::of::<String>("code_name").public(),
    ],
    key: Key::Id,
    indexes: &[],
    references: &[],
    audit: None,
    subject: None,
    visible: everybody,
};

/// Everybody with a credential.
fn everybody(actor: &Actor) -> Rule {
    if actor.role == Role::Anonymous { Rule::none() } else { Rule::full(Cond::Always) }
}

/// The number of a code in any of the ways it is sent: an object's id or the
/// code itself.
pub fn number(text: &str) -> Option<i64> {
    let number: i64 = text.trim().parse().ok()?;
    CODES.iter().any(|code| code.parse() == Ok(number)).then_some(number)
}

/// A code of the set, when one is given.
pub fn check(field: &str, value: &Given<String>, problems: &mut Problems) {
    if value.trimmed().is_some_and(|text| number(text).is_none()) {
        problems.add(field, "Place of service is not one of the code set; see placeOfServices");
    }
}

/// Binds the type, its query and the fields that name one.
pub fn bind(b: &mut Bindings) {
    b.object("PlaceOfService", &PLACES_OF_SERVICE);
    b.query_list("placeOfServices", &PLACES_OF_SERVICE, |_, _| Ok(Listing::all()));
    b.one(
        "Location",
        "place_of_service",
        &PLACES_OF_SERVICE,
        Link::Key(locations::place_of_service_id),
    )
    .limited();
}
