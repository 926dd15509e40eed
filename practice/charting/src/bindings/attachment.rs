//! Files of answers and of questions.

use ward_engine::{Bindings, Link, Listing, Returns, op};
use ward_identity::bindings::file_url;
use ward_identity::upload_scan;

use crate::attachment::change as files;
use crate::attachment::tables::{FILE_ATTACHMENTS, file_attachments as at};
use crate::filled::listing;
use crate::filled::tables::form_answers;
use crate::tables::custom_modules;

const OF: &str = "FileAttachment";

/// Binds the fields.
pub fn bind(b: &mut Bindings) {
    b.object(OF, &FILE_ATTACHMENTS);
    b.computed(OF, "url", &[at::blob_id], |request, row, _| {
        file_url(request, row.text(at::blob_id))
    })
    .public();
    b.batch(OF, "scan_status", &[at::blob_id], |request, q, rows, _| {
        Box::pin(upload_scan::of_rows(request, q, rows, &[at::blob_id]))
    });
    b.value_object("HttpHeader", &["name", "value"]);
    let of_answer = Link::Column { parent: form_answers::id, child: "form_answer_id" };
    b.many("FormAnswer", "file_attachments", &FILE_ATTACHMENTS, of_answer)
        .orders(listing::MADE, "CREATED_AT_ASC");
    let of_question = Link::Column { parent: custom_modules::id, child: "custom_module_id" };
    b.one("CustomModule", "file_attachment", &FILE_ATTACHMENTS, of_question)
        .listing(|_, _| Ok(Listing::all().public()))
        .orders(listing::MADE, "CREATED_AT_DESC")
        .public();
    mutations(b);
}

fn mutations(b: &mut Bindings) {
    const PLACE: &[(&str, Returns)] =
        &[("headers", Returns::Leaf), ("upload_id", Returns::Leaf), ("upload_url", Returns::Leaf)];
    const FILE: &[(&str, Returns)] = &[("file_attachment", Returns::One(&FILE_ATTACHMENTS))];
    b.mutation("createFormAnswerFileAttachmentUploadUrl", PLACE, op!(files::tell_of_answers));
    b.mutation("createFormAnswerFileAttachment", FILE, op!(files::attach_to_answer));
    b.mutation("deleteFormAnswerFileAttachment", FILE, op!(files::delete_of_answer));
    b.mutation("createCustomModuleFileAttachmentUploadUrl", PLACE, op!(files::tell_of_questions));
    b.mutation("createCustomModuleFileAttachment", FILE, op!(files::attach_to_question));
    b.mutation("deleteCustomModuleFileAttachment", FILE, op!(files::delete_of_question));
}
