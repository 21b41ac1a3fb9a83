//! Knows replication: a table's items and changes, mapped to rows that are kept in step, each change applied once.
//! Never knows flags, signals or a terminal: it is told what to run and reports what happens.

pub mod config;
mod error;
pub mod join;
mod json;
pub mod mapping;

pub mod runner;
pub mod source;
mod spool;
mod stop;
pub mod targets;
mod verify;

pub use config::Config;
pub use error::{Error, Kind};
pub use spool::Stand as SpoolStand;
pub use verify::{Difference, Verified, told, verify};
