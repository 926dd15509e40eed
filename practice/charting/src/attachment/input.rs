//! What is sent of files.

use ward_engine::input;
use ward_store::Id;

use super::rules::Sent;
use super::tables::FileAttachment;
use crate::filled::tables::FormAnswer;
use crate::tables::CustomModule;

input! {
    /// `createFormAnswerFileAttachmentUploadUrlInput`.
    pub struct TellOfAnswers {
        form_answer_id: Id<FormAnswer>,
        filename: String,
        byte_size: i64,
        checksum: String,
        content_type: String,
    }
}

input! {
    /// `createFormAnswerFileAttachmentInput`.
    pub struct AttachToAnswer { form_answer_id: Id<FormAnswer>, upload_id: Id<FileAttachment> }
}

input! {
    /// `CreateCustomModuleFileAttachmentUploadUrlInput`.
    pub struct TellOfQuestions {
        custom_module_id: Id<CustomModule>,
        filename: String,
        byte_size: i64,
        checksum: String,
        content_type: String,
    }
}

input! {
    /// `CreateCustomModuleFileAttachmentInput`.
    pub struct AttachToQuestion {
        custom_module_id: Id<CustomModule>,
        upload_id: Id<FileAttachment>,
    }
}

input! {
    /// `deleteFormAnswerFileAttachmentInput` and `DeleteCustomModuleFileAttachmentInput`.
    pub struct DeleteFile { file_attachment_id: Id<FileAttachment> }
}

impl TellOfAnswers {
    /// What is told of the file.
    pub fn sent(&self) -> Sent<'_> {
        Sent {
            file_name: &self.filename,
            byte_size: &self.byte_size,
            checksum: &self.checksum,
            content_type: &self.content_type,
        }
    }
}

impl TellOfQuestions {
    /// What is told of the file.
    pub fn sent(&self) -> Sent<'_> {
        Sent {
            file_name: &self.filename,
            byte_size: &self.byte_size,
            checksum: &self.checksum,
            content_type: &self.content_type,
        }
    }
}
