use super::*;
use feed::{Buried, Mapping, MappingId, Policy, Report, Start};
use std::sync::Arc;

fn letter(reason: DropReason, invocations: u32, error: Option<&str>) -> Letter {
    let created = Timestamp::from_millis(1_573_690_399_500);
    let mapping = Mapping {
        id: MappingId::new("0-1"),
        account: "123456789012".into(),
        region: "us-east-1".into(),
        stream: "arn:s".into(),
        target: "arn:f".into(),
        start: Start::Latest,
        start_position: 0,
        policy: Policy::default(),
        lanes: 1,
        filters: vec![],
        on_failure: None,
        metrics: vec![],
        tags: Default::default(),
        enabled: true,
        modified: created,
    };
    let record =
        |sequence| Buried { sequence, created, encoded: r#"{"eventID":"1","b":{"z":1,"a":2}}"#.into() };
    let error = error.map(str::to_owned);
    let report = Report { request_id: "r".into(), version: "$LATEST".into(), error };
    Letter {
        mapping: Arc::new(mapping),
        shard: "shardId-1".into(),
        records: vec![record(7), record(9)],
        reason,
        invocations,
        report: (invocations > 0).then_some(report),
    }
}

fn told(letter: &Letter) -> String {
    document(letter, Timestamp::from_millis(1_657_720_081_000), "id").to_string()
}

const INFO: &str = concat!(
    r#""version":"1.0","timestamp":"2022-07-13T13:48:01.000Z","DDBStreamBatchInfo":{"shardId":"shardId-1","#,
    r#""startSequenceNumber":"000000000000000000007","endSequenceNumber":"000000000000000000009","#,
    r#""approximateArrivalOfFirstRecord":"2019-11-14T00:13:19Z","approximateArrivalOfLastRecord":"2019-11-14T00:13:19Z","#,
    r#""batchSize":2,"streamArn":"arn:s"}}"#
);

#[test]
fn exhausted_retries_tell_of_the_last_run() {
    let head = concat!(
        r#"{"requestContext":{"requestId":"r","functionArn":"arn:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":2},"#,
        r#""responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"#
    );
    let found = told(&letter(DropReason::RetriesExhausted, 2, Some("Unhandled")));
    let sequences = |text: &str| {
        text.replace(&Sequence(7).to_string(), "000000000000000000007")
            .replace(&Sequence(9).to_string(), "000000000000000000009")
    };
    assert_eq!(sequences(&found), format!("{head}{INFO}"));
    // Records that a good answer named: the function itself did not fail.
    assert!(told(&letter(DropReason::RetriesExhausted, 2, None)).contains(r#""functionError":null}"#));
}

#[test]
fn what_grew_too_old_has_no_response() {
    let never = told(&letter(DropReason::AgeExceeded, 0, None));
    assert!(
        never.contains(r#""requestId":"id""#)
            && never.contains(r#""condition":"RecordAgeExceeded","approximateInvokeCount":1"#)
    );
    let tried = told(&letter(DropReason::AgeExceeded, 8, Some("Unhandled")));
    assert!(tried.contains(r#""requestId":"r""#) && tried.contains(r#""approximateInvokeCount":8"#));
    assert!(!never.contains("responseContext") && !tried.contains("responseContext"));
}

#[test]
fn objects_have_sorted_members_and_the_records() {
    let letter = letter(DropReason::RetriesExhausted, 1, None);
    let payload = sorted(payload(&letter).expect("JSON")).to_string();
    assert!(payload.starts_with(r#"{"Records":[{"b":{"a":2,"z":1},"eventID":"1"},"#), "{payload}");
    let key = key(&letter, Timestamp::from_millis(1_657_720_081_000), "u");
    assert_eq!(key, "aws/lambda/0-1/shardId-1/2022/07/13/2022-07-13T13.48.01-u");
}
