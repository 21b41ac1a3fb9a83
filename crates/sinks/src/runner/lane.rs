//! A lane's thread: takes what waits, commits it together, and tries again as long as the target is away.

use super::Stop;
use super::job::Done;
use crate::Error;
use crate::join::Work;
use crate::targets::{Change, Lane, Place, Shared};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;
use world::World;

const PAUSE_FIRST: Duration = Duration::from_millis(100);
const PAUSE_MOST: Duration = Duration::from_secs(5);

pub struct Writer<'a> {
    pub target: &'a Place,
    pub shared: Shared,
    pub number: usize,
    pub batch_rows: usize,
    pub world: &'a World,
    /// Nothing is tried again any more.
    pub give_up: &'a Stop,
}

impl Writer<'_> {
    pub fn run(&self, works: &Receiver<Work<Change>>, done: &Sender<Done>) {
        let mut lane = None;
        while let Some(batch) = self.next(works) {
            match self.commit(&mut lane, &batch, done) {
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

    /// What waits, up to a batch.
    fn next(&self, works: &Receiver<Work<Change>>) -> Option<Vec<Work<Change>>> {
        let first = loop {
            match works.recv_timeout(Duration::from_millis(200)) {
                Ok(work) => break work,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        };
        let mut rows = first.rows.len();
        let mut batch = vec![first];
        while rows < self.batch_rows
            && let Ok(work) = works.try_recv()
        {
            rows += work.rows.len();
            batch.push(work);
        }
        Some(batch)
    }

    fn commit(
        &self,
        lane: &mut Option<Box<dyn Lane>>,
        batch: &[Work<Change>],
        done: &Sender<Done>,
    ) -> Result<Done, Error> {
        let mut pause = PAUSE_FIRST;
        let mut troubled = false;
        loop {
            let tried = match lane {
                Some(lane) => lane.commit(batch),
                None => match self.target.lane(self.shared.clone(), self.number, self.world) {
                    Ok(opened) => lane.insert(opened).commit(batch),
                    Err(error) => Err(error),
                },
            };
            match tried {
                Ok(applied) => {
                    if troubled {
                        let _ = done.send(Done::Trouble { lane: self.number, message: None });
                    }
                    let works =
                        batch.iter().map(|work| (work.track.clone(), work.mark.clone(), work.end)).collect();
                    let changes = || batch.iter().flat_map(|work| &work.rows);
                    let created_s = changes().map(|change| change.created_s).max().unwrap_or_default();
                    let (rows, bytes) = (changes().count(), changes().map(Change::size_bytes).sum());
                    let lane = self.number;
                    return Ok(Done::Committed { lane, works, rows, bytes, applied, created_s });
                }
                Err(error) if error.is_retryable() && !self.give_up.is_set() => {
                    // A connection that has failed is not used again.
                    *lane = None;
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
        while self.world.elapsed() < until && !self.give_up.is_set() {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
