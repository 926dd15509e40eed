//! `ward effects …`: which effects happen, what waits, and what failed.

use serde_json::{Value as Json, json};

use crate::cli::EffectsCommand;
use crate::failure::Done;
use crate::http::Api;
use crate::output::{Out, lines, table};

/// `ward effects …`.
pub fn run(command: &EffectsCommand, out: Out) -> Done {
    match command {
        EffectsCommand::List(there) => {
            let answer = Api::there(there)?.get("/effects")?.done()?;
            out.answer(&answer, || table(&answer["classes"]));
        }
        EffectsCommand::Set { class, mode, reason, there } => {
            let body = json!({"mode": mode, "reason": reason});
            let answer = Api::there(there)?.post(&format!("/effects/{class}"), &body)?.done()?;
            shown(out, &answer);
        }
        EffectsCommand::Discard { class, reason, there } => {
            let path = format!("/effects/{class}/discard");
            shown(out, &Api::there(there)?.post(&path, &json!({"reason": reason}))?.done()?);
        }
        EffectsCommand::Cohort { class, add, remove, reason, there } => {
            let (api, path) = (Api::there(there)?, format!("/effects/{class}/cohort"));
            if add.is_empty() && remove.is_empty() {
                let answer = api.get(&path)?.done()?;
                out.answer(&answer, || table(&answer["people"]));
            } else {
                let body = json!({"add": add, "remove": remove, "reason": reason});
                shown(out, &api.post(&path, &body)?.done()?);
            }
        }
        EffectsCommand::Held { class, there } => {
            let filter = class.as_ref().map(|class| format!("?class={class}")).unwrap_or_default();
            let answer = Api::there(there)?.get(&format!("/effects/held{filter}"))?.done()?;
            out.answer(&answer, || table(&answer["items"]));
        }
        EffectsCommand::Failed { class, there } => {
            let filter = class.as_ref().map(|class| format!("?class={class}")).unwrap_or_default();
            let answer = Api::there(there)?.get(&format!("/effects/failed{filter}"))?.done()?;
            out.answer(&answer, || table(&answer["items"]));
        }
        EffectsCommand::Replay { id, there } => {
            let path = format!("/effects/failed/{}/replay", crate::http::escaped(id));
            shown(out, &Api::there(there)?.post(&path, &json!({}))?.done()?);
        }
    }
    Ok(())
}

fn shown(out: Out, answer: &Json) {
    out.answer(answer, || lines(answer));
}
