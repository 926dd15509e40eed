//! `ward events fire`: the mutation that causes an event, on synthetic data of its own.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use ward_instance::Random;

use super::recipes::{RECIPES, Recipe};
use crate::failure::{Done, Failure};
use crate::graphql::mutate;
use crate::http::Api;

/// Steps that lead to one event, at most.
const STEPS_MAX: usize = 10;

/// What was made so far, and with what.
struct Hearth {
    api: Api,
    word: String,
    /// The record that `--id` names, until it is used.
    given: Option<String>,
    made: BTreeMap<String, String>,
    done: Vec<&'static str>,
}

/// Causes an event; what was done for it.
pub fn fire(api: impl FnOnce() -> Done<Api>, event: &str, id: Option<&str>) -> Done<Json> {
    let event = ward_webhooks::catalogue::find(event)
        .ok_or_else(|| Failure::usage(format!("{event} is no event of the catalogue")))?;
    let recipe = recipe(event)?;
    let mut hearth = Hearth {
        api: api()?,
        word: Random::os().base62(8).to_lowercase(),
        given: id.map(str::to_owned),
        made: BTreeMap::new(),
        done: Vec::new(),
    };
    let answered = hearth.perform(recipe)?;
    if hearth.given.is_some() {
        return Err(Failure::usage(format!(
            "{event} was fired; it takes no --id, which was left out"
        )));
    }
    Ok(json!({
        "event": event,
        "operation": recipe.operation,
        "id": answered,
        "steps": hearth.done,
    }))
}

fn recipe(event: &str) -> Done<&'static Recipe> {
    let found = RECIPES.iter().find(|recipe| recipe.event == event);
    found.ok_or_else(|| {
        Failure::said_no(format!(
            "{event} can't be fired from here; ward events fire names what can"
        ))
    })
}

impl Hearth {
    /// Runs a recipe's mutation; the id in its answer.
    fn perform(&mut self, recipe: &'static Recipe) -> Done<String> {
        if self.done.len() >= STEPS_MAX {
            return Err(Failure::said_no("too many steps lead there"));
        }
        let input = self.filled(recipe.input)?;
        let input: Json = serde_json::from_str(&input)
            .map_err(|_| Failure::usage("--id has characters that no id has"))?;
        let payload = mutate(&self.api, recipe.operation, recipe.shown, &input)?;
        self.done.push(recipe.operation);
        let id = payload.pointer(recipe.id).and_then(Json::as_str).unwrap_or_default();
        Ok(id.to_owned())
    }

    /// A template with its places filled: `<word>`, `<id>`, or the id of what an event made.
    fn filled(&mut self, template: &str) -> Done<String> {
        let mut parts = template.split('<');
        let mut text = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_once('>').unwrap_or((part, ""));
            text += &self.value(name)?;
            text += rest;
        }
        Ok(text)
    }

    fn value(&mut self, name: &str) -> Done<String> {
        if name == "word" {
            // Two people of one call are two people.
            return Ok(format!("{}{}", self.word, self.done.len()));
        }
        if let Some(made) = self.made.get(name) {
            return Ok(made.clone());
        }
        let value = match self.given.take() {
            Some(given) => given,
            None if name == "id" => {
                return Err(Failure::usage("this event needs --id, the record to do it with"));
            }
            None => {
                let (event, _) = name.split_once('#').unwrap_or((name, ""));
                self.perform(recipe(event)?)?
            }
        };
        self.made.insert(name.to_owned(), value.clone());
        Ok(value)
    }
}
