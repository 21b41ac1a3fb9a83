//! The backup that is being read from a running server: one at a time, forgotten when nobody goes on reading it.

use crate::backup::Backup;
use services::{ObjectsHold, Services};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use store::Store;
use world::World;

/// How long a reader may be silent.
const SILENCE_MAX: Duration = Duration::from_secs(60);

pub(crate) struct Backups {
    store: Store,
    home: PathBuf,
    services: Services,
    world: World,
    reading: Mutex<Option<Reading>>,
}

struct Reading {
    id: String,
    used: Duration,
    /// Away while its next piece is read.
    backup: Option<Backup>,
    _objects: ObjectsHold,
}

pub(crate) enum Refusal {
    Busy,
    Unknown,
    Failed(String),
}

impl Backups {
    pub fn new(store: Store, home: PathBuf, services: Services, world: World) -> Backups {
        Backups { store, home, services, world, reading: Mutex::default() }
    }

    /// Begins one: its id and sequence.
    pub fn begin(&self) -> Result<(String, u64), Refusal> {
        self.expire();
        let mut reading = self.lock();
        if reading.is_some() {
            return Err(Refusal::Busy);
        }
        let objects = self.services.hold_objects();
        let backup = Backup::begin(&self.store, &self.home);
        let (id, sequence) = (self.world.hex(16), backup.sequence);
        *reading = Some(Reading {
            id: id.clone(),
            used: self.world.elapsed(),
            backup: Some(backup),
            _objects: objects,
        });
        Ok((id, sequence))
    }

    /// Reads on. After the last piece there is `None`, and the backup is forgotten.
    pub fn next(&self, id: &str) -> Result<Option<Vec<u8>>, Refusal> {
        let mut backup = {
            let mut reading = self.lock();
            let reading = reading.as_mut().filter(|reading| reading.id == id).ok_or(Refusal::Unknown)?;
            reading.used = self.world.elapsed();
            reading.backup.take().ok_or(Refusal::Busy)?
        };
        let piece = backup.next_piece();
        let mut reading = self.lock();
        match &mut *reading {
            Some(known) if known.id == id && matches!(piece, Ok(Some(_))) => {
                known.used = self.world.elapsed();
                known.backup = Some(backup);
            }
            Some(known) if known.id == id => *reading = None,
            _ => {}
        }
        piece.map_err(Refusal::Failed)
    }

    /// Forgets one that nobody reads any more, so that it keeps nothing from being removed.
    pub fn expire(&self) {
        let mut reading = self.lock();
        let now = self.world.elapsed();
        if reading.as_ref().is_some_and(|reading| now.saturating_sub(reading.used) > SILENCE_MAX) {
            *reading = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Reading>> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
