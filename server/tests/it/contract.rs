//! The served schema is what the bindings and the contract's slices give, and
//! nothing in it is incompatible with the contract.

use std::path::{Path, PathBuf};

use ward_engine::{ViewId, prune};
use xtask::contract_files::{self, Domains};

fn domains() -> Domains {
    Domains::load(&repository()).unwrap()
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The domains whose fields are bound.
const BUILT: [&str; 8] = [
    "identity",
    "clients",
    "scheduling",
    "charting",
    "clinical",
    "documents",
    "messaging",
    "webhooks",
];

fn fresh(view: ViewId) -> String {
    let contract = contract_files::servable_sdl(&repository(), &domains(), view.date()).unwrap();
    prune(&contract, &ward_server::assemble::bindings()).unwrap()
}

/// `WARD_UPDATE=1` writes the files anew; then review the difference.
#[test]
fn the_committed_schema_is_the_bound_one() {
    for view in ViewId::ALL {
        let path = repository().join(format!("contract/served/{}.graphql", view.date()));
        let fresh = fresh(view);
        if std::env::var_os("WARD_UPDATE").is_some() {
            std::fs::write(&path, &fresh).unwrap();
            continue;
        }
        let committed = std::fs::read_to_string(&path).unwrap();
        assert!(
            committed == fresh,
            "{} is not what the bindings give; run: make sdl",
            path.display()
        );
    }
}

#[test]
fn every_binding_is_in_the_contract() {
    let bindings = ward_server::assemble::bindings();
    let schemas: Vec<_> = ViewId::ALL
        .iter()
        .map(|view| {
            let sdl = contract_files::servable_sdl(&repository(), &domains(), view.date()).unwrap();
            xtask::schema::parse(&sdl, view.date()).unwrap()
        })
        .collect();
    let mut unknown = Vec::new();
    for (type_name, field, bound) in bindings.all() {
        // A column is bound under its own name whether the contract has it or not.
        if matches!(bound.resolve, ward_engine::Resolve::Column(_)) {
            continue;
        }
        if !schemas.iter().any(|schema| schema.type_field(type_name, field).is_ok()) {
            unknown.push(format!("{type_name}.{field}"));
        }
    }
    assert!(unknown.is_empty(), "bound, but not in the contract: {unknown:?}");
}

#[test]
fn the_served_schema_is_compatible_with_the_contract() {
    let unserved: Vec<xtask::Unserved> = BUILT
        .iter()
        .flat_map(|domain| {
            let path = contract_files::domain_folder(&repository(), domain).join("unserved.txt");
            xtask::parse_unserved(&std::fs::read_to_string(path).unwrap()).unwrap()
        })
        .collect();
    let usage = contract_files::load_usage(&repository()).unwrap();
    let unbuilt: Vec<&str> = [
        "scheduling",
        "charting",
        "clinical",
        "documents",
        "messaging",
        "billing",
        "insurance",
        "automation",
    ]
    .to_vec();
    let views: Vec<(String, String)> = ViewId::ALL
        .iter()
        .map(|view| {
            let contract =
                contract_files::servable_sdl(&repository(), &domains(), view.date()).unwrap();
            (contract, ward_server::assemble::served_sdl(*view).to_owned())
        })
        .collect();
    let mut problems = Vec::new();
    for (contract, served) in &views {
        problems.extend(xtask::contract_check(contract, served, &unserved));
    }
    let borrowed: Vec<(&str, &str)> =
        views.iter().map(|(contract, served)| (contract.as_str(), served.as_str())).collect();
    problems.extend(xtask::unserved_check(&borrowed, &unserved, &usage, &unbuilt));
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// `contract/additions.md` says why each exists, so that a reader of the served schema can tell
/// what other servers of the contract do not have.
#[test]
fn every_addition_is_new_and_has_its_reason() {
    let reasons = std::fs::read_to_string(repository().join("contract/additions.md")).unwrap();
    let mut missing = Vec::new();
    for view in ViewId::ALL {
        let contract = contract_files::contract(&repository(), &domains(), view.date()).unwrap();
        let all = contract_files::servable_sdl(&repository(), &domains(), view.date()).unwrap();
        // Parsing fails when an addition repeats what the contract has.
        let all = xtask::schema::parse(&all, view.date()).unwrap();
        for name in xtask::schema::members_beyond(&all, &contract) {
            if !reasons.contains(&format!("`{name}`")) {
                missing.push(name);
            }
        }
    }
    missing.sort();
    missing.dedup();
    assert!(missing.is_empty(), "contract/additions.md has no line for {missing:?}");
}
