//! What each single flag opens: every root field, asked by a member who holds one flag and no
//! other. `flags.txt` lists, field by field, what a member without any flag is answered and which
//! flags change that; `WARD_UPDATE=1` writes it anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use ward_tests::schema::{Root, Schema};
use ward_tests::{BASELINE, Engine, V2026, tell};

use crate::call::{Filled, Line, fill, lines, send, verdict};
use crate::canary;
use crate::flags::Flags;
use crate::principal::Principal;
use crate::sample::Sample;
use crate::world::World;

/// What asks nobody who they are: no flag can matter.
const STRANGERS: [&str; 3] = ["resetPassword", "signIn", "signUp"];

/// What everybody does to their own account, whatever they hold, and the log of what was read: what
/// these answer depends on what was done before.
const ONES_OWN: [&str; 7] = [
    "clientAccessLog",
    "confirmMfa",
    "createFeatureToggle",
    "enrollMfa",
    "resendVerificationCode",
    "unenrollMfa",
    "validateVerificationToken",
];

/// What a line is called when the asking member cares for the client.
const CARING: &str = ", of a client cared for";

/// Answers that differ from the one without a flag, and the flags that make them so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Opened {
    without: String,
    with: BTreeMap<String, BTreeSet<String>>,
}

impl Opened {
    fn set(&mut self, flag: &str, verdict: &str) {
        for flags in self.with.values_mut() {
            flags.remove(flag);
        }
        if verdict != self.without {
            self.with.entry(verdict.to_owned()).or_default().insert(flag.to_owned());
        }
        self.with.retain(|_, flags| !flags.is_empty());
    }

    /// What a member with this flag is answered, or with none.
    fn of(&self, flag: Option<&str>) -> &str {
        let known = self.with.iter().find(|(_, flags)| flag.is_some_and(|it| flags.contains(it)));
        known.map_or(&self.without, |(verdict, _)| verdict)
    }

    /// The same without what depends on the objects that lie about: a list that is allowed is
    /// empty or is not.
    fn allowed(&self) -> Opened {
        let plain = |verdict: &str| if verdict == "empty" { "rows" } else { verdict }.to_owned();
        let mut allowed = Opened { without: plain(&self.without), with: BTreeMap::new() };
        for (verdict, flags) in &self.with {
            flags.iter().for_each(|flag| allowed.set(flag, &plain(verdict)));
        }
        allowed
    }
}

type Table = BTreeMap<(bool, String), Opened>;

/// The lines are told in parts, side by side: all take longer than everything else, and what one
/// part leaves in a practice does not reach the practice's bounds.
const PARTS: u32 = 4;

#[test]
fn what_each_flag_opens_1_of_4() {
    what_each_flag_opens(0);
}

#[test]
fn what_each_flag_opens_2_of_4() {
    what_each_flag_opens(1);
}

#[test]
fn what_each_flag_opens_3_of_4() {
    what_each_flag_opens(2);
}

#[test]
fn what_each_flag_opens_4_of_4() {
    what_each_flag_opens(3);
}

/// Whose turn the lines of a field are.
fn part_of(field: &str) -> u32 {
    field.bytes().fold(0u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())) % PARTS
}

fn what_each_flag_opens(part: u32) {
    let sample = Sample::announced("flags");
    let mut world = World::new(Engine::Sqlite);
    let known = parsed(&std::fs::read_to_string(path()).unwrap_or_default());
    let mut run = Run { faults: Vec::new(), calls: 0, table: Table::new() };
    for root in [Root::Query, Root::Mutation] {
        let mut seen = BTreeSet::new();
        for view in [V2026, BASELINE] {
            let schema = Schema::of(&world.server.api(), view);
            for line in lines(&schema).0.into_iter().filter(|line| line.root == root) {
                let name = line.field.name.as_str();
                let is_others = STRANGERS.contains(&name) || ONES_OWN.contains(&name);
                if !is_others && part_of(name) == part && seen.insert(line.name()) {
                    run.line(&mut world, &schema, &line, &known, sample);
                }
            }
        }
    }
    tell(
        "flags",
        format_args!(
            "part {} of {PARTS}: {} flags, {} lines, {} calls",
            part + 1,
            world.flags.names.len(),
            run.table.len(),
            run.calls,
        ),
    );
    written(run.table, part, &world.flags.names);
    crate::blame(&run.faults);
}

/// Compares the file with what it is with this part's lines; other parts may write it meanwhile.
fn written(found: Table, part: u32, names: &[String]) {
    let file = std::fs::File::open(path()).unwrap();
    file.lock().unwrap();
    let mut table = parsed(&std::fs::read_to_string(path()).unwrap());
    table.retain(|(_, name), _| part_of(field_of(name)) != part);
    table.extend(found);
    crate::compare(path(), &shown(&table, names));
}

/// The field of a line: `user` of `query user(id), of a client cared for`.
fn field_of(line: &str) -> &str {
    let field = line.split_once(' ').map_or(line, |(_, field)| field);
    field.split(['(', ',']).next().unwrap_or(field)
}

struct Run {
    faults: Vec<String>,
    calls: usize,
    table: Table,
}

impl Run {
    /// A line, by the flags that are its turn; of a line that is new all.
    fn line(
        &mut self,
        world: &mut World,
        schema: &Schema,
        line: &Line,
        known: &Table,
        sample: Sample,
    ) {
        let is_write = line.root == Root::Mutation;
        let plain = (is_write, line.name());
        for caring in [false, true] {
            if caring && !line.is_of_client() {
                continue;
            }
            let name = format!("{}{}", line.name(), if caring { CARING } else { "" });
            let key = (is_write, name);
            let is_new = sample.is_whole() || !known.contains_key(&plain);
            let before = known.get(&key).or_else(|| known.get(&plain));
            let mut opened = before.filter(|_| !is_new).cloned();
            let opened = opened.get_or_insert_default();
            let flags: Vec<u8> = (0..world.flags.names.len() as u8)
                .filter(|flag| is_new || sample.has(&format!("{}{}", key.1, flag)))
                .collect();
            let world_flags = world.flags.names.clone();
            world.spent = true;
            let mut filled = None;
            let mut ask = |flag| {
                self.calls += 1;
                judged(world, schema, line, flag, caring, &mut filled, &mut self.faults)
            };
            let flag_of = |flag: u8| world_flags[usize::from(flag)].as_str();
            // A list that names nothing is empty, too, where nothing lies about: rows that are
            // known stay known. Lines that name an object tell who may.
            let known_of = before.filter(|_| !is_new && !line.names_object());
            let stays = |found: String, flag: Option<&str>| match known_of.map(|it| it.of(flag)) {
                Some("rows") if found == "empty" => "rows".to_owned(),
                _ => found,
            };
            let without = stays(ask(Flags::NONE), None);
            let verdicts: Vec<(u8, String)> =
                flags.iter().map(|flag| (*flag, stays(ask(*flag), Some(flag_of(*flag))))).collect();
            if opened.without != without {
                *opened = Opened { without, with: BTreeMap::new() };
            }
            for (flag, verdict) in verdicts {
                opened.set(&world.flags.names[usize::from(flag)], &verdict);
            }
            // In a whole run more lies about than when the line was new.
            let same = |before: &&Opened| before.allowed() == opened.allowed();
            if let Some(before) = before.filter(|before| sample.is_whole() && same(before)) {
                opened.clone_from(before);
            }
            // Who cares is answered as who does not: one line is enough.
            if !caring || self.table.get(&plain) != Some(opened) {
                self.table.insert(key, opened.clone());
            }
        }
    }
}

fn judged(
    world: &mut World,
    schema: &Schema,
    line: &Line,
    flag: u8,
    caring: bool,
    filled: &mut Option<Filled>,
    faults: &mut Vec<String>,
) -> String {
    let principal = if caring { Principal::CaringFlag(flag) } else { Principal::Flag(flag) };
    if world.spent {
        *filled = None;
    }
    let filled = filled.get_or_insert_with(|| fill(world, line, principal));
    let reply = send(world, schema, line, principal, &filled.values);
    let verdict = verdict(line, &reply);
    world.spent |= verdict == "done";
    let name = world.flags.name(flag);
    let leak = canary::leaked(name, principal, &reply.text);
    if reply.status != 200 || verdict.starts_with("error:") || leak.is_some() {
        let text: String = reply.text.chars().take(300).collect();
        let held = name.unwrap_or("no flag");
        faults.push(format!("{} with {held}: {verdict}, {leak:?}: {text}", line.name()));
    }
    verdict
}

const fn path() -> &'static str {
    concat!(env!("CARGO_MANIFEST_DIR"), "/authorization/flags.txt")
}

fn shown(table: &Table, names: &[String]) -> String {
    let mut text = String::from(
        "# What a member of organization A without any flag is answered, and after the arrow what one\n\
         # single flag changes. Objects are those of a client whom only the owner cares for, or of one\n\
         # whose care team has the member. Below, the same by flag. Written by WARD_UPDATE=1.\n\n",
    );
    let mut by_flag: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for ((_, name), opened) in table {
        let changes: Vec<String> = opened
            .with
            .iter()
            .map(|(verdict, flags)| {
                for flag in flags {
                    by_flag.entry(flag).or_default().push(format!("{name} = {verdict}"));
                }
                let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
                format!("{verdict}: {}", flags.join(" "))
            })
            .collect();
        let arrow = if changes.is_empty() { "" } else { "  -> " };
        let _ = writeln!(text, "{name:<84}  {}{arrow}{}", opened.without, changes.join("; "));
    }
    for (flag, lines) in &by_flag {
        let _ = write!(text, "\n[{flag}]\n    {}\n", lines.join("\n    "));
    }
    let idle: Vec<&str> = names.iter().map(String::as_str).collect();
    let idle: Vec<&str> = idle.into_iter().filter(|name| !by_flag.contains_key(name)).collect();
    let _ = write!(text, "\n[{} flags that change no answer yet]\n", idle.len());
    for name in idle {
        let _ = writeln!(text, "    {name}");
    }
    text
}

/// The lines that the last commit's table has: what is not there is new.
pub fn committed() -> BTreeSet<String> {
    let text = crate::sample::git(&["show", "HEAD:./authorization/flags.txt"]);
    parsed(&text).into_keys().map(|(_, name)| name).collect()
}

fn parsed(text: &str) -> Table {
    let (mut table, mut doubted) = (Table::new(), Vec::new());
    let lines = text.lines().take_while(|line| !line.starts_with('['));
    for line in lines.filter(|line| line.starts_with("query ") || line.starts_with("mutation ")) {
        let (name, answers) = line.split_once("  ").unwrap();
        let (without, changes) = answers.trim().split_once("  -> ").unwrap_or((answers.trim(), ""));
        let mut opened = Opened { without: without.to_owned(), with: BTreeMap::new() };
        for change in changes.split("; ").filter(|change| !change.is_empty()) {
            let (verdict, flags) = change.split_once(": ").unwrap();
            let flags = flags.split(' ').map(str::to_owned).collect();
            opened.with.insert(verdict.to_owned(), flags);
        }
        let key = (name.starts_with("mutation "), name.to_owned());
        // Two that differ come from a merge: nothing is known.
        if table.insert(key.clone(), opened.clone()).is_some_and(|other| other != opened) {
            doubted.push(key);
        }
    }
    table.retain(|key, _| !doubted.contains(key));
    table
}
