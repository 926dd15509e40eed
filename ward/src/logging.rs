//! Logs on standard error: JSON lines, text on a terminal. No key and no
//! personal value is ever in one: the crates below don't log any.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::failure::{Done, Failure};

const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

/// Begins logging at the level of the option, else of the configuration.
pub fn start(option: Option<&str>, configured: Option<&str>) -> Done {
    let level = option.or(configured).unwrap_or("info");
    if !LEVELS.contains(&level) {
        return Err(Failure::usage(format!("the log level is one of {}", LEVELS.join(", "))));
    }
    // Libraries below speak only when something is wrong.
    let others = if matches!(level, "error") { "error" } else { "warn" };
    let filter = EnvFilter::new(format!("{others},ward={level}"));
    let terminal = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(terminal);
    // A second start in the same process changes nothing.
    let _ =
        if terminal { builder.try_init() } else { builder.json().flatten_event(true).try_init() };
    Ok(())
}
