//! What a seeded practice's first clients have filled in, and the notes about them: made
//! by the system, without events. Plainly synthetic, and of no person.

use std::collections::HashMap;

use ward_identity::tables::User;
use ward_store::{Id, Scope, StoreError};

use crate::filled::autolock;
use crate::filled::content::hash;
use crate::filled::sheet::scored;
use crate::filled::steps::{self, Step};
use crate::filled::tables::{Deed, FormAnswer, FormAnswerGroup, FormAnswerGroupSigning, Meaning};
use crate::rules::condition::shown;
use crate::rules::{Answers, Question};
use crate::tables::{CustomModuleForm, QuestionVersion};

const DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// A template that was laid, with what its questions are, in order.
pub struct Laid {
    /// The template.
    pub form: CustomModuleForm,
    /// Its questions.
    pub questions: Vec<QuestionVersion>,
}

/// How far somebody came with a form.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Draft,
    Finished,
    Signed,
    Locked,
}

/// What was filled in.
struct Filled {
    /// Whose place among the clients.
    client: usize,
    form: &'static str,
    /// The place of each question, and its answer.
    answers: &'static [(usize, &'static str)],
    stage: Stage,
    /// How many days ago.
    days: i64,
}

/// A dot.
const SIGNATURE: &str = "data:image/png;base64,\
    iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
const NOT: &str = "Not at all (0)";
const SOME: &str = "Several days (1)";
const MORE: &str = "More than half the days (2)";
const DAILY: &str = "Nearly every day (3)";

const FILLED: &[Filled] = &[
    Filled {
        client: 0,
        form: "Consent to care",
        answers: &[(2, "true"), (5, "true"), (6, SIGNATURE), (7, "2026-01-12")],
        stage: Stage::Finished,
        days: 40,
    },
    Filled {
        client: 0,
        form: "Health history",
        answers: &[
            (1, "Sample,Client"),
            (2, "1980-01-01"),
            (5, "<p>I am often tired.</p>"),
            (7, "Yes"),
            (8, "<p>Metformin, 500 mg, twice a day</p>"),
            (9, "Yes"),
            (10, "Medication\nOther"),
            (11, "Latex"),
            (12, "Diabetes"),
            (13, "6"),
        ],
        stage: Stage::Finished,
        days: 40,
    },
    Filled {
        client: 0,
        form: "PHQ-9 Patient Health Questionnaire",
        answers: &[
            (1, MORE),
            (2, SOME),
            (3, DAILY),
            (4, DAILY),
            (5, SOME),
            (6, SOME),
            (7, SOME),
            (8, NOT),
            (9, NOT),
            (12, "Somewhat difficult"),
        ],
        stage: Stage::Finished,
        days: 39,
    },
    Filled {
        client: 0,
        form: "SOAP note",
        answers: &[
            (1, "<p>Tired in the afternoon, sleeps six hours.</p>"),
            (3, "182"),
            (4, "<p>No acute distress.</p>"),
            (6, "<p>Fatigue; low mood to be followed.</p>"),
            (9, "<p>Sleep diary for two weeks, laboratory tests.</p>"),
            (10, "No"),
        ],
        stage: Stage::Locked,
        days: 38,
    },
    Filled {
        client: 1,
        form: "SOAP note",
        answers: &[
            (1, "<p>Feels well on the present dose.</p>"),
            (6, "<p>Stable.</p>"),
            (9, "<p>Continue.</p>"),
            (10, "No"),
        ],
        stage: Stage::Signed,
        days: 12,
    },
    Filled {
        client: 2,
        form: "GAD-7 Anxiety Scale",
        answers: &[
            (1, MORE),
            (2, SOME),
            (3, MORE),
            (4, SOME),
            (5, NOT),
            (6, SOME),
            (7, NOT),
            (10, "Not difficult at all"),
        ],
        stage: Stage::Finished,
        days: 5,
    },
    Filled {
        client: 2,
        form: "SOAP note",
        answers: &[
            (1, "<p>Headaches are rarer.</p>"),
            (6, "<p>Improving.</p>"),
            (9, "<p>Check blood pressure at home.</p>"),
            (10, "No"),
        ],
        stage: Stage::Finished,
        days: 4,
    },
    Filled {
        client: 3,
        form: "Health history",
        answers: &[(5, "<p>A first visit.</p>"), (7, "No")],
        stage: Stage::Draft,
        days: 1,
    },
];

/// Lays what there are clients and templates for.
pub async fn lay(
    scope: &mut Scope<'_>,
    (forms, provider): (&[Laid], &User),
    clients: &[User],
) -> Result<(), StoreError> {
    for filled in FILLED {
        let form = forms.iter().find(|it| it.form.name == filled.form);
        let client = clients.get(filled.client).filter(|it| it.org_id == provider.org_id);
        if let (Some(form), Some(client)) = (form, client) {
            lay_one(scope, (form, filled), (client, provider)).await?;
        }
    }
    Ok(())
}

async fn lay_one(
    scope: &mut Scope<'_>,
    (of, filled): (&Laid, &Filled),
    (client, provider): (&User, &User),
) -> Result<(), StoreError> {
    let now = scope.now();
    let at = now.minus_micros(filled.days * DAY);
    let is_signed = matches!(filled.stage, Stage::Signed | Stage::Locked);
    let is_locked = filled.stage == Stage::Locked;
    let mut group = FormAnswerGroup {
        id: scope.next_id().await?,
        org_id: client.org_id,
        unit_id: client.unit_id,
        custom_module_form_id: of.form.id,
        user_id: client.id,
        filler_id: Some(if of.form.use_for_charting { provider.id } else { client.id }),
        appointment_id: None,
        onboarding_item_id: None,
        name: of.form.name.clone(),
        use_for_charting: of.form.use_for_charting,
        is_group_appt_note: false,
        confidentiality: of.form.confidentiality,
        finished: filled.stage != Stage::Draft,
        completed_at: (filled.stage != Stage::Draft).then_some(at),
        scores: None,
        saves_count: 0,
        signings_count: i64::from(is_signed),
        locked_at: is_locked.then_some(at),
        locked_by_id: is_locked.then_some(provider.id),
        autolock_from: None,
        autolock_skipped_until: None,
        autolock_failures: None,
        external_id: None,
        metadata: None,
        served_at: at,
        version: 1,
        created_at: at,
        updated_at: at,
        deleted_at: None,
    };
    autolock::set_time(&mut group, at);
    let mut answers = Vec::new();
    for (place, question) in of.questions.iter().enumerate() {
        let answer = filled.answers.iter().find(|it| it.0 == place).map(|it| it.1);
        if answer.is_some() || group.finished {
            answers.push(row(scope.next_id().await?, &group, question, answer));
        }
    }
    settle(&mut group, &of.questions, &mut answers);
    scope.create_all_about(std::slice::from_ref(&group), |it| Some(it.user_id.0)).await?;
    scope.create_all_about(&answers, |it: &FormAnswer| Some(it.user_id.0)).await?;
    if is_signed {
        let questions: HashMap<Id<QuestionVersion>, QuestionVersion> =
            of.questions.iter().map(|it| (it.id, it.clone())).collect();
        let content = hash(&group, &answers, (&[], &[]), &questions);
        sign(scope, &group, provider, content).await?;
    }
    for (action, done) in [(Deed::Signed, is_signed), (Deed::Locked, is_locked)] {
        if done {
            let by = provider.id;
            let step = Step { action, by, at, is_automatic: false, description: None };
            steps::add(scope, &group, step).await?;
        }
    }
    Ok(())
}

/// Hides what is not asked, and scores.
fn settle(group: &mut FormAnswerGroup, questions: &[QuestionVersion], rows: &mut [FormAnswer]) {
    let questions: Vec<Question> = questions.iter().map(Question::then).collect();
    let given = |it: &FormAnswer| Some((it.custom_module_id.0, it.answer.clone()?));
    let answers: Answers = rows.iter().filter_map(given).collect();
    let asked = shown(&questions, &answers);
    for row in rows {
        row.hidden = !asked.contains(&row.custom_module_id.0);
    }
    group.scores = scored(&questions, &answers);
}

fn row(
    id: Id<FormAnswer>,
    group: &FormAnswerGroup,
    question: &QuestionVersion,
    answer: Option<&str>,
) -> FormAnswer {
    FormAnswer {
        id,
        org_id: group.org_id,
        unit_id: group.unit_id,
        form_answer_group_id: group.id,
        custom_module_id: question.custom_module_id,
        question_version_id: question.id,
        user_id: group.user_id,
        mod_type: question.mod_type.clone(),
        place: question.place,
        answer: answer.map(str::to_owned),
        answered_at: answer.map(|_| group.created_at),
        hidden: false,
        metadata: None,
        version: 1,
        created_at: group.created_at,
        updated_at: group.created_at,
    }
}

async fn sign(
    scope: &mut Scope<'_>,
    group: &FormAnswerGroup,
    provider: &User,
    content_hash: String,
) -> Result<(), StoreError> {
    let signing = FormAnswerGroupSigning {
        id: scope.next_id().await?,
        org_id: group.org_id,
        unit_id: group.unit_id,
        form_answer_group_id: group.id,
        patient_id: group.user_id,
        user_id: provider.id,
        user_full_legal_name: provider.full_name(),
        user_qualifications: provider.qualifications.clone(),
        meaning: Meaning::Author,
        content_hash,
        version: 1,
        created_at: group.created_at,
        updated_at: group.created_at,
        deleted_at: None,
    };
    scope.create(&signing).await
}
