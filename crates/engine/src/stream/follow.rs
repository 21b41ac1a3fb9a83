use crate::stream::{Changed, Position, Record, Sequence, Stream};
use crate::{Engine, Error, ErrorKind};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use world::Timestamp;

/// Reads all shards of a stream as one, in commit order.
#[derive(Debug)]
pub struct Follow {
    engine: Engine,
    stream: Arc<Stream>,
    after: Sequence,
    since: Timestamp,
    /// The stream's version when it was last read.
    version: u64,
}

/// What one read of a shard may bring in.
const BYTES_MAX: usize = 1 << 20;

impl Engine {
    /// All shards of a stream as one sequence.
    pub fn follow(&self, stream: &Arc<Stream>, from: Position) -> Result<Follow, Error> {
        let (after, since) = match from {
            Position::TrimHorizon => (Sequence(0), Timestamp::default()),
            Position::Latest => (Sequence(self.store().snapshot().sequence()), Timestamp::default()),
            Position::At(sequence) => (Sequence(sequence.0.saturating_sub(1)), Timestamp::default()),
            Position::After(sequence) => (sequence, Timestamp::default()),
            Position::AtTime(time) => (Sequence(0), time),
        };
        Ok(Follow { engine: self.clone(), stream: stream.clone(), after, since, version: 0 })
    }
}

impl Follow {
    pub fn stream(&self) -> &Arc<Stream> {
        &self.stream
    }

    /// Everything up to here has been read.
    pub fn position(&self) -> Sequence {
        self.after
    }

    /// The records that follow, at most `max`; empty if there are none yet.
    pub fn read(&mut self, max: usize) -> Result<Vec<Arc<Record>>, Error> {
        // In this order: a shard is known before anything of it is announced, and announced no later than the snapshot.
        self.version = self.stream.version();
        let announced = Sequence(self.engine.registry().announced());
        let shards = self.stream.shards();
        let snapshot = self.engine.store().snapshot();
        let mut frontier = self.after.max(announced);
        let mut found = Vec::new();
        for shard in shards {
            if shard.end().is_some_and(|end| end <= self.after) {
                continue;
            }
            let from = match (self.after, self.since) {
                (Sequence(0), Timestamp { .. }) if self.since == Timestamp::default() => {
                    Position::TrimHorizon
                }
                (Sequence(0), since) => Position::AtTime(since),
                (after, _) => Position::After(after),
            };
            let from = match from {
                Position::After(after) => after,
                position => match self.engine.stream_position(&shard, position) {
                    Err(error) if error.kind == ErrorKind::Trimmed => continue,
                    other => other?,
                },
            };
            let read = match self.engine.read_log(&snapshot, &shard, from, max, BYTES_MAX) {
                Err(error) if error.kind == ErrorKind::Trimmed && self.after == Sequence(0) => continue,
                other => other?,
            };
            if read.next.is_some() {
                frontier = frontier.min(read.through);
            }
            found.extend(read.records);
        }
        found.retain(|record| record.sequence <= frontier);
        found.sort_unstable_by_key(|record| record.sequence);
        if found.len() > max {
            found.truncate(max);
            frontier = found.last().map_or(frontier, |record| record.sequence);
        }
        self.after = self.after.max(frontier);
        if self.since > Timestamp::default() {
            found.retain(|record| record.created >= self.since);
        }
        Ok(found)
    }

    /// Ready once there may be more to read. False: the stream is disabled and everything has been read.
    pub async fn changed(&mut self) -> bool {
        let shards = self.stream.shards();
        let mut open: Vec<Changed> = shards
            .iter()
            .filter(|shard| shard.end().is_none_or(|end| end > self.after))
            .map(|shard| shard.changed(self.after))
            .collect();
        if open.is_empty() && self.stream.status() == crate::stream::StreamStatus::Disabled {
            return false;
        }
        open.push(self.stream.changed(self.version));
        std::future::poll_fn(|context| {
            let ready = open.iter_mut().any(|changed| Pin::new(changed).poll(context).is_ready());
            if ready { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        true
    }
}
