//! Bodies under a content coding, as DynamoDB takes and gives them: gzip and deflate.
//!
//! A signature is over the body as it came, so a request is unpacked once it is admitted. Answers are packed where the
//! client says that it reads one of the codings, and they are long enough to be worth it.

use bytes::Bytes;
use flate2::Compression;
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use flate2::write::{GzEncoder, ZlibEncoder};
use std::io::{Read, Write};
use wire::{Request, Response, ServiceError};

/// What an unpacked body may measure: as much as one that comes unpacked.
const UNPACKED_BYTES_MAX: u64 = 16 << 20;
/// Shorter answers are sent as they are.
const PACKED_BYTES_MIN: usize = 4096;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    Gzip,
    Deflate,
}

impl Coding {
    fn parse(name: &str) -> Option<Coding> {
        match name.trim().to_ascii_lowercase().as_str() {
            "gzip" => Some(Coding::Gzip),
            "deflate" => Some(Coding::Deflate),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Coding::Gzip => "gzip",
            Coding::Deflate => "deflate",
        }
    }

    /// What the client likes best of what we have. Of several headers only the first counts, as in DynamoDB.
    pub fn wished(request: &Request) -> Option<Coding> {
        let list = request.header("accept-encoding").filter(|list| *list != "identity")?;
        let mut named: Vec<(Coding, f64)> = Vec::new();
        let mut others = 0.0;
        for entry in list.split(',') {
            let (name, rest) = entry.split_once(';').unwrap_or((entry, ""));
            match (Coding::parse(name), name.trim()) {
                (Some(coding), _) => named.push((coding, weight(rest))),
                (None, "*") => others = weight(rest),
                (None, _) => {}
            }
        }
        let rest = [Coding::Gzip, Coding::Deflate]
            .into_iter()
            .filter(|coding| !named.iter().any(|(known, _)| known == coding))
            .map(|coding| (coding, others))
            .collect::<Vec<_>>();
        let mut best: Option<(Coding, f64)> = None;
        for (coding, weight) in named.into_iter().chain(rest) {
            if weight > best.map_or(0.0, |(_, best)| best) {
                best = Some((coding, weight));
            }
        }
        best.map(|(coding, _)| coding)
    }

    /// The answer in this coding, if it is long enough. Its checksum is one of the bytes that are sent.
    pub fn pack(self, mut response: Response) -> Response {
        if response.body.len() <= PACKED_BYTES_MIN {
            return response;
        }
        let Ok(packed) = self.packed(&response.body) else { return response };
        if response.headers.contains_key("x-amz-crc32") {
            response.set_header("x-amz-crc32", &crc32fast::hash(&packed).to_string());
        }
        response.set_header("content-encoding", self.name());
        response.body = packed.into();
        response
    }

    fn packed(self, body: &[u8]) -> std::io::Result<Vec<u8>> {
        match self {
            Coding::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
                encoder.write_all(body)?;
                encoder.finish()
            }
            Coding::Deflate => {
                let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
                encoder.write_all(body)?;
                encoder.finish()
            }
        }
    }

    fn unpacked(self, body: &[u8]) -> Option<Vec<u8>> {
        let reader: Box<dyn Read + '_> = match self {
            Coding::Gzip => Box::new(MultiGzDecoder::new(body)),
            Coding::Deflate => Box::new(ZlibDecoder::new(body)),
        };
        let mut unpacked = Vec::new();
        let read = reader.take(UNPACKED_BYTES_MAX + 1).read_to_end(&mut unpacked);
        (read.is_ok() && !body.is_empty() && unpacked.len() as u64 <= UNPACKED_BYTES_MAX).then_some(unpacked)
    }
}

/// How much an entry of a list of codings is liked: the first `q=` counts, and what is no number is liked fully.
fn weight(rest: &str) -> f64 {
    let Some((_, value)) = rest.split_once("q=") else { return 1.0 };
    let value = value.split(';').next().unwrap_or_default();
    value.trim().parse::<f64>().unwrap_or(1.0).min(1.0)
}

/// The request with its body unpacked. What cannot be is a failure of the service's, in DynamoDB's words.
pub(crate) fn unpack(mut request: Request) -> Result<Request, ServiceError> {
    let Some(coding) = request.headers.get("content-encoding") else { return Ok(request) };
    let name = coding.to_str().unwrap_or("?");
    if name.trim().is_empty() || name.eq_ignore_ascii_case("identity") {
        return Ok(request);
    }
    let unpacked = Coding::parse(name).and_then(|coding| coding.unpacked(&request.body));
    let failure = || ServiceError::silent("com.amazon.coral.service#InternalFailure").with_status(500);
    request.body = unpacked.map(Bytes::from).ok_or_else(failure)?;
    Ok(request)
}

/// The answer to `GET /` by nobody: load balancers ask DynamoDB so whether it is well.
pub(crate) fn healthy(request: &Request) -> Option<Response> {
    let bare = request.method == "GET" && request.path == "/" && request.query.is_empty();
    let body = format!("healthy: {} ", request.header("host").filter(|_| bare)?);
    let sum = crc32fast::hash(body.as_bytes()).to_string();
    Some(Response::new(200, body).with_header("x-amz-crc32", &sum))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(list: &str, expect: Option<Coding>) {
        let request = Request::post("").with_header("accept-encoding", list);
        assert_eq!(Coding::wished(&request), expect, "{list}");
    }

    #[test]
    fn the_coding_that_is_liked_best_is_taken() {
        let (gzip, deflate) = (Some(Coding::Gzip), Some(Coding::Deflate));
        for none in
            ["", "identity", "br, zstd", "x-gzip", "gzip;q=0", "*;q=0", "\"gzip\"", "gzip br", "gzip:q=1"]
        {
            check(none, None);
        }
        check("GZIP, identity", gzip);
        check("br, identity, deflate, gzip", deflate);
        check("gzip;q=0.2, deflate; q=0.5", deflate);
        check("gzip;q=0, deflate;q=0.1", deflate);
        check("*", gzip);
        check("*, deflate", deflate);
        check("*, gzip;q=0.5", deflate);
        check("*, deflate;q=0.5", gzip);
        check("br;q=0.8, identity;q=0.5, *;q=0", None);
        // Faulty weights: more than one is one, what is no number is one, below nothing is nothing.
        check("deflate;q=0.5, gzip;q=31", gzip);
        check("deflate;q=0.5, gzip;q=0.x", gzip);
        check("deflate;q=-0.5, gzip;q=0.2", gzip);
        check("gzip;q=0;q=1", None);
        check("gzip;q=0, gzip;q=1, gzip;q=0", gzip);
    }

    #[test]
    fn what_is_packed_is_unpacked_and_what_is_broken_is_refused() {
        let body = "a line that repeats\n".repeat(1000);
        for coding in [Coding::Gzip, Coding::Deflate] {
            let packed = coding.pack(Response::new(200, body.clone()).with_header("x-amz-crc32", "0"));
            assert!(packed.body.len() < 1000);
            assert_eq!(packed.headers["content-encoding"], coding.name());
            assert_eq!(packed.headers["x-amz-crc32"], crc32fast::hash(&packed.body).to_string());
            let unpacked = |bytes: &[u8]| {
                let request = Request::post(bytes.to_vec()).with_header("content-encoding", coding.name());
                unpack(request).map(|request| request.body).map_err(|error| error.status)
            };
            assert_eq!(unpacked(&packed.body), Ok(body.clone().into()));
            assert_eq!(unpacked(&packed.body[..packed.body.len() - 1]), Err(Some(500)));
            assert_eq!(unpacked(b"{}"), Err(Some(500)));
            assert_eq!(unpacked(b""), Err(Some(500)));
            let bomb = coding.packed(&vec![b' '; UNPACKED_BYTES_MAX as usize + 1]).unwrap();
            assert_eq!(unpacked(&bomb), Err(Some(500)));
        }
        assert_eq!(Coding::Gzip.pack(Response::new(200, "short")).body, "short");
        let unknown = Request::post("{}").with_header("content-encoding", "garbage");
        assert_eq!(unpack(unknown).unwrap_err().status, Some(500));
        let plain = Request::post("{}").with_header("content-encoding", "identity");
        assert_eq!(unpack(plain).unwrap().body, "{}");
    }
}
