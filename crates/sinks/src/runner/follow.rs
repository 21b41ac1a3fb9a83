//! A pipeline's runs, one after the other, until it is told to stop or nothing but a person can help.

use super::{Ended, Pipeline, Report, Stop};
use crate::Error;
use std::time::Duration;

/// Whoever changes a password tells the database and the secret one after the other.
const RENEWED_MAX: Duration = Duration::from_secs(60);
const RENEWED_LOOK: Duration = Duration::from_secs(1);

impl Pipeline {
    /// Runs, begins again where the file says so after a gap, and reads secrets again when they are not accepted any
    /// more.
    pub fn follow(&self, once: bool, stop: &Stop, report: &mut dyn FnMut(Report)) -> Result<Ended, Error> {
        let mut pipeline = self.clone();
        loop {
            match pipeline.run(once, stop, report) {
                Ok(Ended::Again) => pipeline.begin_again()?,
                Err(error) if error.refused => {
                    report(Report::Note(format!("{}; reading secrets again", error.message)));
                    pipeline = pipeline.waited_for(stop)?.ok_or(error)?;
                }
                ended => return ended,
            }
        }
    }

    /// None: secrets stay as they were.
    fn waited_for(&self, stop: &Stop) -> Result<Option<Pipeline>, Error> {
        let until = self.world.elapsed() + RENEWED_MAX;
        loop {
            let renewed = self.renewed()?;
            if renewed.is_some() || !self.has_secrets() || stop.is_set() || self.world.elapsed() > until {
                return Ok(renewed);
            }
            std::thread::sleep(RENEWED_LOOK);
        }
    }
}
