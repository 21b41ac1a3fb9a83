//! Who writes down, and asks for, what the pipeline remembers: a thread of its own, so that readers and lanes go on while
//! the target thinks.

use super::Stop;
use super::begin::Pipeline;
use super::job::Done;
use super::patience::longer;
use crate::Error;
use crate::join::ShardId;
use crate::mapping::Mapping;
use crate::targets::Ledger;
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

pub enum Errand {
    /// Whether the pipeline is to rest.
    LookWhetherPaused,
    /// All that the source had at this time is applied.
    Confirm { at_ms: u64, consistent: bool },
    /// Of shards that have ended one mark is kept, of those that the source has forgotten none.
    Tidy { finish: Vec<ShardId>, forget: Vec<ShardId> },
    /// The snapshot has ended. `sweep`: what an earlier copy left goes, while nobody writes.
    Seal { sweep: bool },
}

/// What came of an errand.
pub enum Told {
    Paused(bool),
    Confirmed { at_ms: u64, consistent: bool },
    Tidied,
    Sealed { swept: u64 },
}

pub struct Clerk<'a> {
    pub pipeline: &'a Pipeline,
    pub ledger: Box<dyn Ledger>,
    pub mapping: Mapping,
    pub epoch: i64,
    /// How long a statement may take.
    pub patience: Duration,
    /// Nothing is written down any more.
    pub give_up: &'a Stop,
}

impl Clerk<'_> {
    /// One errand after the other, until nobody sends any.
    pub fn run(mut self, errands: &Receiver<Errand>, done: &Sender<Done>) {
        // Whoever took the pipeline had all the time that tables need.
        if let Err(error) = self.reconnect() {
            let _ = done.send(Done::Broken(error));
            return;
        }
        while let Ok(errand) = errands.recv()
            && !self.give_up.is_set()
        {
            let told = match self.work(&errand) {
                Ok(told) => Done::Told(told),
                // A target that is away is told later.
                Err(error) if error.is_retryable() => {
                    if error.is_timeout() {
                        self.patience = longer(self.patience);
                    }
                    match self.reconnect() {
                        Ok(()) => Done::NotTold(errand),
                        Err(error) => Done::Broken(error),
                    }
                }
                Err(error) => Done::Broken(error),
            };
            if done.send(told).is_err() {
                return;
            }
        }
    }

    fn work(&mut self, errand: &Errand) -> Result<Told, Error> {
        let Clerk { ledger, epoch, .. } = self;
        Ok(match errand {
            Errand::LookWhetherPaused => Told::Paused(ledger.is_paused(*epoch)?),
            Errand::Confirm { at_ms, consistent } => {
                ledger.confirm(*epoch, *at_ms, *consistent)?;
                Told::Confirmed { at_ms: *at_ms, consistent: *consistent }
            }
            Errand::Tidy { finish, forget } => {
                if !finish.is_empty() {
                    ledger.finish(finish, *epoch)?;
                }
                if !forget.is_empty() {
                    ledger.forget(forget, *epoch)?;
                }
                Told::Tidied
            }
            Errand::Seal { sweep } => {
                let now_ms = self.pipeline.world.now().millis();
                let swept = if *sweep { ledger.sweep(&self.mapping, *epoch, now_ms)? } else { 0 };
                ledger.seal(*epoch)?;
                Told::Sealed { swept }
            }
        })
    }

    fn reconnect(&mut self) -> Result<(), Error> {
        let Pipeline { target, config, world, .. } = self.pipeline;
        match target.hurried(self.patience).ledger(&config.name, world) {
            Ok(ledger) => self.ledger = ledger,
            Err(error) if error.is_retryable() => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
