//! Who is connected and who listens to what.

mod back;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use ward_engine::Subscription;
use ward_identity::Held;

use super::budget::{Budget, OF_PERSON, OfPerson, Purse};
use super::outgoing::{self, End, Outgoing};

/// Sockets of the process.
const SOCKETS: usize = 10_000;
/// Sockets of one organization.
const SOCKETS_OF_ORGANIZATION: usize = 5_000;
/// Sockets of one person, unless the instance says otherwise.
pub const SOCKETS_OF_PERSON: usize = 50;
/// Sockets of one address whose credential was not accepted yet.
const WAITING_OF_ADDRESS: usize = 100;
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
    user_id: i64,
    held: Arc<Held>,
    outgoing: Arc<Outgoing>,
}

/// What one person has open.
struct Person {
    sockets: usize,
    listeners: usize,
    purse: Arc<Purse>,
}

/// An open socket.
struct Open {
    outgoing: Arc<Outgoing>,
    /// Where it is from, until its credential is accepted.
    waits: Option<Box<str>>,
}

/// A credential with the queues of its sockets.
pub type InUse = (Arc<Held>, Vec<Arc<Outgoing>>);

/// The listeners of one organization.
#[derive(Default)]
struct Organization {
    /// The number of the last event that was told; none while nobody listens in this world.
    seq: Option<i64>,
    by_topic: HashMap<(&'static str, i64), Vec<Arc<Listener>>>,
    listeners: usize,
}

#[derive(Default)]
struct Inner {
    /// Every open socket, accepted or not yet.
    open: HashMap<u64, Open>,
    /// How many wait for their credential to be accepted, by where they are from.
    waiting: HashMap<Box<str>, usize>,
    sockets: HashMap<u64, Socket>,
    people: HashMap<i64, Person>,
    of_organization: HashMap<i64, usize>,
    organizations: HashMap<i64, Organization>,
    /// How often a Sandbox went back.
    world: u64,
    is_closing: bool,
}

impl Inner {
    /// The socket does not wait any more.
    fn stop_waiting(&mut self, from: Option<Box<str>>) {
        let Some(from) = from else { return };
        if let Some(count) = self.waiting.get_mut(&from) {
            *count -= 1;
            if *count == 0 {
                self.waiting.remove(&from);
            }
        }
    }
}

/// The hub of a process.
pub struct Hub {
    inner: Mutex<Inner>,
    numbers: AtomicU64,
    /// Events may be there to be told.
    pub woken: Notify,
    /// Bytes that wait for all sockets.
    pub budget: Arc<Budget>,
    /// Bytes that sockets hold.
    held: Arc<Budget>,
    /// What a person may have open.
    pub of_person: OfPerson,
    /// Answers handed to sockets.
    pub told: AtomicU64,
}

/// A place among the process's sockets, given back when dropped.
pub struct Place(Arc<Hub>, u64);

impl Place {
    /// Its number in the process.
    pub fn number(&self) -> u64 {
        self.1
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inner = self.0.inner.lock();
        let gone = inner.open.remove(&self.1);
        inner.stop_waiting(gone.and_then(|open| open.waits));
    }
}

impl Hub {
    /// With so many sockets of a person at most; 0 for no bound of a person's own.
    pub fn new(sockets_of_person: usize) -> Self {
        Hub {
            inner: Mutex::default(),
            numbers: AtomicU64::new(0),
            woken: Notify::new(),
            budget: Arc::new(outgoing::budget()),
            held: Arc::new(Purse::budget()),
            of_person: OfPerson::of(sockets_of_person),
            told: AtomicU64::new(0),
        }
    }

    /// A place for one more socket from an address, if there is one and the
    /// server is not stopping.
    pub fn enter(self: &Arc<Self>, address: &str, outgoing: &Arc<Outgoing>) -> Option<Place> {
        let from = neighbourhood(address);
        let mut inner = self.inner.lock();
        if inner.is_closing || inner.open.len() >= SOCKETS {
            return None;
        }
        let waiting = inner.waiting.entry(from.clone()).or_default();
        if *waiting >= WAITING_OF_ADDRESS {
            return None;
        }
        *waiting += 1;
        let number = self.number();
        inner.open.insert(number, Open { outgoing: outgoing.clone(), waits: Some(from) });
        Some(Place(self.clone(), number))
    }

    /// What a socket holds of the common bytes before it is a person's.
    pub fn purse(&self) -> Purse {
        Purse::new(self.held.clone(), OF_PERSON)
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

    /// Admits the socket of a place whose credential was accepted: what its
    /// person holds; nothing when they, or their organization, have as many as
    /// they may have.
    pub fn admit(
        &self,
        place: &Place,
        (org_id, user_id): (i64, i64),
        held: Arc<Held>,
        outgoing: Arc<Outgoing>,
    ) -> Option<Arc<Purse>> {
        let mut inner = self.inner.lock();
        let of_organization = inner.of_organization.get(&org_id).copied().unwrap_or_default();
        let of_person = inner.people.get(&user_id).map_or(0, |person| person.sockets);
        if of_organization >= SOCKETS_OF_ORGANIZATION || of_person >= self.of_person.sockets {
            return None;
        }
        let waited = inner.open.get_mut(&place.1).and_then(|open| open.waits.take());
        inner.stop_waiting(waited);
        *inner.of_organization.entry(org_id).or_default() += 1;
        inner.sockets.insert(place.1, Socket { org_id, user_id, held, outgoing });
        let person = inner.people.entry(user_id).or_insert_with(|| Person {
            sockets: 0,
            listeners: 0,
            purse: Arc::new(Purse::new(self.held.clone(), self.of_person.bytes)),
        });
        person.sockets += 1;
        Some(person.purse.clone())
    }

    /// The socket is gone; its listeners were taken away before.
    pub fn leave(&self, socket: u64) {
        let mut inner = self.inner.lock();
        let Some(gone) = inner.sockets.remove(&socket) else { return };
        if let Some(person) = inner.people.get_mut(&gone.user_id) {
            person.sockets -= 1;
            if person.sockets == 0 {
                inner.people.remove(&gone.user_id);
            }
        }
        if let Some(count) = inner.of_organization.get_mut(&gone.org_id) {
            *count -= 1;
            if *count == 0 {
                inner.of_organization.remove(&gone.org_id);
            }
        }
    }

    /// From now on the listener is told; false when its person has as many as
    /// they may have. `seq` is the number of the organization's last event, read
    /// before, in the world that was then: in another the socket is ending.
    pub fn listen(
        &self,
        (org_id, user_id): (i64, i64),
        (world, seq): (u64, i64),
        listener: Arc<Listener>,
    ) -> bool {
        let topic = (listener.subscription.field(), listener.subscription.topic());
        let mut inner = self.inner.lock();
        if inner.world != world {
            return false;
        }
        match inner.people.get_mut(&user_id) {
            Some(person) if person.listeners < self.of_person.listeners => person.listeners += 1,
            _ => return false,
        }
        let organization = inner.organizations.entry(org_id).or_default();
        organization.seq.get_or_insert(seq);
        organization.listeners += 1;
        organization.by_topic.entry(topic).or_default().push(listener);
        true
    }

    /// From now on it is not.
    pub fn forget(&self, (org_id, user_id): (i64, i64), listener: &Listener) {
        let topic = (listener.subscription.field(), listener.subscription.topic());
        let mut inner = self.inner.lock();
        if let Some(person) = inner.people.get_mut(&user_id) {
            person.listeners = person.listeners.saturating_sub(1);
        }
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
            inner.open.values().for_each(|open| open.outgoing.end(End::Restart));
        }
        let gone = async {
            while self.sockets() > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let _ = tokio::time::timeout(FAREWELL, gone).await;
    }
}

/// Whom an address counts with: one household or office has a whole /64 of IPv6.
fn neighbourhood(address: &str) -> Box<str> {
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64").into()
        }
        _ => address.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_bounded_number_of_sockets_that_wait() {
        let hub = Arc::new(Hub::new(0));
        let enter = |address: &str| {
            let outgoing = Arc::new(Outgoing::new(hub.budget.clone()));
            hub.enter(address, &outgoing)
        };
        // Each with an address of its own, all of one network.
        let mut places: Vec<Place> =
            (0..100).filter_map(|n| enter(&format!("2001:db8:0:7::{n:x}"))).collect();
        assert_eq!(places.len(), 100);
        assert!(enter("2001:db8:0:7:ffff::1").is_none());
        assert!(enter("2001:db8:0:8::1").is_some() && enter("192.0.2.1").is_some());
        places.pop();
        assert!(enter("2001:db8:0:7:ffff::1").is_some(), "one has gone");
        drop(places);
        assert!(hub.inner.lock().waiting.is_empty());
    }
}
