//! Simple Storage Service: buckets of objects, whose bytes are files of the data directory.
//! Never knows what an object means.

mod absent;
mod address;
mod bucket;
mod claims;
mod condition;
mod copy;
mod cors;
mod delete;
mod fault;
mod get;
mod intake;
mod list;
mod multipart;
mod old_link;
mod parts;
mod put;
mod range;
mod settings;
mod shelf;
mod sums;
mod sweep;
mod tagging;
mod vault;
mod versions;

use claims::Claims;
use fault::Fault;
use serde_json::{Value, json};
use servicekit::body::Body;
use servicekit::call::{Answer, Call, Pending};
use servicekit::documents::Documents;
use servicekit::fields::{required, text};
use servicekit::reply::Reply;
use shelf::{Bucket, Shelf};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use store::Store;
use tokio::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard};
use vault::Vault;
use wire::ServiceError;
use world::World;

pub use address::{is_storage, lead};
pub use old_link::{is_signed_with, old_link};
pub use vault::Hold as ObjectsHold;

/// Objects that change at the same time, at most.
const LOCKS: usize = 64;

pub struct S3 {
    world: World,
    buckets: Documents<Bucket>,
    shelf: Shelf,
    vault: Vault,
    /// Held while a bucket is made, changed or removed; shared by whoever changes what is in one.
    changing: RwLock<()>,
    /// One object's versions are changed by one call at a time: which lock, is decided by its name.
    locks: Vec<Mutex<()>>,
}

impl S3 {
    pub fn over(store: &Store, world: &World, objects: Option<&Path>) -> S3 {
        let (dir, temporary) = match objects {
            Some(dir) => (dir.to_owned(), false),
            None => (temporary_dir(), true),
        };
        let s3 = S3 {
            world: world.clone(),
            buckets: Documents::new(store, "s3/bucket"),
            shelf: Shelf::new(store),
            vault: Vault::new(dir, temporary),
            changing: RwLock::new(()),
            locks: (0..LOCKS).map(|_| Mutex::new(())).collect(),
        };
        if let Err(error) = s3.sweep() {
            world::say!("s3: files without an object stay: {}", error.message.unwrap_or_default());
        }
        s3
    }

    /// Answers one call. The body of an object is in `body`, every other one too.
    pub fn call(&self, mut call: Call, body: Body) -> Pending<'_, Reply> {
        Box::pin(async move {
            let answer = match call.operation.name {
                "PutObject" => self.put_object(&call, body).await,
                "UploadPart" => self.upload_part(&call, body).await,
                "GetObject" => return self.get_object(&call).await,
                "HeadObject" => return self.head_object(&call).await,
                _ => match self.take_document(&mut call, body).await {
                    Ok(()) => self.answer_document(&call).await,
                    Err(error) => Err(error),
                },
            };
            settled(&call, answer)
        })
    }

    /// Answers a call whose document has been taken in.
    pub fn call_taken(&self, call: Call) -> Pending<'_, Reply> {
        Box::pin(async move {
            let answer = self.answer_document(&call).await;
            settled(&call, answer)
        })
    }

    /// Takes the document of a call in, where it is found.
    pub async fn take_document(&self, call: &mut Call, body: Body) -> Result<(), Fault> {
        if call.inside.is_none() {
            let claims = Claims::of(&call.request)?;
            call.request.body = intake::document(body, claims).await?;
        }
        Ok(())
    }

    /// Deletes the objects that a call's document names, which has been taken in, but for those that are refused.
    pub fn delete_but(&self, call: Call, refusals: Vec<Option<ServiceError>>) -> Pending<'_, Reply> {
        Box::pin(async move {
            let answer = match call.unchecked_input() {
                Ok(input) => self.delete_objects(&call, &input, &refusals).await,
                Err(error) => Err(error),
            };
            settled(&call, answer)
        })
    }

    async fn answer_document(&self, call: &Call) -> Answer {
        let input = call.unchecked_input()?;
        fault::refuse_unbuilt(&input)?;
        self.answer(call, &input).await
    }

    async fn answer(&self, call: &Call, input: &Value) -> Answer {
        match call.operation.name {
            "CreateBucket" => self.create_bucket(call, input).await,
            "DeleteBucket" => self.delete_bucket(call, input).await,
            "HeadBucket" => self.head_bucket(call, input),
            "ListBuckets" => self.list_buckets(call, input),
            "GetBucketLocation" => self.get_location(call, input),
            "GetBucketVersioning" => self.get_versioning(call, input),
            "PutBucketVersioning" => self.put_versioning(call, input).await,
            "GetBucketTagging" => self.get_bucket_tagging(call, input),
            "PutBucketTagging" => self.put_bucket_tagging(call, input).await,
            "DeleteBucketTagging" => self.delete_bucket_tagging(call, input).await,
            "DeleteObject" => self.delete_object(call, input).await,
            "DeleteObjects" => self.delete_objects(call, input, &[]).await,
            "CopyObject" => self.copy_object(call, input).await,
            "ListObjects" => self.list_objects(call, input),
            "ListObjectsV2" => self.list_objects_v2(call, input),
            "ListObjectVersions" => self.list_object_versions(call, input),
            "GetObjectTagging" => self.get_object_tagging(call, input),
            "PutObjectTagging" => self.put_object_tagging(call, input).await,
            "DeleteObjectTagging" => self.delete_object_tagging(call, input).await,
            "CreateMultipartUpload" => self.create_upload(call, input).await,
            "UploadPartCopy" => self.upload_part_copy(call, input).await,
            "CompleteMultipartUpload" => self.complete_upload(call, input).await,
            "AbortMultipartUpload" => self.abort_upload(call, input).await,
            "ListMultipartUploads" => self.list_uploads(call, input),
            "ListParts" => self.list_parts(call, input),
            "GetBucketAcl" => self.get_bucket_acl(call, input),
            "GetObjectAcl" => self.get_object_acl(call, input),
            name => match (settings::of(name), absent::told(name)) {
                (Some(setting), _) => self.setting(call, input, setting).await,
                (None, Some(told)) => self.absent(call, input, told),
                (None, None) => Err(call.unknown()),
            },
        }
    }

    /// The bucket that an input names.
    fn bucket(&self, call: &Call, input: &Value) -> Result<Bucket, Fault> {
        let name = required(input, "Bucket");
        let bucket = self.buckets.get(name)?.ok_or_else(|| fault::no_bucket(name))?;
        match text(input, "ExpectedBucketOwner") {
            Some(owner) if owner.len() != 12 || !owner.bytes().all(|byte| byte.is_ascii_digit()) => {
                let message = format!(
                    "The value of the expected bucket owner parameter must be an AWS Account ID... [{owner}]"
                );
                Err(fault::new(400, "InvalidBucketOwnerAWSAccountID", message))
            }
            Some(owner) if owner != &*call.caller.account => Err(fault::denied("Access Denied")),
            _ => Ok(bucket),
        }
    }

    /// Keeps others from one object while it is changed, and its bucket from going away. The bucket is as it is then.
    async fn hold(
        &self,
        name: &str,
        key: &str,
        bucket: &Bucket,
    ) -> Result<(RwLockReadGuard<'_, ()>, MutexGuard<'_, ()>, Bucket), Fault> {
        let stays = self.changing.read().await;
        let now = self.buckets.get(name)?.filter(|now| now.incarnation == bucket.incarnation);
        let now = now.ok_or_else(|| fault::no_bucket(name))?;
        let mut hasher = DefaultHasher::new();
        (&bucket.incarnation, key).hash(&mut hasher);
        let lock = self.locks[(hasher.finish() % LOCKS as u64) as usize].lock().await;
        Ok((stays, lock, now))
    }

    /// Keeps every file from being removed.
    pub fn hold_files(&self) -> ObjectsHold {
        self.vault.hold()
    }

    /// Whether there is a bucket of this name.
    pub fn has(&self, name: &str) -> bool {
        self.buckets.get(name).is_ok_and(|bucket| bucket.is_some())
    }

    fn now_s(&self) -> u64 {
        self.world.now().seconds()
    }

    /// The bytes of an object, for our own services; at most so many.
    pub async fn read(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        bytes_max: u64,
    ) -> Result<Vec<u8>, ServiceError> {
        let found = self.buckets.get(bucket)?.ok_or_else(|| fault::no_bucket(bucket))?;
        let (version, lease) = self.find(&found, key, version)?;
        if version.bytes > bytes_max {
            return Err(fault::request(format!("s3://{bucket}/{key} is larger than {bytes_max} bytes")));
        }
        let mut tail = self.tail(&version, Arc::new(lease), 0, version.bytes)?;
        intake::blocking(move || {
            let mut out = Vec::with_capacity(tail.bytes() as usize);
            while let Some(piece) = tail.read() {
                out.extend_from_slice(&piece.map_err(servicekit::documents::unavailable)?);
            }
            Ok(out)
        })
        .await
    }
}

/// A directory of no other server's.
fn temporary_dir() -> PathBuf {
    static MADE: AtomicU64 = AtomicU64::new(0);
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("millstream-objects-{}-{number}", std::process::id()))
}

fn owner(call: &Call) -> Value {
    json!({ "ID": owner_id(call) })
}

/// The canonical id of the one account there is.
fn owner_id(call: &Call) -> String {
    sums::hex(&sums::Sum::of(sums::Algorithm::Sha256, call.caller.account.as_bytes()))
}

fn settled(call: &Call, answer: Answer) -> Reply {
    let mut response = call.settle(answer);
    if call.request.method == http::Method::HEAD {
        response.set_header("content-type", "application/xml");
        response.body = bytes::Bytes::new();
    }
    response.into()
}

#[cfg(test)]
mod tests;
