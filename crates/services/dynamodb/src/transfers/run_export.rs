//! An export at work.

use super::describe::view_type;
use super::job::{Job, Kind, Tally};
use super::upload::{Part, Pieces, data_folder, folder};
use super::{Failure, Outcome, Transfers, name_of};
use crate::fault::Fault;
use crate::files::{DataFile, Summary, data_name};
use api::dynamodb::{Object, item};
use engine::{Engine, Export, Exported, Scope, Span};
use model::{CorruptImage, Item, View};
use servicekit::call::Caller;
use servicekit::fields::text;
use std::io;
use std::sync::Arc;
use tokio::sync::mpsc::{Sender, channel};
use world::Timestamp;

/// Pieces of a file that wait for the bucket.
const PIECES_WAITING: usize = 8;

impl Transfers {
    pub(super) fn start_export(self: &Arc<Self>, caller: Caller, job: Job, export: Export) {
        let transfers = self.clone();
        tokio::spawn(async move {
            let name = name_of(&caller, job.id());
            let (tally, outcome) = match transfers.export(&caller, &job, export).await {
                Ok(Some(tally)) => (tally, Outcome::Done),
                Ok(None) => (Tally::default(), Outcome::Stopped),
                Err(_) if transfers.is_stopping() => (Tally::default(), Outcome::Stopped),
                Err(failure) => (Tally::default(), Outcome::Failed(failure)),
            };
            let job = Job { tally, ..job };
            if let Err(error) = transfers.settle(Kind::Export, &name, job, outcome).await {
                world::say!("dynamodb: the end of an export was not noted: {error}");
            }
        });
    }

    /// Begins again with what the table was at the export's moment, which its past still tells.
    pub(super) async fn resume_export(self: &Arc<Self>, name: &str, job: Job) -> Result<(), Fault> {
        let parts: Vec<&str> = name.splitn(3, '/').collect();
        let (account, region) = (parts[0], parts.get(1).copied().unwrap_or_default());
        let caller = job.caller(account, region);
        let to = Timestamp::from_millis(job.to_ms);
        let span = match job.from_ms {
            None => Span::At(to),
            Some(from) => Span::Between { from: Timestamp::from_millis(from), to },
        };
        let table = job.table_arn.rsplit('/').next().unwrap_or_default();
        match self.engine.begin_export(&Scope::new(account, region), table, span) {
            Ok(export) => self.start_export(caller, job, export),
            Err(error) => {
                let words = format!("The export was interrupted and cannot go on: {}", error.message);
                let outcome = Outcome::Failed(Failure::new("UNKNOWN", words));
                self.settle(Kind::Export, name, job, outcome).await?;
            }
        }
        Ok(())
    }

    /// None: the server was stopped meanwhile.
    async fn export(
        self: &Arc<Self>,
        caller: &Caller,
        job: &Job,
        export: Export,
    ) -> Result<Option<Tally>, Failure> {
        // Says that the bucket can be written to.
        self.put_text(caller, job, "_started", "").await?;
        let (sender, parts) = channel(PIECES_WAITING);
        let parts = Arc::new(tokio::sync::Mutex::new(parts));
        let (transfers, both_images) = (self.clone(), view_type(&job.asked) == "NEW_AND_OLD_IMAGES");
        let writer = tokio::task::spawn_blocking(move || {
            let mut writer = Writer { out: sender, file: None, both_images, bytes: 0, failed: None };
            let done = writer.run(&transfers, export);
            done.map(|done| done.then_some(writer.bytes))
        });
        let mut lines = String::new();
        let mut items = 0;
        for number in 0.. {
            let key = format!("{}/{}", data_folder(job), data_name(job.id(), number));
            let Some((packed, etag)) = self.put_file(caller, job, &key, &parts).await? else { break };
            items += packed.items;
            lines.push_str(&packed.line(&etag, &key));
        }
        let written = writer.await.map_err(Failure::internal)?.map_err(Failure::internal)?;
        let Some(bytes) = written else { return Ok(None) };
        let tally = Tally { items, bytes, ..Tally::default() };
        self.put_manifest(caller, job, "manifest-files", &lines).await?;
        let summary = self.summary(job, tally);
        self.put_manifest(caller, job, "manifest-summary", &summary).await?;
        Ok(Some(tally))
    }

    fn summary(&self, job: &Job, tally: Tally) -> String {
        let prefix = text(&job.asked, "S3Prefix").unwrap_or_default();
        let summary = Summary {
            arn: &job.arn,
            started: job.started(),
            ended: self.world.now(),
            table_arn: &job.table_arn,
            table_id: &job.table_id,
            from: job.from_ms.map(Timestamp::from_millis),
            to: Timestamp::from_millis(job.to_ms),
            both_images: view_type(&job.asked) == "NEW_AND_OLD_IMAGES",
            bucket: Some((text(&job.asked, "S3Bucket").unwrap_or_default(), prefix)),
            encryption: Some((
                text(&job.asked, "S3SseAlgorithm").unwrap_or("AES256"),
                text(&job.asked, "S3SseKmsKeyId"),
            )),
            manifest_key: &format!("{}/manifest-files.json", folder(job)),
            bytes: tally.bytes,
            items: tally.items,
        };
        summary.text()
    }
}

/// Writes data files, on a thread of its own.
struct Writer {
    out: Sender<Part>,
    file: Option<DataFile<Pieces>>,
    both_images: bool,
    bytes: u64,
    failed: Option<io::Error>,
}

impl Writer {
    /// True if it came to the end.
    fn run(&mut self, transfers: &Transfers, export: Export) -> Result<bool, String> {
        let engine: &Engine = &transfers.engine;
        let table = export.key_names();
        let mut line = Vec::new();
        let done = export.run(engine, &mut |exported| {
            line.clear();
            let written = self.line(&table, exported, &mut line).map_err(io::Error::other);
            match written.and_then(|()| self.put(&line)) {
                Ok(()) => !transfers.is_stopping(),
                Err(error) => {
                    self.failed = Some(error);
                    false
                }
            }
        });
        let done = done.map_err(|error| error.to_string())?;
        match self.failed.take() {
            Some(error) => Err(error.to_string()),
            None if done => {
                // An empty table has a file too.
                if self.file.is_some() || self.bytes == 0 {
                    self.close().map_err(|error| error.to_string())?;
                }
                Ok(true)
            }
            None => Ok(false),
        }
    }

    fn line(
        &mut self,
        keys: &[Arc<str>],
        exported: Exported<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), CorruptImage> {
        let mut object = Object::new(out);
        match exported {
            Exported::Item(image) => {
                self.bytes += image.size_bytes() as u64;
                item(image, object.member("Item"))?;
            }
            Exported::Change { at, old, new } => {
                let micros = at.millis() * 1000;
                let metadata = format!("{{\"WriteTimestampMicros\":{{\"N\":\"{micros}\"}}}}");
                object.member("Metadata").extend_from_slice(metadata.as_bytes());
                if let Some(some) = new.or(old) {
                    self.bytes += some.size_bytes() as u64;
                    item(key(keys, some)?.view(), object.member("Keys"))?;
                }
                if let Some(new) = new {
                    item(new, object.member("NewImage"))?;
                }
                if let Some(old) = old.filter(|_| self.both_images) {
                    item(old, object.member("OldImage"))?;
                }
            }
        }
        object.end();
        out.push(b'\n');
        Ok(())
    }

    fn put(&mut self, line: &[u8]) -> io::Result<()> {
        let file = self.file.get_or_insert_with(|| DataFile::new(Pieces::new(&self.out)));
        file.put(line)?;
        if file.is_full() { self.close() } else { Ok(()) }
    }

    fn close(&mut self) -> io::Result<()> {
        let file = self.file.take().unwrap_or_else(|| DataFile::new(Pieces::new(&self.out)));
        let (pieces, packed) = file.finish()?;
        pieces.end(packed)
    }
}

/// The key attributes of an item.
fn key(names: &[Arc<str>], image: View<'_>) -> Result<Item, CorruptImage> {
    let mut key = Item::with_capacity(names.len());
    for name in names {
        if let Some(value) = image.get(name)? {
            key.insert(&**name, value.to_value()?);
        }
    }
    Ok(key)
}
