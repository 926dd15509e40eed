//! Production's live connectors: the only room that knows a mail server, a telephone provider, a
//! push service, a video service or a bucket.
//!
//! Each is armed by Production's witness and its configuration, and by nothing else; the Sandbox
//! has none of them. Connections are always encrypted and verified; there is no switch for less.
//!
//! Absent on purpose: any queue (intents wait as rows), any retry of an effect (the dispatcher's),
//! any text, any key that opens what is stored.

mod callbacks;
mod https;
mod mail;
mod provider;
mod push;
mod s3;
mod secret;
mod sms;
mod video;

pub use callbacks::Callbacks;
pub use mail::LiveMail;
pub use push::LivePush;
pub use s3::{Holding, S3Blobs};
pub use sms::LiveSms;
pub use video::LiveVideo;
