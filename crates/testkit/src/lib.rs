//! Knows how to start the real server, ask it things, and kill it: for tests of the whole.
//! Never knows what is being tested.

mod client;
mod databases;
mod node;

pub use client::{Answer, Client};
pub use databases::{TestDatabase, mariadb, postgres};
pub use node::{Node, TempDir};
