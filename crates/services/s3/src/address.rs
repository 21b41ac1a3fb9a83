//! Which requests are for S3: those signed for it, and those to a host with its name. Paths alone are anybody's.

use super::old_link::old_key;
use std::borrow::Cow;
use wire::Request;
use wire::sigv4;

/// Names of hosts under `localhost` that are others' than buckets'.
const OTHERS: [&str; 2] = ["execute-api", "lambda-url"];

/// Whether a request is for S3. `is_bucket`: an unsigned request to `<name>.localhost` is, where that is one.
pub fn is_storage(request: &Request, is_bucket: impl Fn(&str) -> bool) -> bool {
    if request.headers.contains_key(&wire::TARGET) {
        return false;
    }
    if let Some(scope) = sigv4::scope(request) {
        return scope.service == "s3";
    }
    if old_key(request).is_some() {
        return true;
    }
    match host_of(request) {
        Some(Host::Storage { .. }) => true,
        Some(Host::Local { bucket }) => is_bucket(&bucket),
        None => false,
    }
}

enum Host {
    /// A name with `s3` in it: `bucket.s3.region.amazonaws.com`, or none before it.
    Storage { bucket: Option<String> },
    /// `bucket.localhost`
    Local { bucket: String },
}

fn host_of(request: &Request) -> Option<Host> {
    let host = request.header("host")?.to_ascii_lowercase();
    let name = host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name);
    let labels: Vec<&str> = name.split('.').collect();
    if labels.iter().any(|label| OTHERS.contains(label)) {
        return None;
    }
    // A bucket's name may itself have dots, and even a part that is `s3`: the last one is the service's.
    let at = labels.iter().rposition(|label| *label == "s3" || label.starts_with("s3-"));
    if let Some(at) = at.filter(|at| at + 1 < labels.len()) {
        return Some(Host::Storage {
            bucket: Some(labels[..at].join(".")).filter(|bucket| !bucket.is_empty()),
        });
    }
    let bucket = name.strip_suffix(".localhost").filter(|bucket| !bucket.is_empty())?;
    Some(Host::Local { bucket: bucket.to_owned() })
}

/// Brings a request into the form whose path begins with the bucket.
pub fn lead(mut request: Request) -> Request {
    if let Cow::Owned(path) = led(&request) {
        request.path = path;
    }
    request
}

/// A request's path, beginning with the bucket.
pub(super) fn led(request: &Request) -> Cow<'_, str> {
    let bucket = match host_of(request) {
        Some(Host::Storage { bucket }) => bucket,
        Some(Host::Local { bucket }) => Some(bucket),
        None => None,
    };
    match bucket {
        Some(bucket) => format!("/{bucket}{}", request.path).into(),
        None => request.path.as_str().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(host: &str, target: &str) -> Request {
        Request::default().with_target(target).with_header("host", host)
    }

    #[test]
    fn hosts_name_buckets() {
        for (host, path, led) in [
            ("b.s3.us-east-1.amazonaws.com", "/k", "/b/k"),
            ("a.b.s3-eu-west-1.amazonaws.com", "/", "/a.b/"),
            ("b.s3.localhost:8000", "/k", "/b/k"),
            ("s3.us-east-1.amazonaws.com", "/b/k", "/b/k"),
            ("b.localhost:8000", "/x/y", "/b/x/y"),
            ("localhost:8000", "/b/k", "/b/k"),
            ("127.0.0.1:8000", "/b/k", "/b/k"),
            ("id.lambda-url.us-east-1.localhost", "/", "/"),
        ] {
            assert_eq!(lead(asked(host, path)).path, led, "{host}");
        }
    }

    #[test]
    fn only_what_is_for_storage_is_taken() {
        let signed = |service: &str| {
            asked("localhost:8000", "/b/k").with_header(
                "authorization",
                &format!("AWS4-HMAC-SHA256 Credential=k/20261121/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"),
            )
        };
        let cases = [
            (signed("s3"), true),
            (signed("lambda"), false),
            (asked("localhost:8000", "/2015-03-31/functions"), false),
            (asked("localhost", "/b/k?AWSAccessKeyId=k&Signature=s&Expires=1"), true),
            (
                asked(
                    "localhost",
                    "/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=k%2F20261121%2Fr%2Fs3%2Faws4_request",
                ),
                true,
            ),
            (asked("b.s3.localhost", "/k"), true),
            (asked("known.localhost", "/k"), true),
            (asked("other.localhost", "/k"), false),
            (asked("api.execute-api.localhost", "/k"), false),
            (asked("s3", "/k"), false),
        ];
        for (request, ours) in cases {
            assert_eq!(is_storage(&request, |name| name == "known"), ours, "{request:?}");
        }
    }
}
