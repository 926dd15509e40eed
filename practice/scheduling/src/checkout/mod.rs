//! Booking by oneself (behaviour 23.3): `input` is what is sent, `book` books a time
//! and `seat` a seat in an appointment of several or a place in the line for one, `who` is the client who books, and
//! `steps` what a booking page leads through.

pub mod book;
pub mod input;
pub mod seat;
pub mod steps;
pub mod who;
