//! One call of a root field, and what its answer amounts to.

use ward_tests::document::{Place, places};
use ward_tests::schema::{Field, Input, Root, Schema, Type};
use ward_tests::{Json, Reply, json};

use crate::meaning::{self, Meaning, Object};
use crate::principal::{Principal, Site, Whose};
use crate::world::World;

/// A line of the table: a root field, and what it is made to name or try besides what it needs.
#[derive(Clone, Debug)]
pub struct Line {
    pub root: Root,
    pub field: Field,
    /// The place and what stands there.
    pub named: Option<(Place, Meaning)>,
    /// Everything that is part of the call.
    parts: Vec<(Place, Meaning)>,
}

impl Line {
    /// The line's name: `query user(id)`.
    pub fn name(&self) -> String {
        let named = self.named.as_ref().map(|(place, _)| format!("({})", place.dotted()));
        format!("{} {}{}", self.root.word(), self.field.name, named.unwrap_or_default())
    }

    /// Whether the answer is for somebody else than who asks: who signs in by it.
    pub fn signs_in(&self) -> bool {
        matches!(self.field.name.as_str(), "signIn" | "signUp")
    }

    /// The places of its objects, in the order of [`Filled::ids`].
    pub fn named_places(&self) -> Vec<String> {
        let is_id = |part: &Meaning| matches!(part, Meaning::Needs(_) | Meaning::May(_));
        let all = self.parts.iter().chain(&self.named);
        all.filter(|(_, part)| is_id(part)).map(|(place, _)| place.dotted()).collect()
    }

    /// Whether the call names a client or something of one.
    pub fn is_of_client(&self) -> bool {
        let of_client = |part: &Meaning| match part {
            Meaning::Needs(object) | Meaning::May(object) => object.is_of_client(),
            _ => false,
        };
        self.parts.iter().chain(&self.named).any(|(_, part)| of_client(part))
    }

    /// Whether the call names an object.
    pub fn names_object(&self) -> bool {
        let all = self.parts.iter().chain(&self.named);
        all.into_iter().any(|(_, it)| matches!(it, Meaning::Needs(_) | Meaning::May(_)))
    }
}

/// What works on behind its answer, for as long as there are clients: others could not tell what a
/// refused write left from what it makes. `tests/http/population.rs` asks who may.
const WORKS_ON: [&str; 1] = ["exportPopulationEhi"];

/// The lines of a view; and the arguments whose meaning nobody has said.
pub fn lines(schema: &Schema) -> (Vec<Line>, Vec<String>) {
    let (mut lines, mut unmapped) = (Vec::new(), Vec::new());
    let roots = schema.roots().into_iter();
    for (root, field) in roots.filter(|(_, it)| !WORKS_ON.contains(&it.name.as_str())) {
        let (mut parts, mut optional) = (Vec::new(), Vec::new());
        for place in places(schema, field) {
            match meaning::meaning(field, &place) {
                Some(own @ (Meaning::May(_) | Meaning::Tries)) => optional.push((place, own)),
                Some(Meaning::Left) => {}
                Some(part) => parts.push((place, part)),
                None => unmapped.push(format!("{}({})", field.name, place.dotted())),
            }
        }
        let line = |named| Line { root, field: field.clone(), named, parts: parts.clone() };
        lines.push(line(None));
        lines.extend(optional.into_iter().map(|named| line(Some(named))));
    }
    (lines, unmapped)
}

/// The variables of a call, with the ids in it and which value each is of.
#[derive(Clone, Debug)]
pub struct Filled {
    pub values: Vec<(Place, Json)>,
    pub ids: Vec<(usize, Object, String)>,
}

/// Fills a line for a principal.
pub fn fill(world: &mut World, line: &Line, principal: Principal) -> Filled {
    // Reads and refusals leave their objects as they were.
    if world.spent {
        world.next_call();
    }
    fill_at(world, line, principal, principal.names(), principal.whose())
}

/// Fills a line for a principal with objects of an organization.
pub fn fill_at(
    world: &mut World,
    line: &Line,
    principal: Principal,
    site: Site,
    whose: Whose,
) -> Filled {
    world.put_on(principal);
    let mut filled = Filled { values: Vec::new(), ids: Vec::new() };
    for (place, part) in line.parts.iter().chain(&line.named) {
        let value = match *part {
            Meaning::Needs(object) | Meaning::May(object) => {
                let id = world.object_of(site, whose, object);
                let value = fitted(place, &id);
                filled.ids.push((filled.values.len(), object, id));
                value
            }
            Meaning::Data | Meaning::Tries | Meaning::Left => {
                let named = line.named.as_ref().map(|(place, _)| place.last().name.as_str());
                meaning::data(world, &line.field.name, &place.last().name, named)
            }
        };
        filled.values.push((place.clone(), value));
    }
    filled
}

/// Sends a line's call. Strangers see objects whose fields are not all theirs to see: where one
/// that is never null is among them, the object is asked for without such fields.
pub fn send(
    world: &mut World,
    schema: &Schema,
    line: &Line,
    principal: Principal,
    values: &[(Place, Json)],
) -> Reply {
    let reply = send_with(world, schema, line, principal, values, true);
    let message = reply.json["errors"][0]["message"].as_str().unwrap_or_default();
    let hides = message.starts_with("Cannot return null for non-nullable field");
    if !hides || line.root == Root::Mutation {
        return reply;
    }
    send_with(world, schema, line, principal, values, false)
}

fn send_with(
    world: &mut World,
    schema: &Schema,
    line: &Line,
    principal: Principal,
    values: &[(Place, Json)],
    whole: bool,
) -> Reply {
    let selection = selection(schema, schema.named(&line.field.of), whole);
    let (query, variables) = document(line.root, &line.field, values, &selection);
    let address = world.address();
    world.api(principal).header("X-Forwarded-For", &address).gql(schema.view, &query, variables)
}

/// A document that calls a root field with these values, and its variables.
pub fn document(
    root: Root,
    field: &Field,
    values: &[(Place, Json)],
    selection: &str,
) -> (String, Json) {
    let mut arguments: Vec<(&Input, Json)> = Vec::new();
    for (place, value) in values {
        let argument = &place.path[0];
        let at = arguments.iter().position(|(known, _)| known.name == argument.name);
        let at = at.unwrap_or_else(|| {
            arguments.push((argument, Json::Null));
            arguments.len() - 1
        });
        put(&mut arguments[at].1, &place.path, value.clone());
    }
    let joined = |shown: &dyn Fn(&Input) -> String| {
        let all: Vec<String> = arguments.iter().map(|(argument, _)| shown(argument)).collect();
        if all.is_empty() { String::new() } else { format!("({})", all.join(", ")) }
    };
    let query = format!(
        "{} {} {{ {}{}{selection} }}",
        root.word(),
        joined(&|argument| format!("${}: {}", argument.name, argument.of)),
        field.name,
        joined(&|argument| format!("{0}: ${0}", argument.name)),
    );
    let variables =
        arguments.iter().map(|(argument, value)| (argument.name.clone(), value.clone()));
    (query, Json::Object(variables.collect()))
}

/// Puts a value at the end of a path whose first step is `target` itself.
fn put(target: &mut Json, path: &[Input], value: Json) {
    let Some(next) = path.get(1) else {
        *target = value;
        return;
    };
    if path[0].of.is_list() {
        if !target.is_array() {
            *target = Json::Array(vec![Json::Null]);
        }
        put(&mut target[0][&next.name], &path[1..], value);
    } else {
        put(&mut target[&next.name], &path[1..], value);
    }
}

/// Everything that an object says of itself, and of its neighbours who they are.
pub fn selection(schema: &Schema, of: &Type, whole: bool) -> String {
    if of.kind == "UNION" {
        return " { __typename }".to_owned();
    }
    let is_composite = |it: &Type| !it.fields.is_empty();
    if !is_composite(of) {
        return String::new();
    }
    let mut words = vec!["__typename".to_owned()];
    for field in &of.fields {
        let inner = schema.named(&field.of);
        let needs = field.arguments.iter().any(|it| it.of.is_required() && !it.has_default);
        if needs || is_connection(inner) || inner.kind == "UNION" {
            continue;
        }
        let is_id = field.name == "id" || is_connection(of);
        if !whole && field.of.is_required() && !is_id {
            continue;
        }
        words.push(match (is_composite(inner), field.name.as_str()) {
            (false, name) => name.to_owned(),
            // The way to the objects of a list, a page or an answer.
            (true, "edges" | "page_info") => continue,
            (true, name) if is_connection(of) || is_payload(of) => {
                format!("{name}{}", selection(schema, inner, whole))
            }
            (true, name) => format!("{name} {{ {} }}", who(inner)),
        });
    }
    format!(" {{ {} }}", words.join(" "))
}

fn is_connection(of: &Type) -> bool {
    of.fields.iter().any(|field| field.name == "page_info")
}

fn is_payload(of: &Type) -> bool {
    of.fields.iter().any(|field| field.name == "messages")
}

fn who(of: &Type) -> String {
    const NAMES: [&str; 6] = ["id", "name", "first_name", "last_name", "email", "line1"];
    let known = NAMES.iter().filter(|name| of.fields.iter().any(|field| field.name == **name));
    let names: Vec<&str> = known.copied().collect();
    format!("__typename {}", names.join(" "))
}

/// What an answer amounts to.
pub fn verdict(line: &Line, reply: &Reply) -> String {
    let answer = &reply.json["data"][&line.field.name];
    if let Some(errors) = reply.json["errors"].as_array() {
        let code = errors[0]["extensions"]["code"].as_str().unwrap_or("uncoded");
        return match code {
            "PERMISSION_DENIED" => "denied".to_owned(),
            // Whoever asked so often before was told the reason.
            "TOO_MANY_REQUESTS" => "messages".to_owned(),
            // An answer that is the object itself has none.
            "REFUSED" => "messages".to_owned(),
            "UNAUTHENTICATED" => "refused".to_owned(),
            _ => format!("error:{code}"),
        };
    }
    let word = match (line.root, answer) {
        (_, Json::Null) => "null",
        (Root::Mutation, _) if answer["messages"].is_null() => "done",
        (Root::Mutation, _) => "messages",
        (Root::Query, Json::Array(items)) if items.is_empty() => "empty",
        (Root::Query, Json::Number(count)) if count.as_i64() == Some(0) => "empty",
        (Root::Query, Json::Object(page)) if page.get("total_count") == Some(&0.into()) => "empty",
        // Numbers of nothing.
        (Root::Query, Json::Object(counts))
            if counts.iter().all(|(name, count)| name == "__typename" || *count == 0) =>
        {
            "empty"
        }
        (Root::Query, _) => "rows",
    };
    word.to_owned()
}

/// A value as its place takes it.
pub fn fitted(place: &Place, id: &str) -> Json {
    let of = &place.last().of;
    let single = match of.name() {
        "Int" => json!(id.parse::<i64>().unwrap()),
        _ => json!(id),
    };
    if of.is_list() { json!([single]) } else { single }
}
