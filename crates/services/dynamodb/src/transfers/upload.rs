//! Where an export's objects lie, and how they get there: a thread writes, the bucket takes what comes.

use super::job::Job;
use super::{Failure, Transfers};
use crate::files::{Packed, sum_of};
use bytes::Bytes;
use servicekit::body::{Body, BodyBroken, BodySource, NextPiece, Whole};
use servicekit::call::Caller;
use servicekit::fields::{object, text};
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc::{Receiver, Sender};

/// Bytes handed over at once.
const PIECE_BYTES: usize = 256 << 10;

/// What the writing thread says.
pub(super) enum Part {
    /// Of the file that is being written.
    Data(Bytes),
    /// It is whole.
    End(Packed),
}

/// Hands over what is written to it.
pub(super) struct Pieces {
    out: Sender<Part>,
    waiting: Vec<u8>,
}

impl Pieces {
    pub fn new(out: &Sender<Part>) -> Pieces {
        Pieces { out: out.clone(), waiting: Vec::with_capacity(PIECE_BYTES) }
    }

    fn hand_over(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.waiting, Vec::with_capacity(PIECE_BYTES));
        self.out.blocking_send(Part::Data(piece.into())).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    /// Ends the file.
    pub fn end(mut self, packed: Packed) -> io::Result<()> {
        self.hand_over()?;
        self.out.blocking_send(Part::End(packed)).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= PIECE_BYTES {
            self.hand_over()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One file of those that a thread writes, as a body.
pub(super) struct File {
    first: Option<Bytes>,
    parts: Arc<tokio::sync::Mutex<Receiver<Part>>>,
    packed: Arc<Mutex<Option<Packed>>>,
}

impl BodySource for File {
    fn next(&mut self) -> NextPiece<'_> {
        Box::pin(async {
            if let Some(first) = self.first.take() {
                return Some(Ok(first));
            }
            match self.parts.lock().await.recv().await {
                Some(Part::Data(piece)) => Some(Ok(piece)),
                Some(Part::End(packed)) => {
                    *self.packed.lock().unwrap_or_else(PoisonError::into_inner) = Some(packed);
                    None
                }
                // The writer is gone before its file was whole.
                None => Some(Err(BodyBroken)),
            }
        })
    }
}

/// Where the export's manifests lie.
pub(super) fn folder(job: &Job) -> String {
    format!("{}{}", root(job), job.id())
}

/// Where its data files lie: those of incremental exports lie together.
pub(super) fn data_folder(job: &Job) -> String {
    match job.from_ms {
        None => format!("{}/data", folder(job)),
        Some(_) => format!("{}data", root(job)),
    }
}

fn root(job: &Job) -> String {
    match text(&job.asked, "S3Prefix").unwrap_or_default().trim_end_matches('/') {
        "" => "AWSDynamoDB/".to_owned(),
        prefix => format!("{prefix}/AWSDynamoDB/"),
    }
}

impl Transfers {
    /// Puts an object; answers its entity tag.
    async fn put(&self, caller: &Caller, job: &Job, key: &str, body: Body) -> Result<String, Failure> {
        let encryption = match text(&job.asked, "S3SseAlgorithm") {
            Some("KMS") => "aws:kms",
            _ => "AES256",
        };
        let again = |member: &str| job.asked.get(member).filter(|value| !value.is_null()).cloned();
        let input = object([
            ("Bucket", again("S3Bucket")),
            ("Key", Some(key.into())),
            ("ExpectedBucketOwner", again("S3BucketOwner")),
            ("ServerSideEncryption", Some(encryption.into())),
            ("SSEKMSKeyId", again("S3SseKmsKeyId").filter(|_| encryption == "aws:kms")),
        ]);
        let done = self.house.put_object(caller, input, body).await;
        let done = done.map_err(|error| Failure::of_storage(&error))?;
        Ok(text(&done, "ETag").unwrap_or_default().trim_matches('"').to_owned())
    }

    pub(super) async fn put_text(
        &self,
        caller: &Caller,
        job: &Job,
        name: &str,
        body: &str,
    ) -> Result<(), Failure> {
        let key = format!("{}/{name}", folder(job));
        self.put(caller, job, &key, whole(body)).await.map(drop)
    }

    /// A manifest, and its sum beside it.
    pub(super) async fn put_manifest(
        &self,
        caller: &Caller,
        job: &Job,
        name: &str,
        body: &str,
    ) -> Result<(), Failure> {
        self.put_text(caller, job, &format!("{name}.json"), body).await?;
        self.put_text(caller, job, &format!("{name}.md5"), &sum_of(body)).await
    }

    /// Takes the next file that the thread writes; none when it has written the last. Answers what it is and its entity tag.
    pub(super) async fn put_file(
        &self,
        caller: &Caller,
        job: &Job,
        key: &str,
        parts: &Arc<tokio::sync::Mutex<Receiver<Part>>>,
    ) -> Result<Option<(Packed, String)>, Failure> {
        // Even an empty file has the bytes of its form.
        let first = match parts.lock().await.recv().await {
            Some(Part::Data(first)) => first,
            Some(Part::End(_)) | None => return Ok(None),
        };
        let packed = Arc::new(Mutex::new(None));
        let file = File { first: Some(first), parts: parts.clone(), packed: packed.clone() };
        let etag = self.put(caller, job, key, Box::new(file)).await?;
        let packed = packed.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(packed.map(|packed| (packed, etag)))
    }
}

fn whole(text: &str) -> Body {
    Box::new(Whole(Some(Bytes::copy_from_slice(text.as_bytes()))))
}
