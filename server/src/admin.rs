//! What the command line may do to an instance: directly when it holds the
//! lock, through `D/control.sock` when a server does.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};
use ward_identity::admin as identity;
use ward_identity::admin::{AdminError, Preset};
use ward_identity::key::Minting;
use ward_identity::key_limits::Limits;
use ward_identity::practice::NewMember;
use ward_instance::{Instance, State, Timestamp};
use ward_store::rotation::End;
use ward_store::{Actor, Db, Id, Query, Scope, Sql, StoreError, Tx, Value};

use crate::app::App;
use crate::file_store::FilePlace;
use crate::place::{Opened, ServerError};
use crate::{birthday, forks, lists, reset, rewind, rotator, test_clock};

pub use crate::command::Command;

/// What commands work on.
pub struct Context {
    /// The instance.
    pub instance: Arc<Instance>,
    /// Its store.
    pub db: Db,
    /// Its directory.
    pub dir: PathBuf,
    /// Where its stored files are.
    pub files: FilePlace,
    /// The server, when one runs in this process.
    pub app: Option<Arc<App>>,
    /// Who is told how far a long command is.
    pub progress: Option<Progress>,
    /// Which world whoever asks was looked up in; nothing for the command line, which may in any.
    pub world: Option<u64>,
    /// After how long a Sandbox's clock was left on, in microseconds; nothing where it never is.
    pub idle: Option<i64>,
}

/// Is told how much is done, and of how much.
pub type Progress = Arc<dyn Fn(u64, u64) + Send + Sync>;

impl Context {
    /// Of a running server.
    pub fn of(app: &Arc<App>) -> Self {
        Context {
            instance: app.instance.clone(),
            db: app.db.clone(),
            dir: app.dir.clone(),
            files: app.files.clone(),
            app: Some(app.clone()),
            progress: None,
            world: None,
            idle: test_clock::idle_limit(&app.config),
        }
    }

    /// Of a running server, for somebody who was looked up in this world.
    pub fn asked(app: &Arc<App>, world: u64) -> Self {
        Context { world: Some(world), ..Context::of(app) }
    }

    /// Of an instance that this process holds.
    pub fn held(opened: &Opened) -> Self {
        Context {
            instance: opened.instance.clone(),
            db: opened.db.clone(),
            dir: opened.dir.clone(),
            files: FilePlace::of(opened),
            app: None,
            progress: None,
            world: None,
            idle: test_clock::idle_limit(&opened.config),
        }
    }

    /// The same, telling how far a long command is.
    #[must_use]
    pub fn telling(self, progress: Progress) -> Self {
        Context { progress: Some(progress), ..self }
    }

    /// Refuses where another world is there than the one whoever asks was looked up in.
    pub(crate) fn check_world(&self) -> Result<(), StoreError> {
        match self.world {
            Some(world) if world != self.db.world() => Err(StoreError::OtherWorld),
            _ => Ok(()),
        }
    }

    pub(crate) fn tell(&self, done: u64, total: u64) {
        if let Some(progress) = &self.progress {
            progress(done, total);
        }
    }

    fn quarantined(&self) -> bool {
        self.app.as_ref().is_some_and(|app| app.is_quarantined())
    }
}

/// Does one thing.
pub async fn run(context: &Context, command: Command) -> Result<Json, ServerError> {
    if context.quarantined()
        && !matches!(
            command,
            Command::Status
                | Command::KeyList
                | Command::UserList
                | Command::Rotation
                | Command::SandboxSnapshots
                | Command::SandboxForks
                | Command::Attest { .. }
        )
    {
        return Err(ServerError::Usage(
            "the instance is quarantined; end that first with: ward attest".to_owned(),
        ));
    }
    match command {
        Command::Status => status(context).await,
        Command::Attest { base_url, reason, by } => {
            crate::attest::attest(context, base_url, reason, by).await
        }
        Command::BackupMade { made_at, by } => {
            crate::backup::note(&context.db, Timestamp(made_at), by).await
        }
        Command::SandboxSeed { seed, pack, clients } => {
            birthday::seed(context, (pack, seed), clients).await
        }
        Command::SandboxReset { seed, pack } => {
            reset::reset(context, seed.map(|seed| (pack, seed))).await
        }
        Command::SandboxSnapshot { name } => rewind::take(context, None, &name).await,
        Command::SandboxSnapshots => rewind::list(context),
        Command::SandboxSnapshotDelete { name } => rewind::delete(context, None, &name).await,
        Command::SandboxRestore { name } => rewind::restore(context, None, &name).await,
        Command::SandboxFork { ttl } => {
            let ttl = forks::ttl(ttl.as_deref()).map_err(ServerError::Usage)?;
            forks::open(context, None, ttl).await
        }
        Command::SandboxForks => forks::list(context),
        Command::SandboxForkEnd { id } => forks::end(context, id.as_deref()).await,
        Command::KeyRotateRoot { leave_damaged } => rotate(context, leave_damaged).await,
        Command::Rotation => Ok(rotation(context)),
        other => people(context, other).await,
    }
}

/// Begins to rotate where a server runs, and rotates where none does.
async fn rotate(context: &Context, leave_damaged: bool) -> Result<Json, ServerError> {
    rotator::refuse_beside_others(&context.db, &context.dir).await?;
    context.files.refuse_anothers(&context.db).await?;
    if let Some(app) = &context.app {
        // No fork is made meanwhile, and those there are know the old root only.
        let _turn = app.turn.write().await;
        app.forks.close().await;
        let blobs = app.blobs.clone();
        app.rotator.start(rotator::rotation_of(&app.db, &app.dir, blobs, leave_damaged)?);
        return Ok(rotation(context));
    }
    let certificate = ward_store::read_certificate(&mut context.db.read().await?).await?;
    let blobs = context.files.open(&context.db, &certificate).await?;
    let rotation = rotator::rotation_of(&context.db, &context.dir, blobs, leave_damaged)?;
    match rotation.run(&|_| ControlFlow::Continue(())).await? {
        End::NotAlone(_) => Err(rotator::not_alone()),
        end => Ok(rotator::ended(&end)),
    }
}

fn rotation(context: &Context) -> Json {
    match &context.app {
        Some(app) => app.rotator.told(&app.db),
        None => rotator::unfinished(&context.db),
    }
}

/// Commands about users and keys: each in one transaction of the organization
/// concerned, audited as the system's.
async fn people(context: &Context, command: Command) -> Result<Json, ServerError> {
    match command {
        Command::KeyList => lists::keys(&context.db).await,
        Command::UserList => lists::users(&context.db).await,
        Command::KeyDelete { key } => {
            let mut reader = context.db.read().await?;
            let found = identity::find_key(&mut reader, &key).await?;
            drop(reader);
            let Some((org_id, id)) = found else {
                return Err(ServerError::Usage(
                    "there is no such key; ward key list shows them".to_owned(),
                ));
            };
            in_organization(context, org_id, Act::DeleteKey { id }).await
        }
        Command::UserCreate { role, email, first_name, last_name } => {
            let org_id = founding(&context.db).await?.ok_or_else(no_organization)?;
            in_organization(context, org_id, Act::CreateUser { role, email, first_name, last_name })
                .await
        }
        Command::KeyCreate { user, name, expires_at, allowed_addresses } => {
            let (org_id, id) = the_user(&context.db, &user).await?;
            let wall = context.instance.clock().wall();
            let limits = limits(expires_at.as_deref(), &allowed_addresses, wall)
                .map_err(ServerError::Usage)?;
            in_organization(context, org_id, Act::CreateKey { id, name, limits }).await
        }
        Command::UserDisable { user } => {
            let (org_id, id) = the_user(&context.db, &user).await?;
            in_organization(context, org_id, Act::Disable { id }).await
        }
        Command::UserResetMfa { user } => {
            let (org_id, id) = the_user(&context.db, &user).await?;
            in_organization(context, org_id, Act::ResetMfa { id }).await
        }
        Command::UserLink { user } => {
            let (org_id, id) = the_user(&context.db, &user).await?;
            in_organization(context, org_id, Act::Link { id }).await
        }
        _ => Err(ServerError::Usage("this command is not about people".to_owned())),
    }
}

fn no_organization() -> ServerError {
    ServerError::Usage("the instance has no organization yet".to_owned())
}

/// The one account that an e-mail address or id names.
async fn the_user(db: &Db, who: &str) -> Result<(i64, i64), ServerError> {
    let mut reader = db.read().await?;
    let found = identity::find_users(&mut reader, who).await?;
    match found.as_slice() {
        [] => {
            Err(ServerError::Usage("there is no such user; ward user list shows them".to_owned()))
        }
        [one] => Ok((one.org_id, one.id)),
        several => {
            let ids: Vec<String> =
                several.iter().map(|user| format!("{} ({})", user.id, user.role)).collect();
            Err(ServerError::Usage(format!(
                "several accounts have this address; name one by its id: {}",
                ids.join(", ")
            )))
        }
    }
}

/// What is done in one transaction.
#[derive(Clone)]
enum Act {
    CreateKey { id: i64, name: String, limits: Limits },
    DeleteKey { id: i64 },
    CreateUser { role: String, email: String, first_name: String, last_name: String },
    Disable { id: i64 },
    ResetMfa { id: i64 },
    Link { id: i64 },
}

async fn in_organization(context: &Context, org_id: i64, act: Act) -> Result<Json, ServerError> {
    let base_url = context.instance.base_url().to_string();
    let done = context.db.write(move |tx: &mut Tx| {
        let (act, base_url) = (act.clone(), base_url.clone());
        Box::pin(async move {
            let actor = Actor::system(org_id);
            let mut scope = Scope::new(tx, &actor);
            perform(&mut scope, act, &base_url).await
        })
    });
    done.await.map_err(refused)
}

async fn perform(scope: &mut Scope<'_>, act: Act, base_url: &str) -> Result<Json, AdminError> {
    Ok(match act {
        Act::CreateKey { id, name, limits } => {
            let minting = Minting { limits, ..Minting::named(&name) };
            let key = identity::create_key_of(scope, Id::new(id), minting).await?;
            json!({"api_key": key.text.as_str(), "id": key.row.id.to_string(), "kid": key.row.kid, "user_id": id.to_string()})
        }
        Act::DeleteKey { id } => {
            identity::delete_key(scope, Id::new(id)).await?;
            json!({"deleted": id.to_string()})
        }
        Act::CreateUser { role, email, first_name, last_name } => {
            let Some(preset) = Preset::from_text(&role) else {
                return Err(AdminError::Refused(
                    "the role is administrator, provider, support or integration".to_owned(),
                ));
            };
            let member =
                NewMember { first_name, last_name, email: Some(email), ..NewMember::default() };
            let unit = Id::new(scope.actor.org_id);
            let (user, _) = identity::create_user(scope, unit, preset, &member).await?;
            let link = match preset {
                Preset::Integration => Json::Null,
                _ => identity::one_time_link(scope, user.id, base_url).await?.as_str().into(),
            };
            json!({"id": user.id.to_string(), "email": user.email, "set_password_link": link})
        }
        Act::Disable { id } => {
            let user = identity::disable_user(scope, Id::new(id)).await?;
            json!({"id": user.id.to_string(), "active": user.active})
        }
        Act::ResetMfa { id } => {
            let user = identity::reset_mfa(scope, Id::new(id)).await?;
            json!({"id": user.id.to_string(), "mfa_types": []})
        }
        Act::Link { id } => {
            let link = identity::one_time_link(scope, Id::new(id), base_url).await?;
            json!({"user_id": id.to_string(), "link": link.as_str()})
        }
    })
}

/// A key's bounds as they were asked for, or what is wrong with them.
fn limits(
    expires_at: Option<&str>,
    allowed_addresses: &[String],
    wall: Timestamp,
) -> Result<Limits, String> {
    Limits::read(expires_at, allowed_addresses, &TimeZone::UTC, wall).map_err(|problems| {
        problems.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>().join("; ")
    })
}

/// An administrative refusal as one sentence.
pub fn refused(error: AdminError) -> ServerError {
    match error {
        AdminError::Store(error) => ServerError::Store(error),
        AdminError::Refused(sentence) => ServerError::Usage(sentence),
    }
}

/// The organization that the instance was born with: the oldest.
pub async fn founding(db: &Db) -> Result<Option<i64>, StoreError> {
    let mut reader = db.read().await?;
    let rows =
        reader.rows(&Sql::fixed("SELECT MIN(id) FROM organizations WHERE id = org_id", [])).await?;
    Ok(rows.scalar().and_then(Value::int))
}

/// Whether this is the founding organization.
pub async fn is_founding(db: &Db, org_id: i64) -> Result<bool, StoreError> {
    Ok(founding(db).await? == Some(org_id))
}

async fn status(context: &Context) -> Result<Json, ServerError> {
    let mut reader = context.db.read().await?;
    let count = |rows: ward_store::Rows| rows.scalar().and_then(Value::int).unwrap_or(0);
    let organizations =
        count(reader.rows(&Sql::fixed("SELECT COUNT(*) FROM organizations", [])).await?);
    let clients = count(
        reader
            .rows(&Sql::fixed(
                "SELECT COUNT(*) FROM users WHERE is_patient = $1 AND deleted_at IS NULL",
                [Value::from(true)],
            ))
            .await?,
    );
    let staff = count(
        reader
            .rows(&Sql::fixed(
                "SELECT COUNT(*) FROM users WHERE is_patient = $1 AND deleted_at IS NULL",
                [Value::from(false)],
            ))
            .await?,
    );
    drop(reader);
    let waiting: serde_json::Map<String, Json> = ward_effects::waiting(&context.db)
        .await?
        .into_iter()
        .map(|waiting| (waiting.class.to_string(), waiting.count.into()))
        .collect();
    let state = context.app.as_ref().map_or("stopped", |app| {
        if app.is_quarantined() { State::Quarantined.as_str() } else { "serving" }
    });
    Ok(json!({
        "environment": context.instance.kind().as_str(),
        "instance": context.instance.tag().as_str(),
        "state": state,
        "base_url": context.instance.base_url().to_string(),
        "database": match context.db.engine() { ward_store::Engine::Lite => "sqlite", ward_store::Engine::Pg => "postgresql" },
        "organizations": organizations,
        "clients": clients,
        "staff": staff,
        "waiting_effects": waiting,
        "clock": context.instance.witness().sandbox().map(|_| test_clock::shown(context.instance.clock(), context.idle)),
        "rotation": rotation(context),
    }))
}

/// Where development credentials are kept.
pub fn credentials_file(dir: &Path) -> PathBuf {
    dir.join("dev-credentials.json")
}
