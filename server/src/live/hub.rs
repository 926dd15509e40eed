//! Who is connected and who listens to what.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use ward_engine::Subscription;
use ward_identity::Held;

use super::outgoing::{Budget, End, Outgoing};

/// Sockets of the process.
const SOCKETS: usize = 10_000;
/// Sockets of one organization.
const SOCKETS_OF_ORGANIZATION: usize = 5_000;
/// How long sockets get for their farewells when the server stops.
const FAREWELL: Duration = Duration::from_secs(6);

/// How a listener's messages are framed, its name in JSON already.
#[derive(Debug)]
pub enum Frame {
    /// ActionCable, with the identifier of the channel.
    Cable(Box<str>),
    /// graphql-transport-ws, with the operation's id.
    Transport(Box<str>),
}

impl Frame {
    /// A message that carries the JSON of an answer.
    pub fn carry(&self, answer: &str) -> String {
        match self {
            Frame::Cable(identifier) => format!(
                "{{\"identifier\":{identifier},\"message\":{{\"more\":true,\"result\":{answer}}}}}"
            ),
            Frame::Transport(id) => {
                format!("{{\"id\":{id},\"type\":\"next\",\"payload\":{answer}}}")
            }
        }
    }
}

/// A subscription of a socket.
pub struct Listener {
    /// Its number in the process.
    pub number: u64,
    /// Whose it is.
    pub held: Arc<Held>,
    /// The socket's queue.
    pub outgoing: Arc<Outgoing>,
    /// What it asked for.
    pub subscription: Subscription,
    /// How it is told.
    pub frame: Frame,
}

/// An accepted credential's socket.
struct Socket {
    org_id: i64,
    held: Arc<Held>,
    outgoing: Arc<Outgoing>,
}

/// A credential with the queues of its sockets.
pub type InUse = (Arc<Held>, Vec<Arc<Outgoing>>);

/// The listeners of one organization.
#[derive(Default)]
struct Organization {
    /// The number of the last event that was told.
    seq: i64,
    by_topic: HashMap<(&'static str, i64), Vec<Arc<Listener>>>,
    listeners: usize,
}

#[derive(Default)]
struct Inner {
    /// Every open socket, accepted or not yet.
    open: HashMap<u64, Arc<Outgoing>>,
    sockets: HashMap<u64, Socket>,
    of_organization: HashMap<i64, usize>,
    organizations: HashMap<i64, Organization>,
    is_closing: bool,
}

/// The hub of a process.
#[derive(Default)]
pub struct Hub {
    inner: Mutex<Inner>,
    numbers: AtomicU64,
    /// Events may be there to be told.
    pub woken: Notify,
    /// Bytes that wait for all sockets.
    pub budget: Arc<Budget>,
    /// Answers handed to sockets.
    pub told: AtomicU64,
}

/// A place among the process's sockets, given back when dropped.
pub struct Place(Arc<Hub>, u64);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.inner.lock().open.remove(&self.1);
    }
}

impl Hub {
    /// A place for one more socket, if there is one and the server is not stopping.
    pub fn enter(self: &Arc<Self>, outgoing: &Arc<Outgoing>) -> Option<Place> {
        let mut inner = self.inner.lock();
        if inner.is_closing || inner.open.len() >= SOCKETS {
            return None;
        }
        let number = self.number();
        inner.open.insert(number, outgoing.clone());
        Some(Place(self.clone(), number))
    }

    /// A number that this process gave to nobody yet.
    pub fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// Sockets that are open.
    pub fn sockets(&self) -> usize {
        self.inner.lock().open.len()
    }

    /// Subscriptions that listen.
    pub fn listeners(&self) -> usize {
        self.inner.lock().organizations.values().map(|organization| organization.listeners).sum()
    }

    /// Admits a socket whose credential was accepted; false when its
    /// organization has as many as it may have.
    pub fn admit(
        &self,
        socket: u64,
        org_id: i64,
        held: Arc<Held>,
        outgoing: Arc<Outgoing>,
    ) -> bool {
        let mut inner = self.inner.lock();
        let count = inner.of_organization.entry(org_id).or_default();
        if *count >= SOCKETS_OF_ORGANIZATION {
            return false;
        }
        *count += 1;
        inner.sockets.insert(socket, Socket { org_id, held, outgoing });
        true
    }

    /// The socket is gone; its listeners were taken away before.
    pub fn leave(&self, socket: u64) {
        let mut inner = self.inner.lock();
        let Some(gone) = inner.sockets.remove(&socket) else { return };
        if let Some(count) = inner.of_organization.get_mut(&gone.org_id) {
            *count -= 1;
            if *count == 0 {
                inner.of_organization.remove(&gone.org_id);
            }
        }
    }

    /// From now on the listener is told. `seq` is the number of the
    /// organization's last event, read before.
    pub fn listen(&self, org_id: i64, seq: i64, listener: Arc<Listener>) {
        let topic = (listener.subscription.field(), listener.subscription.topic());
        let mut inner = self.inner.lock();
        let organization = inner
            .organizations
            .entry(org_id)
            .or_insert_with(|| Organization { seq, ..Organization::default() });
        organization.listeners += 1;
        organization.by_topic.entry(topic).or_default().push(listener);
    }

    /// From now on it is not.
    pub fn forget(&self, org_id: i64, listener: &Listener) {
        let topic = (listener.subscription.field(), listener.subscription.topic());
        let mut inner = self.inner.lock();
        let Some(organization) = inner.organizations.get_mut(&org_id) else { return };
        let Some(listeners) = organization.by_topic.get_mut(&topic) else { return };
        let before = listeners.len();
        listeners.retain(|known| known.number != listener.number);
        organization.listeners -= before - listeners.len();
        if listeners.is_empty() {
            organization.by_topic.remove(&topic);
        }
        if organization.listeners == 0 {
            inner.organizations.remove(&org_id);
        }
    }

    /// The organizations with listeners, and the number of the last event that
    /// each was told.
    pub fn places(&self) -> Vec<(i64, i64)> {
        let inner = self.inner.lock();
        inner.organizations.iter().map(|(org_id, it)| (*org_id, it.seq)).collect()
    }

    /// An event was told.
    pub fn passed(&self, org_id: i64, seq: i64) {
        if let Some(organization) = self.inner.lock().organizations.get_mut(&org_id) {
            organization.seq = organization.seq.max(seq);
        }
    }

    /// Whether anybody listens to the field.
    pub fn is_heard(&self, org_id: i64, field: &'static str) -> bool {
        let inner = self.inner.lock();
        let organization = inner.organizations.get(&org_id);
        organization.is_some_and(|it| it.by_topic.keys().any(|(known, _)| *known == field))
    }

    /// Who listens to a topic of the field.
    pub fn listening(&self, org_id: i64, field: &'static str, topic: i64) -> Vec<Arc<Listener>> {
        let inner = self.inner.lock();
        let organization = inner.organizations.get(&org_id);
        organization.and_then(|it| it.by_topic.get(&(field, topic))).cloned().unwrap_or_default()
    }

    /// The credentials of all sockets, each once, with the queues of their sockets.
    pub fn credentials(&self) -> Vec<InUse> {
        let mut by_credential: HashMap<(Box<str>, Box<str>), InUse> = HashMap::new();
        for socket in self.inner.lock().sockets.values() {
            by_credential
                .entry((socket.held.name().into(), socket.held.address().into()))
                .or_insert_with(|| (socket.held.clone(), Vec::new()))
                .1
                .push(socket.outgoing.clone());
        }
        by_credential.into_values().collect()
    }

    /// Ends every socket of an organization.
    pub fn end_all_of(&self, org_id: i64, end: End) {
        for socket in self.inner.lock().sockets.values().filter(|it| it.org_id == org_id) {
            socket.outgoing.end(end);
        }
    }

    /// Ends every socket so that its client comes back, lets no new one in, and
    /// waits until all are gone, for a few seconds at most.
    pub async fn close(&self) {
        {
            let mut inner = self.inner.lock();
            inner.is_closing = true;
            inner.open.values().for_each(|outgoing| outgoing.end(End::Restart));
        }
        let gone = async {
            while self.sockets() > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let _ = tokio::time::timeout(FAREWELL, gone).await;
    }
}
