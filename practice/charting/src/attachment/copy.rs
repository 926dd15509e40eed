//! Files of questions that are copied: the copy has the file, too, and the content is there once.

use std::collections::HashMap;

use ward_engine::{Answer, Call};
use ward_store::{Cond, Id, OrderKey};

use super::tables::FileAttachment;
use super::{attached, keeps};
use crate::tables::{CustomModule, CustomModuleForm};

/// Gives the copies of a form's questions their files.
pub async fn of_form(
    call: &mut Call<'_>,
    from: Id<CustomModuleForm>,
    to: &CustomModuleForm,
    twins: &HashMap<Id<CustomModule>, Id<CustomModule>>,
) -> Answer<()> {
    let files = Cond::eq("custom_module_form_id", from.0).and(attached());
    let files: Vec<FileAttachment> = call.list(files, &[OrderKey::column("id", false)]).await?;
    for file in files {
        let twin = file.custom_module_id.and_then(|id| twins.get(&id).copied());
        if let Some(twin) = twin {
            one(call, file, to, twin).await?;
        }
    }
    Ok(())
}

/// Gives a copy of a question in its own form its file.
pub async fn of_question(
    call: &mut Call<'_>,
    from: Id<CustomModule>,
    (form, twin): (&CustomModuleForm, Id<CustomModule>),
) -> Answer<()> {
    let file = Cond::eq("custom_module_id", from.0).and(attached());
    let file: Option<FileAttachment> = call.find_by(file).await?;
    match file {
        Some(file) => one(call, file, form, twin).await,
        None => Ok(()),
    }
}

async fn one(
    call: &mut Call<'_>,
    file: FileAttachment,
    form: &CustomModuleForm,
    twin: Id<CustomModule>,
) -> Answer<()> {
    // It may have been taken away meanwhile.
    let is_there = match &file.blob_id {
        Some(blob) => keeps(&mut call.scope, blob).await?,
        None => false,
    };
    if !is_there {
        return Ok(());
    }
    let now = call.now();
    let row = FileAttachment {
        id: call.next_id().await?,
        unit_id: form.unit_id,
        custom_module_id: Some(twin),
        custom_module_form_id: Some(form.id),
        user_id: Id::new(call.actor.user_id),
        attached_at: Some(now),
        version: 1,
        created_at: now,
        updated_at: now,
        ..file
    };
    call.create(&row).await?;
    Ok(())
}
