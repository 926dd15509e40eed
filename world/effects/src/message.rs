//! A message as a connector gets it.

use std::fmt;

use ward_store::Uuid;
use ward_store::system::EffectClass;

use crate::about::About;

/// A rendered message and where it comes from.
#[derive(Clone, PartialEq)]
pub struct Message {
    /// The root organization whose message it is; 0 for the instance's.
    pub org_id: i64,
    /// The intent; the same for every attempt.
    pub intent_id: Uuid,
    /// By which way.
    pub class: EffectClass,
    /// The address of the class.
    pub to: String,
    /// What it is: `reset_password`, `welcome`.
    pub kind: String,
    /// The record that it is about.
    pub about: Option<About>,
    /// What it says.
    pub content: Content,
    /// The request that led here.
    pub cause: String,
}

/// What a message says.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Content {
    /// The subject line of a mail; nothing personal is in it. Empty otherwise.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The HTML text of a mail; empty otherwise.
    pub html: String,
    /// Header fields of a mail that say which environment it comes from.
    pub headers: Vec<(&'static str, String)>,
}

/// Never the address or the texts: they hold links that open accounts.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message({} {})", self.kind, self.intent_id)
    }
}

/// Never the texts.
impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Content({})", self.subject)
    }
}
