//! One folder per AWS service: each turns wire words into our words, calls the floors below, and turns the answer back.
//! Never opens a socket, a process or a storage engine.

mod auth;
mod call;
mod dispatch;
mod documents;
mod fields;
mod ids;
mod post;
mod reply;
mod vault;

mod apigateway;
mod cloudformation;
mod dynamodb;
mod ec2;
mod ecr;
mod iam;
mod kms;
mod lambda;
mod logs;
mod parameters;
mod rds;
mod rds_data;
mod s3;
mod secrets;
mod sns;
mod sqs;
mod sts;

#[cfg(test)]
mod testing;

pub use auth::Mode as AuthMode;
pub use dispatch::{Parts, Services, Settings};
pub use dynamodb::files as table_files;
pub use lambda::LambdaTargets;
pub use logs::{LogBook, LogQueue};
pub use rds::{DatabaseServers, Hosts};
pub use reply::{Reply, Tail};
pub use s3::{BodyBroken, BodySource, NextPiece, ObjectsHold, Stored};
pub use sqs::{Attribute, Queues};
pub use vault::{Vault, has_sealed};
