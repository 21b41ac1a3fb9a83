//! The way from functions to the book: a bounded queue and one writer, so that a function never waits for its log.

use super::book::LogBook;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use world::Timestamp;

/// What may wait to be written; what comes on top of it is lost, and counted.
const BATCHES_MAX: usize = 4_096;
const BYTES_MAX: usize = 64 * 1024 * 1024;

/// What comes within this time of the last event is written together: a writer that is woken for each would take the
/// processor from the functions.
const GATHER: Duration = Duration::from_millis(10);

enum Message {
    Batch {
        group_key: String,
        stream: String,
        events: Vec<(Timestamp, String)>,
        bytes: usize,
    },
    /// Answered once everything before it can be read.
    Flush(SyncSender<()>),
    End,
}

/// Where functions' log events go. Cheap to clone.
#[derive(Clone)]
pub struct LogQueue(Arc<Inner>);

struct Inner {
    messages: SyncSender<Message>,
    queued_bytes: Arc<AtomicUsize>,
    lost: Arc<AtomicUsize>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl LogQueue {
    pub fn start(book: LogBook) -> std::io::Result<LogQueue> {
        let (messages, queue) = sync_channel(BATCHES_MAX);
        let (queued_bytes, lost) = <(Arc<AtomicUsize>, Arc<AtomicUsize>)>::default();
        let counters = (queued_bytes.clone(), lost.clone());
        let writer = std::thread::Builder::new()
            .name("log-writer".into())
            .spawn(move || run(&book, &queue, &counters.0, &counters.1))?;
        let writer = Mutex::new(Some(writer));
        Ok(LogQueue(Arc::new(Inner { messages, queued_bytes, lost, writer })))
    }

    /// Hands events over. Never waits: when the queue is full they are lost, which the operator is told.
    pub fn write(&self, owner: &str, group: &str, stream: &str, events: Vec<(Timestamp, String)>) {
        let inner = &*self.0;
        let count = events.len();
        let bytes: usize = events.iter().map(|(_, message)| message.len()).sum();
        if inner.queued_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes > BYTES_MAX {
            inner.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
            inner.lost.fetch_add(count, Ordering::Relaxed);
            return;
        }
        let group_key = format!("{owner}/{group}");
        let batch = Message::Batch { group_key, stream: stream.to_owned(), events, bytes };
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) = inner.messages.try_send(batch) {
            inner.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
            inner.lost.fetch_add(count, Ordering::Relaxed);
        }
    }

    /// Waits until all that was handed over before can be read. Not for a thread that others wait for.
    pub fn flush(&self) {
        let (done, ready) = sync_channel(1);
        if self.0.messages.send(Message::Flush(done)).is_ok() {
            self.0.hurry();
            // An error is a writer that has ended: nothing is left to wait for.
            let _ = ready.recv();
        }
    }

    /// Writes what is waiting and ends the writer.
    pub fn close(&self) {
        let _ = self.0.messages.send(Message::End);
        self.0.hurry();
        let writer = self.0.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            let _ = writer.join();
        }
    }
}

impl Inner {
    /// Wakes a writer that gathers.
    fn hurry(&self) {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(writer) = &*writer {
            writer.thread().unpark();
        }
    }
}

impl functions::LogSink for LogQueue {
    fn write(&self, place: &functions::LogPlace, stream: &str, events: Vec<(Timestamp, String)>) {
        LogQueue::write(self, &place.owner, &place.group, stream, events);
    }
}

fn run(book: &LogBook, queue: &Receiver<Message>, queued_bytes: &AtomicUsize, lost: &AtomicUsize) {
    let mut written = false;
    loop {
        let message = match queue.try_recv() {
            Ok(message) => message,
            // Whoever wants it at once says so.
            Err(TryRecvError::Empty) if std::mem::take(&mut written) => {
                std::thread::park_timeout(GATHER);
                continue;
            }
            Err(TryRecvError::Empty) => match queue.recv() {
                Ok(message) => message,
                Err(_) => return,
            },
            Err(TryRecvError::Disconnected) => return,
        };
        match message {
            Message::Batch { group_key, stream, events, bytes } => {
                book.write(&group_key, &stream, events);
                queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
                written = true;
            }
            Message::Flush(done) => {
                book.settle();
                let _ = done.send(());
            }
            Message::End => return,
        }
        let lost = lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            world::say!(
                "{lost} log events of functions were lost: they came faster than they could be written"
            );
        }
    }
}
