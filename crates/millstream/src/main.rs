//! Knows the command line.
//! Never knows what a command does beyond its flags: each has a file of its own.

mod cmd;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cmd::run(std::env::args_os().skip(1).collect())
}
