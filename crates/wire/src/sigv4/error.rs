//! What can be wrong with a signature, in the words and codes of each protocol.

use crate::{Protocol, Service, ServiceError};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// No signature at all.
    Missing,
    /// Parts are missing or malformed; the words say which.
    Incomplete(String),
    /// A header's signature and a query's at once.
    Both,
    /// The credential is not `key/date/region/service/aws4_request`.
    Credential(String),
    /// It was made for another service.
    Service(&'static str),
    BadDate,
    Expired {
        signed: String,
        limit: String,
        now: String,
        presigned: bool,
    },
    Early {
        signed: String,
        limit: String,
        now: String,
    },
    /// Nobody's access key, or a session token that is not its.
    UnknownKey,
    /// The body is not what its hash says.
    Body,
    Mismatch {
        canonical: String,
        text: String,
    },
}

impl Fault {
    pub(super) fn told(self, service: &Service) -> ServiceError {
        let (kind, mut message) = self.words();
        if let (Kind::Missing, Protocol::RestJson) = (kind, service.protocol) {
            message = "Missing Authentication Token".to_string();
        }
        let (code, status) = match (service.protocol, kind) {
            (Protocol::Json10 | Protocol::Json11, kind) => {
                (format!("com.amazon.coral.service#{}", kind.json()), 400)
            }
            (Protocol::Query, kind) => (kind.query().to_string(), kind.status()),
            (Protocol::Ec2, Kind::Missing) => ("MissingAuthenticationToken".to_string(), 403),
            (Protocol::Ec2, Kind::Expired) => ("RequestExpired".to_string(), 400),
            (Protocol::Ec2, _) => {
                message = "AWS was not able to validate the provided access credentials".to_string();
                ("AuthFailure".to_string(), 401)
            }
            (Protocol::RestXml, kind) => return kind.storage(message),
            (Protocol::RestJson, kind) => (kind.json().to_string(), kind.status()),
        };
        ServiceError::new(code, message).with_status(status)
    }

    fn words(self) -> (Kind, String) {
        match self {
            Fault::Missing => (Kind::Missing, "Request is missing Authentication Token".into()),
            Fault::Incomplete(message) => (Kind::Incomplete, message),
            Fault::Both => (
                Kind::Invalid,
                "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.".into(),
            ),
            Fault::Credential(given) => (
                Kind::Incomplete,
                format!("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{given}'"),
            ),
            Fault::Service(name) => {
                (Kind::Invalid, format!("Credential should be scoped to correct service: '{name}'. "))
            }
            Fault::BadDate => (
                Kind::Incomplete,
                "Date must be in ISO-8601 'basic format'. See http://en.wikipedia.org/wiki/ISO_8601".into(),
            ),
            Fault::Expired { signed, limit, now, presigned: false } => {
                (Kind::Expired, format!("Signature expired: {signed} is now earlier than {limit} ({now} - 15 min.)"))
            }
            Fault::Expired { signed, limit, now, presigned: true } => {
                (Kind::Expired, format!("Signature expired: {signed} is now earlier than {limit} ({now})"))
            }
            Fault::Early { signed, limit, now } => {
                (Kind::Expired, format!("Signature not yet current: {signed} is still later than {limit} ({now} + 15 min.)"))
            }
            Fault::UnknownKey => {
                (Kind::UnknownKey, "The security token included in the request is invalid.".into())
            }
            Fault::Body => (
                Kind::Invalid,
                "The value of 'x-amz-content-sha256' header or the request's body does not match the hash that was signed.".into(),
            ),
            Fault::Mismatch { canonical, text } => (
                Kind::Invalid,
                format!(
                    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.\n\nThe Canonical String for this request should have been\n'{canonical}'\n\nThe String-to-Sign should have been\n'{text}'\n"
                ),
            ),
        }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Missing,
    Incomplete,
    Invalid,
    Expired,
    UnknownKey,
}

impl Kind {
    fn json(self) -> &'static str {
        match self {
            Kind::Missing => "MissingAuthenticationTokenException",
            Kind::Incomplete => "IncompleteSignatureException",
            Kind::Invalid | Kind::Expired => "InvalidSignatureException",
            Kind::UnknownKey => "UnrecognizedClientException",
        }
    }

    fn query(self) -> &'static str {
        match self {
            Kind::Missing => "MissingAuthenticationToken",
            Kind::Incomplete => "IncompleteSignature",
            Kind::Invalid | Kind::Expired => "SignatureDoesNotMatch",
            Kind::UnknownKey => "InvalidClientTokenId",
        }
    }

    /// As S3 tells it.
    fn storage(self, message: String) -> ServiceError {
        let (code, message, status) = match self {
            Kind::Missing => ("AccessDenied", "Access Denied".to_string(), 403),
            Kind::Incomplete => ("AuthorizationHeaderMalformed", message, 400),
            Kind::Invalid => ("SignatureDoesNotMatch", message, 403),
            Kind::Expired => ("RequestTimeTooSkewed", message, 403),
            Kind::UnknownKey => {
                let message = "The AWS Access Key Id you provided does not exist in our records.";
                ("InvalidAccessKeyId", message.to_string(), 403)
            }
        };
        ServiceError::new(code, message).with_status(status)
    }

    fn status(self) -> u16 {
        match self {
            Kind::Incomplete => 400,
            _ => 403,
        }
    }
}
