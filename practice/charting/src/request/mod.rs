//! Form completion requests: what staff ask clients to fill in, once or again and again
//! (behaviour 28).
//!
//! Whoever changes a request that is there holds its client first, as a form that is filled in
//! does. What is asked of many, or of groups, is asked a few at a time (`spawn`): the first at
//! once, the others by jobs on the instance's clock.

pub mod ask;
pub mod change;
pub mod create;
pub mod fill;
pub mod history;
pub mod input;
pub mod listing;
pub mod recipients;
pub mod recurring;
pub mod rules;
pub mod spawn;
pub mod tables;
pub mod visibility;

/// So many requests can wait for a client.
pub const OPEN_MAX: i64 = 500;
/// So many people and groups can be named at once.
pub const RECIPIENTS_MAX: usize = 500;
/// So many are asked in one transaction.
pub const AT_ONCE: usize = 25;
/// So many recurring forms an organization can have.
pub const RECURRING_MAX: i64 = 2_000;

/// What a request calls a form that the practice made.
pub const ITEM_TYPE: &str = "cmf";
