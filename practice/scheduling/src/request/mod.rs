//! Appointment requests (behaviour 24): somebody says what they would like, and staff
//! answer with an appointment. `table` has the rows, `input` what is sent, `ask` how a
//! request is made by whomever, `matching` what follows once they have their answer, `answer` what staff make of it, and `listing` who finds
//! which.

pub mod answer;
pub mod ask;
pub mod input;
pub mod listing;
pub mod matching;
pub mod table;
pub mod visibility;
