//! The people of a seeded world: the same seed gives the same names, addresses
//! and id offsets. All of it is plainly made up (`example.com`, 555-01xx).

use ward_instance::Random;
use ward_store::{Actor, Cond, Flags, Id, Scope, StoreError, Tx};

use crate::flags;
use crate::organization_info;
use crate::practice::{self, NewMember, Place};
use crate::profile::new_license;
use crate::tables::{ORGANIZATIONS, OrgRole, Organization, USERS, User};

/// Ids that this part takes of each entity.
pub const IDS: i64 = 100;

/// States that seeded providers are licensed in.
const LICENSED_IN: [&str; 2] = ["NJ", "NY"];

const FIRST_NAMES: [&str; 16] = [
    "Ada", "Bruno", "Celia", "Dmitri", "Esther", "Farid", "Greta", "Hugo", "Imani", "Jonas",
    "Keiko", "Lars", "Mirela", "Nasser", "Olivia", "Piet",
];
const LAST_NAMES: [&str; 16] = [
    "Ampersand",
    "Brackett",
    "Comma",
    "Dashwood",
    "Ellipsis",
    "Fullstop",
    "Gerund",
    "Hyphen",
    "Italic",
    "Justify",
    "Kerning",
    "Ligature",
    "Margin",
    "Newline",
    "Oblique",
    "Pilcrow",
];

/// A seeded account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seeded {
    /// What it is for: `administrator`, `provider`, `support` …
    pub role: &'static str,
    /// The account.
    pub user_id: i64,
    /// Its organization or sub-organization.
    pub unit_id: i64,
    /// Its address; none for integrations.
    pub email: Option<String>,
    /// First and last name.
    pub name: String,
}

/// What was seeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeededPractice {
    /// The root organization.
    pub org_id: i64,
    /// The sub-organization.
    pub suborganization_id: i64,
    /// Staff, then integrations.
    pub people: Vec<Seeded>,
}

struct Part {
    role: &'static str,
    title: &'static str,
    qualifications: Option<&'static str>,
    is_in_suborganization: bool,
    is_integration: bool,
    place: fn() -> Place,
}

fn provider() -> Place {
    Place::of(OrgRole::Standard)
}

fn lead() -> Place {
    let more = [
        flags::SEES_ALL_CLIENTS,
        flags::CAN_SEE_CLIENTS,
        flags::CAN_SEE_CALENDAR,
        flags::CAN_EDIT_CALENDAR,
        flags::CAN_ADD_OTHERS_APPOINTMENTS,
        flags::CAN_CREATE_TAGS,
    ];
    let Place { role, held } = provider();
    Place { role, held: more.iter().fold(held, |held, it| held.with(it.flag)) }
}

fn support() -> Place {
    Place::of(OrgRole::Support)
}

fn reader() -> Place {
    let held = [flags::CAN_SEE_CLIENTS, flags::SEES_ALL_CLIENTS, flags::CAN_SEE_CALENDAR];
    Place {
        role: OrgRole::Support,
        held: held.iter().fold(Flags::default(), |held, it| held.with(it.flag)),
    }
}

const fn part(role: &'static str, title: &'static str, place: fn() -> Place) -> Part {
    Part {
        role,
        title,
        qualifications: None,
        is_in_suborganization: false,
        is_integration: false,
        place,
    }
}

const PARTS: [Part; 8] = [
    part("administrator", "Practice manager", Place::administrator),
    Part { qualifications: Some("MS, RD"), ..part("lead_provider", "Lead dietitian", lead) },
    Part { qualifications: Some("RD"), ..part("provider", "Dietitian", provider) },
    Part { qualifications: Some("LCSW"), ..part("provider", "Counselor", provider) },
    part("support", "Front desk", support),
    Part {
        qualifications: Some("RD"),
        is_in_suborganization: true,
        ..part("suborganization_provider", "Dietitian", lead)
    },
    Part { is_integration: true, ..part("integration", "Scheduling bridge", Place::integration) },
    Part { is_integration: true, ..part("integration_reader", "Read-only bridge", reader) },
];

/// Seeds a sub-organization, six members and two integrations into an
/// organization that has its owner. `password_hash` is everybody's password;
/// without one, nobody can sign in until a link is used.
pub async fn seed(
    tx: &mut Tx,
    org_id: i64,
    random: &Random,
    password_hash: Option<&str>,
) -> Result<SeededPractice, StoreError> {
    let first_organization = tx.reserve_ids(ORGANIZATIONS.entity, IDS, IDS).await?;
    let first_user = tx.reserve_ids(USERS.entity, IDS, IDS).await?;
    let system = Actor::system(org_id);
    let mut scope = Scope::new(tx, &system);
    let root = scope.find_by::<Organization>(Cond::eq("id", org_id)).await?;
    let root = root.ok_or_else(|| StoreError::internal("there is no such organization"))?;
    let branch = branch(&mut scope, Id::new(first_organization), &root).await?;
    let mut people = Vec::with_capacity(PARTS.len());
    let (mut first_names, mut last_names) = (FIRST_NAMES.to_vec(), LAST_NAMES.to_vec());
    for (n, part) in (0_i64..).zip(&PARTS) {
        let member = member(part, n, random, (&mut first_names, &mut last_names), password_hash);
        let unit = if part.is_in_suborganization { &branch } else { &root };
        let id = Id::<User>::new(first_user + n);
        let (user, _) =
            practice::add_member_as(&mut scope, id, unit, &member, (part.place)()).await?;
        if user.invite_code.is_some() {
            license(&mut scope, &user).await?;
        }
        if part.is_in_suborganization {
            let owned = Organization { owner_id: Some(user.id), ..branch.clone() };
            scope.update(&branch, &owned).await?;
        }
        people.push(Seeded {
            role: part.role,
            user_id: user.id.0,
            unit_id: unit.id.0,
            name: user.full_name(),
            email: user.email,
        });
    }
    Ok(SeededPractice { org_id, suborganization_id: branch.id.0, people })
}

/// Licenses a seeded provider where the seeded clients live.
async fn license(scope: &mut Scope<'_>, provider: &User) -> Result<(), StoreError> {
    for state in LICENSED_IN {
        let row = new_license(scope.next_id().await?, provider, state, scope.now());
        scope.create(&row).await?;
    }
    Ok(())
}

async fn branch(
    scope: &mut Scope<'_>,
    id: Id<Organization>,
    root: &Organization,
) -> Result<Organization, StoreError> {
    let now = scope.now();
    let name = format!("{} North", root.name);
    let mut branch =
        practice::blank_organization(id, root.org_id, &name, "north@practice.example.com", now);
    branch.phone_number = Some("+1 202-555-0199".to_owned());
    scope.create(&branch).await?;
    organization_info::create_primary(scope, &branch).await?;
    Ok(branch)
}

/// Draws a person; no name is drawn twice.
fn member(
    part: &Part,
    n: i64,
    random: &Random,
    (first_names, last_names): (&mut Vec<&'static str>, &mut Vec<&'static str>),
    password_hash: Option<&str>,
) -> NewMember {
    let first_name = take(first_names, random);
    let last_name = take(last_names, random);
    if part.is_integration {
        return NewMember {
            first_name: part.title.to_owned(),
            last_name: "(integration)".to_owned(),
            title: Some("Integration".to_owned()),
            is_integration: true,
            ..NewMember::default()
        };
    }
    let local = format!("{first_name}.{last_name}").to_lowercase();
    NewMember {
        first_name: first_name.to_owned(),
        last_name: last_name.to_owned(),
        email: Some(format!("{local}@practice.example.com")),
        phone_number: Some(format!("+1 202-555-01{:02}", n + 10)),
        timezone: Some("America/New_York".to_owned()),
        qualifications: part.qualifications.map(str::to_owned),
        title: Some(part.title.to_owned()),
        password_hash: password_hash.map(str::to_owned),
        is_integration: false,
    }
}

fn take(names: &mut Vec<&'static str>, random: &Random) -> &'static str {
    let at = usize::try_from(random.below(names.len() as u64)).unwrap_or(0);
    names.swap_remove(at)
}
