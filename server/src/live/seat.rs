//! What a socket has once its credential was accepted: who it is, where its
//! messages go, and what it listens to.

use std::sync::Arc;

use ward_engine::{Incoming, Reply, RequestError, Subscription, ViewId};
use ward_identity::{Held, hold};
use ward_store::events;

use super::budget::{OfPerson, Purse};
use super::hub::{Frame, Listener, Place};
use super::outgoing::{End, Outgoing};
use crate::app::App;
use crate::credential::Caller;
use crate::graphql;
use crate::guard::Facts;

/// Subscriptions of one socket.
const SUBSCRIPTIONS: usize = 100;
/// Bytes that the subscriptions of one socket may hold: plans, variables, names.
const HELD_BYTES: usize = 1024 * 1024;

/// A socket is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Not now: it may come back.
    Later,
    /// Its credential is none, or over.
    Invalid,
    /// Its credential is of the other environment.
    OtherEnvironment,
    /// Its credential is of another instance.
    OtherInstance,
}

/// An accepted socket.
pub struct Seat {
    app: Arc<App>,
    number: u64,
    user_id: i64,
    facts: Facts,
    view: ViewId,
    held: Arc<Held>,
    org_id: i64,
    /// Where its messages go.
    pub outgoing: Arc<Outgoing>,
    listeners: Vec<(Box<str>, usize, Arc<Listener>)>,
    /// What its person holds, and what it holds of that.
    purse: Arc<Purse>,
    holds: usize,
}

/// What became of an operation.
pub enum Begun {
    /// It listens.
    Listening,
    /// It was answered, and that is all.
    Answered(Reply),
}

impl Seat {
    /// Accepts the credential of a place's socket, for its whole life.
    pub async fn take(
        app: &Arc<App>,
        credential: &str,
        facts: Facts,
        view: ViewId,
        (place, outgoing): (&Place, Arc<Outgoing>),
    ) -> Result<Seat, Refused> {
        let found = hold(&app.db, credential, &facts.address).await.map_err(|error| {
            tracing::warn!(%error, "a socket's credential could not be looked up");
            Refused::Later
        })?;
        let (held, identified) = match found {
            Ok(Some(found)) => found,
            Ok(None) => return Err(Refused::Invalid),
            Err(rejection) => {
                app.refusals.note(
                    None,
                    &facts.address,
                    rejection.code,
                    app.instance.clock().wall(),
                );
                return Err(match rejection.code {
                    "WRONG_ENVIRONMENT_KEY" | "WRONG_ENVIRONMENT_TOKEN" => {
                        Refused::OtherEnvironment
                    }
                    "WRONG_INSTANCE_KEY" => Refused::OtherInstance,
                    _ => Refused::Invalid,
                });
            }
        };
        let (held, number) = (Arc::new(held), place.number());
        let (org_id, user_id) = (identified.actor.org_id, identified.actor.user_id);
        let admitted = app.live.admit(place, (org_id, user_id), held.clone(), outgoing.clone());
        let Some(purse) = admitted else { return Err(Refused::Later) };
        let (app, listeners) = (app.clone(), Vec::new());
        #[rustfmt::skip]
        let seat = Seat { app, number, user_id, facts, view, held, org_id, outgoing, listeners, purse, holds: 0 };
        Ok(seat)
    }

    /// What its person holds.
    pub fn purse(&self) -> &Arc<Purse> {
        &self.purse
    }

    /// Holds bytes for the socket, if there is room for them.
    pub fn hold(&mut self, bytes: usize) -> bool {
        let is_held = self.purse.take(bytes);
        self.holds += if is_held { bytes } else { 0 };
        is_held
    }

    /// Holds them no longer.
    pub fn release(&mut self, bytes: usize) {
        self.holds -= bytes;
        self.purse.give(bytes);
    }

    fn person(&self) -> (i64, i64) {
        (self.org_id, self.user_id)
    }

    /// Begins an operation. Its name is whatever the client ends it by.
    pub async fn begin(&mut self, name: &str, frame: Frame, incoming: Incoming) -> Begun {
        let caller = match self.caller().await {
            Ok(caller) => caller,
            Err(reply) => return Begun::Answered(reply),
        };
        let wall = self.app.instance.clock().wall();
        if let Err(wait) = self.app.limiter.take(self.held.name()) {
            let (actor, name) = (Some(&caller.actor), self.held.name());
            self.app.refusals.note(actor, name, "TOO_MANY_REQUESTS", wall);
            let error = RequestError::coded(
                "TOO_MANY_REQUESTS",
                "Too many requests. Please try again later.",
            );
            return refused(error.with("retry_after", wait.as_secs().max(1)));
        }
        let facts = Facts { id: self.app.request_number(), ..self.facts.clone() };
        let request = Arc::new(graphql::request_of(&self.app, facts, caller, self.view));
        let accepted = self.app.engine.subscribe(&incoming, &request);
        match accepted {
            Err(reply) => {
                graphql::count_refusals(&self.app, &request, reply.code.as_deref());
                Begun::Answered(reply)
            }
            Ok(Some(subscription)) => self.listen(name, frame, subscription, &incoming).await,
            Ok(None) => {
                let Some(_inside) = self.app.admission.enter() else { return overloaded() };
                let work = graphql::answer(&self.app, request, &incoming, &[]);
                Begun::Answered(self.app.admission.work(work).await)
            }
        }
    }

    /// Who it is at this moment; a use of the credential.
    async fn caller(&self) -> Result<Caller, Reply> {
        let reply = |status, error| ward_engine::reply(status, None, &[error], &[], false);
        let world = self.app.db.world();
        match self.held.identify(&self.app.db).await {
            Ok(Some(identified)) => {
                Ok(Caller { actor: identified.actor, session: identified.session, world })
            }
            Ok(None) => {
                self.outgoing.end(End::Revoked);
                Err(reply(200, RequestError::coded("UNAUTHENTICATED", "API Key is Invalid")))
            }
            Err(_) => Err(reply(503, unavailable())),
        }
    }

    async fn listen(
        &mut self,
        name: &str,
        frame: Frame,
        subscription: Subscription,
        incoming: &Incoming,
    ) -> Begun {
        if self.app.is_quarantined() {
            return refused(RequestError::coded(
                "QUARANTINED_INSTANCE",
                "This instance is quarantined: nothing is told. ward attest ends it.",
            ));
        }
        let size = |value: &serde_json::Value| value.to_string().len();
        let variables: usize = incoming.variables.values().map(size).sum();
        let weight = subscription.weight() + variables + name.len();
        let held: usize = self.listeners.iter().map(|(_, weight, _)| weight).sum();
        if self.listeners.len() >= SUBSCRIPTIONS
            || held + weight > HELD_BYTES
            || self.purse.held() + weight > self.app.live.of_person.bytes
        {
            return self.too_many();
        }
        let world = self.app.live.world();
        let Ok(seq) = self.last_number().await else { return refused(unavailable()) };
        if !self.hold(weight) {
            return overloaded();
        }
        let listener = Arc::new(Listener {
            number: self.app.live.number(),
            held: self.held.clone(),
            outgoing: self.outgoing.clone(),
            subscription,
            frame,
        });
        if !self.app.live.listen(self.person(), (world, seq), listener.clone()) {
            self.release(weight);
            return self.too_many();
        }
        self.listeners.push((name.into(), weight, listener));
        Begun::Listening
    }

    fn too_many(&self) -> Begun {
        let OfPerson { listeners, bytes, .. } = self.app.live.of_person;
        let of_person = match bytes {
            usize::MAX => String::new(),
            bytes => format!(", a person {listeners} of {} MiB", bytes >> 20),
        };
        refused(RequestError::coded(
            "TOO_MANY_SUBSCRIPTIONS",
            format!(
                "A socket has at most {SUBSCRIPTIONS} subscriptions of 1 MiB in all{of_person}; end others first."
            ),
        ))
    }

    /// The number of the organization's last event, which is not told.
    async fn last_number(&self) -> Result<i64, ward_store::StoreError> {
        let mut reader = self.app.db.read().await?;
        let numbers = events::last_numbers(&mut reader, &[self.org_id]).await?;
        Ok(numbers.first().map_or(0, |(_, seq)| *seq))
    }

    /// Whether an operation of that name listens.
    pub fn listens(&self, name: &str) -> bool {
        self.listeners.iter().any(|(known, _, _)| known.as_ref() == name)
    }

    /// Ends what listens under that name.
    pub fn end(&mut self, name: &str) {
        let (app, person, mut freed) = (&self.app, self.person(), 0);
        self.listeners.retain(|(known, weight, listener)| {
            let is_other = known.as_ref() != name;
            if !is_other {
                app.live.forget(person, listener);
                freed += weight;
            }
            is_other
        });
        self.release(freed);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        for (_, _, listener) in &self.listeners {
            self.app.live.forget(self.person(), listener);
        }
        self.release(self.holds);
        self.app.live.leave(self.number);
    }
}

fn unavailable() -> RequestError {
    RequestError::coded(
        "UNAVAILABLE",
        "The database can't take this request now; retry in a moment.",
    )
}

fn refused(error: RequestError) -> Begun {
    Begun::Answered(ward_engine::reply(200, None, &[error], &[], false))
}

fn overloaded() -> Begun {
    refused(RequestError::coded(
        "OVERLOADED",
        "The server has more requests than it can answer. Nothing was read; retry in a moment.",
    ))
}
