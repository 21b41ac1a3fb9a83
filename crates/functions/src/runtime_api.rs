//! The Runtime API of one environment: a loopback listener that hands out invocations and takes answers.
//!
//! Every answer is one write. Two would meet Nagle's algorithm and a delayed acknowledgement: forty milliseconds.

use bytes::{Bytes, BytesMut};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::AbortHandle;

/// The largest answer of a function.
pub(crate) const RESPONSE_BYTES_MAX: usize = 6_291_556;
/// A streamed answer has two of ours.
const TRAILERS_MAX: usize = 32;
/// A request's head; what is longer is no runtime's.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// An invocation as the runtime is handed it.
#[derive(Debug)]
pub(crate) struct Job {
    pub request_id: String,
    pub payload: Bytes,
    /// Further header lines, each ended.
    pub headers: String,
    pub posted: oneshot::Sender<Posted>,
}

/// What the runtime made of an invocation.
#[derive(Debug)]
pub(crate) enum Posted {
    Response(Bytes),
    Error(Bytes),
    TooLarge,
}

#[derive(Debug, Default)]
struct State {
    /// Handed over and not yet fetched.
    waiting: Option<Job>,
    /// Fetched and not yet answered.
    running: Option<(String, oneshot::Sender<Posted>)>,
    /// Whether the runtime has asked for its first invocation.
    ready: bool,
    init_error: Option<Bytes>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    job: Notify,
    init: Notify,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One environment's side of the Runtime API.
#[derive(Debug)]
pub(crate) struct RuntimeApi {
    shared: Arc<Shared>,
    pub address: SocketAddr,
    listener: AbortHandle,
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

impl RuntimeApi {
    pub async fn listen() -> std::io::Result<RuntimeApi> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { state: Mutex::default(), job: Notify::new(), init: Notify::new() });
        let accepting = shared.clone();
        let task = tokio::spawn(async move {
            // Ends its connections with it.
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                let shared = accepting.clone();
                connections.spawn(async move { serve(stream, &shared).await });
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(RuntimeApi { shared, address, listener: task.abort_handle() })
    }

    /// Ready when the runtime asks for its first invocation: `Err` holds its own account when it failed instead.
    pub async fn initialized(&self) -> Result<(), Bytes> {
        loop {
            let changed = self.shared.init.notified();
            {
                let state = self.shared.state();
                if let Some(error) = &state.init_error {
                    return Err(error.clone());
                }
                if state.ready {
                    return Ok(());
                }
            }
            changed.await;
        }
    }

    pub fn hand_over(&self, job: Job) {
        self.shared.state().waiting = Some(job);
        self.shared.job.notify_one();
    }
}

/// A request, as far as it is asked for here.
struct Head {
    method: String,
    path: String,
    length: Option<usize>,
    chunked: bool,
    keep: bool,
    /// What trailers told of a streamed answer that failed.
    failure: Option<Bytes>,
}

async fn serve(mut stream: TcpStream, shared: &Shared) {
    let mut buffer = BytesMut::with_capacity(8 * 1024);
    loop {
        let Some(mut head) = read_head(&mut stream, &mut buffer).await else { return };
        let keep = head.keep;
        let answer = match read_body(&mut stream, &mut buffer, &mut head).await {
            Some(body) => answer(shared, &head, body).await,
            None => return,
        };
        if stream.write_all(&answer).await.is_err() || !keep {
            return;
        }
    }
}

async fn read_head(stream: &mut TcpStream, buffer: &mut BytesMut) -> Option<Head> {
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
        length: None,
        chunked: false,
        keep: version == "HTTP/1.1",
        failure: None,
    };
    for line in lines {
        let Some((name, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") {
            parsed.length = Some(value.parse().ok()?);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            parsed.chunked = value.eq_ignore_ascii_case("chunked");
        } else if name.eq_ignore_ascii_case("connection") && value.eq_ignore_ascii_case("close") {
            parsed.keep = false;
        } else if name.eq_ignore_ascii_case("expect") {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.ok()?;
        }
    }
    Some(parsed)
}

/// The body; what lies beyond the limit is read and dropped, so that the answer can say so.
async fn read_body(stream: &mut TcpStream, buffer: &mut BytesMut, head: &mut Head) -> Option<Bytes> {
    if head.chunked {
        let (body, trailers) = read_chunks(stream, buffer).await?;
        head.failure = failure(&trailers);
        return Some(body);
    }
    let length = head.length.unwrap_or(0);
    if length > RESPONSE_BYTES_MAX {
        let mut left = length - buffer.len().min(length);
        buffer.clear();
        while left > 0 {
            let read = stream.read_buf(buffer).await.ok().filter(|read| *read > 0)?;
            left = left.saturating_sub(read);
            buffer.clear();
        }
        return Some(Bytes::from(vec![0; RESPONSE_BYTES_MAX + 1]));
    }
    buffer.reserve(length.saturating_sub(buffer.len()));
    while buffer.len() < length {
        stream.read_buf(buffer).await.ok().filter(|read| *read > 0)?;
    }
    Some(buffer.split_to(length).freeze())
}

async fn read_chunks(stream: &mut TcpStream, buffer: &mut BytesMut) -> Option<(Bytes, Vec<String>)> {
    let mut body = BytesMut::new();
    loop {
        let line = read_line(stream, buffer).await?;
        let size = usize::from_str_radix(line.split(';').next()?.trim(), 16).ok()?;
        if size > RESPONSE_BYTES_MAX {
            return None;
        }
        if size == 0 {
            // Trailers, then an empty line.
            let mut trailers = Vec::new();
            loop {
                let line = read_line(stream, buffer).await?;
                if line.is_empty() {
                    return Some((body.freeze(), trailers));
                }
                if trailers.len() >= TRAILERS_MAX {
                    return None;
                }
                trailers.push(line);
            }
        }
        while buffer.len() < size + 2 {
            stream.read_buf(buffer).await.ok().filter(|read| *read > 0)?;
        }
        if body.len() <= RESPONSE_BYTES_MAX {
            body.extend_from_slice(&buffer[..size]);
        }
        let _ = buffer.split_to(size + 2);
    }
}

/// The account of a failure in the middle of a streamed answer: its trailers tell it.
fn failure(trailers: &[String]) -> Option<Bytes> {
    let of = |wanted: &str| {
        trailers.iter().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted).then(|| value.trim())
        })
    };
    let kind = of("Lambda-Runtime-Function-Error-Type")?;
    let body = of("Lambda-Runtime-Function-Error-Body").and_then(decoded);
    Some(body.unwrap_or_else(|| refusal("The stream ended with an error", kind).into()))
}

/// Base64, of which this crate needs nothing else.
fn decoded(text: &str) -> Option<Bytes> {
    let (mut bytes, mut held, mut bits) = (Vec::with_capacity(text.len()), 0_u32, 0);
    for letter in text.trim_end_matches('=').bytes() {
        let six = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        held = (held << 6 | u32::from(six)) & 0xFFFF;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
        }
    }
    Some(bytes.into())
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

async fn answer(shared: &Shared, head: &Head, body: Bytes) -> Vec<u8> {
    let Some(path) = head.path.strip_prefix("/2018-06-01/runtime/") else { return not_found() };
    let parts: Vec<&str> = path.split('/').collect();
    match (head.method.as_str(), parts.as_slice()) {
        ("GET", ["invocation", "next"]) => next(shared).await,
        ("POST", ["invocation", id, "response"]) => {
            if let Some(failure) = &head.failure {
                return post(shared, id, Posted::Error(failure.clone()));
            }
            let large = body.len() > RESPONSE_BYTES_MAX;
            post(shared, id, if large { Posted::TooLarge } else { Posted::Response(body) })
        }
        ("POST", ["invocation", id, "error"]) => post(shared, id, Posted::Error(body)),
        ("POST", ["init", "error"]) => init_error(shared, body),
        _ => not_found(),
    }
}

/// Waits for an invocation as long as it takes.
async fn next(shared: &Shared) -> Vec<u8> {
    shared.state().ready = true;
    shared.init.notify_waiters();
    loop {
        let changed = shared.job.notified();
        let job = {
            let mut state = shared.state();
            let job = state.waiting.take();
            if let Some(job) = job {
                state.running = Some((job.request_id.clone(), job.posted));
                Some((job.request_id, job.headers, job.payload))
            } else {
                None
            }
        };
        if let Some((request_id, headers, payload)) = job {
            let mut answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
                 Lambda-Runtime-Aws-Request-Id: {request_id}\r\n{headers}\r\n",
                payload.len()
            )
            .into_bytes();
            answer.extend_from_slice(&payload);
            return answer;
        }
        changed.await;
    }
}

fn post(shared: &Shared, id: &str, posted: Posted) -> Vec<u8> {
    let mut state = shared.state();
    match state.running.take() {
        Some((running, done)) if running == id => {
            let large = matches!(posted, Posted::TooLarge);
            let _ = done.send(posted);
            if large {
                let message = format!("Exceeded maximum allowed payload size ({RESPONSE_BYTES_MAX} bytes).");
                return json("413 Payload Too Large", &refusal(&message, "RequestEntityTooLarge"));
            }
            json("202 Accepted", r#"{"status":"OK"}"#)
        }
        other => {
            state.running = other;
            json("400 Bad Request", &refusal("Invalid request ID", "InvalidRequestID"))
        }
    }
}

fn init_error(shared: &Shared, body: Bytes) -> Vec<u8> {
    let mut state = shared.state();
    if state.ready {
        return json("403 Forbidden", &refusal("State transition is not allowed", "InvalidStateTransition"));
    }
    state.init_error = Some(body);
    drop(state);
    shared.init.notify_waiters();
    json("202 Accepted", r#"{"status":"OK"}"#)
}

fn not_found() -> Vec<u8> {
    json("404 Not Found", &refusal("404 page not found", "NotFound"))
}

fn refusal(message: &str, kind: &str) -> String {
    serde_json::json!({ "errorMessage": message, "errorType": kind }).to_string()
}

fn json(status: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}")
        .into_bytes()
}
