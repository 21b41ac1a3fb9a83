//! The book of log events: where they lie and how they are found.
//!
//! An event's key is group ‖ stream ‖ time ‖ number, so that a stream is a range in the order of time, a group is
//! a range of streams, and forgetting what is too old is cutting the front off each stream.

use super::{no_group, no_stream};
use serde::{Deserialize, Serialize};
use servicekit::documents::{Documents, Edit, unavailable};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use store::{Commit, Order, Space, Store, UpdateError};
use wire::ServiceError;
use world::{Timestamp, World};

/// How many streams the book remembers the ids of, to write without looking them up.
const KNOWN_STREAMS_MAX: usize = 4_096;

/// The format of an event's value: this byte, the time of ingestion, the message.
const FORMAT: u8 = 1;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Group {
    pub id: u64,
    pub name: String,
    pub created_ms: u64,
    pub retention_days: Option<i64>,
    pub tags: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Stream {
    pub id: u64,
    pub name: String,
    pub created_ms: u64,
}

/// One event's place in the order of a group: by time, then by stream, then by arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub time_ms: u64,
    pub stream: u64,
    pub number: u64,
}

impl Place {
    /// Fifty-six digits, as AWS's event ids have.
    pub fn event_id(&self) -> String {
        format!("{:016}{:020}{:020}", self.time_ms, self.stream, self.number)
    }

    pub fn parse(text: &str) -> Option<Place> {
        if text.len() != 56 || !text.is_ascii() {
            return None;
        }
        let part = |from: usize, to: usize| text[from..to].parse().ok();
        Some(Place { time_ms: part(0, 16)?, stream: part(16, 36)?, number: part(36, 56)? })
    }
}

#[derive(Debug)]
pub(super) struct Event {
    pub place: Place,
    pub ingested_ms: u64,
    pub message: String,
}

/// Where functions and `PutLogEvents` write and everybody reads. Cheap to clone.
#[derive(Clone)]
pub struct LogBook(Arc<Inner>);

struct Inner {
    store: Store,
    world: World,
    groups: Documents<Group>,
    streams: Documents<Stream>,
    /// Numbers events; starts above every number given before, for it begins with the clock.
    next_number: AtomicU64,
    /// Group and stream of names that were written to lately.
    known: Mutex<HashMap<(String, String), (u64, u64)>>,
}

impl LogBook {
    pub fn new(store: &Store, world: &World) -> LogBook {
        LogBook(Arc::new(Inner {
            store: store.clone(),
            world: world.clone(),
            groups: Documents::new(store, "logs/group"),
            streams: Documents::new(store, "logs/stream"),
            next_number: AtomicU64::new(world.now().millis() << 20),
            known: Mutex::new(HashMap::new()),
        }))
    }

    pub(super) fn groups(&self) -> &Documents<Group> {
        &self.0.groups
    }

    pub(super) fn group(&self, key: &str) -> Result<Group, ServiceError> {
        self.0.groups.get(key)?.ok_or_else(no_group)
    }

    pub(super) fn new_group(&self, name: &str) -> Group {
        let world = &self.0.world;
        Group {
            id: world.random_u64(),
            name: name.to_owned(),
            created_ms: world.now().millis(),
            retention_days: None,
            tags: BTreeMap::new(),
        }
    }

    pub(super) fn new_stream(&self, name: &str) -> Stream {
        let world = &self.0.world;
        Stream { id: world.random_u64(), name: name.to_owned(), created_ms: world.now().millis() }
    }

    pub(super) fn streams(&self) -> &Documents<Stream> {
        &self.0.streams
    }

    pub(super) fn stream(&self, group: &Group, name: &str) -> Result<Stream, ServiceError> {
        self.0.streams.get(&stream_key(group.id, name))?.ok_or_else(no_stream)
    }

    /// The group's streams whose names begin so, in the order of names.
    pub(super) fn streams_of(&self, group: &Group, name_prefix: &str) -> Result<Vec<Stream>, ServiceError> {
        let found = self.0.streams.list(&stream_key(group.id, name_prefix))?;
        Ok(found.into_iter().map(|(_, stream)| stream).collect())
    }

    /// Writes events, making the group and the stream when this is their first use. What cannot be written is
    /// told to the operator: a function must never wait for, or fail by, its log.
    pub fn write(&self, group_key: &str, stream: &str, events: Vec<(Timestamp, String)>) {
        let outcome = self.open(group_key, stream).and_then(|(group, stream)| {
            self.append(group, stream, events.iter().map(|(at, message)| (at.millis(), message.as_str())))
        });
        // Nobody waits for the commit: whoever reads later takes a later snapshot.
        if let Err(error) = outcome {
            world::say!("log events of {group_key} were lost: {error}");
        }
    }

    /// The ids of a group and a stream, which are made when they are missing.
    fn open(&self, group_key: &str, stream: &str) -> Result<(u64, u64), ServiceError> {
        let known_key = (group_key.to_owned(), stream.to_owned());
        if let Some(ids) = self.known().get(&known_key) {
            return Ok(*ids);
        }
        let name = group_key.splitn(3, '/').nth(2).unwrap_or(group_key);
        let new_group = self.new_group(name);
        let group = begun(self.0.groups.begin(group_key, |old| {
            Ok(match old {
                Some(group) => (Edit::Keep, group.id),
                None => (Edit::Put(new_group.clone()), new_group.id),
            })
        }))?;
        let new_stream = self.new_stream(stream);
        let (stream, is_new) = begun(self.0.streams.begin(&stream_key(group, stream), |old| {
            Ok(match old {
                Some(stream) => (Edit::Keep, (stream.id, false)),
                None => (Edit::Put(new_stream.clone()), (new_stream.id, true)),
            })
        }))?;
        // New streams come as long as a group is in use: a good moment to clear away what it need not keep.
        if is_new && let Some(group) = self.0.groups.get(group_key)? {
            self.trim(&group)?;
        }
        let mut known = self.known();
        if known.len() >= KNOWN_STREAMS_MAX {
            known.clear();
        }
        known.insert(known_key, (group, stream));
        Ok((group, stream))
    }

    /// Appends events to a stream; they can be read once the commit is ready and are durable within about a second.
    pub(super) fn append<'a>(
        &self,
        group: u64,
        stream: u64,
        events: impl Iterator<Item = (u64, &'a str)>,
    ) -> Result<Commit, ServiceError> {
        let ingested_ms = self.0.world.now().millis();
        let commit = self.0.store.update_relaxed(|batch| {
            for (time_ms, message) in events {
                let number = self.0.next_number.fetch_add(1, Ordering::Relaxed);
                let place = Place { time_ms, stream, number };
                let mut value = Vec::with_capacity(9 + message.len());
                value.push(FORMAT);
                value.extend(ingested_ms.to_be_bytes());
                value.extend(message.as_bytes());
                batch.put(Space::Text, event_key(group, place), value);
            }
        });
        commit.map_err(unavailable)
    }

    /// Waits until all that was appended before can be read.
    pub(super) fn settle(&self) {
        if let Ok(commit) = self.0.store.update_relaxed(|_| {}) {
            // A store that fails is told to whoever writes next.
            let _ = commit.wait();
        }
    }

    /// Forgets the ids that writers remember, so that the next write makes group and stream anew.
    pub(super) fn forget(&self, group_id: u64) {
        self.known().retain(|_, (group, _)| *group != group_id);
    }

    /// Removes the events of a whole group, or of one stream, behind everybody's back.
    pub(super) fn erase(&self, group: u64, stream: Option<u64>) -> Result<(), ServiceError> {
        let (from, to) = match stream {
            Some(stream) => (event_prefix(group, stream, 0), event_prefix(group, stream, u64::MAX)),
            None => (event_prefix(group, 0, 0), event_prefix(group, u64::MAX, u64::MAX)),
        };
        self.0.store.trim(Space::Text, &from, &to).map(drop).map_err(unavailable)
    }

    /// Removes the events of a group that are older than its retention.
    pub(super) fn trim(&self, group: &Group) -> Result<(), ServiceError> {
        let horizon_ms = self.horizon_ms(group);
        if horizon_ms == 0 {
            return Ok(());
        }
        for stream in self.streams_of(group, "")? {
            let (from, to) =
                (event_prefix(group.id, stream.id, 0), event_prefix(group.id, stream.id, horizon_ms));
            self.0.store.trim(Space::Text, &from, &to).map(drop).map_err(unavailable)?;
        }
        Ok(())
    }

    /// Events older than this are gone, even where their bytes are still there.
    pub(super) fn horizon_ms(&self, group: &Group) -> u64 {
        let kept_ms = group.retention_days.map_or(u64::MAX, |days| days.max(0) as u64 * 86_400_000);
        self.0.world.now().millis().saturating_sub(kept_ms)
    }

    /// The events of a stream with `from <= (time, number) < to`, in the order of time or against it.
    pub(super) fn events(
        &self,
        group: &Group,
        stream: u64,
        from: (u64, u64),
        to: (u64, u64),
        order: Order,
    ) -> impl Iterator<Item = Result<Event, ServiceError>> + use<> {
        let horizon_ms = self.horizon_ms(group);
        let from = if from.0 < horizon_ms { (horizon_ms, 0) } else { from };
        let from = event_key(group.id, Place { time_ms: from.0, stream, number: from.1 });
        let to = event_key(group.id, Place { time_ms: to.0, stream, number: to.1 });
        // A range whose ends have crossed is empty.
        let to = to.max(from.clone());
        let range = self.0.store.snapshot().range(Space::Text, &from, &to, order);
        range.map(|entry| {
            let (key, value) = entry.map_err(unavailable)?;
            parse_event(&key, &value).ok_or_else(|| unavailable("a log event is malformed"))
        })
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<(String, String), (u64, u64)>> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An update that nobody waits for: what follows it in the queue is durable after it.
fn begun<R>(outcome: Result<(R, Commit), UpdateError<ServiceError>>) -> Result<R, ServiceError> {
    match outcome {
        Ok((answer, _)) => Ok(answer),
        Err(UpdateError::Plan { error, .. }) => Err(error),
        Err(UpdateError::Store(error)) => Err(unavailable(error)),
    }
}

/// A group's name among those of every account and region.
pub(super) fn group_key(account: &str, region: &str, name: &str) -> String {
    format!("{account}/{region}/{name}")
}

pub(super) fn stream_key(group: u64, name: &str) -> String {
    format!("{group:016x}/{name}")
}

fn event_prefix(group: u64, stream: u64, time_ms: u64) -> Vec<u8> {
    [group.to_be_bytes(), stream.to_be_bytes(), time_ms.to_be_bytes()].concat()
}

fn event_key(group: u64, place: Place) -> Vec<u8> {
    let parts = [group, place.stream, place.time_ms, place.number];
    parts.iter().flat_map(|part| part.to_be_bytes()).collect()
}

fn parse_event(key: &[u8], value: &[u8]) -> Option<Event> {
    let part = |at: usize| Some(u64::from_be_bytes(key.get(at..at + 8)?.try_into().ok()?));
    let place = Place { stream: part(8)?, time_ms: part(16)?, number: part(24)? };
    let (format, rest) = value.split_first()?;
    let (ingested, message) = rest.split_at_checked(8)?;
    let ingested_ms = u64::from_be_bytes(ingested.try_into().ok()?);
    let message = String::from_utf8(message.to_vec()).ok()?;
    (*format == FORMAT).then_some(Event { place, ingested_ms, message })
}
