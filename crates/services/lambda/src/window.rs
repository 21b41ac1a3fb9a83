//! Tumbling windows, as functions meet them: what an event tells of its window, and the state that an answer holds.

use bytes::Bytes;
use feed::{Batch, Frame};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::time::Duration;
use world::Timestamp;

/// The members behind `Records`. [reference: event-source-mapping §7]
pub(super) fn write(frame: &Frame, batch: &Batch, event: &mut Vec<u8>) {
    let time = |seconds| {
        let millis = Duration::from_secs(seconds).as_millis();
        Timestamp::from_millis(u64::try_from(millis).unwrap_or(u64::MAX)).iso_seconds()
    };
    let (start, end) = (time(frame.start_s), time(frame.end_s));
    event
        .extend_from_slice(format!(r#","window":{{"start":"{start}Z","end":"{end}Z"}},"state":"#).as_bytes());
    event.extend_from_slice(&frame.state);
    let (shard, stream) = (&batch.shard, &batch.mapping.stream);
    let (last, early) = (frame.is_final, frame.is_early);
    event.extend_from_slice(
        format!(
            r#","shardId":"{shard}","eventSourceARN":"{stream}","isFinalInvokeForWindow":{last},"isWindowTerminatedEarly":{early}"#
        )
        .as_bytes(),
    );
}

/// The state as the function wrote it, if its answer is an object with an object in it.
pub(super) fn state(payload: &[u8]) -> Option<Bytes> {
    #[derive(Deserialize)]
    struct Answer<'a> {
        #[serde(borrow)]
        state: &'a RawValue,
    }
    let text = std::str::from_utf8(payload).ok()?.trim_start();
    // A list of one state would do for the struct, too.
    let answer: Answer<'_> = text.starts_with('{').then(|| serde_json::from_str(text).ok())??;
    let state = answer.state.get();
    state.starts_with('{').then(|| Bytes::copy_from_slice(state.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_an_object_in_an_object() {
        let text = |payload: &str| {
            state(payload.as_bytes()).map(|state| String::from_utf8(state.to_vec()).expect("text"))
        };
        assert_eq!(
            text(r#" {"a":1,"state": {"n":1.50, "b":[]} }"#).as_deref(),
            Some(r#"{"n":1.50, "b":[]}"#)
        );
        for payload in [
            "",
            "null",
            "{}",
            r#"{"state":null}"#,
            r#"{"state":[]}"#,
            r#"{"state":"{}"}"#,
            r#"[{"n":1}]"#,
            "{",
        ] {
            assert_eq!(text(payload), None, "{payload}");
        }
    }
}
