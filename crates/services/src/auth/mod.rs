//! What a call needs leave for, and whether its caller has it.

mod authorize;
mod needs;
mod tags;
mod trigger;
