//! An address in streaming mode: the function's bytes as they come, after a head of its own if it gives one.

use super::url_event::with_head;
use ::functions::{Answer, Streamed};
use bytes::{Bytes, BytesMut};
use serde_json::Value;
use servicekit::reply::Reply;
use std::io;
use tokio::sync::mpsc;
use wire::Response;

/// Pieces that wait for a slow client.
const AHEAD: usize = 4;
/// What a stream holds that begins with a head.
const WITH_HEAD: &str = "application/vnd.awslambda.http-integration-response";
/// What stands between a head and what follows it.
const HEAD_END: [u8; 8] = [0; 8];
const HEAD_BYTES_MAX: usize = 256 * 1024;

/// None when the function failed before its answer began, or when its head makes no response.
pub(super) async fn respond(answer: Answer) -> Option<Reply> {
    let mut streamed = match answer {
        Answer::Whole(outcome) if outcome.failed => return None,
        Answer::Whole(outcome) => return Some(plain(outcome.payload, "application/octet-stream").into()),
        Answer::Streamed(streamed) => streamed,
    };
    let response = match streamed.content_type.as_str() {
        WITH_HEAD => head(&mut streamed).await?,
        other => plain(Bytes::new(), other),
    };
    let (reader, pieces) = mpsc::channel(AHEAD);
    tokio::spawn(async move { pass_on(streamed, reader).await });
    Some(Reply::live(response, pieces))
}

fn plain(body: Bytes, content_type: &str) -> Response {
    Response::new(200, body).with_header("content-type", content_type)
}

/// The response's head, and the first bytes behind it.
async fn head(streamed: &mut Streamed) -> Option<Response> {
    let mut read = BytesMut::new();
    loop {
        read.extend_from_slice(&streamed.next().await?);
        if let Some(end) = read.windows(HEAD_END.len()).position(|window| window == HEAD_END) {
            let head: Value = serde_json::from_slice(&read[..end]).ok()?;
            let status = head.get("statusCode").cloned().unwrap_or_else(|| 200.into());
            return with_head(&head, &status, read.freeze().slice(end + HEAD_END.len()..));
        }
        if read.len() > HEAD_BYTES_MAX {
            return None;
        }
    }
}

/// A failure in the middle breaks the connection off: the answer must not look whole.
async fn pass_on(mut streamed: Streamed, reader: mpsc::Sender<io::Result<Bytes>>) {
    while let Some(piece) = streamed.next().await {
        if reader.send(Ok(piece)).await.is_err() {
            return;
        }
    }
    if !streamed.end().await.is_ok_and(|outcome| !outcome.failed) {
        let _ = reader.send(Err(io::ErrorKind::ConnectionAborted.into())).await;
    }
}
