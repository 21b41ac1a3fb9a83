//! No request makes the wire panic, and the two readings of a request never disagree.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/api/tests/answer.rs"]
mod answer;

fuzz_target!(|bytes: &[u8]| answer::answer(bytes));
