//! Production's live connectors: the only room that knows a mail server, a telephone provider, a
//! push service, a video service, a scanner for malware or a bucket.
//!
//! Each is armed by Production's witness and its configuration, and by nothing else; the Sandbox
//! has none of them. Connections over a network are always encrypted and verified; there is no
//! switch for less. The scanner is on the same machine, by a socket in the file system.
//!
//! Absent on purpose: any queue (intents wait as rows), any retry of an effect (the dispatcher's),
//! any text, any key that opens what is stored.

mod callbacks;
mod https;
mod mail;
mod provider;
mod push;
mod s3;
mod scan;
mod secret;
mod sms;
mod video;

pub use callbacks::Callbacks;
pub use mail::LiveMail;
pub use push::LivePush;
pub use s3::{Holding, S3Blobs};
pub use scan::LiveScan;
pub use sms::LiveSms;
pub use video::LiveVideo;
