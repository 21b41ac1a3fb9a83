//! What a target's answer says about the batch it was given.

use crate::lane::Outcome;
use serde_json::Value;

/// Reads the answer of a target that may report the records it failed on.
///
/// `sequence_of` reads a record's identifier; `sequences` are those of the batch, in order.
pub fn read(body: &[u8], sequences: &[u64], sequence_of: impl Fn(&str) -> Option<u64>) -> Outcome {
    let Ok(Value::Object(answer)) = serde_json::from_slice(body) else {
        // Nothing, null, a list or a bare word: the function returned, and reported nothing.
        return Outcome::Accepted;
    };
    let failures = match answer.get("batchItemFailures") {
        None | Some(Value::Null) => return Outcome::Accepted,
        Some(Value::Array(failures)) => failures,
        Some(_) => return Outcome::Refused,
    };
    let mut lowest = None;
    for failure in failures {
        // An identifier that is empty, missing, no string, or of no record of the batch fails the whole batch.
        let identifier = failure.get("itemIdentifier").and_then(Value::as_str);
        let Some(sequence) = identifier.and_then(&sequence_of) else { return Outcome::Refused };
        if sequences.binary_search(&sequence).is_err() {
            return Outcome::Refused;
        }
        lowest = Some(lowest.map_or(sequence, |lowest: u64| lowest.min(sequence)));
    }
    match lowest {
        None => Outcome::Accepted,
        Some(first) if Some(&first) == sequences.first() => Outcome::Refused,
        Some(first) => Outcome::Partly(first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expect: Outcome) {
        let outcome = read(body.as_bytes(), &[10, 11, 12], |text| text.parse().ok());
        assert_eq!(outcome, expect, "{body}");
    }

    #[test]
    fn answers_that_report_nothing_are_successes() {
        for body in ["", "null", "{}", "[]", "\"\"", "\"done\"", "7", r#"{"batchItemFailures":[]}"#] {
            check(body, Outcome::Accepted);
        }
        check(r#"{"batchItemFailures":null}"#, Outcome::Accepted);
        check(r#"{"foo":123}"#, Outcome::Accepted);
    }

    #[test]
    fn reports_that_cannot_be_read_fail_the_batch() {
        for failure in [
            r#"{"itemIdentifier":""}"#,
            r#"{"itemIdentifier":null}"#,
            r#"{"itemIdentifier":11}"#,
            r#"{"itemIdentifier":"123"}"#,
            r#"{"foo":123}"#,
            r#""11""#,
        ] {
            check(&format!(r#"{{"batchItemFailures":[{failure}]}}"#), Outcome::Refused);
            check(
                &format!(r#"{{"batchItemFailures":[{{"itemIdentifier":"12"}},{failure}]}}"#),
                Outcome::Refused,
            );
        }
        check(r#"{"batchItemFailures":"11"}"#, Outcome::Refused);
    }

    #[test]
    fn the_lowest_reported_record_is_where_it_goes_on() {
        let report = |ids: &[&str]| {
            let list: Vec<_> = ids.iter().map(|id| format!(r#"{{"itemIdentifier":"{id}"}}"#)).collect();
            format!(r#"{{"batchItemFailures":[{}]}}"#, list.join(","))
        };
        check(&report(&["12"]), Outcome::Partly(12));
        check(&report(&["12", "11"]), Outcome::Partly(11));
        check(&report(&["11", "10"]), Outcome::Refused);
    }
}
