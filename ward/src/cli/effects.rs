//! `ward effects …`.

use clap::Subcommand;

use super::There;

/// What is to be done with effects.
#[derive(Subcommand, Clone, Debug)]
pub enum EffectsCommand {
    /// The classes: whether they happen, and what waits
    #[command(visible_alias = "show")]
    List(There),
    /// Switch a class; what waits of one that is switched on is sent, what waited for over a day is not
    Set {
        /// Which class
        #[arg(value_parser = CLASSES)]
        class: String,
        /// off: what is wanted waits; cohort: it happens for chosen people; live: it happens
        #[arg(value_parser = ["off", "cohort", "live"])]
        mode: String,
        /// Why, for the audit log
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// The running instance
        #[command(flatten)]
        there: There,
    },
    /// Whom a class reaches while it is at its cohort; with --add or --remove it is changed
    Cohort {
        /// Which class
        #[arg(value_parser = COHORTS)]
        class: String,
        /// The id of a client or member who comes; may be repeated
        #[arg(long, value_name = "ID", requires = "reason")]
        add: Vec<String>,
        /// The id of somebody who goes; may be repeated
        #[arg(long, value_name = "ID", requires = "reason")]
        remove: Vec<String>,
        /// Why, for the audit log
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        /// The running instance
        #[command(flatten)]
        there: There,
    },
    /// Give up what waits of a class; it stands with what failed
    Discard {
        /// Which class
        #[arg(value_parser = CLASSES)]
        class: String,
        /// Why, for the audit log
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// The running instance
        #[command(flatten)]
        there: There,
    },
    /// What is held back, oldest first, and why
    Held {
        /// Only of this class
        #[arg(long, value_parser = CLASSES)]
        class: Option<String>,
        /// The running instance
        #[command(flatten)]
        there: There,
    },
    /// What failed for good, latest first
    Failed {
        /// Only of this class
        #[arg(long, value_parser = CLASSES)]
        class: Option<String>,
        /// The running instance
        #[command(flatten)]
        there: There,
    },
    /// Let a failed effect be tried again
    Replay {
        /// Its id; `ward effects failed` shows it
        id: String,
        /// The running instance
        #[command(flatten)]
        there: There,
    },
}

/// The classes.
const CLASSES: [&str; 6] = ["account_mail", "email", "sms", "push", "video", "scan"];

/// The classes that have a cohort.
const COHORTS: [&str; 4] = ["email", "sms", "push", "video"];
