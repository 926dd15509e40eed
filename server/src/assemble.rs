//! The house put together: every domain's tables and bindings, and the served
//! SDL of both views.

use std::sync::Arc;

use ward_engine::{Bindings, Engine, ViewId};
use ward_store::Table;
use ward_store::migrate::Migration;
use ward_store::rotation::Hooks;

use crate::{requests, tripwire};

/// Schema changes after the first release, oldest first.
pub static MIGRATIONS: &[Migration] = &[];

/// Every table of the instance.
pub fn tables() -> Vec<&'static Table> {
    let mut tables = ward_store::system::tables();
    tables.extend(ward_identity::tables());
    tables.extend(ward_clients::tables());
    tables.extend(ward_scheduling::tables());
    tables.extend(ward_documents::tables());
    tables.extend(ward_charting::tables());
    tables.extend(ward_messaging::tables());
    tables.extend(ward_clinical::tables());
    tables.extend(ward_export::tables());
    tables.extend(ward_effects::tables());
    tables.extend(ward_webhooks::tables());
    tables.push(&requests::REQUEST_RECORDS);
    tables
}

/// What the domains add to a rotation of the root.
pub fn rotation_hooks() -> Hooks {
    ward_identity::rotation::hooks().and(ward_effects::rotation_hooks())
}

/// Everything that is bound.
pub fn bindings() -> Bindings {
    let mut bindings = Bindings::new();
    ward_identity::bind(&mut bindings);
    ward_clients::bind(&mut bindings);
    ward_webhooks::bind(&mut bindings);
    ward_scheduling::bind(&mut bindings);
    ward_documents::bind(&mut bindings);
    ward_charting::bind(&mut bindings);
    ward_messaging::bind(&mut bindings);
    ward_clinical::bind(&mut bindings);
    ward_export::bind(&mut bindings);
    bindings
}

/// The served SDL of a view: generated from the contract's slices and the
/// bindings, committed, and compared with them by a test.
pub const fn served_sdl(view: ViewId) -> &'static str {
    match view {
        ViewId::Baseline => include_str!("../../contract/served/2024-06-01.graphql"),
        ViewId::V2026 => include_str!("../../contract/served/2026-01-01.graphql"),
    }
}

/// The engine, with the view that most clients ask in loaded; a Sandbox's with its guard, which is
/// strict or not.
pub fn engine(tripwire: Option<bool>) -> Result<Arc<Engine>, String> {
    let engine = Engine::new(served_sdl(ViewId::Baseline), served_sdl(ViewId::V2026), bindings());
    engine.load(ViewId::Baseline)?;
    Ok(Arc::new(match tripwire {
        Some(is_strict) => engine.guarded(tripwire::guard(is_strict)),
        None => engine,
    }))
}
