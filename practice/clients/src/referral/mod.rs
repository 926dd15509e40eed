//! Who refers clients, and which client whom: referring providers and referrals.

pub mod address;
pub mod bindings;
pub mod details;
pub mod events;
pub mod of_client;
pub mod physician;
pub mod referrals;
pub mod tables;

pub use tables::{REFERRALS, REFERRING_PHYSICIANS, Referral, ReferringPhysician};
