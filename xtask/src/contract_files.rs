//! Where the contract stands in the repository: the domains' slices, and `contract/*.json`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use apollo_compiler::Schema;
use serde::Deserialize;

use crate::schema;
use crate::unserved::{Unserved, parse_unserved};
use crate::usage::Usage;

/// The two views of the contract, the baseline first.
pub const VIEWS: [&str; 2] = ["2024-06-01", "2026-01-01"];

/// The pseudo-domain of what all domains share.
pub const SHARED: &str = "engine";

/// `contract/domains.json`: who owns what.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Domains {
    /// The domains in the order in which they may know each other.
    pub order: Vec<String>,
    /// Root field to domain.
    pub root_fields: BTreeMap<String, String>,
    /// Type to domain; shared types belong to `engine`.
    pub types: BTreeMap<String, String>,
}

impl Domains {
    /// Reads `contract/domains.json`.
    pub fn load(repository: &Path) -> Result<Self> {
        read_json(&repository.join("contract/domains.json"))
    }

    /// The domain of a type; `unowned` when nobody has it.
    pub fn of_type(&self, name: &str) -> &str {
        self.types.get(name).map_or("unowned", String::as_str)
    }

    /// The domain of a root field; `unowned` when nobody has it.
    pub fn of_root(&self, name: &str) -> &str {
        self.root_fields.get(name).map_or("unowned", String::as_str)
    }
}

/// `contract/tiers.json`: how much each root field matters.
#[derive(Debug, Clone, Deserialize)]
pub struct Tiers {
    /// The titles, in the order of the report.
    pub titles: Vec<String>,
    /// Root field to its title and tier.
    pub root_fields: BTreeMap<String, Tier>,
}

/// Title and tier of one root field.
#[derive(Debug, Clone, Deserialize)]
pub struct Tier {
    /// The part of a practice that it belongs to, in words.
    pub title: String,
    /// A (used or promised), B (core), C (long tail) or D (left out on purpose).
    pub tier: char,
}

impl Tiers {
    /// Reads `contract/tiers.json`.
    pub fn load(repository: &Path) -> Result<Self> {
        read_json(&repository.join("contract/tiers.json"))
    }
}

/// Reads `contract/usage.json`.
pub fn load_usage(repository: &Path) -> Result<Usage> {
    Usage::parse(&read(&repository.join("contract/usage.json"))?)
}

/// The folder of a domain's crate.
pub fn domain_folder(repository: &Path, domain: &str) -> PathBuf {
    match domain {
        SHARED => repository.join("foundation/engine"),
        "webhooks" => repository.join("world/webhooks"),
        _ => repository.join("practice").join(domain),
    }
}

/// One view of the contract as SDL text: all slices, the shared one first.
pub fn contract_sdl(repository: &Path, domains: &Domains, view: &str) -> Result<String> {
    let mut text = String::new();
    let all = std::iter::once(SHARED).chain(domains.order.iter().map(String::as_str));
    for domain in all {
        let file = domain_folder(repository, domain).join(format!("schema/{view}.graphql"));
        text.push_str(&read(&file)?);
        text.push('\n');
    }
    Ok(text)
}

/// What Ward serves besides the contract, in both views: the domains' `schema/additions.graphql`.
pub fn additions_sdl(repository: &Path, domains: &Domains) -> Result<String> {
    let mut text = String::new();
    for domain in std::iter::once(SHARED).chain(domains.order.iter().map(String::as_str)) {
        let file = domain_folder(repository, domain).join("schema/additions.graphql");
        if file.exists() {
            text.push_str(&read(&file)?);
            text.push('\n');
        }
    }
    Ok(text)
}

/// Everything that can be served in a view: the contract and the additions.
pub fn servable_sdl(repository: &Path, domains: &Domains, view: &str) -> Result<String> {
    Ok(contract_sdl(repository, domains, view)? + &additions_sdl(repository, domains)?)
}

/// One view of the contract, parsed.
pub fn contract(repository: &Path, domains: &Domains, view: &str) -> Result<Schema> {
    schema::parse(&contract_sdl(repository, domains, view)?, view)
}

/// The entries of every domain's `unserved.txt`, by domain; domains without the file have none.
pub fn unserved(repository: &Path, domains: &Domains) -> Result<BTreeMap<String, Vec<Unserved>>> {
    let mut all = BTreeMap::new();
    for domain in std::iter::once(SHARED).chain(domains.order.iter().map(String::as_str)) {
        let file = domain_folder(repository, domain).join("unserved.txt");
        if file.exists() {
            let entries = parse_unserved(&read(&file)?);
            all.insert(domain.to_owned(), entries.with_context(|| file.display().to_string())?);
        }
    }
    Ok(all)
}

fn read(file: &Path) -> Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

fn read_json<T: serde::de::DeserializeOwned>(file: &Path) -> Result<T> {
    serde_json::from_str(&read(file)?).with_context(|| file.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository;

    #[test]
    fn the_slices_are_one_valid_schema_a_view() {
        let domains = Domains::load(&repository()).unwrap();
        for view in VIEWS {
            let schema = contract(&repository(), &domains, view).unwrap();
            if let Err(error) = schema.validate() {
                panic!("{view}: {}", error.errors);
            }
        }
    }

    #[test]
    fn everything_has_the_owner_whose_slice_it_is_in() {
        let domains = Domains::load(&repository()).unwrap();
        for view in VIEWS {
            for domain in std::iter::once(SHARED).chain(domains.order.iter().map(String::as_str)) {
                let file =
                    domain_folder(&repository(), domain).join(format!("schema/{view}.graphql"));
                let slice = schema::parse(&read(&file).unwrap(), domain).unwrap();
                for (name, ty) in slice.types.iter().filter(|(_, ty)| !ty.is_built_in()) {
                    if ["Query", "Mutation", "Subscription"].contains(&name.as_str()) {
                        for field in schema::field_names(&slice, name) {
                            assert_eq!(domains.of_root(&field), domain, "{view} {name}.{field}");
                        }
                    } else {
                        assert_eq!(
                            domains.of_type(name),
                            domain,
                            "{view} {name} {}",
                            schema::kind(ty)
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn tiers_name_root_fields_of_the_newest_view() {
        let domains = Domains::load(&repository()).unwrap();
        let tiers = Tiers::load(&repository()).unwrap();
        let schema = contract(&repository(), &domains, VIEWS[1]).unwrap();
        let roots: usize = schema::ROOT_KINDS
            .iter()
            .filter_map(|kind| schema::root_type(&schema, kind))
            .map(|name| schema::field_names(&schema, name).len())
            .sum();
        assert_eq!(roots, tiers.root_fields.len());
        assert!(tiers.root_fields.values().all(|tier| tiers.titles.contains(&tier.title)));
    }
}
