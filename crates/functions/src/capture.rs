//! What a process prints, as events: one a line, whatever it prints, never making it wait.

use crate::config::LogPlace;
use std::io::PipeReader;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::Interest;
use tokio::net::unix::pipe::Receiver;
use tokio::sync::{Notify, mpsc};
use world::{Timestamp, World};

/// Takes events for good. Called with a batch of one stream, in order; it must not wait.
pub trait LogSink: Send + Sync {
    fn write(&self, place: &LogPlace, stream: &str, events: Vec<(Timestamp, String)>);
}

/// The longest event; a longer line is several.
const EVENT_BYTES_MAX: usize = 256 * 1024;
/// What `LogType: Tail` gives back.
const TAIL_BYTES_MAX: usize = 4_096;
/// How long an event waits, at most, before the sink has it, while an invocation runs on.
const FLUSH: Duration = Duration::from_millis(250);
/// Events held before they are handed on anyway.
const HELD_EVENTS_MAX: usize = 1_000;

/// The log of one environment. Dropping the last one ends the capture once the pipe is empty.
#[derive(Debug, Clone)]
pub(crate) struct Capture {
    shared: Arc<Shared>,
    _alive: mpsc::Sender<()>,
}

/// What prints is read by whoever comes first: the reader's task, or an invocation that ends. An end waits for no task.
struct Shared {
    pipe: Receiver,
    reader: Mutex<Reader>,
    /// Events are held that nobody has told the reader's task of.
    held: Notify,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Capture {
    pub fn start(
        pipe: PipeReader,
        sink: Arc<dyn LogSink>,
        place: LogPlace,
        stream: String,
        world: World,
    ) -> std::io::Result<Capture> {
        let pipe = Receiver::from_owned_fd(OwnedFd::from(pipe))?;
        let reader = Reader {
            ended: false,
            flushes: false,
            sink,
            place,
            stream,
            world,
            line: Vec::new(),
            held: Vec::new(),
            tail: Vec::new(),
        };
        let shared = Arc::new(Shared { pipe, reader: Mutex::new(reader), held: Notify::new() });
        let (alive, dropped) = mpsc::channel(1);
        tokio::spawn(shared.clone().run(dropped));
        Ok(Capture { shared, _alive: alive })
    }

    /// Writes a line of the platform's own. What is printed and not read yet belongs behind it.
    pub fn line(&self, line: String) {
        let mut reader = self.shared.reader();
        reader.event(line);
        if !std::mem::replace(&mut reader.flushes, true) {
            self.shared.held.notify_one();
        }
    }

    /// Ends an invocation: everything printed so far is handed to the sink, then these lines. Gives the log's tail.
    pub fn finish(&self, lines: Vec<String>) -> String {
        let mut reader = self.shared.reader();
        reader.drain(&self.shared.pipe);
        reader.end_line();
        for line in lines {
            reader.event(line);
        }
        reader.flush();
        String::from_utf8_lossy(&std::mem::take(&mut reader.tail)).into_owned()
    }
}

impl Shared {
    fn reader(&self) -> MutexGuard<'_, Reader> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn run(self: Arc<Shared>, mut dropped: mpsc::Receiver<()>) {
        let mut flush_due = None;
        loop {
            let (ended, holds) = {
                let mut reader = self.reader();
                reader.flushes = !reader.held.is_empty();
                (reader.ended, reader.flushes)
            };
            if holds && flush_due.is_none() {
                flush_due = Some(Box::pin(tokio::time::sleep(FLUSH)));
            }
            tokio::select! {
                biased;
                _ = dropped.recv() => break,
                _ = self.pipe.ready(Interest::READABLE), if !ended => self.reader().drain(&self.pipe),
                () = flushed(&mut flush_due) => {
                    flush_due = None;
                    self.reader().flush();
                }
                () = self.held.notified(), if flush_due.is_none() => {}
            }
        }
        let mut reader = self.reader();
        reader.drain(&self.pipe);
        reader.end_line();
        reader.flush();
    }
}

/// Ready when it is time to flush; never, while nothing is held.
async fn flushed(due: &mut Option<std::pin::Pin<Box<tokio::time::Sleep>>>) {
    match due {
        Some(due) => due.await,
        None => std::future::pending().await,
    }
}

struct Reader {
    /// Every writer has closed the pipe.
    ended: bool,
    /// The reader's task knows that events are held.
    flushes: bool,
    sink: Arc<dyn LogSink>,
    place: LogPlace,
    stream: String,
    world: World,
    /// A line that has not ended yet.
    line: Vec<u8>,
    held: Vec<(Timestamp, String)>,
    /// The last bytes of this invocation's log.
    tail: Vec<u8>,
}

impl Reader {
    /// Reads what is there without waiting for more.
    fn drain(&mut self, pipe: &Receiver) {
        let mut buffer = [0; 16 * 1024];
        while !self.ended {
            match pipe.try_read(&mut buffer) {
                Ok(0) => self.ended = true,
                Ok(read) => self.take(&buffer[..read]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
                Err(_) => self.ended = true,
            }
        }
    }

    fn take(&mut self, mut bytes: &[u8]) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.line.extend_from_slice(&bytes[..end]);
            self.end_line();
            bytes = &bytes[end + 1..];
        }
        self.line.extend_from_slice(bytes);
        while self.line.len() > EVENT_BYTES_MAX {
            let rest = self.line.split_off(EVENT_BYTES_MAX);
            self.end_line();
            self.line = rest;
        }
    }

    /// A carriage return inside a line is how a client keeps several lines one event.
    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end_matches('\r').replace('\r', "\n");
        if !text.is_empty() {
            self.event(text);
        }
    }

    fn event(&mut self, text: String) {
        self.tail.extend_from_slice(text.as_bytes());
        self.tail.push(b'\n');
        if self.tail.len() > 4 * TAIL_BYTES_MAX {
            self.tail.drain(..self.tail.len() - TAIL_BYTES_MAX);
        }
        self.held.push((self.world.now(), format!("{text}\n")));
        if self.held.len() >= HELD_EVENTS_MAX {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if self.tail.len() > TAIL_BYTES_MAX {
            self.tail.drain(..self.tail.len() - TAIL_BYTES_MAX);
        }
        if !self.held.is_empty() {
            self.sink.write(&self.place, &self.stream, std::mem::take(&mut self.held));
        }
    }
}
