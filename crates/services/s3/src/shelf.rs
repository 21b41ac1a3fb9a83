//! What is known of buckets, objects, versions and uploads: rows of the store. An object's versions stand together, the
//! newest first.

use super::fault::Fault;
use super::sums::Algorithm;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use servicekit::documents::unavailable;
use std::collections::BTreeMap;
use store::{Batch, Order, Range, Slice, Space, Store, UpdateError};

const FORMAT: u8 = 1;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Bucket {
    /// Under which its objects stand: another bucket of the same name has another one.
    pub incarnation: String,
    pub created_s: u64,
    pub region: String,
    /// How its maker named the region, where that was not its name.
    #[serde(default)]
    pub constraint: Option<String>,
    #[serde(default)]
    pub versioning: Versioning,
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Documents that clients put and get: encryption, policy and the like.
    #[serde(default)]
    pub settings: BTreeMap<String, Value>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Versioning {
    #[default]
    Never,
    Enabled,
    Suspended,
}

/// How a checksum of several parts came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum ChecksumKind {
    FullObject,
    Composite,
}

impl ChecksumKind {
    pub fn name(self) -> &'static str {
        match self {
            ChecksumKind::FullObject => "FULL_OBJECT",
            ChecksumKind::Composite => "COMPOSITE",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Checksum {
    pub algorithm: Algorithm,
    /// As clients see it.
    pub text: String,
    pub kind: ChecksumKind,
}

/// What a client says about an object besides its bytes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Description {
    /// By the names of the model's members: `ContentType`, `CacheControl`.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    #[serde(default)]
    pub storage_class: Option<String>,
    /// The kind of encryption, and its key, that are told to clients.
    #[serde(default)]
    pub encryption: Option<(String, Option<String>)>,
    /// Whether a key of the bucket stands between that one and the object's.
    #[serde(default)]
    pub bucket_key: bool,
}

/// One version of an object, or the marker of its deletion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Version {
    /// `null` for what was written without versioning.
    pub id: String,
    pub order: u64,
    #[serde(default)]
    pub is_marker: bool,
    pub modified_s: u64,
    #[serde(default)]
    pub file: String,
    #[serde(default)]
    pub bytes: u64,
    /// Without quotes.
    #[serde(default)]
    pub etag: String,
    #[serde(default)]
    pub checksum: Option<Checksum>,
    /// Of an object that came in parts: how many. Their files stand in a row of their own.
    #[serde(default)]
    pub parts: Option<u32>,
    /// The upload that it was.
    #[serde(default)]
    pub upload: Option<String>,
    #[serde(default)]
    pub description: Description,
}

/// A file of an object that came in parts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Piece {
    pub file: String,
    pub bytes: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Upload {
    pub id: String,
    pub initiated_s: u64,
    pub algorithm: Option<Algorithm>,
    pub kind: Option<ChecksumKind>,
    pub description: Description,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Part {
    pub file: String,
    pub bytes: u64,
    pub etag: String,
    pub modified_s: u64,
    pub checksum: Option<(Algorithm, Vec<u8>)>,
}

#[derive(Clone)]
pub(super) struct Shelf {
    store: Store,
}

/// Keys begin with a kind, and none with another kind and a zero byte.
fn key(kind: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut key = [kind.as_bytes(), b"\0"].concat();
    parts.iter().for_each(|part| key.extend_from_slice(part));
    key
}

pub(super) fn object_start(bucket: &Bucket) -> Vec<u8> {
    key("s3/object", &[bucket.incarnation.as_bytes()])
}

/// Where an object's versions begin.
pub(super) fn object_key(bucket: &Bucket, name: &str) -> Vec<u8> {
    [&object_start(bucket)[..], name.as_bytes(), b"\0"].concat()
}

pub(super) fn version_key(bucket: &Bucket, name: &str, order: u64) -> Vec<u8> {
    [&object_key(bucket, name)[..], &(u64::MAX - order).to_be_bytes()].concat()
}

pub(super) fn pieces_key(file: &str) -> Vec<u8> {
    key("s3/pieces", &[file.as_bytes()])
}

pub(super) fn upload_key(bucket: &Bucket, name: &str, id: &str) -> Vec<u8> {
    key("s3/upload", &[bucket.incarnation.as_bytes(), name.as_bytes(), b"\0", id.as_bytes()])
}

pub(super) fn uploads_start(bucket: &Bucket) -> Vec<u8> {
    key("s3/upload", &[bucket.incarnation.as_bytes()])
}

pub(super) fn parts_start(upload: &str) -> Vec<u8> {
    key("s3/part", &[upload.as_bytes(), b"\0"])
}

pub(super) fn part_key(upload: &str, number: u32) -> Vec<u8> {
    [&parts_start(upload)[..], &number.to_be_bytes()].concat()
}

/// The end of everything that begins so; names are UTF-8, which has no such byte.
pub(super) fn end_of(start: &[u8]) -> Vec<u8> {
    [start, &[0xff; 9]].concat()
}

impl Shelf {
    pub fn new(store: &Store) -> Shelf {
        Shelf { store: store.clone() }
    }

    pub fn get<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, Fault> {
        let found = self.store.snapshot().get(Space::Meta, key).map_err(unavailable)?;
        found.map(|bytes| read(&bytes)).transpose()
    }

    pub fn scan(&self, from: &[u8], to: &[u8]) -> Range {
        self.store.snapshot().range(Space::Meta, from, to, Order::Forward)
    }

    /// Every row that begins so, with the rest of its key.
    pub fn all<T: DeserializeOwned>(&self, start: &[u8]) -> Result<Vec<(Vec<u8>, T)>, Fault> {
        let rows = self.scan(start, &end_of(start));
        rows.map(|row| {
            let (key, value) = row.map_err(unavailable)?;
            Ok((key[start.len()..].to_vec(), read(&value)?))
        })
        .collect()
    }

    /// An object's newest version, or its marker.
    pub fn newest(&self, bucket: &Bucket, name: &str) -> Result<Option<Version>, Fault> {
        let start = object_key(bucket, name);
        let row = self.scan(&start, &end_of(&start)).next();
        row.map(|row| read(&row.map_err(unavailable)?.1)).transpose()
    }

    /// The version with an id; `null` may be any of them.
    pub fn version(&self, bucket: &Bucket, name: &str, id: &str) -> Result<Option<Version>, Fault> {
        if id == "null" {
            let start = object_key(bucket, name);
            for row in self.scan(&start, &end_of(&start)) {
                let version: Version = read(&row.map_err(unavailable)?.1)?;
                if version.id == "null" {
                    return Ok(Some(version));
                }
            }
            return Ok(None);
        }
        let Some(order) = id.get(..16).and_then(|order| u64::from_str_radix(order, 16).ok()) else {
            return Ok(None);
        };
        let found: Option<Version> = self.get(&version_key(bucket, name, order))?;
        Ok(found.filter(|version| version.id == id))
    }

    /// Writes what a lock of the caller's has decided; done once it is durable.
    pub async fn write(&self, fill: impl Fn(&mut Batch)) -> Result<(), Fault> {
        let done = self.store.update(&[], |_, batch| {
            fill(batch);
            Ok::<(), Fault>(())
        });
        match done {
            Ok(((), commit)) => commit.await.map(drop).map_err(unavailable),
            Err(UpdateError::Plan { error, .. }) => Err(error),
            Err(UpdateError::Store(error)) => Err(unavailable(error)),
        }
    }
}

pub(super) fn put<T: Serialize>(batch: &mut Batch, key: &[u8], value: &T) {
    let mut bytes = vec![FORMAT];
    serde_json::to_writer(&mut bytes, value).expect("rows are plain data");
    batch.put(Space::Meta, key.to_vec(), bytes);
}

pub(super) fn remove(batch: &mut Batch, key: &[u8]) {
    batch.remove(Space::Meta, key.to_vec());
}

pub(super) fn read<T: DeserializeOwned>(bytes: &Slice) -> Result<T, Fault> {
    match bytes.split_first() {
        Some((&FORMAT, json)) => serde_json::from_slice(json).map_err(unavailable),
        _ => Err(unavailable("a row of a format that this version cannot read")),
    }
}
