//! What several services do together.

mod apis;
mod bench;
mod functions;
mod mappings;
mod stacks;
mod transfers;
