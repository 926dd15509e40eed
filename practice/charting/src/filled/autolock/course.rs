//! What a job that locks notes has behind it: those at which it failed, so that it goes on with the
//! others, and how often they were tried again.

use serde_json::{Value as Json, json};
use ward_engine::errands;
use ward_instance::Timestamp;
use ward_store::jobs::Job;
use ward_store::{StoreError, Value};

/// The most notes that a job passes. So many, because each of a client whose row is damaged fails, and
/// what is due behind those that fail waits as long as a job does not come past them.
const PASSED_MAX: usize = 1_000;
/// When what was passed is tried again for the first time; twice as long each time, and at most a day.
const AGAIN: i64 = 10 * 60_000_000;
const DAY: i64 = 24 * 3_600_000_000;

/// The course of a job, as its payload has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Course {
    /// The notes at which it failed.
    passed: Vec<i64>,
    /// How often what was passed was tried again.
    tries: i64,
}

impl Course {
    /// Of a job.
    pub fn of(job: &Job) -> Result<Self, StoreError> {
        Ok(Course::read(&errands::payload(job)?))
    }

    fn read(said: &Json) -> Self {
        let passed = said["passed"].as_array().map(Vec::as_slice).unwrap_or_default();
        Course {
            passed: passed.iter().filter_map(Json::as_i64).collect(),
            tries: said["tries"].as_i64().unwrap_or_default(),
        }
    }

    /// As the payload of a job.
    pub fn json(&self) -> Json {
        json!({ "passed": self.passed, "tries": self.tries })
    }

    /// Behind another note.
    pub fn passing(mut self, note: i64) -> Self {
        self.passed.push(note);
        self
    }

    /// Whether it passes no more.
    pub fn is_full(&self) -> bool {
        self.passed.len() >= PASSED_MAX
    }

    /// What was passed, as a parameter of a condition.
    pub fn left_out(&self) -> Value {
        Value::Ints(self.passed.as_slice().into())
    }

    /// When what was passed is tried again, and with which payload, if something was.
    pub fn again(&self, now: Timestamp) -> Option<(Timestamp, Json)> {
        if self.passed.is_empty() {
            return None;
        }
        let wait = (AGAIN << self.tries.clamp(0, 8)).min(DAY);
        let next = Course { passed: Vec::new(), tries: self.tries.saturating_add(1) };
        Some((now.plus_micros(wait), next.json()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_passed_is_tried_again_ever_later_and_at_least_daily() {
        let mut course = Course::default();
        assert_eq!(course.again(Timestamp(0)), None);
        let mut minutes = Vec::new();
        for _ in 0..10 {
            course = course.passing(5).passing(6);
            assert_eq!(Course::read(&course.json()), course);
            let (at, next) = course.again(Timestamp(0)).unwrap();
            minutes.push(at.0 / 60_000_000);
            course = Course::read(&next);
        }
        assert_eq!(minutes, [10, 20, 40, 80, 160, 320, 640, 1_280, 1_440, 1_440]);
        let last = Course { passed: vec![5], tries: i64::MAX };
        assert_eq!(last.again(Timestamp(0)).map(|it| it.0), Some(Timestamp(DAY)));
        assert_eq!(Course::read(&Json::Null), Course::default());
    }

    #[test]
    fn a_job_passes_some_and_not_all() {
        let full = (0..1_000).fold(Course::default(), Course::passing);
        assert!(full.is_full() && !Course { passed: vec![5; 999], tries: 0 }.is_full());
    }
}
