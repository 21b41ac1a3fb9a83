//! Carries change records from streams to targets: cursors, batches, lanes, retries, checkpoints.
//! Never sees HTTP, the name of an AWS operation, or what a target does with a batch.

mod lane;
mod policy;
