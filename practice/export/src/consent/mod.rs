//! Consents to disclosure, an addition to the contract (42 CFR 2.31, 45 CFR 164.508, DOM-31): to whom
//! the records of a client may go, for what, which of them, and until when. The export of a client that
//! names one is for its recipient: `withheld` says what is in it, `grant` whether it may be made.
//!
//! A consent is never deleted: one that was revoked proves what was right until then.

mod archives;
pub mod bindings;
pub mod change;
pub mod grant;
mod marked;
pub mod rules;
pub mod said;
pub mod table;
pub mod visibility;
pub mod withheld;
