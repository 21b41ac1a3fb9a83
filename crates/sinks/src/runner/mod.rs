//! Runs a pipeline: threads that read, threads that write, and between them the machine that decides.

mod begin;
mod clerk;
mod coordinator;
mod durable;
mod fit;
mod follow;
mod job;
mod lane;
mod patience;
mod progress;
mod skim;

pub use crate::stop::Stop;
pub use begin::{Pipeline, Planned};
pub use progress::{Phase, Progress, Report};

use crate::Error;

/// How a run ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Stopped,
    /// Asked to go to the tip, it is there.
    AtTip,
    /// Records were lost, and the pipeline is to begin again with a snapshot.
    Again,
}

impl Pipeline {
    /// Follows the source until it is told to stop, or, `once`, until it is at the tip.
    fn run(&self, once: bool, stop: &Stop, report: &mut dyn FnMut(Report)) -> Result<Ended, Error> {
        coordinator::run(self, once, stop, report)
    }
}
