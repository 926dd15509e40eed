//! Practices with notes: one client with 1,000, made by the API; in the large practice all
//! others are copies of one of them in the charts of the other clients.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value as Json, json};

use super::SIZE;
use super::copies::{self, Copies};
use crate::load::{self, Until};
use crate::process::Server;
use crate::scheduling::practice::{changed, id};
use crate::setup::{self, World};

/// Questions of a note, and of the form that is saved.
const NOTE_QUESTIONS: usize = 4;
const FORM_QUESTIONS: usize = 120;
/// Connections by which the notes are made.
const WRITERS: usize = 16;

const FORM: &str = "mutation($input: createCustomModuleFormInput) { createCustomModuleForm(input: $input) \
    { customModuleForm { id } messages { field message } } }";
const QUESTION: &str = "mutation($input: createCustomModuleInput) { createCustomModule(input: $input) \
    { customModule { id } messages { field message } } }";
/// Saves a form or note.
pub const SAVE: &str = "mutation($input: createFormAnswerGroupInput) { createFormAnswerGroup(input: $input) \
    { form_answer_group { id } messages { field message } } }";

/// A template with its questions.
#[derive(Clone)]
pub struct Form {
    id: i64,
    questions: Arc<[i64]>,
}

impl Form {
    /// Makes one of so many questions.
    pub async fn make(port: u16, key: &str, of: (&str, bool), questions: usize) -> Result<Self> {
        let (name, is_note) = of;
        let input = json!({"input": {"name": name, "use_for_charting": is_note}});
        let made = changed(port, key, FORM, "createCustomModuleForm", input).await?;
        let form = id(&made["customModuleForm"])?;
        let mut ids = Vec::with_capacity(questions);
        for n in 0..questions {
            let input = json!({"input": {"custom_module_form_id": form.to_string(),
                "mod_type": "textarea", "label": format!("Question {n}")}});
            let made = changed(port, key, QUESTION, "createCustomModule", input).await?;
            ids.push(id(&made["customModule"])?);
        }
        Ok(Form { id: form, questions: ids.into() })
    }

    /// Its id.
    pub fn id(&self) -> i64 {
        self.id
    }

    /// What is sent to save it, finished, for a client.
    pub fn filled(&self, client: i64, n: u64) -> Json {
        let answer = |(place, question): (usize, &i64)| {
            json!({"custom_module_id": question.to_string(), "user_id": client.to_string(),
                "answer": format!("Visit {n}, {place}: slept well, walks daily, eats regularly.")})
        };
        let answers: Vec<Json> = self.questions.iter().enumerate().map(answer).collect();
        json!({"input": {"custom_module_form_id": self.id.to_string(),
            "user_id": client.to_string(), "finished": true, "form_answers": answers}})
    }
}

/// A practice with its two servers.
pub struct Chart {
    pub ward: Server,
    /// The limit program, on a copy.
    pub limit: Server,
    /// The owner's key.
    pub key: String,
    /// Whose chart is listed.
    pub client: i64,
    /// For whom forms are saved.
    pub others: Arc<[i64]>,
    /// The form that is saved.
    pub form: Form,
    /// Holds everything.
    _world: World,
}

/// Practices of several sizes, made when they are first asked for.
#[derive(Default)]
pub struct Charts(BTreeMap<usize, Chart>);

impl Charts {
    /// The one with so many notes.
    pub async fn get(&mut self, notes: usize) -> Result<&Chart> {
        Ok(match self.0.entry(notes) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(Chart::make(notes).await?),
        })
    }
}

impl Chart {
    async fn make(notes: usize) -> Result<Self> {
        let began = Instant::now();
        let world = setup::world_of(SIZE.clients).await?;
        let key = world.key.clone();
        let database = world.dir().join("ward.db");
        let (client, others) = clients(&database)?;
        let ward = world.serve()?;
        let note = Form::make(ward.port, &key, ("Bench note", true), NOTE_QUESTIONS).await?;
        let form = Form::make(ward.port, &key, ("Bench form", false), FORM_QUESTIONS).await?;
        write(ward.port, &key, &note, client).await?;
        let input = form.filled(others[0], 0);
        let saved = changed(ward.port, &key, SAVE, "createFormAnswerGroup", input).await?;
        let saved = id(&saved["form_answer_group"])?;
        // Stopped, all of it is in the one file.
        drop(ward);
        let copies = Copies { client, count: i64::try_from(notes - SIZE.notes[0])? };
        copies::fill(&database, &copies)?;
        let limit = world.dir().with_extension("limit.db");
        std::fs::copy(&database, &limit)?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("limit-charting").arg(&limit).arg(saved.to_string());
        let limit = Server::start(&mut command)?;
        let ward = world.serve()?;
        let seconds = began.elapsed().as_secs_f64();
        eprintln!("{notes} notes of {} clients in {seconds:.1} s", SIZE.clients);
        Ok(Chart { ward, limit, key, client, others: others.into(), form, _world: world })
    }
}

/// The notes of the client.
async fn write(port: u16, key: &str, note: &Form, client: i64) -> Result<()> {
    let (note, key) = (note.clone(), key.to_owned());
    let make = Arc::new(move |n| load::graphql(port, &key, SAVE, &note.filled(client, n)));
    let until = Until::Requests(SIZE.notes[0] as u64);
    load::run(port, WRITERS, until, make, "\"messages\":null").await.map(drop)
}

/// A client, and up to two hundred others.
fn clients(database: &Path) -> Result<(i64, Vec<i64>)> {
    let lite = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut statement = lite.prepare(
        "SELECT id FROM users WHERE is_patient = TRUE AND active = TRUE AND unit_id = org_id \
         ORDER BY id LIMIT 201",
    )?;
    let rows = statement.query_map([], |row| row.get(0))?;
    let mut clients: Vec<i64> = rows.collect::<rusqlite::Result<_>>()?;
    ensure!(clients.len() > 1, "only {} clients", clients.len());
    let client = clients.pop().context("no client")?;
    Ok((client, clients))
}
