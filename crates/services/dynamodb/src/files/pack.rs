//! Data files of an export, and the manifests that tell of them.
//!
//! ```text
//! AWSDynamoDB/<id>/_started                 empty: the export has begun, and can write
//! AWSDynamoDB/<id>/data/<name>.json.gz      a line for each item; of an incremental export, AWSDynamoDB/data/<name>.json.gz
//! AWSDynamoDB/<id>/manifest-files.json      a line for each data file
//! AWSDynamoDB/<id>/manifest-summary.json    written last: without it, the export is not whole
//! AWSDynamoDB/<id>/manifest-*.md5           the manifests' sums
//! ```

use flate2::Compression;
use flate2::write::GzEncoder;
use md5::{Digest, Md5};
use serde_json::{Value, json};
use sha2::Sha256;
use std::io::{self, Write};
use world::Timestamp;

/// A data file holds about this much before it is compressed.
const FILE_BYTES: u64 = 64 << 20;

/// A data file in the making.
pub struct DataFile<W: Write> {
    out: GzEncoder<Summed<W>>,
    items: u64,
    bytes: u64,
}

/// A data file that is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    pub items: u64,
    pub md5: [u8; 16],
}

/// What was written, and its sum.
struct Summed<W> {
    out: W,
    sum: Md5,
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.sum.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl<W: Write> DataFile<W> {
    pub fn new(out: W) -> DataFile<W> {
        let out = GzEncoder::new(Summed { out, sum: Md5::new() }, Compression::default());
        DataFile { out, items: 0, bytes: 0 }
    }

    /// Puts an item's line, which ends with a line feed.
    pub fn put(&mut self, line: &[u8]) -> io::Result<()> {
        self.out.write_all(line)?;
        self.items += 1;
        self.bytes += line.len() as u64;
        Ok(())
    }

    pub fn is_full(&self) -> bool {
        self.bytes >= FILE_BYTES
    }

    pub fn finish(self) -> io::Result<(W, Packed)> {
        let Summed { out, sum } = self.out.finish()?;
        Ok((out, Packed { items: self.items, md5: sum.finalize().into() }))
    }
}

impl Packed {
    /// The entity tag of an object of these bytes.
    pub fn etag(&self) -> String {
        self.md5.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Its line in the manifest.
    pub fn line(&self, etag: &str, key: &str) -> String {
        let line = json!({
            "itemCount": self.items,
            "md5Checksum": wire::base64::encode(&self.md5),
            "etag": etag,
            "dataFileS3Key": key,
        });
        format!("{line}\n")
    }
}

/// What lies beside a manifest: its MD5, in base64.
pub fn sum_of(manifest: &str) -> String {
    wire::base64::encode(&Md5::digest(manifest))
}

/// The name of an export's data file: the same whenever the export is made again, and another than any other's.
pub fn data_name(export: &str, number: usize) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let sum = Sha256::digest(format!("{export}/{number}"));
    let letters = sum[..26].iter().map(|byte| char::from(LETTERS[usize::from(byte & 31)]));
    format!("{}.json.gz", letters.collect::<String>())
}

/// What `manifest-summary.json` says.
#[derive(Clone, Debug)]
pub struct Summary<'a> {
    pub arn: &'a str,
    pub started: Timestamp,
    pub ended: Timestamp,
    pub table_arn: &'a str,
    pub table_id: &'a str,
    /// The moment, or the period.
    pub from: Option<Timestamp>,
    pub to: Timestamp,
    pub both_images: bool,
    /// Bucket and prefix, of an export to one.
    pub bucket: Option<(&'a str, &'a str)>,
    pub encryption: Option<(&'a str, Option<&'a str>)>,
    pub manifest_key: &'a str,
    pub bytes: u64,
    pub items: u64,
}

impl Summary<'_> {
    pub fn text(&self) -> String {
        let mut told = json!({
            "version": if self.from.is_some() { "2023-08-01" } else { "2020-06-30" },
            "exportArn": self.arn,
            "startTime": self.started.to_string(),
            "endTime": self.ended.to_string(),
            "tableArn": self.table_arn,
            "tableId": self.table_id,
            "manifestFilesS3Key": self.manifest_key,
            "billedSizeBytes": self.bytes,
            "itemCount": self.items,
            "outputFormat": "DYNAMODB_JSON",
        });
        match self.from {
            None => {
                told["exportTime"] = json!(self.to.to_string());
                told["exportType"] = json!("FULL_EXPORT");
            }
            Some(from) => {
                told["exportFromTime"] = json!(from.to_string());
                told["exportToTime"] = json!(self.to.to_string());
                told["exportType"] = json!("INCREMENTAL_EXPORT");
                told["outputView"] = json!(if self.both_images { "NEW_AND_OLD_IMAGES" } else { "NEW_IMAGE" });
            }
        }
        if let Some((bucket, prefix)) = self.bucket {
            told["s3Bucket"] = json!(bucket);
            told["s3Prefix"] = if prefix.is_empty() { Value::Null } else { json!(prefix) };
        }
        if let Some((algorithm, key)) = self.encryption {
            told["s3SseAlgorithm"] = json!(algorithm);
            told["s3SseKmsKeyId"] = json!(key);
        }
        format!("{told}\n")
    }
}
