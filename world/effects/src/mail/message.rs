//! A message as a connector gets it.

use std::fmt;

use ward_store::Uuid;

use crate::mail::about::About;

/// A rendered message and where it comes from.
#[derive(Clone, PartialEq)]
pub struct Message {
    /// The root organization whose message it is; 0 for the instance's.
    pub org_id: i64,
    /// The intent; the same for every attempt.
    pub intent_id: Uuid,
    /// The address.
    pub to: String,
    /// What it is: `reset_password`, `welcome`.
    pub kind: String,
    /// The record that it is about.
    pub about: Option<About>,
    /// The subject line; a constant of the kind, so nothing personal is in it.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The HTML text.
    pub html: String,
    /// Header fields that say which environment it comes from.
    pub headers: Vec<(&'static str, String)>,
    /// The request that led here.
    pub cause: String,
}

/// Never the address or the texts: they hold links that open accounts.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message({} {})", self.kind, self.intent_id)
    }
}
