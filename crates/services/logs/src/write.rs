//! `PutLogEvents`: what a client writes itself.

use super::{Logs, invalid, refuse};
use serde_json::Value;
use servicekit::call::{Answer, Call};
use servicekit::documents::unavailable;
use servicekit::fields::{integer, object, required};

/// What one call may carry: the messages' bytes, and 26 for each.
const CALL_BYTES_MAX: usize = 1_048_576;
const EVENT_BYTES: usize = 26;

const DAY_MS: u64 = 86_400_000;
/// How far back, and how far ahead, an event's time may lie.
const PAST_MS_MAX: u64 = 14 * DAY_MS;
const FUTURE_MS_MAX: u64 = 2 * 3_600_000;

impl Logs {
    pub(super) async fn put_log_events(&self, call: &Call, input: &Value) -> Answer {
        refuse(input, &["entity"])?;
        let group = self.group(call, input)?;
        let stream = self.book.stream(&group, required(input, "logStreamName"))?;
        let events: Vec<(u64, &str)> = input["logEvents"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|event| (integer(event, "timestamp").unwrap_or(0).max(0) as u64, required(event, "message")))
            .collect();
        check(&events)?;
        let now_ms = self.world.now().millis();
        let oldest_ms = now_ms.saturating_sub(PAST_MS_MAX);
        let expired_ms = self.book.horizon_ms(&group);
        let too_old_or_expired = oldest_ms.max(expired_ms);
        let fit = |at: &u64| *at >= too_old_or_expired && *at <= now_ms + FUTURE_MS_MAX;
        let accepted = events.iter().filter(|(at, _)| fit(at)).copied();
        let commit = self.book.append(group.id, stream.id, accepted)?;
        commit.await.map_err(unavailable)?;

        // Events are in the order of time, so each kind of reject is one end of the list.
        let count = |wanted: &dyn Fn(u64) -> bool| events.iter().filter(|(at, _)| wanted(*at)).count();
        let (expired, old) = (count(&|at| at < expired_ms), count(&|at| at < oldest_ms));
        let new = count(&|at| at > now_ms + FUTURE_MS_MAX);
        let rejected = object([
            ("tooNewLogEventStartIndex", (new > 0).then(|| (events.len() - new).into())),
            ("tooOldLogEventEndIndex", (old > 0).then(|| old.into())),
            ("expiredLogEventEndIndex", (expired > 0).then(|| expired.into())),
        ]);
        let any_rejected = expired + old + new > 0;
        // Nobody asks for the token any more; it is told all the same.
        let next = format!("{:056}", u128::from(now_ms) * 1_000_000 + events.len() as u128);
        Ok(object([
            ("nextSequenceToken", Some(next.into())),
            ("rejectedLogEventsInfo", any_rejected.then_some(rejected)),
        ]))
    }
}

fn check(events: &[(u64, &str)]) -> Result<(), wire::ServiceError> {
    let bytes: usize = events.iter().map(|(_, message)| message.len() + EVENT_BYTES).sum();
    if bytes > CALL_BYTES_MAX {
        return Err(invalid(&format!("Upload too large: {bytes} bytes exceeds limit of {CALL_BYTES_MAX}")));
    }
    if events.windows(2).any(|pair| pair[0].0 > pair[1].0) {
        return Err(invalid("Log events in a single PutLogEvents request must be in chronological order."));
    }
    let (first, last) = (events.first().map_or(0, |event| event.0), events.last().map_or(0, |event| event.0));
    if last - first > DAY_MS {
        return Err(invalid(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
        ));
    }
    Ok(())
}
