//! What is due for a client: one answer, which everything reads (behaviour 27).
//!
//! A client's flow is that of their group, else their primary provider's, else that of the
//! organization, which is its owner's. Due is each step of it that the client has neither
//! done nor skipped, but not a form that nobody can fill in any more: they would never get
//! past it. Besides, each request waits that nobody has completed, of a form that can be filled in
//! (behaviour 28).
//!
//! Flows and steps are read in somebody's light, the `lens`: a client's number, or minus the
//! flow's, which is nobody's. What hangs on a row keeps the row's lens, so that a step
//! says what the client has done of it whoever asks, and two clients of one question are
//! never taken for each other.

use std::collections::HashMap;

use ward_engine::{Answer, Request};
use ward_store::{Cond, Id, Join, Level, Query, Select, Sql, StoreError, Value};

use super::tables::{ONBOARDING_ITEMS, OnboardingFlow, OnboardingItem, onboarding_items};
use crate::request::tables::REQUESTED_FORM_COMPLETIONS;

/// SQL: the flow that a row `$of` chooses, where it is one for the client `u`: of their unit, or
/// of the whole (behaviour 15).
macro_rules! near {
    ($of:literal) => {
        concat!(
            "JOIN onboarding_flows own ON own.org_id = ",
            $of,
            ".org_id AND own.id = ",
            $of,
            ".onboarding_flow_id AND own.unit_id IN (u.unit_id, u.org_id)"
        )
    };
}

/// SQL: the flow of the client `u`, or NULL.
macro_rules! flow_of {
    () => {
        concat!(
            "COALESCE((SELECT a.onboarding_flow_id FROM onboarding_flow_groups a ",
            near!("a"),
            " WHERE a.org_id = u.org_id AND a.user_group_id = u.user_group_id), \
             (SELECT p.onboarding_flow_id FROM onboarding_defaults p ",
            near!("p"),
            " WHERE p.org_id = u.org_id AND p.user_id = u.dietitian_id), \
             (SELECT w.onboarding_flow_id FROM organizations place JOIN onboarding_defaults w \
             ON w.org_id = place.org_id AND w.user_id = place.owner_id ",
            near!("w"),
            " WHERE place.org_id = u.org_id AND place.id = u.unit_id))"
        )
    };
}

/// SQL: that somebody can do the step, or what is requested, `$of`: a form is there, in use, and
/// asks something.
macro_rules! doable {
    ($of:literal) => {
        concat!(
            "(",
            $of,
            ".custom_module_form_id IS NULL OR EXISTS (SELECT 1 FROM custom_module_forms f \
             WHERE f.org_id = ",
            $of,
            ".org_id AND f.id = ",
            $of,
            ".custom_module_form_id AND f.deleted_at IS NULL \
             AND f.is_archived = FALSE AND f.use_for_charting = FALSE \
             AND EXISTS (SELECT 1 FROM custom_modules q WHERE q.org_id = f.org_id \
             AND q.custom_module_form_id = f.id AND q.deleted_at IS NULL)))"
        )
    };
}

/// SQL: what the client `$who` has done of the step `i`, or NULL.
macro_rules! done {
    ($who:literal) => {
        concat!(
            "(SELECT c.id FROM completed_onboarding_items c WHERE c.org_id = i.org_id \
             AND c.user_id = ",
            $who,
            " AND c.onboarding_item_id = i.id AND c.deleted_at IS NULL)"
        )
    };
}

/// Flows, each in nobody's light and in that of the clients who have it. `anchor` is what a
/// root field hangs on.
macro_rules! sights {
    () => {
        concat!(
            "(SELECT f.org_id, f.lens, f.id AS onboarding_flow_id, CAST(0 AS BIGINT) AS anchor \
             FROM onboarding_flows f UNION ALL SELECT u.org_id, u.id AS lens, ",
            flow_of!(),
            " AS onboarding_flow_id, CAST(0 AS BIGINT) AS anchor FROM users u \
             WHERE u.is_patient = TRUE AND u.deleted_at IS NULL)"
        )
    };
}

/// Steps, each in nobody's light and in that of the clients whose flow has it.
macro_rules! steps {
    () => {
        concat!(
            "(SELECT s.org_id, s.lens, s.anchor, i.id AS onboarding_item_id, ",
            done!("s.lens"),
            " AS completed_onboarding_item_id, CASE WHEN ",
            doable!("i"),
            " THEN 1 ELSE 0 END AS is_doable FROM ",
            sights!(),
            // Which side comes first is not left to SQLite, which would begin with all steps.
            " s CROSS JOIN onboarding_items i WHERE i.org_id = s.org_id \
             AND i.onboarding_flow_id = s.onboarding_flow_id AND i.deleted_at IS NULL)"
        )
    };
}

/// The first step that is due for each client; NULL where none is.
macro_rules! next {
    () => {
        concat!(
            "(SELECT u.org_id, u.id AS lens, (SELECT i.id FROM onboarding_items i \
             WHERE i.org_id = u.org_id AND i.deleted_at IS NULL AND i.onboarding_flow_id = ",
            flow_of!(),
            " AND ",
            doable!("i"),
            " AND NOT EXISTS ",
            done!("u.id"),
            " ORDER BY i.place, i.id LIMIT 1) AS onboarding_item_id, \
             CAST(NULL AS BIGINT) AS completed_onboarding_item_id FROM users u \
             WHERE u.is_patient = TRUE AND u.deleted_at IS NULL)"
        )
    };
}

/// Flows and steps as SQL, for conditions.
pub const SIGHTS: &str = sights!();
/// The same of steps.
pub const STEPS: &str = steps!();

/// What of a flow is the lens's.
pub const FLOW_LENS: &[&str] = &["lens"];
/// What of a step is the lens's.
pub const ITEM_LENS: &[&str] = &["lens", "completed_onboarding_item_id"];

/// From a root field to flows.
pub const FLOWS_OF_ROOT: Join = Join { table: sights!(), to: "onboarding_flow_id", from: "anchor" };
/// From a lens to the flow.
pub const FLOW_OF_LENS: Join = Join { table: sights!(), to: "onboarding_flow_id", from: "lens" };
/// From a root field to steps.
pub const ITEMS_OF_ROOT: Join = Join { table: steps!(), to: "onboarding_item_id", from: "anchor" };
/// From a lens to the steps.
pub const ITEMS_OF_LENS: Join = Join { table: steps!(), to: "onboarding_item_id", from: "lens" };
/// From a client to the first step that is due.
pub const NEXT_OF_CLIENT: Join = Join { table: next!(), to: "onboarding_item_id", from: "lens" };

/// That a step, read through [`ITEMS_OF_LENS`] of a client, is due.
pub fn is_due() -> Cond {
    Cond::sql("j.completed_onboarding_item_id IS NULL AND j.is_doable = 1", [])
}

/// That it is done, or skipped.
pub fn is_done() -> Cond {
    Cond::sql("j.completed_onboarding_item_id IS NOT NULL", [])
}

/// Those of these clients for whom something is due, as the caller sees steps; who may know
/// of the clients is the caller's to say.
pub async fn with_steps(request: &Request, q: &mut dyn Query, clients: &[i64]) -> Answer<Vec<i64>> {
    let among = match clients {
        [] => return Ok(Vec::new()),
        [one] => Cond::sql("j.lens = ?", [(*one).into()]),
        many => Cond::sql("j.lens IN_LIST(?)", [Value::Ints(many.into())]),
    };
    let mut select = Select::new(&ONBOARDING_ITEMS, &request.actor);
    select.columns = vec![onboarding_items::id];
    select.least = Level::Public;
    select.join = Some(NEXT_OF_CLIENT);
    select.by_id = true;
    select.filter = among;
    let found = q.rows(&select.sql()).await?;
    // The lens comes behind the column that was asked for.
    Ok(found.iter().filter_map(|row| row.get(1)?.int()).collect())
}

/// That a request waits: nobody has completed it, and the client can. Who has moved to another unit
/// since can't fill in a form of the former one (behaviour 15).
pub fn waits() -> Cond {
    Cond::sql(
        concat!(
            "{t}.status <> 'Completed' AND ",
            doable!("{t}"),
            " AND EXISTS (SELECT 1 FROM users c JOIN custom_module_forms n \
             ON n.org_id = c.org_id WHERE c.org_id = {t}.org_id AND c.id = {t}.recipient_id \
             AND n.id = {t}.custom_module_form_id AND n.unit_id IN (c.unit_id, c.org_id))"
        ),
        [],
    )
}

/// How many requests wait for each of these clients, as the caller sees requests.
pub async fn requests(
    request: &Request,
    q: &mut dyn Query,
    clients: &[i64],
) -> Answer<HashMap<i64, i64>> {
    let mut select = Select::new(&REQUESTED_FORM_COMPLETIONS, &request.actor);
    select.least = Level::Full;
    select.filter = Cond::is_in("recipient_id", clients).and(waits());
    if select.filter.is_never() {
        return Ok(HashMap::new());
    }
    let found = q.rows(&select.count_by_sql("t.recipient_id")).await?;
    let pair = |row: &[Value]| Some((row.first()?.int()?, row.get(1)?.int()?));
    Ok(found.iter().filter_map(pair).collect())
}

/// Those of these clients for whom a step is due, or a request waits: who has something to fill in.
pub async fn with_forms(request: &Request, q: &mut dyn Query, clients: &[i64]) -> Answer<Vec<i64>> {
    let mut with = with_steps(request, q, clients).await?;
    with.extend(requests(request, q, clients).await?.into_keys());
    with.sort_unstable();
    with.dedup();
    Ok(with)
}

/// The flow of a client.
pub async fn flow_of(
    q: &mut dyn Query,
    org_id: i64,
    client: i64,
) -> Result<Option<Id<OnboardingFlow>>, StoreError> {
    let sql = Sql::fixed(
        concat!("SELECT ", flow_of!(), " FROM users u WHERE u.org_id = $1 AND u.id = $2"),
        [org_id.into(), client.into()],
    );
    Ok(q.rows(&sql).await?.scalar().and_then(Value::int).map(Id::new))
}

/// The steps of a client's flow that ask for a form.
pub async fn asking_for(
    q: &mut dyn Query,
    (org_id, client): (i64, i64),
    form: i64,
) -> Result<Vec<Id<OnboardingItem>>, StoreError> {
    let sql = Sql::fixed(
        concat!(
            "SELECT i.id FROM users u JOIN onboarding_items i ON i.org_id = u.org_id \
             AND i.onboarding_flow_id = ",
            flow_of!(),
            " WHERE u.org_id = $1 AND u.id = $2 AND i.custom_module_form_id = $3 \
             AND i.deleted_at IS NULL ORDER BY i.place, i.id"
        ),
        [org_id.into(), client.into(), form.into()],
    );
    let found = q.rows(&sql).await?;
    Ok(found.iter().filter_map(|row| row.first()?.int()).map(Id::new).collect())
}
