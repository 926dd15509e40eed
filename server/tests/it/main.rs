//! Tests of the assembled house.

#![allow(clippy::unwrap_used)]

mod contract;
mod statements;
