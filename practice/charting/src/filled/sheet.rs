//! The answers of one form while they are written: which question each is to, as it was
//! then, what is asked and what is missing (behaviour 25, DOM-13, DOM-14).

use std::collections::{BTreeSet, HashMap};

use ward_clients::fact::Fact;
use ward_engine::{Answer, Call, Refused};
use ward_identity::tables::{USERS, User};
use ward_instance::Timestamp;
use ward_store::{Cond, Id, Json, Level, OrderKey, Query, Scope, Select, Value};

use super::input::{FORM_CHARS_MAX, Said, kept};
use super::tables::{FormAnswer, FormAnswerGroup};
use crate::attachment::tables::FileAttachment;
use crate::group_note::tables::IndividualClientNote;
use crate::rules::condition::shown;
use crate::rules::required::missing;
use crate::rules::scoring::scores;
use crate::rules::{Answers, Question};
use crate::tables::{CustomModule, CustomModuleForm, QuestionVersion};

/// So much of a question is said where its answer is missing.
const NAMED_CHARS: usize = 100;

/// The answers of a form, as they are and as they will be.
pub struct Sheet {
    /// What the template's questions are now, in order.
    now: Vec<QuestionVersion>,
    /// What they were when they were answered.
    then: HashMap<Id<QuestionVersion>, QuestionVersion>,
    before: Vec<FormAnswer>,
    after: Vec<FormAnswer>,
    was_finished: bool,
}

/// What the questions of a template are at this moment, in order.
async fn current(
    scope: &mut Scope<'_>,
    form: Id<CustomModuleForm>,
) -> Answer<Vec<QuestionVersion>> {
    // By the questions of the form, which have an index; versions have one by question.
    let newest = Cond::sql(
        "{t}.custom_module_id IN (SELECT q.id FROM custom_modules q WHERE q.org_id = ? \
         AND q.custom_module_form_id = ? AND q.deleted_at IS NULL) AND {t}.number = \
         (SELECT c.versions_count FROM custom_modules c WHERE c.org_id = {t}.org_id \
         AND c.id = {t}.custom_module_id)",
        [Value::Int(scope.actor.org_id), Value::Int(form.0)],
    );
    let keys = [OrderKey::column("place", false), OrderKey::column("custom_module_id", false)];
    Ok(scope.list(newest, &keys).await?)
}

impl Sheet {
    /// Of a form that nobody has answered.
    pub async fn blank(scope: &mut Scope<'_>, form: Id<CustomModuleForm>) -> Answer<Self> {
        let now = current(scope, form).await?;
        let then = now.iter().map(|it| (it.id, it.clone())).collect();
        Ok(Sheet { now, then, before: Vec::new(), after: Vec::new(), was_finished: false })
    }

    /// Of one that is there.
    pub async fn of(scope: &mut Scope<'_>, group: &FormAnswerGroup) -> Answer<Self> {
        let mut sheet = Self::blank(scope, group.custom_module_form_id).await?;
        let keys = [OrderKey::column("place", false), OrderKey::column("id", false)];
        sheet.before = scope.list(Cond::eq("form_answer_group_id", group.id.0), &keys).await?;
        let versions = sheet.before.iter().map(|it| it.question_version_id);
        let older: Vec<i64> =
            versions.filter(|id| !sheet.then.contains_key(id)).map(|id| id.0).collect();
        if !older.is_empty() {
            let found: Vec<QuestionVersion> = scope.list(Cond::is_in("id", &older), &[]).await?;
            sheet.then.extend(found.into_iter().map(|it| (it.id, it)));
        }
        sheet.after = sheet.before.clone();
        sheet.was_finished = group.finished;
        Ok(sheet)
    }

    fn now_of(&self, question: Id<CustomModule>) -> Option<&QuestionVersion> {
        self.now.iter().find(|it| it.custom_module_id == question)
    }

    /// Writes what was said. An answer that is sent while the form is a draft is to the
    /// question as it is now; all others keep the question that they were given to. A form
    /// that was finished keeps all of its questions, so that order, conditions and scores
    /// are of one form that was, not of a mixture.
    pub async fn write(
        &mut self,
        call: &mut Call<'_>,
        group: &FormAnswerGroup,
        said: &[Said],
    ) -> Answer<()> {
        // An answer is said to be the client's, or the caller's who gives it.
        let client = match said.iter().any(|said| said.user.is_some()) {
            true => client_of(call, group).await?,
            false => None,
        };
        for said in said {
            let is_known = |id: Id<User>| id.0 == call.actor.user_id || Some(id) == client;
            if !said.user.is_none_or(is_known) {
                return Err(Refused::not_found("user_id"));
            }
            let at = self.place_of(call, said).await?;
            let at = match (at, said.question) {
                (Some(at), _) => at,
                (None, Some(question)) => self.begin(call, group, question).await?,
                (None, None) => return Err(Refused::not_found("id")),
            };
            // A program's own data is not the client's to write over (behaviour 9).
            if !call.actor.is_client()
                && let Some(row) = self.after.get_mut(at)
            {
                said.metadata.set_text(&mut row.metadata);
            }
            self.write_one(at, said, call.now());
        }
        self.check_length()
    }

    fn check_length(&self) -> Answer<()> {
        let texts = self.after.iter().flat_map(|it| [&it.answer, &it.metadata]).flatten();
        match texts.map(|text| text.chars().count()).sum::<usize>() > FORM_CHARS_MAX {
            true => Err(Refused::on(
                "form_answers",
                format!(
                    "The answers of a form can have at most {FORM_CHARS_MAX} characters together; shorten some"
                ),
            )),
            false => Ok(()),
        }
    }

    /// In a draft nothing was answered where there is no answer: such a row goes with the
    /// question as it is now, and where the form has it no more, nothing is asked.
    fn renew(&mut self) {
        let now = &self.now;
        for row in self.after.iter_mut().filter(|it| it.answer.is_none()) {
            let newest = now.iter().find(|it| it.custom_module_id == row.custom_module_id);
            if let Some(it) = newest {
                (row.question_version_id, row.place) = (it.id, it.place);
                it.mod_type.clone_into(&mut row.mod_type);
            }
        }
    }

    /// Whether a row asks something: not one without an answer, of a draft, whose question
    /// is gone.
    fn asks(&self, row: &FormAnswer) -> bool {
        self.was_finished || row.answer.is_some() || self.now_of(row.custom_module_id).is_some()
    }

    /// Where the answer is that is meant, if it is there.
    async fn place_of(&self, call: &mut Call<'_>, said: &Said) -> Answer<Option<usize>> {
        let Some(id) = said.id else {
            let question = said.question;
            return Ok(self.after.iter().position(|it| Some(it.custom_module_id) == question));
        };
        let at = self.after.iter().position(|it| it.id == id);
        let fits = |at: &usize| {
            let of = self.after.get(*at).map(|it| it.custom_module_id);
            said.question.is_none_or(|question| of == Some(question))
        };
        if let Some(at) = at.filter(fits) {
            return Ok(Some(at));
        }
        match call.visible::<FormAnswer>(id, Level::Full).await? {
            Some(_) => Err(Refused::on("id", "This answer is of another form, or question")),
            None => Err(Refused::not_found("id")),
        }
    }

    /// A row for a question that has none yet.
    async fn begin(
        &mut self,
        call: &mut Call<'_>,
        group: &FormAnswerGroup,
        question: Id<CustomModule>,
    ) -> Answer<usize> {
        const AT: &str = "custom_module_id";
        let of = self.now_of(question).map(|it| (it.id, it.mod_type.clone(), it.place));
        let Some((version, mod_type, place)) = of else {
            let seen = call.visible::<CustomModule>(question, Level::Public).await?;
            return Err(match seen {
                Some(_) => Refused::on(AT, "This question is of another form"),
                None => Refused::not_found(AT),
            });
        };
        let now = call.now();
        self.after.push(FormAnswer {
            id: call.next_id().await?,
            org_id: group.org_id,
            unit_id: group.unit_id,
            form_answer_group_id: group.id,
            custom_module_id: question,
            question_version_id: version,
            user_id: group.user_id,
            mod_type,
            place,
            answer: None,
            answered_at: None,
            hidden: false,
            metadata: None,
            version: 1,
            created_at: now,
            updated_at: now,
        });
        Ok(self.after.len() - 1)
    }

    fn write_one(&mut self, at: usize, said: &Said, now: Timestamp) {
        let was_finished = self.was_finished;
        let Some(question) = self.after.get(at).map(|it| it.custom_module_id) else { return };
        let newest = self.now_of(question).map(|it| (it.id, it.mod_type.clone(), it.place));
        let Some(row) = self.after.get_mut(at) else { return };
        if !said.answer.is_given() {
            return;
        }
        let answer = said.answer.value().and_then(|text| kept(text));
        if answer != row.answer {
            row.answered_at = answer.is_some().then_some(now);
            row.answer = answer;
        }
        if !was_finished && let Some((version, mod_type, place)) = newest {
            (row.question_version_id, row.mod_type, row.place) = (version, mod_type, place);
        }
    }

    /// Gives each question that nobody has answered a row, so that the form reads for
    /// good as it was finished.
    pub async fn complete(&mut self, call: &mut Call<'_>, group: &FormAnswerGroup) -> Answer<()> {
        if self.was_finished {
            return Ok(());
        }
        for question in self.now.iter().map(|it| it.custom_module_id).collect::<Vec<_>>() {
            if !self.after.iter().any(|it| it.custom_module_id == question) {
                self.begin(call, group, question).await?;
            }
        }
        Ok(())
    }

    /// The questions as they were answered, and in a draft those that are still open.
    fn questions(&self) -> Vec<Question> {
        let asking = self.after.iter().filter(|it| self.asks(it));
        let answered = asking.filter_map(|it| self.then.get(&it.question_version_id));
        let open = self.now.iter().filter(|it| {
            let question = it.custom_module_id;
            !self.was_finished && !self.after.iter().any(|it| it.custom_module_id == question)
        });
        let mut all: Vec<&QuestionVersion> = answered.chain(open).collect();
        all.sort_by_key(|it| (it.place, it.custom_module_id.0));
        all.into_iter().map(Question::then).collect()
    }

    /// Marks what is not asked, and gives the scores; refuses what is to be finished and
    /// misses answers.
    pub fn settle(&mut self, finished: bool) -> Answer<Option<Json>> {
        if !self.was_finished {
            self.renew();
        }
        let questions = self.questions();
        let answers: Answers = self
            .after
            .iter()
            .filter_map(|it| Some((it.custom_module_id.0, it.answer.clone()?)))
            .collect();
        let asked = shown(&questions, &answers);
        for row in &mut self.after {
            row.hidden = !asked.contains(&row.custom_module_id.0);
        }
        if finished {
            let problem = |it: &&Question| ward_engine::FieldProblem {
                field: Some("form_answers".to_owned()),
                message: format!("{} can't be blank", named(it)),
            };
            let problems: Vec<_> = missing(&questions, &answers).iter().map(problem).collect();
            if !problems.is_empty() {
                return Err(Refused::Problems(problems));
            }
        }
        Ok(scored(&questions, &answers))
    }

    /// The hash of what is written, with its files and individual notes, for a signature.
    pub fn hash(
        &self,
        group: &FormAnswerGroup,
        with: (&[FileAttachment], &[IndividualClientNote]),
    ) -> String {
        super::content::hash(group, &self.after, with, &self.then)
    }

    /// Whether a form asks for something that is in the client's record.
    pub fn asks_facts(&self) -> bool {
        let then = self.after.iter().map(|it| it.mod_type.as_str());
        self.now.iter().map(|it| it.mod_type.as_str()).chain(then).any(Fact::is_asked_by)
    }

    /// What this call says of the client themselves: once the form is finished, of what is asked,
    /// and was not said before. The first question of its type is about them; others are about
    /// somebody else.
    pub fn facts(&self, now: Timestamp) -> Vec<Fact> {
        let mut asked: Vec<&FormAnswer> =
            self.after.iter().filter(|it| Fact::is_asked_by(&it.mod_type)).collect();
        asked.sort_by_key(|it| (it.place, it.custom_module_id.0));
        let mut seen = BTreeSet::new();
        asked.retain(|it| seen.insert(it.mod_type.as_str()));
        let is_new = |row: &FormAnswer| {
            let known = self.before.iter().find(|it| it.id == row.id);
            !self.was_finished || known.is_none_or(|it| it.answer != row.answer || it.hidden)
        };
        let said = asked.into_iter().filter(|row| !row.hidden && is_new(row));
        said.filter_map(|row| Fact::read(&row.mod_type, row.answer.as_deref()?, now)).collect()
    }

    /// Writes the rows.
    pub async fn save(&self, call: &mut Call<'_>) -> Answer<bool> {
        let (old, new) = self.after.split_at(self.before.len().min(self.after.len()));
        let mut changed = !new.is_empty();
        for (before, after) in self.before.iter().zip(old) {
            changed |= !call.update(before, after).await?.is_empty();
        }
        if !new.is_empty() {
            call.create_all(new).await?;
        }
        Ok(changed)
    }
}

/// The client whom answers may be said to be of: who does not see the one under whom a group note is
/// filed, deleted or not, is not told who that is.
async fn client_of(call: &mut Call<'_>, group: &FormAnswerGroup) -> Answer<Option<Id<User>>> {
    if !group.is_group_appt_note {
        return Ok(Some(group.user_id));
    }
    let mut select = Select::new(&USERS, call.actor);
    select.columns = vec![0];
    select.least = Level::Full;
    select.deleted = true;
    select.filter = Cond::eq("id", group.user_id.0);
    let sql = select.sql();
    let is_seen = !call.scope.tx.rows(&sql).await?.is_empty();
    Ok(is_seen.then_some(group.user_id))
}

/// What a question is called in a sentence: the words of its template.
fn named(question: &Question) -> String {
    let words: Vec<&str> = question.label.split_whitespace().collect();
    let label: String = words.join(" ").chars().take(NAMED_CHARS).collect();
    match label.is_empty() {
        true => format!("Question {}", question.id),
        false => format!("“{label}”"),
    }
}

/// The scores as they are kept; nothing where nothing has one.
pub fn scored(questions: &[Question], answers: &Answers) -> Option<Json> {
    let asked = shown(questions, answers);
    let list: Vec<serde_json::Value> = scores(questions, answers, &asked)
        .into_iter()
        .map(|it| {
            serde_json::json!({
                "section_key": it.key,
                "section_title": it.title,
                "value": it.value,
                "show": it.show,
                "has_autoscored_calculator": it.has_calculator,
            })
        })
        .collect();
    (!list.is_empty()).then(|| Json(serde_json::Value::from(list).to_string()))
}
