//! The coverage report: how much of the contract is served, by part of a practice and by domain.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result, bail};
use apollo_compiler::Schema;
use apollo_compiler::schema::ExtendedType;

use crate::contract_files::{self, Domains, Tiers, VIEWS};
use crate::schema;

/// Where the report stands in the repository.
pub const REPORT: &str = "contract/coverage.md";

/// Served and total.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Share {
    served: usize,
    total: usize,
}

impl Share {
    fn count(&mut self, served: bool) {
        self.total += 1;
        self.served += usize::from(served);
    }

    fn cell(self) -> String {
        if self.total == 0 { "-".to_owned() } else { format!("{}/{}", self.served, self.total) }
    }
}

/// Contract and served schema of one view.
struct View {
    contract: Schema,
    served: Schema,
}

/// Writes the report, or with `check` fails when the committed one differs.
pub fn run(repository: &Path, served: &Path, check: bool) -> Result<()> {
    let text = report(repository, served)?;
    let file = repository.join(REPORT);
    let before = std::fs::read_to_string(&file).unwrap_or_default();
    if !check {
        std::fs::write(&file, &text).with_context(|| file.display().to_string())?;
        println!("{REPORT}: {}", if before == text { "unchanged" } else { "written" });
        return Ok(());
    }
    if before == text {
        return Ok(());
    }
    let mut hint =
        format!("{REPORT} is not what the served schema gives; run `cargo xtask coverage`:");
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), text.lines().collect());
    let gone = old.iter().filter(|line| !new.contains(line)).map(|line| format!("\n- {line}"));
    let come = new.iter().filter(|line| !old.contains(line)).map(|line| format!("\n+ {line}"));
    hint.extend(gone.take(20).chain(come.take(20)));
    bail!(hint)
}

/// The report's text; the same input gives the same text.
pub fn report(repository: &Path, served: &Path) -> Result<String> {
    let domains = Domains::load(repository)?;
    let tiers = Tiers::load(repository)?;
    let mut views = Vec::new();
    for date in VIEWS {
        let file = served.join(format!("{date}.graphql"));
        let sdl = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        views.push(View {
            contract: contract_files::contract(repository, &domains, date)?,
            served: schema::parse(&sdl, date)?,
        });
    }
    let mut unserved = BTreeMap::new();
    for (domain, entries) in contract_files::unserved(repository, &domains)? {
        unserved.insert(domain, entries.len());
    }
    Ok(write_report(&domains, &tiers, &views, &unserved))
}

fn write_report(
    domains: &Domains,
    tiers: &Tiers,
    views: &[View],
    unserved: &BTreeMap<String, usize>,
) -> String {
    let mut text = String::from(
        "# Coverage of the contract\n\nWritten by `cargo xtask coverage`; do not edit. \
         Each cell is served/total.\n",
    );
    by_view(&mut text, views);
    by_domain(&mut text, domains, views, unserved);
    if let Some(newest) = views.last() {
        by_title(&mut text, tiers, newest);
        missing(&mut text, tiers, newest);
    }
    text
}

fn by_view(text: &mut String, views: &[View]) {
    text.push_str("\n## By view\n\n| view | queries | mutations | subscriptions | object fields | input fields | enum values |\n|---|---|---|---|---|---|---|\n");
    for (view, date) in views.iter().zip(VIEWS) {
        let roots = schema::ROOT_KINDS.map(|kind| {
            let mut share = Share::default();
            for field in root_fields(&view.contract, kind) {
                share.count(serves_root(&view.served, kind, &field));
            }
            share.cell()
        });
        let all = members(view, |_| true);
        let _ = writeln!(
            text,
            "| {date} | {} | {} | {} | {} |",
            roots.join(" | "),
            all[0].cell(),
            all[1].cell(),
            all[2].cell()
        );
    }
}

fn by_domain(
    text: &mut String,
    domains: &Domains,
    views: &[View],
    unserved: &BTreeMap<String, usize>,
) {
    text.push_str("\n## By domain\n\nUnserved: arguments, input fields and enum values of served things that are left out with a reason.\n\n| domain |");
    for date in VIEWS {
        let _ = write!(text, " root fields {date} | object fields {date} |");
    }
    text.push_str(" unserved |\n|---|---|---|---|---|---|\n");
    for domain in &domains.order {
        let _ = write!(text, "| {domain} |");
        for view in views {
            let mut roots = Share::default();
            for kind in schema::ROOT_KINDS {
                for field in root_fields(&view.contract, kind) {
                    if domains.of_root(&field) == domain {
                        roots.count(serves_root(&view.served, kind, &field));
                    }
                }
            }
            let fields = members(view, |ty| domains.of_type(ty) == domain)[0];
            let _ = write!(text, " {} | {} |", roots.cell(), fields.cell());
        }
        let _ = writeln!(text, " {} |", unserved.get(domain).copied().unwrap_or_default());
    }
}

fn by_title(text: &mut String, tiers: &Tiers, newest: &View) {
    let _ = write!(
        text,
        "\n## Root fields by part of a practice ({})\n\nA: used by real clients or promised; B: core; C: long tail; D: left out on purpose.\n\n| part | A | B | C | D |\n|---|---|---|---|---|\n",
        VIEWS[1]
    );
    let mut rows: BTreeMap<(&str, char), Share> = BTreeMap::new();
    for (field, tier) in &tiers.root_fields {
        rows.entry((tier.title.as_str(), tier.tier)).or_default().count(served_root(newest, field));
    }
    let mut sums = [Share::default(); 4];
    for title in &tiers.titles {
        let _ = write!(text, "| {title} |");
        for (tier, sum) in ['A', 'B', 'C', 'D'].into_iter().zip(&mut sums) {
            let share = rows.get(&(title.as_str(), tier)).copied().unwrap_or_default();
            sum.served += share.served;
            sum.total += share.total;
            let _ = write!(text, " {} |", share.cell());
        }
        text.push('\n');
    }
    let _ = writeln!(text, "| all | {} |", sums.map(Share::cell).join(" | "));
}

fn missing(text: &mut String, tiers: &Tiers, newest: &View) {
    text.push_str("\n## Missing in parts that are begun\n");
    let mut none = true;
    for title in &tiers.titles {
        let of_title = || tiers.root_fields.iter().filter(|(_, tier)| tier.title == *title);
        if !of_title().any(|(field, _)| served_root(newest, field)) {
            continue;
        }
        for wanted in ['A', 'B'] {
            let names: Vec<String> = of_title()
                .filter(|(field, tier)| tier.tier == wanted && !served_root(newest, field))
                .map(|(field, _)| format!("`{field}`"))
                .collect();
            if !names.is_empty() {
                none = false;
                let _ = write!(text, "\n- {title}, {wanted}: {}", names.join(", "));
            }
        }
    }
    text.push_str(if none { "\nNothing of tiers A and B.\n" } else { "\n" });
}

fn root_fields(schema: &Schema, kind: &str) -> Vec<String> {
    schema::root_type(schema, kind).map(|ty| schema::field_names(schema, ty)).unwrap_or_default()
}

fn serves_root(served: &Schema, kind: &str, field: &str) -> bool {
    schema::root_type(served, kind).is_some_and(|ty| schema::field(served, ty, field).is_some())
}

fn served_root(view: &View, field: &str) -> bool {
    schema::ROOT_KINDS.iter().any(|kind| serves_root(&view.served, kind, field))
}

/// Object fields, input fields and enum values of the types that the filter takes; root types are
/// not object types here.
fn members(view: &View, takes: impl Fn(&str) -> bool) -> [Share; 3] {
    let mut shares = [Share::default(); 3];
    let roots = schema::ROOT_KINDS.map(|kind| schema::root_type(&view.contract, kind));
    for (name, ty) in &view.contract.types {
        if ty.is_built_in() || roots.contains(&Some(name.as_str())) || !takes(name) {
            continue;
        }
        match ty {
            ExtendedType::Object(ty) => ty.fields.keys().for_each(|field| {
                shares[0].count(schema::field(&view.served, name, field).is_some());
            }),
            ExtendedType::InputObject(ty) => ty.fields.keys().for_each(|field| {
                let served = view.served.get_input_object(name);
                shares[1].count(served.is_some_and(|ty| ty.fields.contains_key(field)));
            }),
            ExtendedType::Enum(ty) => ty.values.keys().for_each(|value| {
                let served = view.served.get_enum(name);
                shares[2].count(served.is_some_and(|ty| ty.values.contains_key(value)));
            }),
            _ => {}
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTRACT: &str = "type Query { user: User users: [User] tag: Tag } type User { id: ID name: String } type Tag { id: ID }";
    const SERVED: &str = "type Query { user: User } type User { id: ID }";

    fn sample() -> String {
        let domains = serde_json::from_str(
            r#"{"order":["identity","tags"],"root_fields":{"user":"identity","users":"identity","tag":"tags"},
                "types":{"User":"identity","Tag":"tags"}}"#,
        )
        .unwrap();
        let tiers = serde_json::from_str(
            r#"{"titles":["Users","Tags"],"root_fields":{"user":{"title":"Users","tier":"A"},
                "users":{"title":"Users","tier":"B"},"tag":{"title":"Tags","tier":"A"}}}"#,
        )
        .unwrap();
        let view = || View {
            contract: schema::parse(CONTRACT, "c").unwrap(),
            served: schema::parse(SERVED, "s").unwrap(),
        };
        let unserved = BTreeMap::from([("identity".to_owned(), 2)]);
        write_report(&domains, &tiers, &[view(), view()], &unserved)
    }

    #[test]
    fn counts_by_view_domain_and_tier() {
        let text = sample();
        for line in [
            "| 2026-01-01 | 1/3 | - | - | 1/3 | - | - |",
            "| identity | 1/2 | 1/2 | 1/2 | 1/2 | 2 |",
            "| tags | 0/1 | 0/1 | 0/1 | 0/1 | 0 |",
            "| Users | 1/1 | 0/1 | - | - |",
            "| all | 1/2 | 0/1 | - | - |",
            "- Users, B: `users`",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("- Tags"), "a part that is not begun is not listed");
        assert_eq!(text, sample());
    }

    #[test]
    fn check_fails_with_the_differing_lines() {
        let repository = crate::repository();
        let served = tempfile::tempdir().unwrap();
        for view in VIEWS {
            let file = served.path().join(format!("{view}.graphql"));
            std::fs::write(file, "type Query { nothingServed: Int }").unwrap();
        }
        let text = report(&repository, served.path()).unwrap();
        assert!(text.contains("Nothing of tiers A and B."));
        if std::fs::read_to_string(repository.join(REPORT)).ok() != Some(text) {
            let error = run(&repository, served.path(), true).unwrap_err().to_string();
            assert!(error.contains("cargo xtask coverage"), "{error}");
        }
    }
}
