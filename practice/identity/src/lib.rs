//! Who is who: organizations, users, memberships and their flags, passwords,
//! sessions and API keys (behaviour 3, 15-17, 43).
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod account;
pub mod admin;
pub mod attempt;
pub mod authenticate;
pub mod bindings;
pub mod email;
pub mod events;
pub mod flag_input;
pub mod flags;
pub mod grant;
pub mod id_or_blank;
pub mod key;
pub mod lines;
pub mod link;
pub mod link_reader;
pub mod member_mail;
pub mod membership;
pub mod password;
pub mod person;
pub mod practice;
pub mod rank;
pub mod reset;
pub mod seed;
pub mod session;
pub mod sign_in;
pub mod sign_up;
pub mod tables;
pub mod template;
pub mod visibility;

pub use authenticate::{Identified, Rejection, authenticate, is_admin, is_developer};
pub use bindings::bind;
pub use link::set_password_by_link;
pub use tables::tables;
