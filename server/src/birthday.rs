//! The first organization of an instance, its development credentials, and
//! the Sandbox's synthetic data.

use std::ops::Range;
use std::path::Path;

use jiff::civil::Date;
use serde_json::{Value as Json, json};
use ward_clients::seed::{Ground, MOST};
use ward_clients::seed_messy;
use ward_clients::seed_people::{self, PEOPLE, Person};
use ward_identity::admin as identity;
use ward_identity::admin::AdminError;
use ward_identity::practice::NewMember;
use ward_identity::seed::Seeded;
use ward_identity::tables::{CredentialClass, Organization, PasswordSetBy, User};
use ward_instance::{IsoError, Random};
use ward_messaging::notices::appointments;
use ward_messaging::seed::Talk;
use ward_scheduling::tables::AppointmentType;
use ward_scheduling::{seed_appointments, seed_edges};
use ward_store::{Actor, Db, Id, Query, Scope, Sql, StoreError, Tx, Value};

use crate::admin::{self, Context, credentials_file};
use crate::packs::{More, Pack, World};
use crate::place::ServerError;

/// Who the first organization is.
#[derive(Clone, Debug)]
pub struct Founder {
    /// Its name.
    pub organization: String,
    /// The owner's address.
    pub owner_email: String,
    /// The owner's first name.
    pub first_name: String,
    /// The owner's last name.
    pub last_name: String,
}

/// Makes the first organization and its owner; the answer has the owner's
/// one-time link.
pub async fn found(db: &Db, founder: &Founder) -> Result<Json, ServerError> {
    let founder = founder.clone();
    let founded = db.write(move |tx: &mut Tx| {
        let founder = founder.clone();
        Box::pin(found_in(tx, founder))
    });
    founded.await.map_err(admin::refused)
}

/// The same inside a transaction.
pub async fn found_in(tx: &mut Tx, founder: Founder) -> Result<Json, AdminError> {
    let base_url = tx.instance().base_url().to_string();
    let owner = NewMember {
        first_name: founder.first_name,
        last_name: founder.last_name,
        email: Some(founder.owner_email),
        ..NewMember::default()
    };
    let founded =
        identity::create_organization_with_owner(tx, &founder.organization, &owner).await?;
    let actor = Actor::system(founded.organization.id.0);
    let mut scope = Scope::new(tx, &actor);
    let link = identity::one_time_link(&mut scope, founded.owner.id, &base_url).await?;
    Ok(json!({
        "organization_id": founded.organization.id.to_string(),
        "owner_id": founded.owner.id.to_string(),
        "set_password_link": link.as_str(),
    }))
}

/// Clients of one transaction: enough to share the work of a commit, few enough
/// to hold in memory.
const AT_ONCE: usize = 2_500;

/// Fills the Sandbox. The same seed gives the same data, and the same ids as
/// offsets in the slot. Refused in Production, and where it was done before.
/// A seed that is cut off leaves whole clients, but fewer; a reset starts over.
pub async fn seed(
    context: &Context,
    (pack, seed): (Pack, u64),
    clients: Option<u32>,
) -> Result<Json, ServerError> {
    let Some(witness) = context.instance.witness().sandbox() else {
        let fix = "seed a Sandbox instead";
        return Err(IsoError::new(
            "ISO-35",
            "synthetic data exists in a Sandbox only; this is Production",
            fix,
        )
        .into());
    };
    let Some(world) = pack.world(&witness) else { return Ok(json!({"pack": pack.as_str()})) };
    let count = clients.map_or(world.clients, |count| count as usize);
    if count != world.clients && pack != Pack::Standard {
        return Err(ServerError::Usage(format!(
            "the pack {} has {} clients; only the standard one is made larger",
            pack.as_str(),
            world.clients
        )));
    }
    if count == 0 || count > MOST {
        return Err(ServerError::Usage(format!("a Sandbox is seeded with 1 to {MOST} clients")));
    }
    let org_id = admin::founding(&context.db).await?.ok_or_else(no_organization)?;
    if is_seeded(&context.db).await? {
        return Err(ServerError::Usage(
            "this Sandbox is seeded already; ward sandbox reset --seed N starts over".to_owned(),
        ));
    }
    let seeded = context
        .db
        .write(move |tx: &mut Tx| Box::pin(seed_practice(tx, org_id, (world, seed), count)));
    let (ground, talk, mut answer) = seeded.await?;
    let mut done = count.min(PEOPLE);
    while done < count {
        context.tell(done as u64, count as u64);
        let places = done..count.min(done + AT_ONCE);
        done = places.end;
        let (ground, talk) = (ground.clone(), talk.clone());
        let made = context.db.write(move |tx: &mut Tx| {
            let (ground, talk, places) = (ground.clone(), talk.clone(), places.clone());
            Box::pin(async move {
                let actor = Actor::system(org_id);
                clients_at(tx, &actor, (&ground, &talk), places).await.map(drop)
            })
        });
        made.await?;
    }
    context.tell(count as u64, count as u64);
    if count > AT_ONCE {
        context.db.learn().await?;
    }
    answer["pack"] = pack.as_str().into();
    answer["clients"] = count.into();
    answer["conversations"] = ward_messaging::seed::conversations_of(count).into();
    Ok(answer)
}

/// Staff, groups, tags and the first clients with their conversations.
async fn seed_practice(
    tx: &mut Tx,
    org_id: i64,
    (world, seed): (&World, u64),
    count: usize,
) -> Result<(Ground, Talk, Json), StoreError> {
    let random = Random::seeded(seed);
    let cast = (world.cast, None);
    let practice = ward_identity::seed::seed_cast(tx, org_id, &random, cast).await?;
    let actor = Actor::system(org_id);
    let mut scope = Scope::new(tx, &actor);
    let mut providers = Vec::new();
    for person in practice.people.iter().filter(|person| person.role.ends_with("provider")) {
        providers.extend(scope.find::<User>(Id::new(person.user_id)).await?);
    }
    if providers.is_empty() {
        providers.extend(owner(&mut scope).await?);
    }
    let people = if world.more == More::Edges { edge_people } else { seed_people::people };
    let clients = (count, &world.theme, people);
    let ground = ward_clients::seed::lay_for(&mut scope, &providers, &random, clients).await?;
    let talk = ward_messaging::seed::lay(&mut scope, &random, count).await?;
    let types = ward_scheduling::seed::lay_these(&mut scope, &providers, world.types).await?;
    let clients = clients_at(tx, &actor, (&ground, &talk), 0..count.min(PEOPLE)).await?;
    let mut scope = Scope::new(tx, &actor);
    let met = if world.more == More::Edges { seed_messy::MET } else { clients.len() };
    let met = clients.get(..met).unwrap_or(&clients);
    seed_appointments::appointments(&mut scope, &types, &providers, met).await?;
    // Charts of the first ones, in every world but that of the edges.
    if world.more != More::Edges {
        ward_clinical::seed::lists(&mut scope, &clients).await?;
    }
    more(&mut scope, world, (&practice.branches, &types), (&providers, &clients)).await?;
    appointments::seeds::plan(&mut scope, &clients).await?;
    if let Some(provider) = providers.first() {
        let charted = if world.more == More::Edges { &[] } else { clients.as_slice() };
        ward_charting::seed::lay(&mut scope, provider, charted).await?;
    }
    // It did not happen: no receiver hears of it.
    tx.pending.keep_untold();
    let is_integration = |person: &&Seeded| person.role.starts_with("integration");
    let integrations = practice.people.iter().filter(is_integration).count();
    let answer = json!({
        "seed": seed,
        "organization_id": org_id.to_string(),
        "suborganization_id": practice.branches.first().map(i64::to_string),
        "staff": practice.people.len() - integrations,
        "integrations": integrations,
    });
    Ok((ground, talk, answer))
}

/// Those of the messy pack, who are the same for every seed.
fn edge_people(_: &Random, today: Date) -> Vec<Person> {
    seed_messy::people(today)
}

async fn owner(scope: &mut Scope<'_>) -> Result<Option<User>, StoreError> {
    let root = scope.find::<Organization>(Id::new(scope.actor.org_id)).await?;
    match root.and_then(|root| root.owner_id) {
        Some(id) => scope.find::<User>(id).await,
        None => Ok(None),
    }
}

/// What a world has besides.
async fn more(
    scope: &mut Scope<'_>,
    world: &World,
    (branches, types): (&[i64], &[AppointmentType]),
    (providers, clients): (&[User], &[User]),
) -> Result<(), StoreError> {
    let units = std::iter::once(scope.actor.org_id).chain(branches.iter().copied());
    for (unit, places) in units.collect::<Vec<_>>().into_iter().zip(world.places) {
        seed_edges::places(scope, Id::new(unit), places).await?;
    }
    let [first_visit, follow_up, phone, _] = types else { return Ok(()) };
    match world.more {
        More::None => Ok(()),
        More::Waiting => {
            let behind = clients.iter().rev().take(4).cloned().collect::<Vec<_>>();
            seed_edges::wait(scope, &behind).await?;
            seed_edges::credits(scope, follow_up, clients.get(..6).unwrap_or(clients)).await
        }
        More::Edges => {
            let Some(provider) = providers.first() else { return Ok(()) };
            let theirs = |it: &&User| it.dietitian_id == Some(provider.id);
            let met = clients.iter().take(seed_messy::MET).filter(theirs).cloned();
            seed_edges::edges(scope, first_visit, provider, &met.collect::<Vec<_>>()).await?;
            let archived = AppointmentType { deleted_at: Some(scope.now()), ..phone.clone() };
            scope.update(phone, &archived).await?;
            seed_messy::tangle(scope, clients).await
        }
    }
}

async fn clients_at(
    tx: &mut Tx,
    actor: &Actor,
    (ground, talk): (&Ground, &Talk),
    places: Range<usize>,
) -> Result<Vec<User>, StoreError> {
    let mut scope = Scope::new(tx, actor);
    let first = places.start;
    let clients = ward_clients::seed::clients(&mut scope, ground, places).await?;
    ward_messaging::seed::conversations(&mut scope, talk, first, &clients).await?;
    tx.pending.keep_untold();
    Ok(clients)
}

async fn is_seeded(db: &Db) -> Result<bool, StoreError> {
    let mut reader = db.read().await?;
    // Every pack has one.
    let sql = "SELECT COUNT(*) FROM users WHERE is_patient = $1 AND last_name = '(integration)'";
    let rows = reader.rows(&Sql::fixed(sql, [false.into()])).await?;
    Ok(rows.scalar().and_then(Value::int).unwrap_or(0) > 0)
}

fn no_organization() -> ServerError {
    ServerError::Usage("the instance has no organization yet".to_owned())
}

/// Someone of each role: the owner, and in the Sandbox one seeded person each.
async fn cast(context: &Context) -> Result<Vec<(&'static str, i64, Option<String>)>, ServerError> {
    let mut reader = context.db.read().await?;
    let staff = identity::list_staff(&mut reader).await?;
    let mut cast = Vec::new();
    for role in ["owner", "provider", "support", "integration"] {
        if let Some(user) = staff.iter().find(|user| user.role == role && user.active) {
            cast.push((role, user.id, user.email.clone()));
        }
    }
    let sql = "SELECT id, email FROM users WHERE is_patient = $1 AND email IS NOT NULL AND archived_at IS NULL ORDER BY id LIMIT 1";
    let rows = reader.rows(&Sql::fixed(sql, [true.into()])).await?;
    if let [Value::Int(id), Value::Text(email), ..] = rows.row(0) {
        cast.push(("client", *id, Some(email.to_string())));
    }
    if context.instance.witness().sandbox().is_none() {
        cast.truncate(1);
    }
    Ok(cast)
}

/// Passwords and keys for development, in the instance's own file (mode 0600):
/// the Sandbox has one person of each role, Production its owner only.
pub async fn development(context: &Context) -> Result<Json, ServerError> {
    let path = credentials_file(&context.dir);
    if let Some(known) = read_credentials(&path) {
        return Ok(known);
    }
    let org_id = admin::founding(&context.db).await?.ok_or_else(no_organization)?;
    let mut users = Vec::new();
    for (role, id, email) in cast(context).await? {
        let password = (role != "integration").then(|| context.instance.random().base62(20));
        let hash = match &password {
            Some(password) => Some(hash(context, password).await?),
            None => None,
        };
        let made = context.db.write(move |tx: &mut Tx| {
            let hash = hash.clone();
            Box::pin(async move { access(tx, org_id, id, hash).await })
        });
        let api_key = made.await.map_err(admin::refused)?;
        users.push(json!({"role": role, "email": email, "password": password, "api_key": api_key}));
    }
    let url = context.instance.base_url().to_string();
    let file = json!({
        "environment": context.instance.kind().as_str(),
        "instance": context.instance.tag().as_str(),
        "url": url,
        "graphql_url": format!("{url}/graphql"),
        "users": users,
    });
    write_credentials(&path, &file)?;
    Ok(file)
}

async fn hash(context: &Context, password: &str) -> Result<String, ServerError> {
    ward_identity::password::hash(context.instance.random(), password)
        .await
        .map_err(|error| ServerError::System(error.to_string()))
}

/// Gives an account a password and a key.
async fn access(
    tx: &mut Tx,
    org_id: i64,
    id: i64,
    hash: Option<String>,
) -> Result<String, AdminError> {
    let actor = Actor::system(org_id);
    let mut scope = Scope::new(tx, &actor);
    if let (Some(hash), Some(before)) = (hash, scope.find::<User>(Id::new(id)).await?) {
        let after = User {
            password_hash: Some(hash),
            password_set_by: Some(PasswordSetBy::Person),
            ..before.clone()
        };
        ward_identity::account::update(&mut scope, &before, &after).await?;
    }
    let key =
        identity::create_key(&mut scope, Id::new(id), Some("development"), CredentialClass::User)
            .await?;
    Ok(key.text.to_string())
}

fn read_credentials(path: &Path) -> Option<Json> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

/// Writes the file anew with the address that is listened on.
pub fn readdress(dir: &Path, url: &str) -> Result<(), ServerError> {
    let path = credentials_file(dir);
    let Some(mut file) = read_credentials(&path) else { return Ok(()) };
    file["url"] = url.into();
    file["graphql_url"] = format!("{url}/graphql").into();
    write_credentials(&path, &file)
}

fn write_credentials(path: &Path, file: &Json) -> Result<(), ServerError> {
    use std::io::Write;
    let failed = |error: std::io::Error| {
        ServerError::System(format!("cannot write {}: {error}", path.display()))
    };
    let draft = path.with_extension("new");
    let _ = std::fs::remove_file(&draft);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut out = options.open(&draft).map_err(failed)?;
    let text = serde_json::to_string_pretty(file).unwrap_or_default();
    out.write_all(text.as_bytes())
        .and_then(|()| out.write_all(b"\n"))
        .and_then(|()| out.sync_all())
        .map_err(failed)?;
    std::fs::rename(&draft, path).map_err(failed)
}
