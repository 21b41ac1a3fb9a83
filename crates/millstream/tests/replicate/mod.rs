//! Replication by the real command: from a real server into real databases.

mod again;
mod around;
mod bounds;
mod chaos;
mod databases;
mod examples;
mod faults;
mod gaps;
mod given;
mod inside;
mod names;
mod rows;
mod rules;
mod setting;
mod spool;
mod stops;
mod storm;
mod tables;
