//! Calls as clients make them, to functions that really run.

mod events;
mod layers;
mod logging;
mod recorded;
mod stream;
mod urls;
mod versions;
mod words;
