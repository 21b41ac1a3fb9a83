//! The parts of a signature, from the Authorization header or a presigned query.

use super::Scope;
use super::error::Fault;
use super::keys::digest;
use crate::{Request, base64, percent};
use http::header::{self, HeaderName};
use std::borrow::Cow;
use world::Timestamp;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
static DATE: HeaderName = HeaderName::from_static("x-amz-date");
static SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// A signature as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signature<'a> {
    pub scope: Scope<'a>,
    /// Lower case, in the order they were sent, parted by semicolons.
    pub signed_headers: Cow<'a, str>,
    pub signature: Cow<'a, str>,
    /// `20261121T010203Z`
    pub time: Cow<'a, str>,
    /// A presigned query's own time to live.
    pub valid_s: Option<u64>,
    pub place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Header,
    Query,
}

impl Signature<'_> {
    fn into_owned(self) -> Signature<'static> {
        Signature {
            scope: self.scope.into_owned(),
            signed_headers: self.signed_headers.into_owned().into(),
            signature: self.signature.into_owned().into(),
            time: self.time.into_owned().into(),
            valid_s: self.valid_s,
            place: self.place,
        }
    }
}

/// What a glance finds of the scope, without a complaint.
pub(super) fn glance(request: &Request) -> Option<Scope<'_>> {
    if let Some(header) = request.header(header::AUTHORIZATION) {
        let (_, rest) = header.split_once("Credential=")?;
        let credential = rest.split([',', ' ']).next()?;
        return scope(credential, token(request));
    }
    let credential = query_value(request, "X-Amz-Credential")?;
    let token = query_value(request, "X-Amz-Security-Token").map(Cow::Owned);
    scope(&credential, token).map(Scope::into_owned)
}

fn token(request: &Request) -> Option<Cow<'_, str>> {
    request.header(&SECURITY_TOKEN).map(Cow::Borrowed)
}

pub(super) fn read(request: &Request) -> Result<Signature<'_>, Fault> {
    let in_query = query_value(request, "X-Amz-Algorithm");
    match (request.headers.get(header::AUTHORIZATION), in_query) {
        (Some(_), Some(_)) => Err(Fault::Both),
        (Some(header), None) => match String::from_utf8_lossy(header.as_bytes()) {
            Cow::Borrowed(header) => from_header(request, header),
            Cow::Owned(header) => from_header(request, &header).map(Signature::into_owned),
        },
        (None, Some(algorithm)) => from_query(request, &algorithm),
        (None, None) => Err(Fault::Missing),
    }
}

fn from_header<'a>(request: &'a Request, header: &'a str) -> Result<Signature<'a>, Fault> {
    let (algorithm, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
    if algorithm != ALGORITHM {
        // What is not even an AWS algorithm is no signature at all.
        if !algorithm.starts_with("AWS4") {
            return Err(Fault::Missing);
        }
        return Err(Fault::Incomplete(format!("Unsupported AWS 'algorithm': '{algorithm}'.")));
    }
    let (mut credential, mut signature, mut signed_headers) = (None, None, None);
    for pieces in rest.split(',') {
        // Spaces part as well as commas do. [suites: alternator, dynalite]
        for part in pieces.trim().split(' ').filter(|part| !part.is_empty()) {
            let Some((name, value)) = part.split_once('=') else {
                return Err(Fault::Incomplete(format!(
                    "'{part}' not a valid key=value pair (missing equal-sign) in Authorization header: {}.",
                    hashed(header)
                )));
            };
            match name {
                "Credential" => credential = Some(value),
                "Signature" => signature = Some(value),
                "SignedHeaders" => signed_headers = Some(value),
                _ => {}
            }
        }
    }
    let time = match request.header(&DATE) {
        Some(date) => Some(Cow::Borrowed(date)),
        None => request.header(header::DATE).and_then(basic_of_date).map(Cow::Owned),
    };
    let mut missing = String::new();
    for (name, part) in
        [("Credential", credential), ("Signature", signature), ("SignedHeaders", signed_headers)]
    {
        if part.is_none_or(str::is_empty) {
            missing.push_str(&format!("Authorization header requires '{name}' parameter. "));
        }
    }
    if time.is_none() {
        missing.push_str(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ",
        );
    }
    let (Some(credential), Some(signature), Some(signed_headers), Some(time), true) =
        (credential, signature, signed_headers, time, missing.is_empty())
    else {
        return Err(Fault::Incomplete(format!("{missing}{}", hashed(header))));
    };
    let scope = scope(credential, token(request)).ok_or_else(|| Fault::Credential(credential.to_string()))?;
    finish(scope, [signed_headers, signature].map(Cow::Borrowed), time, None, Place::Header)
}

fn from_query(request: &Request, algorithm: &str) -> Result<Signature<'static>, Fault> {
    if algorithm != ALGORITHM {
        return Err(Fault::Incomplete(format!("Unsupported AWS 'algorithm': '{algorithm}'.")));
    }
    let mut missing = String::new();
    let mut part = |name: &str| {
        let value = query_value(request, name).filter(|value| !value.is_empty());
        if value.is_none() {
            missing.push_str(&format!("AWS query-string parameters must include '{name}'. "));
        }
        value.unwrap_or_default()
    };
    let credential = part("X-Amz-Credential");
    let signature = part("X-Amz-Signature");
    let signed_headers = part("X-Amz-SignedHeaders");
    let time = part("X-Amz-Date");
    if !missing.is_empty() {
        return Err(Fault::Incomplete(format!("{missing}Re-examine the query-string parameters.")));
    }
    let week_s = 7 * 24 * 3600;
    let valid_s = match query_value(request, "X-Amz-Expires") {
        None => 15 * 60,
        Some(text) => match text.parse::<u64>() {
            Ok(seconds) if seconds <= week_s => seconds,
            Ok(_) => return Err(Fault::Incomplete("X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds".into())),
            Err(_) => return Err(Fault::Incomplete("X-Amz-Expires should be a number".into())),
        },
    };
    let token = query_value(request, "X-Amz-Security-Token").map(Cow::Owned);
    let scope = scope(&credential, token).map(Scope::into_owned);
    let scope = scope.ok_or(Fault::Credential(credential))?;
    finish(scope, [signed_headers, signature].map(Cow::Owned), time.into(), Some(valid_s), Place::Query)
}

fn finish<'a>(
    scope: Scope<'a>,
    [signed_headers, signature]: [Cow<'a, str>; 2],
    time: Cow<'a, str>,
    valid_s: Option<u64>,
    place: Place,
) -> Result<Signature<'a>, Fault> {
    let is_basic = time.len() == 16 && time.as_bytes()[8] == b'T' && Timestamp::parse_iso(&time).is_some();
    if !is_basic {
        return Err(Fault::BadDate);
    }
    if !time.starts_with(&*scope.date) {
        return Err(Fault::Incomplete(format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != '{}', from '{time}'.",
            scope.date,
            &time[..8]
        )));
    }
    let signed_headers = match signed_headers.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => signed_headers.to_ascii_lowercase().into(),
        false => signed_headers,
    };
    Ok(Signature { scope, signed_headers, signature, time, valid_s, place })
}

/// `AKIA…/20261121/us-east-1/dynamodb/aws4_request`
fn scope<'a>(credential: &'a str, session_token: Option<Cow<'a, str>>) -> Option<Scope<'a>> {
    // An access key may itself hold slashes: the scope is read from the end.
    let mut parts = credential.rsplitn(5, '/');
    let (terminator, service, region) = (parts.next()?, parts.next()?, parts.next()?);
    let (date, access_key) = (parts.next()?, parts.next()?);
    let is_whole =
        terminator == "aws4_request" && date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit());
    let has_names = !access_key.is_empty() && !region.is_empty() && !service.is_empty();
    (is_whole && has_names).then(|| Scope {
        access_key: access_key.into(),
        date: date.into(),
        region: region.into(),
        service: service.into(),
        session_token,
    })
}

pub(super) fn query_value(request: &Request, name: &str) -> Option<String> {
    let (_, value) = percent::pairs(&request.query).find(|(key, _)| *key == name)?;
    String::from_utf8(percent::decode_form(value)).ok()
}

/// A Date header may be written as mail writes dates, or as signatures do.
fn basic_of_date(text: &str) -> Option<String> {
    match crate::time::parse_rfc822(text) {
        Some(seconds) => Some(Timestamp::from_seconds(seconds).basic()),
        None => Timestamp::parse_iso(text).map(Timestamp::basic),
    }
}

/// A faulty header is told by its hash: it may hold what is nobody else's business.
fn hashed(header: &str) -> String {
    let hash = base64::encode(&digest(header.as_bytes()));
    format!("(Hashed with SHA-256 and encoded with Base64) Authorization={hash}")
}
