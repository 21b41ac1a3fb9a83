//! Signature Version 4: reading, checking and making signatures.
//!
//! A signature is found in the Authorization header or in the query of a presigned URL. `lenient` asks only that it is well
//! formed; `verify` recomputes it. Signing keys are derived once a day and scope, and remembered.

mod canonical;
mod credential;
mod error;
mod keys;
mod sign;

use crate::{Request, Service, ServiceError};
use canonical::{BodyHash, canonical_request, string_to_sign};
use credential::Signature;
use error::Fault;
use std::borrow::Cow;
use std::sync::OnceLock;
use world::Timestamp;

pub use keys::{SigningKeys, same};
pub use sign::{Credentials, Signer};

/// Who signed, for where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope<'a> {
    pub access_key: Cow<'a, str>,
    /// `20261121`
    pub date: Cow<'a, str>,
    pub region: Cow<'a, str>,
    pub service: Cow<'a, str>,
    pub session_token: Option<Cow<'a, str>>,
}

impl Scope<'_> {
    pub fn into_owned(self) -> Scope<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        Scope {
            access_key: owned(self.access_key),
            date: owned(self.date),
            region: owned(self.region),
            service: owned(self.service),
            session_token: self.session_token.map(owned),
        }
    }
}

/// Answers a signature's secret.
pub trait Secrets: Send + Sync {
    /// The secret of an access key, given the session token it came with; none when the key is unknown.
    fn secret(&self, access_key: &str, session_token: Option<&str>) -> Option<String>;
}

impl<F: Fn(&str, Option<&str>) -> Option<String> + Send + Sync> Secrets for F {
    fn secret(&self, access_key: &str, session_token: Option<&str>) -> Option<String> {
        self(access_key, session_token)
    }
}

/// The scope of a request, however badly it may be signed: for routing and for the region.
pub fn scope(request: &Request) -> Option<Scope<'_>> {
    credential::glance(request)
}

/// Checks that a request is signed, and in good form; does not need to know the key.
pub fn lenient<'a>(request: &'a Request, service: &Service) -> Result<Scope<'a>, ServiceError> {
    match credential::read(request) {
        Ok(signature) => Ok(signature.scope),
        Err(fault) => Err(fault.told(service)),
    }
}

/// Whether a presigned URL's time is over, or has not come.
pub fn is_presigned_and_over(request: &Request, now: Timestamp) -> bool {
    let presigned = credential::read(request).ok().filter(|signature| signature.valid_s.is_some());
    presigned.is_some_and(|signature| signature.check_time(now).is_err())
}

/// Checks a request's signature against its key's secret, at the given time.
pub fn verify<'a>(
    request: &'a Request,
    service: &Service,
    secrets: &dyn Secrets,
    now: Timestamp,
) -> Result<Scope<'a>, ServiceError> {
    check(request, service, secrets, now).map_err(|fault| fault.told(service))
}

fn check<'a>(
    request: &'a Request,
    service: &Service,
    secrets: &dyn Secrets,
    now: Timestamp,
) -> Result<Scope<'a>, Fault> {
    let signature = credential::read(request)?;
    let scope = &signature.scope;
    if scope.service != service.signing_name {
        return Err(Fault::Service(service.signing_name));
    }
    signature.check_time(now)?;
    let secret =
        secrets.secret(&scope.access_key, scope.session_token.as_deref()).ok_or(Fault::UnknownKey)?;
    let body = BodyHash::of(request, &signature)?;
    let canonical = canonical_request(request, &signature, body)?;
    let text = string_to_sign(&signature.time, scope, &canonical);
    let expected = known_keys().signature(&secret, scope, &text);
    match same(expected.as_bytes(), signature.signature.as_bytes()) {
        true => Ok(signature.scope),
        false => Err(Fault::Mismatch { canonical, text }),
    }
}

impl Signature<'_> {
    fn check_time(&self, now: Timestamp) -> Result<(), Fault> {
        let signed = Timestamp::parse_iso(&self.time).ok_or(Fault::BadDate)?;
        let skew_ms = 15 * 60 * 1000;
        let (signed_ms, now_ms) = (signed.millis(), now.millis());
        if signed_ms > now_ms + skew_ms {
            let limit = Timestamp::from_millis(now_ms + skew_ms);
            return Err(Fault::Early {
                signed: self.time.to_string(),
                limit: limit.basic(),
                now: now.basic(),
            });
        }
        let valid_ms = self.valid_s.map_or(skew_ms, |seconds| seconds * 1000);
        if signed_ms + valid_ms < now_ms {
            let limit = Timestamp::from_millis(now_ms.saturating_sub(valid_ms));
            return Err(Fault::Expired {
                signed: self.time.to_string(),
                limit: limit.basic(),
                now: now.basic(),
                presigned: self.valid_s.is_some(),
            });
        }
        Ok(())
    }
}

fn known_keys() -> &'static SigningKeys {
    static KEYS: OnceLock<SigningKeys> = OnceLock::new();
    KEYS.get_or_init(SigningKeys::default)
}

#[cfg(test)]
mod tests;
