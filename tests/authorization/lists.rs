//! What lists, counts, search and orders tell of objects that are not in them: nothing. Every list
//! is asked before and after others make objects that sort first, amid and last; and a search for a
//! word that only others' objects hold finds what a search for no word at all finds. And mails say
//! nothing of another organization.

use std::collections::BTreeMap;

use ward_tests::document::{Place, places};
use ward_tests::people;
use ward_tests::schema::{Root, Schema};
use ward_tests::{Json, json, tell};

use crate::call::{Line, document, fill_at, lines, selection};
use crate::canary::{self, Found};
use crate::flags::Flags;
use crate::meaning::Object;
use crate::paint::Painted;
use crate::principal::{Principal, Site, Whose};
use crate::sample::Sample;
use crate::world::World;

/// Fields that change by being looked at, or by the clock.
const RESTLESS: [&str; 6] = [
    "avatar_url",
    "expiring_url",
    "last_active",
    "last_activity",
    "last_sign_in_at",
    "last_used_day",
];

/// A list asked in one way.
struct Question {
    line: Line,
    /// What is laid beside the rest: an order or a word.
    extra: Option<(Place, Json)>,
    name: String,
}

#[test]
fn lists_tell_nothing_of_what_is_not_in_them() {
    let sample = Sample::announced("lists");
    let mut painted = Painted::new();
    let schema = painted.schemas[0].clone();
    let questions = questions(&schema);
    let flags = painted.world.flags.names.len();
    let principals = principals(flags, |flag| sample.has(&format!("flag {flag}")));
    let mut run =
        Run { faults: Vec::new(), calls: 0, questions: &questions, schema: &schema, sample };
    run.prepare(&mut painted.world, &principals);
    let mut before = run.snapshot(&mut painted.world, &principals);
    for added in [Added::InB, Added::InA2, Added::Uncared, Added::Restricted] {
        added.add(&mut painted.world);
        let after = run.snapshot(&mut painted.world, &principals);
        for ((principal, name), answer) in &after {
            let known = &before[&(*principal, name.clone())];
            let flag = painted.world.flag_of(*principal);
            if known != answer && !added.is_seen_by(flag, *principal) {
                let who = painted.world.called(*principal);
                let what = difference(known, answer);
                run.faults.push(format!("{name} as {who} tells of {added:?}: {what}"));
            }
        }
        before = after;
    }
    let searches = run.searches(&mut painted.world, &principals);
    let mails = mails(&mut painted.world, &mut run.faults);
    tell(
        "lists",
        format_args!(
            "{} questions, {} principals, {searches} searches, {} calls, {mails} mails read, {} leaks",
            questions.len(),
            principals.len(),
            run.calls,
            run.faults.len()
        ),
    );
    crate::blame(&run.faults);
    file_link_ends_with_the_right(&mut painted.world);
}

/// Everybody, and the holders of flags who care for nobody.
fn principals(flags: usize, drawn: impl Fn(u8) -> bool) -> Vec<Principal> {
    let people = Principal::COLUMNS.into_iter();
    let people = people
        .filter(|it| !matches!(it, Principal::Deactivated | Principal::Parent | Principal::Client));
    let flags = (0..flags).filter_map(|number| u8::try_from(number).ok());
    let flags = flags.filter(|flag| drawn(*flag)).chain([Flags::NONE]);
    people.chain(flags.map(Principal::Flag)).collect()
}

/// What others make between two looks.
#[derive(Clone, Copy, Debug)]
enum Added {
    InB,
    InA2,
    Uncared,
    Restricted,
}

impl Added {
    /// Makes it: clients whose names sort first, amid and last, in a group and with a tag that were
    /// there, each with an address.
    fn add(self, world: &mut World) {
        let site = match self {
            Added::InB => Site::B,
            Added::InA2 => Site::A2,
            Added::Uncared | Added::Restricted => Site::A,
        };
        let group = world.object_of(site, Whose::Stranger, Object::Group);
        let tag = world.object_of(site, Whose::Stranger, Object::Tag);
        world.enter(site);
        for letter in ["aaa", "mmm", "zzz"] {
            let of = if matches!(self, Added::Restricted) {
                canary::RESTRICTED
            } else {
                canary::UNCARED
            };
            let name = format!("{letter}-{}", world.canary(of));
            let mut input = people::new_client(&name);
            input["client"]["user_group_id"] = group.clone().into();
            input["client"]["restricted"] = matches!(self, Added::Restricted).into();
            input["client"]["dont_send_welcome"] = false.into();
            let reply = world.as_owner().ask(people::CREATE_CLIENT, input);
            let client = people::id(&reply.data()["createClient"]["user"]);
            let input = json!({"user_id": client, "name": name, "line1": name, "city": name});
            world.make("createLocation", "createLocationInput", "location", input);
            let apply = "mutation($ids: [ID]!, $user: ID!) { bulkApply(input: {ids: $ids, taggable_user_id: $user}) { messages { field message } } }";
            world.as_owner().ask(apply, json!({"ids": [tag], "user": client})).data();
        }
        if matches!(self, Added::InB | Added::InA2) {
            let name = format!("aaa-{}", world.canary("group"));
            world.make("createGroup", "createGroupInput", "user_group", json!({"name": name}));
            let name = format!("aaa-{}", world.canary("tag"));
            world.make("createTag", "createTagInput", "tag", json!({"name": name}));
        }
    }

    fn is_seen_by(self, flag: Option<&str>, principal: Principal) -> bool {
        let (site, of) = match self {
            Added::InB => (Site::B, canary::UNCARED),
            Added::InA2 => (Site::A2, canary::UNCARED),
            Added::Uncared => (Site::A, canary::UNCARED),
            Added::Restricted => (Site::A, canary::RESTRICTED),
        };
        // Whoever is of the organization sees its groups and tags; what they tell of clients whom
        // one does not see is looked at where only clients are added.
        let group = matches!(self, Added::InB | Added::InA2)
            && canary::may_read_of(flag, principal, site, "group");
        group || canary::may_read_of(flag, principal, site, of)
    }
}

/// Every list in its plain form, and in every order that it has.
fn questions(schema: &Schema) -> Vec<Question> {
    let mut questions = Vec::new();
    for line in lines(schema).0 {
        // The access log grows with every look at it.
        let is_log = line.field.name == "clientAccessLog";
        if line.root != Root::Query || line.named.is_some() || is_log {
            continue;
        }
        let name = line.name();
        for place in places(schema, &line.field) {
            let input = place.last();
            let order = if input.name == "order_by" {
                schema.named(&input.of).values.clone()
            } else {
                Vec::new()
            };
            for value in order {
                let name = format!("{name} by {value}");
                questions.push(Question {
                    line: line.clone(),
                    extra: Some((place.clone(), value.into())),
                    name,
                });
            }
        }
        questions.push(Question { line, extra: None, name });
    }
    questions
}

type Snapshot = BTreeMap<(Principal, String), String>;

struct Run<'a> {
    faults: Vec<String>,
    calls: usize,
    questions: &'a [Question],
    schema: &'a Schema,
    sample: Sample,
}

impl Run<'_> {
    /// Makes what the questions name, and signs everybody in, so that this is not what changes.
    fn prepare(&mut self, world: &mut World, principals: &[Principal]) {
        for site in Site::ALL {
            world.object_of(site, Whose::Stranger, Object::Group);
            world.object_of(site, Whose::Stranger, Object::Tag);
        }
        for principal in principals {
            drop(world.api(*principal));
            for question in self.questions {
                fill_at(world, &question.line, *principal, principal.home(), principal.whose());
            }
        }
    }

    /// What everybody is answered.
    fn snapshot(&mut self, world: &mut World, principals: &[Principal]) -> Snapshot {
        let mut snapshot = Snapshot::new();
        for principal in principals {
            for question in self.questions {
                let name = format!("{} {}", world.called(*principal), question.name);
                if self.sample.has(&name) || self.is_plain(*principal, question) {
                    let answer =
                        self.ask(world, *principal, &question.line, question.extra.as_ref());
                    snapshot.insert((*principal, question.name.clone()), answer);
                }
            }
        }
        snapshot
    }

    /// The plain question of who holds no single flag is part of every run.
    fn is_plain(&self, principal: Principal, question: &Question) -> bool {
        question.extra.is_none() && !matches!(principal, Principal::Flag(_))
    }

    fn ask(
        &mut self,
        world: &mut World,
        principal: Principal,
        line: &Line,
        extra: Option<&(Place, Json)>,
    ) -> String {
        self.calls += 1;
        let mut values =
            fill_at(world, line, principal, principal.home(), principal.whose()).values;
        for (place, value) in &mut values {
            if matches!(place.last().name.as_str(), "first" | "page_size") {
                *value = 4.into();
            }
        }
        values.extend(extra.cloned());
        let mut selection = selection(self.schema, self.schema.named(&line.field.of), false);
        if selection.contains("total_count") {
            let pages = "{ page_info { has_next_page has_previous_page start_cursor end_cursor }";
            selection = selection.replacen('{', pages, 1);
        }
        let (query, variables) = document(Root::Query, &line.field, &values, &selection);
        let reply = world.api(principal).gql(self.schema.view, &query, variables);
        let who = world.called(principal);
        if let Some(word) =
            canary::leaked(world.flag_of(principal), principal, &without(&reply.text, extra))
        {
            self.faults.push(format!("{} as {who}: reads {word:?}", line.name()));
        }
        calm(reply.json).to_string()
    }

    /// Searches for words that only others' objects hold; how many.
    fn searches(&mut self, world: &mut World, principals: &[Principal]) -> usize {
        let mut words = Vec::new();
        for site in Site::ALL {
            for of in ["owner", "group", "tag", canary::KEY, canary::UNCARED, canary::RESTRICTED] {
                // Half a word finds names first of all.
                for (end, field) in [
                    ("", "first_name"),
                    ("-first_name", "first_name"),
                    ("-last_name", "last_name"),
                    ("-email", "email"),
                    ("-name", "name"),
                ] {
                    let found = Found { site, of: of.to_owned(), field: field.to_owned() };
                    words.push((found, format!("{}{of}{end}", site.canary())));
                }
            }
        }
        let mut count = 0;
        for principal in principals {
            for (number, question) in self.questions.iter().enumerate() {
                let places = places(self.schema, &question.line.field);
                let place = places.into_iter().find(|place| place.last().name == "keywords");
                let Some(place) = place.filter(|_| question.extra.is_none()) else { continue };
                for (of, word) in &words {
                    let flag = world.flag_of(*principal);
                    // Clients know the names of providers (behaviour 3.4), and find by them those
                    // who write to them.
                    let seen = canary::may_read(flag, *principal, of);
                    let name = format!("{} {number} {word}", world.called(*principal));
                    if seen || !self.sample.has(&name) {
                        continue;
                    }
                    count += 1;
                    let mut found = |word: &str| {
                        let extra = (place.clone(), json!(word));
                        self.ask(world, *principal, &question.line, Some(&extra))
                    };
                    let (theirs, nobodys) = (found(word), found("canary-q-nobody-nothing"));
                    if theirs != nobodys {
                        self.faults.push(format!("{name}: {} finds {theirs}", question.name));
                    }
                }
            }
        }
        count
    }
}

/// Where two texts part, and what stands around.
pub fn difference(one: &str, other: &str) -> String {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let same = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let around =
        |text: &[char]| text.iter().skip(same.saturating_sub(120)).take(240).collect::<String>();
    format!("{} and then {}", around(&one), around(&other))
}

/// An answer without the word that was asked for.
fn without(text: &str, extra: Option<&(Place, Json)>) -> String {
    let asked = extra.and_then(|(_, value)| value.as_str());
    asked.map_or_else(|| text.to_owned(), |asked| text.replace(asked, ""))
}

/// The answer without what changes by itself.
fn calm(json: Json) -> Json {
    match json {
        Json::Object(object) => {
            let kept = object.into_iter().filter(|(name, _)| !RESTLESS.contains(&name.as_str()));
            kept.map(|(name, value)| (name, calm(value))).collect()
        }
        Json::Array(items) => items.into_iter().map(calm).collect(),
        other => other,
    }
}

/// Reads every organization's simulated mail; how many.
fn mails(world: &mut World, faults: &mut Vec<String>) -> usize {
    for site in Site::ALL {
        let email = world.places[&site].owner_email.clone();
        people::forget_password(&world.server.api(), &email);
    }
    world.instance.settled_dump();
    let mut count = 0;
    for (site, reader) in [
        (Site::A, Principal::Owner),
        (Site::B, Principal::Other),
        (Site::A1, Principal::SubOwner),
        (Site::A2, Principal::Sibling),
    ] {
        let inbox = world.api(reader).get("/sandbox/v1/inbox?limit=1000");
        if let Some(word) = canary::leaked(None, reader, &inbox.text) {
            faults.push(format!("{}'s mails tell of {word:?}", site.word()));
        }
        let items = inbox.json["items"].as_array().cloned().unwrap_or_default();
        count += items.len();
        for item in &items {
            let text = item.to_string();
            let to = canary::found(&item["to"].to_string());
            let mixed = to
                .first()
                .and_then(|to| canary::found(&text).into_iter().find(|word| word.site != to.site));
            if let Some(word) = mixed {
                faults.push(format!("a mail to {} tells of {word:?}", item["to"]));
            }
        }
        if site == Site::B && items.is_empty() {
            faults.push(format!("nobody in B got a mail: {}", inbox.text));
        }
    }
    count
}

/// A link to a client's picture opens nothing once its holder sees the client no more.
fn file_link_ends_with_the_right(world: &mut World) {
    let client = world.object_of(Site::A, Whose::Stranger, Object::Client);
    let opens = world.flags.names.iter().position(|flag| flag == "can_see_clients");
    let opens = u8::try_from(opens.unwrap()).unwrap();
    let query = "query($id: ID) { user(id: $id) { avatar_url } }";
    let reply = world.api(Principal::Flag(opens)).ask(query, json!({"id": client}));
    let link = reply.data()["user"]["avatar_url"].as_str().unwrap().to_owned();
    let path = &link[link.find("/files/").unwrap()..];
    assert_eq!(world.server.api().get(path).status, 200, "the picture is not there");
    drop(world.api(Principal::Flag(Flags::NONE)));
    assert_ne!(world.server.api().get(path).status, 200, "a link outlives the right to see");
}
