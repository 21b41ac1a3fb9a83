//! Signing our own requests: to other endpoints, and in tests.

use super::canonical::{BodyHash, canonical_request, string_to_sign};
use super::credential::{Place, Signature};
use super::keys::{digest, hex};
use super::{Scope, known_keys};
use crate::{Request, percent};
use std::fmt::Write as _;
use world::Timestamp;

/// A key pair, and the token that comes with a temporary one.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub access_key: String,
    pub secret: String,
    pub session_token: Option<String>,
}

/// Never prints the secret.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("access_key", &self.access_key).finish_non_exhaustive()
    }
}

/// Signs for one service in one region.
#[derive(Clone, Debug)]
pub struct Signer {
    pub credentials: Credentials,
    pub region: String,
    pub service: String,
}

impl Signer {
    /// Signs in the Authorization header. The `host` header must be set already.
    pub fn sign(&self, mut request: Request, now: Timestamp) -> Request {
        request = request.with_header("x-amz-date", &now.basic());
        if let Some(token) = &self.credentials.session_token {
            request = request.with_header("x-amz-security-token", token);
        }
        if self.service == "s3" && !request.headers.contains_key("x-amz-content-sha256") {
            let hash = hex(&digest(&request.body));
            request = request.with_header("x-amz-content-sha256", &hash);
        }
        let mut signed_headers: Vec<String> = request
            .headers
            .keys()
            .map(|name| name.as_str().to_string())
            .filter(|name| name.starts_with("x-amz-") || matches!(name.as_str(), "host" | "content-type"))
            .collect();
        signed_headers.sort();
        let mut signature = self.unsigned(signed_headers.join(";"), now, Place::Header);
        self.complete(&request, &mut signature);
        let header = format!(
            "AWS4-HMAC-SHA256 Credential={}, SignedHeaders={}, Signature={}",
            self.credential(&signature.scope),
            signature.signed_headers,
            signature.signature
        );
        request.with_header("authorization", &header)
    }

    /// Signs in the query, for whoever holds the URL until it expires. The `host` header must be set already.
    pub fn presign(&self, mut request: Request, now: Timestamp, valid_s: u64) -> Request {
        let mut signature = self.unsigned("host".to_string(), now, Place::Query);
        let mut query = std::mem::take(&mut request.query);
        let credential = self.credential(&signature.scope);
        let (time, seconds) = (signature.time.clone(), valid_s.to_string());
        let mut parts = vec![
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
            ("X-Amz-Credential", &credential),
            ("X-Amz-Date", &time),
            ("X-Amz-Expires", &seconds),
            ("X-Amz-SignedHeaders", "host"),
        ];
        if let Some(token) = &self.credentials.session_token {
            parts.push(("X-Amz-Security-Token", token));
        }
        for (name, value) in parts {
            let joint = if query.is_empty() { "" } else { "&" };
            let _ = write!(query, "{joint}{name}={}", percent::encode(value));
        }
        request.query = query;
        self.complete(&request, &mut signature);
        let _ = write!(request.query, "&X-Amz-Signature={}", signature.signature);
        request
    }

    fn unsigned(&self, signed_headers: String, now: Timestamp, place: Place) -> Signature<'_> {
        let time = now.basic();
        let scope = Scope {
            access_key: self.credentials.access_key.as_str().into(),
            date: time[..8].to_string().into(),
            region: self.region.as_str().into(),
            service: self.service.as_str().into(),
            session_token: self.credentials.session_token.as_deref().map(Into::into),
        };
        Signature {
            scope,
            signed_headers: signed_headers.into(),
            signature: "".into(),
            time: time.into(),
            valid_s: None,
            place,
        }
    }

    fn complete(&self, request: &Request, signature: &mut Signature<'_>) {
        // The faults that these two can find are those of requests that others made.
        let canonical =
            BodyHash::of(request, signature).and_then(|body| canonical_request(request, signature, body));
        let text = string_to_sign(&signature.time, &signature.scope, &canonical.unwrap_or_default());
        signature.signature =
            known_keys().signature(&self.credentials.secret, &signature.scope, &text).into();
    }

    fn credential(&self, scope: &Scope) -> String {
        format!("{}/{}/{}/{}/aws4_request", scope.access_key, scope.date, scope.region, scope.service)
    }
}
