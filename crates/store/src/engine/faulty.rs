/// Where a faulty store fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The next write of a group fails.
    Write,
    /// The next sync fails.
    Sync,
    /// The next group panics the committer.
    Panic,
    /// The next read of a view fails.
    Read,
}

/// The handle by which a test makes a store fail.
#[derive(Clone, Debug)]
pub struct Faults {}

impl Faults {
    /// Lets the next operation of this kind fail.
    pub fn inject(&self, _fault: Fault) {}

    /// Lets syncs wait until [`release`](Faults::release): what is written meanwhile stays pending.
    pub fn hold(&self) {}

    pub fn release(&self) {}
}
