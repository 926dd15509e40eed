//! Medications: `createMedication` and its siblings, and how they are read (behaviour 39).

use ward_engine::{Answer, Args, Call, Given, Listing, Payload, Problems, Request, input};
use ward_identity::id_or_blank::IdOrBlank;
use ward_identity::tables::{USERS, User};
use ward_store::{Cond, Id};

use crate::client;
use crate::codes::System;
use crate::events::of_medication;
use crate::options::{self, Dosage};
use crate::rules::{self, LINE_CHARS_MAX, NOTES_CHARS_MAX};
use crate::tables::Medication;

input! {
    /// `createMedicationInput`.
    pub struct CreateMedication {
        user_id: IdOrBlank<User>,
        active: bool,
        name: String,
        custom_name: String,
        dosage_option_id: String,
        code: String,
        dosage: String,
        frequency: String,
        route: String,
        directions: String,
        comment: String,
        start_date: String,
        end_date: String,
    }
}

input! {
    /// `updateMedicationInput`.
    pub struct UpdateMedication {
        id: IdOrBlank<Medication>,
        active: bool,
        name: String,
        custom_name: String,
        code: String,
        dosage: String,
        frequency: String,
        route: String,
        directions: String,
        comment: String,
        start_date: String,
        end_date: String,
    }
}

input! {
    /// `destroyMedicationInput`.
    pub struct DeleteMedication { id: IdOrBlank<Medication> }
}

/// What either input says.
struct Said<'a> {
    name: &'a Given<String>,
    custom_name: &'a Given<String>,
    code: &'a Given<String>,
    active: &'a Given<bool>,
    start_date: &'a Given<String>,
    end_date: &'a Given<String>,
    /// Field and what was sent for it.
    texts: [(&'static str, &'a Given<String>); 5],
}

macro_rules! said {
    ($input:expr) => {
        Said {
            name: &$input.name,
            custom_name: &$input.custom_name,
            code: &$input.code,
            active: &$input.active,
            start_date: &$input.start_date,
            end_date: &$input.end_date,
            texts: [
                ("dosage", &$input.dosage),
                ("frequency", &$input.frequency),
                ("route", &$input.route),
                ("directions", &$input.directions),
                ("comment", &$input.comment),
            ],
        }
    };
}

impl Said<'_> {
    /// The row with what was sent. What is taken has no end (behaviour 39).
    fn write(&self, call: &Call<'_>, row: &mut Medication) -> Answer<()> {
        let mut problems = Problems::new();
        rules::lines(&[("name", self.name), ("custom_name", self.custom_name)], &mut problems);
        for (field, value) in &self.texts {
            let most = match *field {
                "directions" | "comment" => NOTES_CHARS_MAX,
                _ => LINE_CHARS_MAX,
            };
            rules::bounded(field, value, most, &mut problems);
            value.set_text(match *field {
                "dosage" => &mut row.dosage,
                "frequency" => &mut row.frequency,
                "route" => &mut row.route,
                "directions" => &mut row.directions,
                _ => &mut row.comment,
            });
        }
        let before = Some(row.name.clone()).filter(|name| !name.is_empty());
        let name = rules::typed_or_chosen(self.custom_name, self.name, before);
        if name.is_none() {
            problems.add("name", "Name can't be blank");
        }
        row.name = name.unwrap_or_default();
        let code = ("code", self.code);
        row.code = rules::code_of(code, row.code.take(), &[System::RxNorm], &mut problems);
        row.active = self.active.value().copied().unwrap_or(row.active);
        let zone = &call.request.zone;
        let start = ("start_date", self.start_date);
        row.start_date = rules::moment_of(start, row.start_date, zone, &mut problems);
        row.end_date = match row.active {
            true => None,
            false => {
                let end = ("end_date", self.end_date);
                rules::moment_of(end, row.end_date, zone, &mut problems)
            }
        };
        let (start, end) = (("start_date", row.start_date), ("end_date", row.end_date));
        rules::ordered(start, end, &mut problems);
        problems.check()
    }
}

/// Notes what a client takes, or took.
pub async fn create(call: &mut Call<'_>, input: &CreateMedication) -> Answer<Payload> {
    let chosen = chosen(call, &input.dosage_option_id)?;
    let client = client::to_write::<Medication>(call, &input.user_id).await?;
    let now = call.now();
    let mut row = Medication {
        id: call.next_id().await?,
        org_id: client.org_id,
        unit_id: client.unit_id,
        user_id: client.id,
        active: false,
        name: chosen.map(|it| it.drug.name.to_owned()).unwrap_or_default(),
        code: chosen.map(|it| it.drug.rxcui.to_string()),
        dosage: chosen.map(|it| it.strength.to_owned()),
        frequency: None,
        route: None,
        directions: None,
        comment: None,
        start_date: None,
        end_date: None,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    said!(input).write(call, &mut row)?;
    call.create(&row).await?;
    call.emit(of_medication("medication.created", &row, &[]));
    Ok(Payload::new().one("medication", row.id.0))
}

/// The strength that was chosen among those offered: it says what is not said otherwise.
fn chosen(call: &Call<'_>, id: &Given<String>) -> Answer<Option<Dosage>> {
    let ids = call.request.instance.ids();
    id.trimmed().map(|id| options::named(id, "input.dosage_option_id", ids)).transpose()
}

/// Changes a medication.
pub async fn update(call: &mut Call<'_>, input: &UpdateMedication) -> Answer<Payload> {
    let before = client::to_change(call, &input.id).await?;
    let mut after = before.clone();
    said!(input).write(call, &mut after)?;
    let changes = call.update(&before, &after).await?;
    if !changes.is_empty() {
        call.emit(of_medication("medication.updated", &after, &changes.columns));
    }
    Ok(Payload::new().one("medication", after.id.0))
}

/// Takes a medication off the list.
pub async fn delete(call: &mut Call<'_>, input: &DeleteMedication) -> Answer<Payload> {
    let row: Medication = client::to_change(call, &input.id).await?;
    call.destroy(&row).await?;
    call.emit(of_medication("medication.deleted", &row, &[]));
    Ok(Payload::new().one("medication", row.id.0))
}

/// `medications`: a client's at a time; a client's own without being named.
pub fn listing(request: &Request, args: &Args) -> Answer<Listing> {
    let own = request.actor.is_client().then(|| Id::new(request.actor.user_id));
    let asked = args.get::<IdOrBlank<User>>("patient_id", request)?.and_then(|id| id.0);
    let Some(client) = asked.or(own) else { return Ok(Listing::none()) };
    let mut cond = Cond::eq("user_id", client.0);
    if let Some(active) = args.bool("active") {
        cond = cond.and(Cond::eq("active", active));
    }
    Ok(Listing::of(cond).naming(&USERS, vec![client.0]))
}

/// `medication`.
pub fn one(request: &Request, args: &Args) -> Answer<Listing> {
    Ok(match args.get::<IdOrBlank<Medication>>("id", request)?.and_then(|id| id.0) {
        Some(id) => Listing::of(Cond::eq("id", id.0)),
        None => Listing::none(),
    })
}
