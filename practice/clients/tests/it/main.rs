//! Tests of the domain: rules without a database, and operations through the
//! front door of the engine.
#![allow(clippy::unwrap_used)]

mod clients;
mod groups;
mod places;
mod profile;
mod rules;
mod seeds;
mod support;
