//! Items out of objects: read one after the other, put in batches, and told of where they cannot be items.

use super::job::{Job, Tally};
use super::{Failure, Transfers};
use crate::files::csv;
use crate::value;
use bytes::{Buf, Bytes};
use engine::Table;
use flate2::read::MultiGzDecoder;
use model::Image;
use serde_json::{Value, json};
use servicekit::body::Stored;
use servicekit::fields::text;
use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;
use world::Timestamp;

pub(super) const LOG_GROUP: &str = "/aws-dynamodb/imports";
/// Items put with one commit.
const BATCH_ITEMS: usize = 100;
const BATCH_BYTES: usize = 1 << 20;
/// Errors that are written down with one call.
const ERRORS_WAITING: usize = 100;
/// The longest text of one item: 400 KB, and what JSON makes of it.
const ITEM_TEXT_BYTES_MAX: u64 = 8 << 20;

/// An object's bytes as they lie in its files.
struct Opened {
    stored: Stored,
    piece: Bytes,
}

impl Read for Opened {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while !self.piece.has_remaining() {
            match self.stored.read() {
                Some(piece) => self.piece = piece?,
                None => return Ok(0),
            }
        }
        let count = out.len().min(self.piece.len());
        self.piece.copy_to_slice(&mut out[..count]);
        Ok(count)
    }
}

/// Counts what is read, and stops where a limit is set that nobody moves on.
struct Counted<R> {
    input: R,
    count: Rc<Cell<u64>>,
    limit: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.count.get() > self.limit.get() {
            return Err(io::Error::other("an item is too long"));
        }
        let count = self.input.read(out)?;
        self.count.set(self.count.get() + count as u64);
        Ok(count)
    }
}

/// Reads the objects of one import, on a thread of its own.
pub(super) struct Reader<'t> {
    pub transfers: &'t Transfers,
    pub job: &'t Job,
    pub table: &'t Table,
    /// Its account and region, and the stream of its errors.
    pub log: (String, String),
    pub tally: Tally,
    batch: Vec<(u64, Image)>,
    batch_bytes: usize,
    errors: Vec<(Timestamp, String)>,
}

impl<'t> Reader<'t> {
    pub fn new(
        transfers: &'t Transfers,
        job: &'t Job,
        table: &'t Table,
        log: (String, String),
    ) -> Reader<'t> {
        Reader {
            transfers,
            job,
            table,
            log,
            tally: Tally::default(),
            batch: Vec::new(),
            batch_bytes: 0,
            errors: Vec::new(),
        }
    }

    /// Reads a whole object. False: the server is being stopped.
    pub fn object(&mut self, key: &str, stored: Stored) -> Result<bool, Failure> {
        let (count, limit) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(ITEM_TEXT_BYTES_MAX)));
        let opened = Opened { stored, piece: Bytes::new() };
        let input: Box<dyn Read> = match text(&self.job.asked, "InputCompressionType") {
            Some("GZIP") => Box::new(MultiGzDecoder::new(BufReader::new(opened))),
            _ => Box::new(opened),
        };
        let input = BufReader::new(Counted { input, count: count.clone(), limit: limit.clone() });
        let goes_on = match text(&self.job.asked, "InputFormat") {
            Some("CSV") => self.rows(key, input, &count, &limit)?,
            _ => self.documents(key, input, &limit)?,
        };
        self.put(key)?;
        self.tell();
        self.tally.bytes += count.get();
        Ok(goes_on)
    }

    /// `{"Item":{…}}` one after the other, with or without line feeds between them.
    fn documents(&mut self, key: &str, input: impl BufRead, limit: &Cell<u64>) -> Result<bool, Failure> {
        let mut documents = serde_json::Deserializer::from_reader(input).into_iter::<Value>();
        for number in 0.. {
            let Some(told) = documents.next() else { break };
            let is_broken = told.is_err();
            let item = told.map_err(|error| format!("The object is not DynamoDB JSON: {error}"));
            let item = item.and_then(|told| match told.get("Item") {
                Some(item) => image(item),
                None => Err("The JSON document has no Item".to_owned()),
            });
            self.take(key, number, item)?;
            // What follows the first thing that is no JSON cannot be told apart.
            if is_broken {
                break;
            }
            limit.set(documents.byte_offset() as u64 + ITEM_TEXT_BYTES_MAX);
            if self.transfers.is_stopping() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn rows(
        &mut self,
        key: &str,
        input: impl BufRead,
        count: &Cell<u64>,
        limit: &Cell<u64>,
    ) -> Result<bool, Failure> {
        let options = self.job.asked.get("InputFormatOptions").and_then(|options| options.get("Csv"));
        let delimiter = options.and_then(|csv| text(csv, "Delimiter")).unwrap_or(",").as_bytes()[0];
        let mut rows = csv::Rows::new(input, delimiter).filter(|row| !is_blank(row));
        let header = options.and_then(|csv| csv.get("HeaderList")).and_then(Value::as_array);
        let header: Vec<String> = match header {
            Some(names) => names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect(),
            None => match rows.next() {
                None => return Ok(true),
                Some(Ok(header)) => header,
                Some(Err(words)) => {
                    self.take(key, 0, Err(words))?;
                    return Ok(true);
                }
            },
        };
        let table = &self.job.asked["TableCreationParameters"];
        for (number, row) in (0..).zip(rows) {
            let is_broken = row.is_err();
            let item = row.and_then(|row| csv::item(&header, row, table)).and_then(|item| image(&item));
            self.take(key, number, item)?;
            if is_broken {
                break;
            }
            limit.set(count.get() + ITEM_TEXT_BYTES_MAX);
            if self.transfers.is_stopping() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn take(&mut self, key: &str, number: u64, item: Result<Image, String>) -> Result<(), Failure> {
        self.tally.items += 1;
        match item {
            Err(words) => self.wrong(key, number, &words),
            Ok(image) => {
                self.batch_bytes += image.as_bytes().len();
                self.batch.push((number, image));
            }
        }
        let is_full = self.batch.len() >= BATCH_ITEMS || self.batch_bytes >= BATCH_BYTES;
        if is_full { self.put(key) } else { Ok(()) }
    }

    fn put(&mut self, key: &str) -> Result<(), Failure> {
        let (numbers, images): (Vec<u64>, Vec<Image>) = std::mem::take(&mut self.batch).into_iter().unzip();
        self.batch_bytes = 0;
        let refused = self.transfers.engine.import(self.table, images).map_err(Failure::internal)?;
        for (number, error) in numbers.into_iter().zip(refused) {
            if let Some(error) = error {
                self.wrong(key, number, &error.message);
            }
        }
        Ok(())
    }

    fn wrong(&mut self, key: &str, number: u64, words: &str) {
        self.tally.errors += 1;
        let told = json!({
            "itemS3Pointer": {
                "bucket": text(&self.job.asked["S3BucketSource"], "S3Bucket"),
                "key": key,
                "itemIndex": number,
            },
            "importArn": self.job.arn,
            "errorMessages": [words],
        });
        self.errors.push((self.transfers.world.now(), told.to_string()));
        if self.errors.len() >= ERRORS_WAITING {
            self.tell();
        }
    }

    fn tell(&mut self) {
        if !self.errors.is_empty() {
            self.transfers.logs.write(&self.log.0, &self.log.1, std::mem::take(&mut self.errors));
        }
    }
}

fn is_blank(row: &Result<Vec<String>, String>) -> bool {
    row.as_ref().is_ok_and(|row| row.iter().all(String::is_empty) && row.len() < 2)
}

fn image(item: &Value) -> Result<Image, String> {
    let item = item.as_object().ok_or("Item is no map of attributes")?;
    let item = value::item(item).map_err(|fault| fault.message.unwrap_or_default())?;
    Ok(Image::of(&item))
}
