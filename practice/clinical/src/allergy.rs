//! Allergies, sensitivities, preferences and intolerances: `createAllergySensitivity` and its
//! siblings (behaviour 39).

use ward_engine::{Answer, Args, Call, Given, Listing, Payload, Problems, Refused, Request, input};
use ward_identity::id_or_blank::{IdOrBlank, named};
use ward_identity::tables::User;
use ward_store::{Cond, Id};

use crate::client;
use crate::events::of_allergy;
use crate::rules;
use crate::tables::{AllergySensitivity, Category, Status};

/// What it is that the client does not take.
pub const TYPES: &[&str] = &["FOOD", "DRUG", "ENVIRONMENTAL", "PET", "LATEX", "LIKE", "DISLIKE"];
/// What taking it does.
pub const REACTION_TYPES: &[&str] = &["ALLERGY", "ADVERSE_REACTION"];
/// How bad that is.
pub const SEVERITIES: &[&str] = &["MILD", "MODERATE", "SEVERE", "UNKNOWN"];

const KNOWN: &str = "Name is on this client's list already; change that entry instead";

macro_rules! allergy_input {
    ($(#[$doc:meta])* $name:ident $($field:ident: $ty:ty),*) => {
        input! {
            $(#[$doc])*
            pub struct $name {
                $( $field: $ty, )*
                user_id: IdOrBlank<User>,
                category: String,
                category_type: String,
                custom_name: String,
                custom_reaction: String,
                is_current: bool,
                name: String,
                onset_date: String,
                reaction: String,
                reaction_type: String,
                severity: String,
                status: String,
            }
        }

        impl $name {
            fn said(&self) -> Said<'_> {
                Said {
                    category: &self.category,
                    category_type: &self.category_type,
                    custom_name: &self.custom_name,
                    custom_reaction: &self.custom_reaction,
                    is_current: &self.is_current,
                    name: &self.name,
                    onset_date: &self.onset_date,
                    reaction: &self.reaction,
                    reaction_type: &self.reaction_type,
                    severity: &self.severity,
                    status: &self.status,
                }
            }
        }
    };
}

allergy_input!(
    /// `createAllergySensitivityInput`.
    CreateAllergy
);
allergy_input!(
    /// `updateAllergySensitivityInput`.
    UpdateAllergy id: IdOrBlank<AllergySensitivity>
);

input! {
    /// `deleteAllergySensitivityInput`.
    pub struct DeleteAllergy { id: IdOrBlank<AllergySensitivity> }
}

/// What either input says.
struct Said<'a> {
    category: &'a Given<String>,
    category_type: &'a Given<String>,
    custom_name: &'a Given<String>,
    custom_reaction: &'a Given<String>,
    is_current: &'a Given<bool>,
    name: &'a Given<String>,
    onset_date: &'a Given<String>,
    reaction: &'a Given<String>,
    reaction_type: &'a Given<String>,
    severity: &'a Given<String>,
    status: &'a Given<String>,
}

/// Whether an entry of one status may become one of the other: what is active becomes inactive
/// and back; what is inactive is resolved, for good.
pub const fn may_become(from: Status, to: Status) -> bool {
    use Status::{Active, Inactive, Resolved};
    match (from, to) {
        (Active | Inactive, Active | Inactive) | (Inactive | Resolved, Resolved) => true,
        (Active, Resolved) | (Resolved, Active | Inactive) => false,
    }
}

/// Why it may not, in a sentence.
const fn refusal(from: Status) -> &'static str {
    match from {
        Status::Resolved => {
            "Status can't change any more: what is resolved stays so; add a new entry if it is back"
        }
        Status::Active | Status::Inactive => {
            "Status can't become RESOLVED from ACTIVE; set it to INACTIVE first"
        }
    }
}

impl Said<'_> {
    /// The row with what was sent.
    fn write(&self, call: &Call<'_>, row: &mut AllergySensitivity, is_new: bool) -> Answer<()> {
        let mut problems = Problems::new();
        let texts = [
            ("name", self.name),
            ("custom_name", self.custom_name),
            ("reaction", self.reaction),
            ("custom_reaction", self.custom_reaction),
        ];
        rules::lines(&texts, &mut problems);
        let name = Some(row.name.clone()).filter(|name| !name.is_empty());
        let name = rules::typed_or_chosen(self.custom_name, self.name, name);
        if name.is_none() {
            problems.add("name", "Name can't be blank");
        }
        row.name = name.unwrap_or_default();
        row.reaction =
            rules::typed_or_chosen(self.custom_reaction, self.reaction, row.reaction.take());
        self.write_words(row, is_new, &mut problems);
        let status = self.status(row.status, &mut problems);
        if !is_new && !may_become(row.status, status) {
            problems.add("status", refusal(row.status));
        }
        row.status = status;
        let onset = ("onset_date", self.onset_date);
        row.onset_date = rules::day_of(onset, row.onset_date, &mut problems);
        rules::not_to_come("onset_date", row.onset_date, call.now(), &mut problems);
        problems.check()
    }

    fn write_words(&self, row: &mut AllergySensitivity, is_new: bool, problems: &mut Problems) {
        let before = (!is_new).then(|| row.category.as_str().to_owned());
        let category = ("category", self.category);
        let faults = problems.iter().len();
        let word = rules::word_of(category, before, Category::TEXTS, problems);
        match word.as_deref().and_then(Category::from_text) {
            Some(category) => row.category = category,
            None if problems.iter().len() > faults => {}
            None => problems.add("category", "Category can't be blank"),
        }
        let kind = ("category_type", self.category_type);
        row.category_type = rules::word_of(kind, row.category_type.take(), TYPES, problems);
        let kind = ("reaction_type", self.reaction_type);
        row.reaction_type =
            rules::word_of(kind, row.reaction_type.take(), REACTION_TYPES, problems);
        let severity = ("severity", self.severity);
        row.severity = rules::word_of(severity, row.severity.take(), SEVERITIES, problems);
    }

    /// The status, or the old view of it where that alone was sent.
    fn status(&self, before: Status, problems: &mut Problems) -> Status {
        let word = rules::word_of(("status", self.status), None, Status::TEXTS, problems);
        let said = word.as_deref().and_then(Status::from_text);
        said.unwrap_or(match (self.status.trimmed(), self.is_current.value(), before) {
            (None, Some(true), _) => Status::Active,
            (None, Some(false), Status::Active) => Status::Inactive,
            _ => before,
        })
    }
}

/// Notes what a client does not take well. What is on the list already is answered as the
/// duplicate, and not added a second time.
pub async fn create(call: &mut Call<'_>, input: &CreateAllergy) -> Answer<Payload> {
    let client = client::to_write::<AllergySensitivity>(call, &input.user_id).await?;
    let now = call.now();
    let mut row = AllergySensitivity {
        id: call.next_id().await?,
        org_id: client.org_id,
        unit_id: client.unit_id,
        user_id: client.id,
        created_by_id: Some(Id::new(call.actor.user_id)),
        category: Category::Allergy,
        status: Status::Active,
        category_type: None,
        name: String::new(),
        reaction: None,
        reaction_type: None,
        severity: None,
        onset_date: None,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    input.said().write(call, &mut row, true)?;
    if let Some(other) = duplicate(call, &row).await? {
        return Ok(Payload::new().one("duplicate_allergy", other.0).remark("name", KNOWN));
    }
    call.create(&row).await?;
    call.emit(of_allergy("allergy_sensitivity.created", &row, &[]));
    Ok(Payload::new().one("allergy_sensitivity", row.id.0))
}

/// Changes an entry; it stays the client's whose it is.
pub async fn update(call: &mut Call<'_>, input: &UpdateAllergy) -> Answer<Payload> {
    let before: AllergySensitivity = client::to_change(call, &input.id).await?;
    if named(&input.user_id).is_some_and(|id| id != before.user_id) {
        return Err(Refused::not_found("user_id"));
    }
    let mut after = before.clone();
    input.said().write(call, &mut after, false)?;
    // After two clients became one, the same thing may stand twice: it can be changed all the same.
    let is_renamed = (&after.name, &after.category) != (&before.name, &before.category);
    if is_renamed && let Some(other) = duplicate(call, &after).await? {
        return Ok(Payload::new().one("duplicate_allergy", other.0).remark("name", KNOWN));
    }
    let changes = call.update(&before, &after).await?;
    if !changes.is_empty() {
        call.emit(of_allergy("allergy_sensitivity.updated", &after, &changes.columns));
    }
    Ok(Payload::new().one("allergy_sensitivity", after.id.0))
}

/// Takes an entry off the list.
pub async fn delete(call: &mut Call<'_>, input: &DeleteAllergy) -> Answer<Payload> {
    let row: AllergySensitivity = client::to_change(call, &input.id).await?;
    call.destroy(&row).await?;
    call.emit(of_allergy("allergy_sensitivity.deleted", &row, &[]));
    Ok(Payload::new().one("allergy_sensitivity", row.id.0))
}

/// Another entry of the client's for the same thing that is not resolved. Names are sealed, so
/// they are compared here.
async fn duplicate(
    call: &mut Call<'_>,
    row: &AllergySensitivity,
) -> Answer<Option<Id<AllergySensitivity>>> {
    if row.status == Status::Resolved {
        return Ok(None);
    }
    let cond = Cond::eq("user_id", row.user_id.0).and(Cond::eq("category", row.category.as_str()));
    let others: Vec<AllergySensitivity> = call.list(cond, &[]).await?;
    let name = row.name.to_lowercase();
    let is_same = |it: &&AllergySensitivity| {
        it.id != row.id && it.status != Status::Resolved && it.name.to_lowercase() == name
    };
    Ok(others.iter().find(is_same).map(|it| it.id))
}

/// `User.allergy_sensitivities`: of a category, and what is current alone where that is asked
/// for.
pub fn listing(_: &Request, args: &Args) -> Answer<Listing> {
    let mut listing = of_category(args);
    if args.flag("is_current") {
        listing.filter = listing.filter.and(Cond::eq("status", Status::Active.as_str()));
    }
    Ok(listing)
}

/// `User.last_updated_allergy`.
pub fn last(_: &Request, args: &Args) -> Answer<Listing> {
    Ok(of_category(args))
}

fn of_category(args: &Args) -> Listing {
    match args.text("category") {
        None => Listing::all(),
        Some(text) => match Category::from_text(&text.to_ascii_uppercase()) {
            Some(category) => Listing::of(Cond::eq("category", category.as_str())),
            None => Listing::none(),
        },
    }
}
