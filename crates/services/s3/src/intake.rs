//! Takes a body in: out of its form, into a file or into memory, past every sum that the client asks for.

use super::claims::{Claims, too_large};
use super::fault::{self, Fault};
use super::sums::{Algorithm, Sum, hex};
use super::vault::Incoming;
use bytes::Bytes;
use md5::{Digest, Md5};
use servicekit::body::Body;
use servicekit::documents::unavailable;
use wire::{Chunked, base64};

/// Bytes gathered before a thread that may block takes them.
const BATCH_BYTES: usize = 1 << 20;
/// Documents: a thousand names to delete, ten thousand parts to complete.
const DOCUMENT_BYTES_MAX: u64 = 4 << 20;

pub(super) enum Sink {
    File(Incoming),
    Memory(Vec<u8>),
}

/// A body that is in, and whose sums are what the client said.
pub(super) struct Received {
    pub sink: Sink,
    pub bytes: u64,
    pub md5: Vec<u8>,
    pub checksum: Option<(Algorithm, Vec<u8>)>,
    /// The sum that this server makes of itself, beside another one that the client wants.
    pub own: Option<(Algorithm, Vec<u8>)>,
}

/// What moves between the tasks that wait for the client and the threads that hash and write.
struct Work {
    sink: Sink,
    chunked: Option<Chunked>,
    md5: Md5,
    signed: Option<Sum>,
    checksum: Option<(Algorithm, Sum)>,
    own: Option<(Algorithm, Sum)>,
    bytes: u64,
    bytes_max: u64,
}

impl Work {
    fn take(&mut self, batch: &[Bytes]) -> Result<(), Fault> {
        for piece in batch {
            match self.chunked.take() {
                None => self.data(piece)?,
                Some(mut chunked) => {
                    let mut done = Ok(());
                    chunked
                        .push(piece, |data| {
                            if done.is_ok() {
                                done = self.data(data);
                            }
                        })
                        .map_err(|_| incomplete())?;
                    done?;
                    self.chunked = Some(chunked);
                }
            }
        }
        Ok(())
    }

    fn data(&mut self, data: &[u8]) -> Result<(), Fault> {
        self.bytes += data.len() as u64;
        if self.bytes > self.bytes_max {
            return Err(too_large());
        }
        self.md5.update(data);
        let sums = self.checksum.iter_mut().chain(&mut self.own).map(|(_, sum)| sum);
        for sum in self.signed.iter_mut().chain(sums) {
            sum.update(data);
        }
        match &mut self.sink {
            Sink::File(file) => file.write(data).map_err(unavailable),
            Sink::Memory(bytes) => {
                bytes.extend_from_slice(data);
                Ok(())
            }
        }
    }

    fn finish(self, claims: &Claims) -> Result<Received, Fault> {
        let trailers = match self.chunked {
            Some(chunked) => chunked.finish().map_err(|_| incomplete())?,
            None => Vec::new(),
        };
        if claims.bytes.is_some_and(|bytes| bytes != self.bytes) {
            return Err(incomplete());
        }
        let md5 = self.md5.finalize().to_vec();
        if claims.md5.as_ref().is_some_and(|claimed| *claimed != md5) {
            let message = "The Content-MD5 you specified did not match what we received.";
            let expected = claims.md5.as_deref().unwrap_or_default();
            return Err(fault::new(400, "BadDigest", message)
                .with("ExpectedDigest", hex(expected))
                .with("CalculatedDigest", base64::encode(&md5)));
        }
        let checksum = self.checksum.map(|(algorithm, sum)| (algorithm, sum.finish()));
        if let (Some(claimed), Some(sum)) = (&claims.signed, self.signed) {
            let sum = hex(&sum.finish());
            if sum != *claimed {
                let message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
                return Err(fault::new(400, "XAmzContentSHA256Mismatch", message)
                    .with("ClientComputedContentSHA256", claimed.as_str())
                    .with("S3ComputedContentSHA256", sum));
            }
        }
        let mut claimed = claims.checksum.clone();
        if let Some(algorithm) = claims.trailer {
            let trailer = trailers.iter().find(|(name, _)| name == algorithm.header());
            let (_, value) = trailer.ok_or_else(|| fault::new(400, "MalformedTrailerError", "The request contained trailing data that was not well-formed or did not conform to our published schema."))?;
            claimed = Some((algorithm, super::claims::checksum(algorithm, value)?));
        }
        if let (Some((algorithm, claimed)), Some((_, sum))) = (&claimed, &checksum)
            && claimed != sum
        {
            let name = algorithm.name();
            let message = format!("The {name} you specified did not match the calculated checksum.");
            return Err(fault::new(400, "BadDigest", message));
        }
        let own = self.own.map(|(algorithm, sum)| (algorithm, sum.finish()));
        Ok(Received { sink: self.sink, bytes: self.bytes, md5, checksum, own })
    }
}

fn incomplete() -> Fault {
    let message = "You did not provide the number of bytes specified by the Content-Length HTTP header";
    fault::new(400, "IncompleteBody", message)
}

/// Takes the whole body. `algorithm`: of the sum to be made, if any; `own`: of one more.
pub(super) async fn receive(
    mut body: Body,
    claims: Claims,
    sink: Sink,
    algorithm: Option<Algorithm>,
    own: Option<Algorithm>,
) -> Result<Received, Fault> {
    let bytes_max = match sink {
        Sink::File(_) => super::claims::BODY_BYTES_MAX,
        Sink::Memory(_) => DOCUMENT_BYTES_MAX,
    };
    let mut work = Work {
        sink,
        chunked: claims.chunked.then(Chunked::default),
        md5: Md5::new(),
        signed: claims.signed.as_ref().map(|_| Sum::new(Algorithm::Sha256)),
        checksum: algorithm.map(|algorithm| (algorithm, Sum::new(algorithm))),
        own: own.map(|algorithm| (algorithm, Sum::new(algorithm))),
        bytes: 0,
        bytes_max,
    };
    let mut batch = Vec::new();
    let mut waiting = 0;
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|_| incomplete())?;
        waiting += piece.len();
        batch.push(piece);
        if waiting >= BATCH_BYTES {
            let pieces = std::mem::take(&mut batch);
            waiting = 0;
            work = blocking(move || work.take(&pieces).map(|()| work)).await?;
        }
    }
    // What is small is not worth another thread, unless a file waits for it.
    match work.sink {
        Sink::Memory(_) => {
            work.take(&batch)?;
            work.finish(&claims)
        }
        Sink::File(_) => {
            blocking(move || {
                work.take(&batch)?;
                work.finish(&claims)
            })
            .await
        }
    }
}

/// Takes a document in, of a bounded size.
pub(super) async fn document(body: Body, claims: Claims) -> Result<Bytes, Fault> {
    let algorithm = claims.wanted();
    let received = receive(body, claims, Sink::Memory(Vec::new()), algorithm, None).await;
    match received {
        Ok(Received { sink: Sink::Memory(bytes), .. }) => Ok(bytes.into()),
        Ok(_) => Ok(Bytes::new()),
        Err(error) if error.name() == "EntityTooLarge" => {
            Err(fault::new(400, "MaxMessageLengthExceeded", "Your request was too big."))
        }
        Err(error) => Err(error),
    }
}

/// Does what blocks on a thread of its own.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work).await.map_err(unavailable)?
}
