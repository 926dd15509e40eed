//! What a world has: the domains in it, and how its clock goes.

use std::path::Path;
use std::sync::Arc;

use ward_engine::{Bindings, Engine, ViewId, prune};
use ward_instance::Clock;
use ward_store::{Table, system};

/// What a domain brings to a world.
#[derive(Clone, Copy)]
pub struct Domain {
    /// Its tables.
    pub tables: fn() -> Vec<&'static Table>,
    /// What binds its fields.
    pub bind: fn(&mut Bindings),
}

/// The domains of these crates, with all their fields.
#[macro_export]
macro_rules! domains {
    ($($domain:ident),+ $(,)?) => {
        &[$($crate::Domain { tables: $domain::tables, bind: $domain::bind }),+]
    };
}

/// What a world has.
pub struct Plan {
    /// The domains, each after those that it knows.
    pub domains: &'static [Domain],
    /// Its clock: [`Clock::system`], or one that stands until it is moved.
    pub clock: fn() -> Clock,
}

impl Plan {
    /// All tables of the database.
    pub fn tables(&self) -> Vec<&'static Table> {
        let mut tables = system::tables();
        tables.extend(self.domains.iter().flat_map(|domain| (domain.tables)()));
        tables
    }

    /// The engine over the whole contract, pruned to what the domains bind.
    pub(crate) fn engine(&self) -> Arc<Engine> {
        let mut bindings = Bindings::new();
        for domain in self.domains {
            (domain.bind)(&mut bindings);
        }
        let served = |view| prune(&contract(view), &bindings).unwrap();
        let (old, new) = (served(ViewId::Baseline), served(ViewId::V2026));
        Arc::new(Engine::new(&old, &new, bindings))
    }
}

/// The whole contract of a view.
pub fn contract(view: ViewId) -> String {
    let name = match view {
        ViewId::Baseline => "2024-06-01.graphql",
        ViewId::V2026 => "2026-01-01.graphql",
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut slices =
        vec![root.join("foundation/engine/schema"), root.join("world/webhooks/schema")];
    let domains = std::fs::read_dir(root.join("practice")).unwrap();
    slices.extend(domains.map(|domain| domain.unwrap().path().join("schema")));
    slices.sort();
    let texts = slices
        .iter()
        .flat_map(|folder| [folder.join(name), folder.join("additions.graphql")])
        .filter_map(|file| std::fs::read_to_string(file).ok());
    texts.collect::<Vec<_>>().join("\n")
}
