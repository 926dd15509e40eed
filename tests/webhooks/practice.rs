//! A practice on a running Sandbox that may send to this machine, and its receiver.

use ward_tests::{Api, Engine, Instance, Json, Kind, Server, json, people};

use crate::receiver::Receiver;

/// The fields of a webhook that tests read.
pub const WEBHOOK: &str = "webhook { id url is_enabled should_retry event_type id_encoding is_ordered \
    warned_at signature_secret standard_signature_secret \
    webhook_events { id event_type retry_count first_failed_at } }";

/// An instance, its server and a receiver.
pub struct Practice {
    /// The instance.
    pub instance: Instance,
    /// The owner's key.
    pub key: String,
    /// The running server.
    pub server: Server,
    /// Where webhooks go.
    pub receiver: Receiver,
}

impl Practice {
    /// A new one.
    pub fn open(engine: Engine) -> Practice {
        let instance = Instance::birth(Kind::Sandbox, engine);
        let key = instance.owner_key();
        let server = serve(&instance);
        Practice { instance, key, server, receiver: Receiver::start() }
    }

    /// The API as its owner sees it.
    pub fn api(&self) -> Api {
        self.server.with(&self.key)
    }

    /// Runs a mutation of one input; its payload.
    pub fn run(&self, field: &str, shown: &str, input: &Json) -> Json {
        run(&self.api(), field, shown, input)
    }

    /// A webhook of these events to a path of the receiver.
    pub fn webhook(&self, path: &str, events: &[&str]) -> Json {
        let events: Vec<Json> =
            events.iter().map(|event| json!({"event_type": member(event)})).collect();
        let input = json!({"url": self.receiver.url(path), "webhook_events": events});
        let made = self.run("createWebhook", WEBHOOK, &input);
        assert!(made["messages"].is_null(), "{made}");
        made["webhook"].clone()
    }

    /// The log of what was sent, oldest first.
    pub fn sent(&self) -> Vec<Json> {
        let query = "{ sentWebhooks(order_by: CREATED_AT_ASC) { nodes { id event_type resource_id \
            resource_id_type url webhook_id http_response_status outcome attempt_number error \
            event_id request_body response_body } } }";
        let reply = self.api().ask(query, json!({}));
        reply.data()["sentWebhooks"]["nodes"].as_array().unwrap().clone()
    }

    /// A new client; its id.
    pub fn client(&self, name: &str) -> String {
        people::client(&self.api(), name)
    }
}

/// Starts the server of an instance whose webhooks may go to this machine.
pub fn serve(instance: &Instance) -> Server {
    instance.serve_with(&["--allow-loopback-webhooks"])
}

/// Runs a mutation of one input; its payload.
pub fn run(api: &Api, field: &str, shown: &str, input: &Json) -> Json {
    // The contract names some inputs otherwise than their mutations.
    let of = match field {
        "createRequestedFormCompletion" => "createRequestedForm",
        "deleteMedication" => "destroyMedication",
        "deleteRequestedFormCompletion" => "deleteRequestedForm",
        "lockFormAnswerGroup" => "Lock",
        "signFormAnswerGroup" => "Sign",
        "unlockFormAnswerGroup" => "Unlock",
        other => other,
    };
    let query = format!(
        "mutation($input: {of}Input!) {{ {field}(input: $input) {{ {shown} messages {{ field message }} }} }}"
    );
    let reply = api.ask(&query, json!({"input": input}));
    assert!(reply.json["data"].is_object(), "{field}: {}", reply.text);
    reply.json["data"][field].clone()
}

/// The enum's member of a dotted name.
pub fn member(event: &str) -> String {
    event.replace('.', "_").to_uppercase()
}
