//! How far the export of a population is: all of it is in the payload of its job, so that whoever
//! goes on with it after a kill knows what was done. Pure.

use serde_json::{Value as Json, json};
use ward_instance::Timestamp;
use ward_store::StoreError;
use ward_store::jobs::Job;

/// So many clients who are left out are named; of more, the number is told.
pub const NAMED_MAX: usize = 1_000;
/// So many archives one folder takes; then there is another one in the first.
pub const PART_MAX: i64 = 4_000;

/// The export of a population on its way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Course {
    /// The member who asked.
    pub asker: i64,
    /// Whether archived clients take part.
    pub archived: bool,
    /// When it was asked for, in microseconds.
    pub began: i64,
    /// Its folder, which the manifest is in.
    pub folder: i64,
    /// The folder that archives are put into: it, or one in it.
    pub part: i64,
    /// How many folders there are so far.
    pub parts: i64,
    /// How many archives were put into `part`.
    pub held: i64,
    /// The client whose turn was last.
    pub after: i64,
    /// How many archives were made.
    pub made: i64,
    /// Clients of whom there is none, and why, in one sentence.
    pub left_out: Vec<(i64, String)>,
    /// How many more there are.
    pub more_left_out: i64,
}

impl Course {
    /// At its beginning.
    pub fn begin(asker: i64, archived: bool, folder: i64, began: Timestamp) -> Self {
        let begun = Course { asker, archived, began: began.0, ..Course::default() };
        Course { folder, part: folder, parts: 1, ..begun }
    }

    /// As the payload of a job has it.
    pub fn of(job: &Job) -> Result<Self, StoreError> {
        Course::written(&job.payload)
    }

    /// As it was written into a payload.
    pub fn written(payload: &str) -> Result<Self, StoreError> {
        let said: Json = serde_json::from_str(payload)
            .map_err(|_| StoreError::corrupt("jobs", "a payload is no JSON"))?;
        Ok(Course::read(&said))
    }

    fn read(said: &Json) -> Self {
        let number = |name: &str| said[name].as_i64().unwrap_or_default();
        let listed = said["left_out"].as_array().map(Vec::as_slice).unwrap_or_default();
        let left_out =
            |it: &Json| Some((it[0].as_i64()?, it[1].as_str().unwrap_or_default().to_owned()));
        Course {
            asker: number("asker"),
            archived: said["archived"].as_bool().unwrap_or_default(),
            began: number("began"),
            folder: number("folder"),
            part: number("part"),
            parts: number("parts"),
            held: number("held"),
            after: number("after"),
            made: number("made"),
            left_out: listed.iter().filter_map(left_out).collect(),
            more_left_out: number("more_left_out"),
        }
    }

    /// As the payload of a job.
    pub fn json(&self) -> Json {
        json!({
            "asker": self.asker,
            "archived": self.archived,
            "began": self.began,
            "folder": self.folder,
            "part": self.part,
            "parts": self.parts,
            "held": self.held,
            "after": self.after,
            "made": self.made,
            "left_out": self.left_out,
            "more_left_out": self.more_left_out,
        })
    }

    /// Whether the folder has taken as many archives as it takes.
    pub fn is_part_full(&self) -> bool {
        self.held >= PART_MAX
    }

    /// Goes on with another folder.
    #[must_use]
    pub fn in_part(self, part: i64) -> Self {
        Course { part, parts: self.parts + 1, held: 0, ..self }
    }

    /// Behind a client of whom there is an archive.
    #[must_use]
    pub fn with(self, client: i64) -> Self {
        Course { after: client, made: self.made + 1, held: self.held + 1, ..self }
    }

    /// Behind a client of whom there is none.
    #[must_use]
    pub fn without(mut self, client: i64, why: String) -> Self {
        match self.left_out.len() < NAMED_MAX {
            true => self.left_out.push((client, why)),
            false => self.more_left_out += 1,
        }
        Course { after: client, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// What a kill leaves is what was.
        #[test]
        fn a_payload_is_read_as_it_was_written(
            asker in any::<i64>(), archived in any::<bool>(), after in any::<i64>(),
            clients in proptest::collection::vec((any::<i64>(), ".{0,20}"), 0..5)
        ) {
            let mut course = Course::begin(asker, archived, 5, Timestamp(7)).in_part(9).with(after);
            for (client, why) in clients {
                course = course.without(client, why);
            }
            let text = course.json().to_string();
            prop_assert_eq!(Course::read(&serde_json::from_str(&text).unwrap()), course);
        }
    }

    #[test]
    fn what_is_left_out_is_named_within_bounds() {
        let mut course = Course::begin(1, true, 2, Timestamp(0));
        for client in 0..NAMED_MAX as i64 + 3 {
            course = course.without(client, String::new());
        }
        assert_eq!((course.left_out.len(), course.more_left_out), (NAMED_MAX, 3));
        assert_eq!((course.after, course.made), (NAMED_MAX as i64 + 2, 0));
    }

    #[test]
    fn a_folder_takes_so_many_archives() {
        let mut course = Course { held: PART_MAX - 1, ..Course::begin(1, true, 2, Timestamp(0)) };
        assert!(!course.is_part_full());
        course = course.with(3);
        assert!(course.is_part_full());
        let next = course.in_part(8);
        assert_eq!((next.folder, next.part, next.parts, next.held), (2, 8, 2, 0));
        assert_eq!((next.after, next.made), (3, 1));
    }
}
