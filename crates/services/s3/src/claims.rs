//! What a client says about its body: its length, its form, its sums.

use super::fault::{self, Fault};
use super::sums::Algorithm;
use wire::Request;

/// The largest body of one request.
pub(super) const BODY_BYTES_MAX: u64 = 5 << 30;

#[derive(Debug, Default)]
pub(super) struct Claims {
    /// The bytes that the body carries, without its form.
    pub bytes: Option<u64>,
    /// In `aws-chunked` form.
    pub chunked: bool,
    pub md5: Option<Vec<u8>>,
    /// The SHA-256 that the signature covers.
    pub signed: Option<String>,
    pub checksum: Option<(Algorithm, Vec<u8>)>,
    /// A checksum that comes behind the body.
    pub trailer: Option<Algorithm>,
    /// The algorithm that is named without a value.
    pub algorithm: Option<Algorithm>,
}

impl Claims {
    pub fn of(request: &Request) -> Result<Claims, Fault> {
        let mut claims = Claims::default();
        let length = |name: &str| -> Result<Option<u64>, Fault> {
            let Some(text) = request.header(name) else { return Ok(None) };
            text.parse().map(Some).map_err(|_| fault::argument("A length must be a number.", name, text))
        };
        let encoding = request.header("content-encoding").unwrap_or_default();
        let sha256 = request.header("x-amz-content-sha256").unwrap_or_default();
        let decoded = length("x-amz-decoded-content-length")?;
        claims.chunked = sha256.starts_with("STREAMING-")
            || (decoded.is_some() && encoding.split(',').any(|one| one.trim() == "aws-chunked"));
        if sha256.starts_with("STREAMING-AWS4-ECDSA") {
            return Err(fault::not_built("x-amz-content-sha256"));
        }
        claims.bytes = match claims.chunked {
            true => Some(decoded.ok_or_else(missing_length)?),
            false => length("content-length")?,
        };
        if claims.bytes.is_some_and(|bytes| bytes > BODY_BYTES_MAX) {
            return Err(too_large());
        }
        if let Some(text) = request.header("content-md5") {
            let sum = wire::base64::decode(text).ok().filter(|sum| sum.len() == 16);
            claims.md5 = Some(sum.ok_or_else(|| {
                fault::new(400, "InvalidDigest", "The Content-MD5 you specified was invalid.")
                    .with("Content-MD5", text)
            })?);
        }
        if sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            claims.signed = Some(sha256.to_ascii_lowercase());
        }
        for (name, value) in &request.headers {
            let name = name.as_str();
            let Some(rest) = name.strip_prefix("x-amz-checksum-") else { continue };
            if matches!(rest, "mode" | "algorithm" | "type") {
                continue;
            }
            let algorithm = Algorithm::of_header(name).ok_or_else(|| fault::not_built(name))?;
            if claims.checksum.is_some() {
                return Err(fault::request("Expecting a single x-amz-checksum- header"));
            }
            let sum = checksum(algorithm, value.to_str().unwrap_or_default())?;
            claims.checksum = Some((algorithm, sum));
        }
        if let Some(names) = request.header("x-amz-trailer") {
            for name in names.split(',').map(|name| name.trim().to_ascii_lowercase()) {
                if name == "x-amz-trailer-signature" {
                    continue;
                }
                claims.trailer = Some(Algorithm::of_header(&name).ok_or_else(|| {
                    fault::request("The value specified in the x-amz-trailer header is not supported")
                })?);
            }
        }
        let named =
            request.header("x-amz-sdk-checksum-algorithm").or(request.header("x-amz-checksum-algorithm"));
        if let Some(name) = named {
            claims.algorithm = Some(Algorithm::parse(name).ok_or_else(unknown_algorithm)?);
        }
        Ok(claims)
    }

    /// The algorithm whose sum of the body is to be made.
    pub fn wanted(&self) -> Option<Algorithm> {
        self.checksum.as_ref().map(|(algorithm, _)| *algorithm).or(self.trailer).or(self.algorithm)
    }
}

pub(super) fn unknown_algorithm() -> Fault {
    fault::request(
        "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]",
    )
}

pub(super) fn checksum(algorithm: Algorithm, text: &str) -> Result<Vec<u8>, Fault> {
    let sum = wire::base64::decode(text).ok().filter(|sum| sum.len() == algorithm.bytes());
    sum.ok_or_else(|| fault::request(format!("Value for {} header is invalid.", algorithm.header())))
}

pub(super) fn missing_length() -> Fault {
    fault::new(411, "MissingContentLength", "You must provide the Content-Length HTTP header.")
}

pub(super) fn too_large() -> Fault {
    fault::new(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
}
