//! Knows the socket: listens, bounds what comes in, hands requests to the services, answers, measures.
//! Never knows what an operation means or where anything is kept.

mod node;
mod settings;

mod backup;
mod backups;
mod bodies;
mod listener;
mod metrics;
mod pages;
mod pipeline;
mod timer;

pub use backup::{Backup, DATA, FILE, LINK};
pub use node::Node;
pub use services::{AuthMode, DatabaseServers};
pub use settings::{Error, ErrorCode, Settings};
