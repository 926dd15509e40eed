//! `cargo xtask`: the repository's own commands. Each is a function of the library.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use xtask::{coverage, repository, test_runner, tidy};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The repository's own commands")]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Write contract/coverage.md from the served schemas.
    Coverage {
        /// The folder with the served SDL, one file a view.
        #[arg(long, default_value = "contract/served")]
        served: PathBuf,
        /// Only compare with the committed report.
        #[arg(long)]
        check: bool,
    },
    /// Look for what the repository must not contain.
    Tidy,
    /// Run all tests, with a private PostgreSQL beside them.
    Test {
        /// Longer runs of the randomised tests.
        #[arg(long)]
        soak: bool,
        /// Arguments for the test command.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        eprintln!("{error:#}");
        ExitCode::FAILURE
    })
}

fn run() -> Result<ExitCode> {
    let repository = repository();
    match Arguments::parse().command {
        Task::Coverage { served, check } => {
            let served = if served.is_absolute() { served } else { repository.join(served) };
            coverage::run(&repository, &served, check)?;
        }
        Task::Tidy => {
            let found = tidy::untidy(&repository)?;
            for sentence in &found {
                println!("{sentence}");
            }
            if !found.is_empty() {
                eprintln!("{} untidy", found.len());
                return Ok(ExitCode::FAILURE);
            }
        }
        Task::Test { soak, arguments } => {
            let options = test_runner::Options { soak, arguments };
            let code = test_runner::run(&repository, &options)?;
            return Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)));
        }
    }
    Ok(ExitCode::SUCCESS)
}
