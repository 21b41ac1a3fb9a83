//! Writes: put, update, delete; alone, in batches, and all or nothing.

mod expired;
mod import;
mod many;
mod one;
mod plan;

pub(crate) use plan::Expired;

use crate::{Consumed, Error, Key};
use model::Image;
use model::expression::{Bound, Condition, Update};
use store::{Commit, Slice};

/// What to do to one item.
#[derive(Clone, Debug)]
pub struct Write {
    pub action: Action,
    pub condition: Option<Bound<Condition>>,
}

#[derive(Clone, Debug)]
pub enum Action {
    Put(Image),
    /// Without an update, the item is made to exist.
    Update {
        key: Key,
        update: Option<Bound<Update>>,
    },
    Delete(Key),
    /// Nothing, if the condition holds: of transactions.
    Check(Key),
}

/// What a write did. Answer when `commit` is ready.
#[derive(Debug)]
pub struct Written {
    /// The image of the item before.
    pub old: Option<Slice>,
    /// The image of the item now.
    pub new: Option<Slice>,
    /// Whether anything changed: a write that changes nothing leaves no record.
    pub changed: bool,
    pub consumed: Consumed,
    pub commit: Commit,
}

/// Several writes, in the order given; `commit` covers them all. Those of the parts are ready.
#[derive(Debug)]
pub struct BatchWritten {
    pub writes: Vec<Written>,
    /// The places of those that were not done for want of throughput: of batches.
    pub left: Vec<usize>,
    pub commit: Commit,
}

/// A client's name for a transaction: asked for again within ten minutes, it is not done again.
#[derive(Clone, Debug)]
pub struct Token {
    /// Unique among everybody's: whose it is, and what they called it.
    pub name: Vec<u8>,
    /// Of everything that was asked for.
    pub digest: [u8; 32],
}

/// What became of a transaction.
#[derive(Debug)]
pub enum Transacted {
    Now(BatchWritten),
    /// It was done before, under its token. Answer when the commit is ready.
    Before(Commit),
}

/// Why a write did not happen. Answer when `after` is ready: it may rest on what is not durable yet.
#[derive(Debug)]
pub struct Refused {
    pub error: Error,
    pub after: Commit,
    /// Of a transaction: one for each write, `None` where that one was not the reason.
    pub reasons: Vec<Option<Error>>,
}

impl From<Error> for Refused {
    fn from(error: Error) -> Refused {
        Refused { error, after: Commit::ready(), reasons: Vec::new() }
    }
}

impl From<store::Error> for Refused {
    fn from(error: store::Error) -> Refused {
        Error::from(error).into()
    }
}
