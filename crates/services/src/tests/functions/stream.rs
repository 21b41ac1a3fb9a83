//! Answers as event streams.

use crate::tests::bench::Bench;
use ::functions::zip_of;
use serde_json::{Value, json};

const STREAM: &str = "/2021-11-15/functions/f/response-streaming-invocations";

/// The type and the payload of every message.
fn messages(mut bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let number = |bytes: &[u8], at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let (total, headers) = (number(bytes, 0), number(bytes, 4));
        // The first header is the event's type.
        let length = usize::from(bytes[26]);
        let kind = String::from_utf8_lossy(&bytes[27..27 + length]).into_owned();
        found.push((kind, bytes[12 + headers..total - 4].to_vec()));
        bytes = &bytes[total..];
    }
    found
}

#[test]
fn an_address_in_streaming_mode_passes_bytes_and_the_functions_head() {
    let bench = Bench::new();
    let text = "def handler(event, context):\n    return {'n': 1}";
    bench.function("f", text, json!({}));
    let url = "/2021-10-31/functions/f/url";
    let made = bench.good("POST", url, json!({ "AuthType": "NONE", "InvokeMode": "RESPONSE_STREAM" }));
    assert_eq!(made["InvokeMode"], "RESPONSE_STREAM");
    let path = made["FunctionUrl"].as_str().unwrap().split_once("4566").unwrap().1;
    let reply = bench.url("GET", path, &[], b"");
    assert_eq!(
        (reply.status, reply.header("content-type"), &reply.body[..]),
        (200, "application/octet-stream", &br#"{"n": 1}"#[..])
    );
}

#[test]
fn an_answer_comes_in_messages() {
    let bench = Bench::new();
    let text = "def handler(event, context):\n    if event.get('bad'): raise ValueError('no')\n    return 'x' * event.get('n', 1)";
    bench.function("f", text, json!({}));
    let reply = bench.call("POST", STREAM, &[("x-amz-log-type", "Tail")], br#"{"n":100000}"#);
    assert_eq!(reply.header("content-type"), "application/vnd.amazon.eventstream");
    assert_eq!(reply.header("x-amz-executed-version"), "$LATEST");
    let told = messages(&reply.body);
    let kinds: Vec<&str> = told.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["PayloadChunk", "PayloadChunk", "InvokeComplete"]);
    assert_eq!(told[0].1.len() + told[1].1.len(), 100_002);
    let complete: Value = serde_json::from_slice(&told[2].1).unwrap();
    assert!(complete["LogResult"].is_string() && complete.get("ErrorCode").is_none(), "{complete}");

    let failed = messages(&bench.call("POST", STREAM, &[], br#"{"bad":1}"#).body);
    let complete: Value = serde_json::from_slice(&failed[0].1).unwrap();
    assert_eq!((failed.len(), &complete["ErrorCode"]), (1, &json!("Unhandled")));
    assert!(complete["ErrorDetails"].as_str().unwrap().contains("ValueError"), "{complete}");
    assert_eq!(bench.call("POST", STREAM, &[("x-amz-invocation-type", "DryRun")], b"").status, 204);
}

const NODE: &str = r#"
exports.handler = awslambda.streamifyResponse(async (event, stream) => {
  stream = awslambda.HttpResponseStream.from(stream, { statusCode: 418, headers: { 'X-A': 'b' }, cookies: ['c=d'] });
  stream.write('one ');
  stream.write('two');
  if (event.rawPath === '/bad') throw new Error('midway');
});
"#;

#[test]
fn a_streaming_function_gives_its_own_head() {
    let bench = Bench::new();
    let code = wire::base64::encode(&zip_of(&[("index.js", NODE)]));
    let more = json!({ "Runtime": "nodejs20.x", "Handler": "index.handler", "Code": { "ZipFile": code } });
    bench.function("f", "", more);
    let url = "/2021-10-31/functions/f/url";
    let made = bench.good("POST", url, json!({ "AuthType": "NONE", "InvokeMode": "RESPONSE_STREAM" }));
    let path = made["FunctionUrl"].as_str().unwrap().split_once("4566").unwrap().1;
    for (more, expected) in [("", "one two"), ("bad", "one two")] {
        let reply = bench.url("GET", &format!("{path}{more}"), &[], b"");
        assert_eq!((reply.status, reply.header("x-a")), (418, "b"));
        assert_eq!(reply.header("set-cookie"), "c=d");
        assert_eq!(String::from_utf8_lossy(&reply.body), expected);
    }
    let told = messages(&bench.call("POST", STREAM, &[], br#"{"rawPath":"/bad"}"#).body);
    let (last, chunks) = told.split_last().unwrap();
    let sent: Vec<u8> = chunks.iter().flat_map(|(_, payload)| payload.clone()).collect();
    assert!(sent.starts_with(b"{\"statusCode\":418") && sent.ends_with(b"\0\0one two"));
    let complete: Value = serde_json::from_slice(&last.1).unwrap();
    assert!(complete["ErrorDetails"].as_str().unwrap().contains("midway"), "{complete}");
}
