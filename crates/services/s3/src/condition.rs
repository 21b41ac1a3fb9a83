//! Requests that are answered only under a condition.

use super::fault::{self, Fault};
use super::shelf::Version;
use serde_json::Value;
use servicekit::fields::{integer, text};

/// Whether a reader gets the object, or is told that it has not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Whole,
    NotModified,
}

/// The conditions of a read. An answer about the entity tag goes before one about the time.
pub(super) fn before_read(input: &Value, version: &Version, now_s: u64) -> Result<Outcome, Fault> {
    match broken(input, version, now_s) {
        None => Ok(Outcome::Whole),
        Some(Broken { is_change: false, .. }) => Ok(Outcome::NotModified),
        Some(Broken { header, .. }) => Err(fault::precondition(header)),
    }
}

/// The condition that an object does not meet.
struct Broken {
    header: &'static str,
    /// Whether it asked for what has not changed; the others ask for what has.
    is_change: bool,
}

fn broken(input: &Value, version: &Version, now_s: u64) -> Option<Broken> {
    let unmet = |header| Some(Broken { header, is_change: true });
    let same = |header| Some(Broken { header, is_change: false });
    match text(input, "IfMatch") {
        Some(tags) if !matches(tags, &version.etag) => return unmet("If-Match"),
        Some(_) => {}
        None => {
            if integer(input, "IfUnmodifiedSince").is_some_and(|since| version.modified_s as i64 > since) {
                return unmet("If-Unmodified-Since");
            }
        }
    }
    match text(input, "IfNoneMatch") {
        Some(tags) if matches(tags, &version.etag) => return same("If-None-Match"),
        Some(_) => {}
        None => {
            // A time that is still to come says nothing. [suite: recorded answers]
            let since = integer(input, "IfModifiedSince").filter(|since| *since <= now_s as i64);
            if since.is_some_and(|since| version.modified_s as i64 <= since) {
                return same("If-Modified-Since");
            }
        }
    }
    None
}

/// The conditions on the source of a copy, which has no answer for what has not changed.
pub(super) fn before_copy(input: &Value, version: &Version, now_s: u64) -> Result<(), Fault> {
    let mut read = serde_json::Map::new();
    for name in ["IfMatch", "IfNoneMatch", "IfModifiedSince", "IfUnmodifiedSince"] {
        if let Some(value) = input.get(format!("CopySource{name}")) {
            read.insert(name.to_owned(), value.clone());
        }
    }
    match broken(&Value::Object(read), version, now_s) {
        None => Ok(()),
        Some(Broken { header, .. }) => Err(fault::precondition(&format!("x-amz-copy-source-{header}"))),
    }
}

/// The conditions of a write, about the version that is the newest until then.
pub(super) fn before_write(input: &Value, newest: Option<&Version>, key: &str) -> Result<(), Fault> {
    let there = newest.filter(|version| !version.is_marker);
    let (match_, none) = (text(input, "IfMatch"), text(input, "IfNoneMatch"));
    match (match_, none) {
        (Some(_), Some(_)) => {
            let words = "Multiple conditional request headers present in the request";
            return Err(unknown("If-Match,If-None-Match", words));
        }
        (Some("*"), None) => return Err(unknown("If-Match", &refused("If-Match"))),
        (None, Some(tags)) if tags != "*" => {
            return Err(unknown("If-None-Match", &refused("If-None-Match")));
        }
        _ => {}
    }
    if let Some(tags) = text(input, "IfMatch") {
        let there = there.ok_or_else(|| fault::no_key(key))?;
        if !matches(tags, &there.etag) {
            return Err(fault::precondition("If-Match"));
        }
    }
    match (none, there) {
        (Some(_), Some(_)) => Err(fault::precondition("If-None-Match")),
        _ => Ok(()),
    }
}

fn refused(header: &str) -> String {
    format!("We don't accept the provided value of {header} header for this API")
}

fn unknown(header: &str, more: &str) -> Fault {
    let words = "A header you provided implies functionality that is not implemented";
    fault::new(501, "NotImplemented", words).with("Header", header).with("additionalMessage", more)
}

/// Whether one of the tags of a header is this one.
fn matches(tags: &str, etag: &str) -> bool {
    tags.split(',').map(str::trim).any(|tag| {
        let tag = tag.strip_prefix("W/").unwrap_or(tag);
        tag == "*" || tag.trim_matches('"') == etag
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn version() -> Version {
        serde_json::from_value(json!({ "id": "null", "order": 1, "modified_s": 1000, "etag": "abc" }))
            .expect("a version")
    }

    #[test]
    fn reads_have_conditions() {
        let cases = [
            (json!({}), "Ok(Whole)"),
            (json!({ "IfMatch": "\"abc\"" }), "Ok(Whole)"),
            (json!({ "IfMatch": "\"x\", abc" }), "Ok(Whole)"),
            (json!({ "IfMatch": "\"x\"" }), "Err"),
            // A tag that fits makes the time not count.
            (json!({ "IfMatch": "abc", "IfUnmodifiedSince": 900 }), "Ok(Whole)"),
            (json!({ "IfUnmodifiedSince": 900 }), "Err"),
            (json!({ "IfUnmodifiedSince": 1000 }), "Ok(Whole)"),
            (json!({ "IfNoneMatch": "*" }), "Ok(NotModified)"),
            (json!({ "IfNoneMatch": "x", "IfModifiedSince": 2000 }), "Ok(Whole)"),
            (json!({ "IfModifiedSince": 1000 }), "Ok(NotModified)"),
            (json!({ "IfModifiedSince": 999 }), "Ok(Whole)"),
        ];
        for (input, outcome) in cases {
            let found = before_read(&input, &version(), 5_000);
            assert!(format!("{found:?}").starts_with(outcome), "{input}: {found:?}");
        }
    }

    #[test]
    fn writes_have_conditions() {
        let there = version();
        let marker = Version { is_marker: true, ..version() };
        let code = |input: &Value, newest: Option<&Version>| {
            before_write(input, newest, "k").err().map(|error| error.code.into_owned()).unwrap_or_default()
        };
        let absent = json!({ "IfNoneMatch": "*" });
        assert_eq!(
            [code(&absent, None), code(&absent, Some(&marker)), code(&absent, Some(&there))],
            ["", "", "PreconditionFailed"]
        );
        let same = json!({ "IfMatch": "\"abc\"" });
        assert_eq!([code(&same, None), code(&same, Some(&there))], ["NoSuchKey", ""]);
        assert_eq!(code(&json!({ "IfMatch": "x" }), Some(&there)), "PreconditionFailed");
    }
}
