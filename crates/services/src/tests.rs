//! What several services do together.

mod access;
mod apis;
mod bench;
mod functions;
mod left;
mod mappings;
mod stacks;
mod transfers;
