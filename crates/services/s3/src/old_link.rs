//! Links that are signed the old way (version 2), which some clients still do.

use super::address::lead;
use super::fault::{self, Fault};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use wire::sigv4::{self, Scope, same};
use wire::{Request, percent};
use world::Timestamp;

/// Members of a query that belong to what is asked for, and are signed with it.
const SIGNED: &[&str] = &[
    "accelerate",
    "acl",
    "analytics",
    "cors",
    "defaultObjectAcl",
    "delete",
    "inventory",
    "lifecycle",
    "location",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "partNumber",
    "policy",
    "replication",
    "requestPayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "website",
    "storageClass",
];

/// A link's fault that its time is over, whichever way it was signed; else, of one that was signed the old way, whose it
/// is. None for every other request.
pub fn old_link(request: &Request, now: Timestamp) -> Option<Result<Scope<'static>, Fault>> {
    let over = || fault::denied("Request has expired").with("ServerTime", format!("{}Z", now.iso_seconds()));
    let Some(access_key) = old_key(request) else {
        return sigv4::is_presigned_and_over(request, now).then(|| Err(over()));
    };
    let Some(expires) = query(request, "Expires").and_then(|text| text.parse::<u64>().ok()) else {
        return Some(Err(fault::denied("Invalid date (should be seconds since epoch)")));
    };
    if expires < now.seconds() {
        let end = format!("{}Z", Timestamp::from_seconds(expires).iso_seconds());
        return Some(Err(over().with("Expires", end)));
    }
    Some(Ok(Scope {
        access_key: access_key.into(),
        date: "".into(),
        region: "".into(),
        service: "s3".into(),
        session_token: query(request, "x-amz-security-token").map(Into::into),
    }))
}

/// Whether such a link's signature was made with this secret.
pub fn is_signed_with(request: &Request, secret: &str) -> bool {
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(secret.as_bytes()) else { return false };
    mac.update(signed_text(request).as_bytes());
    let made = wire::base64::encode(&mac.finalize().into_bytes());
    query(request, "Signature").is_some_and(|given| same(given.as_bytes(), made.as_bytes()))
}

/// What is signed: the method, what the body is to be, the end of the link's time, AWS's headers, and what is asked for.
/// Of all that, what is not in the path stands in the query.
fn signed_text(request: &Request) -> String {
    let part = |name: &str| query(request, name).unwrap_or_default();
    let decode = |text: &str| String::from_utf8_lossy(&percent::decode_form(text)).into_owned();
    let pairs = || percent::pairs(&request.query).map(|(name, value)| (decode(name), value));
    let head = [request.method.as_str(), &part("content-md5"), &part("content-type"), &part("Expires")];
    let mut amazon: Vec<String> = pairs()
        .filter(|(name, _)| name.to_ascii_lowercase().starts_with("x-amz-"))
        .map(|(name, value)| format!("{}:{}\n", name.to_ascii_lowercase(), decode(value)))
        .collect();
    amazon.sort();
    let mut asked: Vec<String> = pairs()
        .filter(|(name, _)| SIGNED.contains(&name.as_str()))
        .map(|(name, value)| if value.is_empty() { name } else { format!("{name}={}", decode(value)) })
        .collect();
    asked.sort();
    let asked = if asked.is_empty() { String::new() } else { format!("?{}", asked.join("&")) };
    let path = lead(request.clone()).path;
    format!("{}\n{}{path}{asked}", head.join("\n"), amazon.concat())
}

/// The access key of a link that was signed the old way, which some clients still do.
pub fn old_key(request: &Request) -> Option<String> {
    query(request, "Signature")?;
    query(request, "AWSAccessKeyId")
}

fn query(request: &Request, name: &str) -> Option<String> {
    let (_, value) = percent::pairs(&request.query).find(|(key, _)| *key == name)?;
    String::from_utf8(percent::decode_form(value)).ok()
}

#[cfg(test)]
mod tests {
    use super::{is_signed_with, signed_text};
    use wire::Request;

    /// The published example of the old way, as a link.
    #[test]
    fn a_link_says_what_it_is_signed_for() {
        let link = "/puppy.jpg?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Expires=1141889120&Signature=x&x-amz-security-token=a%2Bb&versionId=3&other=1";
        let request =
            Request::default().with_target(link).with_header("host", "awsexamplebucket1.s3.amazonaws.com");
        let expected =
            "GET\n\n\n1141889120\nx-amz-security-token:a+b\n/awsexamplebucket1/puppy.jpg?versionId=3";
        assert_eq!(signed_text(&request), expected);
    }

    #[test]
    fn signatures_are_of_one_secret() {
        // Made by botocore.
        let link = include_str!("tests/old_link.txt").trim();
        let request = Request::default().with_target(link).with_header("host", "127.0.0.1:4566");
        assert!(is_signed_with(&request, "a secret of sixteen"));
        assert!(!is_signed_with(&request, "a secret of sixteem"));
        let other =
            Request::default().with_target(&link.replace("key", "keY")).with_header("host", "127.0.0.1:4566");
        assert!(!is_signed_with(&other, "a secret of sixteen"));
    }
}
