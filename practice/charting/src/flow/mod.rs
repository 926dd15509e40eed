//! Intake flows: what a practice asks of a new client, step by step (behaviour 27).
//!
//! What is due for a client is computed in one place (`due`), and nowhere kept: all
//! that asks for it reads the same.

pub mod assign;
pub mod change;
pub mod complete;
pub mod due;
pub mod input;
pub mod item;
pub mod listing;
pub mod rules;
pub mod tables;
pub mod visibility;

use ward_engine::{Answer, Call, Refused};
use ward_store::{Cond, Id, Level, OrderKey};

use tables::{OnboardingFlow, OnboardingItem};

/// So many flows an organization can have.
pub const FLOWS_MAX: i64 = 500;
/// So many groups can use a flow: they are handed over in one transaction.
pub const GROUPS_MAX: i64 = 500;
/// So many steps a flow can have.
pub const ITEMS_MAX: usize = 100;

/// A flow that the caller sees, held until the transaction ends: its steps are changed
/// one after another.
pub async fn held(
    call: &mut Call<'_>,
    id: Option<Id<OnboardingFlow>>,
    at: &str,
) -> Answer<OnboardingFlow> {
    let id = id.ok_or_else(|| Refused::not_found(at))?;
    let found = call.visible_for_update(id, Level::Full).await?;
    found.map(|(flow, _)| flow).ok_or_else(|| Refused::not_found(at))
}

/// The steps of a flow, in order.
pub async fn items_of(
    call: &mut Call<'_>,
    flow: Id<OnboardingFlow>,
) -> Answer<Vec<OnboardingItem>> {
    let keys = [OrderKey::column("place", false), OrderKey::column("id", false)];
    Ok(call.list(Cond::eq("onboarding_flow_id", flow.0), &keys).await?)
}
