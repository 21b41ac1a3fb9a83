//! The engine, tried on a store in memory and on one on disk.

mod backups;
mod capacity;
mod concurrency;
mod difference;
mod expiry;
mod failure;
mod formats;
mod indexes;
mod items;
mod reads;
mod recovery;
mod streams;
mod support;
mod tables;
mod throttle;
mod transactions;
mod transfers;
