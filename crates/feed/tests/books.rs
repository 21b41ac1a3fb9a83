//! Targets that do what they are told, and write down what happened.

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
    /// Accepted in a window.
    Windowed(Vec<u64>),
    /// The end of a window was accepted, with the records that its state has seen.
    Closed(Vec<u64>),
    Buried(Vec<u64>),
}

/// A shard's name, and which of its lanes.
pub type Lane = (Arc<str>, usize);

/// What is in flight to a mapping's target or destination.
pub enum Flight {
    /// With the records that the window's state has seen, if there is a window.
    Batch(Vec<u64>, Option<Vec<u64>>, Lane, oneshot::Sender<Delivery>),
    Letter(Vec<u64>, oneshot::Sender<Result<(), String>>),
}

#[derive(Default)]
pub struct Book {
    pub log: Vec<Happened>,
    pub flights: Vec<Flight>,
    /// What lies ready behind a lane's flight.
    ready: BTreeMap<Lane, (Vec<u64>, oneshot::Sender<Delivery>)>,
}

impl Book {
    /// Whoever sent them is gone.
    pub fn forget(&mut self) {
        self.flights.clear();
        self.ready.clear();
    }
}

/// The books of all mappings, by the name of their target.
#[derive(Clone, Default)]
pub struct Books(Arc<Mutex<BTreeMap<String, Book>>>);

impl Books {
    pub fn open(&self) -> MutexGuard<'_, BTreeMap<String, Book>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a flight land. A refusal may come with any sequence, sensible or not. What lies ready behind one that is
    /// accepted may depart.
    pub fn land(&self, name: &str, flight: Flight, outcome: Outcome, departs: bool) {
        let mut books = self.open();
        let Book { log, flights, ready } = books.entry(name.to_owned()).or_default();
        match flight {
            Flight::Batch(sequences, seen, lane, reply) => {
                let count = match outcome {
                    Outcome::Accepted => sequences.len(),
                    Outcome::Partly(first) => sequences.partition_point(|sequence| *sequence < first),
                    Outcome::Refused | Outcome::Unavailable => 0,
                };
                let accepted = sequences[..count].to_vec();
                let next = ready.remove(&lane).filter(|_| departs && outcome == Outcome::Accepted);
                let Some(mut seen) = seen else {
                    log.push(Happened::Accepted(accepted));
                    let followed = next.is_some();
                    if let Some((sequences, reply)) = next {
                        log.push(Happened::Handed(sequences.clone()));
                        flights.push(Flight::Batch(sequences, None, lane, reply));
                    }
                    let _ = reply.send(Delivery { followed, ..Delivery::of(outcome) });
                    return;
                };
                if sequences.is_empty() && outcome == Outcome::Accepted {
                    log.push(Happened::Closed(seen.clone()));
                }
                seen.extend(&accepted);
                log.push(Happened::Windowed(accepted));
                let state = serde_json::to_vec(&seen).expect("numbers");
                let _ = reply.send(Delivery { state: Some(state.into()), ..Delivery::of(outcome) });
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
        if let Flight::Batch(sequences, ..) = &flight {
            book.log.push(Happened::Handed(sequences.clone()));
        }
        book.flights.push(flight);
    }
}

impl Target for Desk {
    fn encode(&self, record: &Record, out: &mut Vec<u8>) -> Result<(), String> {
        out.resize(out.len() + record.bytes(), 0);
        Ok(())
    }

    fn deliver(&self, batch: Batch) -> BoxFuture<'_, Delivery> {
        let (reply, landed) = oneshot::channel();
        let sequences: Vec<u64> = batch.records.iter().map(|record| record.sequence).collect();
        let seen = batch.frame.map(|frame| match &frame.state[..] {
            b"{}" => Vec::new(),
            state => serde_json::from_slice::<Vec<u64>>(state).expect("what was answered before"),
        });
        let twice = sequences.iter().find(|sequence| seen.iter().flatten().any(|seen| seen == *sequence));
        assert_eq!(twice, None, "{}: a record comes with a state that has seen it", self.name);
        self.depart(Flight::Batch(sequences, seen, (batch.shard, batch.lane), reply));
        Box::pin(async move { landed.await.unwrap_or_else(|_| Delivery::of(Outcome::Unavailable)) })
    }

    fn follow(self: Arc<Self>, batch: Batch) -> Option<BoxFuture<'static, Option<Delivery>>> {
        assert!(batch.frame.is_none(), "a window's state is not known before");
        let (reply, landed) = oneshot::channel();
        let sequences = batch.records.iter().map(|record| record.sequence).collect();
        let lane = (batch.shard, batch.lane);
        let mut books = self.books.open();
        let book = books.entry(self.name.clone()).or_default();
        // The one before it may have landed without its sender having heard so: too late.
        let is_behind = |flight: &Flight| matches!(flight, Flight::Batch(_, _, flying, _) if *flying == lane);
        if !book.flights.iter().any(is_behind) {
            return None;
        }
        let before = book.ready.insert(lane, (sequences, reply));
        assert!(before.is_none(), "one lies ready at a time");
        Some(Box::pin(async move { landed.await.ok() }))
    }

    fn withdraw(&self, shard: &Arc<str>, lane: usize) {
        self.books.open().entry(self.name.clone()).or_default().ready.remove(&(shard.clone(), lane));
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
