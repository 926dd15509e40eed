//! What the inputs say of a referring provider: pure rules, and the row with
//! what was sent.

use ward_engine::{Given, Problems};
use ward_store::Json;

use crate::npi;
use crate::referral::ReferringPhysician;
use crate::rules;

/// What any of the inputs says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Details {
    /// Column and what was sent for it.
    pub texts: Vec<(&'static str, Given<String>)>,
    /// Whether they take insurance.
    pub accepts_insurance: Given<bool>,
    /// A JSON document.
    pub metadata: Given<String>,
}

/// The details that an input with these fields sends.
macro_rules! details {
    ($input:expr; $($field:ident),*) => {
        $crate::referral::details::Details {
            texts: vec![ $( (stringify!($field), $input.$field.clone()) ),* ],
            ..Default::default()
        }
    };
}
pub(crate) use details;

impl Details {
    /// What is wrong with them.
    pub fn check(&self, problems: &mut Problems) {
        for (field, value) in &self.texts {
            match *field {
                "notes" => rules::bounded(field, value, rules::NOTES_CHARS_MAX, problems),
                _ => rules::bounded(field, value, rules::LINE_CHARS_MAX, problems),
            }
            match *field {
                "email" => rules::email(field, value, problems),
                "npi" => npi::check(field, value, problems),
                _ => {}
            }
        }
        rules::metadata("metadata", &self.metadata, problems);
    }

    /// Whether anything was sent.
    pub fn says_anything(&self) -> bool {
        self.texts.iter().any(|(_, value)| value.is_given())
            || self.accepts_insurance.is_given()
            || self.metadata.is_given()
    }

    /// Overwrites what was sent.
    pub fn write(&self, row: &mut ReferringPhysician) {
        for (field, value) in &self.texts {
            value.set_text(match *field {
                "first_name" => &mut row.first_name,
                "last_name" => &mut row.last_name,
                "business_name" => &mut row.business_name,
                "speciality" => &mut row.speciality,
                "npi" => &mut row.npi,
                "other_id" => &mut row.other_id,
                "other_id_qualifier" => &mut row.other_id_qualifier,
                "email" => &mut row.email,
                "phone_number" => &mut row.phone_number,
                "fax_number" => &mut row.fax_number,
                "website" => &mut row.website,
                _ => &mut row.notes,
            });
        }
        self.accepts_insurance.set(&mut row.accepts_insurance);
        if self.metadata.is_given() {
            let text = self.metadata.value().filter(|text| !text.trim().is_empty());
            row.metadata = text.cloned().map(Json);
        }
    }
}

/// A referring provider whom nobody could call by a name.
pub fn is_nameless(row: &ReferringPhysician) -> bool {
    [&row.first_name, &row.last_name, &row.business_name].into_iter().all(Option::is_none)
}
