//! A lane's thread: takes what waits, commits it together, and tries again as long as the target is away.

use super::Stop;
use super::job::Done;
use super::patience::longer;
use crate::Error;
use crate::join::Work;
use crate::targets::{Change, Lane, Place, Shared};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;
use world::World;

/// Batches of one transaction, when so many wait, where only one may write.
const BATCHES_ALONE: usize = 8;
/// How often what stood in another transaction's way is tried again before anybody hears of it.
const CONFLICTS_MAX: u32 = 8;
const PAUSE_CONFLICT: Duration = Duration::from_millis(2);
const PAUSE_FIRST: Duration = Duration::from_millis(100);
const PAUSE_MOST: Duration = Duration::from_secs(5);

/// Work, and what its rows weigh.
pub struct Parcel {
    pub work: Work<Change>,
    pub bytes: usize,
}

pub struct Writer<'a> {
    pub target: &'a Place,
    pub shared: Shared,
    pub number: usize,
    pub batch_rows: usize,
    /// How long a statement may take.
    pub patience: Duration,
    pub world: &'a World,
    /// Nothing is tried again any more.
    pub give_up: &'a Stop,
}

/// What a lane writes by.
struct Hold {
    lane: Option<Box<dyn Lane>>,
    /// Grows with what statements are seen to need.
    patience: Duration,
}

impl Writer<'_> {
    pub fn run(&self, works: &Receiver<Parcel>, done: &Sender<Done>) {
        let mut hold = Hold { lane: None, patience: self.patience };
        while let Some((batch, bytes)) = self.next(works) {
            match self.commit(&mut hold, &batch, bytes, done) {
                Ok(told) => {
                    if done.send(told).is_err() {
                        return;
                    }
                }
                Err(error) => {
                    let _ = done.send(Done::Broken(error));
                    return;
                }
            }
        }
    }

    /// What waits, up to a batch, and what it weighs.
    fn next(&self, works: &Receiver<Parcel>) -> Option<(Vec<Work<Change>>, usize)> {
        let first = loop {
            match works.recv_timeout(Duration::from_millis(200)) {
                Ok(parcel) => break parcel,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        };
        // Where nobody else writes, a transaction costs more than its rows.
        let most = if self.target.is_single() { self.batch_rows * BATCHES_ALONE } else { self.batch_rows };
        let (mut rows, mut bytes) = (first.work.rows.len(), first.bytes);
        let mut batch = vec![first.work];
        while rows < most
            && let Ok(parcel) = works.try_recv()
        {
            rows += parcel.work.rows.len();
            bytes += parcel.bytes;
            batch.push(parcel.work);
        }
        Some((batch, bytes))
    }

    fn commit(
        &self,
        hold: &mut Hold,
        batch: &[Work<Change>],
        bytes: usize,
        done: &Sender<Done>,
    ) -> Result<Done, Error> {
        let mut pause = PAUSE_FIRST;
        let mut troubled = false;
        let mut conflicts = 0;
        loop {
            let tried = match &mut hold.lane {
                Some(lane) => lane.commit(batch),
                None => {
                    let target = self.target.hurried(hold.patience);
                    match target.lane(self.shared.clone(), self.number, self.world) {
                        Ok(opened) => hold.lane.insert(opened).commit(batch),
                        Err(error) => Err(error),
                    }
                }
            };
            match tried {
                Ok(applied) => {
                    if troubled {
                        let _ = done.send(Done::Trouble { lane: self.number, message: None });
                    }
                    let works =
                        batch.iter().map(|work| (work.track.clone(), work.mark.clone(), work.end)).collect();
                    let changes = || batch.iter().flat_map(|work| &work.rows);
                    let created_s = changes().map(Change::created_s).max().unwrap_or_default();
                    let rows = changes().count();
                    let lane = self.number;
                    return Ok(Done::Committed { lane, works, rows, bytes, applied, created_s });
                }
                // Where only one may write, it has been waited for already.
                Err(error)
                    if error.is_conflict()
                        && conflicts < CONFLICTS_MAX
                        && !self.target.is_single()
                        && !self.give_up.is_set() =>
                {
                    conflicts += 1;
                    self.rest(PAUSE_CONFLICT * conflicts);
                }
                Err(error) if error.is_retryable() && !self.give_up.is_set() => {
                    // A connection that has failed is not used again. What took too long may need more time.
                    hold.lane = None;
                    if error.is_timeout() {
                        hold.patience = longer(hold.patience);
                    }
                    troubled = true;
                    let _ = done.send(Done::Trouble { lane: self.number, message: Some(error.message) });
                    self.rest(pause);
                    pause = (pause * 2).min(PAUSE_MOST);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// With jitter, so that lanes do not come back together.
    fn rest(&self, pause: Duration) {
        let part = pause / 2;
        let jitter = Duration::from_millis(self.world.below(part.as_millis() as u64 + 1));
        let until = self.world.elapsed() + part + jitter;
        while let Some(left) = until.checked_sub(self.world.elapsed())
            && !self.give_up.is_set()
        {
            std::thread::sleep(left.min(Duration::from_millis(20)));
        }
    }
}
