//! What a process prints, as events: one a line, whatever it prints, never making it wait.

use crate::config::LogPlace;
use std::io::PipeReader;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::Interest;
use tokio::net::unix::pipe::Receiver;
use tokio::sync::{mpsc, oneshot};
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

enum Command {
    Line(String),
    /// Reads all that was printed so far, writes the line, hands everything on, and gives the tail back.
    Finish(Vec<String>, oneshot::Sender<String>),
}

/// The log of one environment. Dropping it ends the capture once the pipe is empty.
#[derive(Debug, Clone)]
pub(crate) struct Capture {
    commands: mpsc::UnboundedSender<Command>,
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
        let (commands, queue) = mpsc::unbounded_channel();
        let reader = Reader {
            pipe: Some(pipe),
            sink,
            place,
            stream,
            world,
            line: Vec::new(),
            held: Vec::new(),
            tail: Vec::new(),
        };
        tokio::spawn(reader.run(queue));
        Ok(Capture { commands })
    }

    /// Writes a line of the platform's own.
    pub fn line(&self, line: String) {
        let _ = self.commands.send(Command::Line(line));
    }

    /// Ends an invocation: everything printed so far is handed to the sink, then these lines.
    pub async fn finish(&self, lines: Vec<String>) -> String {
        let (done, tail) = oneshot::channel();
        let _ = self.commands.send(Command::Finish(lines, done));
        tail.await.unwrap_or_default()
    }
}

struct Reader {
    /// None once every writer has closed it.
    pipe: Option<Receiver>,
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
    async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
        let mut flush = tokio::time::interval(FLUSH);
        flush.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                command = commands.recv() => match command {
                    // Not read before: what is printed next belongs behind this line.
                    Some(Command::Line(line)) => self.event(line),
                    Some(Command::Finish(lines, done)) => {
                        self.drain();
                        self.end_line();
                        for line in lines {
                            self.event(line);
                        }
                        self.flush();
                        let tail = String::from_utf8_lossy(&std::mem::take(&mut self.tail)).into_owned();
                        let _ = done.send(tail);
                    }
                    None => {
                        self.drain();
                        self.end_line();
                        self.flush();
                        return;
                    }
                },
                () = readable(&self.pipe) => self.drain(),
                _ = flush.tick(), if !self.held.is_empty() => self.flush(),
            }
        }
    }

    /// Reads what is there without waiting for more.
    fn drain(&mut self) {
        let mut buffer = [0; 16 * 1024];
        while let Some(pipe) = &self.pipe {
            match pipe.try_read(&mut buffer) {
                Ok(0) => self.pipe = None,
                Ok(read) => self.take(&buffer[..read]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
                Err(_) => self.pipe = None,
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

/// Ready when there is something to read; never, once the pipe has ended.
async fn readable(pipe: &Option<Receiver>) {
    match pipe {
        Some(pipe) => {
            let _ = pipe.ready(Interest::READABLE).await;
        }
        None => std::future::pending().await,
    }
}
