//! What has been kept for long enough goes.

use crate::layout::Meta;
use crate::stream::streams::StreamState;
use crate::stream::{Stream, lifecycle};
use crate::{Engine, Error};
use std::sync::Arc;
use std::time::Duration;
use store::Space;

impl Engine {
    /// Trims the shards whose last record is older than the retention time, and forgets the disabled streams that
    /// have no other. Says when the next one will be.
    pub(crate) fn retain_streams(&self) -> Result<Option<Duration>, Error> {
        let mut next: Option<Duration> = None;
        for stream in self.registry().streams() {
            if let Some(due) = self.retain_stream(&stream)? {
                next = Some(next.map_or(due, |next| next.min(due)));
            }
        }
        Ok(next)
    }

    fn retain_stream(&self, stream: &Arc<Stream>) -> Result<Option<Duration>, Error> {
        let mut ddl = self.lock();
        let retention = self.settings().stream_retention;
        let now = self.world().now();
        let state = stream.state.load_full();
        let age = |shard: &crate::stream::Shard| shard.closed_at().map(|closed| now.since(closed));
        let (old, young): (Vec<_>, Vec<_>) =
            state.shards.iter().cloned().partition(|shard| age(shard).is_some_and(|age| age >= retention));
        let next = young.iter().filter_map(|shard| age(shard)).map(|age| retention - age).min();
        if old.is_empty() {
            return Ok(next);
        }
        let left = StreamState { enabled: state.enabled, shards: young, open: state.open.clone() };
        let gone = !left.enabled && left.shards.is_empty();
        let ranges: Vec<_> = old
            .iter()
            .map(|shard| (Space::Log, shard.prefix().key(0).to_vec(), shard.prefix().key(u64::MAX).to_vec()))
            .collect();
        // Nobody is to find half of what is about to go.
        for shard in &old {
            shard.set_gone();
        }
        let trims = self.new_trims(&mut ddl, ranges);
        let commit = self.change(|batch| {
            ddl.fill(batch);
            trims.fill(batch);
            match gone {
                true => batch.remove(Space::Meta, Meta::stream(stream.id)),
                false => lifecycle::put(stream, &left, batch),
            }
        })?;
        stream.set(left);
        for shard in &old {
            self.registry().remove_shard(shard);
        }
        if gone {
            self.registry().remove(stream);
            stream.version.finish();
        }
        commit.wait()?;
        self.start_trims(trims);
        Ok(next)
    }
}
