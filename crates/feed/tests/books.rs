//! Targets that do what they are told, and write down what happened.

use bytes::Bytes;
use engine::stream::Record;
use feed::{Batch, BoxFuture, Delivery, Destination, Letter, Mapping, Outcome, Target, Targets};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// What happened to a mapping's records, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    Handed(Vec<u64>),
    Accepted(Vec<u64>),
    Buried(Vec<u64>),
}

/// What is in flight to a mapping's target or destination.
pub enum Flight {
    Batch(Vec<u64>, oneshot::Sender<Delivery>),
    Letter(Vec<u64>, oneshot::Sender<Result<(), String>>),
}

#[derive(Default)]
pub struct Book {
    pub log: Vec<Happened>,
    pub flights: Vec<Flight>,
}

/// The books of all mappings, by the name of their target.
#[derive(Clone, Default)]
pub struct Books(Arc<Mutex<BTreeMap<String, Book>>>);

impl Books {
    pub fn open(&self) -> MutexGuard<'_, BTreeMap<String, Book>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a flight land. A refusal may come with any sequence, sensible or not.
    pub fn land(&self, name: &str, flight: Flight, outcome: Outcome) {
        let mut books = self.open();
        let log = &mut books.entry(name.to_owned()).or_default().log;
        match flight {
            Flight::Batch(sequences, reply) => {
                let count = match outcome {
                    Outcome::Accepted => sequences.len(),
                    Outcome::Partly(first) => sequences.partition_point(|sequence| *sequence < first),
                    Outcome::Refused | Outcome::Unavailable => 0,
                };
                log.push(Happened::Accepted(sequences[..count].to_vec()));
                let _ = reply.send(Delivery::of(outcome));
            }
            Flight::Letter(sequences, reply) if outcome == Outcome::Accepted => {
                log.push(Happened::Buried(sequences));
                let _ = reply.send(Ok(()));
            }
            Flight::Letter(_, reply) => drop(reply.send(Err("no room".to_owned()))),
        }
    }
}

impl Targets for Books {
    fn target(&self, mapping: &Mapping) -> Arc<dyn Target> {
        Arc::new(Desk { books: self.clone(), name: mapping.target.clone() })
    }

    fn destination(&self, mapping: &Mapping) -> Option<Arc<dyn Destination>> {
        mapping.on_failure.as_ref()?;
        Some(Arc::new(Desk { books: self.clone(), name: mapping.target.clone() }))
    }
}

struct Desk {
    books: Books,
    name: String,
}

impl Desk {
    fn depart(&self, flight: Flight) {
        let mut books = self.books.open();
        let book = books.entry(self.name.clone()).or_default();
        if let Flight::Batch(sequences, _) = &flight {
            book.log.push(Happened::Handed(sequences.clone()));
        }
        book.flights.push(flight);
    }
}

impl Target for Desk {
    fn encode(&self, record: &Record) -> Result<Bytes, String> {
        Ok(vec![0; record.bytes()].into())
    }

    fn deliver(&self, batch: Batch) -> BoxFuture<'_, Delivery> {
        let (reply, landed) = oneshot::channel();
        let sequences = batch.records.iter().map(|record| record.sequence).collect();
        self.depart(Flight::Batch(sequences, reply));
        Box::pin(async move { landed.await.unwrap_or_else(|_| Delivery::of(Outcome::Unavailable)) })
    }
}

impl Destination for Desk {
    fn bury(&self, letter: Letter) -> BoxFuture<'_, Result<(), String>> {
        let (reply, landed) = oneshot::channel();
        let sequences = letter.records.iter().map(|record| record.sequence).collect();
        self.depart(Flight::Letter(sequences, reply));
        Box::pin(async move { landed.await.unwrap_or_else(|_| Err("gone".to_owned())) })
    }
}
