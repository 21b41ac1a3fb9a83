//! The door, tried on every engine behind it.

mod behaviour;
mod failure;
mod support;
