//! Production's live connectors: the only room that knows a mail server or a telephone provider.
//!
//! Each is armed by Production's witness and its configuration, and by nothing else; the Sandbox
//! has neither. Connections are always encrypted and verified; there is no switch for less.
//!
//! Absent on purpose: any queue (intents wait as rows), any retry (the dispatcher's), any text.

mod https;
mod mail;
mod secret;
mod sms;

pub use mail::LiveMail;
pub use sms::LiveSms;
