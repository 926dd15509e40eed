//! What is offered where somebody writes a list: `medication_options`, `medication_option` and
//! `allergySuggestions`, out of the [sample](crate::sample).

use ward_engine::{Answer, Args, IdCodec, Out, Refused, last_step, parse_id};

use crate::sample::{DRUGS, Drug, OF_CATEGORY, SUGGESTIONS};
use crate::tables::Medication;

/// Ids of the sample begin with this, so that none is taken for a record of the instance. They are
/// numbers of a public list and the same everywhere.
const PREFIX: &str = "rxnorm-";

/// A strength of a medication.
#[derive(Clone, Copy, Debug)]
pub struct Dosage {
    /// Of what.
    pub drug: &'static Drug,
    /// How much.
    pub strength: &'static str,
}

/// The members of `MedicationOptionType`.
pub const MEMBERS: &[&str] = &["id", "name", "dosages", "dosage_options"];
/// The members of `DosageType`.
pub const DOSAGE_MEMBERS: &[&str] = &["id", "strength"];

/// Medications that have each of the words in their name, or as their number; all without words.
pub fn found(keywords: &str) -> Vec<&'static Drug> {
    let words: Vec<String> = keywords.split_whitespace().map(str::to_lowercase).collect();
    let has = |drug: &&Drug| {
        let (name, number) = (drug.name.to_lowercase(), drug.rxcui.to_string());
        words.iter().all(|word| name.contains(word.as_str()) || number == *word)
    };
    DRUGS.iter().filter(has).collect()
}

/// The medication of an id.
pub fn of_id(id: &str) -> Option<&'static Drug> {
    let number: u32 = id.trim().strip_prefix(PREFIX)?.parse().ok()?;
    DRUGS.iter().find(|drug| drug.rxcui == number)
}

/// The strength of an id: the medication's with its place behind it.
pub fn dosage(id: &str) -> Option<Dosage> {
    let (drug, place) = id.trim().rsplit_once('-')?;
    let drug = of_id(drug)?;
    let place = place.parse::<usize>().ok()?.checked_sub(1)?;
    drug.strengths.get(place).map(|strength| Dosage { drug, strength })
}

fn id_of(drug: &Drug) -> String {
    format!("{PREFIX}{}", drug.rxcui)
}

fn shown(drug: &'static Drug) -> Out {
    let strength = |(place, strength): (usize, &&'static str)| {
        let id = format!("{}-{place}", id_of(drug));
        Out::Object(vec![("id", id.into()), ("strength", (*strength).into())])
    };
    Out::Object(vec![
        ("id", id_of(drug).into()),
        ("name", drug.name.into()),
        ("dosages", drug.strengths.to_vec().into()),
        ("dosage_options", Out::List((1..).zip(drug.strengths).map(strength).collect())),
    ])
}

/// `medication_options`.
pub fn list(args: &Args) -> Out {
    let found = found(args.text("keywords").unwrap_or_default());
    Out::List(found.into_iter().map(shown).collect())
}

/// `medication_option`.
pub fn one(args: &Args, ids: &IdCodec) -> Answer<Out> {
    let id = args.text("id").unwrap_or_default();
    if let Some(drug) = of_id(id) {
        return Ok(shown(drug));
    }
    match unlisted(id, "id", ids) {
        refused @ Refused::Foreign { .. } => Err(refused),
        _ => Ok(Out::Null),
    }
}

/// The strength that an input names.
pub fn named(id: &str, at: &str, ids: &IdCodec) -> Answer<Dosage> {
    dosage(id).ok_or_else(|| unlisted(id, at, ids))
}

/// Why nothing of the sample has an id: a record of another environment does (ISO-19), or nothing.
fn unlisted(id: &str, at: &str, ids: &IdCodec) -> Refused {
    parse_id::<Medication>(id, at, ids).err().unwrap_or_else(|| Refused::not_found(last_step(at)))
}

/// `allergySuggestions`: of a type or a category, each once and in the order of names.
pub fn suggestions(args: &Args) -> Out {
    suggested(args.text("category").unwrap_or_default()).into()
}

/// What is suggested for a type or a category; for none, everything.
pub fn suggested(category: &str) -> Vec<&'static str> {
    let category = category.trim().to_ascii_uppercase();
    let types = OF_CATEGORY.iter().find(|(name, _)| *name == category).map(|(_, types)| *types);
    let is_asked = |kind: &str| match types {
        Some(types) => types.contains(&kind),
        None => category.is_empty() || category == kind,
    };
    let asked = SUGGESTIONS.iter().filter(|(kind, _)| is_asked(kind));
    let mut all: Vec<&'static str> = asked.flat_map(|(_, names)| names.iter().copied()).collect();
    all.sort_unstable();
    all.dedup();
    all
}
