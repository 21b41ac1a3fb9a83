//! What happens in a life of the server, and in its last one.

use super::house::{Health, House, MAPPINGS};
use crate::books::Flight;
use feed::{Change, Feed, Outcome, Policy, State};
use std::time::Duration;
use tokio::task::yield_now;

/// Its target takes a batch and says nothing until everything heals.
const HANGING: usize = 4;

impl House {
    /// Lets some of what is in flight land, somehow.
    fn land(&self) {
        for number in 0..MAPPINGS {
            let name = format!("t{number}");
            let flights = match self.books.open().get_mut(&name) {
                Some(book) => std::mem::take(&mut book.flights),
                None => continue,
            };
            let mut kept = Vec::new();
            for flight in flights {
                let hangs = number == HANGING && self.health != Health::Well;
                let stays = hangs || (self.health == Health::Sick && self.roll(3) == 0);
                if stays {
                    kept.push(flight);
                } else {
                    let outcome = self.outcome(&flight);
                    self.books.land(&name, flight, outcome, self.roll(4) > 0);
                }
            }
            self.books.open().entry(name).or_default().flights.extend(kept);
        }
    }

    fn outcome(&self, flight: &Flight) -> Outcome {
        if self.health != Health::Sick {
            return Outcome::Accepted;
        }
        match (flight, self.roll(10)) {
            (_, 0..=3) => Outcome::Accepted,
            (Flight::Batch(sequences, ..), 4..=6) if !sequences.is_empty() => {
                let at = sequences[self.roll(sequences.len() as u64) as usize];
                // Some lie: they name a record that is not of the batch.
                Outcome::Partly(if self.roll(5) == 0 { at + self.roll(50) } else { at })
            }
            (_, 7) => Outcome::Unavailable,
            _ => Outcome::Refused,
        }
    }

    /// Lets every task run until it waits, then moves the clocks together.
    async fn pass(&self, span: Duration) {
        settle().await;
        self.world.advance(span);
        tokio::time::advance(span).await;
        settle().await;
    }

    async fn change(&mut self, feed: &Feed) {
        let (id, policy, _) = &self.mappings[self.roll(MAPPINGS as u64) as usize];
        let Some(found) =
            feed.get(id).filter(|found| matches!(found.state, State::Enabled | State::Disabled))
        else {
            return;
        };
        let mut change = Change::default();
        if self.roll(2) == 0 {
            change.enabled = Some(!found.mapping.enabled);
        } else if policy.tumbling.is_some() {
            let size = [None, Some(3), Some(5)][self.roll(3) as usize].map(Duration::from_secs);
            change.policy = Some(Policy { tumbling: size, ..found.mapping.policy.clone() });
        } else if self.divisions < 6 {
            self.divisions += 1;
            change.lanes = Some(1 + self.roll(4) as usize);
        }
        feed.update(id, change).await.expect("a change");
    }

    /// One life of the server. It ends when the runtime does: well, or in the middle of everything.
    pub async fn live(&mut self) {
        let feed = self.feed();
        if self.mappings.is_empty() {
            self.make_mappings(&feed).await;
        }
        for _ in 0..10 + self.roll(25) {
            match self.roll(8) {
                0..=2 => self.write(),
                3..=5 => self.land(),
                6 => drop(self.engine.maintain()),
                _ if self.roll(3) == 0 => self.change(&feed).await,
                _ => {}
            }
            self.pass(Duration::from_millis(1 + self.roll(1500))).await;
            self.check_sums(&feed);
        }
    }

    /// The last life: everybody gets well, and every mapping comes to the end of the stream.
    pub async fn heal(&mut self) {
        let feed = self.feed();
        if self.mappings.is_empty() {
            self.make_mappings(&feed).await;
        }
        for (id, _, _) in &self.mappings {
            let enable = Change { enabled: Some(true), ..Change::default() };
            feed.update(id, enable).await.expect("a change");
        }
        self.health = Health::OneHangs;
        self.finish(&feed, 0..HANGING).await;
        self.health = Health::Well;
        self.finish(&feed, 0..MAPPINGS).await;
        // The clock ends the windows that are open.
        for _ in 0..20 {
            self.land();
            self.pass(Duration::from_millis(500)).await;
        }
        self.check_end(&feed);
        feed.shutdown().await;
    }

    async fn finish(&self, feed: &Feed, which: std::ops::Range<usize>) {
        let total = self.written;
        let is_done = |number: usize| {
            let found = feed.get(&self.mappings[number].0).expect("a mapping");
            found.flow.totals.finished() == total && found.flow.pending == 0
        };
        for _ in 0..2_000 {
            if which.clone().all(is_done) {
                return;
            }
            self.land();
            self.pass(Duration::from_millis(500)).await;
        }
        let flows: Vec<_> = feed
            .list()
            .into_iter()
            .map(|found| (found.mapping.target.clone(), found.state, found.flow))
            .collect();
        panic!("seed {}: {which:?} do not come to the end of {total} records: {flows:#?}", self.seed);
    }
}

async fn settle() {
    for _ in 0..40 {
        yield_now().await;
    }
}
