//! The canonical form of a request: what is hashed and signed.

use super::Scope;
use super::credential::{Place, Signature};
use super::error::Fault;
use super::keys::{digest, hex, same};
use crate::{Request, percent};
use std::fmt::Write as _;

const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// What stands for the body in the canonical request.
pub(super) struct BodyHash(pub String);

impl BodyHash {
    /// The hash that the client claims, checked against the body; or the body's own.
    pub(super) fn of(request: &Request, signature: &Signature<'_>) -> Result<BodyHash, Fault> {
        let claimed = request.header("x-amz-content-sha256");
        match (claimed, signature.place) {
            // Bodies sent in signed chunks carry their own signatures.
            (Some(claimed), _) if claimed == UNSIGNED || claimed.starts_with("STREAMING-") => {
                Ok(BodyHash(claimed.to_string()))
            }
            // An object's body is compared with the hash as it comes: here it is not yet.
            (Some(claimed), _) if signature.scope.service == "s3" => {
                Ok(BodyHash(claimed.to_ascii_lowercase()))
            }
            (Some(claimed), _) => {
                let actual = hex(&digest(&request.body));
                match same(actual.as_bytes(), claimed.to_ascii_lowercase().as_bytes()) {
                    true => Ok(BodyHash(actual)),
                    false => Err(Fault::Body),
                }
            }
            (None, Place::Query) if signature.scope.service == "s3" => Ok(BodyHash(UNSIGNED.to_string())),
            (None, _) => Ok(BodyHash(hex(&digest(&request.body)))),
        }
    }
}

pub(super) fn canonical_request(
    request: &Request,
    signature: &Signature<'_>,
    body: BodyHash,
) -> Result<String, Fault> {
    let mut out = String::with_capacity(512);
    out.push_str(request.method.as_str());
    out.push('\n');
    canonical_path(&request.path, &signature.scope.service, &mut out);
    out.push('\n');
    canonical_query(&request.query, &mut out);
    out.push('\n');
    let mut missing = Vec::new();
    for name in signature.signed_headers.split(';') {
        let mut values = request.headers.get_all(name).iter().peekable();
        if values.peek().is_none() {
            missing.push(name);
        }
        out.push_str(name);
        out.push(':');
        for (at, value) in values.enumerate() {
            if at > 0 {
                out.push(',');
            }
            folded(&String::from_utf8_lossy(value.as_bytes()), &mut out);
        }
        out.push('\n');
    }
    if !missing.is_empty() {
        return Err(Fault::Incomplete(format!(
            "The request's headers are missing these, which it says are signed: {}",
            missing.join(", ")
        )));
    }
    out.push('\n');
    out.push_str(&signature.signed_headers);
    out.push('\n');
    out.push_str(&body.0);
    Ok(out)
}

pub(super) fn string_to_sign(time: &str, scope: &Scope<'_>, canonical: &str) -> String {
    let mut out = String::with_capacity(160);
    let _ = write!(
        out,
        "AWS4-HMAC-SHA256\n{time}\n{}/{}/{}/aws4_request\n{}",
        scope.date,
        scope.region,
        scope.service,
        hex(&digest(canonical.as_bytes()))
    );
    out
}

/// Every service but S3 signs the path encoded once more, with its dots resolved.
fn canonical_path(path: &str, service: &str, out: &mut String) {
    let path = if path.is_empty() { "/" } else { path };
    if service == "s3" {
        percent::encode_into(&percent::decode(path), b"/", out);
        return;
    }
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(kept.pop()),
            segment => kept.push(segment),
        }
    }
    for segment in &kept {
        out.push('/');
        percent::encode_into(segment.as_bytes(), b"", out);
    }
    if kept.is_empty() || path.ends_with('/') {
        out.push('/');
    }
}

fn canonical_query(query: &str, out: &mut String) {
    let once = |text: &str| {
        let mut encoded = String::with_capacity(text.len());
        percent::encode_into(&percent::decode_form(text), b"", &mut encoded);
        encoded
    };
    let mut pairs: Vec<(String, String)> = percent::pairs(query)
        .filter(|(name, _)| *name != "X-Amz-Signature")
        .map(|(name, value)| (once(name), once(value)))
        .collect();
    pairs.sort();
    for (at, (name, value)) in pairs.iter().enumerate() {
        if at > 0 {
            out.push('&');
        }
        let _ = write!(out, "{name}={value}");
    }
}

/// A header's value without spaces around it, and with single ones within.
fn folded(value: &str, out: &mut String) {
    let mut words = value.split(' ').filter(|word| !word.is_empty());
    if let Some(first) = words.next() {
        out.push_str(first.trim());
    }
    for word in words {
        out.push(' ');
        out.push_str(word);
    }
}
