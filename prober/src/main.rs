//! `ward-probe`: runs on the customer's machine and knows both instances; neither knows it.
#![allow(
    clippy::disallowed_methods,
    reason = "a client has the time and the environment of the machine that it runs on"
)]

mod cli;
mod run;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser;
use ward_probe::failure::Failure;
use ward_probe::text::clean;
use ward_probe::{page, sign};

use crate::cli::{Cli, Command, IsolationArgs, VerifyArgs};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Command::Run(args) => run::run(&args, cli.json),
        Command::Isolation(args) => isolation(&args, cli.json),
        Command::Verify(args) => verify(&args, cli.json),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.sentence.is_empty() {
                let _ = writeln!(anstream::stderr().lock(), "ward-probe: {failure}");
            }
            ExitCode::from(failure.status)
        }
    }
}

/// The answer, on standard output. A closed pipe is no failure: whoever read has read enough.
fn answer(text: &str) {
    let mut stdout = anstream::stdout().lock();
    let _ = stdout.write_all(text.as_bytes());
    let _ = stdout.flush();
}

/// The whole suite on a pair of its own, in a folder that is gone afterwards.
fn isolation(args: &IsolationArgs, as_json: bool) -> Result<(), Failure> {
    let signer = run::signer(&args.out)?;
    run::check_places(&args.out.save)?;
    let folder = tempfile::Builder::new().prefix("ward-isolation-").tempdir().map_err(|error| {
        Failure::unavailable(format!("no temporary folder can be made: {error}"))
    })?;
    let told = |sentence: &str| drop(writeln!(anstream::stderr().lock(), "{sentence}"));
    let report = ward_probe::isolation::run(&args.ward, folder.path(), told)?;
    run::deliver(&report, &signer, &args.out, as_json)
}

fn verify(args: &VerifyArgs, as_json: bool) -> Result<(), Failure> {
    let name = args.report.display();
    let text = std::fs::read_to_string(&args.report)
        .map_err(|error| Failure::usage(format!("cannot read {name}: {error}")))?;
    let changed =
        |why: String| Failure::said_no(clean(&format!("{name} cannot be relied on: {why}")));
    let document = page::read(&text).map_err(changed)?;
    let (report, key) = sign::verify(&document, args.public_key.as_deref()).map_err(changed)?;
    let verdict = report["verdict"].as_str().unwrap_or_default();
    if as_json {
        let told = serde_json::json!({"intact": true, "public_key": key, "verdict": verdict,
            "at": report["at"], "expected_key": args.public_key.is_some(), "suite": report["suite"],
            "instances": report["instances"], "counts": report["counts"]});
        answer(&format!("{told}\n"));
        return Ok(());
    }
    let whose = match args.public_key {
        Some(_) => "with the key that was expected",
        None => "and says itself with which key; compare it, or give --public-key",
    };
    answer(&format!(
        "{} is as it was signed, {whose}\nkey        {}\nmade       {}\nverdict    {}\n{}",
        clean(&name.to_string()),
        clean(key),
        clean(report["at"].as_str().unwrap_or_default()),
        clean(verdict),
        page::summary(report)
    ));
    Ok(())
}
