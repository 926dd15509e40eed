//! `signUp` (behaviour 18.1): a client joins a provider, or a provider founds
//! an organization.

use std::sync::Arc;

use ward_engine::{Answer, Call, Payload, Problems, Refused, Request, input, moment, parse_id};
use ward_store::{Id, Query, Scope, Sql, StoreError, Tx, Value};

use crate::account::{self, NAMESPACE};
use crate::attempt::{self, Subjects};
use crate::person::Person;
use crate::practice::{self, NewMember};
use crate::tables::{InviteKind, PasswordSetBy, User};
use crate::{email, events, password, session};

/// Characters of a name at most.
const NAME_CHARACTERS_MAX: usize = 255;

/// What a stranger is told who wants to found an organization on a server that
/// does not take new ones.
pub const CLOSED: &str =
    "New organizations can't sign up on this server. Ask its operator for an account";

input! {
    /// `signUp`.
    pub struct SignUp {
        role: String,
        first_name: String,
        last_name: String,
        legal_name: String,
        email: String,
        password: String,
        phone_number: String,
        timezone: String,
        dietitian_id: String,
        invite_code: String,
    }
}

/// Which account is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WantedRole {
    /// A client of a provider.
    Patient,
    /// A provider with an organization of their own.
    Dietitian,
}

/// Everything checked that needs no account to be looked up.
#[derive(Clone, Debug)]
pub struct Applicant {
    role: WantedRole,
    first_name: String,
    last_name: String,
    legal_name: Option<String>,
    email: String,
    hash: String,
    phone_number: Option<String>,
    timezone: Option<String>,
    provider: Option<Id<User>>,
    invite_code: Option<String>,
}

/// What is wrong with an application, all at once. Of the password only its
/// length: how hard it is to guess is for [`prepare`], which counts attempts.
pub fn problems(input: &SignUp) -> Problems {
    let mut problems = Problems::new();
    for (name, label, given) in [
        ("first_name", "First name", &input.first_name),
        ("last_name", "Last name", &input.last_name),
        ("email", "Email", &input.email),
    ] {
        match given.trimmed() {
            None => problems.add(name, format!("{label} can't be blank")),
            Some(text) if text.chars().count() > NAME_CHARACTERS_MAX => {
                problems.add(name, format!("{label} is too long (maximum is 255 characters)"));
            }
            Some(_) => {}
        }
    }
    if input.email.trimmed().is_some_and(|address| !email::is_valid(address)) {
        problems.add("email", "Email is invalid");
    }
    if input.legal_name.trimmed().is_some_and(|it| it.chars().count() > NAME_CHARACTERS_MAX) {
        problems.add("legal_name", "Legal name is too long (maximum is 255 characters)");
    }
    let given = input.password.value().map_or("", String::as_str);
    if let Some(problem) = password::length_problem(given) {
        problems.add("password", problem);
    }
    match role(input) {
        None => problems.add("role", "Role must be patient or dietitian"),
        Some(WantedRole::Patient)
            if input.dietitian_id.trimmed().or(input.invite_code.trimmed()).is_none() =>
        {
            problems.add("dietitian_id", "Dietitian or invite code can't be blank");
        }
        Some(WantedRole::Dietitian) if input.invite_code.trimmed().is_some() => {
            problems.add("invite_code", "Invite code is for clients who join a provider");
        }
        Some(_) => {}
    }
    if input.timezone.trimmed().is_some_and(|zone| moment::zone(zone).is_none()) {
        problems.add("timezone", "Timezone is not a time zone such as America/New_York");
    }
    problems
}

fn role(input: &SignUp) -> Option<WantedRole> {
    match input.role.trimmed() {
        Some("patient") => Some(WantedRole::Patient),
        Some("dietitian") => Some(WantedRole::Dietitian),
        _ => None,
    }
}

/// Checks the application and hashes the password.
pub async fn prepare(request: Arc<Request>, input: SignUp) -> Answer<Applicant> {
    problems(&input).check()?;
    let role = role(&input).ok_or_else(|| Refused::on("role", "Role can't be blank"))?;
    if role == WantedRole::Dietitian && !request.sign_up_open {
        return Err(Refused::base(CLOSED));
    }
    let provider = match input.dietitian_id.trimmed() {
        Some(text) => Some(parse_id::<User>(text, "input.dietitian_id", request.instance.ids())?),
        None => None,
    };
    if role == WantedRole::Dietitian && provider.is_some() {
        return Err(Refused::on("dietitian_id", "Dietitian is for clients who join a provider"));
    }
    let owned = |given: Option<&str>| given.map(str::to_owned);
    let address = owned(input.email.trimmed()).unwrap_or_default();
    let subjects = Subjects::of(&request, "sign_up", &email::key(&address));
    attempt::count(&request.db, &subjects).await?;
    let given = input.password.value().map_or("", String::as_str);
    judge(&input, given).await?;
    let hash = password::hash(request.instance.random(), given).await?;
    Ok(Applicant {
        role,
        first_name: owned(input.first_name.trimmed()).unwrap_or_default(),
        last_name: owned(input.last_name.trimmed()).unwrap_or_default(),
        legal_name: owned(input.legal_name.trimmed()),
        email: address,
        hash,
        phone_number: owned(input.phone_number.trimmed()),
        timezone: owned(input.timezone.trimmed()),
        provider,
        invite_code: owned(input.invite_code.trimmed()),
    })
}

async fn judge(input: &SignUp, given: &str) -> Answer<()> {
    let personal: Vec<&str> =
        [&input.first_name, &input.last_name, &input.legal_name, &input.email]
            .into_iter()
            .filter_map(|given| given.trimmed())
            .collect();
    let mut problems = Problems::new();
    for problem in password::judge(given, &personal).await? {
        problems.add("password", problem);
    }
    problems.check()
}

/// Makes the account and signs its person in.
pub async fn sign_up(call: &mut Call<'_>, applicant: &Applicant) -> Answer<Payload> {
    let person = match applicant.role {
        WantedRole::Patient => join(call.tx, applicant).await?,
        WantedRole::Dietitian => found(call.tx, applicant).await?,
    };
    let actor = person.actor(None);
    let mut scope = Scope::new(call.tx, &actor);
    let minted = session::begin(&mut scope, &person.user).await?;
    Ok(Payload::new()
        .leaf("token", minted.text.to_string())
        .one("user", person.user.id.0)
        .seen_by(actor))
}

async fn found(tx: &mut Tx, applicant: &Applicant) -> Answer<Person> {
    let member = NewMember {
        first_name: applicant.first_name.clone(),
        last_name: applicant.last_name.clone(),
        email: Some(applicant.email.clone()),
        phone_number: applicant.phone_number.clone(),
        timezone: applicant.timezone.clone(),
        password_hash: Some(applicant.hash.clone()),
        ..NewMember::default()
    };
    let name = format!("{} {}", applicant.first_name, applicant.last_name);
    let founded = practice::found(tx, &name, &member, true).await?;
    Ok(Person {
        user: founded.owner,
        membership: Some(founded.membership),
        is_owner: true,
        provider_zone: None,
    })
}

/// Where a new client belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Target {
    org_id: i64,
    unit_id: i64,
    provider_id: i64,
    provider_zone: Option<String>,
    group_id: Option<i64>,
}

async fn join(tx: &mut Tx, applicant: &Applicant) -> Answer<Person> {
    let target = target(tx, applicant).await?;
    let id = Id::<User>::new(tx.next_id_of("User").await?);
    let blank = Person {
        user: User::blank(
            id,
            Id::new(target.org_id),
            Id::new(target.unit_id),
            Id::new(0),
            tx.now(),
        ),
        membership: None,
        is_owner: false,
        provider_zone: target.provider_zone.clone(),
    };
    let client = User {
        is_patient: true,
        email: Some(applicant.email.clone()),
        first_name: Some(applicant.first_name.clone()),
        last_name: Some(applicant.last_name.clone()),
        legal_name: applicant.legal_name.clone(),
        phone_number: applicant.phone_number.clone(),
        timezone: applicant.timezone.clone(),
        dietitian_id: Some(Id::new(target.provider_id)),
        user_group_id: target.group_id.map(Id::new),
        password_hash: Some(applicant.hash.clone()),
        password_set_by: Some(PasswordSetBy::Person),
        ..blank.user.clone()
    };
    let mut person = Person { user: client, ..blank };
    let actor = person.actor(None);
    let mut scope = Scope::new(tx, &actor);
    let address = Some(applicant.email.as_str());
    account::lock_address(&mut scope, address).await?;
    if account::is_client_taken(&mut scope, &person.user, None).await? {
        return Err(Refused::on("email", "Email has already been taken"));
    }
    person.user.human_id = account::human_of(&mut scope, NAMESPACE, address, true).await?;
    account::create(&mut scope, &person.user).await?;
    scope.emit(events::patient_created(&person.user));
    Ok(person)
}

/// The provider that a client named, by id or by code; a group's code can come
/// with a provider's id.
async fn target(tx: &mut Tx, applicant: &Applicant) -> Answer<Target> {
    let code = match &applicant.invite_code {
        Some(code) => Some(
            invited(tx, code)
                .await?
                .ok_or_else(|| Refused::on("invite_code", "Invite code is invalid"))?,
        ),
        None => None,
    };
    let named = match applicant.provider {
        Some(id) => {
            let found = provider(tx, id.0, None).await?;
            Some(found.ok_or_else(|| Refused::not_found("dietitian_id"))?)
        }
        None => None,
    };
    match (named, code) {
        (Some(target), None) => Ok(target),
        (Some(target), Some((root_id, kind, id))) => match kind {
            _ if root_id != target.org_id => {
                Err(Refused::on("invite_code", "Invite code is invalid"))
            }
            InviteKind::Group => Ok(Target { group_id: Some(id), ..target }),
            InviteKind::Provider | InviteKind::Organization => Ok(target),
        },
        (None, Some((root_id, kind, id))) => of_code(tx, root_id, kind, id).await,
        (None, None) => Err(Refused::on("dietitian_id", "Dietitian or invite code can't be blank")),
    }
}

async fn of_code(tx: &mut Tx, root_id: i64, kind: InviteKind, id: i64) -> Answer<Target> {
    let invalid = || Refused::on("invite_code", "Invite code is invalid");
    match kind {
        InviteKind::Provider => provider(tx, id, Some(root_id)).await?.ok_or_else(invalid),
        InviteKind::Group | InviteKind::Organization => {
            // Nobody in particular was named: the owner, until somebody is.
            let unit = if kind == InviteKind::Organization { id } else { root_id };
            let sql = Sql::fixed(
                "SELECT owner_id FROM organizations WHERE org_id = $1 AND id = $2",
                [root_id.into(), unit.into()],
            );
            let owner = tx.rows(&sql).await?.scalar().and_then(Value::int).ok_or_else(invalid)?;
            let target = provider(tx, owner, Some(root_id)).await?.ok_or_else(invalid)?;
            Ok(Target { group_id: (kind == InviteKind::Group).then_some(id), ..target })
        }
    }
}

async fn invited(tx: &mut Tx, code: &str) -> Result<Option<(i64, InviteKind, i64)>, StoreError> {
    let sql = Sql::fixed(
        "SELECT root_id, kind, target_id FROM invite_codes WHERE code = $1",
        [code.to_lowercase().into()],
    );
    let rows = tx.rows(&sql).await?;
    let row = rows.iter().next().unwrap_or_default();
    let [root_id, kind, target_id] = row else { return Ok(None) };
    let kind = kind.text().and_then(InviteKind::from_text);
    Ok(root_id
        .int()
        .zip(target_id.int())
        .zip(kind)
        .map(|((root, target), kind)| (root, kind, target)))
}

/// An active provider of an organization that takes new clients.
async fn provider(
    tx: &mut Tx,
    id: i64,
    root_id: Option<i64>,
) -> Result<Option<Target>, StoreError> {
    let sql = Sql::fixed(
        "SELECT u.org_id, u.unit_id, u.timezone FROM users u \
         JOIN organization_memberships m ON m.org_id = u.org_id AND m.user_id = u.id \
         JOIN organizations o ON o.org_id = u.org_id AND o.id = u.unit_id \
         WHERE u.id = $1 AND u.is_patient = FALSE AND u.active = TRUE AND m.active = TRUE \
         AND m.is_provider = TRUE AND o.is_active = TRUE",
        [id.into()],
    );
    let rows = tx.rows(&sql).await?;
    let row = rows.iter().next().unwrap_or_default();
    let [org_id, unit_id, zone] = row else { return Ok(None) };
    let (Some(org_id), Some(unit_id)) = (org_id.int(), unit_id.int()) else { return Ok(None) };
    if root_id.is_some_and(|root| root != org_id) {
        return Ok(None);
    }
    Ok(Some(Target {
        org_id,
        unit_id,
        provider_id: id,
        provider_zone: zone.text().map(str::to_owned),
        group_id: None,
    }))
}
