//! The clock of connections: a bound on how long a client may take over its headers.

use hyper::rt::{Sleep, Timer};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

/// The timer of one connection. hyper asks for a sleep before every request's head and drops it after; this one keeps the
/// runtime's own across them, as a deadline that moves later costs nothing until the earlier one is over.
#[derive(Clone, Default)]
pub(crate) struct KeptTimer(Arc<Kept>);

type Kept = Mutex<Option<Pin<Box<tokio::time::Sleep>>>>;

struct Until {
    kept: Arc<Kept>,
    deadline: tokio::time::Instant,
}

impl Timer for KeptTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(Until { kept: self.0.clone(), deadline: deadline.into() })
    }
}

impl Sleep for Until {}

impl Future for Until {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let sleep = kept.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(self.deadline)));
        if sleep.deadline() > self.deadline {
            sleep.as_mut().reset(self.deadline);
        }
        loop {
            ready!(sleep.as_mut().poll(context));
            if sleep.deadline() == self.deadline {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(self.deadline);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::runtime::Builder;

    /// Polls once.
    async fn is_over(sleep: &mut Pin<Box<dyn Sleep>>) -> bool {
        std::future::poll_fn(|context| Poll::Ready(sleep.as_mut().poll(context).is_ready())).await
    }

    #[test]
    fn a_later_sleep_outlives_the_one_that_was_kept() {
        let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime starts");
        runtime.block_on(async {
            let timer = KeptTimer::default();
            let begun = timer.now();
            let (soon, later) = (begun + Duration::from_millis(5), begun + Duration::from_millis(15));
            let mut first = timer.sleep_until(soon);
            assert!(!is_over(&mut first).await);
            drop(first);
            timer.sleep_until(later).await;
            assert!(timer.now() >= later, "the kept one woke it, and it slept on");
        });
    }

    #[test]
    fn an_earlier_sleep_does_not_wait_for_the_one_that_was_kept() {
        let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime starts");
        runtime.block_on(async {
            let timer = KeptTimer::default();
            let mut hour = timer.sleep(Duration::from_secs(3600));
            assert!(!is_over(&mut hour).await);
            // Would hang for an hour.
            timer.sleep(Duration::from_millis(1)).await;
        });
    }
}
