//! Care plans: what a client or a group of clients is to follow, or a template of that, with its
//! documents, goals and recommendations (behaviour 29).
//!
//! For whom a plan is active is kept apart from the plan, in `GroupCarePlanUserConnection`: a
//! client has one active plan at a time, which a unique rule holds whoever writes. Whoever changes
//! what is a client's holds the client first, and the plan after.
//!
//! Absent on purpose: goals of templates and of groups, and a feature toggle of a plan's own.

pub mod access;
pub mod activate;
pub mod bindings;
pub mod category;
pub mod change;
pub mod connect;
pub mod group;
pub mod input;
pub mod listing;
pub mod mail;
pub mod recommendation;
pub mod rules;
pub mod shown;
pub mod table;
pub mod template;
pub mod visibility;

/// A client can have so many plans, an organization so many that are no client's.
pub const PLANS_MAX: i64 = 1_000;
/// A plan has so many documents, goals and recommendations at most, of each.
pub const PARTS_MAX: i64 = 100;
/// An organization has so many categories of recommendations.
pub const CATEGORIES_MAX: i64 = 200;
/// So many clients are reached by one call.
pub const CLIENTS_MAX: usize = 500;
/// So many plans are named or made by one call.
pub const AT_ONCE: usize = 50;
