//! What a call needs leave for, and whether its caller has it.

mod authorize;
mod keys;
mod needs;
mod permits;
mod tags;
mod trigger;
