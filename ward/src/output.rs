//! What a command prints: its answer on standard output, for people or as
//! JSON; sentences and progress on standard error.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use comfy_table::{Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value as Json;
use ward_server::admin::Progress;

use crate::failure::Failure;

/// Bold.
pub const BOLD: &str = "\x1b[1m";
/// For what is well.
pub const GREEN: &str = "\x1b[32m";
/// For what wants attention.
pub const YELLOW: &str = "\x1b[33m";
/// For what is wrong.
pub const RED: &str = "\x1b[31m";
/// For what is less important.
pub const DIM: &str = "\x1b[2m";
/// Back to plain.
pub const PLAIN: &str = "\x1b[0m";

/// How a command speaks.
#[derive(Clone, Copy, Debug)]
pub struct Out {
    /// Whether the answer is JSON.
    pub json: bool,
}

impl Out {
    /// For people, or for programs.
    pub fn new(json: bool) -> Self {
        Out { json }
    }

    /// The command's answer. A closed pipe is no failure: whoever read has read enough.
    pub fn answer(self, json: &Json, human: impl FnOnce() -> String) {
        let mut text =
            if self.json { serde_json::to_string(json).unwrap_or_default() } else { human() };
        if !text.ends_with('\n') {
            text.push('\n');
        }
        let mut stdout = anstream::stdout().lock();
        let _ = stdout.write_all(text.as_bytes());
        let _ = stdout.flush();
    }

    /// A sentence beside the answer.
    pub fn say(self, sentence: impl std::fmt::Display) {
        let _ = writeln!(anstream::stderr().lock(), "{sentence}");
    }

    /// Why the command failed.
    pub fn failure(self, failure: &Failure) {
        if !failure.sentence.is_empty() {
            // A refusal by environment is a line that begins with its number.
            match failure.sentence.starts_with("E-ISO-") {
                true => self.say(&failure.sentence),
                false => self.say(format_args!("{RED}ward:{PLAIN} {}", failure.sentence)),
            }
        }
    }

    /// A turning sign with a text, while something takes long; nothing where
    /// standard error is no terminal.
    pub fn progress(self, text: &str) -> ProgressBar {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(text.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        bar
    }
}

impl Out {
    /// The same for something that tells how far it is: what it tells moves a
    /// bar or, where standard error is no terminal, is a line each tenth.
    pub fn progress_of(self, text: &str) -> (ProgressBar, Progress) {
        let bar = self.progress(text);
        let (moved, text, tenth) = (bar.clone(), text.to_owned(), AtomicU64::new(0));
        let progress = move |done: u64, total: u64| {
            moved.set_message(format!("{text}: {done} of {total}"));
            let now = done * 10 / total.max(1);
            if moved.is_hidden() && total > done && tenth.fetch_max(now, Ordering::Relaxed) < now {
                self.say(format_args!("{text}: {done} of {total}"));
            }
        };
        (bar, Arc::new(progress))
    }
}

/// A list of objects as a table, with the first one's keys as its head.
pub fn table(rows: &Json) -> String {
    let rows = rows.as_array().map(Vec::as_slice).unwrap_or_default();
    let Some(Json::Object(first)) = rows.first() else { return "none\n".to_owned() };
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(
        first.keys().map(|key| key.to_uppercase().replace('_', " ")).collect::<Vec<_>>(),
    );
    for row in rows {
        table.add_row(
            first.keys().map(|key| plain(row.get(key).unwrap_or(&Json::Null))).collect::<Vec<_>>(),
        );
    }
    let mut text = table.trim_fmt();
    text.push('\n');
    text
}

/// An object as lines of `key  value`.
pub fn lines(object: &Json) -> String {
    let Some(object) = object.as_object() else { return plain(object) };
    let width = object.keys().map(String::len).max().unwrap_or(0);
    object.iter().fold(String::new(), |mut text, (key, value)| {
        let _ = writeln!(text, "{DIM}{:<width$}{PLAIN}  {}", key.replace('_', " "), plain(value));
        text
    })
}

/// A value as people write it.
pub fn plain(value: &Json) -> String {
    match value {
        Json::Null => "-".to_owned(),
        Json::Bool(true) => "yes".to_owned(),
        Json::Bool(false) => "no".to_owned(),
        Json::String(text) => text.clone(),
        Json::Array(items) if items.is_empty() => "none".to_owned(),
        Json::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Json::Object(object) if object.is_empty() => "none".to_owned(),
        Json::Object(object) => object
            .iter()
            .map(|(key, value)| format!("{key} {}", plain(value)))
            .collect::<Vec<_>>()
            .join(" "),
        Json::Number(number) => number.to_string(),
    }
}
