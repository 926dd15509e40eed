//! The HTTP server: routes, listening, stopping.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower::{Service, ServiceExt};

use crate::app::App;
use crate::place::{Opened, ServerError};
use crate::{
    calendars, callbacks, cohort, control, due, effects, explorer, files, forks, graphql, guard,
    health, key_revoke, live, notes_pdf, password_page, rooms, sandbox, unsubscribe_page, uploads,
    workers,
};

/// How long requests in flight may take when the server stops.
pub(crate) const GRACE: Duration = Duration::from_secs(30);
/// How long effects that are under way may take when the server stops.
pub(crate) const EFFECTS_GRACE: Duration = Duration::from_secs(10);
/// A request's head has to be here within this time.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// After a connection could not be taken.
const ACCEPT_AGAIN: Duration = Duration::from_millis(20);
/// Connections at once, sockets apart; more wait until one ends.
const CONNECTIONS: usize = 4_096;

/// All routes of an instance. The control plane of the Sandbox is mounted only
/// where the Sandbox's witness is.
pub fn router(app: &Arc<App>) -> Router {
    let routes = Router::new()
        .route("/graphql", post(graphql::post).get(explorer::page))
        .route("/graphql/assets/{*path}", get(explorer::asset))
        .route("/graphql/ws", get(live::transport))
        .route("/subscriptions", get(live::cable))
        .route("/cable", get(live::cable))
        .route("/files/{link}", get(files::get).put(uploads::put))
        .route("/calendars/{file}", get(calendars::get))
        .route("/selected_private_notes.pdf", post(notes_pdf::post))
        .route("/rooms/{link}", get(rooms::enter))
        .route("/set-password", get(password_page::form).post(password_page::submit))
        .route("/unsubscribe", get(unsubscribe_page::form).post(unsubscribe_page::submit))
        .route("/confirm-email", get(password_page::confirm_form).post(password_page::confirm))
        .route("/keys/revoke", post(key_revoke::post))
        .merge(cohort::routes())
        .merge(effects::routes())
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .fallback(control::nowhere);
    let routes = match app.instance.witness().sandbox() {
        Some(witness) => routes.merge(sandbox::routes(&witness)),
        None => routes
            .route("/sandbox/{*path}", axum::routing::any(sandbox::only_there))
            .route("/callbacks/v1/{medium}", post(callbacks::post)),
    };
    routes.layer(from_fn_with_state(app.clone(), guard::guard)).with_state(app.clone())
}

/// Listens; the address may have port 0.
pub async fn listen(address: &str) -> Result<TcpListener, ServerError> {
    TcpListener::bind(address).await.map_err(|error| {
        ServerError::System(format!(
            "cannot listen on {address}: {error}; choose another --listen address"
        ))
    })
}

/// Serves until `stop`, then finishes what is in flight, flushes and closes.
pub async fn serve(
    mut opened: Opened,
    app: Arc<App>,
    listener: TcpListener,
    mut stop: watch::Receiver<bool>,
) -> Result<(), ServerError> {
    let address = listener.local_addr().map_err(|error| ServerError::System(error.to_string()))?;
    opened.instance.listening_on(address.port());
    // A fork is reached by its address alone.
    let socket = match opened.instance.ledger().is_fork() {
        true => None,
        false => Some(control::listen(&opened.dir)?),
    };
    forks::clear(&opened.dir);
    let (watched, until) = (app.clone(), stop.clone());
    tokio::spawn(async move { watched.admission.watch(watched.instance.clock(), until).await });
    let connections = Arc::new(Semaphore::new(CONNECTIONS));
    let worker = tokio::spawn(workers::run(app.clone(), stop.clone()));
    let accesses = tokio::spawn(workers::access_log(app.clone(), stop.clone()));
    let recorder = tokio::spawn(workers::record(app.clone(), stop.clone()));
    let mut at_work = due::start(&app, &stop);
    let webhooks = workers::webhooks(&app, stop.clone());
    let teller = tokio::spawn(live::run(app.clone(), stop.clone()));
    let watcher = tokio::spawn(live::watch_credentials(app.clone(), stop.clone()));
    let controller =
        socket.map(|socket| tokio::spawn(control::serve(app.clone(), socket, stop.clone())));
    let routes = router(&app);
    loop {
        // Without room for another connection, the next one waits in the system's queue.
        let room = connections.clone().acquire_owned();
        let accepted = async {
            let room = room.await;
            (listener.accept().await, room)
        };
        tokio::select! {
            (accepted, room) = accepted => {
                let (Ok((stream, peer)), Ok(room)) = (accepted, room) else {
                    // Out of file descriptors, for instance: it won't be better at once.
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                    continue;
                };
                let _ = stream.set_nodelay(true);
                connection(routes.clone(), stream, peer, stop.clone(), room);
            }
            _ = stop.changed() => break,
        }
    }
    drop(listener);
    app.forks.close().await;
    app.live.close().await;
    let _ = teller.await;
    let _ = watcher.await;
    tokio::select! {
        _ = connections.acquire_many(CONNECTIONS as u32) => {}
        () = tokio::time::sleep(GRACE) => tracing::warn!("requests were cut off after {} s", GRACE.as_secs()),
    }
    // What was begun may be under way to somebody who is slow.
    let ended = async { while at_work.join_next().await.is_some() {} };
    if tokio::time::timeout(EFFECTS_GRACE, ended).await.is_err() {
        tracing::warn!("an effect was cut off by the stop; it is tried again");
        at_work.shutdown().await;
    }
    let _ = worker.await;
    let _ = webhooks.await;
    let _ = accesses.await;
    let _ = recorder.await;
    // What the last requests have read.
    if let Err(error) = opened.db.access_log().flush(&opened.db).await {
        tracing::error!(%error, "readings of clients are not in the access log");
    }
    workers::record_rest(&app).await;
    if let Some(controller) = controller {
        let _ = controller.await;
    }
    let _ = std::fs::remove_file(opened.dir.join("control.sock"));
    opened.db.shutdown().await;
    if let Some(lock) = opened.lock.take() {
        lock.stop_cleanly()?;
    }
    Ok(())
}

fn connection(
    routes: Router,
    stream: tokio::net::TcpStream,
    peer: SocketAddr,
    mut stop: watch::Receiver<bool>,
    room: OwnedSemaphorePermit,
) {
    let intake = Arc::new(live::Intake::default());
    let stream = live::Metered::new(stream, intake.clone());
    let service =
        hyper::service::service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            request.extensions_mut().insert(intake.clone());
            let mut routes = routes.clone();
            async move {
                let request = request.map(axum::body::Body::new);
                ServiceExt::<hyper::Request<axum::body::Body>>::ready(&mut routes)
                    .await?
                    .call(request)
                    .await
            }
        });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::spawn(async move {
        let mut connection = pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            _ = stop.changed() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended");
        }
        drop(room);
    });
}

/// Metrics and health on the private listener, for whoever looks after the
/// instance, until `stop`.
pub async fn serve_private(app: Arc<App>, listener: TcpListener, mut stop: watch::Receiver<bool>) {
    let routes = Router::new()
        .route("/metrics", get(health::metrics))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .with_state(app);
    let stopped = async move {
        let _ = stop.changed().await;
    };
    if let Err(error) = axum::serve(listener, routes).with_graceful_shutdown(stopped).await {
        tracing::error!(%error, "the private listener ended");
    }
}
