//! Answers that are read while they are made.

use super::{House, text};
use functions::{Answer, FunctionConfig, Invocation, Outcome, Streamed};
use std::io::Write;
use std::net::TcpListener;
use std::sync::Arc;

async fn begin(house: &House, config: &FunctionConfig, payload: &str) -> Answer {
    let invocation = Invocation {
        request_id: house.world.uuid(),
        payload: payload.as_bytes().to_vec().into(),
        client_context: None,
        function_arn: String::new(),
    };
    house.functions.invoke_streaming(Arc::new(config.clone()), invocation).await.expect("an answer")
}

fn streamed(answer: Answer) -> Streamed {
    match answer {
        Answer::Streamed(streamed) => streamed,
        Answer::Whole(outcome) => panic!("not a stream: {}", text(&outcome)),
    }
}

async fn rest(mut streamed: Streamed) -> (String, Outcome) {
    let mut told = Vec::new();
    while let Some(piece) = streamed.next().await {
        told.extend_from_slice(&piece);
    }
    (String::from_utf8(told).expect("text"), streamed.end().await.expect("an end"))
}

const NODE: &str = r#"
const net = require('node:net');
const text = require('node:stream/consumers').text;
// The second part is only written once the caller, who has read the first one, says so.
exports.waits = awslambda.streamifyResponse(async (event, stream, context) => {
  stream.setContentType('text/plain');
  stream.write('first ');
  stream.write(await text(net.connect(event.port, '127.0.0.1')));
  stream.end();
});
exports.breaks = awslambda.streamifyResponse(async (event, stream) => { stream.write('x'); throw new TypeError('midway'); });
exports.never = awslambda.streamifyResponse(async () => { throw new TypeError('before'); });
exports.exits = awslambda.streamifyResponse(async (event, stream) => { stream.write('x', () => process.exit(3)); await new Promise(() => setInterval(() => {}, 1000)); });
exports.much = awslambda.streamifyResponse(async (event, stream) => {
  const { Readable } = require('node:stream');
  const { pipeline } = require('node:stream/promises');
  await pipeline(Readable.from(Array.from({ length: 300 }, () => Buffer.alloc(65536, 'a'))), stream);
});
exports.plain = async () => 'whole';
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_bytes_come_before_the_function_ends() {
    let house = House::new();
    let base = house.function("nodejs20.x", "index.waits", &[("index.js", NODE)]);
    let gate = TcpListener::bind("127.0.0.1:0").expect("a gate");
    let port = gate.local_addr().expect("an address").port();
    let mut answer = streamed(begin(&house, &base, &format!(r#"{{"port":{port}}}"#)).await);
    assert_eq!(answer.content_type, "text/plain");
    assert_eq!(answer.next().await.as_deref(), Some(&b"first "[..]));
    let (mut open, _) = gate.accept().expect("the function waits");
    open.write_all(b"second").expect("told");
    drop(open);
    let (told, outcome) = rest(answer).await;
    assert_eq!((told.as_str(), outcome.failed, outcome.payload.len()), ("second", false, 0));
    assert!(outcome.log_tail.contains("REPORT RequestId"), "{}", outcome.log_tail);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_in_the_middle_come_behind_what_was_sent() {
    let house = House::new();
    let base = house.function("nodejs20.x", "index.breaks", &[("index.js", NODE)]);
    let with =
        |handler: &str| FunctionConfig { handler: handler.into(), revision: handler.into(), ..base.clone() };
    let (told, outcome) = rest(streamed(begin(&house, &with("index.breaks"), "{}").await)).await;
    assert_eq!(told, "x");
    assert!(outcome.failed && text(&outcome).contains(r#""errorMessage":"midway""#), "{}", text(&outcome));
    let (told, outcome) = rest(streamed(begin(&house, &with("index.exits"), "{}").await)).await;
    assert_eq!(told, "x");
    assert!(text(&outcome).contains("exit status 3"), "{}", text(&outcome));
    match begin(&house, &with("index.never"), "{}").await {
        Answer::Whole(outcome) => assert!(outcome.failed && text(&outcome).contains("before")),
        Answer::Streamed(_) => panic!("nothing was written"),
    }
    match begin(&house, &with("index.plain"), "{}").await {
        Answer::Whole(outcome) => assert_eq!(text(&outcome), r#""whole""#),
        Answer::Streamed(_) => panic!("a plain answer"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_may_be_larger_than_an_answer_and_its_reader_may_go() {
    let house = House::new();
    let config = house.function("nodejs20.x", "index.much", &[("index.js", NODE)]);
    let (told, outcome) = rest(streamed(begin(&house, &config, "{}").await)).await;
    assert_eq!((told.len(), outcome.failed), (300 * 65_536, false));
    // Kept whole it is too large.
    let kept = house.invoke(&config, "{}").await;
    assert!(text(&kept).contains("Function.ResponseSizeTooLarge"), "{}", text(&kept));
    let left = streamed(begin(&house, &config, "{}").await);
    let outcome = left.end().await.expect("it goes on to its end");
    assert!(!outcome.failed, "{}", text(&outcome));
    assert_eq!(house.functions.stats().cold_starts, 1);
}
