//! Replication by the real command: from a real server into real databases.

mod chaos;
mod databases;
mod examples;
mod faults;
mod rows;
mod rules;
mod setting;
mod spool;
mod storm;
