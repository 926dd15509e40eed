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
    /// The sub-organizations.
    pub branches: Vec<i64>,
    /// Staff, then integrations.
    pub people: Vec<Seeded>,
}

/// Who is there besides the owner, and where.
pub struct Cast {
    /// What sub-organizations are called behind the practice's name.
    pub branches: &'static [&'static str],
    /// Staff, then integrations.
    pub parts: &'static [Part],
}

/// One of the cast.
pub struct Part {
    /// What it is for; who can be given clients ends with `provider`.
    pub role: &'static str,
    /// Title in the organization; an integration's name.
    pub title: &'static str,
    /// Letters behind the name.
    pub qualifications: Option<&'static str>,
    /// Which sub-organization; the root without.
    pub branch: Option<usize>,
    /// A program's account.
    pub is_integration: bool,
    /// What they may do.
    pub place: fn() -> Place,
}

impl Part {
    /// Staff of the root.
    pub const fn new(role: &'static str, title: &'static str, place: fn() -> Place) -> Self {
        Part { role, title, qualifications: None, branch: None, is_integration: false, place }
    }
}

/// A provider with their own clients.
pub fn provider() -> Place {
    Place::of(OrgRole::Standard)
}

/// A provider who sees all clients.
pub fn lead() -> Place {
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

/// A front desk.
pub fn support() -> Place {
    Place::of(OrgRole::Support)
}

fn reader() -> Place {
    let held = [flags::CAN_SEE_CLIENTS, flags::SEES_ALL_CLIENTS, flags::CAN_SEE_CALENDAR];
    Place {
        role: OrgRole::Support,
        held: held.iter().fold(Flags::default(), |held, it| held.with(it.flag)),
    }
}

/// Who manages a practice.
pub const ADMINISTRATOR: Part =
    Part::new("administrator", "Practice manager", Place::administrator);
/// A program that reads and writes.
pub const INTEGRATION: Part = Part {
    is_integration: true,
    ..Part::new("integration", "Scheduling bridge", Place::integration)
};
/// A program that reads.
pub const READER: Part =
    Part { is_integration: true, ..Part::new("integration_reader", "Read-only bridge", reader) };

/// The standard practice's.
pub const STANDARD: Cast = Cast {
    branches: &["North"],
    parts: &[
        ADMINISTRATOR,
        Part {
            qualifications: Some("MS, RD"),
            ..Part::new("lead_provider", "Lead dietitian", lead)
        },
        Part { qualifications: Some("RD"), ..Part::new("provider", "Dietitian", provider) },
        Part { qualifications: Some("LCSW"), ..Part::new("provider", "Counselor", provider) },
        Part::new("support", "Front desk", support),
        Part {
            qualifications: Some("RD"),
            branch: Some(0),
            ..Part::new("suborganization_provider", "Dietitian", lead)
        },
        INTEGRATION,
        READER,
    ],
};

/// Seeds a sub-organization, six members and two integrations into an
/// organization that has its owner. `password_hash` is everybody's password;
/// without one, nobody can sign in until a link is used.
pub async fn seed(
    tx: &mut Tx,
    org_id: i64,
    random: &Random,
    password_hash: Option<&str>,
) -> Result<SeededPractice, StoreError> {
    seed_cast(tx, org_id, random, (&STANDARD, password_hash)).await
}

/// The same with another cast.
pub async fn seed_cast(
    tx: &mut Tx,
    org_id: i64,
    random: &Random,
    (cast, password_hash): (&Cast, Option<&str>),
) -> Result<SeededPractice, StoreError> {
    let first_organization = tx.reserve_ids(ORGANIZATIONS.entity, IDS, IDS).await?;
    let first_user = tx.reserve_ids(USERS.entity, IDS, IDS).await?;
    let system = Actor::system(org_id);
    let mut scope = Scope::new(tx, &system);
    let root = scope.find_by::<Organization>(Cond::eq("id", org_id)).await?;
    let root = root.ok_or_else(|| StoreError::internal("there is no such organization"))?;
    let mut branches = Vec::with_capacity(cast.branches.len());
    for (n, name) in (0_i64..).zip(cast.branches) {
        branches.push(branch(&mut scope, Id::new(first_organization + n), &root, name).await?);
    }
    let mut people = Vec::with_capacity(cast.parts.len());
    let (mut first_names, mut last_names) = (FIRST_NAMES.to_vec(), LAST_NAMES.to_vec());
    for (n, part) in (0_i64..).zip(cast.parts) {
        let member = member(part, n, random, (&mut first_names, &mut last_names), password_hash);
        let branch = part.branch.and_then(|at| branches.get(at));
        let unit = branch.unwrap_or(&root);
        let id = Id::<User>::new(first_user + n);
        let (user, _) =
            practice::add_member_as(&mut scope, id, unit, &member, (part.place)()).await?;
        if user.invite_code.is_some() {
            license(&mut scope, &user).await?;
        }
        if let Some(branch) = branch {
            let owned = Organization { owner_id: Some(user.id), ..branch.clone() };
            scope.update(branch, &owned).await?;
        }
        people.push(Seeded {
            role: part.role,
            user_id: user.id.0,
            unit_id: unit.id.0,
            name: user.full_name(),
            email: user.email,
        });
    }
    let branches = branches.iter().map(|branch| branch.id.0).collect();
    Ok(SeededPractice { org_id, branches, people })
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
    name: &str,
) -> Result<Organization, StoreError> {
    let now = scope.now();
    let address = format!("{}@practice.example.com", name.to_lowercase());
    let name = format!("{} {name}", root.name);
    let mut branch = practice::blank_organization(id, root.org_id, &name, &address, now);
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
