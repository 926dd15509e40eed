//! What members show of themselves, written inside the inputs that change a
//! member: licences, professions, specialties, biography, further numbers.
//!
//! Each list is checked whole before anything of it is written.

use std::collections::BTreeSet;

use ward_engine::{Answer, Call, Given, Problems, Refused, input};
use ward_store::{Cond, Id};

use crate::states;
use crate::tables::{OtherIdNumber, Profession, ProviderBio, Specialty, StateLicense, User};

/// Entries of a list at most.
const ENTRIES_MAX: usize = 100;
/// Characters of a line.
const LINE_CHARACTERS_MAX: usize = 255;
/// Characters of a biography.
const BIO_CHARACTERS_MAX: usize = 20_000;

input! {
    /// `StateLicensesInput`: without `id` a licence is added, with `id` its
    /// state changes, with `_destroy` it goes.
    pub struct StateLicenseEntry {
        id: Id<StateLicense>,
        state: String,
        _destroy: bool,
    }
}

input! {
    /// `ProfessionsInput`.
    pub struct ProfessionEntry {
        profession: String,
        profession_category: String,
    }
}

input! {
    /// `SpecialtiesInput`.
    pub struct SpecialtyEntry {
        specialty: String,
        specialty_category: String,
    }
}

input! {
    /// `ProviderBioInput`; a member has one, so its `id` need not be sent.
    pub struct BioEntry {
        id: Id<ProviderBio>,
        bio: String,
    }
}

input! {
    /// `OtherIdNumberInput`: without `id` a number is added, with `id` it
    /// changes, and goes when both its texts are sent blank. `user_id` may
    /// name the member whose it is and nobody else.
    pub struct OtherIdEntry {
        id: Id<OtherIdNumber>,
        other_id: String,
        other_id_qualifier: String,
        user_id: Id<User>,
    }
}

/// What inputs that change a member may say of their profile.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    /// `state_licenses`.
    pub state_licenses: Given<Vec<StateLicenseEntry>>,
    /// `professions`: replaces those there are.
    pub professions: Given<Vec<ProfessionEntry>>,
    /// `specialties`: replaces those there are.
    pub specialties: Given<Vec<SpecialtyEntry>>,
    /// `provider_bio`.
    pub provider_bio: Given<BioEntry>,
    /// `other_id_numbers`.
    pub other_id_numbers: Given<Vec<OtherIdEntry>>,
}

fn entries<T>(given: &Given<Vec<T>>) -> &[T] {
    given.value().map(Vec::as_slice).unwrap_or_default()
}

/// What is wrong with a profile, before anything is looked up.
pub fn check(profile: &Profile, problems: &mut Problems) {
    let lengths = [
        ("state_licenses", entries(&profile.state_licenses).len()),
        ("professions", entries(&profile.professions).len()),
        ("specialties", entries(&profile.specialties).len()),
        ("other_id_numbers", entries(&profile.other_id_numbers).len()),
    ];
    for (field, length) in lengths {
        if length > ENTRIES_MAX {
            problems.add(field, format!("At most {ENTRIES_MAX} can be sent at once"));
        }
    }
    for entry in entries(&profile.state_licenses) {
        let is_change = !entry._destroy.is_true();
        if is_change && entry.state.trimmed().and_then(states::code).is_none() {
            problems
                .add("state_licenses", "State must be a state of the United States, such as NY");
        }
    }
    for entry in entries(&profile.professions) {
        pair("professions", "Profession", &entry.profession, problems);
        bounded("professions", "Profession category", &entry.profession_category, problems);
    }
    for entry in entries(&profile.specialties) {
        pair("specialties", "Specialty", &entry.specialty, problems);
        bounded("specialties", "Specialty category", &entry.specialty_category, problems);
    }
    for entry in entries(&profile.other_id_numbers) {
        bounded("other_id_numbers", "Other id", &entry.other_id, problems);
        bounded("other_id_numbers", "Other id qualifier", &entry.other_id_qualifier, problems);
    }
    if let Some(bio) = profile.provider_bio.value()
        && bio.bio.value().is_some_and(|text| text.chars().count() > BIO_CHARACTERS_MAX)
    {
        let text = format!("Bio is too long (maximum is {BIO_CHARACTERS_MAX} characters)");
        problems.add("provider_bio", text);
    }
}

fn pair(field: &str, label: &str, given: &Given<String>, problems: &mut Problems) {
    if given.trimmed().is_none() {
        problems.add(field, format!("{label} can't be blank"));
    }
    bounded(field, label, given, problems);
}

fn bounded(field: &str, label: &str, given: &Given<String>, problems: &mut Problems) {
    if given.value().is_some_and(|text| text.chars().count() > LINE_CHARACTERS_MAX) {
        let text = format!("{label} is too long (maximum is {LINE_CHARACTERS_MAX} characters)");
        problems.add(field, text);
    }
}

/// Writes a profile that [`check`] found nothing wrong with; the names of what
/// changed. The caller has made sure that the actor may change the member.
pub async fn write(
    call: &mut Call<'_>,
    user: &User,
    profile: &Profile,
) -> Answer<Vec<&'static str>> {
    let changed = [
        ("state_licenses", write_licenses(call, user, &profile.state_licenses).await?),
        ("professions", write_professions(call, user, &profile.professions).await?),
        ("specialties", write_specialties(call, user, &profile.specialties).await?),
        ("provider_bio", write_bio(call, user, &profile.provider_bio).await?),
        ("other_id_numbers", write_numbers(call, user, &profile.other_id_numbers).await?),
    ];
    Ok(changed.into_iter().filter(|(_, changed)| *changed).map(|(name, _)| name).collect())
}

fn of(user: &User) -> Cond {
    Cond::eq("user_id", user.id.0)
}

async fn write_licenses(
    call: &mut Call<'_>,
    user: &User,
    given: &Given<Vec<StateLicenseEntry>>,
) -> Answer<bool> {
    let at = "state_licenses";
    let mut held: Vec<StateLicense> = match entries(given) {
        [] => return Ok(false),
        _ => call.list(of(user), &[]).await?,
    };
    let mut changed = false;
    for entry in entries(given) {
        let state = entry.state.trimmed().and_then(states::code);
        let known = match entry.id.value() {
            Some(id) => {
                let at_place = held.iter().position(|row| row.id == *id);
                Some(at_place.ok_or_else(|| Refused::not_found(at))?)
            }
            None => None,
        };
        match (known, state) {
            (Some(place), _) if entry._destroy.is_true() => {
                call.destroy(&held.remove(place)).await?;
                changed = true;
            }
            // Twice the same says nothing new.
            (_, Some(state)) if held.iter().any(|row| row.state == state) => {}
            (Some(place), Some(state)) => {
                let after = StateLicense { state: state.to_owned(), ..held[place].clone() };
                changed |= !call.update(&held[place], &after).await?.is_empty();
                held[place] = after;
            }
            (None, Some(state)) if !entry._destroy.is_true() => {
                let row = new_license(call.next_id().await?, user, state, call.now());
                call.create(&row).await?;
                held.push(row);
                changed = true;
            }
            _ => {}
        }
    }
    Ok(changed)
}

/// A member's licence in a state.
pub fn new_license(
    id: Id<StateLicense>,
    user: &User,
    state: &str,
    now: ward_instance::Timestamp,
) -> StateLicense {
    StateLicense {
        id,
        org_id: user.org_id,
        unit_id: user.unit_id,
        user_id: user.id,
        state: state.to_owned(),
        created_at: now,
        updated_at: now,
    }
}

async fn write_professions(
    call: &mut Call<'_>,
    user: &User,
    given: &Given<Vec<ProfessionEntry>>,
) -> Answer<bool> {
    if !given.is_given() {
        return Ok(false);
    }
    let wanted: BTreeSet<(String, String)> = entries(given)
        .iter()
        .filter_map(|it| words(&it.profession, &it.profession_category))
        .collect();
    let held: Vec<Profession> = call.list(of(user), &[]).await?;
    let is_held = |pair: &(String, String)| {
        held.iter().any(|row| row.profession == pair.0 && row.profession_category == pair.1)
    };
    let mut changed = false;
    for (profession, profession_category) in wanted.iter().filter(|pair| !is_held(pair)).cloned() {
        let (id, now) = (call.next_id().await?, call.now());
        let row = Profession {
            id,
            org_id: user.org_id,
            unit_id: user.unit_id,
            user_id: user.id,
            profession,
            profession_category,
            created_at: now,
            updated_at: now,
        };
        call.create(&row).await?;
        changed = true;
    }
    for row in &held {
        if !wanted.contains(&(row.profession.clone(), row.profession_category.clone())) {
            call.destroy(row).await?;
            changed = true;
        }
    }
    Ok(changed)
}

async fn write_specialties(
    call: &mut Call<'_>,
    user: &User,
    given: &Given<Vec<SpecialtyEntry>>,
) -> Answer<bool> {
    if !given.is_given() {
        return Ok(false);
    }
    let wanted: BTreeSet<(String, String)> = entries(given)
        .iter()
        .filter_map(|it| words(&it.specialty, &it.specialty_category))
        .collect();
    let held: Vec<Specialty> = call.list(of(user), &[]).await?;
    let is_held = |pair: &(String, String)| {
        held.iter().any(|row| row.specialty == pair.0 && row.specialty_category == pair.1)
    };
    let mut changed = false;
    for (specialty, specialty_category) in wanted.iter().filter(|pair| !is_held(pair)).cloned() {
        let (id, now) = (call.next_id().await?, call.now());
        let row = Specialty {
            id,
            org_id: user.org_id,
            unit_id: user.unit_id,
            user_id: user.id,
            specialty,
            specialty_category,
            created_at: now,
            updated_at: now,
        };
        call.create(&row).await?;
        changed = true;
    }
    for row in &held {
        if !wanted.contains(&(row.specialty.clone(), row.specialty_category.clone())) {
            call.destroy(row).await?;
            changed = true;
        }
    }
    Ok(changed)
}

fn words(word: &Given<String>, category: &Given<String>) -> Option<(String, String)> {
    let category = category.trimmed().unwrap_or_default().to_owned();
    word.trimmed().map(|word| (word.to_owned(), category))
}

async fn write_bio(call: &mut Call<'_>, user: &User, given: &Given<BioEntry>) -> Answer<bool> {
    let Some(entry) = given.value() else { return Ok(false) };
    let held: Option<ProviderBio> = call.find_by(of(user)).await?;
    if let Some(id) = entry.id.value()
        && held.as_ref().is_none_or(|row| row.id != *id)
    {
        return Err(Refused::not_found("provider_bio"));
    }
    let text = entry.bio.trimmed();
    match (held, text) {
        (Some(row), None) => call.destroy(&row).await?,
        (Some(row), Some(text)) => {
            let after = ProviderBio { bio: text.to_owned(), ..row.clone() };
            return Ok(!call.update(&row, &after).await?.is_empty());
        }
        (None, Some(text)) => {
            let (id, now) = (call.next_id().await?, call.now());
            let row = ProviderBio {
                id,
                org_id: user.org_id,
                unit_id: user.unit_id,
                user_id: user.id,
                bio: text.to_owned(),
                version: 1,
                created_at: now,
                updated_at: now,
            };
            call.create(&row).await?;
        }
        (None, None) => return Ok(false),
    }
    Ok(true)
}

async fn write_numbers(
    call: &mut Call<'_>,
    user: &User,
    given: &Given<Vec<OtherIdEntry>>,
) -> Answer<bool> {
    let at = "other_id_numbers";
    let mut changed = false;
    for entry in entries(given) {
        if entry.user_id.value().is_some_and(|id| *id != user.id) {
            return Err(Refused::not_found(at));
        }
        let Some(id) = entry.id.value() else {
            changed |= add_number(call, user, entry).await?;
            continue;
        };
        let before: Option<OtherIdNumber> = call.find(*id).await?;
        let before = before.filter(|row| row.user_id == user.id);
        let before = before.ok_or_else(|| Refused::not_found(at))?;
        let mut after = before.clone();
        entry.other_id.set_text(&mut after.other_id);
        entry.other_id_qualifier.set_text(&mut after.other_id_qualifier);
        if after.other_id.is_none() && after.other_id_qualifier.is_none() {
            call.destroy(&before).await?;
            call.emit(crate::events::other_id_number_deleted(&before));
            changed = true;
            continue;
        }
        let changes = call.update(&before, &after).await?;
        if !changes.is_empty() {
            call.emit(crate::events::other_id_number_updated(&after, &changes.columns));
            changed = true;
        }
    }
    Ok(changed)
}

async fn add_number(call: &mut Call<'_>, user: &User, entry: &OtherIdEntry) -> Answer<bool> {
    let owned = |given: &Given<String>| given.trimmed().map(str::to_owned);
    let (other_id, other_id_qualifier) = (owned(&entry.other_id), owned(&entry.other_id_qualifier));
    if other_id.is_none() && other_id_qualifier.is_none() {
        return Ok(false);
    }
    let (id, now) = (call.next_id().await?, call.now());
    let row = OtherIdNumber {
        id,
        org_id: user.org_id,
        unit_id: user.unit_id,
        user_id: user.id,
        other_id,
        other_id_qualifier,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    call.create(&row).await?;
    call.emit(crate::events::other_id_number_created(&row));
    Ok(true)
}
