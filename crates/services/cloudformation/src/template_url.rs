//! Templates that lie in S3, by their URL: whatever host it names, the object is ours.

use super::{CloudFormation, validation};
use servicekit::house::Object;
use wire::{ServiceError, percent};

/// The largest template in S3.
const TEMPLATE_BYTES_MAX: u64 = 1_000_000;

impl CloudFormation {
    /// The text of the template behind a URL.
    pub(super) async fn template_at(&self, url: &str) -> Result<String, ServiceError> {
        let (bucket, key, version) =
            parse(url).ok_or_else(|| validation("TemplateURL must be a supported URL."))?;
        let place = Object { bucket: &bucket, key: &key, version: version.as_deref() };
        let bytes = self
            .house
            .object(&place, TEMPLATE_BYTES_MAX)
            .await
            .map_err(|error| validation(format!("S3 error: {}", error.message.unwrap_or_default())))?;
        String::from_utf8(bytes).map_err(|_| validation("Template format error: unsupported structure."))
    }
}

/// Bucket, key and version: from a path, or from a host that begins with the bucket.
fn parse(url: &str) -> Option<(String, String, Option<String>)> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let (host, path) = rest.split_once('/')?;
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let labels: Vec<&str> = name.split('.').collect();
    let at = labels.iter().rposition(|label| *label == "s3" || label.starts_with("s3-"));
    let led = match at {
        Some(0) => None,
        Some(at) => Some(labels[..at].join(".")),
        None => name.strip_suffix(".localhost").map(str::to_owned),
    };
    let path = String::from_utf8_lossy(&percent::decode(path)).into_owned();
    let (bucket, key) = match led {
        Some(bucket) => (bucket, path),
        None => path.split_once('/').map(|(bucket, key)| (bucket.to_owned(), key.to_owned()))?,
    };
    let version = percent::pairs(query).find(|(name, _)| *name == "versionId").map(|(_, id)| id.to_owned());
    (!bucket.is_empty() && !key.is_empty()).then_some((bucket, key, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_objects() {
        let plain = Some(("b".to_owned(), "k/t.json".to_owned(), None));
        for url in [
            "http://localhost:4566/b/k/t.json",
            "https://s3.amazonaws.com/b/k/t.json",
            "https://s3.us-east-1.amazonaws.com/b/k%2Ft.json",
            "https://s3-eu-west-1.amazonaws.com/b/k/t.json",
            "https://b.s3.us-east-1.amazonaws.com/k/t.json",
            "http://b.localhost:4566/k/t.json",
        ] {
            assert_eq!(parse(url), plain, "{url}");
        }
        assert_eq!(
            parse("https://b.s3.amazonaws.com/k?versionId=v").and_then(|found| found.2),
            Some("v".to_owned())
        );
        for url in ["", "file:///t.json", "https://s3.amazonaws.com/b", "https://s3.amazonaws.com//"] {
            assert_eq!(parse(url), None, "{url}");
        }
    }
}
