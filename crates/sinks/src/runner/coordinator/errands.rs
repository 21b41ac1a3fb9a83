//! What is sent to be written down, and what comes of it.

use super::{CONFIRM_EVERY, Coordinator, PAUSED_LOOK};
use crate::Error;
use crate::join::Event;
use crate::runner::clerk::{Errand, Told};
use crate::runner::progress::Report;
use std::time::Duration;

/// Until a target that was away is told again that the snapshot has ended.
const SEAL_AGAIN: Duration = Duration::from_millis(200);

impl Coordinator<'_> {
    /// What is due. One errand of each kind is on its way at most: a target may be slow.
    pub(super) fn errands(&mut self) {
        let now = self.now();
        if self.seal && now >= self.seal_due && self.may_seal() {
            self.seal_due = Duration::MAX;
            self.send(Errand::Seal { sweep: self.taken.join.is_recopying() });
        }
        if now >= self.confirm_due && self.errands_out == 0 {
            self.confirm_due = now + CONFIRM_EVERY;
            self.confirm();
            self.tidy();
        }
        if now >= self.paused_due {
            self.paused_due = Duration::MAX;
            self.send(Errand::LookWhetherPaused);
        }
    }

    /// While an earlier copy's rows are swept away no lane writes, and none is given anything.
    fn may_seal(&self) -> bool {
        let is_quiet = || self.waiting_works == 0 && self.feeds.values().all(|feed| !feed.busy);
        !self.taken.join.is_recopying() || is_quiet()
    }

    /// A clerk that has ended says why by itself.
    fn send(&mut self, errand: Errand) {
        self.errands_out += 1;
        let _ = self.errands.send(errand);
    }

    /// Notes up to when all that the source had is applied. That this fails now and then costs nothing.
    pub(super) fn confirm(&mut self) {
        if self.taken.join.is_caught_up() {
            self.durable.confirmed(self.pipeline.world.now().millis());
        }
        let (at_ms, consistent) = (self.durable.floor_ms(), self.taken.join.is_consistent());
        if at_ms != self.confirmed_ms || consistent != self.told_consistent {
            self.send(Errand::Confirm { at_ms, consistent });
        }
    }

    /// What fails is told later, or by the next run.
    pub(super) fn tidy(&mut self) {
        let (finish, forget) = (std::mem::take(&mut self.finish), std::mem::take(&mut self.forget));
        if !finish.is_empty() || !forget.is_empty() {
            self.send(Errand::Tidy { finish, forget });
        }
    }

    pub(super) fn told(&mut self, told: Told, report: &mut dyn FnMut(Report)) -> Result<(), Error> {
        self.errands_out -= 1;
        match told {
            Told::Paused(paused) => {
                self.paused_due = self.now() + PAUSED_LOOK;
                if paused != self.paused {
                    self.paused = paused;
                    let word = if paused { "paused" } else { "resumed" };
                    report(Report::Note(word.to_owned()));
                }
            }
            Told::Confirmed { at_ms, consistent } => {
                self.confirmed_ms = at_ms;
                self.tell_consistent(consistent, report);
            }
            Told::Tidied => {}
            Told::Sealed { swept } => {
                if swept > 0 {
                    report(Report::Note(format!("{swept} rows went that no item makes any more")));
                }
                self.seal = false;
                // There may be nobody who waits for it.
                let _ = self.scan_ended.send(());
                self.step(Event::Sealed)?;
            }
        }
        Ok(())
    }

    pub(super) fn not_told(&mut self, errand: Errand, report: &mut dyn FnMut(Report)) {
        self.errands_out -= 1;
        match errand {
            Errand::LookWhetherPaused => self.paused_due = self.now() + PAUSED_LOOK,
            // The next one says so too.
            Errand::Confirm { consistent, .. } => self.tell_consistent(consistent, report),
            Errand::Tidy { finish, forget } => {
                self.finish.extend(finish);
                self.forget.extend(forget);
            }
            Errand::Seal { .. } => self.seal_due = self.now() + SEAL_AGAIN,
        }
    }

    /// Once, when it is written down.
    fn tell_consistent(&mut self, consistent: bool, report: &mut dyn FnMut(Report)) {
        if consistent && !self.told_consistent {
            self.told_consistent = true;
            report(Report::Consistent);
        }
    }
}
