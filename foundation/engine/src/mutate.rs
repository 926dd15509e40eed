//! Mutations: root fields in series, each in a transaction of its own that
//! holds the change, its audit entry and event, and the stored answer of its
//! idempotency key.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use ward_instance::crash;
use ward_store::access::{self, AccessEntry};
use ward_store::idempotency::{self, Outcome, RequestHash, RequestKey};
use ward_store::{Actor, Left, Scope, StoreError, Tx, Watch};

use crate::bound::{Args, MutationBinding, Prepared, Resolve};
use crate::call::{Call, Request};
use crate::causation;
use crate::engine::{Engine, Executed, Halt, Incoming};
use crate::exec::{Executor, Stop};
use crate::input::In;
use crate::kept::{self, Shown};
use crate::level::{Cell, Level, RowSet};
use crate::outcome::{FieldProblem, Refused, RequestError};
use crate::plan::{Action, Field, Plan};
use crate::reactions;
use crate::scalar::{Leaf, Out};
use crate::store_failure::{Undone, store_error};
use crate::values::{self, Variables};
use crate::write::Writer;

/// One root field at work; shared with the transaction, which may run again.
struct Job {
    engine: Arc<Engine>,
    plan: Arc<Plan>,
    field: usize,
    variables: Arc<Variables>,
    request: Arc<Request>,
    /// Who changes: a broken glass is for reading, so what is changed is found
    /// without it.
    changer: Arc<Actor>,
    prepared: Prepared,
    binding: MutationBinding,
    hash: Option<RequestHash>,
    echo: Out,
}

/// What the transaction hands out.
struct Done {
    json: Vec<u8>,
    errors: Vec<RequestError>,
    replayed: bool,
    /// Readings of its answer that are not written yet.
    reads: Vec<AccessEntry>,
    /// What it left behind, where somebody wants to know.
    left: Vec<Left>,
}

pub(crate) async fn run(
    engine: &Arc<Engine>,
    plan: Arc<Plan>,
    variables: Variables,
    incoming: &Incoming,
    request: &Arc<Request>,
) -> Result<Executed, Halt> {
    let variables = Arc::new(variables);
    let hash = |of_session: bool| {
        request.idempotency_key.is_some().then(|| request_hash(incoming, request, of_session))
    };
    let mut cells = Vec::with_capacity(plan.root.fields.len());
    let mut replayed = false;
    let mut committed = false;
    for (n, field) in plan.root.fields.iter().enumerate() {
        if !values::included(field, &variables) {
            cells.push(Cell::Skip);
            continue;
        }
        let Action::Bound(bound) = &field.action else {
            cells.push(match &field.action {
                Action::Typename(name) => Cell::Typename(name.clone()),
                _ => Cell::Skip,
            });
            continue;
        };
        let Resolve::Mutation(binding) = &bound.resolve else {
            return Err(
                StoreError::internal("a mutation's root field is bound to something else").into()
            );
        };
        let outcome = match bound.requires {
            Some(permission) if !request.actor.has(permission.flag) => {
                Err(Refused::Denied(permission))
            }
            _ if request.awaits_code() && !bound.before_code => {
                Err(Refused::Error(crate::outcome::code_wanted()))
            }
            _ if !bound.public
                && !request.awaits_code()
                && request.actor.role == ward_store::Role::Anonymous =>
            {
                Err(Refused::Error(RequestError::coded(
                    "PERMISSION_DENIED",
                    crate::outcome::DENIED,
                )))
            }
            _ => one(engine, &plan, n, &variables, request, binding, hash(bound.of_session)).await,
        };
        cells.push(match outcome {
            Ok(done) => {
                replayed |= done.replayed;
                committed = true;
                Cell::Ready(done.json, done.errors)
            }
            // What was committed before is told; only this field failed.
            Err(Refused::Store(error)) if committed => {
                Cell::Failed(store_error(&error, request, Undone::Field).1)
            }
            Err(refused) => {
                let args = values::arguments(field, &engine.view(request.view)?.schema, &variables);
                let echo = args.map_or(Out::Null, |args| echo(&args));
                refused_cell(field, refused, &echo, &variables, request)?
            }
        });
    }
    let level = Level { set: RowSet::unit(), cells };
    let mut writer = Writer::new(request, &variables, Vec::new());
    let data = match writer.object(&plan.root, &level, 0) {
        Ok(()) => std::mem::take(&mut writer.out),
        Err(_) => b"null".to_vec(),
    };
    Ok(Executed { data: Some(data), errors: writer.errors, replayed, statements: 0 })
}

async fn one(
    engine: &Arc<Engine>,
    plan: &Arc<Plan>,
    field: usize,
    variables: &Arc<Variables>,
    request: &Arc<Request>,
    binding: &MutationBinding,
    hash: Option<RequestHash>,
) -> Result<Done, Refused> {
    let schema = &engine.view(request.view)?.schema;
    let mut args =
        values::arguments(&plan.root.fields[field], schema, variables).map_err(Refused::Error)?;
    let echo = echo(&args);
    if let Some(guard) = &engine.guard {
        guard(request, &args)?;
    }
    let input = args.0.remove("input").unwrap_or(In::Null);
    let prepared = (binding.prepare)(request.clone(), input).await?;
    let job = Arc::new(Job {
        engine: engine.clone(),
        plan: plan.clone(),
        field,
        variables: variables.clone(),
        request: request.clone(),
        changer: Arc::new(Actor {
            glass_at: Actor::NO_BREAK_GLASS,
            ..request.actor.as_ref().clone()
        }),
        prepared,
        binding: binding.clone(),
        hash,
        echo,
    });
    let done = request.db.write(move |tx| transaction(job.clone(), tx)).await;
    crash::point("answer.before");
    let mut done = done?;
    if let Some(trail) = &request.trail {
        trail.left(std::mem::take(&mut done.left));
    }
    let reads = std::mem::take(&mut done.reads);
    // What is committed is answered; readings that can't be written now wait on.
    let _ = request.db.access_log().log(&request.db, reads).await;
    Ok(done)
}

fn transaction(job: Arc<Job>, tx: &mut Tx) -> BoxFuture<'_, Result<Done, Refused>> {
    Box::pin(async move {
        // What an attempt that is run again has read.
        job.request.reads.forget();
        let field = &job.plan.root.fields[job.field];
        let key = job.request.idempotency_key.as_deref().map(|key| RequestKey {
            org_id: job.request.actor.org_id,
            actor_id: job.request.actor.user_id,
            key,
            alias: &field.key,
        });
        if let (Some(key), Some(hash)) = (&key, &job.hash)
            && let Some(kept) = replay(tx, key, hash).await?
        {
            let clients = job.engine.bindings().clients;
            let json = kept::reopened(tx, &job.request, clients, &kept).await?;
            let reads = job.request.reads.take(&job.request, &job.request.actor);
            let reads = unwritten(tx, reads).await?;
            return Ok(Done { json, errors: Vec::new(), replayed: true, reads, left: Vec::new() });
        }
        let cause = causation::cause(tx, &job.request).await?;
        let causes = cause.as_ref().map_or(0, |cause| cause.depth);
        let payload = {
            let scope = Scope { cause, ..Scope::new(tx, &job.changer) };
            let mut call = Call { scope, request: &job.request };
            (job.binding.apply)(&mut call, job.prepared.as_ref()).await?
        };
        reactions::run(job.engine.bindings(), tx, &job.request, causes).await?;
        let own = payload.actor.as_ref().map(|actor| job.request.seen_by(actor));
        let request = own.as_ref().unwrap_or(&job.request);
        let mut executor = Executor {
            request,
            actor: &request.actor,
            schema: &job.engine.view(job.request.view)?.schema,
            variables: &job.variables,
            introspection: None,
            objects: 0,
        };
        let Some(selection) = &field.children else {
            return Err(StoreError::internal("a payload without selection").into());
        };
        let level =
            executor.payload(tx, selection, &payload.values, &job.echo).await.map_err(stopped)?;
        let mut writer = Writer::new(
            &job.request,
            &job.variables,
            vec![crate::outcome::PathStep::Key(field.key.clone())],
        );
        let written = match field.is_union {
            true => writer.one_of(field, selection, &level, 0),
            false => writer.object(selection, &level, 0),
        };
        let json = match written {
            Ok(()) => std::mem::take(&mut writer.out),
            Err(_) => b"null".to_vec(),
        };
        if let Some(refused) = writer.refused {
            return Err(Refused::Error(refused));
        }
        let reads = request.reads.take(request, &request.actor);
        if let Some(key) = &key {
            // Who just signed in saw themselves, whoever asked.
            let shown = if own.is_some() { Shown::default() } else { Shown::of(&reads) };
            idempotency::store(tx, key, &kept::framed(&shown, &json)?).await?;
            crash::point("write.answered");
        }
        let reads = unwritten(tx, reads).await?;
        let left = job.request.trail.as_ref().map(|_| tx.pending.left()).unwrap_or_default();
        Ok(Done { json, errors: writer.errors, replayed: false, reads, left })
    })
}

/// Readings that may wait; those that are watched are written with the answer.
async fn unwritten(tx: &mut Tx, reads: Vec<AccessEntry>) -> Result<Vec<AccessEntry>, StoreError> {
    if reads.iter().any(|entry| entry.watch > Watch::Ordinary) {
        access::write(tx, &reads).await?;
        return Ok(Vec::new());
    }
    Ok(reads)
}

async fn replay(
    tx: &mut Tx,
    key: &RequestKey<'_>,
    hash: &RequestHash,
) -> Result<Option<Vec<u8>>, Refused> {
    // Who waits for the key too long gets a conflict of its own (409), which is
    // no problem of the record.
    match idempotency::lookup(tx, key, hash).await.map_err(Refused::Store)? {
        Outcome::Fresh => Ok(None),
        Outcome::Replay(json) => Ok(Some(json)),
        Outcome::Mismatch => Err(Refused::Error(RequestError::coded(
            "IDEMPOTENCY_KEY_REUSED",
            "This Idempotency-Key was used with another request. Send a new key for a new request.",
        ))),
    }
}

fn stopped(stop: Stop) -> Refused {
    match stop {
        Stop::Store(error) => Refused::Store(error),
        Stop::Refused(error) => Refused::Error(error),
    }
}

/// The input's `clientMutationId`.
fn echo(args: &Args) -> Out {
    let Some(In::Object(fields)) = args.0.get("input") else { return Out::Null };
    match fields.get("clientMutationId") {
        Some(In::Text(text)) => Out::Text(text.as_ref().into()),
        _ => Out::Null,
    }
}

/// A refused mutation: its objects are null, its switches false, `messages` say why.
fn refused_cell(
    field: &Field,
    refused: Refused,
    echo: &Out,
    variables: &Variables,
    request: &Request,
) -> Result<Cell, Halt> {
    let (problems, error) = refused.told()?;
    if let Some(trail) = &request.trail {
        trail.problems(&field.name, &problems);
    }
    let Some(selection) = &field.children else { return Ok(Cell::Skip) };
    if field.is_union {
        return Ok(Cell::Failed(
            error.unwrap_or_else(|| crate::one_of::told_at_the_top(&problems)),
        ));
    }
    let cells = selection
        .fields
        .iter()
        .map(|inner| match &inner.action {
            _ if !values::included(inner, variables) => Cell::Skip,
            Action::Typename(name) => Cell::Typename(name.clone()),
            _ if inner.name.as_ref() == "messages" => Cell::Leaves(vec![messages(&problems)]),
            _ if inner.name.as_ref() == "clientMutationId" => Cell::Leaves(vec![echo.clone()]),
            // What can't be null did not happen; else the whole payload would be null, and its
            // `messages` untold.
            _ if inner.ty.non_null && inner.leaf == Leaf::Bool => {
                Cell::Leaves(vec![Out::Bool(false)])
            }
            _ => Cell::Leaves(vec![Out::Null]),
        })
        .collect();
    let level = Level { set: RowSet::unit(), cells };
    let mut writer =
        Writer::new(request, variables, vec![crate::outcome::PathStep::Key(field.key.clone())]);
    let json = match writer.object(selection, &level, 0) {
        Ok(()) => std::mem::take(&mut writer.out),
        Err(_) => b"null".to_vec(),
    };
    if let Some(mut error) = error {
        error.location = error.location.or(field.location);
        writer.note(error);
    }
    Ok(Cell::Ready(json, writer.errors))
}

fn messages(problems: &[FieldProblem]) -> Out {
    Out::List(
        problems
            .iter()
            .map(|problem| {
                Out::Json(serde_json::json!({"field": problem.field, "message": problem.message}))
            })
            .collect(),
    )
}

/// What an idempotency key stands for: the view, the document and the
/// variables.
fn request_hash(incoming: &Incoming, request: &Request, of_session: bool) -> RequestHash {
    let variables = serde_json::Value::Object(incoming.variables.clone()).to_string();
    // Who has no account yet has one for all of them, and who acts for a client has the client's:
    // their sessions are told apart; so are those of one person where the answer opens something.
    let is_shared = request.awaits_code() || request.actor.proxy_id.is_some();
    let session = request.session.as_deref().filter(|_| is_shared || of_session);
    let parts: [&[u8]; 5] = [
        session.unwrap_or_default().as_bytes(),
        request.view.date().as_bytes(),
        incoming.operation_name.as_deref().unwrap_or_default().as_bytes(),
        incoming.query.as_bytes(),
        variables.as_bytes(),
    ];
    idempotency::request_hash(&request.db, &parts)
}
