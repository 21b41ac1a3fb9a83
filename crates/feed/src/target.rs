//! Where batches go: a function, or rows. A lane hands over one batch at a time and waits for what became of it.

use crate::lane::{DropReason, Outcome};
use crate::mapping::Mapping;
use crate::window::Frame;
use bytes::Bytes;
use engine::stream::Record;
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use world::Timestamp;

pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A record as a target is handed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    pub sequence: u64,
    /// The record as the target encoded it.
    pub encoded: Bytes,
}

/// Records of one shard, in order.
#[derive(Clone, Debug)]
pub struct Batch {
    pub mapping: Arc<Mapping>,
    pub shard: Arc<str>,
    /// One of the shard's, each of which has one batch in flight.
    pub lane: usize,
    pub records: Vec<Delivered>,
    /// How often the target has been handed this batch, this time included.
    pub attempt: u32,
    /// The window they lie in. The last batch of a window has no records.
    pub frame: Option<Frame>,
}

/// What a target did with a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub outcome: Outcome,
    /// What the mapping's owner reads about it, unless all is well.
    pub problem: Option<&'static str>,
    /// What the target said about its failure, for who looks into it.
    pub error: Option<String>,
    /// Of a target that ran: what its run is known by.
    pub report: Option<Report>,
    /// Of a mapping with windows: what the target wants to be handed with the next batch.
    pub state: Option<Bytes>,
    /// Whether the batch that was laid ready behind this one is in flight.
    pub followed: bool,
}

/// One run of a target, as records that are given up tell of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub request_id: String,
    pub version: String,
    /// `Unhandled`, unless the target ran well and named records that failed.
    pub error: Option<String>,
}

/// A record that is given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buried {
    pub sequence: u64,
    pub created: Timestamp,
    pub encoded: Bytes,
}

/// Records of one shard that are given up, in order.
#[derive(Clone, Debug)]
pub struct Letter {
    pub mapping: Arc<Mapping>,
    pub shard: Arc<str>,
    pub records: Vec<Buried>,
    pub reason: DropReason,
    /// How often the target ran on them.
    pub invocations: u32,
    /// The last run.
    pub report: Option<Report>,
}

/// Takes what targets do not.
pub trait Destination: Send + Sync {
    /// Done once the letter is safe; tried again later otherwise.
    fn bury(&self, letter: Letter) -> BoxFuture<'_, Result<(), String>>;
}

impl Delivery {
    pub fn of(outcome: Outcome) -> Delivery {
        let problem = match outcome {
            Outcome::Accepted => None,
            Outcome::Partly(_) | Outcome::Refused | Outcome::Unavailable => Some(PROBLEM_CALL),
        };
        Delivery { outcome, problem, error: None, report: None, state: None, followed: false }
    }
}

pub(crate) const PROBLEM_CALL: &str = "Function call failed";
pub(crate) const PROBLEM_INTERNAL: &str = "internal Lambda error. Please contact Lambda customer support.";

/// Takes batches.
pub trait Target: Send + Sync {
    /// Appends a record in the form it will be handed over in: what batches are measured by.
    fn encode(&self, record: &Record, out: &mut Vec<u8>) -> Result<(), String>;

    fn deliver(&self, batch: Batch) -> BoxFuture<'_, Delivery>;

    /// Lays a batch ready behind the one of the same lane that is in flight, to depart by itself when that one is
    /// accepted whole. `None` from a target that does not do so now; what is given stands for nothing until the
    /// delivery before it says `followed`.
    fn follow(self: Arc<Self>, _batch: Batch) -> Option<BoxFuture<'static, Option<Delivery>>> {
        None
    }

    /// Takes back what was laid ready in a lane, unless it has departed.
    fn withdraw(&self, _shard: &Arc<str>, _lane: usize) {}

    /// Ready when a target that could not be reached may have come back.
    fn changed(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }
}

/// Makes the target of a mapping.
pub trait Targets: Send + Sync {
    fn target(&self, mapping: &Mapping) -> Arc<dyn Target>;

    /// Where records go that are given up; none where the mapping names none.
    fn destination(&self, _mapping: &Mapping) -> Option<Arc<dyn Destination>> {
        None
    }
}
