use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::{Bound, Deref, RangeBounds};

/// Immutable bytes, shared by clones and parts; short ones are held inline.
#[derive(Clone)]
pub struct Slice {
    whole: fjall::Slice,
    start: u32,
    end: u32,
}

impl Slice {
    /// A part of these bytes, without a copy of them; it keeps all of them alive.
    ///
    /// # Panics
    /// When the range lies outside, as slicing does.
    pub fn slice(&self, range: impl RangeBounds<usize>) -> Slice {
        let start = match range.start_bound() {
            Bound::Included(&start) => start,
            Bound::Excluded(&start) => start + 1,
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(&end) => end + 1,
            Bound::Excluded(&end) => end,
            Bound::Unbounded => self.len(),
        };
        assert!(start <= end && end <= self.len(), "{start}..{end} of {} bytes", self.len());
        Slice { whole: self.whole.clone(), start: self.start + start as u32, end: self.start + end as u32 }
    }

    /// As the engine takes it: a part is copied, a whole is shared.
    pub(crate) fn to_engine(&self) -> fjall::Slice {
        if self.len() == self.whole.len() { self.whole.clone() } else { fjall::Slice::from(&**self) }
    }
}

impl From<fjall::Slice> for Slice {
    fn from(whole: fjall::Slice) -> Slice {
        let end = u32::try_from(whole.len()).expect("values are far smaller than 4 GiB");
        Slice { whole, start: 0, end }
    }
}

impl Deref for Slice {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.whole[self.start as usize..self.end as usize]
    }
}

impl AsRef<[u8]> for Slice {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Borrow<[u8]> for Slice {
    fn borrow(&self) -> &[u8] {
        self
    }
}

// Compared and hashed as the bytes they are, as `Borrow` demands.

impl PartialEq for Slice {
    fn eq(&self, other: &Slice) -> bool {
        **self == **other
    }
}

impl Eq for Slice {}

impl PartialOrd for Slice {
    fn partial_cmp(&self, other: &Slice) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Slice {
    fn cmp(&self, other: &Slice) -> Ordering {
        self[..].cmp(&other[..])
    }
}

impl Hash for Slice {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self[..].hash(state);
    }
}

impl From<&[u8]> for Slice {
    fn from(bytes: &[u8]) -> Slice {
        Slice::from(fjall::Slice::from(bytes))
    }
}

impl<const N: usize> From<[u8; N]> for Slice {
    fn from(bytes: [u8; N]) -> Slice {
        Slice::from(&bytes[..])
    }
}

impl<const N: usize> From<&[u8; N]> for Slice {
    fn from(bytes: &[u8; N]) -> Slice {
        Slice::from(&bytes[..])
    }
}

impl From<Vec<u8>> for Slice {
    fn from(bytes: Vec<u8>) -> Slice {
        Slice::from(fjall::Slice::from(bytes))
    }
}

impl From<&Vec<u8>> for Slice {
    fn from(bytes: &Vec<u8>) -> Slice {
        Slice::from(&bytes[..])
    }
}

impl From<&Slice> for Slice {
    fn from(bytes: &Slice) -> Slice {
        bytes.clone()
    }
}

impl fmt::Debug for Slice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.escape_ascii())
    }
}
