//! Knows what time it is, what is random and how the two are spelt in ids; real, or simulated from a seed.
//! Never knows who asks: no crate of the house lies below it.

mod random;
mod simulated;
mod timestamp;
mod world;

pub use random::Random;
pub use timestamp::Timestamp;
pub use world::World;

/// A line on the standard error. That whoever reads it is gone is no reason to fail, as `eprintln!` does.
#[macro_export]
macro_rules! say {
    ($($word:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($word)*);
    }};
}
