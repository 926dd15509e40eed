//! Who is who: organizations, users, memberships and their flags, passwords,
//! sessions and API keys (behaviour 3, 15-17, 43).
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod account;
pub mod account_mail;
pub mod admin;
pub mod allowance;
pub mod attempt;
pub mod authenticate;
pub mod autolock;
pub mod bindings;
pub mod brand;
pub mod care;
pub mod confirm_email;
pub mod deceased;
pub mod email;
pub mod events;
pub mod exercise;
pub mod flag_input;
pub mod flags;
pub mod grant;
pub mod id_list;
pub mod id_or_blank;
pub mod integration;
pub mod key;
pub mod key_limits;
pub mod leak;
pub mod lines;
pub mod link;
mod link_facts;
pub mod member_mail;
pub mod membership;
pub mod mfa;
pub mod network;
pub mod npi;
pub mod organization;
pub mod organization_info;
pub mod password;
pub mod permit;
pub mod person;
pub mod picture;
pub mod practice;
pub mod profile;
pub mod proxy;
pub mod push_device;
pub mod rank;
pub mod rank_of;
pub mod reset;
pub mod restricted;
pub mod rewind;
pub mod rotate;
pub mod rotation;
pub mod sealing;
pub mod second_factor;
pub mod second_step;
pub mod seed;
pub mod session;
pub mod sign_in;
pub mod sign_up;
pub mod states;
pub mod tables;
pub mod template;
pub mod totp;
pub mod upload_scan;
pub mod verification;
pub mod visibility;

pub use authenticate::{
    Held, Identified, Rejection, authenticate, authenticate_from, hold, identify_held, is_admin,
    is_developer,
};
pub use bindings::bind;
pub use link::set_password_by_link;
pub use tables::tables;
