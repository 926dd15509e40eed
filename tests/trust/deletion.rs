//! SEC-23: what was deleted is in no answer any more: no list, count, search or edge.

use ward_tests::schema::{Ref, Root, Schema};
use ward_tests::{Api, BASELINE, Engine, Instance, Json, Kind, V2026, json, people, tell};

/// Stands in everything that is deleted.
const CANARY: &str = "zqdeleted";

/// How something is made, and deleted by its id: root field, input without the id, payload field.
struct Thing {
    create: (&'static str, &'static str, &'static str),
    delete: &'static str,
}

const THINGS: [Thing; 5] = [
    Thing { create: ("createTag", r#"{"name": "zqdeleted tag"}"#, "tag"), delete: "deleteTag" },
    Thing {
        create: ("createGroup", r#"{"name": "zqdeleted group"}"#, "user_group"),
        delete: "deleteUserGroup",
    },
    Thing {
        create: (
            "createLocation",
            r#"{"name": "zqdeleted place", "line1": "zqdeleted street", "city": "zqdeleted", "state": "NY", "zip": "10001", "country": "US"}"#,
            "location",
        ),
        delete: "deleteLocation",
    },
    Thing {
        create: ("createApiKey", r#"{"name": "zqdeleted key"}"#, "api_key_object"),
        delete: "deleteApiKey",
    },
    Thing {
        create: (
            "createReferringPhysician",
            r#"{"first_name": "zqdeleted", "last_name": "zqdeleted", "npi": "1234567893"}"#,
            "referring_physician",
        ),
        delete: "deleteReferringPhysician",
    },
];

/// The name of a mutation's input type, with its exclamation mark if it has one.
fn input_type(schema: &Schema, mutation: &str) -> Option<String> {
    let roots = schema.roots();
    let (_, field) =
        roots.iter().find(|(root, field)| *root == Root::Mutation && field.name == mutation)?;
    Some(field.arguments[0].of.to_string())
}

fn mutate(api: &Api, schema: &Schema, mutation: &str, input: Json, payload: &str) -> String {
    let of = input_type(schema, mutation).unwrap_or_else(|| panic!("{mutation} is not served"));
    let query = format!(
        "mutation($input: {of}) {{ {mutation}(input: $input) {{ {payload} messages {{ field message }} }} }}"
    );
    let reply = api.ask(&query, json!({"input": input}));
    let made = &reply.data()[mutation];
    let object = made.as_object().unwrap().values().next().cloned().unwrap_or_default();
    object["id"].as_str().unwrap_or_default().to_owned()
}

/// All that an object says of itself, and the names of its neighbours.
fn selection(schema: &Schema, of: &Ref, depth: u32) -> String {
    let fields = schema.named(of).fields.clone();
    if fields.is_empty() {
        return String::new();
    }
    let is_page = fields.iter().any(|field| field.name == "page_info");
    let mut text = String::from(" { __typename");
    for field in &fields {
        let inner = schema.named(&field.of);
        let needs = field.arguments.iter().any(|it| it.of.is_required() && !it.has_default);
        let is_object = !inner.fields.is_empty();
        let is_way = is_page && field.name == "nodes";
        if needs || inner.kind == "UNION" || (is_object && !is_way && (is_page || depth == 0)) {
            continue;
        }
        text.push(' ');
        text.push_str(&field.name);
        text.push_str(&selection(
            schema,
            &field.of,
            if is_way { depth } else { depth.saturating_sub(1) },
        ));
    }
    text + " }"
}

/// Every root query that needs no argument, and with the canary as keywords where it takes some;
/// what each answers.
fn answers(api: &Api, schema: &Schema) -> Vec<(String, String)> {
    let mut answers = Vec::new();
    for (_, field) in schema.roots().into_iter().filter(|(root, _)| *root == Root::Query) {
        let needs = field.arguments.iter().any(|it| it.of.is_required() && !it.has_default);
        // The log keeps what happened (behaviour 43).
        if needs || field.name.starts_with("auditLog") {
            continue;
        }
        let takes = |name: &str| field.arguments.iter().any(|argument| argument.name == name);
        for keywords in [None, takes("keywords").then_some(CANARY)] {
            let mut arguments = Vec::new();
            arguments.extend(keywords.map(|word| format!("keywords: \"{word}\"")));
            arguments.extend(takes("first").then(|| "first: 5".to_owned()));
            let arguments = if arguments.is_empty() {
                String::new()
            } else {
                format!("({})", arguments.join(", "))
            };
            let query =
                format!("{{ {}{arguments}{} }}", field.name, selection(schema, &field.of, 1));
            let reply = api.gql(schema.view, &query, json!({}));
            let mut text = reply.text;
            if reply.json["errors"][0]["message"]
                .as_str()
                .is_some_and(|it| it.contains("complexity"))
            {
                let query =
                    format!("{{ {}{arguments}{} }}", field.name, selection(schema, &field.of, 0));
                text = api.gql(schema.view, &query, json!({})).text;
            }
            answers.push((format!("{} {}{arguments}", schema.view, field.name), text));
        }
    }
    answers
}

#[test]
fn sec_23_what_was_deleted_is_in_no_answer() {
    for engine in Engine::available("SEC-23") {
        let instance = Instance::birth(Kind::Sandbox, engine);
        let key = instance.owner_key();
        let server = instance.serve();
        let api = server.with(&key);
        let schemas = [BASELINE, V2026].map(|view| Schema::of(&api, view));
        let owner = people::current_user(&api);
        let client = people::client(&api, "kept");
        let mut made = Vec::new();
        for thing in &THINGS {
            let (create, input, object) = thing.create;
            let mut input: Json = serde_json::from_str(input).unwrap();
            if create == "createApiKey" {
                input["user_id"] = owner.as_str().into();
            }
            if create == "createTag" {
                input["taggable_user_id"] = client.as_str().into();
            }
            if create == "createLocation" {
                input["user_id"] = client.as_str().into();
            }
            made.push(mutate(&api, &schemas[1], create, input, &format!("{object} {{ id }}")));
        }
        let group = json!({"id": client, "user_group_id": made[1]});
        mutate(&api, &schemas[1], "updateClient", group, "user { id }");
        let shows = |schema: &Schema| {
            answers(&api, schema).iter().filter(|(_, text)| text.contains(CANARY)).count()
        };
        let before: usize = schemas.iter().map(shows).sum();
        assert!(before >= 5, "the canary is seen in {before} answers before: the search is blind");
        for (thing, id) in THINGS.iter().zip(&made) {
            mutate(&api, &schemas[1], thing.delete, json!({"id": id}), "__typename");
        }
        let mut asked = 0;
        for schema in &schemas {
            for (what, text) in answers(&api, schema) {
                asked += 1;
                let at = text
                    .find(CANARY)
                    .map(|at| text[at.saturating_sub(120)..].chars().take(240).collect::<String>());
                assert!(at.is_none(), "{engine:?}, {what}: {}", at.unwrap_or_default());
            }
        }
        tell(
            "SEC-23",
            format_args!(
                "{engine:?}: {} sorts deleted; in {before} answers before, in 0 of {asked} after",
                THINGS.len()
            ),
        );
        server.stop();
    }
}
