//! `ward sandbox run`: a Sandbox for one command. It is served from this process, so that both end
//! together; the command is below a keeper, which outlives this process for a moment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, UnixListener};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use ward_server::passing::{self, Keys, Webhook};
use ward_server::tally::Tally;
use ward_server::{App, ServerError, assemble};

use super::forward::{Forwarded, Got};
use super::ground::Ground;
use super::report::{self, Report};
use super::talk::{self, Line, Order, Told, Why};
use super::{keeper, kin, maker};
use crate::cli::RunArgs;
use crate::failure::{Done, Failure};
use crate::logging;
use crate::output::Out;

/// The command's time was over, as `timeout` says it.
const TIMED_OUT: i32 = 124;
/// It can't be executed, as shells say it.
const NOT_EXECUTABLE: i32 = 126;
/// There is no such command.
const NOT_FOUND: i32 = 127;
/// A signal ended it, whose number is added.
const SIGNALLED: i32 = 128;

/// The server may take so long to stop; nothing of it is kept.
const STOP: Duration = Duration::from_secs(2);
/// The keeper may take so long to start and to end.
const KEEPER: Duration = Duration::from_secs(15);

/// `ward sandbox run`.
pub async fn run(args: RunArgs, out: Out) -> Done {
    let began = Instant::now();
    if args.with_parent.is_some_and(|parent| !kin::die_with(parent)) {
        return Err(Failure::unavailable("who started this run is gone"));
    }
    report::forget(&args);
    let files = [args.wanted.json_file(), args.wanted.junit.as_ref()];
    let [json, junit] = files.map(|file| file.map(PathBuf::as_path));
    report::check(json, junit)?;
    kin::leave_alone_those_before();
    kin::adopt_orphans();
    let mut signals = Forwarded::new()?;
    let ground = Ground::take()?;
    let mut keeping = Keeping::start(&ground, &args)?;
    let stage = tokio::select! {
        stage = Stage::set(ground.path(), &args) => stage,
        got = signals.next() => Err(ended_by(&got)),
    };
    let outcome = match stage {
        Ok(stage) => play(stage, &mut keeping, &mut signals, &args, (began, out)).await,
        Err(failure) => Err(failure),
    };
    keeping.end().await;
    drop(ground);
    outcome
}

/// Runs the command on the stage, and tells what happened.
async fn play(
    stage: Stage,
    keeping: &mut Keeping,
    signals: &mut Forwarded,
    args: &RunArgs,
    (began, out): (Instant, Out),
) -> Done {
    let mut line = tokio::select! {
        line = keeping.line() => line?,
        got = signals.next() => return Err(ended_by(&got)),
    };
    line.say(&Order::Start(stage.variables())).await;
    let ready = began.elapsed();
    let (mut runs, mut is_over) = (false, false);
    let over = async {
        match args.wanted.ttl {
            Some(ttl) => tokio::time::sleep(ttl).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(over);
    let told = loop {
        tokio::select! {
            told = line.hear::<Told>() => match told {
                Some(Told::Started) => runs = true,
                told => break told,
            },
            got = signals.next() => {
                // A key that came before the command was there has not reached it.
                let by_key = runs && got.by_key;
                line.say(&if by_key { Order::Key(got.number) } else { Order::Signal(got.number) }).await;
            }
            () = &mut over, if !is_over => {
                is_over = true;
                line.say(&Order::End).await;
            }
        }
    };
    let took = began.elapsed();
    let happened = passing::happened(&stage.app).await;
    let instance = stage.strike().await;
    let ended = status(told, &args.command[0].to_string_lossy());
    let ended = ended.map(|status| if is_over { TIMED_OUT } else { status });
    let status = *ended.as_ref().unwrap_or_else(|failure| &failure.code);
    let told = happened.map_err(Failure::from).and_then(|happened| {
        let report = Report { instance, args, status, ready, took, happened };
        // One that did not come to its end says why, and nothing else.
        if ended.is_ok() {
            report.say(out);
        }
        report.write()
    });
    outcome(ended, told)
}

/// What is wrong with the report is told, and never takes the place of the command's status.
fn outcome(ended: Done<i32>, told: Done) -> Done {
    let report = told.as_ref().err().map(|failure| failure.sentence.clone());
    match ended {
        Ok(0) => told,
        Ok(code) => Err(Failure { code, sentence: report.unwrap_or_default() }),
        Err(Failure { code, sentence }) => {
            let sentences: Vec<String> = std::iter::once(sentence).chain(report).collect();
            Err(Failure { code, sentence: sentences.join("; ") })
        }
    }
}

/// A signal before there was a command.
fn ended_by(got: &Got) -> Failure {
    Failure { code: SIGNALLED + got.number, sentence: String::new() }
}

/// The status that the command's end makes.
fn status(told: Option<Told>, command: &str) -> Done<i32> {
    match told {
        Some(Told::Ended(code)) => Ok(code),
        Some(Told::Killed(number)) => Ok(SIGNALLED + number),
        Some(Told::Unable(Why::NotFound, _)) => Err(Failure {
            code: NOT_FOUND,
            sentence: format!("there is no command {command}; nothing was run"),
        }),
        Some(Told::Unable(Why::NotExecutable, why)) => Err(Failure {
            code: NOT_EXECUTABLE,
            sentence: format!("{command} can't be executed ({why}); nothing was run"),
        }),
        Some(Told::Started) | None => Err(Failure {
            code: i32::from(Failure::INTERNAL),
            sentence: "the process that looks after the command was ended from outside; the command was killed".to_owned(),
        }),
    }
}

/// The process that has the command, and the way to it.
struct Keeping {
    process: Child,
    door: UnixListener,
}

impl Keeping {
    /// At once, while the Sandbox is made: a run that is killed meanwhile leaves nothing either.
    fn start(ground: &Ground, args: &RunArgs) -> Done<Self> {
        let failed = |error: std::io::Error| {
            Failure::unavailable(format!("the command can't be looked after: {error}"))
        };
        let door = UnixListener::bind(talk::socket(ground.path())).map_err(failed)?;
        let mut command = Command::new(std::env::current_exe().map_err(failed)?);
        command.args(["sandbox", "keeper", "--dir"]).arg(ground.path());
        let group = rustix::process::getpgrp().as_raw_nonzero().to_string();
        command.args(["--group", &group]);
        if let Some(files) = crate::files_before() {
            command.args(["--files", &files.to_string()]);
        }
        if crate::huge_pages_before() {
            command.arg("--huge-pages");
        }
        command.arg("--").args(&args.command);
        // A group of its own: what ends the run's does not end it.
        command.process_group(0).stdin(Stdio::inherit());
        Ok(Keeping { process: command.spawn().map_err(failed)?, door })
    }

    async fn line(&mut self) -> Done<Line> {
        let none = || Failure::unavailable("the command can't be looked after: no answer");
        tokio::select! {
            accepted = tokio::time::timeout(KEEPER, self.door.accept()) => {
                let accepted = accepted.map_err(|_| none())?;
                Ok(Line::of(accepted.map_err(|_| none())?.0))
            }
            ended = self.process.wait() => {
                let how = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
                Err(Failure::unavailable(format!("what looks after the command ended before it ({how})")))
            }
        }
    }

    /// Its connection is closed by now, so it kills what is left and ends.
    async fn end(mut self) {
        drop(self.door);
        if tokio::time::timeout(KEEPER, self.process.wait()).await.is_err() {
            let _ = self.process.start_kill();
        }
        // Somebody killed it: what it had is ours now.
        keeper::kill_all(KEEPER).await;
    }
}

/// A Sandbox that is served.
struct Stage {
    app: Arc<App>,
    url: String,
    instance: String,
    keys: Keys,
    webhook: Webhook,
    stop: watch::Sender<bool>,
    server: JoinHandle<Result<(), ServerError>>,
}

impl Stage {
    async fn set(dir: &Path, args: &RunArgs) -> Done<Self> {
        // The schema of the API is the other half of the work.
        let variables = maker::variables();
        let is_strict = maker::is_strict(&variables);
        let engine = tokio::task::spawn_blocking(move || assemble::engine(Some(is_strict)));
        let wanted = &args.wanted;
        let listener: TcpListener = ward_server::listen("127.0.0.1:0").await?;
        let at = listener
            .local_addr()
            .map_err(|error| Failure::unavailable(format!("cannot listen: {error}")))?;
        let url = format!("http://{at}");
        let keys = maker::made(dir, &url, wanted).await?;
        let opened = passing::open(dir, &variables).await?;
        logging::start(None, opened.config.log_level.as_deref().or(Some("error")))?;
        opened.instance.listening_on(at.port());
        let engine = engine.await.unwrap_or_else(|error| Err(error.to_string()));
        let app = App::with(&opened, None, engine).await?;
        let webhook = passing::webhook(&app, &keys.owner, wanted.webhook.as_deref()).await?;
        let _ = app.tally.set(Tally::default());
        let instance = opened.instance.tag().to_string();
        let (stop, stopped) = watch::channel(false);
        let server = tokio::spawn(ward_server::serve(opened, app.clone(), listener, stopped));
        Ok(Stage { app, url, instance, keys, webhook, stop, server })
    }

    /// What the command is told.
    fn variables(&self) -> BTreeMap<String, String> {
        let graphql = format!("{}/graphql", self.url);
        [
            ("WARD_ENVIRONMENT", "sandbox"),
            ("WARD_URL", &self.url),
            ("WARD_GRAPHQL_URL", &graphql),
            ("WARD_INSTANCE", &self.instance),
            ("WARD_API_KEY", &self.keys.owner),
            ("WARD_INTEGRATION_KEY", &self.keys.integration),
            ("WARD_WEBHOOK_ID", &self.webhook.id),
            ("WARD_WEBHOOK_SECRET", &self.webhook.secret),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    /// Stops the server; the Sandbox's tag.
    async fn strike(self) -> String {
        let _ = self.stop.send(true);
        let _ = tokio::time::timeout(STOP, self.server).await;
        self.instance
    }
}
