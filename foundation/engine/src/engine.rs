//! The engine: a document and its variables in, JSON bytes out.

use std::sync::Arc;

use serde_json::Value as Json;
use ward_store::{Query, StoreError};

use crate::bindings::Bindings;
use crate::bound::Args;
use crate::cache::PlanCache;
use crate::call::Request;
use crate::document;
use crate::exec::Executor;
pub(crate) use crate::halt::Halt;
use crate::level::RowSet;
use crate::outcome::{DENIED, Refused, RequestError, code_wanted};
use crate::paging;
use crate::plan::{Action, Field, Operation, Plan};
use crate::planner;
use crate::store_failure::{Undone, store_error};
use crate::values::{self, Variables};
use crate::version::ViewId;
use crate::view::{View, Views};
use crate::write::Writer;
use crate::{after, introspect, mutate, reads, trail};

/// The most that one request may cost (behaviour 11).
pub const MAX_COMPLEXITY: u64 = 2000;

/// A GraphQL request as it came.
#[derive(Clone, Debug, Default)]
pub struct Incoming {
    /// The document.
    pub query: String,
    /// Which of its operations.
    pub operation_name: Option<String>,
    /// The variables.
    pub variables: serde_json::Map<String, Json>,
}

/// The answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The JSON body.
    pub body: Vec<u8>,
    /// `extensions.code` of the first error, for the log and the refusal count.
    pub code: Option<String>,
    /// A stored answer of an earlier request with the same idempotency key.
    pub replayed: bool,
    /// SQL statements that a query ran.
    pub statements: usize,
}

/// Answers requests of both views from one set of bindings.
pub struct Engine {
    views: Views,
    bindings: Arc<Bindings>,
    cache: PlanCache,
    pub(crate) guard: Option<Guard>,
}

/// Looks at a mutation's arguments before anything is done with them.
pub type Guard = Box<dyn Fn(&Request, &Args) -> Result<(), Refused> + Send + Sync>;

/// Data and errors of an executed operation.
pub(crate) struct Executed {
    pub data: Option<Vec<u8>>,
    pub errors: Vec<RequestError>,
    pub replayed: bool,
    pub statements: usize,
}

impl Engine {
    /// From the served SDL of both views, baseline first; each is loaded when it is asked for.
    pub fn new(baseline: &str, v2026: &str, bindings: Bindings) -> Self {
        Engine {
            views: Views::of(baseline, v2026),
            bindings: Arc::new(bindings),
            cache: PlanCache::default(),
            guard: None,
        }
    }

    /// Loads a view now, so that nobody who asks waits for it.
    pub fn load(&self, id: ViewId) -> Result<(), String> {
        self.views.get(id).map(drop)
    }

    /// The same, whose mutations are looked at by this guard first.
    #[must_use]
    pub fn guarded(
        self,
        guard: impl Fn(&Request, &Args) -> Result<(), Refused> + Send + Sync + 'static,
    ) -> Self {
        Engine { guard: Some(Box::new(guard)), ..self }
    }

    /// What is bound.
    pub fn bindings(&self) -> &Bindings {
        &self.bindings
    }

    /// A view. That it does not load is a defect: the SDL is ours.
    pub fn view(&self, id: ViewId) -> Result<&View, StoreError> {
        self.views
            .get(id)
            .map_err(|error| StoreError::internal(format!("the served schema: {error}")))
    }

    /// Answers a request. `warnings` go into `extensions`.
    pub async fn execute(
        self: &Arc<Self>,
        incoming: &Incoming,
        request: Arc<Request>,
        warnings: &[Json],
    ) -> Reply {
        let executed = trail::noted(&request, self.run(incoming, &request).await);
        match executed {
            Ok(executed) => Reply {
                statements: executed.statements,
                ..reply(
                    200,
                    executed.data.as_deref(),
                    &executed.errors,
                    warnings,
                    executed.replayed,
                )
            },
            Err(Halt::Errors(errors)) => reply(200, None, &errors, warnings, false),
            Err(Halt::Store(error)) => store_reply(&error, &request),
        }
    }

    async fn run(
        self: &Arc<Self>,
        incoming: &Incoming,
        request: &Arc<Request>,
    ) -> Result<Executed, Halt> {
        let plan = self.plan(incoming, request.view)?;
        let view = self.view(request.view)?;
        let variables =
            values::variables(&plan, &incoming.variables, &view.schema).map_err(Halt::Errors)?;
        self.within_limits(&plan, view, &variables)?;
        match plan.operation {
            Operation::Query => {}
            Operation::Mutation => {
                return mutate::run(self, plan, variables, incoming, request).await;
            }
            Operation::Subscription => {
                let message = "A subscription needs a socket; this request has one answer only.";
                return Err(Halt::Errors(vec![RequestError::new(message)]));
            }
        }
        let introspection = match &plan.introspection {
            Some((document, name)) => {
                let name = name.as_ref().map(|name| name.as_str());
                Some(
                    introspect::answer(&view.schema, document, name, &incoming.variables)
                        .map_err(|error| Halt::Errors(vec![error]))?,
                )
            }
            None => None,
        };
        let mut executor = Executor {
            request,
            actor: &request.actor,
            schema: &view.schema,
            variables: &variables,
            introspection: introspection.as_ref(),
            objects: 0,
        };
        let mut statements = 0;
        let is_bare = plan
            .root
            .fields
            .iter()
            .all(|field| matches!(field.action, Action::Introspection | Action::Typename(_)));
        if request.awaits_code() && !is_bare {
            return Err(Halt::Errors(vec![code_wanted()]));
        }
        let level = if is_bare {
            executor.level(&mut NoStore, &plan.root, RowSet::unit()).await?
        } else {
            let mut reader = Counted { inner: request.db.read().await?, statements: 0 };
            let level = executor.level(&mut reader, &plan.root, RowSet::unit()).await?;
            statements = reader.statements;
            level
        };
        let mut writer = Writer::new(request, &variables, Vec::new());
        let data = match writer.object(&plan.root, &level, 0) {
            Ok(()) => std::mem::take(&mut writer.out),
            Err(_) => b"null".to_vec(),
        };
        if let Some(refused) = writer.refused {
            return Err(Halt::Errors(vec![refused]));
        }
        reads::log(request, &request.actor).await?;
        after::write(&plan.root.fields, &view.schema, &variables, request).await?;
        Ok(Executed { data: Some(data), errors: writer.errors, replayed: false, statements })
    }

    pub(crate) fn plan(&self, incoming: &Incoming, view_id: ViewId) -> Result<Arc<Plan>, Halt> {
        let operation = incoming.operation_name.as_deref().filter(|name| !name.is_empty());
        if let Some(plan) = self.cache.get(view_id, operation, &incoming.query) {
            return Ok(plan);
        }
        let view = self.view(view_id)?;
        let document = document::validated(&incoming.query, view).map_err(Halt::Errors)?;
        let plan = planner::plan(&document, operation, &view.schema, &self.bindings)
            .map_err(|error| Halt::Errors(vec![error]))?;
        let plan = Arc::new(plan);
        self.cache.put(view_id, operation, &incoming.query, &plan);
        Ok(plan)
    }

    /// What a request asks for: its kind and its root fields by the contract's names, such as
    /// `query currentUser`; nothing for a document that is refused.
    pub fn operations(&self, incoming: &Incoming, view_id: ViewId) -> Vec<String> {
        let Ok(plan) = self.plan(incoming, view_id) else { return Vec::new() };
        let kind = match plan.operation {
            Operation::Query => "query",
            Operation::Mutation => "mutation",
            Operation::Subscription => "subscription",
        };
        plan.root.fields.iter().map(|field| format!("{kind} {}", field.name)).collect()
    }

    /// How many plans are kept, and their bytes, about.
    pub fn kept_plans(&self) -> (usize, usize) {
        self.cache.kept()
    }

    pub(crate) fn within_limits(
        &self,
        plan: &Plan,
        view: &View,
        variables: &Variables,
    ) -> Result<(), Halt> {
        let size = |field: &Field| {
            values::arguments(field, &view.schema, variables)
                .map_or(0, |args| paging::counted_size(&args))
        };
        let complexity = plan.complexity(&size);
        if complexity > MAX_COMPLEXITY {
            let message = format!(
                "Query has complexity of {complexity}, which exceeds max complexity of {MAX_COMPLEXITY}"
            );
            return Err(Halt::Errors(vec![RequestError::new(message)]));
        }
        Ok(())
    }
}

/// Counts the statements of a request.
struct Counted {
    inner: ward_store::Reader,
    statements: usize,
}

impl Query for Counted {
    fn rows<'a>(
        &'a mut self,
        sql: &'a ward_store::Sql,
    ) -> futures_util::future::BoxFuture<'a, Result<ward_store::Rows, StoreError>> {
        self.statements += 1;
        self.inner.rows(sql)
    }
    fn execute<'a>(
        &'a mut self,
        sql: &'a ward_store::Sql,
    ) -> futures_util::future::BoxFuture<'a, Result<u64, StoreError>> {
        self.statements += 1;
        self.inner.execute(sql)
    }
    fn count<'a>(
        &'a mut self,
        sql: &'a ward_store::Sql,
    ) -> futures_util::future::BoxFuture<'a, Result<i64, StoreError>> {
        self.statements += 1;
        self.inner.count(sql)
    }
    fn engine(&self) -> ward_store::Engine {
        self.inner.engine()
    }
}

/// Introspection reads no row.
struct NoStore;

impl Query for NoStore {
    fn rows<'a>(
        &'a mut self,
        _: &'a ward_store::Sql,
    ) -> futures_util::future::BoxFuture<'a, Result<ward_store::Rows, StoreError>> {
        Box::pin(async { Err(StoreError::internal("introspection reads no row")) })
    }
    fn execute<'a>(
        &'a mut self,
        _: &'a ward_store::Sql,
    ) -> futures_util::future::BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async { Err(StoreError::internal("introspection writes no row")) })
    }
    fn engine(&self) -> ward_store::Engine {
        ward_store::Engine::Lite
    }
}

/// Puts an answer together.
pub fn reply(
    status: u16,
    data: Option<&[u8]>,
    errors: &[RequestError],
    warnings: &[Json],
    replayed: bool,
) -> Reply {
    let mut body = Vec::with_capacity(data.map_or(256, |data| data.len() + 256));
    body.push(b'{');
    if let Some(data) = data {
        body.extend_from_slice(b"\"data\":");
        body.extend_from_slice(data);
    }
    let mut member = |name: &str, json: &Json| {
        if body.len() > 1 {
            body.push(b',');
        }
        body.extend_from_slice(format!("\"{name}\":{json}").as_bytes());
    };
    if !errors.is_empty() {
        member("errors", &errors.iter().map(RequestError::to_json).collect());
    }
    if !warnings.is_empty() {
        member("extensions", &serde_json::json!({ "warnings": warnings }));
    }
    body.push(b'}');
    let code = errors
        .first()
        .and_then(|error| error.extensions.get("code"))
        .and_then(Json::as_str)
        .map(str::to_owned);
    let code = code.or_else(|| {
        errors.iter().any(|error| error.message == DENIED).then(|| "PERMISSION_DENIED".to_owned())
    });
    Reply { status, body, code, replayed, statements: 0 }
}

/// The answer when the store fails: what clients may wait out is a 503, a
/// conflict of keys a 409, everything else a defect of ours (behaviour 4.5); who is not known any
/// more is told so in a 200.
pub(crate) fn store_reply(error: &StoreError, request: &Request) -> Reply {
    let (status, shown) = store_error(error, request, Undone::Request);
    reply(status, None, &[shown], &[], false)
}
