//! Where mappings and checkpoints are kept.

use crate::checkpoint::Checkpoint;
use crate::mapping::{Mapping, MappingId};
use crate::policy::Backoff;
use store::{Commit, Order, Space, Store, UpdateError};

const MAPPING: &str = "feed/mapping";
const CHECKPOINT: &str = "feed/checkpoint";

/// The feed's part of the store.
#[derive(Clone)]
pub(crate) struct Keep {
    store: Store,
}

fn key(kind: &str, mapping: &str, shard: Option<&str>) -> Vec<u8> {
    let mut key = [kind.as_bytes(), b"\0", mapping.as_bytes()].concat();
    if let Some(shard) = shard {
        key.push(0);
        key.extend_from_slice(shard.as_bytes());
    }
    key
}

impl Keep {
    pub fn new(store: Store) -> Keep {
        Keep { store }
    }

    /// Nothing that is written after this has a lower sequence number.
    pub fn tip(&self) -> u64 {
        self.store.snapshot().sequence()
    }

    /// Every mapping, and whether it is being deleted.
    pub fn mappings(&self, backoff: Backoff) -> Result<Vec<(Mapping, bool)>, String> {
        let from = key(MAPPING, "", None);
        self.range(&from)?
            .into_iter()
            .map(|(_, value)| {
                Mapping::decode(&value, backoff).map_err(|why| format!("a mapping is damaged: {}", why.0))
            })
            .collect()
    }

    pub fn put_mapping(&self, mapping: &Mapping, deleting: bool) -> Result<Commit, String> {
        self.put(key(MAPPING, mapping.id.as_str(), None), Some(mapping.encode(deleting)))
    }

    /// Removes a mapping and how far it was.
    pub fn remove_mapping(&self, id: &MappingId) -> Result<Commit, String> {
        for (shard, _) in self.checkpoints(id)? {
            drop(self.put(key(CHECKPOINT, id.as_str(), Some(&shard)), None)?);
        }
        self.put(key(MAPPING, id.as_str(), None), None)
    }

    /// How far a mapping is, by shard.
    pub fn checkpoints(&self, id: &MappingId) -> Result<Vec<(String, Checkpoint)>, String> {
        let from = key(CHECKPOINT, id.as_str(), Some(""));
        let found = self.range(&from)?;
        let decoded = found.into_iter().map(|(shard, value)| {
            let checkpoint =
                Checkpoint::decode(&value).map_err(|_| format!("a checkpoint of {id} is damaged"))?;
            Ok((shard, checkpoint))
        });
        decoded.collect()
    }

    pub fn put_checkpoint(
        &self,
        id: &MappingId,
        shard: &str,
        checkpoint: &Checkpoint,
    ) -> Result<Commit, String> {
        self.put(key(CHECKPOINT, id.as_str(), Some(shard)), Some(checkpoint.encode()))
    }

    /// The rows that begin with `from`, by what follows it.
    fn range(&self, from: &[u8]) -> Result<Vec<(String, Vec<u8>)>, String> {
        let mut to = from.to_vec();
        to.push(0xff);
        let mut found = Vec::new();
        for row in self.store.snapshot().range(Space::Meta, from, &to, Order::Forward) {
            let (key, value) = row.map_err(|error| error.to_string())?;
            found.push((String::from_utf8_lossy(&key[from.len()..]).into_owned(), value.to_vec()));
        }
        Ok(found)
    }

    fn put(&self, key: Vec<u8>, value: Option<Vec<u8>>) -> Result<Commit, String> {
        let keys = [(Space::Meta, key.clone())];
        let outcome = self.store.update(&keys, |_, batch| {
            match &value {
                Some(value) => batch.put(Space::Meta, key.clone(), value.clone()),
                None => batch.remove(Space::Meta, key.clone()),
            }
            Ok::<_, std::convert::Infallible>(())
        });
        match outcome {
            Ok(((), commit)) => Ok(commit),
            Err(UpdateError::Plan { error, .. }) => match error {},
            Err(UpdateError::Store(error)) => Err(error.to_string()),
        }
    }
}
