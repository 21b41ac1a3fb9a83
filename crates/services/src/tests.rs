//! What several services do together.

mod apis;
mod bench;
mod functions;
mod stacks;
mod transfers;
