//! Forms and notes on paper: PDFs of what was filled in (behaviour 2, 26). What is printed is
//! what the API shows the same person: each question as it was when it was answered (DOM-13),
//! no answer that is not asked, signatures with whether the note is still what was signed
//! (DOM-16), addenda, the lock. It is the paper of one client: of a group note what it says of them
//! stands on it, and nothing of what it says of another.

pub mod answer;
pub mod individual;
pub mod note;
pub mod people;
pub mod read;

use std::collections::BTreeSet;

use tokio::sync::Semaphore;
use ward_engine::{Answer, Refused, Request};
use ward_identity::tables::User;
use ward_paper::{Block, Mark, Paper, Unprinted};
use ward_store::{Id, StoreError, Watch};

use self::read::{Kept, KeptNote, What};
use crate::filled::tables::FormAnswerGroup;
use crate::tables::Confidentiality;

/// So many forms and notes one document can have.
pub const NOTES_MAX: usize = 200;

/// So many documents are read and laid out at once; who stopped waiting for one still has its place
/// until it is done.
static PRINTING: Semaphore = Semaphore::const_new(2);

/// A document of forms and notes of one client.
pub struct Printed {
    /// The PDF.
    pub bytes: Vec<u8>,
    /// What it is called: the note's name, or that it is several.
    pub title: String,
    /// The client.
    pub client: Id<User>,
    /// Whether all of it is finished.
    pub finished: bool,
    /// Whether some of it are counselling notes: their author's alone.
    pub is_apart: bool,
    /// Whether some of it is more confidential than the rest of the record.
    pub is_confidential: bool,
    /// What is printed, and the version of each as it was printed.
    pub notes: Vec<(Id<FormAnswerGroup>, i64)>,
    /// Whose data it is, for the access log.
    pub reads: Vec<(i64, Watch)>,
}

/// Prints what the caller sees of what was filled in: nothing of it where one is not there, not
/// theirs to see, or of another client. `at` is the argument that names them.
pub async fn print(request: &Request, what: What, at: &'static str) -> Answer<Printed> {
    let closed = |_| StoreError::internal("nothing is printed any more");
    let place = PRINTING.acquire().await.map_err(closed)?;
    let kept = {
        let mut reader = request.db.read().await?;
        read::kept(request, &mut reader, what, at).await?
    };
    if kept.notes.is_empty() {
        return Err(Refused::not_found(at));
    }
    let title = title(&kept);
    let printed = Printed {
        bytes: Vec::new(),
        title: title.clone(),
        client: kept.client_id,
        finished: kept.notes.iter().all(|it| it.group.finished),
        is_apart: kept.notes.iter().any(is_apart),
        is_confidential: kept.notes.iter().any(is_confidential),
        notes: kept.notes.iter().map(|it| (it.group.id, it.group.version)).collect(),
        reads: kept.reads.clone(),
    };
    let paper = paper(request, &kept, title);
    // Laying out hundreds of pages is work for a thread of its own.
    let drawn = tokio::task::spawn_blocking(move || {
        let _place = place;
        ward_paper::draw(&paper)
    });
    match drawn.await {
        Ok(Ok(bytes)) => Ok(Printed { bytes, ..printed }),
        Ok(Err(Unprinted::TooLong)) => Err(Refused::on(at, Unprinted::TooLong.to_string())),
        Ok(Err(error)) => Err(StoreError::internal(error.to_string()).into()),
        Err(_) => Err(StoreError::internal("a PDF could not be drawn").into()),
    }
}

fn is_apart(note: &KeptNote) -> bool {
    note.group.confidentiality == Confidentiality::CounsellingNotes
}

fn is_confidential(note: &KeptNote) -> bool {
    note.group.confidentiality != Confidentiality::Normal
}

fn title(kept: &Kept) -> String {
    match kept.notes.as_slice() {
        [only] => only.group.name.clone(),
        _ => "Chart notes".to_owned(),
    }
}

fn paper(request: &Request, kept: &Kept, title: String) -> Paper {
    let zone = &request.zone;
    let mut blocks = Vec::new();
    for (index, it) in kept.notes.iter().enumerate() {
        if index > 0 {
            blocks.push(Block::NewPage);
        }
        note::blocks(it, &kept.people, zone, &mut blocks);
    }
    let practices: BTreeSet<&str> = kept.notes.iter().map(|it| it.practice.as_str()).collect();
    let at = jiff::Timestamp::from_microsecond(request.now.0).unwrap_or_default();
    Paper {
        title,
        practice: practices.into_iter().collect::<Vec<_>>().join(", "),
        about: kept.client.clone(),
        made: format!("Made on {}", note::moment(request.now, zone)),
        made_at: at.to_zoned_datetime(jiff::tz::TimeZone::UTC).datetime(),
        mark: request.instance.mark().map(|mark| Mark { word: mark.word, line: mark.line }),
        blocks,
    }
}
