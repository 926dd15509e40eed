//! The walk: from everything that a principal reaches by a root field, along every edge, three
//! edges deep, with every text on the way. No answer holds a word that is not theirs to read.

use std::collections::{BTreeMap, BTreeSet};

use ward_tests::schema::{Field, Root, Schema, Type};
use ward_tests::tell;

use crate::call::{Filled, Line, document, fill_at, lines};
use crate::canary;
use crate::flags::Flags;
use crate::paint::Painted;
use crate::principal::{Principal, Site};
use crate::sample::Sample;

/// Edges from the first object.
const DEPTH: usize = 3;

/// Objects of a page within a page, and of the first.
const PAGE: usize = 3;
const FIRST_PAGE: usize = 100;

/// What one document may cost; a little under the server's bound.
const COST: usize = 1_800;

/// What is written and that no field reads again: the visitors of a website.
const UNREAD: [&str; 1] = ["contact"];

/// A way to a text: edges, then the field.
type Way = Vec<String>;

/// Documents for one root field, each a tree of selections, and how deep it goes.
struct Walk {
    line: Line,
    documents: Vec<(usize, Node)>,
}

/// A selection: fields, and edges with what is selected behind them.
#[derive(Clone, Debug, Default)]
struct Node {
    texts: BTreeSet<String>,
    edges: BTreeMap<String, Node>,
}

/// An edge, the type behind it and by how much it multiplies what that costs.
#[derive(Clone, Debug)]
struct Edge {
    name: String,
    to: String,
    times: usize,
}

#[test]
fn nobody_walks_to_what_is_not_theirs() {
    let sample = Sample::announced("walk");
    let mut painted = Painted::new();
    let mut run = Run::default();
    for view in 0..painted.schemas.len() {
        let schema = painted.schemas[view].clone();
        for walk in walks(&schema) {
            for principal in principals(&painted, sample) {
                run.walk(&mut painted, &schema, &walk, principal, sample);
            }
        }
    }
    tell(
        "walk",
        format_args!(
            "{} texts written, {} principals, {} root fields, {} documents asked, {} words read of {} kinds, {} leaks",
            painted.texts,
            principals(&painted, sample).len(),
            run.roots.len(),
            run.calls,
            run.read,
            run.kinds.len(),
            run.faults.len()
        ),
    );
    crate::blame(&run.faults);
    assert!(run.read > 0, "the walk met no word at all");
    let unmet = painted.kinds.difference(&run.kinds);
    let unmet: Vec<_> = unmet.filter(|(_, kind)| !UNREAD.contains(&kind.as_str())).collect();
    assert!(unmet.is_empty() || !sample.is_whole(), "nobody ever reads {unmet:?}");
}

/// Who walks: everybody, and the holders of single flags two edges deep.
fn principals(painted: &Painted, sample: Sample) -> Vec<Principal> {
    let columns = Principal::COLUMNS.into_iter();
    let people = columns.filter(|it| !matches!(it, Principal::Deactivated | Principal::Parent));
    let flags = (0..painted.world.flags.names.len()).filter_map(|number| u8::try_from(number).ok());
    let flags = flags.filter(|flag| sample.has(&format!("flag {flag}"))).chain([Flags::NONE]);
    people.chain([Principal::OwnerSession]).chain(flags.map(Principal::CaringFlag)).collect()
}

#[derive(Default)]
struct Run {
    faults: Vec<String>,
    calls: usize,
    read: usize,
    kinds: BTreeSet<(Site, String)>,
    roots: BTreeSet<String>,
}

impl Run {
    fn walk(
        &mut self,
        painted: &mut Painted,
        schema: &Schema,
        walk: &Walk,
        principal: Principal,
        sample: Sample,
    ) {
        let holds_flag = painted.world.flag_of(principal).is_some();
        let who = format!("{} {}", painted.world.called(principal), schema.view);
        for (number, (depth, node)) in walk.documents.iter().enumerate() {
            let name = format!("{who} {} {depth} {number}", walk.line.name());
            let is_deep = *depth == DEPTH;
            // Most ways are of the deepest, and they grow fastest: a third of the sample, and of
            // those with one flag a sample of the sample; a whole run takes all of the former.
            let again = format!("{name} again");
            let turn = sample.has(&name)
                && match (is_deep, holds_flag) {
                    (false, _) => true,
                    (true, true) => sample.draws(&again),
                    (true, false) => sample.is_whole() || sample.draws_one_in(3, &again),
                };
            if turn {
                self.ask(painted, schema, &walk.line, principal, node, &name);
            }
        }
    }

    fn ask(
        &mut self,
        painted: &mut Painted,
        schema: &Schema,
        line: &Line,
        principal: Principal,
        node: &Node,
        name: &str,
    ) {
        let world = &mut painted.world;
        let mut filled = fill_at(world, line, principal, principal.home(), principal.whose());
        turn_pages(&mut filled, if node.edges.is_empty() { FIRST_PAGE } else { PAGE });
        self.roots.insert(line.field.name.clone());
        for is_whole in [true, false] {
            let selection = node.written(schema, schema.named(&line.field.of), is_whole);
            let (query, variables) = document(Root::Query, &line.field, &filled.values, &selection);
            let address = world.address();
            let api = world.api(principal).header("X-Forwarded-For", &address);
            let reply = api.gql(schema.view, &query, variables);
            self.calls += 1;
            let words = canary::found(&reply.text);
            self.read += words.len();
            self.kinds.extend(words.into_iter().map(|word| (word.site, word.of)));
            let picture = painted.pictures.iter().find(|(site, of, number)| {
                reply.text.contains(number.as_str())
                    && !canary::may_read_of(world.flag_of(principal), principal, *site, of)
            });
            let leak = canary::leaked(world.flag_of(principal), principal, &reply.text);
            if leak.is_some() || picture.is_some() {
                self.faults.push(format!("{name}: reads {leak:?} {picture:?} by {query}"));
            }
            let errors = reply.json["errors"].as_array().cloned().unwrap_or_default();
            let hidden = |error: &ward_tests::Json| {
                let message = error["message"].as_str().unwrap_or_default();
                message.starts_with("Cannot return null for non-nullable field")
            };
            // An answer beyond the limits is none, so it tells nothing.
            let is_denied = |error: &ward_tests::Json| {
                let code = error["extensions"]["code"].as_str().unwrap_or_default();
                ["PERMISSION_DENIED", "TOO_LARGE"].contains(&code)
            };
            if let Some(error) = errors.iter().find(|error| !hidden(error) && !is_denied(error)) {
                self.faults.push(format!("{name}: {error} by {query}"));
            }
            // What is never null and not to be seen hides what is around it: again without.
            if !errors.iter().any(hidden) {
                break;
            }
        }
    }
}

/// As many objects of the root's page.
fn turn_pages(filled: &mut Filled, size: usize) {
    for (place, value) in &mut filled.values {
        if matches!(place.last().name.as_str(), "first" | "page_size") {
            *value = size.into();
        }
    }
}

/// The walks of a view: one for every query that answers objects.
fn walks(schema: &Schema) -> Vec<Walk> {
    let lines = lines(schema).0.into_iter();
    let reads = lines.filter(|line| line.root == Root::Query && line.named.is_none());
    let walk = |line: Line| {
        let of = schema.named(&line.field.of);
        let start = behind(schema, of);
        let mut documents = Vec::new();
        for depth in 0..=DEPTH {
            let times =
                if is_connection(of) { if depth == 0 { FIRST_PAGE } else { PAGE } } else { 1 };
            let mut ways = Vec::new();
            ways_to(schema, &start, depth, &mut Vec::new(), times, &mut ways);
            documents.extend(packed(&ways).into_iter().map(|node| (depth, node)));
        }
        Walk { line, documents }
    };
    reads.map(walk).filter(|walk| !walk.documents.is_empty()).collect()
}

/// All ways of so many edges from a type to its texts, and what each costs.
fn ways_to(
    schema: &Schema,
    of: &str,
    depth: usize,
    way: &mut Way,
    times: usize,
    found: &mut Vec<(Way, Vec<String>, usize)>,
) {
    let known = &schema.types[of];
    if depth == 0 {
        let texts: Vec<String> = texts(schema, known).map(|field| field.name.clone()).collect();
        // A part at a time, where one page of all of them would cost too much.
        let most = (COST / 2 / times.max(1)).max(1);
        for part in texts.chunks(most) {
            found.push((way.clone(), part.to_vec(), times * (part.len() + 1)));
        }
        return;
    }
    for edge in edges(schema, known) {
        way.push(edge.name.clone());
        ways_to(schema, &edge.to, depth - 1, way, times * edge.times, found);
        way.pop();
    }
}

/// Ways put together into documents that the server takes.
fn packed(ways: &[(Way, Vec<String>, usize)]) -> Vec<Node> {
    let (mut all, mut node, mut cost) = (Vec::new(), Node::default(), 0);
    for (way, texts, more) in ways {
        if cost + more > COST && cost > 0 {
            all.push(std::mem::take(&mut node));
            cost = 0;
        }
        cost += more + way.len();
        let end = way.iter().fold(&mut node, |at, step| at.edges.entry(step.clone()).or_default());
        end.texts.extend(texts.iter().cloned());
    }
    all.push(node);
    all.retain(|node| !node.texts.is_empty() || !node.edges.is_empty());
    all
}

impl Node {
    /// The selection of an object of this type; not whole, without what is never null.
    fn written(&self, schema: &Schema, of: &Type, is_whole: bool) -> String {
        if is_connection(of) {
            let node = schema.named(&field(of, "nodes").of);
            return format!(" {{ nodes{} }}", self.written(schema, node, is_whole));
        }
        let mut words = vec!["__typename".to_owned()];
        for name in &self.texts {
            if is_whole || name == "id" || !field(of, name).of.is_required() {
                words.push(name.clone());
            }
        }
        for (name, behind) in &self.edges {
            let edge = field(of, name);
            if is_whole || !edge.of.is_required() {
                let inner = behind.written(schema, schema.named(&edge.of), is_whole);
                words.push(format!("{name}{}{inner}", pages(schema, edge)));
            }
        }
        format!(" {{ {} }}", words.join(" "))
    }
}

fn field<'a>(of: &'a Type, name: &str) -> &'a Field {
    of.fields.iter().find(|field| field.name == name).unwrap()
}

fn is_connection(of: &Type) -> bool {
    of.fields.iter().any(|field| field.name == "page_info")
}

/// The type of the objects behind a field's type.
fn behind(schema: &Schema, of: &Type) -> String {
    match is_connection(of) {
        true => field(of, "nodes").of.name().to_owned(),
        false => schema.types.iter().find(|(_, it)| std::ptr::eq(*it, of)).unwrap().0.clone(),
    }
}

fn pages(schema: &Schema, edge: &Field) -> String {
    let is_paged = is_connection(schema.named(&edge.of));
    if is_paged { format!("(first: {PAGE})") } else { String::new() }
}

fn is_free(field: &Field) -> bool {
    !field.arguments.iter().any(|it| it.of.is_required() && !it.has_default)
}

/// Fields that can hold a text.
fn texts<'a>(schema: &'a Schema, of: &'a Type) -> impl Iterator<Item = &'a Field> {
    const NONE: [&str; 5] = ["Boolean", "Float", "ISO8601Date", "ISO8601DateTime", "Int"];
    of.fields.iter().filter(|field| {
        schema.named(&field.of).kind == "SCALAR"
            && !NONE.contains(&field.of.name())
            && is_free(field)
    })
}

fn edges(schema: &Schema, of: &Type) -> Vec<Edge> {
    let composite =
        of.fields.iter().filter(|field| schema.named(&field.of).kind == "OBJECT" && is_free(field));
    composite
        .map(|field| {
            let target = schema.named(&field.of);
            let times = if is_connection(target) { PAGE } else { 1 };
            Edge { name: field.name.clone(), to: behind(schema, target), times }
        })
        .collect()
}
