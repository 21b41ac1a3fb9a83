//! Knows the command line.
//! Never knows what a command does beyond its flags: each has a file of its own.

/// A line on the standard output. Whoever wanted it may have had enough (`| head`), which ends the command.
macro_rules! tell {
    ($($word:tt)*) => {{
        use std::io::Write as _;
        if writeln!(std::io::stdout(), $($word)*).is_err() {
            std::process::exit(crate::cmd::UNHEARD);
        }
    }};
}

mod cmd;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cmd::run(std::env::args_os().skip(1).collect())
}
