//! Calls as clients make them, to functions that really run.

pub(crate) mod bench;
mod events;
mod layers;
mod logging;
mod stream;
mod urls;
mod versions;
