//! InvokeWithResponseStream: the answer as messages of an event stream, sent while the function makes it.

use super::Functions;
use super::invoke::{Asked, throttled, wants_tail};
use ::functions::{Answer, Outcome};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use servicekit::call::Call;
use servicekit::reply::Reply;
use std::io;
use tokio::sync::mpsc;
use wire::{Response, ServiceError, eventstream};

/// The most of an answer that one message holds.
const CHUNK_BYTES: usize = 64 * 1024;
/// Messages that wait for a slow client.
const AHEAD: usize = 4;

/// Whoever reads an answer.
type Reader = mpsc::Sender<io::Result<Bytes>>;

impl Functions {
    pub(crate) async fn invoke_streaming(&self, call: &Call) -> Result<Reply, ServiceError> {
        let input = call.input()?;
        let Asked { kind, config, invocation } = self.asked(call, &input)?;
        if kind == "DryRun" {
            let response = Response::new(204, "").with_header("x-amzn-requestid", &call.request_id);
            return Ok(response.into());
        }
        let response = Response::new(200, "")
            .with_header("content-type", "application/vnd.amazon.eventstream")
            .with_header("x-amzn-requestid", &call.request_id)
            .with_header("x-amz-executed-version", &config.version);
        let answer = self.functions.invoke_streaming(config, invocation).await.map_err(throttled)?;
        let tail = wants_tail(&input);
        let (reader, pieces) = mpsc::channel(AHEAD);
        tokio::spawn(async move { tell(answer, &reader, tail).await });
        Ok(Reply::live(response, pieces))
    }
}

/// Stops when nobody reads any more; the function goes on.
async fn tell(answer: Answer, reader: &Reader, tail: bool) -> Option<()> {
    let outcome = match answer {
        Answer::Whole(outcome) => {
            if !outcome.failed {
                chunks(reader, &outcome.payload).await?;
            }
            outcome
        }
        Answer::Streamed(mut streamed) => {
            while let Some(piece) = streamed.next().await {
                chunks(reader, &piece).await?;
            }
            match streamed.end().await {
                Ok(outcome) => outcome,
                Err(_) => return reader.send(Err(io::ErrorKind::ConnectionAborted.into())).await.ok(),
            }
        }
    };
    let complete = complete(&outcome, tail).to_string();
    let message = eventstream::message("InvokeComplete", "application/json", complete.as_bytes());
    reader.send(Ok(message.into())).await.ok()
}

async fn chunks(reader: &Reader, payload: &[u8]) -> Option<()> {
    for chunk in payload.chunks(CHUNK_BYTES) {
        let message = eventstream::message("PayloadChunk", "application/octet-stream", chunk);
        reader.send(Ok(message.into())).await.ok()?;
    }
    Some(())
}

fn complete(outcome: &Outcome, tail: bool) -> Value {
    let mut complete = Map::new();
    if outcome.failed {
        complete.insert("ErrorCode".to_owned(), json!("Unhandled"));
        complete.insert("ErrorDetails".to_owned(), String::from_utf8_lossy(&outcome.payload).into());
    }
    if tail {
        complete.insert("LogResult".to_owned(), wire::base64::encode(outcome.log_tail.as_bytes()).into());
    }
    Value::Object(complete)
}
