//! What a subscription field is bound to: which events concern it, whose
//! subscribers they reach, and the row that each of them is answered from
//! (behaviour 12).

use futures_util::future::BoxFuture;
use ward_store::events::StoredEvent;
use ward_store::{Level, Query, StoreError, Table};

use crate::bindings::Bindings;
use crate::bound::{Args, Bound, ListingFn, Resolve};
use crate::call::Request;
use crate::outcome::Answer;

/// What an event touches, for one subscription field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Happening {
    /// Whose subscribers are concerned: what [`TopicFn`] answered for them.
    pub topic: i64,
    /// The id of the payload's row. Each subscriber reads it with their own
    /// eyes; whoever does not see it hears nothing.
    pub row: i64,
}

impl Happening {
    /// The event's own record, whose id is the topic too.
    pub fn of_record(event: &StoredEvent) -> Vec<Happening> {
        vec![Happening { topic: event.resource_id, row: event.resource_id }]
    }
}

/// The topic of a subscription by its arguments and its caller: the id of a
/// conversation, of the caller. It looks nothing up, so it can't tell what is
/// there; who may hear is decided event by event.
pub type TopicFn = fn(&Request, &Args) -> Answer<i64>;

/// Whether a subscriber wants to hear of an event of their topic.
pub type HearsFn = fn(&Request, &Args, &StoredEvent) -> bool;

/// What an event touches. It reads ids only, as nobody in particular, and
/// within the event's organization.
pub type FindFn = for<'a> fn(
    &'a StoredEvent,
    &'a mut dyn Query,
) -> BoxFuture<'a, Result<Vec<Happening>, StoreError>>;

/// Kinds of events that concern a subscription field.
#[derive(Clone, Copy)]
pub(crate) struct Source {
    pub(crate) kinds: &'static [&'static str],
    pub(crate) find: FindFn,
}

/// A subscription field.
#[derive(Clone)]
pub struct SubscriptionBinding {
    pub(crate) field: &'static str,
    pub(crate) table: &'static Table,
    pub(crate) topic: TopicFn,
    pub(crate) hears: Option<HearsFn>,
    pub(crate) listing: Option<ListingFn>,
}

impl Bindings {
    /// A subscription whose payload is a row of the table. [`Bindings::feed`]
    /// says which events concern it; [`Bound::listing`] narrows the rows by the
    /// arguments, and [`Bound::hears`] the events.
    pub fn subscription(
        &mut self,
        field: &'static str,
        table: &'static Table,
        topic: TopicFn,
    ) -> &mut Bound {
        let binding = SubscriptionBinding { field, table, topic, hears: None, listing: None };
        self.bind("Subscription", field, Bound::new(Resolve::Subscription(binding), Level::None))
    }

    /// Events of these kinds concern the subscription field; `find` says whom
    /// and with which row. A field may have several, from several domains.
    pub fn feed(
        &mut self,
        field: &'static str,
        kinds: &'static [&'static str],
        find: FindFn,
    ) -> &mut Self {
        self.feeds.entry(field).or_default().push(Source { kinds, find });
        self
    }

    /// The subscription fields that events of a kind concern, in order.
    pub fn hearing(&self, kind: &str) -> Vec<&'static str> {
        let hears = |source: &Source| source.kinds.contains(&kind);
        let mut fields: Vec<_> = self
            .feeds
            .iter()
            .filter(|(_, sources)| sources.iter().any(hears))
            .map(|(field, _)| *field)
            .collect();
        fields.sort_unstable();
        fields
    }

    /// What an event touches of a subscription field; each pair of topic and row once.
    pub async fn happenings(
        &self,
        field: &str,
        event: &StoredEvent,
        conn: &mut dyn Query,
    ) -> Result<Vec<Happening>, StoreError> {
        let mut all: Vec<Happening> = Vec::new();
        let sources = self.feeds.get(field).map(Vec::as_slice).unwrap_or_default();
        for source in sources.iter().filter(|source| source.kinds.contains(&event.kind.as_str())) {
            for found in (source.find)(event, conn).await? {
                if !all.contains(&found) {
                    all.push(found);
                }
            }
        }
        Ok(all)
    }
}

impl Bound {
    /// Which events a subscriber hears, beyond those of their topic.
    pub fn hears(&mut self, hears: HearsFn) -> &mut Self {
        if let Resolve::Subscription(binding) = &mut self.resolve {
            binding.hears = Some(hears);
        }
        self
    }
}
