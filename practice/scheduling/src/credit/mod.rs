//! Credits: how many appointments of a type a client may have (behaviour 18.2, 21,
//! 23.2 to 23.4). Nothing counts them but the ledger: each change is a row with its
//! cause, and what a client has is the sum. `rule` says what becomes of a client's
//! credit and is pure, `follow` is called by whatever changes who attends what,
//! `set` is staff's share of `updateClient`, `shown` answers.

pub mod exclude;
pub mod follow;
pub mod ledger;
pub mod rule;
pub mod set;
pub mod shown;
pub mod table;
