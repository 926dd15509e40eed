//! `ward tour`: acts out what two instances keep apart, with two real
//! processes of this binary in a temporary directory. Each step says what is
//! done, what was seen and why it matters; the first that does not hold ends it.

mod cast;
mod desk;
mod steps;

use std::io::Write as _;
use std::path::Path;

use serde_json::{Value as Json, json};

use crate::failure::{Done, Failure};
use crate::output::{BOLD, DIM, GREEN, Out, PLAIN, RED};
use crate::signals::Signals;
use crate::tour::steps::Story;

/// What was seen in a step, or why it does not hold.
type Seen = Result<String, String>;

/// One step of the tour.
struct Step {
    title: &'static str,
    why: &'static str,
}

const STEPS: [Step; 9] = [
    Step {
        title: "A Sandbox and a Production are born",
        why: "Each has its own directory, database, root key and process. What an instance is, is decided at birth; no command changes it.",
    },
    Step {
        title: "A client is created through the Sandbox's API",
        why: "With the limited key of an integration user, as a developer's program would.",
    },
    Step {
        title: "The client is read back",
        why: "Same key, same address: what was written is there.",
    },
    Step {
        title: "She books the next free time herself, as a visitor of the practice's website",
        why: "Without a credential, as a booking widget does. The answer does not tell a stranger that she is a client already.",
    },
    Step {
        title: "Her provider moves the appointment",
        why: "Staff may book over what is taken; with enforce_availability the time has to be one that is listed.",
    },
    Step {
        title: "The same key is tried on Production",
        why: "A key says whose it is inside the part that its checksum covers: it is refused before anything is looked up.",
    },
    Step {
        title: "The Sandbox's id is tried on Production, with Production's own key",
        why: "The two number their records from ranges that never meet, so a mixed-up id is an error with a name and never another person.",
    },
    Step {
        title: "The audit log tells who created the client",
        why: "Written in the same transaction as the client, and sealed into a chain.",
    },
    Step {
        title: "Both audit logs are verified",
        why: "Every entry, every link, every number, and the ends against a file outside the database.",
    },
];

/// `ward tour`.
pub async fn run(out: Out) -> Done {
    let stage = tempfile::Builder::new().prefix("ward-tour-").tempdir().map_err(|error| {
        Failure::unavailable(format!("cannot make a temporary directory: {error}"))
    })?;
    let mut signals = Signals::new()?;
    let mut played = Vec::new();
    // Given up in the middle, both processes are killed as they are dropped.
    let failed = tokio::select! {
        failed = play(stage.path(), out, &mut played) => failed,
        code = signals.next() => return Err(Failure { code, sentence: "the tour was interrupted".to_owned() }),
    };
    if out.json {
        out.answer(&json!({"held": failed.is_none(), "steps": played}), String::new);
    }
    match failed {
        Some(number) => Err(Failure::said_no(format!("step {number} of the tour does not hold"))),
        None => {
            write(
                out,
                &format!(
                    "\n{GREEN}Everything held.{PLAIN} Both instances are stopped and their directory is gone.\nYour own two: {BOLD}ward dev{PLAIN}\n"
                ),
            );
            Ok(())
        }
    }
}

/// Plays until a step does not hold; gives its number.
async fn play(stage: &Path, out: Out, played: &mut Vec<Json>) -> Option<usize> {
    let mut story: Option<Story> = None;
    let mut failed = None;
    for (number, step) in STEPS.iter().enumerate() {
        open(out, number, step);
        let seen = match &mut story {
            Some(story) => story.play(number).await,
            None => cast::births(stage).await.map(|(cast, seen)| {
                story = Some(Story::new(cast));
                seen
            }),
        };
        close(out, &seen);
        let (held, Ok(text) | Err(text)) = (seen.is_ok(), seen);
        played.push(json!({"step": step.title, "held": held, "seen": text}));
        if !held {
            failed = Some(number + 1);
            break;
        }
    }
    if let Some(story) = story {
        story.cast.leave().await;
    }
    failed
}

fn open(out: Out, number: usize, step: &Step) {
    write(
        out,
        &format!("\n{BOLD}{}. {}{PLAIN}\n   {DIM}{}{PLAIN}\n", number + 1, step.title, step.why),
    );
}

fn close(out: Out, seen: &Seen) {
    let (mark, text) = match seen {
        Ok(text) => (format!("{GREEN}ok{PLAIN}"), text),
        Err(text) => (format!("{RED}no{PLAIN}"), text),
    };
    write(out, &format!("   {mark} {}\n", text.replace('\n', "\n      ")));
}

/// The story is told on standard output, unless that is for JSON.
fn write(out: Out, text: &str) {
    if !out.json {
        let mut stdout = anstream::stdout().lock();
        let _ = stdout.write_all(text.as_bytes());
        let _ = stdout.flush();
    }
}

/// The text at a path of an answer.
fn text<'a>(body: &'a Json, path: &str) -> Option<&'a str> {
    body.pointer(path).and_then(Json::as_str)
}
