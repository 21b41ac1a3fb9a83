//! Objects listed in the order of their names' bytes, with names that share a beginning folded into one.

use super::S3;
use super::fault::{self, Fault};
use super::owner;
use super::put::check_key;
use super::shelf::{self, Bucket, Version};
use serde_json::{Map, Value, json};
use servicekit::call::{Answer, Call};
use servicekit::documents::unavailable;
use servicekit::fields::{integer, object, required, text};
use wire::percent;

/// Entries of one answer at most.
pub(super) const PAGE_MAX: i64 = 1000;

/// What is to be listed.
pub(super) struct Walk<'a> {
    pub prefix: &'a str,
    pub delimiter: &'a str,
    /// Names up to this one have been told.
    pub after: &'a str,
    /// Of the name `after`, only versions behind this one are left: their rows begin here.
    pub behind: Option<u64>,
    pub limit: usize,
    /// All versions and markers, not only the objects there are.
    pub versions: bool,
}

pub(super) enum Entry {
    /// A version, and whether it is its object's newest.
    Version {
        key: String,
        version: Box<Version>,
        newest: bool,
    },
    Prefix(String),
}

impl Entry {
    pub fn name(&self) -> &str {
        match self {
            Entry::Version { key, .. } => key,
            Entry::Prefix(prefix) => prefix,
        }
    }
}

impl S3 {
    /// So many entries at most, and whether there are more.
    pub(super) fn walk(&self, bucket: &Bucket, walk: &Walk) -> Result<(Vec<Entry>, bool), Fault> {
        let start = shelf::object_start(bucket);
        let end = shelf::end_of(&[&start[..], walk.prefix.as_bytes()].concat());
        let first = match walk.behind {
            Some(order) => [&shelf::version_key(bucket, walk.after, order)[..], b"\0"].concat(),
            None if walk.after.is_empty() => start.clone(),
            None => shelf::end_of(&shelf::object_key(bucket, walk.after)),
        };
        let mut from = first.max([&start[..], walk.prefix.as_bytes()].concat());
        let mut entries = Vec::new();
        let mut last: Option<String> = walk.behind.map(|_| walk.after.to_owned());
        // Each round ends where names are skipped that a prefix stands for.
        'rounds: loop {
            for row in self.shelf.scan(&from, &end) {
                let (row, value) = row.map_err(unavailable)?;
                let key = String::from_utf8_lossy(&row[start.len()..row.len() - 9]).into_owned();
                let newest = last.as_ref() != Some(&key);
                if let Some(folded) = fold(&key, walk) {
                    // A prefix of nothing but markers is no prefix of objects.
                    let counts = walk.versions || (newest && !shelf::read::<Version>(&value)?.is_marker);
                    last = Some(key);
                    if !counts {
                        continue;
                    }
                    from = shelf::end_of(&[&start[..], folded.as_bytes()].concat());
                    if folded.as_str() <= walk.after {
                        continue 'rounds;
                    }
                    if entries.len() == walk.limit {
                        return Ok((entries, true));
                    }
                    entries.push(Entry::Prefix(folded));
                    continue 'rounds;
                }
                if !newest && !walk.versions {
                    continue;
                }
                last = Some(key.clone());
                let version: Version = shelf::read(&value)?;
                if version.is_marker && !walk.versions {
                    continue;
                }
                if entries.len() == walk.limit {
                    return Ok((entries, true));
                }
                entries.push(Entry::Version { key, version: Box::new(version), newest });
            }
            return Ok((entries, false));
        }
    }

    pub(super) fn list_objects(&self, call: &Call, input: &Value) -> Answer {
        let bucket = self.bucket(call, input)?;
        let names = Names::of(input)?;
        let marker = text(input, "Marker").unwrap_or_default();
        let (entries, more) = self.walk(&bucket, &names.walk(marker))?;
        let next = entries
            .last()
            .filter(|_| more && !names.delimiter.is_empty())
            .map(|last| names.told(last.name()));
        let mut answer = names.answer(input, &entries, more, Some(owner(call)));
        answer.insert("Marker".into(), names.told(marker));
        if let Some(next) = next {
            answer.insert("NextMarker".into(), next);
        }
        Ok(Value::Object(answer))
    }

    pub(super) fn list_objects_v2(&self, call: &Call, input: &Value) -> Answer {
        let bucket = self.bucket(call, input)?;
        let names = Names::of(input)?;
        let start_after = text(input, "StartAfter").unwrap_or_default();
        let token = text(input, "ContinuationToken");
        let after = match token {
            None => start_after.to_owned(),
            Some(token) => read_token(token)?,
        };
        let (entries, more) = self.walk(&bucket, &names.walk(&after))?;
        let with_owner = input.get("FetchOwner").and_then(Value::as_bool) == Some(true);
        let mut answer = names.answer(input, &entries, more, with_owner.then(|| owner(call)));
        answer.insert("KeyCount".into(), entries.len().into());
        if let Some(token) = token {
            answer.insert("ContinuationToken".into(), token.into());
        }
        if !start_after.is_empty() && token.is_none() {
            answer.insert("StartAfter".into(), names.told(start_after));
        }
        if let Some(last) = entries.last().filter(|_| more) {
            answer
                .insert("NextContinuationToken".into(), wire::base64::encode(last.name().as_bytes()).into());
        }
        Ok(Value::Object(answer))
    }
}

/// The prefix that stands for a name, if one does.
fn fold(key: &str, walk: &Walk) -> Option<String> {
    if walk.delimiter.is_empty() {
        return None;
    }
    let at = key.get(walk.prefix.len()..)?.find(walk.delimiter)?;
    Some(key[..walk.prefix.len() + at + walk.delimiter.len()].to_owned())
}

fn read_token(token: &str) -> Result<String, Fault> {
    let name = wire::base64::decode(token).ok().and_then(|name| String::from_utf8(name).ok());
    name.ok_or_else(|| {
        fault::argument("The continuation token provided is incorrect", "continuation-token", token)
    })
}

/// Which names are asked for, and in which form they are told.
pub(super) struct Names<'a> {
    pub prefix: &'a str,
    pub delimiter: &'a str,
    pub limit: usize,
    encoded: bool,
}

impl<'a> Names<'a> {
    pub fn of(input: &'a Value) -> Result<Names<'a>, Fault> {
        let limit = integer(input, "MaxKeys").or(integer(input, "MaxUploads")).unwrap_or(PAGE_MAX);
        if limit < 0 {
            let message = "Argument maxKeys must be an integer between 0 and 2147483647";
            return Err(fault::argument(message, "max-keys", &limit.to_string()));
        }
        let encoded = match text(input, "EncodingType") {
            None => false,
            Some("url") => true,
            Some(other) => {
                return Err(fault::argument(
                    "Invalid Encoding Method specified in Request",
                    "encoding-type",
                    other,
                ));
            }
        };
        let prefix = text(input, "Prefix").unwrap_or_default();
        check_key(prefix)?;
        let delimiter = text(input, "Delimiter").unwrap_or_default();
        Ok(Names { prefix, delimiter, limit: limit.min(PAGE_MAX) as usize, encoded })
    }

    pub fn walk(&self, after: &'a str) -> Walk<'a> {
        let (prefix, delimiter, limit) = (self.prefix, self.delimiter, self.limit);
        Walk { prefix, delimiter, after, behind: None, limit, versions: false }
    }

    /// A name as the client wants it: plain, or encoded, as XML cannot hold every character.
    pub fn told(&self, name: &str) -> Value {
        if !self.encoded {
            return name.into();
        }
        let mut out = String::new();
        percent::encode_into(name.as_bytes(), b"/", &mut out);
        out.into()
    }

    /// What every list says of itself.
    pub fn head(&self, input: &Value, more: bool) -> Map<String, Value> {
        let mut answer = Map::new();
        answer.insert("Name".into(), required(input, "Bucket").into());
        answer.insert("Prefix".into(), self.told(self.prefix));
        if !self.delimiter.is_empty() {
            answer.insert("Delimiter".into(), self.told(self.delimiter));
        }
        answer.insert("MaxKeys".into(), self.limit.into());
        answer.insert("IsTruncated".into(), more.into());
        if self.encoded {
            answer.insert("EncodingType".into(), "url".into());
        }
        answer
    }

    pub fn prefixes(&self, entries: &[Entry]) -> Value {
        let prefixes = entries.iter().filter(|entry| matches!(entry, Entry::Prefix(_)));
        prefixes.map(|entry| json!({ "Prefix": self.told(entry.name()) })).collect()
    }

    fn answer(
        &self,
        input: &Value,
        entries: &[Entry],
        more: bool,
        owner: Option<Value>,
    ) -> Map<String, Value> {
        let mut answer = self.head(input, more && self.limit > 0);
        let contents: Vec<Value> = entries
            .iter()
            .filter_map(|entry| match entry {
                Entry::Prefix(_) => None,
                Entry::Version { key, version, .. } => Some(object([
                    ("Key", Some(self.told(key))),
                    ("LastModified", Some(version.modified_s.into())),
                    ("ETag", Some(format!("\"{}\"", version.etag).into())),
                    ("ChecksumAlgorithm", version.checksum.as_ref().map(|sum| json!([sum.algorithm.name()]))),
                    ("ChecksumType", version.checksum.as_ref().map(|sum| sum.kind.name().into())),
                    ("Size", Some(version.bytes.into())),
                    (
                        "StorageClass",
                        Some(version.description.storage_class.as_deref().unwrap_or("STANDARD").into()),
                    ),
                    ("Owner", owner.clone()),
                ])),
            })
            .collect();
        answer.insert("Contents".into(), contents.into());
        answer.insert("CommonPrefixes".into(), self.prefixes(entries));
        answer
    }
}
