//! The requests of a runtime: heads, bodies, and bodies in chunks with trailers.

use super::RESPONSE_BYTES_MAX;
use super::body::{Body, base64};
use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A request's head; what is longer is no runtime's.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// A streamed answer has two of ours.
const TRAILERS_MAX: usize = 32;

/// A request's head, as far as it is asked for here.
pub(super) struct Head {
    pub method: String,
    pub path: String,
    pub content_type: Option<String>,
    pub keep: bool,
    /// Whether the runtime says that its answer is a stream.
    pub streaming: bool,
    /// What an extension says of itself.
    pub extension_name: Option<String>,
    pub extension_id: Option<String>,
    pub error_type: Option<String>,
    length: Option<usize>,
    chunked: bool,
}

pub(super) async fn read_head(stream: &mut TcpStream, buffer: &mut BytesMut) -> Option<Head> {
    let end = loop {
        if let Some(at) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        if buffer.len() > HEAD_BYTES_MAX || stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let head = buffer.split_to(end + 4);
    let text = std::str::from_utf8(&head).ok()?;
    let mut lines = text.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, path, version) = (first.next()?, first.next()?, first.next()?);
    let mut parsed = Head {
        method: method.to_owned(),
        path: path.to_owned(),
        content_type: None,
        keep: version == "HTTP/1.1",
        streaming: false,
        extension_name: None,
        extension_id: None,
        error_type: None,
        length: None,
        chunked: false,
    };
    for line in lines {
        let Some((name, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => parsed.length = Some(value.parse().ok()?),
            "content-type" => parsed.content_type = Some(value.to_owned()),
            "transfer-encoding" => parsed.chunked = value.eq_ignore_ascii_case("chunked"),
            "lambda-runtime-function-response-mode" => {
                parsed.streaming = value.eq_ignore_ascii_case("streaming");
            }
            "lambda-extension-name" => parsed.extension_name = Some(value.to_owned()),
            "lambda-extension-identifier" => parsed.extension_id = Some(value.to_owned()),
            "lambda-extension-function-error-type" => parsed.error_type = Some(value.to_owned()),
            "connection" if value.eq_ignore_ascii_case("close") => parsed.keep = false,
            "expect" => stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.ok()?,
            _ => {}
        }
    }
    Some(parsed)
}

/// Reads the body to its end: `Err` holds the account of a failure that its trailers told.
pub(super) async fn read_body(
    stream: &mut TcpStream,
    buffer: &mut BytesMut,
    head: &Head,
    body: &mut Body,
) -> Option<Result<(), Bytes>> {
    if head.chunked {
        let trailers = read_chunks(stream, buffer, body).await?;
        return Some(failure(&trailers).map_or(Ok(()), Err));
    }
    let length = head.length.unwrap_or(0);
    if length <= RESPONSE_BYTES_MAX {
        buffer.reserve(length.saturating_sub(buffer.len()));
        while buffer.len() < length {
            stream.read_buf(buffer).await.ok().filter(|read| *read > 0)?;
        }
        body.take(buffer.split_to(length).freeze()).await;
    } else {
        pass(stream, buffer, length, body).await?;
    }
    Some(Ok(()))
}

/// Passes on so many bytes as they come.
async fn pass(stream: &mut TcpStream, buffer: &mut BytesMut, bytes: usize, body: &mut Body) -> Option<()> {
    let mut left = bytes;
    while left > 0 {
        if buffer.is_empty() {
            stream.read_buf(buffer).await.ok().filter(|read| *read > 0)?;
        }
        let piece = buffer.split_to(left.min(buffer.len())).freeze();
        left -= piece.len();
        body.take(piece).await;
    }
    Some(())
}

/// The trailers behind the chunks.
async fn read_chunks(stream: &mut TcpStream, buffer: &mut BytesMut, body: &mut Body) -> Option<Vec<String>> {
    loop {
        let line = read_line(stream, buffer).await?;
        let size = usize::from_str_radix(line.split(';').next()?.trim(), 16).ok()?;
        if size > 0 {
            pass(stream, buffer, size, body).await?;
            while buffer.len() < 2 {
                stream.read_buf(buffer).await.ok().filter(|read| *read > 0)?;
            }
            buffer.advance(2);
            continue;
        }
        let mut trailers = Vec::new();
        loop {
            let line = read_line(stream, buffer).await?;
            if line.is_empty() {
                return Some(trailers);
            }
            if trailers.len() >= TRAILERS_MAX {
                return None;
            }
            trailers.push(line);
        }
    }
}

/// The account of a failure in the middle of a streamed answer.
fn failure(trailers: &[String]) -> Option<Bytes> {
    let of = |wanted: &str| {
        trailers.iter().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted).then(|| value.trim())
        })
    };
    let kind = of("Lambda-Runtime-Function-Error-Type")?;
    let body = of("Lambda-Runtime-Function-Error-Body").and_then(base64);
    Some(body.unwrap_or_else(|| super::refusal("The stream ended with an error", kind).into()))
}

async fn read_line(stream: &mut TcpStream, buffer: &mut BytesMut) -> Option<String> {
    loop {
        if let Some(at) = buffer.windows(2).position(|window| window == b"\r\n") {
            let line = buffer.split_to(at + 2);
            return String::from_utf8(line[..at].to_vec()).ok();
        }
        if buffer.len() > HEAD_BYTES_MAX {
            return None;
        }
        stream.read_buf(buffer).await.ok().filter(|read| *read > 0)?;
    }
}
