//! What is to be done when nobody asks: rollover, retention, clearing up, filling indexes.

use crate::backup::{Copy, Filling};
use crate::catalog::{Backfill, Range, Trimming};
use crate::engine::Inner;
use crate::{Engine, Error, Maintenance};
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Wake, Waker};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Maintenance looks around at least this often: clocks may be set.
const REST_MAX: Duration = Duration::from_secs(600);
const REST_MIN: Duration = Duration::from_millis(1);
/// How long after a failure it tries again.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// The work that waits, and the threads that do it.
#[derive(Debug, Default)]
pub(crate) struct Steward {
    /// How often there was something new to do: each thread remembers what it has seen, so that none takes a poke that was
    /// another's.
    pokes: Mutex<u64>,
    wake: Condvar,
    stopped: AtomicBool,
    trims_waiting: Mutex<Vec<(u64, Range)>>,
    trims_running: Mutex<Vec<Trimming>>,
    backfills: Mutex<Vec<Backfill>>,
    copies: Mutex<Vec<Copy>>,
    fillings: Mutex<Vec<Filling>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    tokens_seen_ms: AtomicU64,
}

/// Tokens of transactions are looked through at most this often.
const TOKENS_EVERY_MS: u64 = 60_000;

/// One round of a thread's work; says when the next is due.
type Work = fn(&Engine) -> Result<Duration, Error>;

impl Steward {
    pub fn trims_waiting(&self) -> MutexGuard<'_, Vec<(u64, Range)>> {
        lock(&self.trims_waiting)
    }

    pub fn trims_running(&self) -> MutexGuard<'_, Vec<Trimming>> {
        lock(&self.trims_running)
    }

    pub fn backfills_waiting(&self) -> MutexGuard<'_, Vec<Backfill>> {
        lock(&self.backfills)
    }

    fn is_time_for_tokens(&self, now_ms: u64) -> bool {
        let seen_ms = self.tokens_seen_ms.load(Ordering::Relaxed);
        let due = now_ms >= seen_ms + TOKENS_EVERY_MS;
        if due {
            self.tokens_seen_ms.store(now_ms, Ordering::Relaxed);
        }
        due
    }

    pub fn copies_waiting(&self) -> MutexGuard<'_, Vec<Copy>> {
        lock(&self.copies)
    }

    pub fn fillings_waiting(&self) -> MutexGuard<'_, Vec<Filling>> {
        lock(&self.fillings)
    }

    /// There is something to do.
    pub fn poke(&self) {
        *lock(&self.pokes) += 1;
        self.wake.notify_all();
    }

    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.poke();
        for thread in mem::take(&mut *lock(&self.threads)) {
            // The last clone of the engine may go on one of these threads, which then cannot wait for itself.
            if thread.thread().id() != thread::current().id() {
                let _ = thread.join();
            }
        }
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Waits for a poke after the `seen`th, but not for ever.
    fn rest(&self, at_most: Duration, seen: u64) {
        let pokes = lock(&self.pokes);
        let at_most = at_most.clamp(REST_MIN, REST_MAX);
        drop(self.wake.wait_timeout_while(pokes, at_most, |pokes| *pokes == seen));
    }
}

impl Wake for Steward {
    fn wake(self: Arc<Self>) {
        self.poke();
    }
}

impl Engine {
    /// Does what is due: rollover, retention, clearing up. Says when to call again. Where nobody else does it, this
    /// also waits for removals and fills indexes.
    pub fn maintain(&self) -> Result<Duration, Error> {
        let waker = match self.settings().maintenance {
            Maintenance::Thread => Some(Waker::from(self.steward().clone())),
            Maintenance::Manual => {
                self.run_backfills(|| true)?;
                self.run_copies(|| true)?;
                None
            }
        };
        let dues = [self.roll_shards()?, self.retain_streams()?, self.retain_histories()?, self.expire()?];
        self.trim(waker.as_ref())?;
        if self.steward().is_time_for_tokens(self.world().now().millis()) {
            self.forget_tokens()?;
        }
        Ok(dues.into_iter().flatten().min().unwrap_or(REST_MAX))
    }
}

pub(crate) fn start(engine: &Engine) -> Result<(), Error> {
    let threads: [(&str, Work); 3] = [
        ("engine-steward", Engine::maintain),
        ("engine-backfill", |engine| {
            let steward = engine.steward().clone();
            engine.run_backfills(|| !steward.is_stopped()).map(|()| REST_MAX)
        }),
        ("engine-copy", |engine| {
            let steward = engine.steward().clone();
            engine.run_copies(|| !steward.is_stopped()).map(|()| REST_MAX)
        }),
    ];
    for (name, work) in threads {
        let (steward, weak) = (engine.steward().clone(), engine.downgrade());
        let thread = thread::Builder::new().name(name.into()).spawn(move || live(&steward, &weak, work));
        let thread = thread.map_err(|error| Error::internal(format!("cannot start a thread: {error}")))?;
        lock(&engine.steward().threads).push(thread);
    }
    Ok(())
}

fn live(steward: &Steward, engine: &Weak<Inner>, work: Work) {
    loop {
        // Asked first: whatever happens from here on, the end included, is a poke that has not been seen.
        let seen = *lock(&steward.pokes);
        if steward.is_stopped() {
            return;
        }
        let Some(engine) = Engine::upgrade(engine) else { return };
        let rest = work(&engine).unwrap_or_else(|error| {
            if !steward.is_stopped() {
                world::say!(
                    "engine: maintenance failed, trying again in {} s: {error}",
                    RETRY_AFTER.as_secs()
                );
            }
            RETRY_AFTER
        });
        drop(engine);
        steward.rest(rest, seen);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
