//! Bodies that come and go in pieces.

use bytes::Bytes;
use std::any::Any;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::pin::Pin;
use std::sync::Arc;

/// The sender fell silent, or its connection broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyBroken;

/// The next piece of a body, once it is there; none when the body is whole.
pub type NextPiece<'a> = Pin<Box<dyn Future<Output = Option<Result<Bytes, BodyBroken>>> + Send + 'a>>;

/// A request's body as it arrives.
pub trait BodySource: Send {
    fn next(&mut self) -> NextPiece<'_>;
}

pub type Body = Box<dyn BodySource>;

/// A body that is there already.
pub struct Whole(pub Option<Bytes>);

impl BodySource for Whole {
    fn next(&mut self) -> NextPiece<'_> {
        Box::pin(std::future::ready(self.0.take().filter(|bytes| !bytes.is_empty()).map(Ok)))
    }
}

/// A part of a stored file.
#[derive(Clone, Debug)]
pub struct Slice {
    pub path: std::path::PathBuf,
    pub from: u64,
    pub bytes: u64,
}

/// What is still to be read from files. The files stay while it lives.
pub struct Stored {
    slices: VecDeque<Slice>,
    open: Option<(File, u64)>,
    lease: Arc<dyn Any + Send + Sync>,
}

/// Bytes read at once.
const PIECE_BYTES: u64 = 256 << 10;

impl Stored {
    /// `lease` keeps the files where they are.
    pub fn new(slices: VecDeque<Slice>, lease: Arc<dyn Any + Send + Sync>) -> Stored {
        Stored { slices, open: None, lease }
    }

    /// The next piece; none at the end. Blocks.
    pub fn read(&mut self) -> Option<std::io::Result<Bytes>> {
        loop {
            if let Some((file, left)) = &mut self.open {
                if *left > 0 {
                    let mut piece = vec![0; (*left).min(PIECE_BYTES) as usize];
                    if let Err(error) = file.read_exact(&mut piece) {
                        return Some(Err(error));
                    }
                    *left -= piece.len() as u64;
                    return Some(Ok(piece.into()));
                }
                self.open = None;
            }
            let slice = self.slices.pop_front()?;
            match open(&slice) {
                Ok(file) => self.open = Some((file, slice.bytes)),
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// How many bytes are left.
    pub fn bytes(&self) -> u64 {
        let open = self.open.as_ref().map_or(0, |(_, left)| *left);
        open + self.slices.iter().map(|slice| slice.bytes).sum::<u64>()
    }

    pub fn lease(&self) -> &Arc<dyn Any + Send + Sync> {
        &self.lease
    }
}

fn open(slice: &Slice) -> std::io::Result<File> {
    let mut file = File::open(&slice.path)?;
    file.seek(SeekFrom::Start(slice.from))?;
    Ok(file)
}
