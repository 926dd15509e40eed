//! Telling of files, attaching them and taking them away.

use ward_engine::{Answer, Call, Out, Payload, Refused};
use ward_identity::flags::CAN_EDIT_FORMS;
use ward_identity::permit::requires;
use ward_identity::picture;
use ward_instance::upload_link::UploadLink;
use ward_store::{Cond, Id, Level, Scope, StoreError, blobs};

use super::input::{AttachToAnswer, AttachToQuestion, DeleteFile, TellOfAnswers, TellOfQuestions};
use super::rules::{Announced, Sent};
use super::tables::FileAttachment;
use super::{PURPOSE, attached, holds, keeps};
use crate::events;
use crate::filled::change::{held, may_write};
use crate::filled::tables::{FormAnswer, FormAnswerGroup};
use crate::form::touch;
use crate::question::change::to_change;
use crate::tables::{CustomModule, CustomModuleForm};

/// So many files an answer can have.
pub const FILES_MAX: usize = 20;
/// So many files one person can have on their way.
pub const OPEN_MAX: usize = 50;
/// Seconds for which a link takes a file.
pub const LINK_SECONDS: i64 = 900;
/// What was told of a file is forgotten after so many seconds, unless it was attached.
pub const FORGOTTEN_SECONDS: i64 = 86_400;
/// The files of one client's answers together, with those deleted within a day: so no client uses
/// up the storage of the practice.
pub const CLIENT_BYTES_MAX: i64 = 500 << 20;

const ANSWER: &str = "form_answer_id";
const QUESTION: &str = "custom_module_id";
const UPLOAD: &str = "upload_id";
const FILE: &str = "file_attachment_id";

/// Where to send a file of an answer.
pub async fn tell_of_answers(call: &mut Call<'_>, input: &TellOfAnswers) -> Answer<Payload> {
    let (answer, group) = answer_to_write(call, input.form_answer_id.value().copied()).await?;
    let mut row = told(call, input.sent()).await?;
    row.unit_id = group.unit_id;
    row.form_answer_id = Some(answer.id);
    row.form_answer_group_id = Some(group.id);
    row.patient_id = Some(group.user_id);
    call.create(&row).await?;
    Ok(place_of(call, &row))
}

/// Where to send a file of a question.
pub async fn tell_of_questions(call: &mut Call<'_>, input: &TellOfQuestions) -> Answer<Payload> {
    let (form, of) = question_to_change(call, input.custom_module_id.value().copied()).await?;
    let mut row = told(call, input.sent()).await?;
    row.unit_id = form.unit_id;
    row.custom_module_id = Some(of.id);
    row.custom_module_form_id = Some(form.id);
    call.create(&row).await?;
    Ok(place_of(call, &row))
}

/// Attaches a file that is here to an answer. Done again, it changes nothing.
pub async fn attach_to_answer(call: &mut Call<'_>, input: &AttachToAnswer) -> Answer<Payload> {
    let (answer, group) = answer_to_write(call, input.form_answer_id.value().copied()).await?;
    let row = arrived(call, input.upload_id.value().copied()).await?;
    if row.form_answer_id != Some(answer.id) {
        return Err(Refused::not_found(UPLOAD));
    }
    if row.attached_at.is_none() {
        let others = Cond::eq("form_answer_id", answer.id.0).and(attached());
        let others: Vec<FileAttachment> = call.list(others, &[]).await?;
        if others.len() >= FILES_MAX {
            let sentence =
                format!("An answer can have {FILES_MAX} files; delete one of them first");
            return Err(Refused::on(ANSWER, sentence));
        }
        let mut after = row.clone();
        after.attached_at = Some(call.now());
        // The client may have been merged into another since it was told of.
        (after.unit_id, after.patient_id) = (group.unit_id, Some(group.user_id));
        call.update(&row, &after).await?;
        file_under_unit(call, &after).await?;
        changed(call, &group).await?;
    }
    Ok(Payload::new().one("file_attachment", row.id.0))
}

/// Attaches a file that is here to a question, in place of the one that it had.
pub async fn attach_to_question(call: &mut Call<'_>, input: &AttachToQuestion) -> Answer<Payload> {
    let (form, of) = question_to_change(call, input.custom_module_id.value().copied()).await?;
    let row = arrived(call, input.upload_id.value().copied()).await?;
    if row.custom_module_id != Some(of.id) {
        return Err(Refused::not_found(UPLOAD));
    }
    if row.attached_at.is_none() {
        let before = Cond::eq("custom_module_id", of.id.0).and(attached());
        let before: Vec<FileAttachment> = call.list(before, &[]).await?;
        for file in &before {
            take_away(&mut call.scope, file).await?;
        }
        let mut after = row.clone();
        after.attached_at = Some(call.now());
        call.update(&row, &after).await?;
        file_under_unit(call, &after).await?;
        call.emit(events::question_updated(&of, &["file_attachment"]));
        touch(call, &form).await?;
    }
    Ok(Payload::new().one("file_attachment", row.id.0))
}

/// The content is of the unit that the form is of, whoever sent it from wherever: whose list of finds
/// it is in, and who is told of one.
async fn file_under_unit(call: &mut Call<'_>, row: &FileAttachment) -> Answer<()> {
    if let Some(blob) = &row.blob_id {
        blobs::move_to_unit(call.scope.tx, row.org_id.0, blob, row.unit_id.0).await?;
    }
    Ok(())
}

/// Takes a file of an answer away.
pub async fn delete_of_answer(call: &mut Call<'_>, input: &DeleteFile) -> Answer<Payload> {
    let row = seen(call, input.file_attachment_id.value().copied()).await?;
    let Some(id) = row.form_answer_group_id else { return Err(Refused::not_found(FILE)) };
    let group = held(call, Some(id)).await.map_err(|refused| named(refused, FILE))?;
    may_write(call, &group)?;
    // It may be gone by now.
    let row = call.find(row.id).await?.ok_or_else(|| Refused::not_found(FILE))?;
    take_away(&mut call.scope, &row).await?;
    changed(call, &group).await?;
    Ok(Payload::new().one("file_attachment", row.id.0))
}

/// Takes the file of a question away.
pub async fn delete_of_question(call: &mut Call<'_>, input: &DeleteFile) -> Answer<Payload> {
    requires(call.actor, CAN_EDIT_FORMS)?;
    let row = seen(call, input.file_attachment_id.value().copied()).await?;
    let Some(id) = row.custom_module_id else { return Err(Refused::not_found(FILE)) };
    let found = to_change(call, Some(id)).await;
    let (form, of) = found.map_err(|refused| named(refused, FILE))?;
    let row = call.find(row.id).await?.ok_or_else(|| Refused::not_found(FILE))?;
    take_away(&mut call.scope, &row).await?;
    call.emit(events::question_updated(&of, &["file_attachment"]));
    touch(call, &form).await?;
    Ok(Payload::new().one("file_attachment", row.id.0))
}

/// What the input calls an object that is not there.
fn named(refused: Refused, at: &str) -> Refused {
    match refused {
        Refused::NotFound(_) => Refused::not_found(at),
        other => other,
    }
}

/// An answer that the caller may write, with its form held.
async fn answer_to_write(
    call: &mut Call<'_>,
    id: Option<Id<FormAnswer>>,
) -> Answer<(FormAnswer, FormAnswerGroup)> {
    let id = id.ok_or_else(|| Refused::not_found(ANSWER))?;
    let found = call.visible::<FormAnswer>(id, Level::Full).await?;
    let (answer, _) = found.ok_or_else(|| Refused::not_found(ANSWER))?;
    let group = held(call, Some(answer.form_answer_group_id)).await;
    let group = group.map_err(|refused| named(refused, ANSWER))?;
    may_write(call, &group)?;
    Ok((answer, group))
}

/// A question that the caller may change, with its form held.
async fn question_to_change(
    call: &mut Call<'_>,
    id: Option<Id<CustomModule>>,
) -> Answer<(CustomModuleForm, CustomModule)> {
    requires(call.actor, CAN_EDIT_FORMS)?;
    to_change(call, id).await.map_err(|refused| named(refused, QUESTION))
}

/// A file that is attached, and that the caller sees.
async fn seen(call: &mut Call<'_>, id: Option<Id<FileAttachment>>) -> Answer<FileAttachment> {
    let id = id.ok_or_else(|| Refused::not_found(FILE))?;
    let found = call.visible::<FileAttachment>(id, Level::Full).await?;
    found.map(|(row, _)| row).ok_or_else(|| Refused::not_found(FILE))
}

/// A row for a file that is told of; of nothing yet.
async fn told(call: &mut Call<'_>, sent: Sent<'_>) -> Answer<FileAttachment> {
    let file = sent.read().map_err(|problems| match problems.check() {
        Err(refused) => refused,
        Ok(()) => Refused::not_found("filename"),
    })?;
    room(call, &file).await?;
    let now = call.now();
    Ok(FileAttachment {
        id: call.next_id().await?,
        org_id: Id::new(call.actor.org_id),
        unit_id: Id::new(call.actor.unit_id),
        form_answer_id: None,
        form_answer_group_id: None,
        patient_id: None,
        custom_module_id: None,
        custom_module_form_id: None,
        user_id: Id::new(call.actor.user_id),
        proxy_id: call.actor.proxy_id.map(Id::new),
        file_name: file.file_name,
        content_type: file.content_type,
        byte_size: file.byte_size,
        checksum: file.checksum,
        blob_id: None,
        content_hash: None,
        attached_at: None,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    })
}

/// Whether the caller may send another file; what they never attached is forgotten after a day. A client
/// and each who acts for them have so many on their way each, and the bytes together.
async fn room(call: &mut Call<'_>, file: &Announced) -> Answer<()> {
    let own = Cond::eq("user_id", call.actor.user_id).and(Cond::is_null("attached_at"));
    let open: Vec<FileAttachment> = call.list(own, &[]).await?;
    let before = call.now().plus_micros(-FORGOTTEN_SECONDS * 1_000_000);
    let (old, open): (Vec<_>, Vec<_>) = open.into_iter().partition(|it| it.created_at < before);
    for row in &old {
        take_away(&mut call.scope, row).await?;
    }
    let sender = call.actor.proxy_id.map(Id::new);
    if open.iter().filter(|it| it.proxy_id == sender).count() >= OPEN_MAX {
        return Err(Refused::base(format!(
            "You have {OPEN_MAX} files on their way; attach them, or wait a day until they are forgotten"
        )));
    }
    if call.actor.is_client() {
        let (org_id, owner) = (call.actor.org_id, call.actor.user_id);
        let bytes = picture::bytes_of(call.scope.tx, org_id, owner, PURPOSE).await?;
        // What is told of and not here yet counts as if it were.
        let awaited = open.iter().filter(|it| it.blob_id.is_none()).map(|it| it.byte_size);
        let bytes = awaited.fold(bytes, i64::saturating_add);
        if bytes.saturating_add(file.byte_size) > CLIENT_BYTES_MAX {
            let most = CLIENT_BYTES_MAX >> 20;
            return Err(Refused::base(format!(
                "The files of your forms can be at most {most} MiB together; those deleted count for a day"
            )));
        }
    }
    Ok(())
}

/// Where the file is to be sent, and with which headers, as stores of files have it.
fn place_of(call: &Call<'_>, row: &FileAttachment) -> Payload {
    let request = call.request;
    let now = request.instance.clock().wall();
    let link = UploadLink {
        org_id: row.org_id.0,
        upload_id: row.id.0,
        user_id: row.user_id.0,
        proxy_id: request.actor.proxy_id.unwrap_or(0),
        expires: now.plus_micros(LINK_SECONDS * 1_000_000),
    };
    let url = format!("{}/files/{}", request.base_url, request.instance.upload_link(&link));
    let header =
        |name: &str, value: &str| Out::Object(vec![("name", name.into()), ("value", value.into())]);
    let headers =
        vec![header("Content-Type", &row.content_type), header("Content-MD5", &row.checksum)];
    Payload::new()
        .leaf("upload_id", row.id.0)
        .leaf("upload_url", url)
        .leaf("headers", Out::List(headers))
}

/// A file that the caller has told of and sent; who acts for a client, themselves: neither of the two
/// attaches what the other sends.
async fn arrived(call: &mut Call<'_>, id: Option<Id<FileAttachment>>) -> Answer<FileAttachment> {
    let id = id.ok_or_else(|| Refused::not_found(UPLOAD))?;
    let caller = (Id::new(call.actor.user_id), call.actor.proxy_id.map(Id::new));
    let found: Option<FileAttachment> = call.find(id).await?;
    let row = found.filter(|row| (row.user_id, row.proxy_id) == caller);
    let row = row.ok_or_else(|| Refused::not_found(UPLOAD))?;
    match row.blob_id {
        Some(_) => Ok(row),
        None => Err(Refused::on(
            UPLOAD,
            "The file isn't here yet; send it to upload_url with PUT first",
        )),
    }
}

/// Deletes a file, and its content unless something else has it, too.
pub(super) async fn take_away(
    scope: &mut Scope<'_>,
    row: &FileAttachment,
) -> Result<(), StoreError> {
    scope.destroy(row).await?;
    let Some(blob) = &row.blob_id else { return Ok(()) };
    keeps(scope, blob).await?;
    let other: Option<FileAttachment> = scope.find_by(holds(&blob.0)).await?;
    if other.is_none() {
        let org_id = scope.actor.org_id;
        blobs::delete(scope.tx, org_id, blob).await?;
    }
    Ok(())
}

/// The form says something else than before: whoever read it so is told, and signatures are not of
/// this.
async fn changed(call: &mut Call<'_>, group: &FormAnswerGroup) -> Answer<()> {
    let mut after = group.clone();
    after.saves_count += 1;
    let changes = call.update(group, &after).await?;
    call.emit(events::group_updated(&after, &changes.columns));
    Ok(())
}
