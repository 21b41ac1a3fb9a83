//! The door, tried on every engine behind it.

mod behaviour;
mod crash;
mod difference;
mod disk;
mod failure;
mod support;
