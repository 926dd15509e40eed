//! `ward dev-child`: one of the two instances of `ward dev`. Births itself on
//! its first run, says where it is, serves until it is told to stop or its
//! parent is gone.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value as Json, json};
use ward_instance::{Kind, State};
use ward_server::admin::{self, Command, Context};
use ward_server::birthday::{self, Founder};
use ward_server::packs::Pack;
use ward_server::{Hold, Newborn, Opened};

use crate::cli::{DevChildArgs, Here};
use crate::connect;
use crate::failure::{Done, Failure};
use crate::output::{BOLD, DIM, Out, PLAIN, YELLOW, plain};
use crate::serve::serve;
use crate::{confine, logging, signals};

/// The seed of a development Sandbox.
const SEED: u64 = 1;

/// `ward dev-child`.
pub async fn run(args: DevChildArgs, out: Out) -> Done {
    let Here { kind, dir } = &args.here;
    let stop = signals::stop_on_signal(|| (), parent_gone())?;
    // Bound first: the port is known before the birth, and a taken one prevents it.
    let listener = ward_server::listen(&format!("127.0.0.1:{}", args.port)).await?;
    let at = listener
        .local_addr()
        .map_err(|error| Failure::unavailable(format!("cannot listen: {error}")))?;
    if !dir.join("root.key").exists() {
        out.say(format_args!("{} is being born in {} …", kind.title(), dir.display()));
        ward_server::birth(dir, &newborn(*kind, at), &connect::env()).await?;
    }
    let opened = connect::open(&args.here, Hold::Serving, "dev").await?;
    match prepare(&opened, at, out).await {
        Ok(()) => {
            serve(opened, listener, None, stop, |opened, at| announce(opened, at, out), out).await
        }
        Err(failure) => {
            ward_server::leave(&opened.db, &opened.dir).await;
            connect::close(opened).await?;
            Err(failure)
        }
    }
}

/// Logs, and what a development instance has, before anything is served.
async fn prepare(opened: &Opened, at: SocketAddr, out: Out) -> Done {
    logging::start(None, opened.config.log_level.as_deref().or(Some("warn")))?;
    opened.instance.listening_on(at.port());
    match opened.certificate.state {
        State::Active => furnish(opened, out).await,
        State::Quarantined => Ok(()),
    }
}

/// Standard input ends when the parent does.
async fn parent_gone() {
    let (gone, wait) = tokio::sync::oneshot::channel();
    // A thread of its own: reading standard input can't be given up.
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _ = gone.send(());
    });
    let _ = wait.await;
}

fn newborn(kind: Kind, at: SocketAddr) -> Newborn {
    let sandbox = kind == Kind::Sandbox;
    Newborn {
        kind,
        base_url: format!("http://{at}"),
        database_env: None,
        database: None,
        sign_up_open: sandbox,
        loopback_webhooks: sandbox,
        passing: false,
    }
}

/// What a development instance has that another has not; each step only where
/// it was not done before.
async fn furnish(opened: &Opened, out: Out) -> Done {
    let context = Context::held(opened);
    let kind = opened.instance.kind();
    if admin::founding(&opened.db).await?.is_none() {
        let founder = Founder {
            organization: format!("{} Practice", kind.title()),
            owner_email: format!("owner@{kind}.example"),
            first_name: kind.title().to_owned(),
            last_name: "Owner".to_owned(),
        };
        birthday::found(&opened.db, &founder).await?;
    }
    if admin::credentials_file(&opened.dir).exists() {
        return Ok(());
    }
    if kind == Kind::Sandbox && admin::run(&context, Command::Status).await?["clients"] == 0 {
        out.say("seeding the Sandbox with synthetic people …");
        birthday::seed(&context, (Pack::Standard, SEED), None).await?;
    }
    birthday::development(&context).await?;
    Ok(())
}

/// Where the instance is, who logs in, a key, and a call that works.
fn announce(opened: &Opened, at: SocketAddr, out: Out) -> Done {
    let kind = opened.instance.kind();
    let credentials = read(&admin::credentials_file(&opened.dir));
    let browser = format!("http://{kind}.localhost:{}", at.port());
    let answer = json!({
        "environment": kind.as_str(),
        "instance": opened.instance.tag().as_str(),
        "url": format!("http://{at}"),
        "graphql_url": format!("http://{at}/graphql"),
        "browser_url": browser,
        "directory": opened.dir.display().to_string(),
        "credentials": admin::credentials_file(&opened.dir).display().to_string(),
        "state": opened.certificate.state.as_str(),
        "confined": confine::told(),
    });
    out.answer(&answer, || human(opened, at, &browser, &credentials));
    Ok(())
}

fn human(opened: &Opened, at: SocketAddr, browser: &str, credentials: &Json) -> String {
    let mut text = format!(
        "\n{BOLD}{} {}{PLAIN}  {browser}  {DIM}in {}{PLAIN}\n",
        opened.instance.kind().title(),
        opened.instance.tag(),
        opened.dir.display()
    );
    if opened.certificate.state == State::Quarantined {
        let _ = writeln!(text, "  {YELLOW}quarantined{PLAIN}");
    }
    let users = credentials["users"].as_array().map(Vec::as_slice).unwrap_or_default();
    let people: Vec<_> = users.iter().filter(|user| user["password"].is_string()).collect();
    let width = people.iter().map(|user| plain(&user["email"]).len()).max().unwrap_or(0);
    for user in people {
        let [email, password, role] = ["email", "password", "role"].map(|key| plain(&user[key]));
        let _ = writeln!(text, "  log in   {email:<width$}  {password}  {DIM}{role}{PLAIN}");
    }
    // The limited integration user's, where there is one.
    let keyed = users.iter().find(|user| user["role"] == "integration").or_else(|| users.first());
    if let Some(user) = keyed {
        let key = plain(&user["api_key"]);
        let _ = writeln!(text, "  key      {key} {DIM}{}{PLAIN}", plain(&user["role"]));
        let _ = writeln!(
            text,
            "  try      curl -s http://{at}/graphql -H 'Authorization: Basic {key}' -H 'AuthorizationSource: API' \\\n             \
             -H 'Content-Type: application/json' -d '{{\"query\":\"{{ currentUser {{ id full_name }} }}\"}}'"
        );
    }
    text
}

fn read(path: &Path) -> Json {
    std::fs::read(path)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or(Json::Null)
}
