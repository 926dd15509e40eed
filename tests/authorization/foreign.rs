//! Ids of another organization: every root field, every argument that names an object, every
//! principal. The object that is somebody else's has to be answered byte for byte like one that
//! never was, and a write that names it leaves nothing behind.

use ward_tests::database::Dump;
use ward_tests::schema::{Root, Schema};
use ward_tests::{BASELINE, Engine, Json, V2026, tell};

use crate::call::{Filled, Line, fill_at, fitted, lines, send, verdict};
use crate::canary;
use crate::flags::Flags;
use crate::meaning::Object;
use crate::principal::{Principal, Site, Whose};
use crate::sample::Sample;
use crate::world::World;

/// What a stranger may read of any organization (behaviour 3.4), and of its parent whoever belongs
/// to a sub-organization: name, address, public part of providers.
const PUBLIC: [&str; 4] =
    ["brand", "brandFromCustomSignInPath", "organization", "organizationMembership"];

/// What a stranger may ask of any organization, and nobody of another (behaviour 3.4, 24): whoever
/// books has to know the rules, and what will be asked of them, and requests are anybody's to make.
pub const OF_STRANGERS: [&str; 3] =
    ["appointmentSetting", "createAppointmentRequest", "onboardingItem"];

/// What answers the same to everybody, for it is how one becomes somebody.
const STRANGERS: [&str; 3] = ["resetPassword", "signIn", "signUp"];

/// Places that count for nothing beside the object's own id: they are taken and not looked up, so
/// that the write is done whatever stands there.
const UNREAD: [(&str, &str); 4] = [
    ("updateClient", "input.current_email"),
    ("updateUser", "input.current_email"),
    ("updateOrganization", "input.organization_info.location.user_id"),
    ("createOrganization", "input.organization_info.location.user_id"),
];

#[test]
fn foreign_ids_are_ids_that_never_were() {
    let sample = Sample::announced("foreign ids");
    let mut world = World::new(Engine::Sqlite);
    let schemas = [V2026, BASELINE].map(|view| Schema::of(&world.server.api(), view));
    let all: Vec<(&Schema, Line)> = schemas
        .iter()
        .flat_map(|schema| lines(schema).0.into_iter().map(move |line| (schema, line)))
        .filter(|(_, line)| line.names_object() && !STRANGERS.contains(&line.field.name.as_str()))
        .collect();
    let known = crate::one_flag::committed();
    let mut run = Run::default();
    let principals = principals(world.flags.names.len());
    // What is left behind is looked for after every principal, in a sample once.
    let batch = if sample.is_whole() { 1 } else { principals.len() };
    for batch in principals.chunks(batch) {
        let cases: Vec<Case<'_>> = batch
            .iter()
            .flat_map(|(principal, sites)| {
                cases_of(&mut world, *principal, sites, &all, &|line, case| {
                    let is_new = !known.contains(&line.name());
                    is_new && !principal.holds_one_flag() || sample.has(case)
                })
            })
            .collect();
        run.batch(&mut world, &cases);
    }
    tell(
        "foreign ids",
        format_args!(
            "{} principals, {} lines, {} cases, {} of them writes, {} calls, {} leaks",
            principals.len(),
            all.len(),
            run.cases,
            run.writes,
            run.calls,
            run.faults.len()
        ),
    );
    crate::blame(&run.faults);
}

/// Everybody, and the organizations that are none of theirs.
fn principals(flags: usize) -> Vec<(Principal, Vec<Site>)> {
    let of_a = [
        Principal::Owner,
        Principal::Admin,
        Principal::Standard,
        Principal::Support,
        Principal::Integration,
        Principal::Primary,
        Principal::CareTeam,
        Principal::OwnerSession,
        Principal::Own,
        Principal::Restricted,
        Principal::Archived,
        Principal::Anonymous,
        Principal::CaringFlag(Flags::NONE),
    ];
    let with_flags = (0..flags).filter_map(|number| u8::try_from(number).ok());
    let of_a = of_a.into_iter().chain(with_flags.map(Principal::CaringFlag));
    let mut all: Vec<(Principal, Vec<Site>)> = of_a.map(|it| (it, vec![Site::B])).collect();
    all.push((Principal::SubOwner, vec![Site::A, Site::A2, Site::B]));
    all.push((Principal::SubMember, vec![Site::A, Site::A2, Site::B]));
    all.push((Principal::Sibling, vec![Site::A1, Site::A]));
    all.push((Principal::Other, vec![Site::A, Site::A1]));
    all
}

/// A call that names somebody else's object in one place, and the same with nobody's.
struct Case<'a> {
    principal: Principal,
    is_unread: bool,
    schema: &'a Schema,
    line: &'a Line,
    name: String,
    foreign: Filled,
    nobody: Filled,
    ids: (String, String),
}

impl Case<'_> {
    fn is_write(&self) -> bool {
        self.line.root == Root::Mutation
    }
}

#[derive(Default)]
struct Run {
    faults: Vec<String>,
    calls: usize,
    cases: usize,
    writes: usize,
}

impl Run {
    fn batch(&mut self, world: &mut World, cases: &[Case<'_>]) {
        self.cases += cases.len();
        for case in cases.iter().filter(|case| !case.is_write() || case.is_unread) {
            self.compare(world, case);
        }
        let writes: Vec<_> =
            cases.iter().filter(|case| case.is_write() && !case.is_unread).collect();
        let Some(last) = writes.last() else { return };
        self.writes += writes.len();
        let before = settled(world, cases);
        for case in &writes {
            self.compare(world, case);
        }
        let after = settled(world, cases);
        if after != before {
            let changes = after.changes_since(&before);
            let who = world.called(last.principal);
            self.faults.push(format!("up to {who}: refused writes left {changes:#?}"));
        }
    }

    fn compare(&mut self, world: &mut World, case: &Case<'_>) {
        self.calls += 2;
        let principal = case.principal;
        let foreign = send(world, case.schema, case.line, principal, &case.foreign.values);
        let nobody = send(world, case.schema, case.line, principal, &case.nobody.values);
        // Objects of other types may have the same number: it is masked in both.
        let mask = |text: &str| text.replace(&case.ids.0, &case.ids.1);
        let (masked, nobodys) = (mask(&foreign.text), mask(&nobody.text));
        let leak = canary::leaked(world.flag_of(principal), principal, &foreign.text);
        let is_done = case.is_write() && verdict(case.line, &nobody) == "done";
        let differs = (foreign.status, &masked) != (nobody.status, &nobodys);
        // A write that is done twice says when, and is told by what it leaves.
        let differs = differs && !(is_done && case.is_unread);
        if differs || leak.is_some() || is_done && !case.is_unread {
            let told = crate::lists::difference(&nobodys, &masked);
            let who = world.called(principal);
            self.faults.push(format!("{} as {who}: {leak:?} nobody's id: {told}", case.name));
        }
    }
}

/// What there is once everybody has signed in and the member with flags has none.
fn settled(world: &mut World, cases: &[Case<'_>]) -> Dump {
    for case in cases {
        if world.flag_of(case.principal).is_none() {
            drop(world.api(case.principal));
        }
    }
    drop(world.api(Principal::CaringFlag(Flags::NONE)));
    world.instance.settled_dump()
}

/// Whether it is the turn of a line's case.
type Tried<'a> = &'a dyn Fn(&Line, &str) -> bool;

/// All cases of a principal.
fn cases_of<'a>(
    world: &mut World,
    principal: Principal,
    sites: &[Site],
    all: &'a [(&'a Schema, Line)],
    tried: Tried<'_>,
) -> Vec<Case<'a>> {
    let mut found = Vec::new();
    for site in sites {
        for (schema, line) in all.iter().filter(|(_, line)| !is_public(principal, *site, line)) {
            found.extend(cases(world, principal, *site, schema, line, tried));
        }
    }
    found
}

/// A line's cases: one place after another is somebody else's, the others are the principal's own.
fn cases<'a>(
    world: &mut World,
    principal: Principal,
    site: Site,
    schema: &'a Schema,
    line: &'a Line,
    tried: Tried<'_>,
) -> Vec<Case<'a>> {
    let name =
        |place: &str| format!("{} {} [{place} of {}]", schema.view, line.name(), site.word());
    let who = world.called(principal);
    let places = line.named_places();
    let mine: Vec<usize> = (0..places.len())
        .filter(|number| tried(line, &format!("{who} {}", name(&places[*number]))))
        .collect();
    if mine.is_empty() {
        return Vec::new();
    }
    let own = fill_at(world, line, principal, principal.home(), principal.whose());
    let theirs = fill_at(world, line, principal, site, Whose::Stranger);
    let case = |number: usize| {
        let (at, object, id) = &theirs.ids[number];
        let never = world.never(*object);
        let with = |id: &str| {
            let mut filled = own.clone();
            let (place, value): &mut (_, Json) = &mut filled.values[*at];
            *value = fitted(place, id);
            filled
        };
        let field = line.field.name.as_str();
        Case {
            principal,
            schema,
            is_unread: UNREAD.contains(&(field, &places[number])),
            line,
            name: name(&places[number]),
            foreign: with(id),
            nobody: with(&never),
            ids: (id.clone(), never),
        }
    };
    let serves = |number: &usize| serves_below(principal, site, theirs.ids[*number].1);
    mine.into_iter().filter(|number| !serves(number)).map(case).collect()
}

/// A root's permission templates, intake flows and categories of recommendations serve the units
/// below it (behaviour 15): to those they are no strangers' objects. That they can't be changed there, the domains' tests say.
fn serves_below(principal: Principal, site: Site, object: Object) -> bool {
    let is_below =
        matches!(principal, Principal::SubOwner | Principal::SubMember | Principal::Sibling);
    let serves = matches!(
        object,
        Object::Template
            | Object::Flow
            | Object::SecondFlow
            | Object::Step
            | Object::AdviceCategory
    );
    is_below && site == Site::A && serves
}

fn is_public(principal: Principal, site: Site, line: &Line) -> bool {
    let looks_up =
        matches!(principal, Principal::SubOwner | Principal::SubMember | Principal::Sibling)
            && site == Site::A;
    let name = line.field.name.as_str();
    (principal == Principal::Anonymous || looks_up) && PUBLIC.contains(&name)
        || principal == Principal::Anonymous && OF_STRANGERS.contains(&name)
}
