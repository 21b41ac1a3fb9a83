//! A snapshot as pieces of bytes, and a new directory made of such pieces.
//!
//! ```text
//! piece   records, one behind the other
//! record  kind:1  length of name:4  length of value:4  name  value
//! ```
//!
//! Kinds below four are rows of the space of that number; the others belong to whoever makes them.

use crate::engine::embedded::Embedded;
use crate::engine::{Change, Engine};
use crate::header::{self, Header};
use crate::{Error, ErrorKind, Order, Range, Settings, Slice, Snapshot, Space};

const HEAD_BYTES: usize = 9;
/// Behind every key.
const END: [u8; 64] = [0xff; 64];

/// Everything in a snapshot but what the store keeps for itself.
pub struct Dump {
    snapshot: Snapshot,
    spaces: std::slice::Iter<'static, Space>,
    rows: Option<(Space, Range)>,
}

impl Dump {
    pub fn new(snapshot: Snapshot) -> Dump {
        Dump { snapshot, spaces: Space::ALL.iter(), rows: None }
    }

    /// The next rows, of about this many bytes; `None` at the end.
    pub fn next_piece(&mut self, bytes: usize) -> Result<Option<Vec<u8>>, Error> {
        let mut piece = Vec::new();
        while piece.len() < bytes {
            let Some((space, rows)) = &mut self.rows else {
                let Some(space) = self.spaces.next() else { break };
                self.rows = Some((*space, self.snapshot.range(*space, &[], &END, Order::Forward)));
                continue;
            };
            match rows.next() {
                Some(row) => {
                    let (key, value) = row?;
                    push_record(&mut piece, *space as u8, &key, &value);
                }
                None => self.rows = None,
            }
        }
        Ok((!piece.is_empty()).then_some(piece))
    }
}

/// Appends a record to a piece.
pub fn push_record(piece: &mut Vec<u8>, kind: u8, name: &[u8], value: &[u8]) {
    piece.push(kind);
    piece.extend_from_slice(&(name.len() as u32).to_be_bytes());
    piece.extend_from_slice(&(value.len() as u32).to_be_bytes());
    piece.extend_from_slice(name);
    piece.extend_from_slice(value);
}

/// The records of a piece: kind, name, value.
pub fn records(mut piece: &[u8]) -> impl Iterator<Item = Result<(u8, &[u8], &[u8]), Error>> {
    std::iter::from_fn(move || {
        let (head, rest) = match piece.split_at_checked(HEAD_BYTES) {
            _ if piece.is_empty() => return None,
            Some(split) => split,
            None => {
                piece = &[];
                return Some(Err(torn()));
            }
        };
        let length =
            |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]) as usize;
        let (name, value) = (length(1), length(5));
        let Some((body, left)) = rest.split_at_checked(name + value) else {
            piece = &[];
            return Some(Err(torn()));
        };
        piece = left;
        let (name, value) = body.split_at(name);
        Some(Ok((head[0], name, value)))
    })
}

/// What tells a damaged piece from a sound one.
pub fn checksum(bytes: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(bytes)
}

/// Makes a new directory from a snapshot's records. Until it is finished, the directory is no store's.
pub struct Loader {
    engine: Embedded,
    header: Header,
}

impl Loader {
    /// `sequence` is that of the snapshot: no record written later will have a number that is in use.
    pub fn begin(settings: &Settings, sequence: u64) -> Result<Loader, Error> {
        if settings.path.join("FORMAT").exists() || settings.path.join("tables").exists() {
            let message = format!("{} holds a store already", settings.path.display());
            return Err(Error::new(ErrorKind::Locked, message));
        }
        Ok(Loader { engine: Embedded::open(settings)?, header: Header { sequence, ..Header::default() } })
    }

    /// Writes rows, by the numbers of their spaces.
    pub fn load<'a>(
        &mut self,
        rows: impl IntoIterator<Item = (u8, &'a [u8], &'a [u8])>,
    ) -> Result<(), Error> {
        let mut changes = Vec::new();
        for (space, key, value) in rows {
            let space = Space::ALL.into_iter().find(|known| *known as u8 == space).ok_or_else(torn)?;
            changes.push(Change { space, key: Slice::from(key), value: Some(Slice::from(value)) });
        }
        self.apply(changes)
    }

    /// Makes everything durable.
    pub fn finish(mut self) -> Result<(), Error> {
        self.apply(Vec::new())?;
        self.engine.sync()
    }

    fn apply(&mut self, mut changes: Vec<Change>) -> Result<(), Error> {
        self.header.synced = self.header.group;
        self.header.group += 1;
        let (space, key, value) = (Space::Meta, Slice::from(header::KEY), Some(self.header.encode()));
        changes.push(Change { space, key, value });
        self.engine.apply(&changes, true)
    }
}

fn torn() -> Error {
    Error::new(ErrorKind::Corrupt, "a piece of a backup cannot be read: it ends early, or is of another kind")
}
