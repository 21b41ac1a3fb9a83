//! All AWS services behind one call: who is asked, whether the caller may, and the smaller services themselves, a folder each.
//! Never opens a socket, a process or a storage engine.

mod auth;
mod coding;
mod dispatch;
mod household;
mod origins;
mod sealed;
mod whole;

mod ecr;
mod iam;
mod kms;
mod parameters;
mod secrets;
mod sns;
mod sqs;
mod sts;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use dispatch::{Parts, Services};
pub use dynamodb::InProcess as TablesInProcess;
pub use dynamodb::files as table_files;
pub use lambda::LambdaTargets;
pub use logs::{LogBook, LogQueue};
pub use rds::{DatabaseServers, Hosts};
pub use s3::ObjectsHold;
pub use sealed::has_sealed;
pub use servicekit::body::{BodyBroken, BodySource, NextPiece, Stored};
pub use servicekit::reply::{Reply, Tail};
pub use servicekit::vault::Vault;
pub use servicekit::{Mode as AuthMode, Settings};
pub use sqs::{Attribute, Queues};
