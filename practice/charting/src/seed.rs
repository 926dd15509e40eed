//! A Sandbox's templates: consent, health history, two instruments that anybody may
//! use, and one for notes; an intake flow of two of them, and requests. Rows as the operations would have
//! left them, without events, since nothing happened.

use ward_identity::tables::User;
use ward_store::{Id, Scope, StoreError};

use crate::question::order;
use crate::seed_filled::{self, Laid};
use crate::seed_flow;
use crate::seed_forms::{FORMS, Form, Line};
use crate::seed_request;
use crate::tables::{
    Confidentiality, CustomModule, CustomModuleCondition, CustomModuleForm, QuestionVersion,
};

/// Lays the templates of a practice, some of them a provider's, and what these clients
/// have filled in.
pub async fn lay(
    scope: &mut Scope<'_>,
    provider: &User,
    clients: &[User],
) -> Result<(), StoreError> {
    let mut forms = Vec::with_capacity(FORMS.len());
    for form in FORMS {
        forms.push(lay_form(scope, provider, form).await?);
    }
    seed_filled::lay(scope, (&forms, provider), clients).await?;
    seed_flow::lay(scope, (&forms, provider), clients).await?;
    seed_request::lay(scope, (&forms, provider), clients).await
}

async fn lay_form(scope: &mut Scope<'_>, provider: &User, of: &Form) -> Result<Laid, StoreError> {
    let now = scope.now();
    let author = (!of.is_instrument).then_some(provider.id);
    let form = CustomModuleForm {
        id: scope.next_id().await?,
        org_id: provider.org_id,
        unit_id: provider.unit_id,
        user_id: author,
        name: of.name.to_owned(),
        use_for_charting: of.use_for_charting,
        use_for_program: false,
        is_video: false,
        confidentiality: Confidentiality::Normal,
        prefill: of.prefill,
        external_id: None,
        external_id_type: None,
        metadata: None,
        is_archived: false,
        last_updated_by_user_id: author,
        questions_changed_at: now,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    scope.create(&form).await?;
    let mut questions: Vec<CustomModule> = Vec::with_capacity(of.lines.len());
    for (line, place) in of.lines.iter().zip(order::anew(of.lines.len())) {
        questions.push(question(scope.next_id().await?, &form, line, place));
    }
    let mut conditions = Vec::new();
    for (line, question) in of.lines.iter().zip(&questions) {
        let Some((at, filter, value)) = line.condition else { continue };
        let Some(decides) = questions.get(at) else { continue };
        conditions.push(CustomModuleCondition {
            id: scope.next_id().await?,
            org_id: form.org_id,
            unit_id: form.unit_id,
            custom_module_form_id: form.id,
            custom_module_id: question.id,
            conditional_custom_module_id: decides.id,
            filter_type: filter.as_str().to_owned(),
            value_to_filter: Some(value.to_owned()),
            version: 1,
            created_at: now,
            updated_at: now,
        });
    }
    let mut versions = Vec::with_capacity(questions.len());
    for question in &questions {
        let own = conditions.iter().find(|it| it.custom_module_id == question.id);
        versions.push(QuestionVersion::of(scope.next_id().await?, question, own, now));
    }
    scope.create_all(&questions).await?;
    scope.create_all(&conditions).await?;
    scope.create_all(&versions).await?;
    Ok(Laid { form, questions: versions })
}

fn question(
    id: Id<CustomModule>,
    form: &CustomModuleForm,
    line: &Line,
    place: i64,
) -> CustomModule {
    CustomModule {
        id,
        org_id: form.org_id,
        unit_id: form.unit_id,
        custom_module_form_id: form.id,
        mod_type: line.mod_type.to_owned(),
        label: Some(line.label.to_owned()),
        sublabel: (!line.sublabel.is_empty()).then(|| line.sublabel.to_owned()),
        options: (!line.options.is_empty()).then(|| line.options.join("\n")),
        required: line.required,
        place,
        parent_custom_module_id: None,
        is_custom: true,
        exclude_from_scribe: false,
        external_id: None,
        external_id_type: None,
        metadata: None,
        copied_from_form_name: None,
        versions_count: 1,
        version: 1,
        created_at: form.created_at,
        updated_at: form.created_at,
        deleted_at: None,
    }
}
