//! Operations of the public API, as a client calls them.

use serde_json::{Value as Json, json};

use crate::failure::{Done, Failure};
use crate::http::{Answer, Api};

/// A query's data, or why there is none.
pub fn query(api: &Api, text: &str, variables: &Json) -> Done<Json> {
    data(api.graphql(text, variables)?)
}

/// The payload of a mutation of one input, or what its `messages` say.
pub fn mutate(api: &Api, field: &str, shown: &str, input: &Json) -> Done<Json> {
    let text = format!(
        "mutation($input: {field}Input!) {{ {field}(input: $input) {{ {shown} messages {{ field message }} }} }}"
    );
    let mut data = query(api, &text, &json!({"input": input}))?;
    let payload = data[field].take();
    let messages = payload["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let sentences: Vec<&str> =
        messages.iter().filter_map(|message| message["message"].as_str()).collect();
    match sentences.is_empty() {
        true => Ok(payload),
        false => Err(Failure::said_no(sentences.join("; "))),
    }
}

fn data(answer: Answer) -> Done<Json> {
    if answer.environment.is_some() && answer.status == 200 {
        if answer.code() == Some("UNAUTHENTICATED") {
            return Err(Failure::said_no("the instance does not know this key"));
        }
        if let Some(sentence) = answer.message() {
            return Err(Failure::said_no(sentence));
        }
    }
    Ok(answer.done()?["data"].take())
}
