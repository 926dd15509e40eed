//! Forms and notes as documents: shared with the client, or the chart as one file (behaviour 26).
//! A note is never shown to its client but so: as it was when a member shared it.

use std::io::Cursor;
use std::sync::Arc;

use ward_charting::filled::tables::FormAnswerGroup;
use ward_charting::paper::read::What;
use ward_charting::paper::{Printed, print};
use ward_engine::{Answer, Call, Payload, Refused, Request, Returns, input};
use ward_identity::id_list::IdList;
use ward_identity::id_or_blank::{IdOrBlank, named};
use ward_identity::permit::members_only;
use ward_identity::picture::{self, Named, NewFile};
use ward_identity::sealing::sealed;
use ward_identity::tables::{USERS, User};
use ward_store::{Id, Json, Level};

use crate::document::client_seen;
use crate::file::DOCUMENT_BYTES_MAX;
use crate::sharing::{self, Item};
use crate::tables::Document;
use crate::{events, name, viewing};

/// What `generateChartingPdf` answers.
pub const CLIENT: &[(&str, Returns)] = &[("user", Returns::One(&USERS))];

const NOTE: &str = "form_answer_group_id";
const LIST: &str = "form_answer_group_array";
/// A document is for others to read: the client, or the staff.
const APART: &str = "Counselling notes are kept apart from the record: no document is made of them; \
     print them by POST /selected_private_notes.pdf";

input! {
    /// `shareAnswersAsDocumentInput`.
    pub struct ShareAnswers {
        form_answer_group_id: IdOrBlank<FormAnswerGroup>,
        name: String,
        user_id: IdOrBlank<User>,
    }
}

input! {
    /// `generateChartingPdfInput`; `id` is the client.
    pub struct ChartingPdf {
        form_answer_group_array: IdList<FormAnswerGroup>,
        id: IdOrBlank<User>,
    }
}

/// A PDF on the disk, with what it is of.
pub struct Prepared {
    printed: Printed,
    file: NewFile,
    title: String,
}

/// Prints a form or note, outside any transaction.
pub async fn prepare_share(request: Arc<Request>, input: ShareAnswers) -> Answer<Prepared> {
    members_only(&request.actor)?;
    let title = input.name.trimmed();
    if let Some(sentence) = title.and_then(|it| name::wrong_title("Name", it)) {
        return Err(Refused::on("name", sentence));
    }
    let id = named(&input.form_answer_group_id).ok_or_else(|| Refused::not_found(NOTE))?;
    let what = What::These(vec![id], named(&input.user_id));
    let printed = print(&request, what, NOTE).await?;
    check_record(&printed, NOTE)?;
    if !printed.finished {
        return Err(Refused::on(NOTE, "This is a draft: finish it before you share it"));
    }
    let title = title.map_or_else(|| printed.title.clone(), str::to_owned);
    stored(&request, printed, title, NOTE).await
}

/// Prints the notes that are named, or a client's whole chart, outside any transaction.
pub async fn prepare_chart(request: Arc<Request>, input: ChartingPdf) -> Answer<Prepared> {
    members_only(&request.actor)?;
    let client = named(&input.id);
    let listed = input.form_answer_group_array.value().filter(|list| !list.0.is_empty());
    let (what, at) = match (listed, client) {
        (Some(list), client) => (What::These(list.0.clone(), client), LIST),
        (None, Some(client)) => (What::Chart(client), "id"),
        (None, None) => {
            let message = "Name the client, or the forms and notes in form_answer_group_array";
            return Err(Refused::on("id", message));
        }
    };
    let printed = print(&request, what, at).await?;
    check_record(&printed, at)?;
    let title = printed.title.clone();
    stored(&request, printed, title, at).await
}

fn check_record(printed: &Printed, at: &'static str) -> Answer<()> {
    match printed.is_apart {
        true => Err(Refused::on(at, APART)),
        false => Ok(()),
    }
}

async fn stored(
    request: &Request,
    mut printed: Printed,
    title: String,
    at: &'static str,
) -> Answer<Prepared> {
    let bytes = std::mem::take(&mut printed.bytes);
    let size = bytes.len() as u64;
    let file_name = file_name(&title);
    let named = Named {
        file_name: &file_name,
        content_type: "application/pdf",
        at,
        bytes_max: DOCUMENT_BYTES_MAX,
    };
    let file = sealed(request, &mut Cursor::new(bytes), size, &named).await?;
    Ok(Prepared { printed, file, title: shortened(&title) })
}

/// The name of the file: the title, where it can be one.
fn file_name(title: &str) -> String {
    let name = format!("{}.pdf", title.trim());
    match name::wrong_file_name(&name) {
        None if !title.trim().is_empty() => name,
        _ => "chart note.pdf".to_owned(),
    }
}

/// A note's name as a document's title: no longer, and without what a title can't hold.
fn shortened(title: &str) -> String {
    let cut: String = title.trim().chars().take(name::NAME_CHARS_MAX).collect();
    match name::wrong_title("Name", &cut) {
        None if !cut.is_empty() => cut,
        _ => "Chart note".to_owned(),
    }
}

/// `shareAnswersAsDocument`: the client has it from here on.
pub async fn share(call: &mut Call<'_>, prepared: &Prepared) -> Answer<Payload> {
    let document = create(call, prepared, NOTE).await?;
    sharing::set_rel(call, Item::Document(&document), true).await?;
    call.emit(events::document_created(&document));
    let reads = prepared.printed.reads.iter().copied();
    call.request.reads.note("shareAnswersAsDocument", reads);
    Ok(Payload::new().one("document", document.id.0))
}

/// `generateChartingPdf`: a document in the client's chart, for the staff.
pub async fn chart(call: &mut Call<'_>, prepared: &Prepared) -> Answer<Payload> {
    let document = create(call, prepared, LIST).await?;
    call.emit(events::document_created(&document));
    let reads = prepared.printed.reads.iter().copied();
    call.request.reads.note("generateChartingPdf", reads);
    Ok(Payload::new().one("user", prepared.printed.client.0))
}

/// The document of a PDF, if all of it is still as it was printed, and for the caller to see.
async fn create(call: &mut Call<'_>, prepared: &Prepared, at: &'static str) -> Answer<Document> {
    let printed = &prepared.printed;
    let mut notes = printed.notes.clone();
    notes.sort_unstable_by_key(|(id, _)| id.0);
    for (id, version) in notes {
        let found = call.visible_for_reference(id, Level::Full).await?;
        let (note, _): (FormAnswerGroup, Level) = found.ok_or_else(|| Refused::not_found(at))?;
        if note.version != version {
            let message = "This changed while it was being printed; send the request again";
            return Err(Refused::on(at, message));
        }
    }
    call.scope.subject_id = Some(printed.client.0);
    let client = client_seen(call, printed.client, at).await?;
    let owner = Id::new(call.actor.user_id);
    let file = &prepared.file;
    let purpose = viewing::PURPOSE;
    let file_id = picture::register_made(call, file, (client.unit_id.0, owner.0), purpose).await?;
    let now = call.now();
    let document = Document {
        id: call.next_id().await?,
        org_id: Id::new(call.actor.org_id),
        unit_id: client.unit_id,
        owner_id: owner,
        rel_user_id: Some(client.id),
        folder_id: None,
        file_id,
        display_name: prepared.title.clone(),
        file_name: file.file_name.clone(),
        file_content_type: file.content_type().to_owned(),
        byte_size: file.byte_size(),
        printed_of: Some(printed_of(printed)),
        printed_confidential: Some(printed.is_confidential),
        disclosure_consent_id: None,
        description: None,
        internal_notes: None,
        metadata: None,
        include_in_charting: true,
        shared_on_welcome: false,
        shared_with_dietitians: false,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    call.create(&document).await?;
    Ok(document)
}

/// The notes of a document, by their ids.
fn printed_of(printed: &Printed) -> Json {
    let ids: Vec<i64> = printed.notes.iter().map(|(id, _)| id.0).collect();
    Json(serde_json::json!(ids).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_becomes_a_file_name_and_a_title() {
        assert_eq!(file_name("Visit note"), "Visit note.pdf");
        assert_eq!(file_name("a/b"), "chart note.pdf");
        assert_eq!(file_name(&"x".repeat(300)), "chart note.pdf");
        assert_eq!(shortened(&"x".repeat(300)).len(), 255);
        assert_eq!(shortened("a\nb"), "Chart note");
        assert_eq!(
            (file_name(" "), shortened(" ")),
            ("chart note.pdf".into(), "Chart note".into())
        );
    }
}
