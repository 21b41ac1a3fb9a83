//! A pipeline's runs, one after the other, until it is told to stop or nothing but a person can help.

use super::{Ended, Pipeline, Report, Stop};
use crate::config::OnGap;
use crate::{Error, Kind};
use std::time::Duration;

/// Whoever changes a password tells the database and the secret one after the other.
const RENEWED_MAX: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_secs(1);

impl Pipeline {
    /// Runs, begins again where the file says so after a gap, and reads secrets again when they are not accepted any
    /// more.
    pub fn follow(&self, once: bool, stop: &Stop, report: &mut dyn FnMut(Report)) -> Result<Ended, Error> {
        let mut pipeline = self.until(stop);
        loop {
            match pipeline.run(once, stop, report) {
                Ok(Ended::Again) => pipeline.begin_again()?,
                Err(error) if error.refused && pipeline.has_secrets() => {
                    report(Report::Note(format!("{}; reading secrets again", error.message)));
                    pipeline = pipeline.waited_for(stop)?.ok_or(error)?.until(stop);
                }
                // One that is made anew is not there for a moment.
                Err(error) if error.kind == Kind::NoTable && !once && pipeline.outlives_its_table()? => {
                    report(Report::Note(format!("{}; waiting for another", error.message)));
                    if !pipeline.has_table_again(stop)? {
                        return Ok(Ended::Stopped);
                    }
                }
                Err(error) => return Err(pipeline.explained(error)),
                ended => return ended,
            }
        }
    }

    fn outlives_its_table(&self) -> Result<bool, Error> {
        Ok(self.config.on_gap == OnGap::Resnapshot && self.kept()?.is_some())
    }

    /// Waits for the source's table; not: it was told to stop.
    fn has_table_again(&self, stop: &Stop) -> Result<bool, Error> {
        while !stop.is_set() {
            match self.source()?.describe() {
                Err(error) if error.kind == Kind::NoTable || error.is_retryable() => {
                    std::thread::sleep(LOOK);
                }
                told => return told.map(|_| true),
            }
        }
        Ok(false)
    }

    /// None: secrets stay as they were.
    fn waited_for(&self, stop: &Stop) -> Result<Option<Pipeline>, Error> {
        let until = self.world.elapsed() + RENEWED_MAX;
        loop {
            let renewed = self.renewed()?;
            if renewed.is_some() || !self.has_secrets() || stop.is_set() || self.world.elapsed() > until {
                return Ok(renewed);
            }
            std::thread::sleep(LOOK);
        }
    }
}
