//! Answers whose waiters hear of them a little later than the runtime is answered.

use super::{Posted, Running, Shared};
use std::time::Duration;
use tokio::sync::oneshot;

/// How long a runtime may take to fetch an invocation that lies ready before others are told of its last answer.
pub(super) const FETCHED_WITHIN: Duration = Duration::from_millis(2);

/// An answer that nobody was told of yet; told when this is dropped.
pub(super) struct Untold<'a> {
    shared: &'a Shared,
    answer: Option<(oneshot::Sender<Posted>, Posted)>,
}

impl Drop for Untold<'_> {
    fn drop(&mut self) {
        if let Some((to, posted)) = self.answer.take() {
            let _ = to.send(posted);
        }
        // Last: whoever sees this finds the answer.
        self.shared.state().settling -= 1;
    }
}

/// Hands the next invocation over, if one follows this answer. Who waits for the answer is told when the runtime has
/// fetched that one: what there is to do then would hold its processor, which the runtime waits for.
pub(super) fn settle(shared: &Shared, running: Running, posted: Posted) -> Option<Untold<'_>> {
    let next = match (&posted, running.next) {
        (Posted::Response(answer), Some(next)) => next(answer),
        _ => None,
    };
    let untold = Untold { shared, answer: Some((running.posted, posted)) };
    next.map(|next| {
        shared.state().waiting = Some(next);
        shared.job.notify_one();
        untold
    })
}
