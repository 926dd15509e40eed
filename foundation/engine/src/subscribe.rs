//! Subscriptions at work: planned once, and executed for each event with what
//! the subscriber may do and see at that moment (behaviour 12).

use std::sync::Arc;

use ward_store::events::StoredEvent;
use ward_store::{Cond, Query, Role, StoreError};

use crate::bound::{Args, Bound, Link, Resolve, RowsBinding, Shape};
use crate::call::Request;
use crate::engine::{Engine, Halt, Incoming, Reply, reply, store_reply};
use crate::exec::{Executor, Stop};
use crate::level::{Cell, Level, RowSet};
use crate::listing::Listing;
use crate::live::SubscriptionBinding;
use crate::outcome::{DENIED, Refused, RequestError, code_wanted};
use crate::plan::{Action, Field, Operation, Plan};
use crate::reads;
use crate::values::{self, Variables};
use crate::version::ViewId;
use crate::write::Writer;

/// A subscription that was accepted.
#[derive(Clone)]
pub struct Subscription {
    plan: Arc<Plan>,
    variables: Arc<Variables>,
    view: ViewId,
    field: &'static str,
    topic: i64,
}

impl Subscription {
    /// The contract's name of its field.
    pub fn field(&self) -> &'static str {
        self.field
    }

    /// What its happenings have to be about.
    pub fn topic(&self) -> i64 {
        self.topic
    }

    /// The view it was asked in.
    pub fn view(&self) -> ViewId {
        self.view
    }

    /// Estimated size in memory, in bytes, without its variables.
    pub fn weight(&self) -> usize {
        self.plan.weight
    }

    /// Whether both ask the same: one answer does for both, if one person asks.
    pub fn is_same(&self, other: &Subscription) -> bool {
        Arc::ptr_eq(&self.plan, &other.plan)
            && self.view == other.view
            && self.topic == other.topic
            && (Arc::ptr_eq(&self.variables, &other.variables) || self.variables == other.variables)
    }

    /// Where its plan is: equal for those that may be the same.
    pub fn plan_number(&self) -> usize {
        Arc::as_ptr(&self.plan) as usize
    }
}

/// The one field of a subscription with its binding.
fn field_of(plan: &Plan) -> Option<(&Field, &Bound, &SubscriptionBinding)> {
    let field = plan.root.fields.first()?;
    let Action::Bound(bound) = &field.action else { return None };
    let Resolve::Subscription(binding) = &bound.resolve else { return None };
    Some((field, bound, binding))
}

impl Engine {
    /// Accepts a subscription; nothing when the operation is a query or a
    /// mutation, the reply to give when it is refused. Nothing is read.
    pub fn subscribe(
        &self,
        incoming: &Incoming,
        request: &Request,
    ) -> Result<Option<Subscription>, Reply> {
        self.accepted(incoming, request).map_err(|halt| match halt {
            Halt::Errors(errors) => reply(200, None, &errors, &[], false),
            Halt::Store(error) => store_reply(&error, request),
        })
    }

    fn accepted(
        &self,
        incoming: &Incoming,
        request: &Request,
    ) -> Result<Option<Subscription>, Halt> {
        let plan = self.plan(incoming, request.view)?;
        if plan.operation != Operation::Subscription {
            return Ok(None);
        }
        let view = self.view(request.view)?;
        let variables =
            values::variables(&plan, &incoming.variables, &view.schema).map_err(Halt::Errors)?;
        self.within_limits(&plan, view, &variables)?;
        let Some((field, bound, binding)) = field_of(&plan) else {
            return Err(refused("A subscription selects one field that can be subscribed to."));
        };
        if !values::included(field, &variables) {
            return Err(refused("The field of a subscription can't be left out by a condition."));
        }
        may_ask(bound, request)?;
        let args = values::arguments(field, &view.schema, &variables)
            .map_err(|error| Halt::Errors(vec![error]))?;
        let topic = (binding.topic)(request, &args).map_err(told)?;
        let (view, field) = (request.view, binding.field);
        Ok(Some(Subscription { plan, variables: Arc::new(variables), view, field, topic }))
    }

    /// What a subscriber is told of an event that touches `row`, as the JSON of
    /// an answer; nothing when they do not see the row, or may not ask any more.
    pub async fn happened(
        &self,
        subscription: &Subscription,
        request: &Request,
        event: &StoredEvent,
        row: i64,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let Some((field, bound, binding)) = field_of(&subscription.plan) else { return Ok(None) };
        if may_ask(bound, request).is_err() {
            return Ok(None);
        }
        let view = self.view(subscription.view)?;
        let Ok(args) = values::arguments(field, &view.schema, &subscription.variables) else {
            return Ok(None);
        };
        if binding.hears.is_some_and(|hears| !hears(request, &args, event)) {
            return Ok(None);
        }
        let mut executor = Executor {
            request,
            actor: &request.actor,
            schema: &view.schema,
            variables: &subscription.variables,
            introspection: None,
            objects: 0,
        };
        let mut reader = request.db.read().await?;
        let cell = match executor.touched(&mut reader, field, binding, &args, row).await {
            Ok(Some(cell)) => cell,
            Ok(None) => return Ok(None),
            Err(Stop::Store(error)) => return Err(error),
            Err(Stop::Refused(error)) => {
                return Ok(Some(reply(200, None, &[error], &[], false).body));
            }
        };
        drop(reader);
        let level = Level { set: RowSet::unit(), cells: vec![cell] };
        let mut writer = Writer::new(request, &subscription.variables, Vec::new());
        let data = match writer.object(&subscription.plan.root, &level, 0) {
            Ok(()) => std::mem::take(&mut writer.out),
            Err(_) => b"null".to_vec(),
        };
        if let Some(error) = writer.refused {
            return Ok(Some(reply(200, None, &[error], &[], false).body));
        }
        reads::log(request, &request.actor).await?;
        Ok(Some(reply(200, Some(&data), &writer.errors, &[], false).body))
    }
}

impl Executor<'_> {
    /// The payload of a subscription: one row, through its table's predicate.
    async fn touched(
        &mut self,
        conn: &mut dyn Query,
        field: &Field,
        binding: &SubscriptionBinding,
        args: &Args,
        row: i64,
    ) -> Result<Option<Cell>, Stop> {
        let mut listing = match binding.listing {
            None => Listing::all(),
            Some(listing) => match listing(self.request, args) {
                Ok(listing) => listing,
                Err(Refused::Store(error)) => return Err(error.into()),
                Err(_) => return Ok(None),
            },
        };
        listing.filter = listing.filter.and(Cond::eq("id", row));
        let rows = RowsBinding {
            table: binding.table,
            shape: Shape::One,
            link: Link::Root,
            listing: None,
            orders: &[],
            default_order: "",
        };
        let parents = [ward_store::Value::Int(0)];
        let cell = self.one(conn, field, &rows, &listing, &parents).await?;
        let is_seen = matches!(&cell, Cell::One(found, _) if found.iter().any(Option::is_some));
        Ok(is_seen.then_some(cell))
    }
}

/// Whether the caller may ask for the field at all.
fn may_ask(bound: &Bound, request: &Request) -> Result<(), Halt> {
    if request.awaits_code() {
        return Err(Halt::Errors(vec![code_wanted()]));
    }
    if !bound.public && request.actor.role == Role::Anonymous {
        return Err(Halt::Errors(vec![RequestError::coded("PERMISSION_DENIED", DENIED)]));
    }
    match bound.requires {
        Some(permission) if !request.actor.has(permission.flag) => {
            Err(Halt::Errors(vec![RequestError::denied(permission.name)]))
        }
        _ => Ok(()),
    }
}

fn told(refused: Refused) -> Halt {
    match refused.told_of_query() {
        Ok(Some(error)) => Halt::Errors(vec![error]),
        Ok(None) => self::refused("Object not found"),
        Err(error) => Halt::Store(error),
    }
}

fn refused(message: &str) -> Halt {
    Halt::Errors(vec![RequestError::new(message)])
}
