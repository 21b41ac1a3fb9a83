//! The Runtime API of one environment: a loopback listener that hands out invocations and takes answers. Extensions
//! are told of them, too.
//!
//! Every answer is one write. Two would meet Nagle's algorithm and a delayed acknowledgement: forty milliseconds.

mod body;
mod extension;
mod guests;
mod http;
mod untold;

pub(crate) use body::Piece;
pub(crate) use guests::Guest;

use crate::extensions::Extensions;
use body::Body;
use bytes::{Buf, Bytes, BytesMut};
use guests::Guests;
use http::{Head, read_body, read_head};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::AbortHandle;
use untold::{FETCHED_WITHIN, Untold, settle};
use world::World;

/// The largest answer of a function.
const RESPONSE_BYTES_MAX: usize = 6_291_556;

/// An invocation as the runtime is handed it.
pub(crate) struct Job {
    pub request_id: String,
    pub payload: Bytes,
    /// Further header lines, each ended.
    pub headers: String,
    pub posted: oneshot::Sender<Posted>,
    /// Where an answer that is a stream goes as it comes; without, it is kept until it is whole.
    pub pieces: Option<mpsc::Sender<Piece>>,
    /// Looks at the answer before the runtime may ask for more, and may have the next invocation at hand.
    pub next: Option<Next>,
}

pub(crate) type Next = Box<dyn FnOnce(&Bytes) -> Option<Job> + Send>;

/// What the runtime made of an invocation.
#[derive(Debug)]
pub(crate) enum Posted {
    Response(Bytes),
    Error(Bytes),
    /// Larger than this.
    TooLarge(usize),
}

#[derive(Default)]
struct State {
    /// Handed over and not yet fetched.
    waiting: Option<Job>,
    /// Fetched and not yet answered.
    running: Option<Running>,
    /// How many are answered, and not yet told to who waits for it.
    settling: u32,
    /// Whether the runtime has asked for its first invocation.
    ready: bool,
    init_error: Option<Bytes>,
}

struct Running {
    request_id: String,
    posted: oneshot::Sender<Posted>,
    pieces: Option<mpsc::Sender<Piece>>,
    next: Option<Next>,
}

struct Shared {
    state: Mutex<State>,
    job: Notify,
    init: Notify,
    guests: Guests,
    extensions: Arc<Extensions>,
    /// What extensions are told of the function.
    about: String,
    world: World,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

/// One environment's side of the Runtime API.
#[derive(Debug)]
pub(crate) struct RuntimeApi {
    shared: Arc<Shared>,
    pub address: SocketAddr,
    listener: AbortHandle,
}

/// What is written back: the payload of an invocation is not copied behind its head.
struct Answer {
    head: Vec<u8>,
    payload: Bytes,
    /// What is done once it is written: the runtime turns to its next invocation meanwhile.
    behind: Option<(Running, Posted)>,
}

impl From<Vec<u8>> for Answer {
    fn from(whole: Vec<u8>) -> Answer {
        Answer { head: whole, payload: Bytes::new(), behind: None }
    }
}

impl Answer {
    async fn write(self, stream: &mut TcpStream) -> std::io::Result<()> {
        let mut both = Buf::chain(&self.head[..], self.payload);
        while both.has_remaining() {
            // Both in one call to the system, as far as the socket has room.
            if stream.write_buf(&mut both).await? == 0 {
                return Err(std::io::ErrorKind::WriteZero.into());
            }
        }
        Ok(())
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

impl RuntimeApi {
    /// `about` is the function, as extensions read it.
    pub async fn listen(
        extensions: Arc<Extensions>,
        about: String,
        world: World,
    ) -> std::io::Result<RuntimeApi> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            job: Notify::new(),
            init: Notify::new(),
            guests: Guests::default(),
            extensions,
            about,
            world,
        });
        let accepting = shared.clone();
        let task = tokio::spawn(async move {
            // Ends its connections with it.
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((mut stream, caller)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                let shared = accepting.clone();
                connections.spawn(async move {
                    if shared.guests.has(caller, address).await {
                        serve(stream, &shared).await;
                    } else {
                        let _ = stream.write_all(&stranger()).await;
                    }
                });
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(RuntimeApi { shared, address, listener: task.abort_handle() })
    }

    /// Lets a process of the environment speak, and those that it starts.
    pub fn admit(&self, guest: Guest) {
        self.shared.guests.admit(guest);
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

    /// Whether an answer is there that its waiter is about to be told of.
    pub fn is_settling(&self) -> bool {
        self.shared.state().settling > 0
    }

    /// What was handed over and is not fetched.
    pub fn take_back(&self) -> Option<Job> {
        self.shared.state().waiting.take()
    }

    pub fn hand_over(&self, job: Job) {
        self.shared.state().waiting = Some(job);
        self.shared.job.notify_one();
    }
}

async fn serve(mut stream: TcpStream, shared: &Shared) {
    let mut buffer = BytesMut::with_capacity(8 * 1024);
    let mut untold: Option<Untold<'_>> = None;
    loop {
        let head = {
            let mut reading = std::pin::pin!(read_head(&mut stream, &mut buffer));
            let waits = async {
                match untold {
                    Some(_) => tokio::time::sleep(FETCHED_WITHIN).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                head = &mut reading => head,
                () = waits => {
                    untold = None;
                    reading.await
                }
            }
        };
        let Some(head) = head else { return };
        let mut body = match passing(shared, &head) {
            Some(to) => {
                let content_type = head.content_type.clone().unwrap_or_else(|| BYTES.to_owned());
                // Its reader may be gone already.
                let _ = to.send(Piece::Begun { content_type }).await;
                Body::Passed { to: Some(to), bytes: 0 }
            }
            None => Body::kept(),
        };
        let Some(ended) = read_body(&mut stream, &mut buffer, &head, &mut body).await else { return };
        let mut answer = answer(shared, &head, body, ended).await;
        let behind = answer.behind.take();
        let written = answer.write(&mut stream).await;
        drop(untold.take());
        if let Some((running, posted)) = behind {
            untold = settle(shared, running, posted);
        }
        if written.is_err() || !head.keep {
            return;
        }
    }
}

/// What an answer holds that does not say it.
const BYTES: &str = "application/octet-stream";

/// Where to pass an answer on to, if it is a stream, and somebody wants it as one.
fn passing(shared: &Shared, head: &Head) -> Option<mpsc::Sender<Piece>> {
    let path = head.path.strip_prefix("/2018-06-01/runtime/invocation/")?;
    let id = path.strip_suffix("/response").filter(|_| head.streaming && head.method == "POST")?;
    shared.state().running.as_mut().filter(|running| running.request_id == id)?.pieces.take()
}

async fn answer(shared: &Shared, head: &Head, body: Body, ended: Result<(), Bytes>) -> Answer {
    let Some(path) = head.path.strip_prefix("/2018-06-01/runtime/") else {
        return extension::answer(shared, head, &body.into_bytes()).await.into();
    };
    let parts: Vec<&str> = path.split('/').collect();
    let answer = match (head.method.as_str(), parts.as_slice()) {
        ("GET", ["invocation", "next"]) => return next(shared).await,
        ("POST", ["invocation", id, "response"]) => {
            return match ended {
                Err(failure) => post(shared, id, Posted::Error(failure)),
                Ok(()) => post(
                    shared,
                    id,
                    match body.beyond() {
                        Some(most) => Posted::TooLarge(most),
                        None => Posted::Response(body.into_bytes()),
                    },
                ),
            };
        }
        ("POST", ["invocation", id, "error"]) => return post(shared, id, Posted::Error(body.into_bytes())),
        ("POST", ["init", "error"]) => init_error(shared, body.into_bytes()),
        _ => not_found(),
    };
    answer.into()
}

/// Waits for an invocation as long as it takes.
async fn next(shared: &Shared) -> Answer {
    shared.state().ready = true;
    shared.init.notify_waiters();
    loop {
        let changed = shared.job.notified();
        let job = {
            let mut state = shared.state();
            let job = state.waiting.take();
            if let Some(job) = job {
                let Job { request_id, payload, headers, posted, pieces, next } = job;
                state.running = Some(Running { request_id: request_id.clone(), posted, pieces, next });
                Some((request_id, headers, payload))
            } else {
                None
            }
        };
        if let Some((request_id, headers, payload)) = job {
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
                 Lambda-Runtime-Aws-Request-Id: {request_id}\r\n{headers}\r\n",
                payload.len()
            );
            return Answer { head: head.into_bytes(), payload, behind: None };
        }
        changed.await;
    }
}

fn post(shared: &Shared, id: &str, posted: Posted) -> Answer {
    let running = {
        let mut state = shared.state();
        let is_its = state.running.as_ref().is_some_and(|running| running.request_id == id);
        state.running.take_if(|_| is_its)
    };
    let Some(running) = running else {
        return json("400 Bad Request", &refusal("Invalid request ID", "InvalidRequestID")).into();
    };
    let accepted = || Answer::from(json("202 Accepted", r#"{"status":"OK"}"#));
    if let Posted::Response(_) = &posted
        && running.next.is_some()
    {
        shared.state().settling += 1;
        return Answer { behind: Some((running, posted)), ..accepted() };
    }
    let large = match &posted {
        Posted::TooLarge(most) => Some(*most),
        Posted::Response(_) | Posted::Error(_) => None,
    };
    let _ = running.posted.send(posted);
    let Some(most) = large else { return accepted() };
    let message = format!("Exceeded maximum allowed payload size ({most} bytes).");
    json("413 Payload Too Large", &refusal(&message, "RequestEntityTooLarge")).into()
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

fn stranger() -> Vec<u8> {
    json("403 Forbidden", &refusal("This Runtime API is another environment's", "Forbidden"))
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
