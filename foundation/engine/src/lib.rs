//! The GraphQL engine: two views of one contract, plans, batched execution,
//! bytes. Domains bind contract fields to tables and functions; what is not
//! bound is not served.
//!
//! Absent on purpose: any name of a domain, any HTTP, any environment check.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod after;
mod bindings;
mod bound;
mod cache;
mod call;
mod causation;
mod connections;
mod document;
mod engine;
pub mod errands;
mod exec;
mod grouping;
mod halt;
mod input;
mod instant;
mod introspect;
mod kept;
mod level;
mod listing;
mod live;
mod measure;
pub mod moment;
mod mutate;
mod noting;
mod one_of;
mod outcome;
mod paging;
mod payload;
mod plan;
mod planner;
mod reactions;
mod reads;
mod scalar;
mod share;
mod store_failure;
mod subscribe;
pub mod sweeps;
mod trail;
mod values;
mod version;
mod view;
mod wording;
pub mod work;
mod write;
mod write_pages;

pub use bindings::{Bindings, Input, Payload};
pub use bound::{
    AfterFn, Args, BatchFn, Bound, ComputeFn, Link, MutationBinding, OrderOption, Resolve, Returns,
    RowView, RowsBinding, Shape,
};
pub use call::{Call, RefusedCodes, Request, Upload};
pub use engine::{Engine, Incoming, MAX_COMPLEXITY, Reply, reply};
pub use input::{
    FromIn, Given, In, Kind, ListItem, UploadedFile, last_step, member, parse_id, wire_name,
};
pub use instant::{Clock, baseline_instant, iso_instant};
pub use listing::Listing;
pub use live::{FindFn, Happening, HearsFn, SubscriptionBinding, TopicFn};
pub use outcome::{Answer, DENIED, FieldProblem, Permission, Problems, Refused, RequestError};
pub use reads::{Reads, log as log_reads};
pub use scalar::{Leaf, Out};
pub use subscribe::Subscription;
pub use trail::{Noted, Trail};
pub use values::UPLOAD;
pub use version::{Chosen, LATEST, PUBLISHED, ViewId, choose};
pub use view::{PAGING, View, prune};
pub use ward_instance::IdCodec;
pub use work::Work;
