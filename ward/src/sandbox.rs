//! `ward sandbox …`: what exists only where mistakes are free. A Production
//! directory, address or key is refused with status 78.

mod back;
mod fork;
mod forward;
mod ground;
mod keeper;
mod kin;
mod maker;
mod pool;
mod report;
mod run;
mod talk;

use std::path::Path;

use jiff::Span;
use serde_json::{Value as Json, json};
use ward_instance::{Kind, Timestamp};
use ward_server::admin::Command;
use ward_server::packs::Pack;

use crate::cli::{
    ClockCommand, FaultArgs, FaultsCommand, Here, InboxArgs, PacksArgs, SandboxCommand, There,
    Which,
};
use crate::connect;
use crate::failure::{Done, Failure};
use crate::http::{Api, escaped};
use crate::output::{BOLD, DIM, Out, PLAIN, lines, plain};

/// `ward sandbox …`.
pub async fn run(command: SandboxCommand, out: Out) -> Done {
    match command {
        SandboxCommand::Run(args) => run::run(args, out).await?,
        SandboxCommand::Pool(args) => pool::run(args, out).await?,
        SandboxCommand::Keeper(args) => keeper::run(args).await?,
        SandboxCommand::Maker(args) => maker::run(args, out).await?,
        SandboxCommand::Seed { which: Which { dir: Some(dir), .. }, seed, pack, clients } => {
            let (bar, progress) = out.progress_of("making synthetic people");
            let command = Command::SandboxSeed { seed, pack, clients };
            let answer = connect::write_telling(&here(&dir), command, Some(progress)).await;
            bar.finish_and_clear();
            shown(out, &answer?);
        }
        SandboxCommand::Seed { which: Which { dir: None, .. }, clients: Some(_), .. } => {
            return Err(Failure::usage("--clients goes with --dir"));
        }
        SandboxCommand::Seed { which: Which { dir: None, there }, seed, pack, clients: None } => {
            let wish = json!({"pack": pack.as_str(), "seed": seed});
            shown(out, &Api::sandbox(&there)?.post("/sandbox/v1/seed", &wish)?.sandbox()?);
        }
        SandboxCommand::Reset { which: Which { dir: Some(dir), .. }, seed, pack } => {
            let answer = connect::write(&here(&dir), Command::SandboxReset { seed, pack }).await?;
            shown(out, &answer);
        }
        SandboxCommand::Reset { which: Which { dir: None, there }, seed, pack } => {
            let wish = match seed {
                Some(seed) => json!({"pack": pack.as_str(), "seed": seed}),
                None => json!({}),
            };
            shown(out, &Api::sandbox(&there)?.post("/sandbox/v1/reset", &wish)?.sandbox()?);
        }
        SandboxCommand::Snapshot(args) => back::snapshot(&args, out).await?,
        SandboxCommand::Restore { name, which } => back::restore(&name, &which, out).await?,
        SandboxCommand::Fork(args) => fork::fork(&args, out).await?,
        SandboxCommand::Packs(args) => packs(&args, out).await?,
        SandboxCommand::Be { user, there } => {
            let api = Api::sandbox(&there)?;
            shown(out, &api.post("/sandbox/v1/be", &json!({"user": user}))?.sandbox()?);
        }
        SandboxCommand::Inbox(args) => inbox(&args, out)?,
        SandboxCommand::Clock { command } => clock(&command, out)?,
        SandboxCommand::Faults { command } => faults(&command, out)?,
    }
    Ok(())
}

/// `ward sandbox packs`.
async fn packs(args: &PacksArgs, out: Out) -> Done {
    let answer = match (&args.dir, &args.there.url) {
        (Some(dir), _) => {
            // Whose directory it is, is asked as by any other command.
            connect::close(connect::look(&here(dir), "command line").await?).await?;
            Pack::list()
        }
        (None, Some(_)) => Api::sandbox(&args.there)?.get("/sandbox/v1/packs")?.sandbox()?,
        (None, None) => Pack::list(),
    };
    let line = |it: &Json| format!("{BOLD}{}{PLAIN}  {}", plain(&it["name"]), plain(&it["about"]));
    out.answer(&answer, || {
        let all = answer["packs"].as_array().map(Vec::as_slice).unwrap_or_default();
        all.iter().map(line).collect::<Vec<_>>().join("\n")
    });
    Ok(())
}

fn here(dir: &Path) -> Here {
    Here { kind: Kind::Sandbox, dir: dir.to_owned() }
}

fn shown(out: Out, answer: &Json) {
    out.answer(answer, || lines(answer));
}

/// `ward inbox`.
pub fn inbox(args: &InboxArgs, out: Out) -> Done {
    let api = Api::sandbox(&args.there)?;
    let filters = [("to", &args.to), ("class", &args.class)];
    let query: Vec<String> = filters
        .iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", escaped(value.as_deref()?))))
        .collect();
    let answer = api.get(&format!("/sandbox/v1/inbox?{}", query.join("&")))?.sandbox()?;
    out.answer(&answer, || messages(&answer["items"]));
    Ok(())
}

/// `ward sandbox clock …`.
fn clock(command: &ClockCommand, out: Out) -> Done {
    const PATH: &str = "/sandbox/v1/clock";
    let post = |there: &There, act: &str, body: Json| {
        Api::sandbox(there)?.post(&format!("{PATH}/{act}"), &body)?.sandbox()
    };
    let answer = match command {
        ClockCommand::Show(there) => Api::sandbox(there)?.get(PATH)?.sandbox()?,
        ClockCommand::Freeze(there) => post(there, "freeze", json!({}))?,
        ClockCommand::Resume(there) => post(there, "resume", json!({}))?,
        ClockCommand::Rate { rate, there } => post(there, "rate", json!({"rate": rate}))?,
        ClockCommand::Set { to, no_wait, there } => {
            if to.parse::<Timestamp>().is_err() {
                let sentence = format!("{to} is no moment; give one such as 2026-03-02T09:00:00Z");
                return Err(Failure::usage(sentence));
            }
            post(there, "set", json!({"to": to, "settle": !no_wait}))?
        }
        ClockCommand::Advance { by, no_wait, there } => {
            if by.parse::<Span>().is_err() {
                let sentence = format!("{by} is no time; give one such as 90s, 20m, 3d or PT1H");
                return Err(Failure::usage(sentence));
            }
            post(there, "advance", json!({"by": by, "settle": !no_wait}))?
        }
    };
    shown(out, &answer);
    Ok(())
}

/// `ward sandbox faults …`.
fn faults(command: &FaultsCommand, out: Out) -> Done {
    const PATH: &str = "/sandbox/v1/faults";
    let answer = match command {
        FaultsCommand::List(there) => Api::sandbox(there)?.get(PATH)?,
        FaultsCommand::Add(args) => Api::sandbox(&args.there)?.post(PATH, &asked(args))?,
        FaultsCommand::Clear { id: Some(id), there } => {
            Api::sandbox(there)?.delete(&format!("{PATH}/{id}"))?
        }
        FaultsCommand::Clear { id: None, there } => Api::sandbox(there)?.delete(PATH)?,
    };
    let answer = answer.sandbox()?;
    if let Some(note) = answer["note"].as_str() {
        out.say(note);
    }
    out.answer(&answer, || told(&answer["faults"]));
    Ok(())
}

fn asked(args: &FaultArgs) -> Json {
    let mut asked = json!({
        "kind": args.kind,
        "operation": args.operation,
        "key": args.key,
        "webhook": args.webhook,
        "event": args.event,
        "percent": args.percent,
        "times": args.times,
        "milliseconds": args.milliseconds,
        "seed": args.seed,
        "seconds": args.seconds,
    });
    if let Some(asked) = asked.as_object_mut() {
        asked.retain(|_, value| !value.is_null());
    }
    asked
}

fn told(faults: &Json) -> String {
    let faults = faults.as_array().map(Vec::as_slice).unwrap_or_default();
    if faults.is_empty() {
        return "nothing goes wrong on purpose".to_owned();
    }
    faults.iter().map(of_fault).collect::<Vec<_>>().join("\n")
}

/// What it hits, how often, until when, and how often it did.
fn of_fault(fault: &Json) -> String {
    let [id, kind, percent, seed, until, hits] =
        ["id", "kind", "percent", "seed", "expires_at", "hits"].map(|key| plain(&fault[key]));
    let scope = ["operation", "key", "webhook", "event"].into_iter();
    let scope = scope.filter(|name| !fault[*name].is_null());
    let scope: Vec<String> = scope.map(|name| format!("{name} {}", plain(&fault[name]))).collect();
    let scope = if scope.is_empty() { "all".to_owned() } else { scope.join(", ") };
    let late = match fault["milliseconds"].as_u64() {
        Some(late @ 1..) => format!(", {late} ms late"),
        _ => String::new(),
    };
    let left = match (fault["times"].as_u64(), fault["hits"].as_u64()) {
        (Some(times), Some(hits)) => format!(", {} left", times.saturating_sub(hits)),
        _ => String::new(),
    };
    format!(
        "{id} {BOLD}{kind}{PLAIN} {percent} % of {scope}{late}, seed {seed}, until {until} {DIM}{hits} hit so far{left}{PLAIN}"
    )
}

fn messages(items: &Json) -> String {
    let items = items.as_array().map(Vec::as_slice).unwrap_or_default();
    if items.is_empty() {
        return "the inbox is empty".to_owned();
    }
    let shown = |item: &Json| {
        let [at, class, to, kind, state] =
            ["created_at", "class", "to", "kind", "state"].map(|key| plain(&item[key]));
        let [subject, text] = ["subject", "text"].map(|key| plain(&item[key]));
        let indented: String =
            text.trim_end().lines().map(|line| format!("    {line}\n")).collect();
        format!(
            "{DIM}{at}{PLAIN} {class} to {BOLD}{to}{PLAIN} {DIM}{kind}, {state}{PLAIN}\n  {BOLD}{subject}{PLAIN}\n{indented}"
        )
    };
    items.iter().map(shown).collect::<Vec<_>>().join("\n")
}
