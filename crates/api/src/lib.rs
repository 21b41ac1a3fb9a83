//! Knows the shapes of requests and responses: generated tables of every service, and DynamoDB's busiest types by hand.
//! Never knows what an operation does or where an item is kept.

#[rustfmt::skip]
pub mod tables;

pub mod dynamodb;

pub use tables::SERVICES;
