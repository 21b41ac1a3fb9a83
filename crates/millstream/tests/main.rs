//! The whole, as its users meet it: the real binary, the real AWS CLI, real functions.

mod apis;
mod bad_input;
mod chefs;
mod commands;
mod copies;
mod crash;
mod databases;
mod examples;
mod moves;
mod replays;
mod replicate;
mod ruby;
mod stacks;
mod support;
mod triggers;
mod walkthrough;
