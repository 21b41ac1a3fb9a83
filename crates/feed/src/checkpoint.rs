//! How far a shard is read, as it is kept: one value for all of its lanes.

use crate::lane::Totals;
use crate::window::Window;
use bytes::Bytes;

/// How far each lane of a shard is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// One per lane; records are dealt to lanes by `hash % lanes.len()`.
    pub lanes: Vec<LanePoint>,
    /// Positions of earlier divisions into lanes that ran ahead of the slowest: what lies below them is finished.
    pub older: Vec<Vec<u64>>,
    /// The window that is open: the first lane's, as mappings with windows have one.
    pub window: Option<Window>,
    /// The shard ended and every record of it is accounted for.
    pub ended: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LanePoint {
    /// Everything up to here that is the lane's is finished.
    pub position: u64,
    pub totals: Totals,
}

/// Stored bytes are not a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CorruptCheckpoint;

/// The second version counts dead-lettered records too, the third keeps an open window.
const VERSION: u8 = 3;
const VERSION_SECOND: u8 = 2;
const VERSION_FIRST: u8 = 1;

/// Earlier divisions that are remembered. Beyond, the oldest is forgotten: its records come once more.
const OLDER_MAX: usize = 8;

impl Checkpoint {
    /// A shard of which nothing has been read yet.
    pub fn start(position: u64, lanes: usize) -> Checkpoint {
        let lane = LanePoint { position, totals: Totals::default() };
        Checkpoint { lanes: vec![lane; lanes], older: Vec::new(), window: None, ended: false }
    }

    /// The lowest unfinished position: everything up to here is finished, whichever lane it belongs to.
    pub fn position(&self) -> u64 {
        self.lanes.iter().map(|lane| lane.position).min().expect("a shard has a lane")
    }

    pub fn totals(&self) -> Totals {
        self.lanes.iter().fold(Totals::default(), |sum, lane| sum + lane.totals)
    }

    /// The same progress, for another number of lanes.
    pub fn divide(mut self, lanes: usize) -> Checkpoint {
        if self.lanes.len() == lanes {
            return self;
        }
        let (low, totals) = (self.position(), self.totals());
        let positions: Vec<_> = self.lanes.iter().map(|lane| lane.position).collect();
        self.older.push(positions);
        self.older.retain(|positions| positions.iter().any(|&position| position > low));
        if self.older.len() > OLDER_MAX {
            self.older.remove(0);
        }
        let mut divided = Checkpoint {
            older: self.older,
            window: self.window,
            ended: self.ended,
            ..Checkpoint::start(low, lanes)
        };
        divided.lanes[0].totals = totals;
        divided
    }

    /// Whether a record was finished under an earlier division into lanes.
    pub fn is_finished(&self, sequence: u64, hash: u32) -> bool {
        self.older.iter().any(|lanes| sequence <= lanes[hash as usize % lanes.len()])
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION, u8::from(self.ended)];
        put(&mut out, self.lanes.len() as u64);
        for lane in &self.lanes {
            let Totals { delivered, filtered, dropped, dead_lettered } = lane.totals;
            for number in [lane.position, delivered, filtered, dropped, dead_lettered] {
                put(&mut out, number);
            }
        }
        put(&mut out, self.older.len() as u64);
        for positions in &self.older {
            put(&mut out, positions.len() as u64);
            positions.iter().for_each(|&position| put(&mut out, position));
        }
        put(&mut out, u64::from(self.window.is_some()));
        if let Some(window) = &self.window {
            for number in [window.start_s, window.size_s, window.state.len() as u64] {
                put(&mut out, number);
            }
            out.extend_from_slice(&window.state);
        }
        out
    }

    pub fn decode(bytes: &[u8]) -> Result<Checkpoint, CorruptCheckpoint> {
        let (&[version @ (VERSION_FIRST | VERSION_SECOND | VERSION), ended @ (0 | 1)], mut rest) =
            bytes.split_first_chunk().ok_or(CorruptCheckpoint)?
        else {
            return Err(CorruptCheckpoint);
        };
        let rest = &mut rest;
        let mut lanes = Vec::new();
        for _ in 0..take_count(rest)? {
            let position = take(rest)?;
            let mut totals = Totals { delivered: take(rest)?, ..Totals::default() };
            (totals.filtered, totals.dropped) = (take(rest)?, take(rest)?);
            if version != VERSION_FIRST {
                totals.dead_lettered = take(rest)?;
            }
            lanes.push(LanePoint { position, totals });
        }
        let mut older = Vec::new();
        for _ in 0..take_count(rest)? {
            let count = take_count(rest)?;
            let positions = (0..count).map(|_| take(rest)).collect::<Result<Vec<_>, _>>()?;
            older.push(positions);
        }
        let window = if version == VERSION && take(rest)? == 1 { Some(take_window(rest)?) } else { None };
        if !rest.is_empty() || lanes.is_empty() || older.iter().any(Vec::is_empty) {
            return Err(CorruptCheckpoint);
        }
        Ok(Checkpoint { lanes, older, window, ended: ended == 1 })
    }
}

fn put(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(&number.to_be_bytes());
}

fn take(rest: &mut &[u8]) -> Result<u64, CorruptCheckpoint> {
    let (number, after) = rest.split_first_chunk().ok_or(CorruptCheckpoint)?;
    *rest = after;
    Ok(u64::from_be_bytes(*number))
}

fn take_window(rest: &mut &[u8]) -> Result<Window, CorruptCheckpoint> {
    let (start_s, size_s, len) = (take(rest)?, take(rest)?, take(rest)?);
    let len = usize::try_from(len).map_err(|_| CorruptCheckpoint)?;
    let (state, after) = rest.split_at_checked(len).ok_or(CorruptCheckpoint)?;
    *rest = after;
    Ok(Window { start_s, size_s, state: Bytes::copy_from_slice(state) })
}

/// A count of things that are at least eight bytes each.
fn take_count(rest: &mut &[u8]) -> Result<u64, CorruptCheckpoint> {
    let count = take(rest)?;
    if count > rest.len() as u64 / 8 { Err(CorruptCheckpoint) } else { Ok(count) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(position: u64, delivered: u64) -> LanePoint {
        LanePoint {
            position,
            totals: Totals { delivered, filtered: 0, dropped: 1, dead_lettered: delivered / 2 },
        }
    }

    #[test]
    fn reads_what_it_wrote() {
        let checkpoint = Checkpoint {
            lanes: vec![point(7, 3), point(u64::MAX, 0)],
            older: vec![vec![1, 2, 3], vec![9]],
            window: Some(Window { start_s: 60, size_s: 30, state: Bytes::from_static(b"{}") }),
            ended: true,
        };
        let bytes = checkpoint.encode();
        assert_eq!(Checkpoint::decode(&bytes), Ok(checkpoint));
        for len in 0..bytes.len() {
            assert_eq!(Checkpoint::decode(&bytes[..len]), Err(CorruptCheckpoint));
        }
    }

    /// Checkpoints written by the first version stay readable for ever.
    #[test]
    fn reads_the_first_version() {
        let mut bytes = vec![1, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        for number in [5u64, 4, 3, 2, 0] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        let totals = Totals { delivered: 4, filtered: 3, dropped: 2, dead_lettered: 0 };
        let expect = Checkpoint {
            lanes: vec![LanePoint { position: 5, totals }],
            older: vec![],
            window: None,
            ended: false,
        };
        assert_eq!(Checkpoint::decode(&bytes), Ok(expect));
        bytes[0] = 4;
        assert_eq!(Checkpoint::decode(&bytes), Err(CorruptCheckpoint));
    }

    #[test]
    fn another_number_of_lanes_repeats_nothing_and_loses_nothing() {
        let checkpoint =
            Checkpoint { lanes: vec![point(10, 1), point(20, 2)], older: vec![], window: None, ended: false };
        let divided = checkpoint.divide(3);
        assert_eq!(divided.position(), 10);
        assert_eq!(divided.totals(), Totals { delivered: 3, filtered: 0, dropped: 2, dead_lettered: 1 });
        // Hash 1 was the second lane's, which had come to 20; hash 2 the first's, which had come to 10.
        assert!(divided.is_finished(20, 1) && !divided.is_finished(21, 1) && !divided.is_finished(11, 2));

        // Once every lane has come past the earlier division, it is forgotten with the next one.
        let mut onward = divided;
        onward.lanes.iter_mut().for_each(|lane| lane.position = 30);
        assert_eq!(onward.divide(1).older, Vec::<Vec<u64>>::new());
    }
}
